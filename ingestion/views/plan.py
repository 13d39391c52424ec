"""Tracking plan: events as they come, one event's properties and violations, pinning it, its versions."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import NotFoundProblem
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from ingestion.health.rates import Span
from ingestion.models import PlanSchema
from ingestion.plan import charts, overview, pinning, plan_form, schema
from ingestion.plan.overview import EventPage
from ingestion.plan.plan_form import PlanForm
from ingestion.views.fetch import reader


@requires(Permission.VIEW_SOURCES)
@require_GET
def list_events(request: HttpRequest) -> HttpResponse:
    """All events with the chart of violations; htmx asks for the chart over another span."""
    found = overview.violations(by=reader(request))
    context = {"chart": charts.chart(found, Span.read(request.GET.get("span", ""))), "spans": list(Span)}
    if not wants_fragment(request):
        context["events"] = overview.events(by=reader(request))
    return render_page_or_fragment(request, "ingestion/plan.html", "ingestion/_violations.html", context)


@requires(Permission.VIEW_SOURCES)
@require_GET
def show_event(request: HttpRequest) -> HttpResponse:
    page = _page(request)
    span = Span.read(request.GET.get("span", ""))
    found = overview.violations(by=reader(request)).of_event(page.event)
    chart = charts.chart(found, span)
    versions = PlanSchema.objects.of_event(page.event).with_people().newest_first()
    context = {
        "page": page,
        "event": page.event,
        "chart": chart,
        "spans": list(Span),
        "broken": found.since(chart.bars[0].at).by_rule(),
        "versions": versions,
        "pinned": next((version for version in versions if version.is_pinned), None),
        "days": overview.DAYS,
    }
    return render_page_or_fragment(request, "ingestion/plan_event.html", "ingestion/_violations.html", context)


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_http_methods(["GET", "POST"])
def pin(request: HttpRequest) -> HttpResponse:
    """The schema on its way: proposed, edited, tried, pinned."""
    page = _page(request)
    if request.method == "POST":
        return _asked(request, page, plan_form.of_post(request.POST))
    version = request.GET.get("version", "")
    found = PlanSchema.objects.of_event(page.event)
    known = found.numbered(int(version)).first() if version.isdecimal() else found.pinned().first()
    definition = pinning.propose(page.event) if known is None else known.schema
    return _form(request, page, plan_form.of_schema(definition))


def _asked(request: HttpRequest, page: EventPage, form: PlanForm) -> HttpResponse:
    """What the pressed button asks for."""
    asked, _colon, argument = request.POST.get("do", "").partition(":")
    if asked == "add":
        return _form(request, page, form.with_row())
    if asked == "remove":
        return _form(request, page, form.without_row(int(argument) if argument.isdecimal() else -1))
    form = plan_form.of_json(form) if asked == "json" else form.checked()
    if form.problem or asked == "json":
        return _form(request, page, form)
    definition = form.definition()
    if asked == "pin":
        pinned = pinning.pin(event=page.event, definition=definition, by=reader(request))
        text = _("Pinned as version %(version)s. What does not follow it goes to quarantine.")
        messages.success(request, text % {"version": pinned.version})
        return redirect(_address(page.event))
    return _form(request, page, form, trial=pinning.try_on(page.event, definition, by=reader(request)))


def _form(request: HttpRequest, page: EventPage, form: PlanForm, *, trial: pinning.Trial | None = None) -> HttpResponse:
    context = {"page": page, "event": page.event, "form": form, "trial": trial}
    status = 422 if form.problem else 200
    return render_page_or_fragment(
        request, "ingestion/plan_pin.html", "ingestion/_plan_pin.html", context, status=status
    )


@requires(Permission.VIEW_SOURCES, Permission.MANAGE_SOURCES)
@require_POST
def unpin(request: HttpRequest) -> HttpResponse:
    page = _page(request)
    if pinning.unpin(event=page.event, by=reader(request)):
        messages.success(request, _("No longer pinned: messages are taken as they come."))
    return redirect(_address(page.event))


@requires(Permission.VIEW_SOURCES)
@require_GET
def show_diff(request: HttpRequest) -> HttpResponse:
    """What changed between two versions of an event's schema."""
    page = _page(request)
    before, after = (_version(page.event, request.GET.get(name, "")) for name in ("from", "to"))
    context = {
        "page": page,
        "event": page.event,
        "before": before,
        "after": after,
        "changes": schema.diff(before.schema, after.schema),
    }
    return render(request, "ingestion/plan_diff.html", context)


def _version(event: str, number: str) -> PlanSchema:
    found = PlanSchema.objects.of_event(event).with_people()
    version: PlanSchema = get_object_or_404(found, version=int(number) if number.isdecimal() else 0)
    return version


def _page(request: HttpRequest) -> EventPage:
    try:
        return overview.event_page(request.GET.get("event", ""), by=reader(request))
    except NotFoundProblem as problem:
        raise Http404 from problem


def _address(event: str) -> str:
    return f"{reverse('ingestion:plan_event')}?{urlencode({'event': event})}"
