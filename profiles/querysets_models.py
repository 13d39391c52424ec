"""Named queries over the models of matching."""

from datetime import timedelta
from typing import Any, Final, Self

from django.db import models
from django.utils import timezone

LEASE: Final = timedelta(minutes=2)  # of a training; it gives a sign of life every few seconds


class MatchModelQuerySet(models.QuerySet[Any]):
    def newest_first(self) -> Self:
        return self.order_by("-version")

    def in_use(self) -> Self:
        """The one that matches now, if there is one."""
        return self.filter(status="active")

    def in_training(self) -> Self:
        return self.filter(status="training")

    def abandoned(self) -> Self:
        """To be trained, but no living job is at it (watchdog)."""
        silent = models.Q(beat_at__isnull=True, created_at__lt=timezone.now() - LEASE)
        return self.in_training().filter(silent | models.Q(beat_at__lt=timezone.now() - LEASE))
