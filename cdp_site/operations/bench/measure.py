"""Rounds, medians and the one shape of a result."""

import gc
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

ROUNDS = 5


@dataclass(frozen=True)
class Result:
    """One figure. `value` and `limit` are medians in `unit`; `ratio` is the median of the rounds' own ratios.

    `goal` is the least (or with `lower_is_better` the greatest) ratio wanted; None: reported only.
    """

    name: str
    value: float
    unit: str
    limit: float
    limit_name: str
    ratio: float
    goal: float | None
    lower_is_better: bool
    rounds: int
    note: str = ""

    @property
    def ok(self) -> bool | None:
        if self.goal is None:
            return None
        return self.ratio <= self.goal if self.lower_is_better else self.ratio >= self.goal

    def as_json(self) -> str:
        return json.dumps(asdict(self) | {"ok": self.ok}, ensure_ascii=False)


@dataclass(frozen=True)
class Failed:
    """A figure that could not be measured, and why; the others are measured all the same."""

    name: str
    problem: str

    def as_json(self) -> str:
        return json.dumps(asdict(self) | {"ok": False}, ensure_ascii=False)


@dataclass(frozen=True)
class Subject:
    """Something to measure: `run` does work once and returns its amount in units; `prepare` comes before, uncounted."""

    name: str
    run: Callable[[], int]
    goal: float | None = None
    note: str = ""
    prepare: Callable[[], None] = lambda: None


def throughput(*, limit: Subject, subjects: Sequence[Subject], unit: str, rounds: int = ROUNDS) -> list[Result]:
    """Interleave limit, subject, limit, subject …; each round's ratio uses the mean of the limits on both its sides,
    so that a machine that slows down half-way slows both. A warm-up round of each comes first and is not counted."""
    for warmed in (limit, *subjects):
        rate(warmed)
    values: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    ratios: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    limits = [rate(limit)]
    for _round in range(rounds):
        for subject in subjects:
            value = rate(subject)
            limits.append(rate(limit))
            values[subject.name].append(value)
            ratios[subject.name].append(value / statistics.fmean(limits[-2:]))
    return [
        Result(
            name=subject.name,
            value=round(statistics.median(values[subject.name]), 1),
            unit=unit,
            limit=round(statistics.median(limits), 1),
            limit_name=limit.name,
            ratio=round(statistics.median(ratios[subject.name]), 3),
            goal=subject.goal,
            lower_is_better=False,
            rounds=rounds,
            note=subject.note,
        )
        for subject in subjects
    ]


def latency(
    *, name: str, run: Callable[[], object], limit: tuple[str, Callable[[], object]], goal: float | None, note: str = ""
) -> Result:
    """Milliseconds of `run` against those of `limit`, interleaved; the goal is the greatest ratio wanted."""
    limit_name, run_limit = limit
    milliseconds(run)
    milliseconds(run_limit)
    values, limits, ratios = [], [], []
    for _round in range(ROUNDS):
        before = milliseconds(run_limit)
        value = milliseconds(run)
        after = milliseconds(run_limit)
        values.append(value)
        limits += [before, after]
        ratios.append(value / statistics.fmean([before, after]))
    return Result(
        name=name,
        value=round(statistics.median(values), 2),
        unit="ms",
        limit=round(statistics.median(limits), 2),
        limit_name=limit_name,
        ratio=round(statistics.median(ratios), 3),
        goal=goal,
        lower_is_better=True,
        rounds=ROUNDS,
        note=note,
    )


def cost(
    name: str, value: float, unit: str, limit: tuple[str, float], *, goal: float | None, rounds: int, note: str = ""
) -> Result:
    """One figure, of which less is better, against another: what that is called, and how much it is."""
    limit_name, least = limit
    return Result(
        name=name,
        value=round(value, 2),
        unit=unit,
        limit=round(least, 3),
        limit_name=limit_name,
        ratio=round(value / least, 3),
        goal=goal,
        lower_is_better=True,
        rounds=rounds,
        note=note,
    )


def percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def rate(subject: Subject) -> float:
    """Units a second of one run."""
    subject.prepare()
    gc.collect()
    started = time.perf_counter()
    amount = subject.run()
    return amount / (time.perf_counter() - started)


def milliseconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1000
