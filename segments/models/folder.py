"""Where segments lie."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import Department
from cdp_site.core.personal_data import NONE, Classification
from segments.querysets import SegmentFolderQuerySet


class SegmentFolder(models.Model):
    """One row: a folder of a department's segments, or of everybody's. Written in the library; when it goes, its
    segments lie in no folder."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    name = models.CharField(_("name"), max_length=60)
    department = models.ForeignKey(Department, null=True, on_delete=models.PROTECT)

    objects = SegmentFolderQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["department", "name"], name="segment_folder_name", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return self.name
