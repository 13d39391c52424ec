"""What a run decides of people who may be one, and which guard rail holds what back."""

import random
from dataclasses import replace
from typing import Any

import pytest

from ingestion.normalise.names import person_name
from profiles.matching import planning, rails
from profiles.matching.asking import Pair, Said
from profiles.matching.planning import Component, Held, Scored, Standing
from profiles.matching.rails import Body, Guard

ATTACH, REVIEW = 0.9, 0.6
CITIZEN = ("citizen", "global")


def scored(a: int, b: int, score: float = 0.95) -> Scored:
    return Scored(Pair(a, b), score)


def component(*pairs: Scored, bodies: dict[int, Body] | None = None, **more: Any) -> Component:
    """Each record a part of its own."""
    records = {number for one in pairs for number in one.pair} | (bodies or {}).keys()
    records |= {number for link in more.get("standing", ()) for number in link.pair}
    return Component(
        part_of={number: number for number in records},
        bodies={number: (bodies or {}).get(number, Body(records=1)) for number in records},
        scored=pairs,
        **more,
    )


def plan(of: Component) -> planning.Plan:
    return planning.plan(of, attach=ATTACH, review=REVIEW)


def test_above_the_threshold_two_are_joined() -> None:
    found = plan(component(scored(1, 2, 0.9)))
    assert (found.links, found.questions, found.held, found.withdrawals) == ([scored(1, 2, 0.9)], [], [], [])


def test_in_the_band_a_person_is_asked() -> None:
    assert plan(component(scored(1, 2, 0.7))).questions == [scored(1, 2, 0.7)]
    assert not plan(component(scored(1, 2, 0.5)))


def test_of_two_customers_the_likeliest_records_speak() -> None:
    both = replace(component(scored(1, 3, 0.7), scored(2, 3, 0.95)), part_of={1: 1, 2: 1, 3: 3})
    assert plan(both).links == [scored(2, 3, 0.95)]


def test_as_many_links_as_it_takes() -> None:
    found = plan(component(scored(1, 2, 0.97), scored(2, 3, 0.96), scored(1, 3, 0.95)))
    assert found.links == [scored(1, 2, 0.97), scored(2, 3, 0.96)]


def test_what_was_asked_of_two_customers_is_asked_once() -> None:
    pairs = (scored(1, 2, 0.97), scored(1, 3, 0.8), scored(2, 3, 0.7))
    assert plan(component(*pairs)).questions == [scored(1, 3, 0.8)]


def test_a_veto_stands_between_whatever_became_of_both_sides() -> None:
    pairs = (scored(1, 2, 0.99), scored(2, 3, 0.95), scored(1, 3, 0.95))
    found = plan(component(*pairs, vetoes=[Pair(1, 3)]))
    assert (found.links, found.questions) == ([scored(1, 2, 0.99)], [])


@pytest.mark.parametrize("said", [Said(is_settled=True), Said(different=1), Said(same=1, different=1)])
def test_what_people_have_said_is_not_asked_again(said: Said) -> None:
    assert not plan(component(scored(1, 2), said={Pair(1, 2): said}))


def test_a_link_is_withdrawn_when_nothing_supports_it() -> None:
    link = Standing(7, Pair(1, 2))
    assert plan(component(scored(1, 2, 0.3), standing=[link])).withdrawals == [link]
    assert not plan(component(scored(1, 2, 0.95), standing=[link]))
    assert not plan(component(scored(1, 2, 0.3), standing=[link], said={Pair(1, 2): Said(same=1)}))
    assert not plan(component(scored(1, 2, 0.3), standing=[link], bodies={1: Body(1, is_verified=True), 2: Body(1)}))


def test_a_link_that_evidence_has_overtaken_is_let_be() -> None:
    one = replace(component(standing=[Standing(7, Pair(1, 2))]), part_of={1: 1, 2: 1}, bodies={1: Body(2)})
    assert not plan(one)


def test_a_verified_customer_is_asked_about() -> None:
    found = plan(component(scored(1, 2), bodies={1: Body(1, is_verified=True), 2: Body(1)}))
    assert (found.links, found.held) == ([], [Held(scored(1, 2), None)])


# --- guard rails --------------------------------------------------------------------------------------------------


def test_two_national_ids_are_never_joined() -> None:
    some, other = Body(1, ids={CITIZEN: frozenset({"a"})}), Body(1, ids={CITIZEN: frozenset({"b"})})
    assert plan(component(scored(1, 2), bodies={1: some, 2: other})).held == [Held(scored(1, 2), Guard.TWO_IDS)]
    assert rails.obstacle(some, Body(1, ids={CITIZEN: frozenset({"a", "b"})}), alike=1) is None
    assert rails.obstacle(some, Body(1, ids={("member", "pos"): frozenset({"b"})}), alike=1) is None


def test_a_chain_brings_two_national_ids_together_no_more_than_a_link() -> None:
    bodies = {
        1: Body(1, ids={CITIZEN: frozenset({"a"})}),
        2: Body(1),
        3: Body(1, ids={CITIZEN: frozenset({"b"})}),
    }
    found = plan(component(scored(1, 2, 0.99), scored(2, 3, 0.98), bodies=bodies))
    assert (found.links, found.held) == ([scored(1, 2, 0.99)], [Held(scored(2, 3, 0.98), Guard.TWO_IDS)])


def test_more_than_three_names_are_people() -> None:
    texts = ("สมชาย ใจดี", "สุดา รักดี", "Peter Miller", "วิภา ทองคำ")
    names = [Body(1, names=frozenset({person_name(text)})) for text in texts]
    three = names[0].joined(names[1], alike=1).joined(names[2], alike=2)
    assert rails.obstacle(names[0].joined(names[1], alike=1), names[2], alike=2) is None
    assert rails.obstacle(three, names[3], alike=3) is Guard.GIVEN_NAMES


def test_many_spellings_of_one_name_are_one_person() -> None:
    spelled = [
        person_name(text)
        for text in ("Somchai Jaidee", "Somchai J.", "Mr Somchai Jaidee", "somchai JAIDEE", "S. Jaidee")
    ]
    assert rails.people(frozenset(spelled)) <= rails.LIMITS.names


def test_nobody_has_hundreds_of_records() -> None:
    assert rails.obstacle(Body(30), Body(11), alike=1) is Guard.LARGEST
    assert rails.obstacle(Body(30), Body(10), alike=1) is None


def test_a_thin_chain_is_no_person() -> None:
    """Four in a row, of whom only neighbours are alike."""
    found = plan(component(scored(1, 2, 0.99), scored(2, 3, 0.98), scored(3, 4, 0.97), scored(4, 5, 0.96)))
    joined = [one.pair for one in found.links]
    assert Held(scored(4, 5, 0.96), Guard.DENSITY) in found.held or Pair(4, 5) not in joined
    assert rails.obstacle(Body(2, parts=2, alike=1), Body(2, parts=2, alike=1), alike=1) is None
    assert rails.obstacle(Body(3, parts=3, alike=2), Body(2, parts=2, alike=1), alike=1) is Guard.DENSITY


def test_the_order_plays_no_part() -> None:
    draw = random.Random(7)
    pairs = [
        scored(a, b, round(draw.uniform(0.3, 1), 2)) for a in range(9) for b in range(a + 1, 9) if draw.random() < 0.5
    ]
    standing = [Standing(n, pair.pair) for n, pair in enumerate(pairs[::5])]
    expected = plan(component(*pairs, standing=standing))
    for _round in range(20):
        draw.shuffle(pairs)
        draw.shuffle(standing)
        assert plan(component(*pairs, standing=standing)) == expected


# --- what else has to be compared ---------------------------------------------------------------------------------


def test_of_two_parts_nothing_more_is_compared() -> None:
    assert planning.missing(component(scored(1, 2)), most=100) == []


def test_of_three_parts_all_are_compared() -> None:
    assert planning.missing(component(scored(1, 2), scored(2, 3)), most=100) == [Pair(1, 3)]
    assert planning.missing(component(*(scored(n, n + 1) for n in range(50))), most=10) == sorted(
        planning.missing(component(*(scored(n, n + 1) for n in range(50))), most=10)
    )


def test_what_the_model_has_joined_is_compared_again() -> None:
    link = Standing(7, Pair(1, 3))
    whole = replace(component(standing=[link]), part_of={1: 1, 2: 1, 3: 3}, bodies={1: Body(2), 3: Body(1)})
    assert planning.missing(whole, most=100) == [Pair(1, 3), Pair(2, 3)]
