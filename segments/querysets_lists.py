"""Named queries over lists of customers."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models

from cdp_site.core.access import Permission, may
from cdp_site.core.models import User


class StaticListQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> "StaticListQuerySet":
        """Common lists and those of the user's department; none without the permission to view segments."""
        if not isinstance(user, User) or not may(user, Permission.VIEW_SEGMENTS):
            return self.none()
        if may(user, Permission.SEE_ALL_DEPARTMENTS):
            return self.all()
        return self.filter(models.Q(department__isnull=True) | models.Q(department_id=user.department_id))

    def changeable_by(self, user: User | AnonymousUser) -> "StaticListQuerySet":
        """Of the visible ones common ones and those of the user's own department, for who builds segments."""
        if not isinstance(user, User) or not may(user, Permission.BUILD_SEGMENTS):
            return self.none()
        return self.visible_to(user).filter(
            models.Q(department__isnull=True) | models.Q(department_id=user.department_id)
        )

    def with_people(self) -> "StaticListQuerySet":
        """Each with `n_people`: the customers who have one of its records now."""
        people = models.Count(
            "members__record__memberships__profile",
            filter=models.Q(members__record__memberships__valid_to__isnull=True),
            distinct=True,
        )
        return self.annotate(n_people=people)

    def only_this(self, wanted: UUID) -> "StaticListQuerySet":
        return self.filter(pk=wanted)
