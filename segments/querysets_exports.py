"""Named queries over exported lists."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils import timezone

from cdp_site.core.access import Permission, may
from cdp_site.core.models import User

UNDER_WAY = ("waiting", "running")


class SegmentExportQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Lists of the segments that the user sees, and the user's own of segments that were deleted since."""
        if not isinstance(user, User) or not may(user, Permission.VIEW_SEGMENTS):
            return self.none()
        segments = self.model._meta.get_field("segment").related_model._default_manager.visible_to(user)
        return self.filter(models.Q(segment__in=segments.values("pk")) | models.Q(segment__isnull=True, by=user))

    def newest_first(self) -> Self:
        """The newest first, with what a list shows of them."""
        return self.select_related("purpose", "by", "segment").order_by("-at", "pk")

    def with_id(self, export: UUID) -> Self:
        return self.filter(pk=export)

    def abandoned(self) -> Self:
        """To be made, but no living job holds them (watchdog)."""
        return self.filter(status__in=UNDER_WAY).filter(
            models.Q(lease_until__isnull=True) | models.Q(lease_until__lt=timezone.now())
        )

    def with_file(self) -> Self:
        return self.exclude(stored_as="")

    def names_of_files(self) -> set[str]:
        """Of the files and of the parts of those that are not done yet. One query."""
        rows = self.exclude(stored_as="", parts=[]).values_list("stored_as", "parts")
        return {name for stored_as, parts in rows for name in (stored_as, *parts) if name}

    def made_before(self, moment: datetime) -> Self:
        return self.filter(made_at__lt=moment)

    def fetched_beside(self, export: Any) -> Self:
        """Other lists of its segment whose days overlap with its own, and whose file somebody has."""
        days = export.measured_until - export.made_at
        near = self.filter(made_at__gt=export.made_at - days, made_at__lt=export.measured_until)
        return near.filter(segment=export.segment_id, segment__isnull=False, n_fetched__gt=0).exclude(pk=export.pk)

    def with_member(self, record_ids: tuple[int, ...]) -> Self:
        """Lists for which one of the records was chosen, of which there is a file or will be one."""
        members = self.model._meta.get_field("members").related_model._default_manager
        chosen = members.filter(export=models.OuterRef("pk"), record__in=record_ids)
        lying = ~models.Q(stored_as="") | models.Q(status__in=UNDER_WAY)
        return self.filter(lying, models.Exists(chosen))


class ExportMemberQuerySet(models.QuerySet[Any]):
    def of(self, export: UUID) -> Self:
        return self.filter(export=export)

    def of_records(self, record_ids: tuple[int, ...]) -> Self:
        return self.filter(record__in=record_ids)

    def undrawn(self, after: int) -> Self:
        """Not put to the gate yet, by record, behind one."""
        return self.filter(is_held_out__isnull=True, record__gt=after).order_by("record")

    def untraced(self, after: int) -> Self:
        """Without their touchpoint yet, by record, behind one."""
        return self.filter(is_traced=False, record__gt=after).order_by("record")

    def exported(self) -> Self:
        return self.filter(is_held_out=False)

    def held_out(self) -> Self:
        return self.filter(is_held_out=True)
