"""What a list brought, in numbers: intervals, verdicts, and the lot."""

import math
import random
from uuid import UUID, uuid4

import pytest

from segments.exports import lift
from segments.exports.drawing import is_held_out
from segments.exports.lift import Group, Verdict


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_papers_own_examples(one: tuple[int, int], other: tuple[int, int], low: float, high: float) -> None:
    bounds = lift.newcombe(Group(one[1], one[0]), Group(other[1], other[0]))
    assert bounds == pytest.approx((low, high), abs=0.00005)


def test_the_interval_holds_the_truth_nineteen_times_of_twenty() -> None:
    """Of a small holdout and rare orders, where the usual interval holds it far less often."""
    chance = random.Random(6)

    def draw(n: int, rate: float) -> Group:
        return Group(n, sum(chance.random() < rate for _person in range(n)))

    rounds, held = 1_000, 0
    for _round in range(rounds):
        low, high = lift.newcombe(draw(450, 0.06), draw(50, 0.03))
        held += low <= 0.03 <= high
    assert 0.93 <= held / rounds <= 0.98


def test_without_a_difference_nothing_is_proven_nineteen_times_of_twenty() -> None:
    chance = random.Random(7)
    rounds, proven = 1_000, 0
    for _round in range(rounds):
        groups = [Group(n, sum(chance.random() < 0.05 for _person in range(n))) for n in (540, 60)]
        proven += lift.compare(*groups, percent=10).verdict in (Verdict.MORE, Verdict.LESS)
    assert proven / rounds <= 0.07


@pytest.mark.parametrize(
    ("listed", "held_out", "percent", "verdict"),
    [
        (Group(9_000, 540), Group(1_000, 30), 10, Verdict.MORE),
        (Group(9_000, 180), Group(1_000, 60), 10, Verdict.LESS),
        (Group(9_000, 540), Group(1_000, 58), 10, Verdict.NOT_PROVEN),
        (Group(81, 81), Group(9, 0), 10, Verdict.TOO_FEW),
        (Group(9, 9), Group(9, 0), 50, Verdict.TOO_FEW),
        (Group(9_000, 540), Group(500, 15), 10, Verdict.BROKEN),
    ],
)
def test_verdicts(listed: Group, held_out: Group, percent: int, verdict: Verdict) -> None:
    found = lift.compare(listed, held_out, percent=percent)
    assert found.verdict is verdict
    assert found.low <= found.difference <= found.high


def test_what_crosses_nothing_is_not_proven_however_large_it_looks() -> None:
    found = lift.compare(Group(90, 12), Group(10, 0), percent=10)
    assert found.difference > 0.1
    assert found.verdict is Verdict.NOT_PROVEN


def test_how_many_did_it_because_of_the_list() -> None:
    found = lift.compare(Group(9_000, 540), Group(1_000, 30), percent=10)
    least, most = found.brought
    assert 0 < least < 540 - 270 < most


def test_without_a_group_there_is_neither_a_rate_nor_an_error() -> None:
    found = lift.compare(Group(0, 0), Group(0, 0), percent=0)
    assert (found.difference, found.low, found.high, found.verdict) == (0, -1, 1, Verdict.TOO_FEW)
    assert lift.smallest_provable(0, 5, 0.1) is None


def test_the_smallest_provable_difference_shrinks_with_the_square_root_of_the_groups() -> None:
    small, large = lift.smallest_provable(900, 100, 0.05), lift.smallest_provable(3_600, 400, 0.05)
    assert small is not None
    assert large is not None
    assert small == pytest.approx(2 * large)
    assert small == pytest.approx(2.8016 * math.sqrt(0.05 * 0.95 * (1 / 900 + 1 / 100)), rel=1e-4)


class TestLot:
    def test_the_same_lot_for_the_same_list_and_person(self) -> None:
        export, person = UUID(int=1), UUID(int=2)
        assert len({is_held_out(export, person, 50) for _again in range(5)}) == 1

    def test_it_takes_the_share_that_was_said(self) -> None:
        export = uuid4()
        people = [uuid4() for _person in range(20_000)]
        for percent in (0, 10, 50):
            drawn = sum(is_held_out(export, person, percent) for person in people)
            # five standard deviations
            assert abs(drawn - 200 * percent) <= 5 * math.sqrt(20_000 * percent / 100 * (1 - percent / 100))

    def test_each_list_draws_anew(self) -> None:
        people = [uuid4() for _person in range(5_000)]
        first, second = ({one for one in people if is_held_out(UUID(int=n), one, 20)} for n in (1, 2))
        assert 0.12 < len(first & second) / len(first) < 0.28

    def test_who_stays_out_of_few_stays_out_of_more(self) -> None:
        export = UUID(int=3)
        people = [uuid4() for _person in range(2_000)]
        few, more = ({one for one in people if is_held_out(export, one, percent)} for percent in (5, 20))
        assert few < more
