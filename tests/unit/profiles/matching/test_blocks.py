"""Pairs out of arrays of keys: the same ones that a look at every two records finds."""

import math
import random
from collections import defaultdict
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from profiles.matching import blocks
from profiles.matching.blocks import Blocks
from profiles.matching.keys import MOST_IN_BLOCK


def make(keys_of: dict[int, set[int]], profile_of: dict[int, int] | None = None) -> Blocks:
    rows = [(key, number) for number, keys in keys_of.items() for key in keys]
    random.Random(3).shuffle(rows)
    found = Blocks(np.array([key for key, _ in rows], np.int64), np.array([number for _, number in rows], np.int64))
    profiles = profile_of or {number: number for number in keys_of}
    found._profiles = lambda: np.array([profiles[number] for number in found.records.tolist()])  # type: ignore[method-assign]
    return found


def pairs(of: Blocks, *, after: int = 0, at_once: int = 1_000) -> list[tuple[int, int]]:
    portions = of.portions(after=after, at_once=at_once)
    return [pair for portion in portions for pair in zip(portion.a.tolist(), portion.b.tolist(), strict=True)]


def expected(keys_of: dict[int, set[int]], profile_of: dict[int, int], most: int) -> list[tuple[int, int]]:
    """By looking at every two."""
    members: dict[int, set[int]] = defaultdict(set)
    for number, keys in keys_of.items():
        for key in keys:
            members[key].add(number)
    weights: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for block in members.values():
        if 1 < len(block) <= MOST_IN_BLOCK:
            for a, b in combinations(sorted(block), 2):
                if profile_of[a] != profile_of[b]:
                    for some, other in ((a, b), (b, a)):
                        weights[some][other] += 1 + math.log(MOST_IN_BLOCK / len(block))
    found = set()
    for number, others in weights.items():
        likeliest = sorted(others, key=lambda other: (-round(others[other], 9), other))[:most]
        found |= {(min(number, other), max(number, other)) for other in likeliest}
    return sorted(found)


@pytest.fixture
def crowd() -> dict[int, set[int]]:
    draw = random.Random(11)
    return {7 * number: {draw.randrange(60) for _ in range(draw.randrange(5))} for number in range(1, 150)}


@pytest.mark.parametrize("most", [1_000, 3])
def test_they_are_those_of_a_look_at_every_two(
    crowd: dict[int, set[int]], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "MOST_CANDIDATES", most)
    monkeypatch.setattr(blocks, "_MET_AT_ONCE", 40)
    profile_of = {number: number // 3 for number in crowd}
    found = pairs(make(crowd, profile_of))
    if most == 1_000:
        assert found == expected(crowd, profile_of, most)
    else:  # equal weights may be summed in another order: what counts is how many, and that all are candidates
        assert set(found) <= set(expected(crowd, profile_of, 1_000))
        assert len(found) == pytest.approx(len(expected(crowd, profile_of, most)), rel=0.05)


def test_portions_part_no_record_and_go_on_where_one_ended(crowd: dict[int, set[int]]) -> None:
    whole = pairs(make(crowd))
    for at_once in (1, 7, 100):
        assert pairs(make(crowd), at_once=at_once) == whole
    for portion in make(crowd).portions(after=0, at_once=20):
        assert portion.last == portion.a[-1]
        assert pairs(make(crowd), after=portion.last) == [pair for pair in whole if pair[0] > portion.last]


def test_a_key_that_too_many_share_brings_nobody_together() -> None:
    everybody: dict[int, set[int]] = {number: {1} for number in range(1, MOST_IN_BLOCK + 2)}
    assert pairs(make(everybody)) == []
    assert make(everybody).drowned == MOST_IN_BLOCK + 1
    everybody.popitem()
    assert pairs(make(everybody)) != []
    assert make(everybody | {99: {2}}).drowned == 0


def test_without_keys_there_are_no_pairs() -> None:
    empty: Any = make({})
    assert (pairs(empty), empty.drowned, len(empty.records)) == ([], 0, 0)
