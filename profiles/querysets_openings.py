"""Named queries over openings of customers."""

from datetime import datetime
from typing import Any, Self

from django.db import models

from cdp_site.core.models import User


class OpeningQuerySet(models.QuerySet[Any]):
    def standing(self, *, of: User, at: datetime) -> Self:
        """What is open for this user at this moment."""
        return self.filter(user=of, until__gt=at)

    def outside_calls(self) -> Self:
        """Opened with a reason and without a verified call: what cap and alarm count."""
        return self.filter(call_id__isnull=True)

    def since(self, moment: datetime) -> Self:
        return self.filter(opened_at__gte=moment)

    def before(self, moment: datetime) -> Self:
        return self.filter(opened_at__lt=moment)

    def of_call(self, call_id: int) -> Self:
        return self.filter(call_id=call_id)
