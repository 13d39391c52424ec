"""Verified customers: the model moves them no more, and what it had joined is confirmed."""

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import AuditEvent, User
from ingestion.models import Source
from profiles import merging, rebuild
from profiles.matching import verified
from profiles.models import LinkDecision, Membership, Profile, SourceRecord, VerifiedRecord
from profiles.resolution import decision_log, neighbourhood, pipeline
from profiles.resolution.decision_log import NewDecision
from profiles.resolution.partition import Refusal, partition
from profiles.state import hashes
from tests.factories.arrivals import arrive, identify, row, track

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_to_mend() -> Iterator[None]:
    yield
    assert rebuild.check() == []


def record(external_id: str) -> int:
    return SourceRecord.objects.get(external_id=external_id).pk


def profile_of(external_id: str) -> Profile:
    return Profile.objects.get(memberships__record__external_id=external_id, memberships__valid_to=None)


def members(external_id: str) -> set[str]:
    current = Membership.objects.filter(profile=profile_of(external_id), valid_to=None)
    return set(current.values_list("record__external_id", flat=True))


def model_links(a: str, b: str, *, score: float = 0.95) -> int:
    """What a model in use writes of two records; returns the link's id."""
    one, other = record(a), record(b)
    evidence = {"model": 1, "prior": -3.0, "fields": [["names", 4.0], ["birth_dates", 4.0]]}
    pipeline.take_merge_lock()
    (number,) = decision_log.append(
        [NewDecision("link", "model", one, other, evidence=evidence, score=score)], actor="system:matching"
    )
    pipeline.resolve_exclusively([one, other], by="system:matching")
    return number


def model_withdraws(number: int) -> None:
    link = LinkDecision.objects.get(pk=number)
    ends = [link.record_a_id, link.record_b_id]
    pipeline.take_merge_lock()
    decision_log.append([NewDecision("withdraw", "model", *ends, withdraws=number)], actor="system:matching")
    pipeline.resolve_exclusively(ends, by="system:matching")


@pytest.fixture
def ann(web_shop: Source, pos: Source) -> Profile:
    """Two records: the model has joined the till's to the shop's."""
    arrive(web_shop, identify("u1", firstName="Ann", lastName="Ash"))
    arrive(pos, row("p1", first_name="Ann", last_name="Ash", birth_date="1990-01-02"))
    model_links("u1", "p1")
    return profile_of("u1")


@pytest.fixture
def stranger(pos: Source) -> Profile:
    arrive(pos, row("p9", first_name="Ann", last_name="Ashe"))
    return profile_of("p9")


def test_verifying_moves_nothing_and_says_who_and_why(ann: Profile, steward: User) -> None:
    before = hashes([ann.pk])
    verified.verify(profile=ann, by=steward, reason="met her")
    assert hashes([ann.pk]) == before
    link = LinkDecision.objects.get(kind="steward")
    assert {link.record_a_id, link.record_b_id} == {record("u1"), record("p1")}
    assert (link.action, link.evidence, link.reason) == ("link", {"rule": "verified"}, "met her")
    shown = verified.of_records(list(SourceRecord.objects.all()))
    assert shown is not None
    assert (shown.by, shown.reason, shown.unverified) == ("steward", "met her", 0)
    event = AuditEvent.objects.get(action="profile.verify")
    assert (event.actor, event.target_id) == (f"user:{steward.pk}", str(ann.pk))


def test_the_model_joins_nobody_to_a_verified_customer(ann: Profile, stranger: Profile, steward: User) -> None:
    verified.verify(profile=ann, by=steward)
    model_links("p9", "p1", score=0.999)
    assert members("p9") == {"p9"}
    around = neighbourhood.read([record("p9")])
    found = partition(
        [one.evidence for one in around.records.values()], [logged.decision for logged in around.decisions]
    )
    assert [refused.refusal for refused in found.refused] == [Refusal.VERIFIED]


def test_nor_does_it_take_anybody_away(ann: Profile, steward: User) -> None:
    verified.verify(profile=ann, by=steward)
    model_withdraws(LinkDecision.objects.get(kind="model", action="link").pk)
    assert members("u1") == {"u1", "p1"}


def test_who_is_not_verified_is_moved_by_it_as_before(ann: Profile, stranger: Profile) -> None:
    number = model_links("p9", "p1")
    assert members("u1") == {"u1", "p1", "p9"}
    model_withdraws(number)
    assert members("u1") == {"u1", "p1"}


def test_identifiers_go_on_joining_and_what_comes_is_shown_as_not_verified(
    ann: Profile, pos: Source, web_shop: Source, steward: User
) -> None:
    arrive(web_shop, identify("u1", email="ann@baansabai.co.th"))
    verified.verify(profile=ann, by=steward)
    arrive(pos, row("p2", email="ann@baansabai.co.th", first_name="Ann"))
    assert members("u1") == {"u1", "p1", "p2"}
    shown = verified.of_records(list(SourceRecord.objects.all()))
    assert shown is not None
    assert shown.unverified == 1
    verified.verify(profile=ann, by=steward)
    assert VerifiedRecord.objects.count() == 3
    assert LinkDecision.objects.filter(kind="steward").count() == 1


def test_taking_it_back_restores_exactly_what_was(ann: Profile, stranger: Profile, steward: User) -> None:
    before = hashes([ann.pk, stranger.pk])
    verified.verify(profile=ann, by=steward)
    assert verified.take_back(profile=ann, by=steward) == [ann]
    assert hashes([ann.pk, stranger.pk]) == before
    assert verified.of_records(list(SourceRecord.objects.all())) is None
    assert AuditEvent.objects.filter(action="profile.unverify").count() == 1
    model_links("p9", "p1")
    assert members("p9") == {"u1", "p1", "p9"}


def test_what_only_the_mark_held_together_parts_with_it(ann: Profile, steward: User) -> None:
    verified.verify(profile=ann, by=steward)
    model_withdraws(LinkDecision.objects.get(kind="model", action="link").pk)
    left = verified.take_back(profile=ann, by=steward)
    assert left == [profile_of("u1"), profile_of("p1")]


def test_nobody_falls_out_when_the_models_word_becomes_a_persons(
    web_shop: Source, pos: Source, call_centre: Source, steward: User
) -> None:
    """A phone joins u1, which has no name, and p1; the model then joined c1, whose name is clearly not p1's. Said by a
    person the third comes first, and the phone alone would not join p1 any more."""
    arrive(web_shop, identify("u1", phone="0863451972"))
    arrive(pos, row("p1", phone="0863451972", first_name="Ann", last_name="Ash"))
    arrive(call_centre, row("c1", first_name="Bea", last_name="Birch"))
    model_links("c1", "u1")
    together = members("u1")
    assert together == {"u1", "p1", "c1"}
    verified.verify(profile=profile_of("u1"), by=steward)
    assert members("u1") == together


def test_a_stewards_merge_and_unmerge_of_a_verified_customer_are_exact(
    ann: Profile, stranger: Profile, steward: User
) -> None:
    verified.verify(profile=ann, by=steward)
    before = hashes([ann.pk, stranger.pk])
    done = merging.merge(profiles=[ann, stranger], by=steward, reason="same")
    assert members("u1") == {"u1", "p1", "p9"}
    merging.revert(operation=done.operation, by=steward, reason="no")
    assert hashes([ann.pk, stranger.pk]) == before
    parted = merging.unmerge(profile=ann, records=[record("p1")], by=steward, reason="two people")
    assert members("u1") == {"u1"}
    merging.revert(operation=parted.operation, by=steward, reason="one after all")
    assert hashes([ann.pk, stranger.pk]) == before


def test_a_visitor_is_nobody_to_verify(web_shop: Source, steward: User) -> None:
    arrive(web_shop, track("Page Viewed", device="d1"))
    with pytest.raises(MendableError):
        verified.verify(profile=profile_of("d1"), by=steward)


def test_who_was_merged_meanwhile_is_a_conflict(ann: Profile, stranger: Profile, steward: User) -> None:
    merging.merge(profiles=[ann, stranger], by=steward, reason="same")
    with pytest.raises(ConflictProblem):
        verified.verify(profile=stranger, by=steward)


class TestPages:
    """The mark on the customer's pages."""

    @pytest.fixture(autouse=True)
    def in_english(self, settings: Settings) -> None:
        settings.LANGUAGE_CODE = "en"

    def test_a_steward_verifies_and_takes_it_back(self, ann: Profile, as_steward: Client) -> None:
        story = reverse("profiles:explanation", args=[ann.public_id])
        assert "Nobody has verified" in as_steward.get(story).content.decode()
        answer = as_steward.post(reverse("profiles:verify", args=[ann.public_id]), {"reason": "met her"})
        assert answer["Location"] == story
        page = as_steward.get(story).content.decode()
        assert "met her" in page
        assert "confirmed by steward" in page
        assert "Verified" in as_steward.get(reverse("profiles:customer", args=[ann.public_id])).content.decode()
        as_steward.post(reverse("profiles:unverify", args=[ann.public_id]))
        assert not VerifiedRecord.objects.exists()

    def test_whom_it_parted_is_said(self, ann: Profile, steward: User, as_steward: Client) -> None:
        verified.verify(profile=ann, by=steward)
        model_withdraws(LinkDecision.objects.get(kind="model", action="link").pk)
        answer = as_steward.post(reverse("profiles:unverify", args=[ann.public_id]), follow=True)
        assert "these are 2 customers now" in answer.content.decode()

    def test_a_merge_and_an_unmerge_say_that_records_are_verified(
        self, ann: Profile, stranger: Profile, steward: User, as_steward: Client
    ) -> None:
        verified.verify(profile=ann, by=steward)
        page = as_steward.get(reverse("profiles:merge", args=[ann.public_id, stranger.public_id])).content.decode()
        assert "2 of these records are verified" in page
        page = as_steward.get(f"{reverse('profiles:unmerge', args=[ann.public_id])}?record={record('p1')}")
        assert "2 of these records are verified" in page.content.decode()

    def test_too_long_a_reason_comes_back(self, ann: Profile, as_steward: Client) -> None:
        answer = as_steward.post(reverse("profiles:verify", args=[ann.public_id]), {"reason": "x" * 301})
        assert answer.status_code == 422
        assert not VerifiedRecord.objects.exists()

    def test_who_may_not_merge_sees_the_mark_and_no_button(
        self, ann: Profile, steward: User, login: Callable[[User], Client], agent: User, outsider: User
    ) -> None:
        verified.verify(profile=ann, by=steward, reason="met her")
        for user in (agent, outsider):
            for name in ("verify", "unverify"):
                assert login(user).post(reverse(f"profiles:{name}", args=[ann.public_id])).status_code == 404
        page = login(agent).get(reverse("profiles:explanation", args=[ann.public_id])).content.decode()
        assert "met her" in page
        assert reverse("profiles:unverify", args=[ann.public_id]) not in page
        assert VerifiedRecord.objects.count() == 2
