"""Named queries over computed traits."""

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import models

from cdp_site.core.access import Permission, Scope, may
from cdp_site.core.models import User
from profiles.models import TraitGroup


class ComputedTraitQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> "ComputedTraitQuerySet":
        """Those in groups that the user sees; none without the permission to view segments."""
        if not isinstance(user, User) or not may(user, Permission.VIEW_SEGMENTS):
            return self.none()
        return self.filter(group__in=TraitGroup.objects.visible_to(user))

    def changeable_by(self, user: User | AnonymousUser) -> "ComputedTraitQuerySet":
        """Those in groups that the user sees and whose department is theirs, or nobody's."""
        if not isinstance(user, User) or not may(user, Permission.BUILD_SEGMENTS):
            return self.none()
        return self.filter(group__in=TraitGroup.objects.visible_to(user).owned_by(user.department))

    def only_this(self, trait_id: int) -> "ComputedTraitQuerySet":
        return self.filter(pk=trait_id)

    def within(self, scope: Scope) -> "ComputedTraitQuerySet":
        """Those in groups that the scope sees."""
        return self if scope.trait_groups is None else self.filter(group__slug__in=scope.trait_groups)

    def in_use(self) -> "ComputedTraitQuerySet":
        """Not archived, in the order in which they are listed."""
        return self.filter(archived_at__isnull=True).order_by("group__position", "name", "pk")

    def archived(self) -> "ComputedTraitQuerySet":
        return self.filter(archived_at__isnull=False).order_by("-archived_at", "pk")

    def incomplete(self) -> "ComputedTraitQuerySet":
        """In use, but with values that are still to be computed for everybody."""
        return self.in_use().exclude(computed_version=models.F("version"))

    def called(self, slugs: Collection[str]) -> "ComputedTraitQuerySet":
        return self.filter(slug__in=slugs)
