"""`bench match --part candidates`: do people meet across scripts, and among how many.

The keys that need no learning, ranked as `profiles.matching.block_keys` ranks what it finds in the database: a record
asks, and its other half in the other script has to be among the first ten.
"""

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandError
from rich.table import Table

from cdp_site.operations.bench import matching_sets
from ingestion.normalise.thai import is_thai
from profiles.matching import keys
from profiles.matching.block_keys import MOST_CANDIDATES
from profiles.matching.matcher import Comparable

GOAL: Final = 0.97


@dataclass(frozen=True)
class Candidates:
    """How many of the pairs are found. `asked` counts both ways: each of the two records asks once."""

    pairs_of: str
    asked: int
    recall: float
    mean: float  # candidates a query
    p95: int
    most: int
    goal: float | None

    @property
    def ok(self) -> bool | None:
        return None if self.goal is None else self.recall >= self.goal and self.most <= MOST_CANDIDATES

    def as_json(self) -> str:
        return json.dumps(asdict(self) | {"ok": self.ok}, ensure_ascii=False)


def run(data: Path | None) -> list[Candidates]:
    """Raises CommandError when the set is missing."""
    try:
        people = matching_sets.thai(data)
    except FileNotFoundError as problem:
        raise CommandError(f"{problem}: give --data the folder that holds thai/.") from problem
    found = _found(people.records)
    told = people.true_pairs()
    across = [pair for pair in sorted(told | people.uncounted) if _scripts_differ(*(people.records[n] for n in pair))]
    kinds: tuple[tuple[str, Callable[[tuple[int, int]], bool], float | None], ...] = (
        ("that share a second field", told.__contains__, GOAL),
        ("with given and family name on both sides", lambda pair: _is_whole(people.records, pair), GOAL),
        ("all, with names in chats that nobody can tell", lambda pair: True, None),
    )
    return [_figure(kind, [pair for pair in across if counts(pair)], found, goal) for kind, counts, goal in kinds]


def table(figures: Sequence[Candidates]) -> Table:
    """For people."""
    found = Table(title=f"Candidates of true pairs across scripts, {MOST_CANDIDATES} a query at most")
    for heading in ("pairs", "queries", "recall", "candidates: mean", "p95", "most", ""):
        found.add_column(heading, justify="left" if heading == "pairs" else "right")
    for figure in figures:
        verdict = "" if figure.ok is None else "ok" if figure.ok else "falls short"
        found.add_row(
            figure.pairs_of, f"{figure.asked:,}", f"{figure.recall:.4f}", f"{figure.mean:.1f}", str(figure.p95),
            str(figure.most), f"{verdict} (goal ≥ {figure.goal})" if figure.goal else "",
        )  # fmt: skip
    return found


def _found(records: Mapping[int, Comparable]) -> dict[int, Collection[int]]:
    """Record → its candidates."""
    blocks: dict[str, set[int]] = defaultdict(set)
    of_records = {number: keys.fixed_keys(record) for number, record in records.items()}
    for number, of_record in of_records.items():
        for key in of_record:
            blocks[key].add(number)
    return {number: _first(number, of_record, blocks) for number, of_record in of_records.items()}


def _first(number: int, of_record: Iterable[str], blocks: Mapping[str, Collection[int]]) -> Collection[int]:
    weights: dict[int, float] = defaultdict(float)
    for key in of_record:
        if len(block := blocks[key]) <= keys.MOST_IN_BLOCK:
            for other in block:
                weights[other] += keys.weight(key) * (1 + math.log(keys.MOST_IN_BLOCK / len(block)))
    weights.pop(number, None)
    return sorted(weights, key=lambda other: (-weights[other], other))[:MOST_CANDIDATES]


def _figure(
    pairs_of: str, pairs: Sequence[tuple[int, int]], found: Mapping[int, Collection[int]], goal: float | None
) -> Candidates:
    hits = sum((b in found[a]) + (a in found[b]) for a, b in pairs)
    numbers = sorted(len(found[number]) for number in found)
    return Candidates(
        pairs_of=pairs_of,
        asked=2 * len(pairs),
        recall=round(hits / max(1, 2 * len(pairs)), 4),
        mean=round(statistics.mean(numbers), 1),
        p95=numbers[int(0.95 * (len(numbers) - 1))],
        most=numbers[-1],
        goal=goal,
    )


def _scripts_differ(a: Comparable, b: Comparable) -> bool:
    scripts_a, scripts_b = ({is_thai(name) for name in record["names"] or ()} for record in (a, b))
    return bool(scripts_a and scripts_b) and scripts_a.isdisjoint(scripts_b)


def _is_whole(records: Mapping[int, Comparable], pair: tuple[int, int]) -> bool:
    people: list[Any] = [records[number]["people"] for number in pair]
    return all(one and all(map(all, one)) for one in people)
