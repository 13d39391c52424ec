"""Groups out of scored pairs."""

import random

from hypothesis import given
from hypothesis import strategies as st

from profiles.matching.clustering import Link, clusters

PAIRS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12), st.floats(0, 1)), max_size=60).map(
    lambda pairs: [(a, b, score) for a, b, score in pairs if a != b]
)


def test_records_come_together_over_their_strongest_links() -> None:
    (group,) = clusters([(1, 2, 0.99), (2, 3, 0.95), (1, 3, 0.7)], threshold=0.6)
    assert group.records == (1, 2, 3)
    assert group.links == (Link(1, 2, 0.99), Link(2, 3, 0.95))
    assert group.weakest == Link(2, 3, 0.95)
    assert group.density == 1.0


def test_one_false_link_between_two_families_joins_nobody() -> None:
    within = [(1, 2, 0.99), (1, 3, 0.99), (2, 3, 0.99), (4, 5, 0.99), (4, 6, 0.99), (5, 6, 0.99)]
    between = [(a, b, 0.001) for a in (1, 2, 3) for b in (4, 5, 6) if (a, b) != (3, 4)]
    found = clusters([*within, *between, (3, 4, 0.8)], threshold=0.6)
    assert [group.records for group in found] == [(1, 2, 3), (4, 5, 6)]


def test_pairs_that_were_not_compared_hold_nobody_apart() -> None:
    """By phone to the one, by address of mail to the other: the two ends have nothing to compare."""
    (group,) = clusters([(1, 2, 0.97), (2, 3, 0.97)], threshold=0.6)
    assert group.records == (1, 2, 3)
    assert group.density == 2 / 3


def test_below_the_threshold_nothing_happens() -> None:
    assert clusters([(1, 2, 0.59)], threshold=0.6) == []
    assert clusters([], threshold=0.6) == []


def test_no_group_grows_beyond_what_a_person_is() -> None:
    everybody = [(a, b, 0.99) for a in range(30) for b in range(a + 1, 30)]
    found = clusters(everybody, threshold=0.6, most=10)
    assert max(len(group.records) for group in found) <= 10
    assert sum(len(group.records) for group in found) == 30


@given(PAIRS, st.integers(0, 2**16))
def test_the_order_of_the_pairs_plays_no_part(pairs: list[tuple[int, int, float]], seed: int) -> None:
    mixed = [(b, a, score) if number % 2 else (a, b, score) for number, (a, b, score) in enumerate(pairs)]
    random.Random(seed).shuffle(mixed)
    assert clusters(mixed, threshold=0.6) == clusters(pairs, threshold=0.6)


@given(PAIRS)
def test_each_group_hangs_together_by_its_links(pairs: list[tuple[int, int, float]]) -> None:
    found = clusters(pairs, threshold=0.6)
    members = [record for group in found for record in group.records]
    assert len(members) == len(set(members))
    for group in found:
        assert len(group.links) == len(group.records) - 1
        assert all(link.score >= 0.6 and link.a < link.b for link in group.links)
        reached = {group.records[0]}
        for _link in group.links:
            reached |= {end for link in group.links if reached & {link.a, link.b} for end in (link.a, link.b)}
        assert reached == set(group.records)
        assert 0 < group.density <= 1
