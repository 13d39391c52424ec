"""Bounds of numbers that come from a sample."""

import random

import pytest

from segments.intervals import Range, of_sample, wilson
from segments.templatetags.ranges import bounds, people


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998),
        # table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_that_of_wilson(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=5e-5)


def test_nothing_is_known_of_an_empty_sample() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert of_sample(0, 0, 500, part=0.1) == Range(0, 0, 500)


def test_a_sample_of_everybody_is_exact() -> None:
    assert of_sample(7, 20, 20, part=1) == Range.exact(7)


@pytest.mark.parametrize("share", [0.002, 0.05, 0.5, 0.9])
@pytest.mark.parametrize("part", [1 / 64, 1 / 2])
def test_the_true_number_is_within_the_bounds_in_nearly_95_of_100_samples(share: float, part: float) -> None:
    chance, everybody, rounds = random.Random(6), 20_000, 400
    true = round(share * everybody)
    n = round(part * everybody)
    within = 0
    for _round in range(rounds):
        hits = sum(1 for one in chance.sample(range(everybody), n) if one < true)
        found = of_sample(hits, n, everybody, part=part)
        within += found.low <= true <= found.high

    assert 0.91 <= within / rounds <= 1.0


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Range.exact(12_345), "12,345"),
        (Range.exact(0), "0"),
        (Range(12_345, 11_912, 12_788), "~12,300"),
        (Range(345, 301, 389), "~345"),
        (Range(0, 0, 4_812), "< 4,810"),
        (None, ""),
    ],
)
def test_an_estimate_is_not_said_more_precisely_than_it_is(value: Range | None, said: str) -> None:
    assert people(value) == said


def test_bounds_are_said_with_it(in_english: None) -> None:
    assert bounds(Range(12_345, 11_912, 12_788)) == "11,900 to 12,800"
