"""The builder's pages: a new segment, a segment again, a draft of either; and saving."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from cdp_site.core.models import User
from segments import authoring, catalogue
from segments.builder import beginnings, draft, keeping
from segments.builder.page import Sheet
from segments.forms import SegmentForm
from segments.models import Segment, SegmentDraft
from segments.overtaking import OvertakenProblem
from segments.views.drafting import BUILDER, CHANGED, PAGE, context_of, draft_of, drafts_beside
from segments.views.fetch import changeable_segment, reader


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new segment: from nothing, or from one of those that a retailer asks for first (`?start=`)."""
    user = reader(request)
    if request.method == "POST":
        return _save(request, user, None)
    start = beginnings.of_key(request.GET.get("start", ""))
    sheet = Sheet(start.definition if start else draft.blank(), user)
    form = SegmentForm(author=user, initial={"name": start.name, "description": start.text} if start else None)
    context = context_of(sheet, form, None) | {"start": start, "drafts": drafts_beside(user, None, None)}
    if start is None:
        context["beginnings"] = _gallery(user)
    return render(request, PAGE, context)


def _gallery(user: User) -> list[dict[str, Any]]:
    """What one can begin with, each with what the company lacks for it."""
    scope = scope_of(user)
    fields = catalogue.fields_of(scope, *(one.definition for one in beginnings.BEGINNINGS), by=user)
    return [{"beginning": one, "lacks": one.problems(fields)} for one in beginnings.BEGINNINGS]


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """A segment again."""
    user = reader(request)
    segment = changeable_segment(request, segment_id)
    if request.method == "POST":
        return _save(request, user, segment)
    form = SegmentForm(author=user, segment=segment, initial=SegmentForm.initial_of(segment))
    context = context_of(Sheet(segment.definition, user, segment), form, None)
    return render(request, PAGE, context | {"drafts": drafts_beside(user, segment, None)})


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_GET
def open_draft(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """What somebody has begun to write; its address may be given to colleagues."""
    user = reader(request)
    found: SegmentDraft | None = SegmentDraft.objects.visible_to(user).filter(pk=draft_id).first()
    if found is None:
        raise Http404
    segment = changeable_segment(request, found.segment_id) if found.segment_id else None
    form = SegmentForm(author=user, segment=segment, initial=found.said)
    context = context_of(Sheet(keeping.definition_of(found), user, segment), form, found)
    return render(request, PAGE, context | {"drafts": drafts_beside(user, segment, found)})


def _save(request: HttpRequest, user: User, segment: Segment | None) -> HttpResponse:
    form = SegmentForm(request.POST, author=user, segment=segment)
    begun = draft_of(request)
    sheet = Sheet(draft.read(request.POST.items()), user, segment, is_saving=True)
    seen = request.POST.get("seen")
    if form.is_valid() and not sheet.review.problems:
        try:
            saved = _write(form, draft.finished(sheet.fitted), user, segment, seen)
        except ConflictProblem as problem:
            form.add_error(problem.field if problem.field in form.fields else None, f"{problem.message} {problem.hint}")
            if isinstance(problem, OvertakenProblem):
                seen = None  # they are told: the next time it is this edition that they save over
        else:
            if begun is not None:
                keeping.finish(draft=begun, by=user)
            url = resolve_url("segments:segment", saved.pk)
            return HttpResponseClientRedirect(url) if wants_fragment(request) else redirect(url)
    context = context_of(sheet, form, begun, seen=seen)
    response = render_page_or_fragment(request, PAGE, BUILDER, context, status=422)
    return trigger_client_event(response, CHANGED, after="settle")


def _write(
    form: SegmentForm, definition: dict[str, Any], user: User, segment: Segment | None, seen: str | None
) -> Segment:
    said = {
        "name": form.cleaned_data["name"],
        "description": form.cleaned_data["description"],
        "department": form.department,
        "definition": definition,
        "by": user,
    }
    return authoring.create(**said) if segment is None else authoring.change(segment=segment, seen=seen, **said)
