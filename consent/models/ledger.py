"""The consent ledger."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from consent.models.purpose import Channel, Purpose
from consent.querysets import ConsentEntryQuerySet
from ingestion.models import Source
from profiles.models import SourceRecord


class ConsentEntry(models.Model):
    """One row: a statement about consent by or for the person of a record. Append-only by trigger; only a running
    erasure step may delete. Owned by its record, so merge and unmerge need no rewriting.

    Written by `consent.ledger`: for the digest and for the consent screen. Current state is derived by the rules of
    `consent.states`. Goes with the person's erasure.
    """

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "record": PSEUDONYMOUS,
        "address": PERSONAL,
        "evidence": PERSONAL,
    }

    class State(models.TextChoices):
        GRANTED = "granted", _("granted")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Origin(models.TextChoices):
        EVENT = "event", _("own act of the person")
        BROWSER = "browser", _("web page, unconfirmed")  # by a public write key: never overrules a denial
        CELL = "cell", _("column of a file")
        SCREEN = "screen", _("told to a member of staff")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)  # of source and message when it came by one
    record = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, db_index=False)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT, db_index=False)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    address = models.CharField(max_length=254, blank=True)  # normalised; empty: every address of the record
    state = models.CharField(max_length=10, choices=State.choices)
    occurred_at = models.DateTimeField()  # never later than received_at
    received_at = models.DateTimeField()
    origin = models.CharField(max_length=8, choices=Origin.choices)
    basis = models.CharField(max_length=20, choices=Purpose.Basis.choices)
    notice_version = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=5, blank=True)
    evidence = models.JSONField(default=dict)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False)
    actor = models.CharField(max_length=60)
    by_guardian = models.BooleanField(
        default=False, db_default=False
    )  # a parent or guardian said it for a minor (PDPA s.20)
    # A grant by own act that overrules refusals of other records of the person up to this time; null: overrules none.
    supersedes_until = models.DateTimeField(null=True)
    operation_id = models.UUIDField(null=True)

    objects = ConsentEntryQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="consent_overruled_by_own_act",
                condition=models.Q(supersedes_until__isnull=True)
                | models.Q(
                    state="granted", origin__in=["event", "screen"], supersedes_until__lt=models.F("occurred_at")
                ),
            ),
            models.CheckConstraint(
                name="consent_not_in_the_future", condition=models.Q(occurred_at__lte=models.F("received_at"))
            ),
        ]
        indexes: ClassVar = [
            # state of one person or of many: latest per record, purpose, channel, address
            models.Index(fields=["record", "purpose", "channel", "address", "-occurred_at"], name="consent_latest"),
            # everybody with a statement on a purpose and channel: segments, exports
            models.Index(fields=["purpose", "channel", "record"], name="consent_by_purpose"),
        ]


class VoidEntry(models.Model):
    """One row: an entry has no effect any more, since the import that brought it was reverted. The entry itself stays:
    it was made. Written by `consent.reverting`; goes with its entry, or when its message is taken again."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "entry": PSEUDONYMOUS}

    entry = models.OneToOneField(ConsentEntry, primary_key=True, on_delete=models.CASCADE, related_name="void")
    operation_id = models.UUIDField()  # of the revert
    at = models.DateTimeField(auto_now_add=True)


class SecondedCell(models.Model):
    """One row: an import repeated what a column said by an entry of another import. Written by `consent.cells`, so
    that reverting the other one leaves what this one said; goes with its entry, or when that can no longer be
    reverted."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "entry": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(ConsentEntry, on_delete=models.CASCADE, db_index=False, related_name="seconded")
    operation_id = models.UUIDField(null=True)
    first_stated_at = models.DateTimeField()  # source's clock
    last_stated_at = models.DateTimeField()  # source's clock

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "operation_id"], name="seconded_cell_once", nulls_distinct=False)
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["operation_id"],
                name="seconded_cell_of_operation",
                condition=models.Q(operation_id__isnull=False),
            )
        ]


class RepeatedCell(models.Model):
    """One row: until when a column of a file has gone on saying what an entry says. Written by `consent.cells` in place
    of further entries, since an unchanged cell is no consent event; goes with its entry."""

    PERSONAL_DATA: ClassVar[Classification] = {"entry": PSEUDONYMOUS, "last_stated_at": NONE}

    entry = models.OneToOneField(ConsentEntry, primary_key=True, on_delete=models.CASCADE, related_name="repeated")
    last_stated_at = models.DateTimeField()  # source's clock
