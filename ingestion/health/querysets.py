"""Named questions about how sources fare."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models.functions import Trunc
from django.utils import timezone

from ingestion.querysets import OfSourceQuerySet

# The terms of received = stored + duplicate + quarantined + suppressed + waiting, in messages.
TERMS = {
    "received": models.Sum("n_items", default=0),
    "stored": models.Sum("n_stored", default=0),
    "duplicate": models.Sum("n_duplicate", default=0),
    "quarantined": models.Sum("n_quarantined", default=0),
    "suppressed": models.Sum("n_suppressed", default=0),
    "waiting": models.Sum("n_waiting", default=0),
}


class AccountQuerySet(OfSourceQuerySet):
    """Batches and roll-ups together. A moment means whole hours where batches are rolled up already."""

    def received_since(self, moment: datetime) -> Self:
        return self.filter(at__gte=moment)

    def equation(self) -> dict[str, int]:
        """The terms of the equation over all of them. One query."""
        return self.aggregate(**TERMS)

    def equation_by_source(self) -> Self:
        """One row for each source that has sent anything: the terms of its equation, and `last_received_at`."""
        return self.order_by().values("source").annotate(**TERMS, last_received_at=models.Max("last_at"))

    def equation_by_door(self) -> Self:
        """One row for each door by which anything came: the terms of its equation."""
        return self.values("door").annotate(**TERMS).order_by("door")

    def last_by_source(self) -> dict[int, datetime]:
        """Source → when it was last heard of. One query."""
        return dict(self.order_by().values_list("source").annotate(models.Max("last_at")))

    def received_by(self, unit: str) -> list[tuple[int, datetime, int, int]]:
        """(source, beginning of the minute, hour or day in the company's time zone, received, quarantined), in order
        of time. One query."""
        rows = (
            self.annotate(moment=Trunc("at", unit, output_field=models.DateTimeField()))
            .order_by()
            .values_list("source", "moment")
            .annotate(received=models.Sum("n_items"), quarantined=models.Sum("n_quarantined"))
        )
        return sorted(rows, key=lambda row: row[1])

    def active_hours(self) -> list[tuple[int, datetime]]:
        """(source, beginning of an hour in which anything came), in order of source and time. One query."""
        rows = self.annotate(hour=Trunc("at", "hour", output_field=models.DateTimeField()))
        return list(rows.order_by("source", "hour").values_list("source", "hour").distinct())


class ImportAccountQuerySet(models.QuerySet[Any]):
    def of_import(self, file_import: models.Model) -> Self:
        return self.filter(file_import=file_import)

    def equation(self) -> dict[str, int]:
        """The terms of the equation over all of them. One query."""
        return self.aggregate(**TERMS)


class FutureHourQuerySet(OfSourceQuerySet):
    def summary(self, since: datetime) -> dict[str, Any]:
        """`n` messages since then, the `furthest` so far ahead of our clock. One query."""
        return self.filter(hour__gte=since).aggregate(n=models.Sum("n", default=0), furthest=models.Max("furthest"))

    def furthest_by_source(self, since: datetime, *, fewest: int) -> dict[int, timedelta]:
        """Source → how far ahead of our clock its furthest message since then is, where there are that many. One
        query."""
        rows = self.filter(hour__gte=since).order_by().values("source").annotate(total=models.Sum("n"))
        found = rows.filter(total__gte=fewest).annotate(ahead=models.Max("furthest"))
        return dict(found.values_list("source", "ahead"))


class RejectedHourQuerySet(OfSourceQuerySet):
    def since(self, moment: datetime) -> Self:
        return self.filter(hour__gte=moment)

    def without_source(self) -> Self:
        """Of keys that nobody knows."""
        return self.filter(source__isnull=True)

    def by_status(self) -> Self:
        """One row for each HTTP status: `n` and `last`, the latest first."""
        return (
            self.order_by()
            .values("status")
            .annotate(total=models.Sum("n"), last=models.Max("last_at"))
            .order_by("-last")
        )

    def before(self, moment: datetime) -> Self:
        return self.filter(hour__lt=moment)


class RemovedQuerySet(OfSourceQuerySet):
    def by_kind(self) -> dict[str, int]:
        """Kind → how many were removed. One query."""
        return dict(self.order_by().values_list("kind").annotate(models.Sum("n")))


class AlertQuerySet(OfSourceQuerySet):
    def open(self) -> Self:
        return self.filter(closed_at__isnull=True)

    def over(self) -> Self:
        return self.filter(closed_at__isnull=False)

    def kinds(self) -> list[tuple[int, str]]:
        """(source, kind) of each. One query."""
        return list(self.order_by().values_list("source", "kind"))

    def unacknowledged(self) -> Self:
        return self.filter(acknowledged_at__isnull=True)

    def newest_first(self) -> Self:
        return self.order_by("-opened_at", "-pk")

    def with_source(self) -> Self:
        return self.select_related("source", "acknowledged_by")


class AlertRecipientQuerySet(models.QuerySet[Any]):
    def with_department(self) -> Self:
        return self.select_related("department")

    def for_source(self, source: Any) -> Self:
        """Those who hear of this source: the company's, and of its department; of a common source, every one's."""
        if source.department_id is None:
            return self.all()
        return self.filter(models.Q(department__isnull=True) | models.Q(department=source.department_id))


class AlertDeliveryQuerySet(models.QuerySet[Any]):
    def due(self) -> Self:
        return self.filter(status="waiting", due_at__lte=timezone.now())

    def last_problems(self) -> dict[int, str]:
        """Recipient → why the last message to it did not arrive, where it did not. One query."""
        last = self.exclude(attempts=0).order_by("recipient", "-pk").distinct("recipient")
        return {row[0]: row[1] for row in last.values_list("recipient", "problem") if row[1]}
