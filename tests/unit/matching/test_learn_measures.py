"""Precision, recall and thresholds, each counted as what it stands for."""

import pytest

from profiles.matching import measures


def test_a_held_out_pair_counts_for_as_many_as_it_stands_for() -> None:
    found = measures.quality([0.9, 0.9, 0.1], [True, False, True], [1.0, 1.0, 8.0], threshold=0.6)
    assert found.precision.value == 0.5
    assert found.recall.value == pytest.approx(1 / 9, abs=1e-4)
    assert found.f1 == pytest.approx(2 / 11, abs=1e-4)


def test_few_pairs_make_a_wide_interval() -> None:
    few, many = measures.share(9, [1.0] * 10), measures.share(900, [1.0] * 1000)
    assert few.value == many.value == 0.9
    assert few.low < many.low < 0.9 < many.high < few.high <= 1


def test_nothing_measured_is_said_as_such() -> None:
    assert measures.share(0, []) == measures.Interval(None, 0.0, 1.0)
    assert measures.quality([], [], [], threshold=0.6).f1 is None


def test_each_pair_is_in_one_bin_by_what_was_said_of_it() -> None:
    bins = measures.histogram([0.0, 0.5, 1.0, 0.999], [None, True, False, None])
    assert len(bins) == measures.BINS
    assert bins[0]["other"] == 1
    assert bins[10]["same"] == 1
    assert bins[-1] == {"same": 0, "different": 1, "other": 1}


def test_a_higher_precision_asks_for_a_higher_threshold_and_leaves_more_to_people() -> None:
    scores = [index / 1000 for index in range(1000)] + [0.999] * 300
    found = measures.proposals(scores, share_of_all=0.5)
    attach = [one.attach or 1.1 for one in found]
    assert attach == sorted(attach)
    assert [one.pairs for one in found] == sorted(one.pairs for one in found)
    assert [one.recall for one in found] == sorted((one.recall for one in found), reverse=True)
    for one in found:
        assert one.attach is None or one.review <= one.attach
        assert one.attach is None or one.attach >= measures.LEAST_ATTACH
        assert one.hours == pytest.approx(one.pairs * 8 / 3600, abs=0.01)


def test_verdicts_take_a_model_down_that_is_too_sure_of_itself() -> None:
    scores = [0.99] * 40 + [0.01] * 40
    sobered = measures.calibration(scores, [index % 4 != 0 for index in range(40)] + [False] * 40)
    assert 0.7 < sobered(0.99) < 0.9
    assert sobered(0.5) < sobered(0.9) < sobered(0.99) < sobered(1.0)
    unsaid = measures.calibration([], [])
    assert all(abs(unsaid(score) - score) < 1e-9 for score in (0.01, 0.5, 0.99))
    certain = measures.proposals(scores, share_of_all=1.0)
    cautious = measures.proposals(scores, share_of_all=1.0, chance=sobered)
    assert certain[0].attach is not None
    assert cautious[0].attach is None


def test_the_pool_is_a_share_of_the_work() -> None:
    scores = [0.3] * 10 + [0.99] * 10
    small, large = (measures.proposals(scores, share_of_all=share)[0].pairs for share in (1.0, 0.1))
    assert large == 10 * small > 0


def test_without_any_precise_threshold_none_is_proposed() -> None:
    assert all(one.attach is None for one in measures.proposals([0.4] * 50, share_of_all=1.0))
    assert all(one.recall == 0 for one in measures.proposals([], share_of_all=1.0))
