"""How sources fare over time: what arrived by the hour, what was refused at the door, what retention removed."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.personal_data import NONE, Classification
from ingestion.health.querysets import (
    AccountQuerySet,
    FutureHourQuerySet,
    ImportAccountQuerySet,
    RejectedHourQuerySet,
    RemovedQuerySet,
)
from ingestion.models.files import FileImport
from ingestion.models.source import Source


class _Terms(models.Model):
    """The terms of the equation, in messages."""

    n_items = models.BigIntegerField(default=0)
    n_stored = models.BigIntegerField(default=0)
    n_duplicate = models.BigIntegerField(default=0)
    n_quarantined = models.BigIntegerField(default=0)
    n_suppressed = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


_ALL_DIGESTED = models.Q(
    n_items=models.F("n_stored") + models.F("n_duplicate") + models.F("n_quarantined") + models.F("n_suppressed")
)


class ReceivedHour(_Terms):
    """One row: the digested batches of a source that one hour brought by one door and whose rows are gone.

    Written by `health.rollup` in the transaction that deletes those rows, so that the account of a source is these
    rows and the batches, at every commit. Kept for ever: 24 small rows a day and door at most.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False)  # received_hour_once
    hour = models.DateTimeField()  # its beginning, in the company's time zone, so that days are whole hours
    door = models.CharField(max_length=20)  # InboundBatch.Door
    n_batches = models.IntegerField(default=0)
    last_received_at = models.DateTimeField()
    lag = ArrayField(models.BigIntegerField())  # messages by the bucket of `health.lag` that they took to be digested

    class Meta:
        constraints: ClassVar = [
            # one source's account, charts and rhythm
            models.UniqueConstraint(fields=["source", "hour", "door"], name="received_hour_once"),
            models.CheckConstraint(name="received_hour_equation", condition=_ALL_DIGESTED),
        ]


class ImportRollUp(_Terms):
    """One row: the digested batches of an import whose rows are gone. Written by `health.rollup` like ReceivedHour."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    file_import = models.OneToOneField(FileImport, primary_key=True, on_delete=models.CASCADE, related_name="rolled_up")

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(name="import_roll_up_equation", condition=_ALL_DIGESTED)]


class _AccountTerms(_Terms):
    n_waiting = models.BigIntegerField()

    class Meta:
        abstract = True


class AccountRow(_AccountTerms):
    """One row of the view that lays batches and roll-ups one after the other: a batch, or an hour of one door.

    One statement over it sees each message exactly once, whatever is rolled up meanwhile."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.BigIntegerField(primary_key=True)  # a batch's id; minus a roll-up's
    source = models.ForeignKey(Source, on_delete=models.DO_NOTHING)
    door = models.CharField(max_length=20)
    at = models.DateTimeField()  # a batch's receipt; the beginning of a roll-up's hour
    last_at = models.DateTimeField()
    n_batches = models.IntegerField()

    objects = AccountQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "ingestion_account"


class ImportAccountRow(_AccountTerms):
    """One row of the view of the batches of imports, and of what was rolled up of them."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.BigIntegerField(primary_key=True)  # a batch's id, or 0
    file_import = models.ForeignKey(FileImport, on_delete=models.DO_NOTHING)

    objects = ImportAccountQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "ingestion_importaccount"


class FutureHour(models.Model):
    """One row: messages of a source that one hour brought and that are dated far in the future (`clocks.FUTURE`).

    Written by the digest in the transaction that stores them; kept for ever."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False)  # future_hour_once
    hour = models.DateTimeField()  # beginning of the hour of receipt, UTC
    n = models.IntegerField()
    furthest = models.DurationField()  # ahead of our clock

    objects = FutureHourQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "hour"], name="future_hour_once")]


class RejectedHour(models.Model):
    """One row: requests that a door refused in one hour with one HTTP status, of a source when its key was known.

    Written by `health.rejections`, which sums up in memory first: a killed process loses some seconds of it. Nothing
    of these requests was kept or acknowledged, so they are no part of the equation. Goes after REJECTED_DAYS."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, null=True, on_delete=models.CASCADE, db_index=False)  # rejected_hour_once
    hour = models.DateTimeField()  # its beginning, UTC
    status = models.PositiveSmallIntegerField()  # of HTTP
    n = models.IntegerField()
    last_at = models.DateTimeField()

    objects = RejectedHourQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "hour", "status"], name="rejected_hour_once", nulls_distinct=False
            ),
        ]


class RetentionRule(models.Model):
    """One row: how long what came raw from a source is kept, in days; without a source, the company's default.

    Written on the settings page. An empty number means the company's; the company's row is there from its first
    change on, before that `health.retention.DEFAULTS` hold."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    _LIMITS: ClassVar = [MinValueValidator(1), MaxValueValidator(3_650)]

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, null=True, on_delete=models.CASCADE, db_index=False)  # retention_rule_once
    quarantine_days = models.PositiveSmallIntegerField(_("held-back messages"), null=True, validators=_LIMITS)
    file_days = models.PositiveSmallIntegerField(_("imported files"), null=True, validators=_LIMITS)
    batch_days = models.PositiveSmallIntegerField(_("list of received batches"), null=True, validators=_LIMITS)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source"], name="retention_rule_once", nulls_distinct=False),
        ]


class RemovedByRetention(models.Model):
    """One row: what retention removed of a source on one day. Written in the transaction of the removal; kept for
    ever: it is the line of the account that says what is not there any more."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Kind(models.TextChoices):
        QUARANTINE = "quarantine", _("held-back messages")
        FILE = "file", _("imported files")

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False)  # removed_once
    day = models.DateField()  # the company's
    kind = models.CharField(max_length=10, choices=Kind.choices)
    n = models.IntegerField()

    objects = RemovedQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "kind", "day"], name="removed_once")]
