"""Each edit in the builder: the form is drawn anew by the server, and kept as a step of a draft."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_htmx.http import replace_url, trigger_client_event

from cdp_site.core.access import Permission, requires
from cdp_site.core.htmx import render_page_or_fragment, wants_fragment
from cdp_site.core.models import User
from segments import authoring
from segments.builder import actions, beginnings, draft, keeping
from segments.builder.page import Sheet
from segments.forms import SegmentForm
from segments.models import Segment, SegmentDraft
from segments.views.fetch import changeable_segment, reader

PAGE, BUILDER, DEFINITION = "segments/builder.html", "segments/_builder.html", "segments/_definition.html"
CHANGED = "definition:changed"
DRAFTS_SHOWN = 5
_STEPS = {"undo": keeping.undo, "redo": keeping.redo}


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def show_draft(request: HttpRequest) -> HttpResponse:
    """The form after a choice or a button: with the controls that follow from it. The edit is kept."""
    user = reader(request)
    segment, begun, action = segment_of(request), draft_of(request), request.POST.get("action", "")
    form = SegmentForm(author=user, segment=segment, initial=request.POST.dict())
    others = _written_meanwhile(request, begun)
    if action in _STEPS and begun is not None:
        moved = _STEPS[action](draft=begun, by=user)
        sheet, place = Sheet(keeping.definition_of(moved), user, segment), ""
        kept: SegmentDraft | None = moved
    else:
        written = draft.read(request.POST.items())
        place = actions.act(written, action) or ""
        sheet = Sheet(written, user, segment)
        kept = _keep(request, sheet, begun, form)
    context = context_of(sheet, form, kept, seen=request.POST.get("seen"))
    context |= {"others": others, "start": _start(request), "is_behind": _is_behind(request, segment)}
    if place:
        context["focus"] = sheet.focus(place)
    response = trigger_client_event(
        render_page_or_fragment(request, PAGE, DEFINITION, context), CHANGED, after="settle"
    )
    if kept is not None and begun is None and wants_fragment(request):
        replace_url(response, resolve_url("segments:open_draft", kept.pk))
    return response


def _keep(request: HttpRequest, sheet: Sheet, begun: SegmentDraft | None, form: SegmentForm) -> SegmentDraft | None:
    """The edit as a step of the draft; a first one begins it, at what the page began with."""
    said = {name: draft.storable(request.POST[name]) for name in form.fields if name in request.POST}
    if begun is None:
        start = _start(request)
        base = sheet.kept.definition if sheet.kept else start.definition if start else draft.blank()
        before = Sheet(base, sheet.user, sheet.kept).fitted
        if before == sheet.fitted:
            return None
        behind = _is_behind(request, sheet.kept)
        begun = keeping.begin(segment=sheet.kept, definition=before, said=said, by=sheet.user, is_behind=behind)
    return keeping.keep(draft=begun, definition=sheet.fitted, said=said, by=sheet.user)


def _start(request: HttpRequest) -> beginnings.Beginning | None:
    return beginnings.of_key(request.POST.get("start", ""))


def _is_behind(request: HttpRequest, segment: Segment | None) -> bool:
    """Whether somebody has saved the segment since the page was opened."""
    seen = request.POST.get("seen")
    return segment is not None and seen is not None and seen != authoring.edition(segment)


def _written_meanwhile(request: HttpRequest, begun: SegmentDraft | None) -> User | None:
    """Who has written in the draft since the page was drawn, the user in another tab as well. What is posted now stands
    on top of it."""
    if begun is None or request.POST.get("step", "") == str(begun.position):
        return None
    return keeping.last_writer(begun)


@requires(Permission.VIEW_SEGMENTS, Permission.BUILD_SEGMENTS)
@require_POST
def discard_draft(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """The author lets go of what they have begun to write."""
    user = reader(request)
    found: SegmentDraft | None = SegmentDraft.objects.visible_to(user).written_by(user).filter(pk=draft_id).first()
    if found is None:
        raise Http404
    keeping.discard(draft=found, by=user)
    messages.success(request, _("The draft was discarded."))
    if found.segment_id:
        return redirect("segments:change", found.segment_id)
    return redirect("segments:create")


# ── what the pages and their fragments share ─────────────────────────────────────────────────────────────────────────


def segment_of(request: HttpRequest) -> Segment | None:
    """The segment that is being written again, from the address of a fragment. Raises Http404."""
    try:
        segment_id = UUID(request.GET.get("segment", ""))
    except ValueError:
        return None
    return changeable_segment(request, segment_id)


def draft_of(request: HttpRequest) -> SegmentDraft | None:
    """The draft that the form belongs to. One that a colleague has saved or discarded meanwhile is begun anew."""
    try:
        draft_id = UUID(request.POST.get("draft", ""))
    except ValueError:
        return None
    found: SegmentDraft | None = SegmentDraft.objects.visible_to(reader(request)).filter(pk=draft_id).first()
    return found


def drafts_beside(user: User, segment: Segment | None, shown: SegmentDraft | None) -> Sequence[SegmentDraft]:
    """The other unsaved drafts of the segment, or of new ones."""
    found = SegmentDraft.objects.visible_to(user).of_segment(segment).newest_first()
    return [one for one in found[: DRAFTS_SHOWN + 1] if one != shown][:DRAFTS_SHOWN]


def context_of(
    sheet: Sheet, form: SegmentForm | None, begun: SegmentDraft | None, *, seen: str | None = None
) -> dict[str, Any]:
    """What the templates of the builder read. `seen`: the edition of the segment that the page was opened with; None:
    the one that stands."""
    segment = sheet.kept
    of_segment = f"?segment={segment.pk}" if segment else ""
    urls = {
        f"{name}_url": reverse(f"segments:{name}") + of_segment
        for name in ("draft", "summary", "exact", "reach", "sample")
    }
    return urls | {
        "segment": segment,
        "seen": authoring.edition(segment) if segment and seen is None else seen or "",
        "form": form,
        "sheet": sheet,
        "row": sheet.row,
        "told": sheet.told,
        "is_saving": sheet.is_saving,
        "draft": begun,
        "can_undo": begun is not None and keeping.can_undo(begun),
        "can_redo": begun is not None and keeping.can_redo(begun),
        "is_overtaken": _is_overtaken(begun, segment),
    }


def _is_overtaken(begun: SegmentDraft | None, segment: Segment | None) -> bool:
    """Whether the segment has got a newer version than the one that the draft was begun from."""
    return begun is not None and segment is not None and begun.segment_version != segment.version
