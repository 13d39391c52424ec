"""Records are matched as they arrive: joined, asked about or let be, in the transaction of the digest."""

import itertools
from collections.abc import Callable
from string import ascii_letters
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from structlog.testing import capture_logs

from cdp_site.core.models import User
from ingestion import landing
from ingestion.models import Source
from profiles import digest, merging, rebuild
from profiles.matching import active, block_keys, model_files, online, records, verified
from profiles.models import (
    BlockKey,
    LinkDecision,
    MatchLabel,
    MatchModel,
    Membership,
    Profile,
    ReviewPair,
    SourceRecord,
    UnmatchedChange,
)
from tests.factories.arrivals import arrive, identify, row, track
from tests.factories.matching import ATTACH, FakeMatcher, activate

pytestmark = pytest.mark.django_db

SUDA: dict[str, Any] = {"first_name": "Suda", "last_name": "Rakdee"}
BORN: dict[str, Any] = {"birth_date": "1990-04-01"}
OTHER_BIRTH: dict[str, Any] = {"birth_date": "1971-12-24"}
NOTHING_OF_MATCHING = {BlockKey: 0, UnmatchedChange: 0, ReviewPair: 0, LinkDecision: 0}


@pytest.fixture
def model() -> MatchModel:
    return activate()


def record(external_id: str) -> int:
    return SourceRecord.objects.get(external_id=external_id).pk


def profile_of(external_id: str) -> Profile:
    return Profile.objects.get(memberships__record__external_id=external_id, memberships__valid_to=None)


def together(*external_ids: str) -> bool:
    return len({profile_of(external_id).pk for external_id in external_ids}) == 1


def people() -> set[frozenset[str]]:
    """The external ids of each customer's records."""
    found: dict[int, set[str]] = {}
    for profile, external_id in Membership.objects.filter(valid_to=None).values_list(
        "profile_id", "record__external_id"
    ):
        found.setdefault(profile, set()).add(external_id)
    return {frozenset(of_profile) for of_profile in found.values()}


def links() -> list[LinkDecision]:
    return list(LinkDecision.objects.filter(kind="model").order_by("pk"))


def kept() -> dict[type[Any], int]:
    return {table: table._default_manager.count() for table in NOTHING_OF_MATCHING}


# --- what the model is sure of ----------------------------------------------------------------------------------------


def test_somebody_known_by_name_and_birth_date_is_joined(model: MatchModel, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN))
    assert people() == {frozenset({"u1", "p1"})}
    [link] = links()
    assert (link.action, link.record_a_id, link.record_b_id) == ("link", record("u1"), record("p1"))
    assert link.score is not None
    assert link.score >= ATTACH
    assert link.evidence == {"model": model.version, "prior": -3.0, "fields": [["names", 4.0], ["birth_dates", 4.0]]}
    assert Membership.objects.get(record=record("p1"), valid_to=None).profile == profile_of("u1")
    assert not ReviewPair.objects.exists()
    assert rebuild.check() == []


def test_two_of_one_batch_are_joined(model: MatchModel, pos: Source) -> None:
    arrive(pos, row("p1", **SUDA, **BORN), row("p2", **SUDA, **BORN), row("p3", first_name="Ton", last_name="Ma"))
    assert people() == {frozenset({"p1", "p2"}), frozenset({"p3"})}


def test_what_an_identifier_joins_needs_no_link_of_the_model(model: MatchModel, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN, phone="0863451972"))
    arrive(pos, row("p1", **SUDA, **BORN, phone="0863451972"))
    assert together("u1", "p1")
    assert links() == []
    assert not ReviewPair.objects.exists()


def test_a_customer_of_many_records_is_joined_by_one_link(
    model: MatchModel, web_shop: Source, pos: Source, call_centre: Source
) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN, phone="0863451972"))
    arrive(pos, *(row(f"p{n}", **SUDA, **BORN, phone="0863451972") for n in range(5)))
    arrive(call_centre, row("c1", **SUDA, **BORN))
    assert len(people()) == 1
    assert len(links()) == 1


def test_a_newcomer_joins_two_customers_by_two_links(model: MatchModel, web_shop: Source, pos: Source) -> None:
    """What was there already moves right after the step."""
    arrive(web_shop, identify("u1", first_name="Suda", last_name="Rakdee", phone="0863451972"))
    arrive(pos, row("p1", first_name="Suda", last_name="Jaidee", **BORN))
    assert len(people()) == 2
    arrive(pos, row("p2", first_name=["Suda", "Suda"], last_name=["Rakdee", "Jaidee"], phone="0863451972", **BORN))
    assert people() == {frozenset({"u1", "p1", "p2"})}
    assert rebuild.check() == []


def test_in_whatever_order_records_arrive_the_people_are_the_same(
    model: MatchModel, web_shop: Source, pos: Source, call_centre: Source
) -> None:
    def messages(case: int) -> dict[str, Callable[[], object]]:
        """Four records of one person, of whom no two have more in common than name and birth date, and a namesake."""
        suda = {"first_name": "Suda", "last_name": f"Rakdee{ascii_letters[case] * 2}", **BORN}
        return {
            "u": lambda: arrive(web_shop, identify(f"u{case}", **suda)),
            "p": lambda: arrive(pos, row(f"p{case}", **suda)),
            "c": lambda: arrive(call_centre, row(f"c{case}", **suda, email=f"suda{case}@baansabai.co.th")),
            "n": lambda: arrive(call_centre, row(f"n{case}", **{**suda, **OTHER_BIRTH})),
        }

    for case, order in enumerate(itertools.permutations("upcn")):
        sent = messages(case)
        for name in order:
            sent[name]()
        assert together(f"u{case}", f"p{case}", f"c{case}"), order
        assert not together(f"u{case}", f"n{case}"), order
    assert rebuild.check() == []


# --- what it is not sure of -------------------------------------------------------------------------------------------


def test_a_name_alone_is_asked_about(model: MatchModel, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA))
    assert not together("u1", "p1")
    assert links() == []
    pair = ReviewPair.objects.get()
    assert (pair.record_a_id, pair.record_b_id) == (record("u1"), record("p1"))
    assert (pair.state, pair.reason, pair.model_id, pair.is_held_out) == ("waiting", "band", model.pk, False)
    assert pair.evidence == {"prior": -3.0, "fields": [["names", 4.0]]}
    assert pair.worth >= 0


def test_two_customers_are_asked_about_once(model: MatchModel, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, phone="0863451972"))
    arrive(pos, *(row(f"p{n}", **SUDA, phone="0863451972") for n in range(3)))
    arrive(pos, row("p9", **SUDA))
    assert len(people()) == 2
    assert ReviewPair.objects.count() == 1


def test_somebody_new_stays_alone(model: MatchModel, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **OTHER_BIRTH))
    assert len(people()) == 2
    assert links() == []
    assert not ReviewPair.objects.exists()


def test_thresholds_are_those_of_the_model_in_use(web_shop: Source, pos: Source) -> None:
    activate(attach=0.7, review=0.1)
    arrive(web_shop, identify("u1", **SUDA))
    arrive(pos, row("p1", **SUDA))
    assert together("u1", "p1")


def test_a_waiting_pair_is_dropped_when_other_evidence_settles_it(
    model: MatchModel, web_shop: Source, pos: Source
) -> None:
    arrive(web_shop, identify("u1", **SUDA))
    arrive(pos, row("p1", **SUDA), row("p2", first_name="Ton", last_name="Ma"))
    assert ReviewPair.objects.get().state == "waiting"
    arrive(pos, row("p1", day=1, **OTHER_BIRTH))  # nothing to compare it with: still asked
    assert ReviewPair.objects.get().state == "waiting"
    arrive(web_shop, identify("u1", day=1, **BORN))
    assert ReviewPair.objects.get().state == "gone"
    arrive(pos, row("p1", day=2, birth_date=None))
    assert ReviewPair.objects.get().state == "waiting"
    arrive(pos, row("p1", day=3, **BORN))
    assert together("u1", "p1")
    assert ReviewPair.objects.get().state == "gone"


def test_pairs_that_measure_or_teach_stay_what_they_are(model: MatchModel, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA))
    arrive(pos, row("p1", **SUDA))
    ReviewPair.objects.update(reason="held_out", is_held_out=True)
    arrive(web_shop, identify("u1", day=1, **BORN, gender="female"))
    arrive(pos, row("p1", day=1, **OTHER_BIRTH))
    pair = ReviewPair.objects.get()
    assert (pair.state, pair.reason, pair.is_held_out) == ("waiting", "held_out", True)


# --- whose word stands above ------------------------------------------------------------------------------------------


def apart(steward: User) -> None:
    merging.refuse(records=(record("u1"), record("p1")), by=steward, reason="twins")


def related(steward: User) -> None:
    merging.relate(records=(record("u1"), record("p1")), by=steward, reason="twins")


@pytest.mark.parametrize("decide", [apart, related])
def test_whom_a_steward_told_apart_is_neither_joined_nor_asked_about(
    decide: Callable[[User], None], model: MatchModel, web_shop: Source, pos: Source, steward: User
) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA))
    ReviewPair.objects.all().delete()
    decide(steward)
    arrive(pos, row("p1", day=1, gender="female"))  # in the band
    arrive(pos, row("p1", day=2, **BORN))  # sure
    arrive(pos, row("p2", **SUDA, **BORN))  # another record, which may go to one of them only
    assert not together("u1", "p1")
    assert {pair.state for pair in ReviewPair.objects.all()} <= {"gone"}
    assert rebuild.check() == []


@pytest.mark.parametrize(("verdict", "joined"), [("different", False), ("related", False), ("same", True)])
def test_what_people_said_of_a_pair_holds(
    verdict: str, joined: bool, model: MatchModel, web_shop: Source, pos: Source, steward: User
) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA))
    ReviewPair.objects.update(state="settled")
    MatchLabel.objects.create(
        record_a_id=record("u1"), record_b_id=record("p1"), verdict=verdict, origin="queue", by=steward
    )
    arrive(pos, row("p1", day=1, gender="female"))
    assert ReviewPair.objects.get().state == "settled"
    arrive(pos, row("p1", day=2, **BORN))
    assert together("u1", "p1") is joined
    assert ReviewPair.objects.get().state == "settled"


@pytest.mark.parametrize("reason", ["guard", "band"])
def test_what_a_run_has_held_back_is_left_to_people(
    reason: str, model: MatchModel, web_shop: Source, pos: Source
) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA))
    ReviewPair.objects.update(reason=reason, score=0.99)
    arrive(pos, row("p1", day=1, **BORN))
    assert not together("u1", "p1")
    pair = ReviewPair.objects.get()
    assert (pair.state, pair.reason) == ("waiting", reason)


def test_what_was_settled_is_not_asked_again(model: MatchModel, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA))
    arrive(pos, row("p1", **SUDA))
    ReviewPair.objects.update(state="settled")
    arrive(pos, row("p1", day=1, gender="female"))
    assert ReviewPair.objects.get().state == "settled"


def test_a_verified_customer_is_asked_about(model: MatchModel, web_shop: Source, pos: Source, steward: User) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    verified.verify(profile=profile_of("u1"), by=steward)
    arrive(pos, row("p1", **SUDA, **BORN))
    assert not together("u1", "p1")
    assert links() == []
    pair = ReviewPair.objects.get()
    assert (pair.state, pair.reason) == ("waiting", "verified")


def test_two_ids_of_one_kind_are_asked_about(model: MatchModel, web_shop: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN), identify("u2", **SUDA, **BORN))
    assert not together("u1", "u2")
    assert links() == []
    pair = ReviewPair.objects.get()
    assert (pair.state, pair.reason) == ("waiting", "guard")


def test_somebody_who_is_being_erased_is_nobody(model: MatchModel, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    Profile.objects.filter(pk=profile_of("u1").pk).update(state="erasing")
    assert records.read([record("u1")]) == {}
    assert list(records.stream()) == []
    arrive(pos, row("p1", **SUDA, **BORN))
    assert not together("u1", "p1")
    assert links() == []
    assert not ReviewPair.objects.exists()


def test_visitors_and_what_agents_add_are_not_compared(model: MatchModel, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, track("Page Viewed", device="d1"), identify(device="d2", **SUDA, **BORN))
    assert not BlockKey.objects.exists()
    assert not UnmatchedChange.objects.exists()
    assert records.read(list(SourceRecord.objects.values_list("pk", flat=True))) == {}


# --- what changes -----------------------------------------------------------------------------------------------------


def test_records_that_were_there_are_joined_when_one_changes(model: MatchModel, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **OTHER_BIRTH))
    arrive(pos, row("p1", day=1, **BORN))
    assert together("u1", "p1")
    assert rebuild.check() == []


def test_a_link_goes_with_what_it_stood_on(model: MatchModel, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN))
    arrive(pos, row("p1", day=1, **OTHER_BIRTH))
    assert not together("u1", "p1")
    link, withdrawal = links()
    assert (withdrawal.action, withdrawal.withdraws_id) == ("withdraw", link.pk)
    assert withdrawal.evidence == {"model": model.version}
    arrive(pos, row("p1", day=2, **BORN))
    assert together("u1", "p1")
    assert rebuild.check() == []


def test_a_link_stands_while_a_person_would_still_be_asked(model: MatchModel, web_shop: Source, pos: Source) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN))
    arrive(pos, row("p1", day=1, birth_date=None))
    assert together("u1", "p1")
    assert not ReviewPair.objects.exists()


def test_a_link_that_a_person_confirmed_stands(model: MatchModel, web_shop: Source, pos: Source, steward: User) -> None:
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    arrive(pos, row("p1", **SUDA, **BORN))
    MatchLabel.objects.create(
        record_a_id=record("u1"), record_b_id=record("p1"), verdict="same", origin="queue", by=steward
    )
    arrive(pos, row("p1", day=1, **OTHER_BIRTH))
    assert together("u1", "p1")


def test_keys_follow_the_record(model: MatchModel, pos: Source) -> None:
    arrive(pos, row("p1", **SUDA, phone="0863451972"))
    first = set(BlockKey.objects.values_list("key", flat=True))
    assert first == {block_keys.hashed("names:suda rakdee"), block_keys.hashed("phones:+66863451972")}
    arrive(pos, row("p1", day=1, last_name="Jaidee"))
    then = set(BlockKey.objects.values_list("key", flat=True))
    assert then == {block_keys.hashed("names:suda jaidee"), block_keys.hashed("phones:+66863451972")}


def test_what_changed_waits_for_the_batch_run(model: MatchModel, web_shop: Source, pos: Source) -> None:
    arrive(pos, row("p1", **SUDA), row("p2", first_name="Ton"))
    assert UnmatchedChange.objects.count() == 2
    before = UnmatchedChange.objects.get(record=record("p1")).since
    UnmatchedChange.objects.filter(record=record("p2")).delete()
    arrive(pos, row("p1", day=1, last_name="Jaidee"))
    assert UnmatchedChange.objects.get().since > before
    arrive(web_shop, track("Page Viewed", device="d1"))
    assert UnmatchedChange.objects.count() == 1


# --- without a model, and when something fails ------------------------------------------------------------------------


def test_without_a_model_in_use_nothing_is_kept(pos: Source, django_assert_num_queries: Any) -> None:
    arrive(pos, row("p1", **SUDA, **BORN), row("p2", **SUDA, **BORN))
    assert kept() == NOTHING_OF_MATCHING
    known = record("p1")
    with django_assert_num_queries(1):
        assert online.match({known}, born=(), by="system:test") == frozenset()
    with django_assert_num_queries(0):
        assert online.match((), born=(), by="system:test") == frozenset()


def test_with_a_refused_model_messages_are_stored_and_wait_for_the_batch_run(
    model: MatchModel, pos: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_model: MatchModel) -> FakeMatcher:
        raise model_files.RefusedModel("changed")

    monkeypatch.setattr(model_files, "load", refuse)
    with capture_logs() as logs:
        counts = arrive(pos, row("p1", **SUDA, **BORN), row("p2", **SUDA, **BORN))
    assert counts == {"stored": 2}
    assert not together("p1", "p2")
    assert kept() == NOTHING_OF_MATCHING | {UnmatchedChange: 2}
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["model_refused"]
    assert isinstance(active.look(), active.Refused)


@pytest.mark.django_db(transaction=True)
def test_a_step_that_dies_after_matching_leaves_nothing(
    web_shop: Source, pos: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    activate()
    arrive(web_shop, identify("u1", **SUDA, **BORN))
    before = kept()

    def die(*_arguments: object) -> object:
        raise DatabaseError("the connection is gone")

    with monkeypatch.context() as patched:
        patched.setattr(landing, "settle_all", die)
        landing.land(source=pos, messages_raw=[row("p1", **SUDA, **BORN), row("p2", **SUDA)], door="file")
        digest.step()
    assert kept() == before
    digest.drain()
    assert together("u1", "p1")
    assert ReviewPair.objects.count() == 1
    assert rebuild.check() == []


def test_a_database_in_trouble_is_not_taken_for_a_model_that_fails(
    model: MatchModel, pos: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step is rolled back and tried again, also when the database says so only at the end of a round trip."""
    arrive(pos, row("p1", gender="female"))  # without any key

    def fail(*_arguments: object, **_more: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    monkeypatch.setattr(block_keys, "replace", fail)
    known = record("p1")
    with pytest.raises(DatabaseError), transaction.atomic():
        online.match({known}, born={known}, by="system:test")
