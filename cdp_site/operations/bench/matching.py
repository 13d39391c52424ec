"""`bench match`: how well and how quickly records are matched, in parts that can be run one by one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from rich.table import Table

from cdp_site.operations.bench import (
    matching_accuracy,
    matching_batch,
    matching_candidates,
    matching_next,
    matching_online,
)

PEOPLE: Final = 100_000


class Line(Protocol):
    """One figure; `ok` is None where there is no goal."""

    @property
    def ok(self) -> bool | None: ...

    def as_json(self) -> str: ...


@dataclass(frozen=True)
class Asked:
    """What the command was given.

    Attributes:
        data: folder of public sets of people, see `matching_sets`.
        seeds: how many times what depends on labels is run.
        people: of parts that need a database, with `touchpoints`; None: as many as the part is about.
    """

    data: Path | None
    seeds: int
    people: int | None
    touchpoints: int


class Part(Protocol):
    """Measures; what it finds comes as lines and as a table for people."""

    def __call__(self, asked: Asked) -> tuple[Sequence[Line], Table]: ...


def _accuracy(asked: Asked) -> tuple[Sequence[Line], Table]:
    figures = matching_accuracy.run(asked.data, seeds=asked.seeds)
    return figures, matching_accuracy.table(figures, seeds=asked.seeds)


def _candidates(asked: Asked) -> tuple[Sequence[Line], Table]:
    figures = matching_candidates.run(asked.data)
    return figures, matching_candidates.table(figures)


def _online(asked: Asked) -> tuple[Sequence[Line], Table]:
    figures = matching_online.run(asked.people or PEOPLE)
    return figures, matching_online.table(figures)


def _batch(asked: Asked) -> tuple[Sequence[Line], Table]:
    figures = matching_batch.run(asked.people or PEOPLE)
    return figures, matching_batch.table(figures)


def _next(asked: Asked) -> tuple[Sequence[Line], Table]:
    figures = matching_next.run(asked.people or matching_next.PEOPLE)
    return figures, matching_next.table(figures)


PARTS: Final[Mapping[str, Part]] = {
    "accuracy": _accuracy,
    "batch": _batch,
    "candidates": _candidates,
    "next": _next,
    "online": _online,
}
