"""Which value survives, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.survivorship import NAME_PARTS, Candidate, Rule, candidates_of, choose, golden, values


def day(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)


def candidate(value: Any, *, record: int = 1, source: int = 1, trust: int = 50, at: int = 0, **more: Any) -> Candidate:
    trait = more.pop("trait", "city")
    return Candidate(trait, value, record, source, trust, day(at), **more)


def name(first: str, last: str | None = None, **more: Any) -> list[Candidate]:
    parts = [candidate(first, trait="first_name", **more)]
    return [*parts, candidate(last, trait="last_name", **more)] if last else parts


class TestChoose:
    @pytest.mark.parametrize(
        ("better", "rule"),
        [
            ({"pinned": True, "trust": 99}, Rule.PIN),
            ({"trust": 1}, Rule.TRUST),
            ({"at": 2}, Rule.RECENCY),
            ({"source": 0}, Rule.ORDER),
            ({"external_id": "A", "record": 3}, Rule.ORDER),
            ({"external_id": "B", "record": 0}, Rule.ORDER),
        ],
    )
    def test_the_first_rule_that_tells_them_apart_decides(self, better: dict[str, Any], rule: Rule) -> None:
        best, other = (
            candidate("Phuket", **{"at": 1, "external_id": "B"} | better),
            candidate("Trang", at=1, record=2, external_id="B"),
        )
        won = choose([other, best])
        assert won is not None
        assert (won.value, won.rule, won.losers) == ("Phuket", rule, (other,))

    def test_trust_comes_before_recency(self) -> None:
        won = choose([candidate("Phuket", trust=10), candidate("Trang", trust=20, at=9, record=2)])
        assert won is not None
        assert (won.value, won.rule) == ("Phuket", Rule.TRUST)

    def test_a_cleared_value_is_no_candidate(self) -> None:
        won = choose([candidate(None, trust=1), candidate("", trust=1), candidate([], trust=1), candidate("Trang")])
        assert won is not None
        assert (won.value, won.rule, won.losers) == ("Trang", Rule.ONLY, ())
        assert choose([candidate(None)]) is None

    def test_no_and_zero_are_values(self) -> None:
        assert {won.value for value in (False, 0) if (won := choose([candidate(value)]))} == {False}

    def test_the_first_of_a_list_is_the_primary_value(self) -> None:
        won = choose([candidate(["a@example.com", "b@example.com"], trait="email")])
        assert won is not None
        assert won.value == "a@example.com"
        assert won.candidate.value == ["a@example.com", "b@example.com"]

    def test_a_list_of_another_trait_is_one_value(self) -> None:
        won = choose([candidate(["shoes", "chairs"], trait="interests")])
        assert won is not None
        assert won.value == ["shoes", "chairs"]


class TestUnits:
    def test_a_first_name_never_meets_the_last_name_of_another_record(self) -> None:
        winners = golden([*name("Suda", "Rakdee", trust=1, record=1), *name("Sudarat", "Jaidee", record=2)])
        assert values(winners) == {"first_name": "Suda", "last_name": "Rakdee"}
        assert [loser.value for loser in winners["last_name"].losers] == ["Jaidee"]

    def test_a_whole_name_wins_over_a_part_of_one(self) -> None:
        winners = golden([*name("Suda", trust=1, at=9, record=1), *name("Sudarat", "Rakdee", record=2)])
        assert values(winners) == {"first_name": "Sudarat", "last_name": "Rakdee"}
        assert winners["last_name"].rule is Rule.FULLER
        winners = golden([candidate("Suda Rakdee", trait="name"), *name("Sudarat", trust=1, record=2)])
        assert values(winners) == {"name": "Suda Rakdee"}

    def test_of_equally_trusted_addresses_the_fuller_wins_over_the_newer(self) -> None:
        newer = [candidate("Bangkok", trait="province", at=9)]
        fuller = [candidate("1 Beach", trait="address", record=2), candidate("Phuket", trait="province", record=2)]
        assert values(golden([*newer, *fuller])) == {"address": "1 Beach", "province": "Phuket"}

    def test_a_pin_on_one_part_pins_the_whole(self) -> None:
        pinned = [candidate("Suda", trait="first_name", pinned=True), candidate("Jaidee", trait="last_name")]
        assert values(golden([*pinned, *name("Sudarat", "Rakdee", trust=1, record=2)])) == {
            "first_name": "Suda",
            "last_name": "Jaidee",
        }

    def test_an_address_stays_whole(self) -> None:
        here = [candidate("99 Rama IV", trait="address", at=3), candidate("Bangkok", trait="province", at=3)]
        there = [candidate("1 Beach", trait="address", record=2), candidate("83100", trait="postcode", record=2)]
        assert values(golden([*here, *there])) == {"address": "99 Rama IV", "province": "Bangkok"}

    def test_other_traits_are_chosen_each_for_itself(self) -> None:
        winners = golden(
            [candidate("a@example.com", trait="email", trust=1), candidate("1990-01-01", trait="birth_date", record=2)]
        )
        assert {winner.candidate.record_id for winner in winners.values()} == {1, 2}


def test_candidates_of_a_stored_record() -> None:
    found = candidates_of(
        record_id=7,
        source_id=3,
        external_id="c7",
        trust_rank=20,
        attributes={"city": "Trang", "gender": None, "size": "M"},
        times={"city": "2026-01-03T00:00:00+00:00"},
        last_seen_at=day(9),
        pinned={"size"},
        groups={"city": ("descriptive", "contact")},
    )
    assert found == [
        Candidate("city", "Trang", 7, 3, 20, day(2), "descriptive", "contact", external_id="c7"),
        Candidate("size", "M", 7, 3, 20, day(9), pinned=True, external_id="c7"),
    ]


@st.composite
def candidates(draw: st.DrawFn) -> Candidate:
    record = draw(st.integers(1, 4))
    trait = draw(st.sampled_from(["first_name", "last_name", "city", "address", "email", "size"]))
    value = draw(st.sampled_from(["a", "b", ["c", "d"], None]))
    at = day(draw(st.integers(0, 3)))
    return Candidate(trait, value, record, record % 2, record % 3, at, pinned=draw(st.booleans()))


worlds = st.lists(candidates(), unique_by=lambda one: (one.record_id, one.trait))


@given(worlds, st.randoms(use_true_random=False))
def test_order_plays_no_part(world: list[Candidate], random: Any) -> None:
    shuffled = random.sample(world, len(world))
    assert {trait: (won.value, won.candidate, won.rule) for trait, won in golden(world).items()} == {
        trait: (won.value, won.candidate, won.rule) for trait, won in golden(shuffled).items()
    }


@given(worlds)
def test_parts_of_a_name_come_from_one_record(world: list[Candidate]) -> None:
    winners = golden(world)
    assert len({winners[part].candidate.record_id for part in NAME_PARTS if part in winners}) <= 1


@given(worlds)
def test_every_candidate_that_counts_wins_or_loses(world: list[Candidate]) -> None:
    winners = golden(world)
    for trait, won in winners.items():
        known = {one.record_id for one in world if one.trait == trait and one.value is not None}
        assert {won.candidate.record_id, *(loser.record_id for loser in won.losers)} == known
