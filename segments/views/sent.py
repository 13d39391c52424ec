""" "Why did you send me this?": the answer as a dialog of the timeline, and its button that withdraws."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from cdp_site.core.access import Permission, requires
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from consent import matrix
from consent.models import Purpose
from profiles.models import Profile, Touchpoint
from profiles.views.fetch import visible_profile
from segments import sent
from segments.views.fetch import reader

ASKED = "profile.sent"  # what the access log calls it


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def why(request: HttpRequest, public_id: UUID, touchpoint_id: UUID) -> HttpResponse:
    """Which list, on what evidence, with what consent, by whom."""
    profile = visible_profile(request, public_id, logged_as=ASKED)
    answer = sent.why(profile, _message(request, profile, touchpoint_id), by=reader(request))
    context = {"profile": profile, "answer": answer}
    return render_page_or_fragment(request, "segments/sent_page.html", "segments/sent.html", context)


@requires(Permission.VIEW_CUSTOMERS, Permission.RECORD_CONSENT)
@require_POST
def withdraw(request: HttpRequest, public_id: UUID, touchpoint_id: UUID, purpose: str) -> HttpResponse:
    """The customer wants no more of it; the panel of consent shows that at once."""
    profile = visible_profile(request, public_id, logged_as=ASKED)
    message = _message(request, profile, touchpoint_id)
    meant = get_object_or_404(Purpose, slug=purpose, is_active=True)
    sent.withdraw(profile=profile, touchpoint=message, purpose=meant, by=reader(request))
    messages.success(request, _("Objection recorded: nothing more is sent for “%(purpose)s”.") % {"purpose": meant})
    if not wants_fragment(request):
        return redirect("profiles:customer", public_id)
    context = {"profile": profile, "matrix": matrix.read(profile, by=reader(request), purpose=meant.slug)}
    response = trigger_client_event(render(request, "segments/_withdrawn.html", context), matrix.CHANGED)
    return trigger_client_event(response, "dialog:close")


def _message(request: HttpRequest, profile: Profile, touchpoint_id: UUID) -> Touchpoint:
    found = sent.find(profile, touchpoint_id, by=reader(request))
    if found is None:
        raise Http404
    return found
