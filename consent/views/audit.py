"""The audit browser: who did what, and whether the chain is whole."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core import anchors, jobs
from cdp_site.core.access import Permission, requires
from cdp_site.core.htmx import render_page_or_fragment
from cdp_site.core.login.fresh import fresh_login
from consent import trail, trail_file
from consent.forms import TrailForm
from consent.views.fetch import attachment
from profiles import openings
from profiles.views.fetch import reader

CHECK_JOB = "consent.jobs.check_audit"


@requires(Permission.VIEW_AUDIT)
@require_GET
def browse(request: HttpRequest) -> HttpResponse:
    """Rows of the audit with filters; `after` asks for those behind a key."""
    form = _form(request.GET)
    filters, after = form.filters, request.GET.get("after", "")
    context = {
        "form": form,
        "filters": filters,
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


@requires(Permission.VIEW_AUDIT)
@fresh_login
@require_POST
def export(request: HttpRequest) -> HttpResponseBase:
    """The rows that fit the filters as a file, with their seals. The audit says that it was taken."""
    form = _form(request.POST)
    chosen = trail_file.FORMATS.get(request.POST.get("format", ""))
    if chosen is None or not form.is_valid():
        messages.error(request, _("Choose filters from the lists, and a form of the file."))
        return redirect("consent:audit")
    rows = trail_file.start(filters=form.filters, chosen=chosen, by=reader(request))
    return attachment(
        chosen.write(rows), chosen.content_type, f"audit-{timezone.localdate():%Y%m%d}.{chosen.extension}"
    )


@requires(Permission.VIEW_AUDIT)
@require_GET
def show_anchors(request: HttpRequest) -> HttpResponseBase:
    """The anchors as they stand outside the database, to be kept elsewhere."""
    place = anchors.file()
    return attachment([place.read_bytes() if place.exists() else b""], "application/jsonl", "audit-anchors.jsonl")


def _form(data: QueryDict) -> TrailForm:
    actions, kinds = trail.choices()
    return TrailForm(data, actions=actions, actors=trail.actors(), kinds=kinds)
