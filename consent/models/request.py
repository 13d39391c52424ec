"""Requests of data subjects and the erasures that carry them out."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from consent.querysets import DataSubjectRequestQuerySet


class DataSubjectRequest(models.Model):
    """One row: what a customer asked of us under the law, from intake to its end. Written by compliance staff; the
    row stays as proof, without the person: `note` and `subject` are emptied when an erasure completes."""

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "subject": PSEUDONYMOUS,
        "note": PERSONAL,
        "work": PSEUDONYMOUS,
    }

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

    class IdentityCheck(models.TextChoices):
        """How we know that it was the person who asked (PDPA s.30; GDPR Art. 12(6)). What was seen is not kept."""

        IN_PERSON = "in_person", _("Came in person and showed a document")
        KNOWN_CHANNEL = "known_channel", _("Answered on a phone number or e-mail address that we already had")
        DOCUMENT_SEEN = "document_seen", _("Sent a document, which was looked at and not kept")
        REPRESENTATIVE = "representative", _("A representative with a written authority")
        SYSTEM = "system", _("Asked through a system that knows the customer's account")

    class Refusal(models.TextChoices):
        """Grounds on which an erasure may be refused; each refusal is recorded (PDPA s.39)."""

        NOT_IDENTIFIED = "not_identified", _("The person could not be identified")
        LEGAL_CLAIM = "legal_claim", _("Needed for a legal claim (PDPA s.33)")
        LEGAL_OBLIGATION = "legal_obligation", _("Needed to comply with a law (PDPA s.33)")
        UNFOUNDED = "unfounded", _("Repeated or without ground (PDPA s.30)")
        WITHDRAWN = "withdrawn", _("The person took the request back")
        COVERED = "covered", _("Done together with another request")

    # Work remains to be done, and the person's data is not used meanwhile.
    OPEN: ClassVar = (Status.RECEIVED, Status.APPROVED, Status.RUNNING, Status.PARTIAL)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.ERASURE)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    subject = models.UUIDField(null=True)  # Profile.public_id
    received_at = models.DateTimeField()  # when the person asked: the legal clock
    due_at = models.DateTimeField()  # PDPA s.33 and the PDPC notice of 2024: 90 days
    identity_checked = models.CharField(max_length=20, choices=IdentityCheck.choices)
    note = models.CharField(max_length=500, blank=True)
    refusal_reason = models.CharField(max_length=40, blank=True, choices=Refusal.choices)  # also of a cancellation
    # Null: a system of the company passed it on (`consent.forwarded`).
    requested_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)  # the job that runs it; a dead job's erasure is taken up again
    work = models.BinaryField(null=True)  # ids of the subject while it runs, sealed; emptied at the end
    certificate = models.JSONField(null=True)  # counts per store, kept and ground; no personal data

    objects = DataSubjectRequestQuerySet.as_manager()

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
        indexes: ClassVar = [
            models.Index(fields=["status", "due_at"], name="request_queue"),  # the queue; abandoned work
            # whether a customer may be used: the gate
            models.Index(fields=["subject"], name="request_of_subject", condition=models.Q(subject__isnull=False)),
        ]

    @property
    def reference(self) -> str:
        """What people call it by: the random tail of the id."""
        return self.id.hex[-8:].upper()

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


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
