"""Through whose eyes a definition is asked, and how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any as Json
from typing import Protocol

from psycopg import sql

from segments.definition.evaluate import Moment


class Strategy(Enum):
    """SWEEP asks about everybody, PROBE about few (`compile`)."""

    SWEEP = "sweep"
    PROBE = "probe"


@dataclass(frozen=True)
class Span:
    """Some of the profiles: those with ids from `first` up to, and without, `end`."""

    first: int
    end: int

    def holds(self, column: sql.Composable) -> sql.Composed:
        """That a column of profile ids lies in it."""
        return sql.SQL("{column} >= {first} AND {column} < {end}").format(column=column, first=self.first, end=self.end)


Those = Callable[[sql.Composable], sql.Composable]
"""Of a column of profile ids the condition that narrows it."""


class ComputedColumn(Protocol):
    """A computed trait (`segments.traits`) as a viewer compares it."""

    @property
    def of_none(self) -> Json:
        """What somebody without a row is compared by; None: unknown."""

    @property
    def is_stored(self) -> bool:
        """Whether the values are read; otherwise they are computed when they are asked for."""

    def select(self, viewer: "Viewer", moment: Moment, those: Those | None = None) -> sql.Composed:
        """SELECT of `profile_id` and `value` (jsonb) of those who have one, each once."""


@dataclass(frozen=True)
class Viewer:
    """Event types, purposes and visible sources by name; hidden traits; ids of the visible sources (None: all of them).

    An event type that is absent has no touchpoints here, a source that is absent sent none, a hidden trait has no
    value, and about a purpose that is absent nobody was asked. Consent itself is everybody's: it knows no departments.
    """

    event_types: Mapping[str, int]
    purposes: Mapping[str, int]
    hidden_traits: frozenset[str] = frozenset()
    sources: frozenset[int] | None = None
    source_ids: Mapping[str, int] = field(default_factory=dict)
    computed: Mapping[str, ComputedColumn] = field(default_factory=dict)  # by the names that definitions call them

    @property
    def visible_sources(self) -> list[int]:
        """For conditions that are only written where `sources` is not None."""
        return sorted(self.sources or ())
