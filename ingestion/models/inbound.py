"""What arrived, until the digest has made profiles of it; what could not be used; what must not be taken again."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from ingestion.models.corrections import Replay
from ingestion.models.files import FileImport
from ingestion.models.source import Source
from ingestion.querysets import InboundBatchQuerySet, QuarantinedItemQuerySet


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
        WEBHOOK = "webhook", _("webhook")

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
            # the digest's claim: waiting ones, withdrawals first, the oldest of each source in turn
            models.Index(fields=["lane", "source", "id"], name="inbound_waiting", condition=models.Q(status="waiting")),
            # the account of one source over a period, what came last, what is to be rolled up
            models.Index(fields=["source", "received_at"], name="inbound_of_source"),
            # progress of one import
            models.Index(
                fields=["file_import"], name="inbound_of_import", condition=models.Q(file_import__isnull=False)
            ),
        ]


class QuarantinedItem(models.Model):
    """One row: a message that cannot be used, with the reason. Written by the digest; what it says goes when a steward
    discards it, some time after a replay, or when an erasure finds its subject in it."""

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "payload": PERSONAL,
        "subject_keys": PSEUDONYMOUS,
        "detail": PERSONAL,
    }

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        DISCARDED = "discarded", _("discarded")
        REPLAYED = "replayed", _("replayed")

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    batch_id = models.BigIntegerField()
    position = models.BigIntegerField()  # index in the batch from 0, or line number of the file
    file_import = models.ForeignKey(FileImport, null=True, on_delete=models.SET_NULL)
    reason = models.CharField(max_length=40)  # a code of ingestion.messages.Reason, or of the digest's
    detail = models.CharField(max_length=300, blank=True)  # where in the message and what was expected
    event = models.CharField(max_length=100, blank=True)  # of the message, as far as it can be told
    field = models.CharField(max_length=120, blank=True)  # the field that `detail` speaks of
    payload = models.BinaryField(null=True)  # the message as it came (sealed); removed when discarded
    subject_keys = ArrayField(models.BinaryField(), default=list)  # keyed hashes of identifiers found in it
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    replay = models.ForeignKey(Replay, null=True, on_delete=models.SET_NULL, db_index=False)  # quarantine_of_replay
    replayed_as = models.BigIntegerField(null=True)  # id of the batch that it was landed in again
    was_seen = models.BooleanField(default=False)  # the message had been stored before the replay, by another arrival

    objects = QuarantinedItemQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # the list by reason, and its samples
            models.Index(
                fields=["source", "reason", "-id"], name="quarantine_by_reason", condition=models.Q(status="open")
            ),
            # whether a batch's row is still needed: to take a message out of it, to bring one back into it
            models.Index(
                fields=["batch_id"], name="quarantine_of_batch", condition=models.Q(status__in=["open", "replayed"])
            ),
            models.Index(fields=["replayed_as"], name="quarantine_replayed_as", condition=models.Q(status="replayed")),
            # what a replay took out, for its undoing
            models.Index(
                fields=["replay", "id"], name="quarantine_of_replay", condition=models.Q(replay__isnull=False)
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
