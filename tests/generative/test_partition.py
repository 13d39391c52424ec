"""What is true of the partition of every world of records and decisions."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from profiles.resolution.evidence import (
    Decision,
    Evidence,
    EvidenceSettings,
    Key,
    KeyId,
    active,
    evidence_keys,
    is_overloaded,
    neighbourhood_keys,
)
from profiles.resolution.partition import Partition, Rule, partition
from tests.unit.profiles.written_names import FULL_NAMES

# Caps low enough to be crossed in a world of a dozen records, values few enough to be shared by several.
CAPS = EvidenceSettings(fan_out_cap=2, spelling_cap=4, holder_cap=6, own_id_cap=2)
NAMES = st.sampled_from(["Ann Ash", "Bea Birch", "Cid Cedar", "Ann Birch", "Ann", "Nok"])
KINDS = ["email", "phone", "user", "member", "citizen", "device", "order"]


@st.composite
def keys(draw: st.DrawFn) -> Key:
    kind = draw(st.sampled_from(KINDS))
    namespace = draw(st.sampled_from(["s1", "s2"])) if kind in ("user", "member", "device", "order") else ""
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=draw(st.integers(0, 6)))
    return Key(kind, namespace, draw(st.sampled_from("abcd")), at, draw(st.integers(0, 9)) > 0)


@st.composite
def records(draw: st.DrawFn, number: int) -> Evidence:
    kind = draw(st.sampled_from(["identified"] * 5 + ["anonymous", "agent"]))
    return Evidence(
        number,
        draw(st.integers(1, 3)),
        f"x{draw(st.integers(0, 99)):02}-{number}",
        kind,
        tuple(draw(st.lists(NAMES, max_size=2, unique=True))),
        tuple(draw(st.lists(keys(), max_size=4))),
        draw(st.one_of(st.none(), st.integers(1, 14))) if kind == "agent" else None,
    )


@st.composite
def decided(draw: st.DrawFn, number: int, size: int) -> Decision:
    verb = draw(st.sampled_from(["link", "link", "never", "related", "withdraw"]))
    withdraws = draw(st.integers(1, number - 1)) if verb == "withdraw" and number > 1 else None
    kind = draw(st.sampled_from(["steward", "steward", "model", "deterministic"]))
    a, b = draw(st.integers(1, size)), draw(st.integers(1, size))
    return Decision(number, verb, kind, a, b, withdraws, draw(st.sampled_from([0.5, 0.7, 0.9])))


World = tuple[list[Evidence], list[Decision]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    size = draw(st.integers(1, 14))
    decisions = draw(st.integers(0, 5))
    verified = draw(st.sampled_from([(), (), (1,), (2, 5), (3, 4, 9)]))
    return (
        [replace(draw(records(number)), verified=number in verified) for number in range(1, size + 1)],
        [draw(decided(number, size)) for number in range(1, decisions + 1)],
    )


def resolve(world: World, **more: Any) -> Partition:
    return partition(*world, settings=CAPS, comparison=FULL_NAMES, **more)


def groups(found: Partition) -> set[frozenset[int]]:
    return {component.records for component in found.components}


def same_findings(some: Partition, other: Partition) -> bool:
    return (some.components, some.edges, some.refused, some.ended, some.owner_of) == (
        other.components,
        other.edges,
        other.refused,
        other.ended,
        other.owner_of,
    )


@given(worlds(), st.randoms(use_true_random=False))
def test_order_plays_no_part(world: World, random: Random) -> None:
    found = resolve(world)
    everything, decisions = world
    shuffled = [
        replace(one, identifiers=tuple(random.sample(one.identifiers, len(one.identifiers)))) for one in everything
    ]
    shuffled = [replace(one, names=tuple(random.sample(one.names, len(one.names)))) for one in shuffled]
    random.shuffle(shuffled)
    assert same_findings(found, resolve((shuffled, random.sample(decisions, len(decisions)))))


@given(worlds(), st.randoms(use_true_random=False))
def test_record_ids_choose_the_anchor_and_nothing_else(world: World, random: Random) -> None:
    everything, decisions = world
    ids = [one.record_id for one in everything]
    other = dict(zip(ids, random.sample(range(100, 200), len(ids)), strict=True))
    renumbered = [
        replace(one, record_id=other[one.record_id], tied_to=other.get(one.tied_to or 0)) for one in everything
    ]
    moved = [replace(decision, a=other[decision.a], b=other[decision.b]) for decision in decisions]
    assert groups(resolve((renumbered, moved))) == {
        frozenset(other[number] for number in group) for group in groups(resolve(world))
    }


@given(worlds())
def test_components_cover_every_record_once_and_edges_span_them(world: World) -> None:
    found = resolve(world)
    numbers = [number for component in found.components for number in component.records]
    assert sorted(numbers) == [one.record_id for one in world[0]]
    assert len(found.edges) == len(numbers) - len(found.components)
    assert all(found.anchor_of[edge.a] == found.anchor_of[edge.b] for edge in found.edges)
    assert all(found.anchor_of[number] == one.anchor for one in found.components for number in one.records)


def stewards(world: World, verbs: Iterable[str]) -> list[Decision]:
    return [one for one in active(world[1]) if one.kind == "steward" and one.verb in verbs]


@given(worlds())
def test_a_veto_holds_unless_a_steward_links_later(world: World) -> None:
    found = resolve(world)
    tied = any(edge.rule is Rule.TIE for edge in found.edges)
    for veto in stewards(world, ["never", "related"]):
        if veto.a != veto.b and not tied and not any(link.id > veto.id for link in stewards(world, ["link"])):
            assert found.anchor_of[veto.a] != found.anchor_of[veto.b]


@given(worlds())
def test_a_stewards_link_holds_unless_a_veto_comes_later(world: World) -> None:
    found = resolve(world)
    for link in stewards(world, ["link"]):
        if not any(veto.id > link.id for veto in stewards(world, ["never", "related"])):
            assert found.anchor_of[link.a] == found.anchor_of[link.b]


@given(worlds(), st.data())
def test_the_model_changes_no_component_that_holds_a_verified_record(world: World, data: st.DataObject) -> None:
    everything, decisions = world
    numbers = st.sampled_from([one.record_id for one in everything])
    verified = data.draw(numbers)
    everything = [replace(one, verified=one.verified or one.record_id == verified) for one in everything]
    last = max((one.id for one in decisions), default=0)
    links = [Decision(last + place, "link", "model", verified, data.draw(numbers), score=0.9) for place in (1, 2)]
    by_people = [one for one in decisions if (one.kind, one.verb) != ("model", "link")]
    found, without_model = resolve((everything, [*decisions, *links])), resolve((everything, by_people))
    for number in (one.record_id for one in everything if one.verified):
        assert component_of(found, number) == component_of(without_model, number)


def component_of(found: Partition, number: int) -> frozenset[int]:
    return next(group for group in groups(found) if number in group)


@given(worlds())
def test_no_person_has_two_ids_of_a_namespace_without_a_word_for_it(world: World) -> None:
    """Without a steward's link, the ids of one namespace in a component hang together by records that state them
    together."""
    everything, _ = world
    found = resolve((everything, []))
    of = {one.record_id: one for one in everything}
    for component in found.components:
        stated: dict[tuple[str, str], list[set[str]]] = {}
        for number in component.records:
            own: dict[tuple[str, str], set[str]] = {}
            if of[number].kind == "identified":
                for kind, namespace, value in evidence_keys(of[number], settings=CAPS):
                    if kind in CAPS.unique_kinds and not overloaded_in(everything, (kind, namespace, value)):
                        own.setdefault((kind, namespace), set()).add(value)
            for space, values in own.items():
                stated.setdefault(space, []).append(values)
        for space, sets in stated.items():
            everywhere = [
                {key[2] for key in evidence_keys(one, settings=CAPS) if key[:2] == space}
                for one in everything
                if one.kind == "identified"
            ]
            reached = set(sets[0])
            for _ in everywhere:
                reached = reached.union(*(values for values in everywhere if not reached.isdisjoint(values)))
            assert all(not reached.isdisjoint(values) for values in sets)


@given(worlds(), st.data())
def test_withdrawing_a_link_restores_exactly_what_was(world: World, data: st.DataObject) -> None:
    everything, decisions = world
    number = st.sampled_from([one.record_id for one in everything])
    last = max((one.id for one in decisions), default=0)
    link = Decision(last + 1, "link", "steward", data.draw(number), data.draw(number))
    undo = Decision(last + 2, "withdraw", "steward", link.a, link.b, withdraws=link.id)
    assert same_findings(resolve(world), resolve((everything, [*decisions, link, undo])))


@given(worlds())
def test_a_stranger_changes_nothing(world: World) -> None:
    everything, decisions = world
    stranger = Evidence(99, 9, "stranger", names=("Ann Ash",), identifiers=(Key("email", "", "z", datetime.now(UTC)),))
    found = resolve(world)
    with_stranger = resolve(([*everything, stranger], decisions))
    assert groups(with_stranger) == groups(found) | {frozenset([99])}
    assert with_stranger.edges == found.edges


@given(worlds())
def test_a_device_belongs_to_its_one_user_or_to_nobody(world: World) -> None:
    found = resolve((world[0], []))
    people = [one for one in world[0] if one.kind == "identified"]
    for visitor in (one for one in world[0] if one.kind == "anonymous"):
        keys = evidence_keys(visitor, settings=CAPS)
        devices = {key for key in keys if key[0] == "device"}
        users = {
            found.anchor_of[one.record_id]
            for one in people
            if not devices.isdisjoint(evidence_keys(one, settings=CAPS))
        }
        with_it = {
            found.anchor_of[one.record_id]
            for one in people
            if found.anchor_of[one.record_id] == found.anchor_of[visitor.record_id]
        }
        if len(users) > 1 or any(overloaded_in(world[0], key) for key in devices):
            assert not with_it
        elif users and devices == set(keys):
            assert with_it == users


def overloaded_in(everything: list[Evidence], key: KeyId) -> bool:
    return is_overloaded(key, everything, settings=CAPS, comparison=FULL_NAMES)


def closed(seed: Evidence, world: World) -> tuple[list[Evidence], set[KeyId]]:
    """The closed neighbourhood of a record, and the overloaded keys at which it ends."""
    everything, decisions = world
    links = [one for one in active(decisions) if one.verb == "link" and one.kind != "deterministic"]
    inside = {seed.record_id: seed}
    overloaded: set[KeyId] = set()
    while True:
        keys = neighbourhood_keys(inside.values(), settings=CAPS)
        overloaded |= {key for key in keys if overloaded_in(everything, key)}
        keys = neighbourhood_keys(inside.values(), overloaded=overloaded, settings=CAPS)
        reached = [
            one
            for one in everything
            if not keys.isdisjoint(evidence_keys(one, settings=CAPS))
            or one.tied_to in inside
            or any(inside[number].tied_to == one.record_id for number in inside)
            or any(
                (link.a in inside and link.b == one.record_id) or (link.b in inside and link.a == one.record_id)
                for link in links
            )
        ]
        before = len(inside)
        inside.update({one.record_id: one for one in reached})
        if len(inside) == before:
            return list(inside.values()), overloaded


@settings(max_examples=200)
@given(worlds())
def test_a_closed_neighbourhood_is_partitioned_as_in_the_whole(world: World) -> None:
    whole = resolve(world)
    for seed in world[0]:
        inside, overloaded = closed(seed, world)
        found = resolve((inside, world[1]), overloaded=overloaded)
        numbers = {one.record_id for one in inside}
        assert groups(found) == {group for group in groups(whole) if group <= numbers}
        assert found.edges == tuple(edge for edge in whole.edges if edge.a in numbers)
        assert found.ended == {key: at for key, at in whole.ended.items() if key[0] in numbers}
        assert all(whole.owner_of[key] == owner for key, owner in found.owner_of.items())
