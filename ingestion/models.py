"""Sources and what arrives from them, until the digest has made profiles of it.

Ingestion knows nothing of people: it hands batches over by table state and profiles claim them.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import Department, User
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from ingestion.querysets import FileImportQuerySet, InboundBatchQuerySet, QuarantinedItemQuerySet, SourceQuerySet


class Source(models.Model):
    """One row: a system of the company that sends data. Written in the admin or by `create_source`; deactivated
    rather than deleted, since records keep pointing to it."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Kind(models.TextChoices):
        SHOP = "shop", _("web shop")
        APP = "app", _("mobile app")
        POS = "pos", _("point of sale")
        CALL_CENTRE = "call_centre", _("call centre")
        LINE = "line", _("LINE")
        CRM = "crm", _("CRM")
        OTHER = "other", _("other")
        INTERNAL = "internal", _("this platform")  # agents' edits, exports

    slug = models.SlugField(_("short name"), unique=True)  # also the namespace of its ids
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices, default=Kind.OTHER)
    department = models.ForeignKey(
        Department,
        verbose_name=_("department"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        help_text=_("Empty: every department sees it."),
    )
    trust_rank = models.PositiveSmallIntegerField(
        _("trust rank"), default=50, help_text=_("1 is trusted most; the golden record prefers the lower number.")
    )
    phone_region = models.CharField(_("phone region"), max_length=2, default="TH")
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SourceQuerySet.as_manager()

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class WriteKey(models.Model):
    """One row: a key that lets a system write to a source. Shown once when made; only prefix and hash are kept.

    Written by `keys.make`; a revoked one stays as the record of who could write when."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="write_keys")
    prefix = models.CharField(max_length=12)
    secret_hash = models.BinaryField(max_length=32, unique=True)  # SHA-256: the key itself has 256 random bits
    is_public = models.BooleanField(default=False)  # sits in a browser: may add behaviour, never join people
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)


class FieldMapping(models.Model):
    """One row: a version of how a file's columns become a message. Written on the mapping screen; a changed mapping
    is a new version. Presets ship as files in ingestion/files/presets."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    name = models.SlugField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    source = models.ForeignKey(Source, null=True, blank=True, on_delete=models.CASCADE)
    definition = models.JSONField()  # see ingestion/files/mapping.py; carries its own version number
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["name", "version"], name="mapping_name_version")]


class FileImport(models.Model):
    """One row: one uploaded file on its way in. Written by the upload, moved on by its job; the file itself lies
    encrypted in the import store and goes after IMPORT_FILE_DAYS, the row stays as the record of what happened."""

    # The file's content is personal. Its name is chosen by staff; screens show it to those who see identifiers.
    # Where a file has no header and was taken to have one, its first row stands in `columns`: both go with the file.
    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "stored_as": PERSONAL, "columns": PERSONAL}

    class Status(models.TextChoices):
        UPLOADED = "uploaded", _("waiting for its mapping")
        READY = "ready", _("waiting to start")
        LANDING = "landing", _("reading")
        LANDED = "landed", _("read")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    mapping = models.ForeignKey(FieldMapping, null=True, on_delete=models.PROTECT)
    operation_id = models.UUIDField(null=True)
    file_name = models.CharField(max_length=200)
    size = models.BigIntegerField()  # bytes
    sha256 = models.BinaryField(max_length=32)
    stored_as = models.CharField(max_length=80, blank=True)  # name in the import store; empty once removed
    format = models.CharField(max_length=10)  # csv, jsonl
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=2, blank=True)
    has_header = models.BooleanField(default=True)  # csv: the first row names the columns
    columns = models.JSONField(default=list)  # names by which a mapping calls them; paths for jsonl
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.UPLOADED)
    problem = models.CharField(max_length=40, blank=True)  # a code of files.codes.FileCode
    problem_line = models.BigIntegerField(null=True)
    offset = models.BigIntegerField(default=0)  # bytes of the file behind the last committed row
    line = models.BigIntegerField(default=0)  # physical lines up to there
    rows_read = models.BigIntegerField(default=0)
    rows_broken = models.BigIntegerField(default=0)
    broken_rows = models.JSONField(default=list)  # first 1,000: {"line", "code", "column"?}; never the row itself
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)  # the job that holds it; a dead job's import is taken up again
    attempts = models.PositiveSmallIntegerField(default=0)  # jobs that took it up since it last got on

    objects = FileImportQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            # the watchdog's look for imports that nobody holds
            models.Index(
                fields=["lease_until"],
                name="file_import_running",
                condition=models.Q(status__in=["ready", "landing"]),
            )
        ]

    @property
    def is_finished(self) -> bool:
        """Nothing will change any more; the digest may still be at work on what was landed."""
        return self.status in (self.Status.LANDED, self.Status.FAILED, self.Status.CANCELLED)


class InboundBatch(models.Model):
    """One row: what one request or one chunk of a file brought, as a JSON array of messages.

    Written by `landing.land`; claimed and tallied by the digest, which empties `raw` in the transaction that stores
    its items. The row stays as the account of its source:
    n_items = n_stored + n_duplicate + n_quarantined + n_suppressed once digested, all waiting before.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "raw": PERSONAL}

    class Lane(models.IntegerChoices):
        WITHDRAWAL = 0, _("withdrawals of consent")  # always first
        LIVE = 1, _("live")
        BULK = 2, _("bulk")

    class Door(models.TextChoices):
        API = "api", _("event API")
        FILE = "file", _("file import")
        SCREEN = "screen", _("screen")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DIGESTED = "digested", _("digested")

    id = models.BigAutoField(primary_key=True)
    received_at = models.DateTimeField()  # ours
    sent_at = models.DateTimeField(null=True)  # the client's, of the envelope; a message's own sentAt wins
    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False)  # inbound_of_source
    door = models.CharField(max_length=8, choices=Door.choices)
    lane = models.PositiveSmallIntegerField(choices=Lane.choices, default=Lane.LIVE)
    is_public_key = models.BooleanField(default=False)
    file_import = models.ForeignKey(FileImport, null=True, on_delete=models.SET_NULL, db_index=False)
    operation_id = models.UUIDField(null=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    n_items = models.IntegerField()
    n_stored = models.IntegerField(default=0)
    n_duplicate = models.IntegerField(default=0)
    n_quarantined = models.IntegerField(default=0)
    n_suppressed = models.IntegerField(default=0)
    processed_at = models.DateTimeField(null=True)
    raw = models.BinaryField(null=True)

    objects = InboundBatchQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="inbound_batch_equation",
                condition=models.Q(
                    status="waiting", n_stored=0, n_duplicate=0, n_quarantined=0, n_suppressed=0, raw__isnull=False
                )
                | models.Q(
                    status="digested",
                    raw__isnull=True,
                    n_items=models.F("n_stored")
                    + models.F("n_duplicate")
                    + models.F("n_quarantined")
                    + models.F("n_suppressed"),
                ),
            )
        ]
        indexes: ClassVar = [
            # the digest's claim: waiting ones, withdrawals first, oldest first
            models.Index(fields=["lane", "id"], name="inbound_waiting", condition=models.Q(status="waiting")),
            # the equation of one source
            models.Index(fields=["source", "status"], name="inbound_of_source"),
            # progress of one import
            models.Index(
                fields=["file_import"], name="inbound_of_import", condition=models.Q(file_import__isnull=False)
            ),
        ]


class QuarantinedItem(models.Model):
    """One row: a message that cannot be used, with the reason. Written by the digest; goes when a steward discards it
    or erasure finds its subject in it."""

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "payload": PERSONAL,
        "subject_keys": PSEUDONYMOUS,
        "detail": PERSONAL,
    }

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        DISCARDED = "discarded", _("discarded")

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    batch_id = models.BigIntegerField()
    position = models.BigIntegerField()  # index in the batch from 0, or line number of the file
    file_import = models.ForeignKey(FileImport, null=True, on_delete=models.SET_NULL)
    reason = models.CharField(max_length=40)  # a code of ingestion.messages.Reason, or of the digest's
    detail = models.CharField(max_length=300, blank=True)  # where in the message and what was expected
    payload = models.BinaryField(null=True)  # the message as it came (sealed); removed when discarded
    subject_keys = ArrayField(models.BinaryField(), default=list)  # keyed hashes of identifiers found in it
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)

    objects = QuarantinedItemQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # the list by reason, and its samples
            models.Index(
                fields=["source", "reason", "-id"], name="quarantine_by_reason", condition=models.Q(status="open")
            ),
            # what an erasure has to remove
            GinIndex(fields=["subject_keys"], name="quarantine_by_subject"),
        ]


class SeenMessage(models.Model):
    """One row: tombstone of a message whose row is not a touchpoint (any more), so that it is never taken twice.

    `key` is the keyed hash of source and messageId (ingestion.landing.message_key). Kept for ever."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": PSEUDONYMOUS}

    key = models.UUIDField(primary_key=True)


class SuppressedIdentifier(models.Model):
    """One row: keyed hash of an identifier of an erased person. Written by step 0 of an erasure; kept for ever; a
    return by the person's own act sets `released_at`. See ingestion/suppression.py for what is a hit."""

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "key": PSEUDONYMOUS,
        "name_keys": PSEUDONYMOUS,
        "request_id": PSEUDONYMOUS,
    }

    id = models.BigAutoField(primary_key=True)
    key = models.BinaryField(max_length=32)  # hashing.identifier_key
    key_id = models.CharField(max_length=20)
    kind = models.CharField(max_length=20)  # record, user, member, …, email, phone, device
    needs_name = models.BooleanField()  # a phone, or shared by several people: no hit without a name as well
    name_keys = ArrayField(models.BinaryField(), default=list)  # keyed hashes of the person's names
    erased_at = models.DateTimeField()  # what happened up to then stays out for ever
    request_id = models.UUIDField()
    released_at = models.DateTimeField(null=True)  # source's clock of the act by which the person came back

    class Meta:
        constraints: ClassVar = [
            # each arriving identifier; and a step 0 that runs again adds nothing
            models.UniqueConstraint(fields=["key", "request_id"], name="suppressed_once_by_request"),
        ]
