"""Segments and their exports."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import Department, User
from cdp_site.core.personal_data import NONE, Classification
from consent.models import Channel, Purpose
from segments.querysets import SegmentExportQuerySet, SegmentQuerySet


class Segment(models.Model):
    """One row: an audience by definition. Written in the builder; its members are computed when asked for."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(_("name"), max_length=120)
    description = models.CharField(_("description"), max_length=300, blank=True)
    department = models.ForeignKey(
        Department, verbose_name=_("department"), null=True, blank=True, on_delete=models.PROTECT
    )
    definition = models.JSONField()  # segments/definition/parse.py; carries its own version number
    version = models.PositiveIntegerField(default=1)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = SegmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["department", "name"], name="segment_name", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return self.name


class SegmentVersion(models.Model):
    """One row: a definition that a segment had. Written with each change; immutable."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="versions")
    version = models.PositiveIntegerField()
    definition = models.JSONField()
    actor = models.CharField(max_length=60)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["segment", "version"], name="segment_version_once")]


class SegmentExport(models.Model):
    """One row: a list that left the product, and on what ground. The members are found by the touchpoint "Segment
    Exported" that each of them got; the file itself is not kept."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    segment = models.ForeignKey(Segment, null=True, on_delete=models.SET_NULL, related_name="exports")
    segment_version = models.PositiveIntegerField()
    segment_name = models.CharField(max_length=120)
    purpose = models.ForeignKey(Purpose, on_delete=models.PROTECT)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    n_members = models.IntegerField()
    n_exported = models.IntegerField()
    n_left_out = models.JSONField(default=dict)  # reason → people
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    at = models.DateTimeField(auto_now_add=True)

    objects = SegmentExportQuerySet.as_manager()

    def __str__(self) -> str:
        return self.segment_name

    @property
    def n_left_out_in_all(self) -> int:
        """Members whom the gate kept from the list."""
        return sum(self.n_left_out.values())
