"""Named queries over calls and what callers were asked."""

from datetime import datetime
from typing import Any, Self

from django.db import models

from cdp_site.core.access import Scope
from cdp_site.core.models import User


class CallQuerySet(models.QuerySet[Any]):
    def running(self, *, of: User, since: datetime) -> Self:
        """The call that the agent is in."""
        return self.filter(agent=of, ended_at=None, arrived_at__gte=since)

    def not_ended(self) -> Self:
        return self.filter(ended_at=None)

    def announced(self, token_hash: bytes, *, since: datetime) -> Self:
        """The call of this token, while it can be taken."""
        return self.filter(token_hash=token_hash, arrived_at__gte=since)

    def known_to(self, user: User, scope: Scope) -> Self:
        """Calls that the user may know of: those of the own department, and of telephone systems in the scope."""
        if scope.source_ids is None:
            return self
        own = models.Q(agent__department=user.department_id, agent__department__isnull=False) | models.Q(agent=user)
        return self.filter(own | models.Q(source__in=scope.source_ids))

    def not_taken(self) -> Self:
        return self.filter(agent=None)

    def taken(self) -> Self:
        return self.filter(agent__isnull=False)

    def of_profile(self, profile_id: int) -> Self:
        return self.filter(profile=profile_id)

    def since(self, moment: datetime) -> Self:
        return self.filter(arrived_at__gte=moment)

    def before(self, moment: datetime) -> Self:
        return self.filter(arrived_at__lt=moment)


class CallerCheckQuerySet(models.QuerySet[Any]):
    def wrong(self) -> Self:
        return self.filter(is_right=False)

    def right(self) -> Self:
        return self.filter(is_right=True)

    def about(self, profile_id: int) -> Self:
        return self.filter(profile=profile_id)

    def asked_by(self, agent: User) -> Self:
        return self.filter(call__agent=agent)

    def since(self, moment: datetime) -> Self:
        return self.filter(at__gte=moment)
