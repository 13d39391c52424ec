"""The account of what arrived: received = stored + duplicate + quarantined + suppressed + waiting, in messages."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db import models

from ingestion.models import FileImport, InboundBatch, Source


@dataclass(frozen=True, slots=True)
class Equation:
    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    suppressed: int = 0
    waiting: int = 0

    @property
    def holds(self) -> bool:
        parts = self.stored + self.duplicate + self.quarantined + self.suppressed + self.waiting
        return self.received == parts

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


_SUMS = {
    "received": models.Sum("n_items", default=0),
    "stored": models.Sum("n_stored", default=0),
    "duplicate": models.Sum("n_duplicate", default=0),
    "quarantined": models.Sum("n_quarantined", default=0),
    "suppressed": models.Sum("n_suppressed", default=0),
    "waiting": models.Sum("n_items", filter=models.Q(status=InboundBatch.Status.WAITING), default=0),
}


def _of(batches: "models.QuerySet[Any]") -> Equation:
    return Equation(**batches.aggregate(**_SUMS))


def of_source(source: Source) -> Equation:
    """One query over the source's batches."""
    return _of(InboundBatch.objects.of_source(source))


def of_sources(sources: Iterable[Source]) -> Mapping[int, Equation]:
    """Source id → its equation, also for sources that never sent anything. One query."""
    ids = [source.pk for source in sources]
    rows = InboundBatch.objects.filter(source_id__in=ids).values("source_id").order_by("source_id").annotate(**_SUMS)
    found = {row.pop("source_id"): Equation(**row) for row in rows}
    return {source_id: found.get(source_id, Equation()) for source_id in ids}


def of_import(file_import: FileImport) -> Equation:
    """One query over the import's batches."""
    return _of(InboundBatch.objects.of_import(file_import))
