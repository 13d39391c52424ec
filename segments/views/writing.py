"""The builder: one form over the definition's JSON, drawn anew by the server when a choice opens others."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from cdp_site.core.access import Permission, requires, scope_of
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from cdp_site.core.models import User
from segments import audience, authoring, catalogue, presenting
from segments.builder import draft
from segments.builder.review import Review, review
from segments.builder.rows import Painter, Row
from segments.forms import SegmentForm
from segments.models import Segment
from segments.views.fetch import reader, visible_segment

PAGE, BUILDER, DEFINITION = "segments/builder.html", "segments/_builder.html", "segments/_definition.html"
CHANGED = "definition:changed"


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """A new segment."""
    user = reader(request)
    if request.method == "POST":
        return _save(request, user, None)
    return render(request, PAGE, _context(user, SegmentForm(author=user), draft.blank(), None))


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, segment_id: UUID) -> HttpResponse:
    """A segment again."""
    user = reader(request)
    segment = visible_segment(request, segment_id)
    if request.method == "POST":
        return _save(request, user, segment)
    form = SegmentForm(author=user, segment=segment, initial=SegmentForm.initial_of(segment))
    return render(request, PAGE, _context(user, form, segment.definition, segment))


def _save(request: HttpRequest, user: User, segment: Segment | None) -> HttpResponse:
    form = SegmentForm(request.POST, author=user, segment=segment)
    context = _context(user, form, draft.read(request.POST.items()), segment, is_saving=True)
    if form.is_valid() and not context["review"].problems:
        try:
            saved = _write(form, draft.finished(context["written"]), user, segment)
        except authoring.NameTakenProblem as problem:
            form.add_error("name", f"{problem.message} {problem.hint}")
        else:
            url = resolve_url("segments:segment", saved.pk)
            return HttpResponseClientRedirect(url) if wants_fragment(request) else redirect(url)
    response = render_page_or_fragment(request, PAGE, BUILDER, context, status=422)
    return trigger_client_event(response, CHANGED, after="settle")


def _write(form: SegmentForm, definition: dict[str, Any], user: User, segment: Segment | None) -> Segment:
    said = {
        "name": form.cleaned_data["name"],
        "description": form.cleaned_data["description"],
        "department": form.department,
        "definition": definition,
        "by": user,
    }
    return authoring.create(**said) if segment is None else authoring.change(segment=segment, **said)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def show_draft(request: HttpRequest) -> HttpResponse:
    """The form after a choice or a button: with the controls that follow from it."""
    user = reader(request)
    segment = _segment_of(request)
    written = draft.read(request.POST.items())
    place = draft.act(written, request.POST.get("action", ""))
    form = SegmentForm(author=user, segment=segment, initial=request.POST.dict())
    context = _context(user, form, written, segment)
    if place is not None:
        context["focus"] = _focus(context["row"], place)
    response = render_page_or_fragment(request, PAGE, DEFINITION, context)
    return trigger_client_event(response, CHANGED, after="settle")


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def show_summary(request: HttpRequest) -> HttpResponse:
    """What the draft says and how many people it means, beside the form."""
    user = reader(request)
    context = _context(user, None, draft.read(request.POST.items()), _segment_of(request))
    definition = context["review"].definition
    if definition is not None:
        context["sentence"] = presenting.sentence(definition, context["fields"])
        context["size"] = presenting.size(audience.Question.of(definition, scope_of(user)))
    return render(request, "segments/_summary.html", context)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_GET
def list_values(request: HttpRequest) -> HttpResponse:
    """Options of a datalist: what most people have in an attribute or a property."""
    scope = scope_of(reader(request))
    event, name = request.GET.get("event", ""), request.GET.get("property", "")
    if event:
        values = catalogue.common_properties(event, name, scope)
    else:
        values = catalogue.common_attributes(request.GET.get("trait", ""), scope)
    return render(request, "segments/_values.html", {"values": values})


def _segment_of(request: HttpRequest) -> Segment | None:
    try:
        segment_id = UUID(request.GET.get("segment", ""))
    except ValueError:
        return None
    return visible_segment(request, segment_id)


def _context(
    user: User, form: SegmentForm | None, written: dict[str, Any], segment: Segment | None, *, is_saving: bool = False
) -> dict[str, Any]:
    """What the builder shows. Open points are told only when somebody saves: until then they are still writing."""
    fields = catalogue.fields_of(scope_of(user), written, kept=segment.definition if segment else None)
    fitted = draft.fit(written, fields)
    found: Review = review(fitted, fields)
    told = found.problems if is_saving else found.wrong
    row = Painter(fields, catalogue.words(), told).rows(fitted)
    of_segment = f"?segment={segment.pk}" if segment else ""
    return {
        "segment": segment,
        "draft_url": reverse("segments:draft") + of_segment,
        "summary_url": reverse("segments:summary") + of_segment,
        "form": form,
        "written": fitted,
        "fields": fields,
        "review": found,
        "told": told,
        "row": row,
        "is_saving": is_saving,
    }


def _focus(root: Row, place: str) -> str:
    """Id of the element at a place: the first control below it, else the group whose members it lists."""
    for row in root.flat():
        for line in row.lines:
            for control in line.controls:
                if control.kind != "word" and (control.name == place or control.name.startswith(f"{place}/")):
                    return control.id
        if row.mode is not None and row.place == place:
            return row.mode.id
    above = place.rsplit("/", 1)[0]
    return next((row.id for row in root.flat() if row.place in {place, above}), root.id)
