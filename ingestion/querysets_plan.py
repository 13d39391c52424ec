"""Named questions about the tracking plan and about corrections."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any, Self

from django.db import models
from django.utils import timezone

from ingestion.querysets import OfSourceQuerySet


class PlanObservationQuerySet(OfSourceQuerySet):
    def without_events(self, names: Collection[str]) -> Self:
        """Leaves out events that the reader's department does not see."""
        return self.exclude(event__in=names)

    def of_event(self, event: str) -> Self:
        return self.filter(event=event)

    def since(self, day: date) -> Self:
        return self.filter(day__gte=day)

    def by_event(self) -> Self:
        """One row for each event: messages, those looked into, sources, when last."""
        return (
            self.filter(property="")
            .values("event")
            .annotate(
                total=models.Sum("n"),
                sampled=models.Sum("n_sampled"),
                sources=models.Count("source", distinct=True),
                last=models.Max("last_at"),
            )
            .order_by("event")
        )

    def by_source(self) -> Self:
        """One row for each source of the event itself."""
        return (
            self.filter(property="")
            .values("source", "source__name")
            .annotate(total=models.Sum("n"), sampled=models.Sum("n_sampled"), last=models.Max("last_at"))
            .order_by("-total", "source__name")
        )

    def by_property(self) -> Self:
        """One row for each property, JSON type and source."""
        return (
            self.exclude(property="")
            .values("property", "json_type", "source__name")
            .annotate(total=models.Sum("n"), last=models.Max("last_at"))
            .order_by("property", "-total", "json_type", "source__name")
        )

    def by_day(self) -> Self:
        """One row for each day: messages of the event itself."""
        return self.filter(property="").values("day").annotate(total=models.Sum("n")).order_by("day")


class PlanSchemaQuerySet(models.QuerySet[Any]):
    def pinned(self) -> Self:
        return self.filter(is_pinned=True)

    def of_event(self, event: str) -> Self:
        return self.filter(event=event)

    def newest_first(self) -> Self:
        return self.order_by("-version")

    def with_people(self) -> Self:
        return self.select_related("created_by", "unpinned_by")

    def numbered(self, version: int) -> Self:
        return self.filter(version=version)


class PlanViolationQuerySet(OfSourceQuerySet):
    def of_event(self, event: str) -> Self:
        return self.filter(event=event)

    def without_events(self, names: Collection[str]) -> Self:
        return self.exclude(event__in=names)

    def since(self, moment: datetime) -> Self:
        return self.filter(at__gte=moment)

    def before(self, moment: datetime) -> Self:
        return self.filter(at__lt=moment)

    def total(self) -> int:
        found: int = self.aggregate(total=models.Sum("n", default=0))["total"]
        return found

    def by_event(self) -> Self:
        return self.values("event").annotate(total=models.Sum("n")).order_by("-total", "event")

    def by_rule(self) -> Self:
        """One row for each rule that was broken, the most broken first."""
        return (
            self.values("event", "rule")
            .annotate(total=models.Sum("n"), last=models.Max("at"))
            .order_by("-total", "rule")
        )

    def by_time(self) -> Self:
        """One row for each five minutes in which anything was broken."""
        return self.values("at").annotate(total=models.Sum("n")).order_by("at")


class CorrectionRuleQuerySet(OfSourceQuerySet):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def in_order(self) -> Self:
        return self.order_by("position", "pk")

    def for_reasons(self, reason: str) -> Self:
        """Those of a group: its reason's, and those for every message."""
        return self.filter(reason__in=["", reason])

    def newest_versions(self) -> Self:
        """One row for each rule: its newest version."""
        newest = self.model._default_manager.filter(key=models.OuterRef("key")).order_by("-version").values("pk")[:1]
        return self.filter(pk=models.Subquery(newest))

    def of_key(self, key: Any) -> Self:
        return self.filter(key=key)

    def with_people(self) -> Self:
        return self.select_related("source", "created_by")


class ReplayQuerySet(OfSourceQuerySet):
    def of_reason(self, reason: str) -> Self:
        return self.filter(reason=reason)

    def unfinished(self) -> Self:
        return self.filter(status__in=["running", "undoing"])

    def abandoned(self) -> Self:
        """Begun, but no living job holds them."""
        return self.unfinished().filter(
            models.Q(lease_until__isnull=True) | models.Q(lease_until__lt=timezone.now()),
            created_at__lt=timezone.now() - timedelta(seconds=30),
        )

    def finished_before(self, moment: datetime) -> Self:
        return self.filter(status="finished", created_at__lt=moment)

    def with_messages(self) -> Self:
        """Those of which quarantine still keeps what the messages said."""
        return self.filter(quarantineditem__isnull=False).distinct()

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")

    def with_people(self) -> Self:
        return self.select_related("source", "created_by", "undone_by")
