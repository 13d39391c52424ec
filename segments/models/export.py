"""Lists that leave the product, and who is on them."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PSEUDONYMOUS, Classification
from consent.models import Channel, Purpose
from profiles.models import SourceRecord
from segments.models.segment import Segment
from segments.querysets_exports import ExportMemberQuerySet, SegmentExportQuerySet

KEPT: timedelta = timedelta(hours=24)
"""How long the file of a list lies sealed, to be fetched."""
MEASURED: timedelta = timedelta(days=14)
"""From the list on, for so long is watched what those on it and those held out do."""


class SegmentExport(models.Model):
    """One row: a list that leaves the product, on what ground and in what form. Asked for by a person, made by
    `segments.exports.job`. Its file is sealed, given to nobody but them, and goes after a day; the row stays."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting to start")
        RUNNING = "running", _("being made")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    class Format(models.TextChoices):
        CSV = "csv", _("CSV")
        XLSX = "xlsx", _("Excel workbook")
        GOOGLE = "google", _("Google Ads: customer list")
        META = "meta", _("Meta: custom audience")
        TIKTOK = "tiktok", _("TikTok: customer file")
        LINE_EMAIL = "line_email", _("LINE Ads: e-mail addresses")
        LINE_PHONE = "line_phone", _("LINE Ads: phone numbers")
        LINE_USERS = "line_users", _("LINE Official Account: user IDs")

    class Outcome(models.TextChoices):
        ORDERS = "orders", _("placed an order")
        VISITS = "visits", _("came by on the web or in the app")

    class Removal(models.TextChoices):
        EXPIRED = "expired", _("its 24 hours were over")
        ASKED = "asked", _("who asked for it removed it")
        WITHDRAWN = "withdrawn", _("somebody on it may no longer be written to")
        ERASED = "erased", _("somebody on it was erased")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    segment = models.ForeignKey(Segment, null=True, on_delete=models.SET_NULL, related_name="exports")
    segment_version = models.PositiveIntegerField()
    segment_name = models.CharField(max_length=120)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT)
    channel = models.CharField(max_length=10, choices=Channel.choices, blank=True)  # empty: of ad platforms by several
    format = models.CharField(max_length=10, choices=Format.choices, default=Format.CSV)
    columns = models.JSONField(default=list)  # names in their order (segments.exports.columns); of ad platforms none
    holdout_percent = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=6, choices=Outcome.choices, default=Outcome.ORDERS)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    at = models.DateTimeField(auto_now_add=True)  # when it was asked for

    # how far the job is
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    problem = models.CharField(max_length=30, blank=True)  # why it failed: segments.exports.problems
    attempts = models.PositiveSmallIntegerField(default=0)  # jobs that took it up since it last got on
    lease_until = models.DateTimeField(null=True)  # the job that holds it; a dead job's list is taken up again
    chosen_at = models.DateTimeField(null=True)  # the moment of which its members are
    sources = models.JSONField(default=list, null=True)  # whose data may be in the file, by their ids; null: anybody's
    parts = models.JSONField(default=list)  # sealed rows that are not one file yet (segments.exports.files)
    made_at = models.DateTimeField(null=True)  # ready: the file can be fetched, and the time that is measured begins

    # what came of it
    n_members = models.IntegerField(default=0)  # of the segment at that moment
    n_done = models.IntegerField(default=0)  # of these, put to the gate
    n_exported = models.IntegerField(default=0)
    n_held_out = models.IntegerField(default=0)
    n_left_out = models.JSONField(default=dict)  # reason → people
    stored_as = models.CharField(max_length=32, blank=True)  # empty: not there yet, or gone
    size = models.BigIntegerField(default=0)  # bytes
    removed_because = models.CharField(max_length=9, choices=Removal.choices, blank=True)
    n_fetched = models.PositiveIntegerField(default=0)

    objects = SegmentExportQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="export_holdout_share", condition=models.Q(holdout_percent__lte=50))
        ]
        indexes: ClassVar = [
            # the watchdog's look for lists that nobody holds
            models.Index(
                fields=["lease_until"], name="export_unfinished", condition=models.Q(status__in=["waiting", "running"])
            ),
            # files whose time is over
            models.Index(fields=["made_at"], name="export_kept", condition=~models.Q(stored_as="")),
        ]

    def __str__(self) -> str:
        return self.segment_name

    @property
    def is_under_way(self) -> bool:
        return self.status in (self.Status.WAITING, self.Status.RUNNING)

    @property
    def is_ready(self) -> bool:
        return self.status == self.Status.READY

    @property
    def n_left_out_in_all(self) -> int:
        """Members whom the gate kept from the list."""
        return sum(self.n_left_out.values())

    @property
    def n_gone(self) -> int:
        """Members who were merged into others, or erased, while the list was made."""
        return max(0, self.n_done - self.n_exported - self.n_held_out - self.n_left_out_in_all)

    @property
    def expires_at(self) -> datetime | None:
        return self.made_at + KEPT if self.made_at else None

    @property
    def measured_until(self) -> datetime | None:
        return self.made_at + MEASURED if self.made_at else None

    @property
    def is_measured(self) -> bool:
        """Whether the time in which outcomes count is over."""
        return self.measured_until is not None and self.measured_until <= timezone.now()


class ExportMember(models.Model):
    """One row: somebody chosen for a list, by their anchor record; whom the gate left out has none. Frozen with the
    list, so that those who got it and those held out can be compared whatever becomes of the segment. Written by
    `segments.exports.job`; goes with the person's erasure, and with a list that failed.

    No foreign key in the database on the record: an import that is taken back removes records without asking here.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "record": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    export = models.ForeignKey(SegmentExport, on_delete=models.CASCADE, db_index=False, related_name="members")
    record = models.ForeignKey(
        SourceRecord, on_delete=models.CASCADE, db_constraint=False, related_name="export_memberships"
    )
    is_held_out = models.BooleanField(null=True)  # null: not put to the gate yet
    is_traced = models.BooleanField(default=False)  # the touchpoint is on the timeline

    objects = ExportMemberQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["export", "record"], name="export_member_once")]
