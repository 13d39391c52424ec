"""A benchmark's figure is the median of ratios, each against the limits measured right beside it."""

import itertools
import json

import pytest

from cdp_site.operations.bench import measure
from cdp_site.operations.bench.measure import Result, Subject


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still unless the work moves it."""
    now = [0.0]
    monkeypatch.setattr(measure.time, "perf_counter", lambda: now[0])
    return now


def test_a_slower_machine_in_the_middle_changes_no_ratio(clock: list[float]) -> None:
    slowness = itertools.chain([1.0] * 8, itertools.repeat(3.0))

    def work(seconds: float) -> int:
        clock[0] += seconds * next(slowness)
        return 100

    limit = Subject("limit", lambda: work(1.0))
    [result] = measure.throughput(limit=limit, subjects=[Subject("half", lambda: work(2.0), goal=0.4)], unit="x/s")
    assert result.ratio == pytest.approx(0.5, abs=0.05)
    assert result.ok


def test_preparation_is_not_counted(clock: list[float]) -> None:
    def prepare() -> None:
        clock[0] += 1_000

    def work() -> int:
        clock[0] += 1
        return 10

    assert measure.rate(Subject("prepared", work, prepare=prepare)) == 10


@pytest.mark.parametrize(
    ("ratio", "goal", "lower_is_better", "ok"),
    [
        (0.4, 0.35, False, True),
        (0.3, 0.35, False, False),
        (1.2, 1.3, True, True),
        (1.4, 1.3, True, False),
        (9, None, True, None),
    ],
)
def test_the_verdict_says_when_a_goal_is_missed(
    ratio: float, goal: float | None, lower_is_better: bool, ok: bool | None
) -> None:
    result = Result("x", 1, "ms", 1, "limit", ratio, goal, lower_is_better, 5)
    assert result.ok is ok
    assert json.loads(result.as_json())["ok"] is ok
