"""Columns of files that repeat, night after night, what the customer once said.

An unchanged cell is no consent event: the ledger gets an entry when a column changes. Between two changes lies a *run*;
how long it has gone on is kept beside its first entry (`RepeatedCell`), because files may arrive in any order: an older
row that says something else falls into a run and parts it. What the run still said afterwards is then an entry too,
dated so that a doubt never widens: a denial as late, a grant as early as the run allows.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid5

from consent.models import ConsentEntry, RepeatedCell, SecondedCell
from consent.states import Origin, State

MOMENT = timedelta(microseconds=1)


class Column(NamedTuple):
    """A column of one row of a file, as it comes again and again."""

    record_id: int
    purpose_id: int
    channel: str
    address: str


# Time, denial or not, state: at the same instant the denial is the later, as in `Statement.order`.
Order = tuple[datetime, bool, str]


@dataclass(slots=True)
class Run:
    """A column says what `entry` says, from then to `last`."""

    entry: ConsentEntry
    last: datetime
    is_new: bool = False
    has_grown: bool = False
    seconds: list[ConsentEntry] = field(default_factory=list)  # cells of other imports that said the same

    @property
    def order(self) -> Order:
        return order_of(self.entry)


@dataclass(slots=True)
class Runs:
    """The runs of one column, in time."""

    runs: list[Run] = field(default_factory=list)

    def take(self, cell: ConsentEntry) -> None:
        """Put a cell where it belongs: it prolongs a run, begins one, or parts one in two."""
        place = bisect_right(self.runs, order_of(cell), key=lambda run: run.order)
        before = self.runs[place - 1] if place else None
        if before is not None and before.entry.state == cell.state:
            if cell.operation_id != before.entry.operation_id:
                before.seconds.append(cell)
            if cell.occurred_at > before.last:
                before.last, before.has_grown = cell.occurred_at, True
            return
        self.runs.insert(place, Run(cell, cell.occurred_at, is_new=True))
        if before is not None and (rest := _rest(before, cell)) is not None:
            self.runs.insert(place + 1, rest)
            before.last, before.has_grown = before.entry.occurred_at, True


def _rest(run: Run, cell: ConsentEntry) -> Run | None:
    """What the run said after the cell that falls into it; None when it had ended."""
    denies = run.entry.state != State.GRANTED
    begins_at = run.last if denies else cell.occurred_at + MOMENT
    if run.last == run.entry.occurred_at or run.last < cell.occurred_at or begins_at > run.last:
        return None
    rest = copy(run.entry)
    rest.pk = uuid5(cell.pk, "goes on")
    rest.occurred_at, rest.received_at = begins_at, max(cell.received_at, begins_at)
    rest.evidence = {"repeats": str(run.entry.pk)}
    rest._state = copy(rest._state)
    rest._state.adding = True
    return Run(rest, run.last, is_new=True, has_grown=run.last > begins_at)


def order_of(entry: ConsentEntry) -> Order:
    return (entry.occurred_at, entry.state != State.GRANTED, entry.state)


def column_of(entry: ConsentEntry) -> Column:
    return Column(entry.record_id, entry.purpose_id, entry.channel, entry.address)


def changes(
    cells: Iterable[ConsentEntry],
) -> tuple[list[ConsentEntry], list[RepeatedCell], list[SecondedCell]]:
    """The entries that these cells make, how far runs have gone on, and which imports said what others had said. One
    query, none without cells.

    The repetitions are for entries that are stored or among those returned.
    """
    arrived = sorted(cells, key=order_of)
    if not arrived:
        return [], [], []
    columns = _stored({cell.record_id for cell in arrived})
    for cell in arrived:
        columns[column_of(cell)].take(cell)
    runs = [run for column in {column_of(cell) for cell in arrived} for run in columns[column].runs]
    return (
        [run.entry for run in runs if run.is_new],
        [RepeatedCell(entry_id=run.entry.pk, last_stated_at=run.last) for run in runs if run.has_grown],
        [second for run in runs for second in _seconds(run)],
    )


def _seconds(run: Run) -> list[SecondedCell]:
    said: dict[UUID | None, list[datetime]] = defaultdict(list)
    for cell in run.seconds:
        said[cell.operation_id].append(cell.occurred_at)
    return [
        SecondedCell(
            entry_id=run.entry.pk, operation_id=operation_id, first_stated_at=min(times), last_stated_at=max(times)
        )
        for operation_id, times in said.items()
    ]


def _stored(record_ids: Iterable[int]) -> defaultdict[Column, Runs]:
    columns: defaultdict[Column, Runs] = defaultdict(Runs)
    entries = ConsentEntry.objects.of_records(record_ids).standing().with_origin(Origin.CELL).select_related("repeated")
    for entry in sorted(entries, key=order_of):
        repeated: RepeatedCell | None = getattr(entry, "repeated", None)
        last = max(repeated.last_stated_at, entry.occurred_at) if repeated else entry.occurred_at
        columns[column_of(entry)].runs.append(Run(entry, last))
    return columns


def store(repetitions: Sequence[RepeatedCell]) -> None:
    """Note how far runs have gone on. One statement a thousand."""
    RepeatedCell.objects.bulk_create(
        sorted(repetitions, key=lambda one: one.entry_id),
        update_conflicts=True,
        unique_fields=["entry"],
        update_fields=["last_stated_at"],
        batch_size=1000,
    )


def store_seconds(seconds: Sequence[SecondedCell]) -> None:
    """Note which imports said what others had said. One statement a thousand, none in most steps."""
    SecondedCell.objects.bulk_create(
        sorted(seconds, key=lambda one: (one.entry_id, str(one.operation_id))),
        update_conflicts=True,
        unique_fields=["entry", "operation_id"],
        update_fields=["last_stated_at"],
        batch_size=1000,
    )
