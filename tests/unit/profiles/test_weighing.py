"""Bars of what a model weighed."""

import pytest

from profiles.matching.weighing import LABELS, WIDTH, weigh

EVIDENCE = {"model": 7, "prior": -3.0, "fields": [["names", 6.0], ["phones", -1.5], ["shoe_size", 0.0]]}


def test_bars_go_from_the_middle_to_their_side_and_the_longest_fills_it() -> None:
    found = weigh(EVIDENCE, 0.97)
    assert found is not None
    assert [(bar.x, bar.width) for bar in (found.prior, *found.bars)] == [(50, 50), (100, 100), (75, 25), (100, 0)]
    assert [bar.text for bar in found.bars] == ["+6.0", "−1.5", "+0.0"]
    assert (found.percent, found.model) == (97, 7)


def test_a_field_of_another_time_shows_its_code() -> None:
    found = weigh(EVIDENCE, None)
    assert found is not None
    assert [bar.label for bar in found.bars] == [LABELS["names"], LABELS["phones"], "shoe_size"]
    assert found.percent is None


@pytest.mark.parametrize("weight", [0.1, 3.0, 25.0])
def test_no_bar_leaves_the_drawing(weight: float) -> None:
    found = weigh({"prior": -weight, "fields": [["names", weight]]}, 0.5)
    assert found is not None
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH for bar in (found.prior, *found.bars))


def test_what_no_model_has_weighed_has_no_bars() -> None:
    assert weigh({"rule": "steward"}, None) is None
