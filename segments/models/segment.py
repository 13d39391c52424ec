"""Segments and their versions."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import Department, User
from cdp_site.core.personal_data import NONE, Classification
from segments.models.folder import SegmentFolder
from segments.querysets import SegmentQuerySet


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
    folder = models.ForeignKey(SegmentFolder, null=True, on_delete=models.SET_NULL, related_name="segments")
    owner = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")  # who answers for it
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True)  # out of use: no more kept up to date, offered or shown to agents

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

    @property
    def is_archived(self) -> bool:
        return self.archived_at is not None


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
