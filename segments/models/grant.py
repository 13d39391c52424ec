"""Segments that a department lets others use."""

from typing import ClassVar

from django.db import models
from guardian.models import GroupObjectPermissionBase

from cdp_site.core.personal_data import NONE, Classification
from segments.models.segment import Segment


class SegmentGrant(GroupObjectPermissionBase):
    """One row: a permission on a segment, `view_segment` or `change_segment`, that the group of a department has.
    Written by `segments.sharing` through django-guardian, which takes this table for segments; goes with either."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    content_object = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="grants", db_column="segment_id")
