"""The account of what arrived: received = stored + duplicate + quarantined + suppressed + waiting, in messages.

Each answer is one statement over batches and what was rolled up of them, so that it holds at every commit."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ingestion.models import AccountRow, FileImport, ImportAccountRow, Source


@dataclass(frozen=True, slots=True)
class Equation:
    received: int = 0
    stored: int = 0
    duplicate: int = 0
    quarantined: int = 0
    suppressed: int = 0
    waiting: int = 0

    @classmethod
    def of_row(cls, row: Mapping[str, Any]) -> "Equation":
        """From a row of `AccountQuerySet.equation_by_…`, which says more besides."""
        return cls(**{term.name: row[term.name] for term in fields(cls)})

    @property
    def holds(self) -> bool:
        parts = self.stored + self.duplicate + self.quarantined + self.suppressed + self.waiting
        return self.received == parts

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def of_source(source: Source) -> Equation:
    """One query over all that the source ever sent."""
    return Equation(**AccountRow.objects.of_source(source).equation())


def of_sources(sources: Iterable[Source]) -> Mapping[int, Equation]:
    """Source id → its equation, also for sources that never sent anything. One query."""
    ids = [source.pk for source in sources]
    rows = AccountRow.objects.of_sources(ids).equation_by_source()
    found = {row["source"]: Equation.of_row(row) for row in rows}
    return {source_id: found.get(source_id, Equation()) for source_id in ids}


def of_import(file_import: FileImport) -> Equation:
    """One query over all that the import ever landed."""
    return Equation(**ImportAccountRow.objects.of_import(file_import).equation())
