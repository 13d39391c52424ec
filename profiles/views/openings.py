"""Opening a customer for a reason: the line below the name that says how it stands, and the dialog that asks why."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from cdp_site.core.login.fresh import fresh_login
from profiles import openings, viewing
from profiles.forms import OpeningForm
from profiles.models import Profile
from profiles.views.fetch import reader


@requires(Permission.VIEW_CUSTOMERS, Permission.REVEAL_IDENTIFIERS)
@require_GET
def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Whether the customer is open for the reader, and the button that opens."""
    profile = _visible(request, public_id)
    context = {"profile": profile, "until": openings.open_until(reader(request), profile.pk)}
    return render(request, "profiles/_opening.html", context)


@requires(Permission.VIEW_CUSTOMERS, Permission.REVEAL_IDENTIFIERS)
@fresh_login
@require_http_methods(["GET", "POST"])
def reveal(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask why; by POST the customer is open for a while."""
    profile = _visible(request, public_id)
    form = OpeningForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _ask(request, profile, form)
    try:
        openings.open_for_reason(profile, reason=form.cleaned_data["reason"], by=reader(request))
    except MendableError as problem:
        form.add_error(None, " ".join(str(text) for text in (problem.message, problem.hint) if text))
        return _ask(request, profile, form)
    minutes = int(openings.REASON_OPENS_FOR.total_seconds() // 60)
    messages.success(request, _("Open for %(n)d minutes. Your reason is in the access log.") % {"n": minutes})
    page = resolve_url("profiles:customer", public_id)
    return HttpResponseClientRedirect(page) if wants_fragment(request) else redirect(page)


def _visible(request: HttpRequest, public_id: UUID) -> Profile:
    """The customer, without a line in the access log: here nothing of them is shown. The opening writes its own."""
    profile = viewing.find(public_id, by=reader(request))
    if profile is None:
        raise Http404
    return profile


def _ask(request: HttpRequest, profile: Profile, form: OpeningForm) -> HttpResponse:
    context = {
        "profile": profile,
        "form": form,
        "opened": openings.revealed_today(reader(request)),
        "most": settings.REVEALS_PER_DAY,
    }
    status = 422 if form.is_bound else 200
    return render_page_or_fragment(request, "profiles/reveal_page.html", "profiles/reveal.html", context, status=status)
