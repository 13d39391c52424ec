"""Corrections: rules that mend messages which could not be used, and the replays that apply them."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, Classification
from ingestion.models.source import Source
from ingestion.querysets_plan import CorrectionRuleQuerySet, ReplayQuerySet


class CorrectionRule(models.Model):
    """One row: a version of a rule that corrects messages of a source. Written on a quarantine group's page; a
    changed rule is a new version. Of the versions of a rule (`key`) only the newest can be active."""

    # Names fields, and values that many messages share, e.g. a misspelt colour.
    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.BigAutoField(primary_key=True)
    key = models.UUIDField(default=uuid7)  # the same in all versions
    version = models.PositiveIntegerField(default=1)
    name = models.CharField(max_length=100)
    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    reason = models.CharField(max_length=40, blank=True)  # empty: before anything is checked, on every message
    event = models.CharField(max_length=100, blank=True)  # empty: any
    definition = models.JSONField()  # corrections.rules; carries its own version number
    position = models.PositiveIntegerField()  # rules of a source are applied in this order
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = CorrectionRuleQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key", "version"], name="correction_rule_version"),
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(is_active=True), name="correction_rule_one_active"
            ),
        ]


class Replay(models.Model):
    """One row: the open messages of a quarantine group, taken through the active rules and landed again. Written by
    `corrections.replaying`; its id is the operation that everything it brought carries, so that it can be undone."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Status(models.TextChoices):
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")

    id = models.UUIDField(primary_key=True, editable=False)  # Operation
    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    reason = models.CharField(max_length=40)
    narrowed = models.JSONField(default=dict)  # {"event": …, "field": …} of quarantine.Selection, as far as narrowed
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    cursor = models.BigIntegerField(default=0)  # key of the last item that was looked at
    last = models.BigIntegerField()  # key of the last item of the group when it began
    n_total = models.IntegerField()
    n_replayed = models.IntegerField(default=0)
    n_kept = models.IntegerField(default=0)  # no rule made them usable: they are still in quarantine
    lease_until = models.DateTimeField(null=True)  # the job that holds it
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = ReplayQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at"]
