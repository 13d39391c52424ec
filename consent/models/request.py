"""Requests of data subjects and the erasures that carry them out."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text
from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from consent.querysets import DataSubjectRequestQuerySet


class DataSubjectRequest(models.Model):
    """One row: what a customer asked of us under the law, from intake to its end. Written by `consent.requests`; the
    row stays as proof, without the person: what names them is emptied when an erasure completes."""

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "subject": PSEUDONYMOUS,
        "note": PERSONAL,
        "contact": PERSONAL,
        "changes": PERSONAL,
        "proof_seen": PERSONAL,
        "work": PSEUDONYMOUS,
    }

    class Kind(models.TextChoices):
        """Rights of PDPA s.19 and s.30 to s.36, GDPR Art. 7 and 15 to 21."""

        ERASURE = "erasure", _("erasure")
        ACCESS = "access", _("access")
        PORTABILITY = "portability", _("portability")
        RECTIFICATION = "rectification", _("rectification")
        OBJECTION = "objection", _("objection")
        RESTRICTION = "restriction", _("restriction of use")
        WITHDRAWAL = "withdrawal", _("withdrawal of consent")

    class Status(models.TextChoices):
        """Which follows which: `consent.requests.machine`."""

        RECEIVED = "received", _("received")
        IDENTIFYING = "identifying", _("identity check")
        APPROVED = "approved", _("approved")
        COOLING = "cooling", _("cooling-off")
        REFUSED = "refused", _("refused")
        RUNNING = "running", _("running")
        PARTIAL = "partial", _("stopped half-way")
        COMPLETED = "completed", _("completed")
        CLOSED = "closed", _("closed")
        CANCELLED = "cancelled", _("cancelled")

    class IdentityCheck(models.TextChoices):
        """How we know that it was the person who asked (PDPA s.30; GDPR Art. 12(6)). What was seen is not kept."""

        CODE = "code", _("Gave back a one-time code that was sent to an address known for long enough")
        IN_PERSON = "in_person", _("Came in person and showed a document")
        POSTAL = "postal", _("Wrote by post with the copy of a document, which was looked at and not kept")
        KNOWN_CHANNEL = "known_channel", _("Answered on a phone number or e-mail address that we already had")
        DOCUMENT_SEEN = "document_seen", _("Sent a document, which was looked at and not kept")
        REPRESENTATIVE = "representative", _("A representative with a written authority")
        SYSTEM = "system", _("Asked through a system that knows the customer's account")
        RETENTION = "retention", _("Nobody asked: a rule of retention")

    class Refusal(models.TextChoices):
        """Grounds on which a request may be refused; each refusal is recorded (PDPA s.39)."""

        NOT_IDENTIFIED = "not_identified", _("The person could not be identified")
        NOT_KNOWN = "not_known", _("Nothing about the person is kept here")
        OTHERS = "others", _("It would harm the rights of other people (PDPA s.30)")
        COMPELLING = "compelling", _("Compelling grounds outweigh the objection (PDPA s.32)")
        LEGAL_CLAIM = "legal_claim", _("Needed for a legal claim (PDPA s.33)")
        LEGAL_OBLIGATION = "legal_obligation", _("Needed to comply with a law (PDPA s.33)")
        UNFOUNDED = "unfounded", _("Repeated or without ground (PDPA s.30)")
        WITHDRAWN = "withdrawn", _("The person took the request back")
        COVERED = "covered", _("Done together with another request")

    # Work remains to be done, and the person's data is not used meanwhile.
    OPEN: ClassVar = (
        Status.RECEIVED,
        Status.IDENTIFYING,
        Status.APPROVED,
        Status.COOLING,
        Status.RUNNING,
        Status.PARTIAL,
    )
    # From the first day on such a request keeps the data from being used, for its purposes or for all (`blocks`).
    BLOCKING: ClassVar = (Kind.ERASURE, Kind.RESTRICTION, Kind.OBJECTION, Kind.WITHDRAWAL)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.ERASURE)
    regime = models.CharField(max_length=12, default="pdpa")  # a key of consent/requests/regimes.json
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.RECEIVED)
    subject = models.UUIDField(null=True)  # Profile.public_id; null: nobody was found, or nobody is there any more
    purposes = ArrayField(models.BigIntegerField(), default=list)  # of which the request speaks; none: of all
    received_at = models.DateTimeField()  # when the person asked: the legal clock
    due_at = models.DateTimeField()  # by the regime, with its extension
    extended_at = models.DateTimeField(null=True)
    extension_reason = models.CharField(max_length=300, blank=True)  # told to the person; no names
    identity_checked = models.CharField(max_length=20, choices=IdentityCheck.choices, blank=True)  # "": not yet
    identified_at = models.DateTimeField(null=True)
    proof_seen = models.CharField(max_length=200, blank=True)  # which document was seen, of a representative as well
    note = models.CharField(max_length=500, blank=True)
    contact = models.BinaryField(null=True)  # sealed: what somebody wrote into the public form
    changes = models.BinaryField(null=True)  # sealed: trait → value that is to be put right
    refusal_reason = models.CharField(max_length=40, blank=True, choices=Refusal.choices)  # also of a cancellation
    explanation = models.CharField(max_length=500, blank=True)  # in the letter of refusal; no names
    # Null: a system of the company passed it on (`consent.forwarded`), or the person wrote it themselves.
    requested_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    approved_at = models.DateTimeField(null=True)
    runs_at = models.DateTimeField(null=True)  # when the cooling-off is over
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)  # the person was told
    lifted_at = models.DateTimeField(null=True)  # a restriction ended
    lease_until = models.DateTimeField(null=True)  # the job that runs it; a dead job's request is taken up again
    work = models.BinaryField(null=True)  # ids of the subject while it runs, sealed; emptied at the end
    outcome = models.JSONField(default=dict)  # what was done, in counts and names of fields
    certificate = models.JSONField(null=True)  # counts per store, kept and ground; no personal data
    # Whether the gate lets nothing through for the person (`purposes`) because of this request.
    blocks = models.GeneratedField(
        expression=models.Case(
            models.When(kind__in=BLOCKING, status__in=OPEN, then=models.Value(True)),
            models.When(
                kind=Kind.RESTRICTION,
                status__in=(Status.COMPLETED, Status.CLOSED),
                lifted_at__isnull=True,
                then=models.Value(True),
            ),
            default=models.Value(False),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )

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
                condition=models.Q(status__in=["received", "identifying", "approved", "cooling", "running", "partial"]),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "due_at"], name="request_queue"),  # the queue; abandoned work
            # whether a customer may be used: the gate
            models.Index(fields=["subject"], name="request_of_subject", condition=models.Q(subject__isnull=False)),
            models.Index(fields=["subject"], name="request_that_blocks", condition=models.Q(blocks=True)),
        ]

    @property
    def reference(self) -> str:
        """What people call it by: the random tail of the id."""
        return self.id.hex[-8:].upper()

    @property
    def recorded_by(self) -> Text:
        """Who it came through, for people."""
        if self.requested_by is not None:
            return self.requested_by.get_full_name() or self.requested_by.username
        by_system = self.identity_checked == self.IdentityCheck.SYSTEM
        return _("a system of the company") if by_system else _("the person, on the public page")

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN

    @property
    def is_identified(self) -> bool:
        return bool(self.identity_checked)

    def forget_person(self) -> None:
        """Empty what names the person; saves nothing."""
        self.subject, self.note, self.proof_seen = None, "", ""
        self.contact = self.changes = self.work = None


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
