"""Runs of matching: what was done at night, a button to do it now, and what a model that is tried would do."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.htmx import render_page_or_fragment
from profiles.matching import run_report, runs, shadow
from profiles.matching.run_report import ACTIONS, Report
from profiles.models import MatchRun
from profiles.views.fetch import reader

LISTED = 100


@requires(Permission.MERGE_PROFILES)
@require_GET
def list_runs(request: HttpRequest) -> HttpResponse:
    """The runs that were begun last."""
    found = MatchRun.objects.select_related("model").newest_first()[:LISTED]
    context = {
        "reports": [Report(run) for run in found],
        "going_on": MatchRun.objects.of_matching().unfinished().first(),
        "in_use": runs.in_use(),
        "tryable": runs.tryable(),
    }
    return render(request, "profiles/match_runs.html", context)


@requires(Permission.MERGE_PROFILES)
@require_POST
def start(request: HttpRequest) -> HttpResponse:
    """Match what changed or everything, or try a model."""
    model = None
    if number := request.POST.get("trial_of"):
        if not number.isdecimal() or len(number) > 18:
            raise Http404
        model = get_object_or_404(runs.tryable(), pk=number)
    try:
        run = runs.start(by=reader(request), trial_of=model, everything="everything" in request.POST)
    except ConflictProblem as problem:
        messages.error(request, " ".join(str(text) for text in (problem.message, problem.hint) if text))
        return redirect("profiles:match_runs")
    return redirect("profiles:match_run", run.pk)


@requires(Permission.MERGE_PROFILES)
@require_GET
def show(request: HttpRequest, run_id: UUID) -> HttpResponse:
    return render(request, "profiles/match_run.html", _context(request, run_id))


@requires(Permission.MERGE_PROFILES)
@require_GET
def progress(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """How far it is; the page asks again while it goes on."""
    context = _context(request, run_id)
    return render_page_or_fragment(request, "profiles/match_run.html", "profiles/_match_run_progress.html", context)


@requires(Permission.MERGE_PROFILES)
@require_POST
def cancel(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = get_object_or_404(MatchRun.objects.of_matching(), pk=run_id)
    runs.cancel(run=run, by=reader(request))
    messages.success(request, _("The run stops in a moment. What it has decided stays."))
    return redirect("profiles:match_run", run.pk)


@requires(Permission.MERGE_PROFILES)
@require_GET
def list_changes(request: HttpRequest, run_id: UUID, action: str) -> HttpResponse:
    """Whom it joined, parted, asked about or held back: a page by key."""
    run = get_object_or_404(MatchRun, pk=run_id)
    if action not in ACTIONS:
        raise Http404
    after = request.GET.get("after", "0")
    if not after.isdecimal() or len(after) > 18:
        raise Http404
    report = Report(run)
    context = {
        "report": report,
        "run": run,
        "action": action,
        "title": ACTIONS[action][report.is_trial],
        "page": run_report.page(run, action, by=reader(request), after=int(after)),
        "is_first": after == "0",
    }
    return render_page_or_fragment(request, "profiles/match_changes.html", "profiles/_match_changes.html", context)


@requires(Permission.MERGE_PROFILES)
@require_GET
def foresee(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """What a trial's joins and partings would do to customers, consents and segments."""
    run = get_object_or_404(MatchRun.objects.trials(), pk=run_id)
    report = Report(run)
    context = {"report": report, "run": run, "foreseen": None if report.listed_until else shadow.foresee(run)}
    return render_page_or_fragment(request, "profiles/match_foreseen.html", "profiles/_match_foreseen.html", context)


def _context(request: HttpRequest, run_id: UUID) -> dict[str, Any]:
    run = get_object_or_404(MatchRun.objects.select_related("model"), pk=run_id)
    return {"run": run, "report": Report(run)}
