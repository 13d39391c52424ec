"""Requests of data subjects and the erasures that carry them out."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification


class DataSubjectRequest(models.Model):
    """One row: what a customer asked of us under the law, from intake to its end. Written by compliance staff; the
    row stays as proof, without the person: `note` and `subject` are emptied when an erasure completes."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "subject": PSEUDONYMOUS, "note": PERSONAL}

    class Kind(models.TextChoices):
        ERASURE = "erasure", _("erasure")

    class Status(models.TextChoices):
        RECEIVED = "received", _("received")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")
        RUNNING = "running", _("running")
        PARTIAL = "partial", _("stopped half-way")
        COMPLETED = "completed", _("completed")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.ERASURE)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    subject = models.UUIDField(null=True)  # Profile.public_id
    received_at = models.DateTimeField()  # when the person asked: the legal clock
    due_at = models.DateTimeField()  # PDPA s.33 and the PDPC notice of 2024: 90 days
    identity_checked = models.CharField(max_length=20, blank=True)  # code: in_person, known_channel, document_seen
    note = models.CharField(max_length=500, blank=True)
    refusal_reason = models.CharField(max_length=40, blank=True)  # code with its ground
    requested_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)  # the job that runs it; a dead job's erasure is taken up again
    work = models.JSONField(null=True)  # ids of the subject while it runs, sealed; emptied at the end
    certificate = models.JSONField(null=True)  # counts per store, kept and ground; no personal data

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="request_approved_by_another",
                condition=models.Q(approved_by__isnull=True) | ~models.Q(approved_by=models.F("requested_by")),
            ),
            models.UniqueConstraint(
                fields=["subject", "kind"],
                name="request_open_once",
                condition=models.Q(status__in=["received", "approved", "running", "partial"]),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["status", "due_at"], name="request_queue")]


class ErasureStep(models.Model):
    """One row: one holder's part of an erasure. Written by the erasure, in the transaction of the deletion itself."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    request = models.ForeignKey(DataSubjectRequest, on_delete=models.CASCADE, related_name="steps")
    ordinal = models.PositiveSmallIntegerField()  # 0 is suppression and hiding
    holder = models.CharField(max_length=60)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True)  # kind of the error, never its values
    outcome = models.JSONField(default=dict)  # table → rows erased, anonymised, kept with ground
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["ordinal"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "holder"], name="erasure_step_once"),
        ]
