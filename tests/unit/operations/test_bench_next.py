"""`bench match --part next`: what is told of the answers to verdicts."""

from typing import Any

import pytest
from django.http import HttpResponse

from cdp_site.operations.bench import matching, matching_next


def measured(*decided: float) -> dict[str, Any]:
    times = {"decided": list(decided), "nothing": [2.0, 2.0, 4.0], "cpu": [40.0, 30.0, 50.0]}
    return times | {"looks": [80.0, 60.0, 70.0], "waiting": 3_210}


def test_the_slow_ones_are_held_to_the_goal_and_all_told_beside_a_view_that_does_nothing() -> None:
    lines = {line.name: line for line in matching_next.results(measured(*range(1, 101)), 20_000)}
    assert list(lines) == [f"match.next.{name}" for name in ("p50", "p95", "max", "page")]
    median, p95, longest, page = lines.values()
    assert (median.value, median.limit, median.ratio, median.ok) == (50.5, 2.0, 25.25, None)
    assert (p95.value, p95.limit, p95.ratio, p95.ok) == (96, 100, 0.96, True)
    assert (longest.value, longest.ratio, longest.ok) == (100, 1.0, None)
    assert (page.value, page.rounds) == (70.0, 3)
    assert median.note == "20,000 people, 3,210 pairs waiting; 100 verdicts, 40 ms of this process's CPU each"
    assert p95.note.startswith("48.0×")


def test_an_answer_that_takes_too_long_falls_short() -> None:
    lines = matching_next.results(measured(*[10.0] * 90, *[101.0] * 10), 20_000)
    assert [line.ok for line in lines] == [None, False, None, None]


def test_the_browser_knows_which_pairs_have_come() -> None:
    page = '<article data-pair="7"></article><article data-pair="12" hidden></article><i data-pair="7"></i>'
    assert matching_next._pairs(HttpResponse(page)) == ["7", "12"]


def test_it_has_a_size_of_its_own_where_none_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(matching_next, "run", lambda people: asked.append(people) or [])
    for people in (None, 500):
        _lines, table = matching.PARTS["next"](matching.Asked(data=None, seeds=1, people=people, touchpoints=1))
        assert table.row_count == 0
    assert asked == [matching_next.PEOPLE, 500]
