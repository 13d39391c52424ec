"""Named queries over segments."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import models

from cdp_site.core.access import Permission, may
from cdp_site.core.models import User


def _common_or_of(user: User) -> models.Q:
    return models.Q(department__isnull=True) | models.Q(department_id=user.department_id)


class SegmentQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> "SegmentQuerySet":
        """Common segments and those of the user's department; none without the permission to view segments."""
        if not isinstance(user, User) or not may(user, Permission.VIEW_SEGMENTS):
            return self.none()
        return self if may(user, Permission.SEE_ALL_DEPARTMENTS) else self.filter(_common_or_of(user))

    def named_to(self, user: User) -> "SegmentQuerySet":
        """Whose names may stand on a customer's page before the user: an agent who builds no segments meets them
        there, too, and those of other departments that a script speaks of to all agents."""
        if may(user, Permission.SEE_ALL_DEPARTMENTS):
            return self.all()
        return self.filter(_common_or_of(user) | models.Q(script__is_active=True))

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


class SegmentExportQuerySet(models.QuerySet[Any]):
    def newest_first(self) -> "SegmentExportQuerySet":
        """The newest first, with what a list shows of them."""
        return self.select_related("purpose", "by").order_by("-at", "pk")


class ScriptQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> "ScriptQuerySet":
        """Those of the segments that the user may see."""
        segments = self.model._meta.get_field("segment").related_model
        return self.filter(segment__in=segments._default_manager.visible_to(user))

    def said(self) -> "ScriptQuerySet":
        """In use, the one to be said first of all on top; with their segments."""
        return self.filter(is_active=True).ranked()

    def ranked(self) -> "ScriptQuerySet":
        return self.select_related("segment", "segment__department").order_by("rank", "pk")
