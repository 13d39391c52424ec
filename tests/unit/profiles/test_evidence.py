"""The rules of evidence, one example each. `tests/generative/test_partition.py` holds what is true of every world."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from profiles.resolution.evidence import Decision, Evidence, Key, is_overloaded, neighbourhood_keys
from profiles.resolution.forest import Relation
from profiles.resolution.partition import Edge, Partition, Refusal, RefusedEdge, Rule, partition
from tests.unit.profiles.written_names import FULL_NAMES

PHONE = "+66812345678"
EMAIL = "somchai@example.co.th"


def day(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)


def phone(number: int = 0, value: str = PHONE, *, evidence: bool = True) -> Key:
    return Key("phone", "", value, day(number), evidence)


def email(number: int = 0, value: str = EMAIL) -> Key:
    return Key("email", "", value, day(number))


def unique(kind: str, value: str, namespace: str = "shop") -> Key:
    return Key(kind, namespace, value, day(0))


def device(value: str = "d1") -> Key:
    return Key("device", "shop", value, day(0))


def record(
    number: int, *identifiers: Key, name: str | tuple[str, ...] = (), kind: str = "identified", **more
) -> Evidence:
    names = (name,) if isinstance(name, str) else name
    return Evidence(number, 1, f"r{number:04}", kind, names, identifiers, **more)


def steward(number: int, verb: str, a: int = 0, b: int = 0, withdraws: int | None = None) -> Decision:
    return Decision(number, verb, "steward", a, b, withdraws)


def resolve(*records: Evidence, decisions: Iterable[Decision] = (), **more) -> Partition:
    return partition(records, tuple(decisions), comparison=FULL_NAMES, **more)


def groups(found: Partition) -> list[set[int]]:
    return [set(component.records) for component in found.components]


def refusals(found: Partition) -> set[tuple[int, int, Refusal]]:
    return {(refused.a, refused.b, refused.refusal) for refused in found.refused}


class TestUniqueIds:
    def test_join_whatever_the_names_say(self) -> None:
        found = resolve(
            record(1, unique("member", "M1"), name="Suda Rakdee"),
            record(2, unique("member", "M1"), name="Malee Jaidee"),
        )
        assert groups(found) == [{1, 2}]
        assert found.edges == (Edge(1, 2, Rule.UNIQUE_ID, ("member", "shop", "M1")),)

    def test_same_value_in_another_namespace_is_another_id(self) -> None:
        found = resolve(record(1, unique("member", "1001", "senzing")), record(2, unique("member", "1001", "retail")))
        assert groups(found) == [{1}, {2}]

    def test_two_ids_of_one_namespace_never_come_together_by_themselves(self) -> None:
        found = resolve(
            record(1, unique("user", "u1"), email(), name="Suda Rakdee"),
            record(2, unique("user", "u2"), email(), name="Suda Rakdee"),
        )
        assert groups(found) == [{1}, {2}]
        assert refusals(found) == {(1, 2, Refusal.ID_CONFLICT)}

    def test_nor_by_way_of_a_third_record(self) -> None:
        found = resolve(
            record(1, unique("user", "u1"), email()),
            record(2, unique("user", "u2"), phone()),
            record(3, email(), phone()),
        )
        assert groups(found) == [{1, 3}, {2}]

    def test_a_record_that_states_both_is_the_sources_word(self) -> None:
        found = resolve(
            record(1, unique("member", "M1")),
            record(2, unique("member", "M2")),
            record(3, unique("member", "M1"), unique("member", "M2")),
        )
        assert groups(found) == [{1, 2, 3}]

    def test_a_record_that_states_many_is_a_list_and_joins_nobody(self) -> None:
        cards = [unique("member", f"M{number}") for number in range(4)]
        found = resolve(record(1, cards[0]), record(2, cards[1]), record(3, *cards))
        assert groups(found) == [{1}, {2}, {3}]

    def test_a_junk_id_on_too_many_names_is_no_evidence(self) -> None:
        found = resolve(*(record(n, unique("user", "guest"), name=f"Name{n} Family{n}") for n in range(1, 7)))
        assert len(found.components) == 6
        assert found.owner_of["user", "shop", "guest"] is None


class TestContacts:
    def test_join_when_names_agree(self) -> None:
        found = resolve(record(1, email(), name="Suda Rakdee"), record(2, email(), name="Suda Rakdee"))
        assert found.edges == (Edge(1, 2, Rule.EMAIL, ("email", "", EMAIL), Relation.SAME),)

    def test_join_when_a_name_is_not_known(self) -> None:
        found = resolve(record(1, phone(), name="Suda Rakdee"), record(2, phone()), record(3, phone(), name="Suda"))
        assert groups(found) == [{1, 2, 3}]

    def test_clearly_different_names_are_a_household(self) -> None:
        found = resolve(record(1, phone(), name="Suda Rakdee"), record(2, phone(), name="Somchai Rakdee"))
        assert groups(found) == [{1}, {2}]
        assert refusals(found) == {(1, 2, Refusal.NAMES_DIFFER)}
        assert found.owner_of["phone", "", PHONE] is None

    def test_different_names_do_not_meet_by_way_of_a_nameless_record(self) -> None:
        found = resolve(
            record(1, email(), name="Suda Rakdee"),
            record(2, phone(), name="Somchai Jaidee"),
            record(3, email(), phone()),
        )
        assert groups(found) == [{1, 3}, {2}]
        assert (2, 3, Refusal.NAMES_DIFFER) in refusals(found)

    def test_several_names_of_one_record_compare_as_a_set(self) -> None:
        found = resolve(record(1, email(), name=("Suda Rakdee", "Suda Jaidee")), record(2, email(), name="Suda Jaidee"))
        assert groups(found) == [{1, 2}]

    def test_a_name_alone_joins_nothing(self) -> None:
        assert len(resolve(record(1, name="Suda Rakdee"), record(2, name="Suda Rakdee")).components) == 2

    def test_what_is_marked_as_no_evidence_joins_nothing(self) -> None:
        found = resolve(record(1, phone(evidence=False)), record(2, phone()))
        assert groups(found) == [{1}, {2}]

    def test_a_loyal_caller_has_many_tickets(self) -> None:
        found = resolve(*(record(n, phone(n), name="Suda Rakdee") for n in range(1, 200)))
        assert len(found.components) == 1

    def test_a_shared_mailbox_is_no_evidence_even_for_agreeing_names(self) -> None:
        names = ["Ann Ash", "Bea Birch", "Cid Cedar", "Dan Dill", "Eve Elm", "Fay Fern", "Ann Ash"]
        found = resolve(*(record(n, email(value="info@example.com"), name=name) for n, name in enumerate(names, 1)))
        assert len(found.components) == 7
        assert refusals(found) == {(1, 2, Refusal.FAN_OUT)}

    def test_so_is_one_on_too_many_unique_ids(self) -> None:
        found = resolve(
            *(record(n, email(), unique("user", f"u{n}"), name="Ann Ash") for n in range(1, 7)), record(7, email())
        )
        assert len(found.components) == 7

    def test_a_nameless_record_among_several_people_belongs_to_none(self) -> None:
        found = resolve(record(1, email(), name="Ann Ash"), record(2, email(), name="Bea Birch"), record(3, email()))
        assert groups(found) == [{1}, {2}, {3}]
        assert {(1, 3, Refusal.AMBIGUOUS), (2, 3, Refusal.AMBIGUOUS)} <= refusals(found)


class TestRecycledPhones:
    ann, bea = record(1, phone(10), name="Ann Ash"), record(2, phone(20), name="Bea Birch")

    @pytest.mark.parametrize(("seen", "owner"), [(5, 1), (10, 1), (15, 1), (20, 2), (25, 2)])
    def test_a_nameless_record_goes_to_who_held_the_number_then(self, seen: int, owner: int) -> None:
        found = resolve(self.ann, self.bea, record(3, phone(seen)))
        assert found.anchor_of[3] == owner

    def test_a_later_claim_ends_the_earlier_hold(self) -> None:
        found = resolve(self.ann, self.bea)
        assert found.ended == {(1, ("phone", "", PHONE)): day(20)}
        assert found.owner_of["phone", "", PHONE] == 2

    def test_claims_of_the_same_moment_end_nothing(self) -> None:
        found = resolve(self.ann, record(2, phone(10), name="Bea Birch"), record(3, phone(30)))
        assert found.ended == {}
        assert groups(found) == [{1}, {2}, {3}]
        assert found.owner_of["phone", "", PHONE] is None

    def test_agreeing_names_join_across_an_intervening_claim(self) -> None:
        found = resolve(self.ann, self.bea, record(3, phone(30), name="Ann Ash"))
        assert groups(found) == [{1, 3}, {2}]
        assert found.owner_of["phone", "", PHONE] == 1

    def test_two_nameless_records_are_not_a_bridge_over_a_claim(self) -> None:
        found = resolve(self.ann, self.bea, record(3, phone(15)), record(4, phone(25)))
        assert groups(found) == [{1, 3}, {2, 4}]

    def test_a_new_user_id_without_a_name_is_a_new_claim(self) -> None:
        found = resolve(
            record(1, phone(10), unique("user", "u1")), record(2, phone(20), unique("user", "u2")), record(3, phone(15))
        )
        assert groups(found) == [{1, 3}, {2}]
        assert (1, ("phone", "", PHONE)) in found.ended

    def test_who_is_one_person_by_a_steward_does_not_end_their_own_hold(self) -> None:
        assert resolve(self.ann, self.bea, decisions=[steward(1, "link", 1, 2)]).ended == {}

    def test_a_mailbox_is_not_recycled(self) -> None:
        found = resolve(
            record(1, email(10), name="Ann Ash"), record(2, email(20), name="Bea Birch"), record(3, email(30))
        )
        assert groups(found) == [{1}, {2}, {3}]
        assert found.ended == {}


class TestDevices:
    visitor = record(9, device(), kind="anonymous")

    def test_a_device_of_one_user_joins_that_user(self) -> None:
        found = resolve(record(1, unique("user", "u1"), device()), self.visitor)
        assert groups(found) == [{1, 9}]
        assert found.edges[-1].rule is Rule.DEVICE

    def test_a_second_user_makes_it_shared(self) -> None:
        found = resolve(
            record(1, unique("user", "u1"), device()), record(2, unique("user", "u2"), device()), self.visitor
        )
        assert groups(found) == [{1}, {2}, {9}]
        assert refusals(found) == {(1, 9, Refusal.SHARED_DEVICE)}
        assert found.owner_of["device", "shop", "d1"] is None

    def test_two_accounts_of_one_person_share_nothing(self) -> None:
        users = record(1, unique("user", "u1"), device()), record(2, unique("user", "u2"), device())
        assert groups(resolve(*users, self.visitor, decisions=[steward(1, "link", 1, 2)])) == [{1, 2, 9}]

    def test_users_are_not_joined_by_their_device(self) -> None:
        assert groups(resolve(record(1, device()), record(2, device()))) == [{1}, {2}]

    def test_a_visitor_never_joins_two_people(self) -> None:
        visitor = record(9, device(), email(), kind="anonymous")
        found = resolve(record(1, device(), name="Ann Ash"), record(2, email(), name="Bea Birch"), visitor)
        assert groups(found) == [{1}, {2}, {9}]

    def test_a_visitor_who_gave_an_address_goes_to_its_owner(self) -> None:
        found = resolve(record(1, email(), name="Ann Ash"), record(9, email(), kind="anonymous"))
        assert groups(found) == [{1, 9}]

    def test_the_id_of_an_identified_record_comes_before_a_visitors(self) -> None:
        found = resolve(record(1, device(), kind="anonymous"), record(2, device()))
        assert found.components[0].anchor == 2


class TestAgents:
    def test_an_agents_record_follows_the_one_it_is_tied_to(self) -> None:
        found = resolve(record(1), record(2, kind="agent", tied_to=1))
        assert groups(found) == [{1, 2}]

    def test_what_an_agent_types_is_proposed(self) -> None:
        found = resolve(record(1), record(2, phone(), kind="agent", tied_to=1), record(3, phone()))
        assert groups(found) == [{1, 2}, {3}]
        assert refusals(found) == {(3, 2, Refusal.PROPOSED)}

    def test_an_agents_record_without_its_customer_stands_alone(self) -> None:
        assert groups(resolve(record(2, kind="agent", tied_to=1))) == [{2}]


class TestDecisions:
    two = record(1, unique("user", "u1"), name="Ann Ash"), record(2, unique("user", "u2"), name="Bea Birch")
    same = record(1, email(), name="Ann Ash"), record(2, email(), name="Ann Ash"), record(3, email(), name="Ann Ash")

    def test_a_stewards_link_is_forced(self) -> None:
        assert groups(resolve(*self.two, decisions=[steward(1, "link", 1, 2)])) == [{1, 2}]

    def test_after_it_either_id_joins(self) -> None:
        third = record(3, unique("user", "u2"))
        assert groups(resolve(*self.two, third, decisions=[steward(1, "link", 1, 2)])) == [{1, 2, 3}]

    @pytest.mark.parametrize("verb", ["never", "related"])
    def test_a_veto_keeps_apart_what_evidence_joins(self, verb: str) -> None:
        found = resolve(*self.same, decisions=[steward(1, verb, 1, 2)])
        assert groups(found) == [{1, 3}, {2}]
        assert (1, 2, Refusal.NEVER) in refusals(found)

    def test_two_vetoes_leave_the_rest_together(self) -> None:
        found = resolve(*self.same, decisions=[steward(1, "never", 1, 2), steward(2, "never", 1, 3)])
        assert groups(found) == [{1}, {2, 3}]

    def test_the_newer_decision_counts(self) -> None:
        link_then_never = [steward(1, "link", 1, 2), steward(2, "never", 1, 2)]
        assert groups(resolve(*self.two, decisions=link_then_never)) == [{1}, {2}]
        never_then_link = [steward(1, "never", 1, 2), steward(2, "link", 1, 2)]
        found = resolve(*self.two, decisions=never_then_link)
        assert groups(found) == [{1, 2}]
        assert found.refused == (RefusedEdge(1, 2, Refusal.OVERRULED, decision=1),)

    def test_a_veto_reaches_through_links(self) -> None:
        links = [steward(1, "link", 1, 2), steward(2, "link", 2, 3), steward(3, "never", 1, 3)]
        assert groups(resolve(*self.two, record(3), decisions=links)) == [{1}, {2, 3}]

    def test_a_withdrawn_decision_counts_for_nothing(self) -> None:
        decisions = [steward(1, "link", 1, 2), steward(2, "withdraw", 1, 2, withdraws=1)]
        assert groups(resolve(*self.two, decisions=decisions)) == [{1}, {2}]

    def test_unless_the_withdrawal_is_withdrawn(self) -> None:
        decisions = [
            steward(1, "link", 1, 2),
            steward(2, "withdraw", 1, 2, withdraws=1),
            steward(3, "withdraw", 1, 2, withdraws=2),
        ]
        assert groups(resolve(*self.two, decisions=decisions)) == [{1, 2}]

    def test_what_was_recorded_of_evidence_is_history_and_joins_nothing(self) -> None:
        assert groups(resolve(*self.two, decisions=[Decision(1, "link", "deterministic", 1, 2)])) == [{1}, {2}]

    def test_the_model_links_the_surest_first_and_obeys_ids_and_vetoes(self) -> None:
        records = (*self.two, record(3, name="An Ash"), record(4))
        model = [Decision(1, "link", "model", 3, 2, score=0.9), Decision(2, "link", "model", 3, 1, score=0.95)]
        veto = steward(3, "never", 4, 1)
        found = resolve(*records, decisions=[*model, Decision(4, "link", "model", 4, 3, score=0.99), veto])
        assert groups(found) == [{1}, {2, 3, 4}]
        assert refusals(found) == {(1, 3, Refusal.NEVER)}

    def test_the_model_moves_no_verified_record(self) -> None:
        links = [Decision(1, "link", "model", 1, 2, score=0.9), Decision(2, "link", "model", 2, 3, score=0.99)]
        found = resolve(record(1, verified=True), record(2), record(3), decisions=links)
        assert groups(found) == [{1}, {2, 3}]
        assert refusals(found) == {(1, 2, Refusal.VERIFIED)}

    def test_evidence_and_stewards_still_join_a_verified_record(self) -> None:
        found = resolve(
            record(1, email(), verified=True), record(2, email()), record(3), decisions=[steward(1, "link", 1, 3)]
        )
        assert groups(found) == [{1, 2, 3}]

    def test_decisions_on_records_elsewhere_are_idle(self) -> None:
        assert groups(resolve(*self.two, decisions=[steward(1, "never", 1, 77), steward(2, "link", 88, 2)])) == [
            {1},
            {2},
        ]


def test_the_anchor_is_the_lowest_identified_record() -> None:
    links = [steward(1, "link", 1, 2), steward(2, "link", 2, 5), steward(3, "link", 5, 4)]
    found = resolve(record(1, kind="anonymous"), record(2, kind="agent"), record(5), record(4), decisions=links)
    assert [component.anchor for component in found.components] == [4]


def test_a_key_that_is_known_to_be_overloaded_is_no_evidence() -> None:
    key = ("email", "", EMAIL)
    found = resolve(record(1, email()), record(2, email()), overloaded={key})
    assert groups(found) == [{1}, {2}]
    assert found.owner_of[key] is None


def test_overloaded_is_told_from_the_holders_alone() -> None:
    many = [record(n, email(), name=f"Name{n} Family{n}") for n in range(1, 7)]
    assert is_overloaded(("email", "", EMAIL), many, comparison=FULL_NAMES)
    assert not is_overloaded(("email", "", EMAIL), many[:5], comparison=FULL_NAMES)
    kiosk = [record(n, device()) for n in range(1, 7)]
    assert is_overloaded(("device", "shop", "d1"), kiosk, comparison=FULL_NAMES)


def test_neighbourhood_keys_are_what_may_be_evidence() -> None:
    masked = Key("phone", "", "xxx", day(0), evidence=False)
    cards = [unique("member", f"M{number}") for number in range(4)]
    keys = neighbourhood_keys(
        [record(1, email(), masked, Key("order", "shop", "o1", day(0)), *cards), record(2, phone())]
    )
    assert keys == {("email", "", EMAIL), ("phone", "", PHONE)}
    assert neighbourhood_keys([record(1, email())], overloaded={("email", "", EMAIL)}) == frozenset()
