"""How large segments were."""

from typing import ClassVar

from django.db import models

from cdp_site.core.models import Department
from cdp_site.core.personal_data import NONE, Classification
from segments.models.segment import Segment
from segments.querysets import SegmentSizeQuerySet


class SegmentSize(models.Model):
    """One row: how many people a segment had at the end of a day, to the eyes of a department that does not see every
    source, or, without a department, to whoever sees them all. Written each night by `segments.sizes`; goes with its
    segment."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}  # numbers of people, of nobody in particular

    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="sizes")
    day = models.DateField()  # in the company's time zone
    department = models.ForeignKey(Department, null=True, on_delete=models.CASCADE)
    version = models.PositiveIntegerField()  # the definition by which they were counted
    members = models.PositiveIntegerField()
    # People in and out during the day; known of the whole alone, where each passage is written down.
    entered = models.PositiveIntegerField(null=True)
    left = models.PositiveIntegerField(null=True)

    objects = SegmentSizeQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            # Also reads the history of one segment.
            models.UniqueConstraint(
                fields=["segment", "department", "day"], name="segment_size_of_a_day", nulls_distinct=False
            )
        ]
