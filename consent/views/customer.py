"""Panels of the 360 page: consent with its contact buttons, and who opened the customer."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from cdp_site.core import audit, jobs
from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from consent import answers, matrix, trail
from consent.forms import AnswerForm
from consent.models import Channel, Purpose
from consent.preferences import links, mails
from profiles import past
from profiles.models import Profile
from profiles.views.fetch import reader, visible_profile

# What the access log calls these looks.
CONSENT, ACCESS_LOG = "profile.consent", "profile.access_log"
PANEL, PANEL_BODY = "consent/panel.html", "#panel-consent-body"


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def panel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Channel × purpose, and the addresses for one purpose; of an earlier day (`as_of`) what had been said."""
    context = _as_asked(request, public_id)
    return render_page_or_fragment(request, "consent/panel_page.html", PANEL, context)


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def chips(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The answers about the first purpose that takes one, a chip a channel, for the head of the page."""
    return render(request, "consent/chips.html", _as_asked(request, public_id))


@requires(Permission.VIEW_CUSTOMERS)
@require_GET
def cell(request: HttpRequest, public_id: UUID, purpose: str, channel: str) -> HttpResponse:
    """One purpose on one channel: how it stands, why, what was said when; and the form for an answer."""
    profile = visible_profile(request, public_id, logged_as=CONSENT)
    return _show_cell(request, profile, _purpose(purpose), _channel(channel))


@requires(Permission.VIEW_CUSTOMERS, Permission.RECORD_CONSENT)
@require_POST
def answer(request: HttpRequest, public_id: UUID, purpose: str, channel: str) -> HttpResponse:
    """Record what the customer said; htmx gets the panel again and closes the dialog."""
    profile = visible_profile(request, public_id, logged_as=CONSENT)
    of, on = _purpose(purpose), _channel(channel)
    detail = matrix.read_cell(profile, of, on, by=reader(request))
    form = AnswerForm(request.POST, addresses=_choices(detail))
    if not form.is_valid():
        return _show_cell(request, profile, of, on, form=form, detail=detail)
    try:
        said = _record(request, profile, of, on, form)
    except MendableError as problem:
        form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return _show_cell(request, profile, of, on, form=form)
    if not wants_fragment(request):
        messages.success(request, said)
        return redirect("profiles:customer", public_id)
    response = render(request, PANEL, {**_panel(request, profile, of.slug), "said": said})
    response["HX-Retarget"], response["HX-Reswap"] = PANEL_BODY, "innerHTML"
    return trigger_client_event(trigger_client_event(response, matrix.CHANGED), "dialog:close")


@requires(Permission.VIEW_CUSTOMERS, Permission.RECORD_CONSENT)
@require_POST
def preference_link(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A link to the customer's own preference page: to be read out or copied, or mailed to them."""
    profile = visible_profile(request, public_id, logged_as=CONSENT)
    by_mail = request.POST.get("how") == "mail"
    with transaction.atomic():
        audit.record(action="consent.preference_link", target=profile, by=reader(request), fields=["link"])
        if by_mail:
            jobs.enqueue(mails.LINK_JOB, profile.pk, request.POST.get("language", "th")[:2])
    if by_mail:
        messages.success(request, _("The link is on its way, if the customer has a mail address."))
        return redirect("profiles:customer", public_id)
    context = {"profile": profile, "link": links.address(profile.public_id), "days": settings.PREFERENCE_LINK_DAYS}
    page, part = "consent/preference_link_page.html", "consent/preference_link.html"
    return render_page_or_fragment(request, page, part, context)


@requires(Permission.VIEW_CUSTOMERS, Permission.VIEW_AUDIT)
@require_GET
def access_log(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Who opened this customer lately."""
    profile = visible_profile(request, public_id, logged_as=ACCESS_LOG)
    context = {"profile": profile, "visits": trail.visits_to(profile)}
    return render_page_or_fragment(request, "consent/access_log_page.html", "consent/access_log.html", context)


def _record(request: HttpRequest, profile: Profile, purpose: Purpose, channel: Channel, form: AnswerForm) -> str:
    told = {
        "profile": profile,
        "purpose": purpose,
        "channel": channel,
        "evidence": form.how,
        "reference": form.cleaned_data["reference"],
        "by_guardian": form.cleaned_data["by_guardian"],
        "by": reader(request),
    }
    if form.cleaned_data["answer"] == "grant":
        answers.grant(addresses=form.chosen, overrules=form.named_denial, **told)
        return _("Consent recorded.")
    answers.deny(addresses=form.chosen if form.is_partial else (), **told)
    return _("Objection recorded: nothing more is sent.")


def _show_cell(
    request: HttpRequest,
    profile: Profile,
    purpose: Purpose,
    channel: Channel,
    *,
    form: AnswerForm | None = None,
    detail: matrix.Detail | None = None,
) -> HttpResponse:
    detail = detail or matrix.read_cell(profile, purpose, channel, by=reader(request))
    choices = _choices(detail)
    start = {"overrules": detail.denial and detail.denial.pk}
    context = {
        "profile": profile,
        "detail": detail,
        "form": form or AnswerForm(initial=start, addresses=choices),
    }
    status = 422 if form is not None else 200
    return render_page_or_fragment(request, "consent/cell_page.html", "consent/cell.html", context, status=status)


def _choices(detail: matrix.Detail) -> list[tuple[str, str]]:
    """Addresses that an answer can be about: all but those that are none."""
    return [(one.value, one.text) for one in detail.addresses if one.is_real]


def _as_asked(request: HttpRequest, public_id: UUID) -> dict[str, object]:
    """Consent of today, or of the day in the address."""
    profile = visible_profile(request, public_id, logged_as=CONSENT)
    then = past.asked(profile, request.GET, scope=scope_of(reader(request)))
    if then is not None:
        return {"profile": profile, "past": then, "matrix": matrix.look_back(then)}
    return _panel(request, profile, request.GET.get("purpose", ""))


def _panel(request: HttpRequest, profile: Profile, purpose: str) -> dict[str, object]:
    return {"profile": profile, "matrix": matrix.read(profile, by=reader(request), purpose=purpose)}


def _purpose(slug: str) -> Purpose:
    return get_object_or_404(Purpose, slug=slug, is_active=True)


def _channel(name: str) -> Channel:
    if name not in Channel.values:
        raise Http404
    return Channel(name)
