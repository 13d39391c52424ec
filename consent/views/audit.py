"""The audit browser: who did what, and whether the chain is whole."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core import jobs
from cdp_site.core.access import Permission, requires
from cdp_site.core.htmx import render_page_or_fragment
from consent import trail
from consent.forms import TrailForm
from profiles import openings
from profiles.views.fetch import reader

CHECK_JOB = "consent.jobs.check_audit"


@requires(Permission.VIEW_AUDIT)
@require_GET
def browse(request: HttpRequest) -> HttpResponse:
    """Rows of the audit with filters; `after` asks for those behind a key."""
    form = TrailForm(request.GET, actions=trail.actions(), actors=trail.actors())
    filters = form.cleaned_data if form.is_valid() else {}
    after = request.GET.get("after", "")
    context = {
        "form": form,
        "is_filtered": any(filters.values()),
        "is_first": not after,
        "page": trail.page(by=reader(request), before=int(after) if after.isdecimal() else None, **filters),
        "chain": trail.chain_state(),
    }
    return render_page_or_fragment(request, "consent/audit.html", "consent/_audit.html", context)


@requires(Permission.VIEW_AUDIT)
@require_GET
def show_alarms(request: HttpRequest) -> HttpResponse:
    """Home panel: who has opened many customers today outside verified calls."""
    return render(request, "consent/_alarms.html", {"alarms": openings.alarms()})


@requires(Permission.VIEW_AUDIT)
@require_GET
def count_alarms(request: HttpRequest) -> HttpResponse:
    """The number of them for the navigation."""
    return render(request, "consent/_alarm_badge.html", {"alarms": openings.alarms()})


@requires(Permission.VIEW_AUDIT)
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Have the chain walked by a job: it reads the whole audit."""
    jobs.enqueue(CHECK_JOB)
    messages.info(request, _("The chain is being checked. The result appears here in a moment."))
    return redirect("consent:audit")
