"""Named queries over the models of matching."""

from datetime import timedelta
from typing import Any, Final, Self

from django.db import models
from django.utils import timezone

LEASE: Final = timedelta(minutes=5)  # of a training; it gives a sign of life with each phase, of seconds


class MatchModelQuerySet(models.QuerySet[Any]):
    def newest_first(self) -> Self:
        return self.order_by("-version")

    def in_use(self) -> Self:
        """The one that matches now, if there is one."""
        return self.filter(status="active")

    def in_training(self) -> Self:
        return self.filter(status="training")

    def free_to_train(self) -> Self:
        """To be trained, and no living job is at it."""
        return self.in_training().filter(models.Q(beat_at__isnull=True) | models.Q(beat_at__lt=timezone.now() - LEASE))

    def abandoned(self) -> Self:
        """The same, and not only just begun (watchdog)."""
        return self.free_to_train().filter(created_at__lt=timezone.now() - LEASE)
