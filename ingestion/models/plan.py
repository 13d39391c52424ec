"""The tracking plan: what traffic looks like, what it is expected to look like, and what did not."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, Classification
from ingestion.models.source import Source
from ingestion.querysets_plan import PlanObservationQuerySet, PlanSchemaQuerySet, PlanViolationQuerySet


class PlanObservation(models.Model):
    """One row: on one day a source sent an event, or a property of it with values of one JSON type.

    Written by the digest in its own transaction (`plan.observing`), for messages that were stored. Holds names of
    events and properties only: a name that looks like somebody's data is counted under "…".
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class JsonType(models.TextChoices):
        STRING = "string", _("text")
        INTEGER = "integer", _("whole number")
        NUMBER = "number", _("number")
        BOOLEAN = "boolean", _("yes or no")
        ARRAY = "array", _("list")
        OBJECT = "object", _("object")
        NULL = "null", _("empty")

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, db_index=False)
    event = models.CharField(max_length=100)
    property = models.CharField(max_length=80, blank=True)  # empty: the event itself
    json_type = models.CharField(max_length=8, choices=JsonType.choices, blank=True)  # empty with the event itself
    day = models.DateField()  # of receipt, in the company's time zone
    n = models.BigIntegerField()  # the event itself: messages, all of them; a property: of those looked into
    n_sampled = models.BigIntegerField(default=0)  # the event itself: messages whose properties were looked into
    last_at = models.DateTimeField()  # ours: when the last one was received

    objects = PlanObservationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # the digest's upsert, and the page of an event
            models.UniqueConstraint(
                fields=["event", "source", "property", "json_type", "day"], name="plan_observation_once"
            )
        ]
        indexes: ClassVar = [
            # the list of all events
            models.Index(fields=["day"], name="plan_observation_events", condition=models.Q(property=""))
        ]


class PlanSchema(models.Model):
    """One row: a version of the JSON Schema that an event's properties have to satisfy. Written on the event's plan
    page; a changed schema is a new version. At most one version of an event is pinned."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    event = models.CharField(max_length=100)
    version = models.PositiveIntegerField()
    schema = models.JSONField()  # draft 2020-12, keywords of plan.schema alone
    is_pinned = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    unpinned_at = models.DateTimeField(null=True)
    unpinned_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = PlanSchemaQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["event", "version"], name="plan_schema_version"),
            models.UniqueConstraint(
                fields=["event"], condition=models.Q(is_pinned=True), name="plan_schema_one_pinned"
            ),
        ]


class PlanViolation(models.Model):
    """One row: how many messages of a source broke one rule of an event's pinned schema within five minutes. Written
    by the digest in its own transaction; goes after `plan.violations.KEPT`."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.BigAutoField(primary_key=True)
    event = models.CharField(max_length=100)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, db_index=False)
    rule = models.CharField(max_length=300)  # which property, and what was expected of it
    at = models.DateTimeField()  # start of the five minutes, by our clock of receipt
    n = models.IntegerField()

    objects = PlanViolationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # the digest's upsert, and the chart of an event
            models.UniqueConstraint(fields=["event", "source", "rule", "at"], name="plan_violation_once")
        ]
        indexes: ClassVar = [
            # the chart of all events, and the clearing away
            models.Index(fields=["at"], name="plan_violation_by_time")
        ]


class Rulebook(models.Model):
    """The one row whose `version` moves whenever a schema is pinned or unpinned or a correction rule changes, so that
    a process learns with one small query whether what it remembers still holds."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    version = models.BigIntegerField(default=0)
