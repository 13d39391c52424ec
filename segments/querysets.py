"""Named queries over segments."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models.functions import Cast

from cdp_site.core.access import Permission, may
from cdp_site.core.models import User

VIEW, CHANGE = "view_segment", "change_segment"  # what one department grants another, by django-guardian


def _common_or_of(user: User) -> models.Q:
    return models.Q(department__isnull=True) | models.Q(department_id=user.department_id)


class SegmentQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> "SegmentQuerySet":
        """Common segments, those of the user's department and those shared with it, archived ones too; none without
        the permission to view segments."""
        if not isinstance(user, User) or not may(user, Permission.VIEW_SEGMENTS):
            return self.none()
        if may(user, Permission.SEE_ALL_DEPARTMENTS):
            return self.all()
        return self.filter(_common_or_of(user) | self._shared_with(user, VIEW, CHANGE))

    def changeable_by(self, user: User | AnonymousUser) -> "SegmentQuerySet":
        """Of the visible ones those that the user may write: common ones, those of the own department, and those that
        another lets it change."""
        if not isinstance(user, User) or not may(user, Permission.BUILD_SEGMENTS):
            return self.none()
        return self.visible_to(user).filter(_common_or_of(user) | self._shared_with(user, CHANGE))

    def kept_by(self, user: User | AnonymousUser) -> "SegmentQuerySet":
        """Of the changeable ones those that the user may also share, hand over, archive and delete: common ones and
        those of the own department."""
        return self.changeable_by(user).filter(_common_or_of(user)) if isinstance(user, User) else self.none()

    def named_to(self, user: User) -> "SegmentQuerySet":
        """Whose names may stand on a customer's page before the user: an agent who builds no segments meets them
        there, too, and those of other departments that a script speaks of to all agents."""
        if may(user, Permission.SEE_ALL_DEPARTMENTS):
            return self.living()
        seen = _common_or_of(user) | self._shared_with(user, VIEW, CHANGE)
        return self.living().filter(seen | models.Q(script__is_active=True))

    def _shared_with(self, user: User, *permissions: str) -> models.Q:
        """A user belongs to a department, never to its group: the group alone carries the grants."""
        if user.department_id is None:
            return models.Q(pk__in=[])
        grants = self.model._meta.get_field("grants").related_model._default_manager.filter(
            group__department=user.department_id, permission__codename__in=permissions
        )
        return models.Q(pk__in=grants.values("content_object"))

    def living(self) -> "SegmentQuerySet":
        """In use: not archived."""
        return self.filter(archived_at__isnull=True)

    def archived(self) -> "SegmentQuerySet":
        return self.filter(archived_at__isnull=False)

    def in_folder(self, folder: int) -> "SegmentQuerySet":
        return self.filter(folder=folder)

    def in_no_folder(self) -> "SegmentQuerySet":
        return self.filter(folder__isnull=True)

    def of_owner(self, user: User) -> "SegmentQuerySet":
        return self.filter(owner=user)

    def of_others(self, user: User) -> "SegmentQuerySet":
        """What belongs to other departments: for a user who sees them, what they share."""
        return self.filter(department__isnull=False).exclude(department=user.department_id)

    def only_this(self, segment: UUID) -> "SegmentQuerySet":
        return self.filter(pk=segment)

    def besides(self, segment: UUID) -> "SegmentQuerySet":
        return self.exclude(pk=segment)

    def naming_segment(self, segment: UUID) -> "SegmentQuerySet":
        """Those whose definitions ask whether somebody is in the segment, at any depth."""
        return self._with('$.** ? (@.kind == "segment" && @.segment == $id)', id=str(segment))

    def naming_list(self, wanted: UUID) -> "SegmentQuerySet":
        """Those whose definitions ask whether somebody is on the list, at any depth."""
        return self._with('$.** ? (@.kind == "list" && @.list == $id)', id=str(wanted))

    def naming_computed(self, slug: str) -> "SegmentQuerySet":
        """Those whose definitions compare the computed trait, or what it is of one channel, at any depth."""
        return self._with(
            '$.** ? (@.kind == "attribute" && (@.trait == $name || @.trait starts with $parts))',
            name=f"computed.{slug}",
            parts=f"computed.{slug}.",
        )

    def _with(self, path: str, **variables: str) -> "SegmentQuerySet":
        """Those in whose definitions a JSON path finds something."""
        found = models.Func(
            models.F("definition"),
            Cast(models.Value(path), _JsonPath()),
            models.Value(variables, output_field=models.JSONField()),
            function="jsonb_path_exists",
            output_field=models.BooleanField(),
        )
        return self.filter(found)

    def without_script(self) -> "SegmentQuerySet":
        return self.filter(script__isnull=True)

    def with_words(self, words: Iterable[str]) -> "SegmentQuerySet":
        """Whose names hold every one of the words, case aside."""
        rows = self
        for word in words:
            rows = rows.filter(name__icontains=word)
        return rows

    def newest_first(self) -> "SegmentQuerySet":
        """The last changed first."""
        return self.order_by("-changed_at", "pk")


class _JsonPath(models.TextField):
    """PostgreSQL's type of paths into JSON, to cast to."""

    def db_type(self, connection: Any) -> str:
        return "jsonpath"


class SegmentFolderQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> "SegmentFolderQuerySet":
        """Everybody's and those of the user's department; none without the permission to view segments."""
        if not isinstance(user, User) or not may(user, Permission.VIEW_SEGMENTS):
            return self.none()
        return self.all() if may(user, Permission.SEE_ALL_DEPARTMENTS) else self.filter(_common_or_of(user))

    def with_numbers(self, user: User) -> "SegmentFolderQuerySet":
        """Each with `n_segments`: how many segments in use the user sees in it."""
        segments = self.model._meta.get_field("segments").related_model
        seen = segments._default_manager.visible_to(user).living().values("pk")
        return self.annotate(n_segments=models.Count("segments", filter=models.Q(segments__in=seen)))


class SegmentSizeQuerySet(models.QuerySet[Any]):
    def seen_by(self, department: int | None) -> "SegmentSizeQuerySet":
        """As a department sees it that does not see every source; None: as whoever sees them all."""
        return self.filter(department=department)

    def of_segments(self, segments: Iterable[UUID]) -> "SegmentSizeQuerySet":
        return self.filter(segment__in=list(segments))

    def of_day(self, day: date) -> "SegmentSizeQuerySet":
        return self.filter(day=day)

    def since(self, day: date) -> "SegmentSizeQuerySet":
        """From a day on, the oldest first."""
        return self.filter(day__gte=day).order_by("day")


class ScriptQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> "ScriptQuerySet":
        """Those of the segments that the user may see."""
        segments = self.model._meta.get_field("segment").related_model
        return self.filter(segment__in=segments._default_manager.visible_to(user).living())

    def said(self) -> "ScriptQuerySet":
        """In use, the one to be said first of all on top; with their segments."""
        return self.filter(is_active=True, segment__archived_at__isnull=True).ranked()

    def ranked(self) -> "ScriptQuerySet":
        return self.select_related("segment", "segment__department").order_by("rank", "pk")
