"""The numbers beside the builder: how many people a draft means, whom they would reach, who some of them are."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.errors import MendableError
from profiles import directory, viewing
from profiles.models import Profile
from segments import audience, catalogue, estimate, freshness, presenting, reaching, references
from segments.builder import draft
from segments.builder.page import Sheet
from segments.builder.review import sentences
from segments.views.drafting import context_of, segment_of
from segments.views.fetch import reader

SAMPLED = "segment.sample"
SAMPLE = 20


def _sheet(request: HttpRequest) -> Sheet:
    return Sheet(draft.read(request.POST.items()), reader(request), segment_of(request))


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def show_summary(request: HttpRequest) -> HttpResponse:
    """What the draft says and about how many people it means, with what each row keeps out."""
    sheet = _sheet(request)
    context = context_of(sheet, None, None)
    if sheet.definition is not None:
        context["sentences"] = sentences(sheet.definition, sheet.scope)
        (resolved,) = references.resolved([sheet.definition])
        context["leanings"] = freshness.leanings(resolved, sheet.scope)
        context |= _estimate(sheet)
    return render(request, "segments/_summary.html", context)


def _estimate(sheet: Sheet) -> dict[str, Any]:
    try:
        found = estimate.estimate(_question(sheet))
    except audience.TooSlowProblem:
        return {"is_slow": True}
    except MendableError as problem:
        return {"problem": problem}
    most = found.cuts_most
    rows = [(row, found.parts.get(row.place), row.place == most) for row in sheet.row.flat() if not row.is_outermost]
    return {"estimate": found, "counts": rows, "has_others": len(rows) > 1}


def _question(sheet: Sheet) -> audience.Question:
    """Only of a finished draft. Raises HiddenProblem where a segment that it asks for has just gone."""
    if sheet.definition is None:
        raise ValueError("the draft has gaps")
    return audience.Question.of(sheet.definition, sheet.scope)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def show_exact(request: HttpRequest) -> HttpResponse:
    """Everybody counted, now."""
    sheet = _sheet(request)
    context: dict[str, Any] = {}
    if sheet.definition is not None:
        try:
            context["size"] = presenting.size(_question(sheet))
        except MendableError as problem:
            context["size"] = presenting.Size(None, problem=problem)
    return render(request, "segments/_exact.html", context)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def show_reach(request: HttpRequest) -> HttpResponse:
    """How many of them each channel would reach for a purpose, and why not the others."""
    sheet = _sheet(request)
    purposes = reaching.purposes()
    purpose = reaching.chosen(purposes, request.POST.get("reach_purpose", ""))
    context: dict[str, Any] = {"purposes": purposes, "purpose": purpose}
    if sheet.definition is not None and purpose is not None:
        try:
            context["reach"] = reaching.reach(_question(sheet), purpose)
        except MendableError as problem:
            context["problem"] = problem
    return render(request, "segments/_reach.html", context)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS, Permission.VIEW_CUSTOMERS)
@require_POST
def show_sample(request: HttpRequest) -> HttpResponse:
    """Some of them, chosen by chance and masked by role; that they were shown is logged."""
    user, sheet = reader(request), _sheet(request)
    context: dict[str, Any] = {"is_finished": sheet.definition is not None}
    if sheet.definition is not None:
        try:
            ids = estimate.some_members(_question(sheet), SAMPLE)
        except MendableError as problem:
            context["problem"] = problem
        else:
            found = Profile.objects.in_bulk(ids)
            profiles = [found[profile_id] for profile_id in ids if profile_id in found]
            viewing.log(profiles, by=user, what=SAMPLED)
            context["rows"] = directory.rows(profiles, by=user)
    return render(request, "segments/_sample.html", context)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_GET
def list_values(request: HttpRequest) -> HttpResponse:
    """Options of a datalist: what most people have in an attribute, a property of an event, or of a product ordered."""
    scope = scope_of(reader(request))
    event, name = request.GET.get("event", ""), request.GET.get("property", "")
    if event:
        values = catalogue.common_properties(event, name, scope)
    elif line := request.GET.get("line", ""):
        values = catalogue.common_of_lines(line, scope)
    else:
        values = catalogue.common_attributes(request.GET.get("trait", ""), scope)
    return render(request, "segments/_values.html", {"values": values})
