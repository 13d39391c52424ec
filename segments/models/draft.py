"""Segments that somebody is writing, step by step."""

from typing import ClassVar

from django.db import models

from cdp_site.core.ids import uuid7
from cdp_site.core.models import Department, User
from cdp_site.core.personal_data import NONE, Classification
from segments.models.segment import Segment
from segments.querysets_drafts import SegmentDraftQuerySet


class SegmentDraft(models.Model):
    """One row: a segment, or the next version of one, that is being written. Its address can be given to colleagues of
    the department. Written by `segments.builder.keeping` with each edit; goes when it is saved, discarded or old."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    segment = models.ForeignKey(Segment, null=True, on_delete=models.CASCADE, related_name="drafts")
    segment_version = models.PositiveIntegerField(null=True)  # of the segment, when the draft was begun
    department = models.ForeignKey(Department, null=True, on_delete=models.PROTECT)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    said = models.JSONField(default=dict)  # the fields of SegmentForm as they were posted
    position = models.PositiveIntegerField(default=0)  # the step that is shown; later ones can be done again
    changed_at = models.DateTimeField(auto_now=True, db_index=True)  # the chore that forgets old ones

    objects = SegmentDraftQuerySet.as_manager()

    @property
    def name(self) -> str:
        return str(self.said.get("name", "")).strip()


class DraftStep(models.Model):
    """One row: the definition after one edit of a draft; immutable. Steps behind the draft's position are those that
    were undone: the next edit removes them."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    draft = models.ForeignKey(SegmentDraft, on_delete=models.CASCADE, db_index=False, related_name="steps")
    number = models.PositiveIntegerField()
    definition = models.JSONField()  # may have gaps: what is not written yet
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["draft", "number"], name="draft_step_once")]
