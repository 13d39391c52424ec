"""Drafts on the server: each edit is a step, so that it can be undone, shared, and gone on with elsewhere."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any as Json
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from cdp_site.core import audit
from cdp_site.core.models import User
from segments.models import DraftStep, Segment, SegmentDraft

KEPT = timedelta(days=30)
"""How long a draft stays that nobody has touched."""
MOST_STEPS = 100
"""Steps back that are kept of one draft."""


@transaction.atomic
def begin(
    *, segment: Segment | None, definition: Json, said: Mapping[str, str], by: User, is_behind: bool = False
) -> SegmentDraft:
    """A new draft, at its first step: what it was begun from. `is_behind`: its author had an earlier version of the
    segment before them."""
    draft = SegmentDraft.objects.create(
        segment=segment,
        segment_version=segment.version - is_behind if segment else None,
        department=by.department,
        author=by,
        said=dict(said),
    )
    DraftStep.objects.create(draft=draft, number=0, definition=definition, by=by)
    audit.record(action="segment_draft.begin", target=draft, by=by)
    return draft


@transaction.atomic
def keep(*, draft: SegmentDraft, definition: Json, said: Mapping[str, str], by: User) -> SegmentDraft:
    """The draft with this definition as its newest step, if it is another one; what was undone is gone then."""
    kept = _held(draft.pk)
    kept.said = dict(said)
    if definition != definition_of(kept):
        kept.steps.filter(number__gt=kept.position).delete()
        kept.position += 1
        DraftStep.objects.create(draft=kept, number=kept.position, definition=definition, by=by)
        kept.steps.filter(number__lt=kept.position - MOST_STEPS).delete()
    kept.save()
    return kept


@transaction.atomic
def undo(*, draft: SegmentDraft, by: User) -> SegmentDraft:
    """One step back; where there is none, the draft as it is. `by` may be whoever sees the draft."""
    return _moved(draft, -1)


@transaction.atomic
def redo(*, draft: SegmentDraft, by: User) -> SegmentDraft:
    """The step that was undone last, again."""
    return _moved(draft, 1)


def _moved(draft: SegmentDraft, way: int) -> SegmentDraft:
    kept = _held(draft.pk)
    if kept.steps.filter(number=kept.position + way).exists():
        kept.position += way
        kept.save()
    return kept


def _held(draft_id: UUID) -> SegmentDraft:
    """The draft, locked: two edits come one after the other."""
    held: SegmentDraft = SegmentDraft.objects.select_for_update().get(pk=draft_id)
    return held


@transaction.atomic
def discard(*, draft: SegmentDraft, by: User) -> None:
    """The draft goes with all its steps; the segment that it was to become stays as it is."""
    audit.record(action="segment_draft.discard", target=draft, by=by)
    draft.delete()


@transaction.atomic
def finish(*, draft: SegmentDraft, by: User) -> None:
    """The draft goes, because it was saved as a segment by somebody: that is in the audit."""
    draft.delete()


def definition_of(draft: SegmentDraft) -> dict[str, Json]:
    """The definition at the step that the draft shows. One query."""
    found: dict[str, Json] = draft.steps.get(number=draft.position).definition
    return found


def can_undo(draft: SegmentDraft) -> bool:
    return bool(draft.steps.filter(number=draft.position - 1).exists()) if draft.position else False


def can_redo(draft: SegmentDraft) -> bool:
    return bool(draft.steps.filter(number=draft.position + 1).exists())


def last_writer(draft: SegmentDraft) -> User | None:
    """Who wrote the step that the draft shows."""
    step: DraftStep = draft.steps.select_related("by").get(number=draft.position)
    writer: User | None = step.by
    return writer


def forget_old() -> int:
    """The chore: drafts that nobody has touched for thirty days go. Returns how many."""
    gone, _by_model = SegmentDraft.objects.untouched_since(timezone.now() - KEPT).delete()
    return gone
