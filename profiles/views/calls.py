"""The question for the next call on the customer's page, and its answer."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.htmx import wants_fragment
from profiles import calls, viewing
from profiles.models import MatchLabel
from profiles.views.fetch import reader, visible_profile

# Pairs that the agent does not want to ask about before logging in again; the oldest are forgotten.
PUT_OFF, MOST_PUT_OFF = "questions_put_off", 50
LATER = "later"


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_GET
def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The card with the question; nothing when there is none."""
    profile = visible_profile(request, public_id, logged_as=viewing.ASKED)
    put_off = frozenset(request.session.get(PUT_OFF, ()))
    asked = calls.question(profile, by=reader(request), without=put_off)
    return render(request, "profiles/_question.html", {"profile": profile, "question": asked})


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_POST
def answer(request: HttpRequest, public_id: UUID, pair_id: int) -> HttpResponse:
    """Keep the answer; "later" keeps the question."""
    profile = visible_profile(request, public_id, logged_as=viewing.ASKED)
    said = request.POST.get("answer", "")
    if said == LATER:
        request.session[PUT_OFF] = [*request.session.get(PUT_OFF, ()), pair_id][-MOST_PUT_OFF:]
        messages.info(request, _("The question stays for another call."))
        return _answered(request, public_id)
    if said not in calls.ANSWERS:
        raise Http404
    label = calls.answer(profile=profile, pair_id=pair_id, verdict=said, by=reader(request))
    texts = {
        MatchLabel.Verdict.SAME: _("Thank you: a steward is shown the answer and decides."),
        MatchLabel.Verdict.DIFFERENT: _("Thank you: the two stay apart."),
        MatchLabel.Verdict.UNSURE: _("Thank you: a steward looks at it again."),
    }
    undo = reverse("profiles:unanswer", args=[public_id, label.pk])
    messages.success(request, texts[MatchLabel.Verdict(said)], extra_tags=undo)
    return _answered(request, public_id)


@requires(Permission.VIEW_CUSTOMERS, Permission.EDIT_CUSTOMERS)
@require_POST
def take_back(request: HttpRequest, public_id: UUID, label_id: int) -> HttpResponse:
    """Undo: the button of the message that thanks for the answer."""
    profile = visible_profile(request, public_id, logged_as=viewing.ASKED)
    calls.take_back(profile=profile, label_id=label_id, by=reader(request))
    messages.success(request, _("Taken back: the question waits again."))
    return redirect("profiles:customer", public_id)


def _answered(request: HttpRequest, public_id: UUID) -> HttpResponse:
    if wants_fragment(request):
        return render(request, "profiles/_question.html", {"says": True})
    return redirect("profiles:customer", public_id)
