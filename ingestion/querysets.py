"""Named questions about sources and what arrived from them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone

from cdp_site.core.access import ContainerQuerySet

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from cdp_site.core.models import User


class SourceQuerySet(ContainerQuerySet):
    def active(self) -> SourceQuerySet:
        return self.filter(is_active=True)

    def external(self) -> SourceQuerySet:
        """Systems of the company; without this platform's own source."""
        return self.exclude(kind="internal")


class _OfSourceQuerySet(models.QuerySet[Any]):
    """Rows that belong to a source are seen by those who see the source."""

    def visible_to(self, user: User | AnonymousUser) -> _OfSourceQuerySet:
        sources = self.model._meta.get_field("source").related_model._default_manager.visible_to(user)
        return self.filter(source__in=sources)

    def of_source(self, source: models.Model) -> _OfSourceQuerySet:
        return self.filter(source=source)


class InboundBatchQuerySet(_OfSourceQuerySet):
    def waiting(self) -> InboundBatchQuerySet:
        return self.filter(status="waiting")

    def of_import(self, file_import: models.Model) -> InboundBatchQuerySet:
        return self.filter(file_import=file_import)


class FileImportQuerySet(_OfSourceQuerySet):
    def abandoned(self) -> FileImportQuerySet:
        """Started, but no living job holds them (watchdog)."""
        return self.filter(status__in=["ready", "landing"]).filter(
            models.Q(lease_until__isnull=True) | models.Q(lease_until__lt=timezone.now())
        )

    def with_file_older_than(self, moment: datetime) -> FileImportQuerySet:
        return self.filter(created_at__lt=moment).exclude(stored_as="")


class QuarantinedItemQuerySet(_OfSourceQuerySet):
    def open(self) -> QuarantinedItemQuerySet:
        return self.filter(status="open")

    def for_reason(self, reason: str) -> QuarantinedItemQuerySet:
        return self.filter(reason=reason)

    def by_reason(self) -> QuarantinedItemQuerySet:
        """One row for each (source, reason): `n`, `first_at`, `last_at`; the largest first."""
        return (
            self.values("source", "source__name", "reason")
            .annotate(n=models.Count("pk"), first_at=models.Min("at"), last_at=models.Max("at"))
            .order_by("-n", "source__name", "reason")
        )

    def about(self, subject_keys: list[bytes]) -> QuarantinedItemQuerySet:
        """Those in which one of these identifiers (keyed hashes) was found."""
        return self.filter(subject_keys__overlap=subject_keys)
