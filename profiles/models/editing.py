"""What agents change on a customer's page, what they have begun to write, and who is looking just now."""

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from profiles.models.dispositions import Disposition
from profiles.models.profile import Profile, SourceRecord


class AgentEdit(models.Model):
    """One row: a member of staff changed traits that survive together. Hangs on the agent record that holds them, so it
    follows the person through merge and unmerge. Written by `profiles.editing`; deleted by erasure."""

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "record": PSEUDONYMOUS,
        "at": PERSONAL,
        "traits": PERSONAL,
        "before": PERSONAL,
    }

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, db_index=False, related_name="edits")
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()  # as in the record's attribute_times
    traits = models.JSONField()  # names of those that changed
    before = models.JSONField(encoder=DjangoJSONEncoder)  # profiles.editing.undoing.Before: what an undo brings back
    undone_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # what was changed since somebody opened the page
            models.Index(fields=["record", "at"], name="agent_edit_of_record"),
        ]


class NoteDraft(models.Model):
    """One row: what somebody has begun to write about a customer and not saved yet; the writer's own. Tied to the
    record by which the customer was called, so it follows the person. Goes when the note is saved."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "record": PSEUDONYMOUS, "at": PERSONAL, "text": PERSONAL}

    id = models.BigAutoField(primary_key=True)
    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="note_drafts")
    user = models.ForeignKey(User, on_delete=models.CASCADE, db_index=False, related_name="+")
    text = models.TextField(max_length=4000)
    disposition = models.CharField(max_length=12, choices=Disposition.choices, blank=True)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "record"], name="note_draft_once")]


class Presence(models.Model):
    """One row: somebody has a customer's page open. Written by the page every few seconds, gone soon after it stops."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "profile": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, db_index=False, related_name="presences")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()
    trait = models.CharField(max_length=80, blank=True)  # whose form is open

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["profile", "user"], name="presence_once")]
        indexes: ClassVar = [models.Index(fields=["seen_at"], name="presence_age")]
