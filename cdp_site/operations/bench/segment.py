"""`bench segment`: how long the six definitions of `segment_questions` take to be counted exactly and to be estimated,
and the compiled query against SQL written by hand and against DuckDB, on the same people in the same run.

How it grows is read from two runs, of 1M and of 10M touchpoints.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from django.db import connection
from psycopg import sql
from rich.console import Console

from cdp_site.operations.bench import database, segment_duckdb
from cdp_site.operations.bench.measure import ROUNDS, Failed, Result, cost, latency, milliseconds, percentile
from cdp_site.operations.bench.segment_questions import QUESTIONS, Dialect, Question, asked
from cdp_site.operations.progress import Progress
from segments import audience, estimate

if TYPE_CHECKING:
    import duckdb

EXACT_MS, ESTIMATE_MS = 1_000.0, 500.0
BY_HAND_GOAL, DUCKDB_GOAL = 1.3, 10.0
PATIENCE = 30
"""Seconds after which a way to ask is given up; where all are, the first remains."""

SQL = sql.SQL
T = TypeVar("T")


def run(url: str) -> Iterator[Result | Failed]:
    """Four results a question, three without DuckDB, each as soon as it is measured; all sides must find the same
    people, and somebody. What fails is reported in its place."""
    now, console = database.built_until(), Console(stderr=True)
    with ExitStack() as stack:
        native = None
        if segment_duckdb.is_installed():
            native = stack.enter_context(segment_duckdb.copied(Progress(console)))
        else:
            console.print(segment_duckdb.MISSING)
        for question, compiled in zip(QUESTIONS, asked(now), strict=True):
            yield from _measured(Sides(question, compiled, now, native))


_WITHOUT = (("enable_nestloop",), (), ("enable_hashagg",), ("enable_nestloop", "enable_hashagg"))


@dataclass(frozen=True)
class _ByHand:
    """A query as a person runs it, who sees on a plan what of the planner's does it harm, and does without that."""

    query: sql.Composable
    without: Sequence[str]

    def ids(self) -> set[int]:
        return {profile_id for (profile_id,) in _rows(self.query, self.without)}

    def number(self) -> int:
        return int(_rows(SQL("SELECT count(*) FROM ({}) q").format(self.query), self.without)[0][0])


@dataclass(frozen=True)
class Sides:
    """One question in all its forms."""

    question: Question
    asked: audience.Question
    now: datetime
    native: "duckdb.DuckDBPyConnection | None"

    def compiled(self) -> int:
        return audience.count(self.asked)

    def by_hand(self) -> list[_ByHand]:
        written = [write(Dialect(), self.now) for write in self.question.by_hand]
        return [_ByHand(query, without) for query in written for without in _WITHOUT]

    def in_duckdb(self) -> list[sql.Composable]:
        return [write(segment_duckdb.Native(), self.now) for write in self.question.in_duckdb]

    def members(self) -> set[int]:
        """Everybody in it. Raises AssertionError where two sides differ."""
        found = {profile_id for share in self.asked.shares() for (profile_id,) in _rows(share)}
        ways: dict[str, Callable[[], set[int]]] = {
            f"by hand, {number}": one.ids for number, one in enumerate(self.by_hand()) if one.without == _WITHOUT[0]
        }
        if self.native is not None:
            for number, query in enumerate(self.in_duckdb()):
                ways[f"in DuckDB, {number}"] = partial(segment_duckdb.ids, self.native, query)
        for name, ids in ways.items():
            if (others := ids()) != found:
                raise AssertionError(
                    f"{self.question.name}: {len(found):,} compiled, {len(others):,} {name}, "
                    f"{len(found ^ others):,} people differ"
                )
        return found


def _measured(sides: Sides) -> Iterator[Result | Failed]:
    name = f"segment.{sides.question.name}"
    members = _tried_for(name, sides.members)
    if isinstance(members, Failed):
        yield members
    elif not members:
        yield Failed(name, "finds nobody")
    else:
        for kind, measure in _figures(sides, name, len(members)).items():
            yield _tried_for(f"{name}.{kind}", measure)


def _tried_for(name: str, measure: Callable[[], T]) -> T | Failed:
    """What comes of it; whatever goes wrong is this figure's alone."""
    try:
        return measure()
    except Exception as problem:
        return Failed(name, f"{type(problem).__name__}: {problem}")


def _figures(sides: Sides, name: str, members: int) -> dict[str, Callable[[], Result]]:
    """Kind of figure → how it is measured."""
    who = f"{sides.question.about}; {members:,} members"

    def beside(kind: str, other: str, ways: Sequence[Callable[[], int]], goal: float) -> Result:
        limit = (other, _quickest(ways))
        return latency(name=f"{name}.{kind}", run=sides.compiled, limit=limit, goal=goal, note=who)

    def by_hand() -> Result:
        return beside("by-hand", "hand-written SQL", [one.number for one in sides.by_hand()], BY_HAND_GOAL)

    figures: dict[str, Callable[[], Result]] = {
        "exact": partial(_exact, sides, name=f"{name}.exact", members=members, who=who),
        "estimate": partial(_estimated, sides, name=f"{name}.estimate", members=members),
        "by-hand": by_hand,
    }
    if (native := sides.native) is not None:

        def in_duckdb() -> Result:
            ways = [partial(segment_duckdb.number, native, query) for query in sides.in_duckdb()]
            return beside("duckdb", "DuckDB", ways, DUCKDB_GOAL)

        figures["duckdb"] = in_duckdb
    return figures


def _exact(sides: Sides, *, name: str, members: int, who: str) -> Result:
    """The number on the segment's page as it is counted from the data, with nothing stored."""
    count = partial(_patiently, partial(audience.count, sides.asked))
    counted = count()
    if counted not in {members, None}:
        raise AssertionError(f"{sides.question.name}: {counted:,} counted, {members:,} members")
    value = _median(count)
    note = who if counted is not None else f"{who}; stopped after {audience.LIMIT_SECONDS} s"
    return cost(name, value, "ms", ("one second", EXACT_MS), goal=1.0, rounds=ROUNDS, note=note)


def _estimated(sides: Sides, *, name: str, members: int) -> Result:
    """What the builder says after each edit: how long it takes, and whether its bounds hold the true number."""
    found = estimate.estimate(sides.asked)  # the count of everybody is remembered from now on, as in the builder
    value = _median(partial(estimate.estimate, sides.asked))
    said = found.members
    holds = "holds" if said.low <= members <= said.high else "does not hold"
    note = f"{said.value:,} ({said.low:,} to {said.high:,}, which {holds} the true number); {found.sampled:,} asked"
    return cost(name, value, "ms", ("half a second", ESTIMATE_MS), goal=1.0, rounds=ROUNDS, note=note)


def _median(run: Callable[[], object]) -> float:
    return percentile([milliseconds(run) for _round in range(ROUNDS)], 50)


def _patiently(count: Callable[[], int]) -> int | None:
    """None where the product gives up."""
    try:
        return count()
    except audience.TooSlowProblem:
        return None


def _quickest(ways: Sequence[Callable[[], int]]) -> Callable[[], int]:
    """The way that takes least when it is taken for the second time."""
    if len(ways) == 1:
        return ways[0]
    return min(ways, key=_tried)


def _tried(way: Callable[[], int]) -> float:
    try:
        way()
        return milliseconds(way)
    except audience.TooSlowProblem:
        return float("inf")


def _rows(query: sql.Composable, without: Sequence[str] = ()) -> list[tuple[int]]:
    """With the helpers that the product gives an exact count at most. Raises TooSlowProblem."""
    with audience.time_limit(PATIENCE, helpers=audience.SHARERS), connection.cursor() as cursor:
        for setting in without:
            cursor.execute(SQL("SET LOCAL {} TO off").format(sql.Identifier(setting)))
        cursor.execute(query)
        return cursor.fetchall()
