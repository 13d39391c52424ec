"""Named queries over legal holds."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models

from cdp_site.core.access import Permission, may
from cdp_site.core.models import User


class LegalHoldQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: User | AnonymousUser) -> "LegalHoldQuerySet":
        """As requests: all of them for who may view requests."""
        return self.all() if may(user, Permission.VIEW_REQUESTS) else self.none()

    def in_force(self) -> "LegalHoldQuerySet":
        """Not released, the newest first."""
        return self.filter(released_at__isnull=True).order_by("-placed_at", "-pk")

    def on(self, label: str, rows: Iterable[object]) -> "LegalHoldQuerySet":
        return self.filter(label=label, row__in=[str(row) for row in rows])

    def about(self, public_ids: Iterable[UUID]) -> "LegalHoldQuerySet":
        """On rows that hang on records with these birth profiles, of people who are not erased."""
        return self.filter(subject__in=list(public_ids))

    def over(self, now: datetime) -> "LegalHoldQuerySet":
        """In force, and their time is up."""
        return self.in_force().filter(until__lte=now)
