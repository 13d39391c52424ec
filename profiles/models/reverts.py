"""What an import brought, kept until it can no longer be reverted; and the reverts themselves."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from profiles.models.profile import SourceRecord
from profiles.querysets import RevertQuerySet


class RecordShare(models.Model):
    """One row: what one operation has said about a record; `operation_id` null: everybody who is no operation.

    Written by `profiles.shares` once a second one speaks about a record: while there are none, all that the record
    holds is from the operation that created it. Goes with the record, or when the operation can no longer be reverted.
    """

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "record": PSEUDONYMOUS,
        "attributes": PERSONAL,
        "identifiers": PERSONAL,
    }

    id = models.BigAutoField(primary_key=True)  # in the order in which they first spoke
    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="shares")
    operation_id = models.UUIDField(null=True)
    attributes = models.JSONField(default=dict)  # trait → value, as if nobody else had spoken
    attribute_times = models.JSONField(default=dict)
    identifiers = models.JSONField(default=list)  # profiles.shares.Held
    first_at = models.DateTimeField()  # source's clock
    last_at = models.DateTimeField()  # source's clock

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["record", "operation_id"], name="record_share_once", nulls_distinct=False),
        ]
        indexes: ClassVar = [
            # what an operation has to give back
            models.Index(
                fields=["operation_id"],
                name="record_share_of_operation",
                condition=models.Q(operation_id__isnull=False),
            ),
        ]


class OrderShare(models.Model):
    """One row: what one operation has said about an order, message by message; as `RecordShare`, by
    `profiles.order_shares`. `before`: the rows of the order as the first one left them, before a second spoke."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "before": PSEUDONYMOUS, "statements": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    # The order's row is written anew by a revert, under its own id where it can be: no constraint holds it.
    order_id = models.BigIntegerField()
    operation_id = models.UUIDField(null=True)
    before = models.JSONField(null=True)  # {"order", "lines", "refunds"}: rows
    statements = models.JSONField(default=list)  # profiles.order_shares.Said

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["order_id", "operation_id"], name="order_share_once", nulls_distinct=False),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["operation_id"],
                name="order_share_of_operation",
                condition=models.Q(operation_id__isnull=False),
            ),
        ]


class TouchpointShare(models.Model):
    """One row: an operation (null: nobody's) told of a touchpoint that an import had brought before. Written by the
    digest, so that reverting that import leaves it with the second."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "touchpoint_id": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    touchpoint_id = models.UUIDField()
    operation_id = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["touchpoint_id", "operation_id"], name="touchpoint_share_once", nulls_distinct=False
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["operation_id"],
                name="touchpoint_share_of_operation",
                condition=models.Q(operation_id__isnull=False),
            ),
        ]


class Revert(models.Model):
    """One row: an operation that is being taken back, or was. Written by `profiles.reverting`, moved on by its job;
    its id is the `operation_id` of what it writes."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Status(models.TextChoices):
        READY = "ready", _("waiting to start")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    operation_id = models.UUIDField(unique=True)
    lifts_denials = models.BooleanField()  # refusals that it brought go, too, although that opens a permission
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.READY)
    foreseen = models.JSONField()  # what there was to do, by kind (profiles.reverting.KINDS)
    done = models.JSONField(default=dict)  # what was done, by kind
    actor = models.CharField(max_length=60)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)  # the job that holds it; a dead job's revert is taken up again
    attempts = models.PositiveSmallIntegerField(default=0)  # jobs that took it up since it last got on

    objects = RevertQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # the watchdog's look for reverts that nobody holds
            models.Index(
                fields=["lease_until"], name="revert_running", condition=models.Q(status__in=["ready", "running"])
            ),
        ]
