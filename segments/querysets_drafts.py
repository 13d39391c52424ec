"""Named queries over drafts of segments."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import models

from cdp_site.core.access import Permission, may
from cdp_site.core.models import User


class SegmentDraftQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> "SegmentDraftQuerySet":
        """Those of the user's department and their own, of segments that they may see; none for who builds no
        segments. An author without a department shares with nobody."""
        if not isinstance(user, User) or not may(user, Permission.BUILD_SEGMENTS):
            return self.none()
        own = models.Q(author=user)
        if user.department_id is not None:
            own |= models.Q(department_id=user.department_id)
        segments = self.model._meta.get_field("segment").related_model
        seen = segments._default_manager.visible_to(user)
        return self.filter(own).filter(models.Q(segment__isnull=True) | models.Q(segment__in=seen))

    def of_segment(self, segment: models.Model | None) -> "SegmentDraftQuerySet":
        """The unsaved versions of a segment; without one, the segments that are not saved at all."""
        return self.filter(segment=segment)

    def written_by(self, user: User) -> "SegmentDraftQuerySet":
        """Those that the user began."""
        return self.filter(author=user)

    def newest_first(self) -> "SegmentDraftQuerySet":
        return self.select_related("author").order_by("-changed_at", "pk")

    def untouched_since(self, moment: datetime) -> "SegmentDraftQuerySet":
        return self.filter(changed_at__lt=moment)
