"""Named queries over stored memberships."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import models


class SegmentStateQuerySet(models.QuerySet[Any]):
    def members(self) -> "SegmentStateQuerySet":
        """Of people who are in, and there: who has been merged into another or is being erased is in nothing."""
        return self.filter(is_member=True, profile__state="live", profile__kind="identified")

    def of_segment(self, segment_id: UUID) -> "SegmentStateQuerySet":
        return self.filter(segment_id=segment_id)

    def of_live_segments(self) -> "SegmentStateQuerySet":
        """Not of archived ones, whose members are no longer followed."""
        return self.filter(segment__archived_at__isnull=True)

    def of_profiles(self, profile_ids: Collection[int]) -> "SegmentStateQuerySet":
        return self.filter(profile_id__in=profile_ids)

    def behind(self, public_id: UUID) -> "SegmentStateQuerySet":
        """Of people who came after the one of this public id."""
        profiles = self.model._meta.get_field("profile").related_model
        last = profiles._default_manager.filter(public_id=public_id).values("pk")[:1]
        return self.filter(profile_id__gt=models.Subquery(last))

    def due(self, now: datetime) -> "SegmentStateQuerySet":
        """Whose time has come."""
        return self.filter(next_change_at__lte=now)


class SegmentPassageQuerySet(models.QuerySet[Any]):
    def of_segment(self, segment_id: UUID) -> "SegmentPassageQuerySet":
        return self.filter(segment_id=segment_id)

    def of_profiles(self, profile_ids: Collection[int]) -> "SegmentPassageQuerySet":
        return self.filter(profile_id__in=profile_ids)

    def between(self, start: datetime, end: datetime) -> "SegmentPassageQuerySet":
        """From `start` up to, but not including, `end`."""
        return self.filter(at__gte=start, at__lt=end)

    def newest_first(self) -> "SegmentPassageQuerySet":
        return self.order_by("-at", "-pk")
