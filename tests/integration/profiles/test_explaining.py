"""How records became one customer: the steps, the weakest link, what was refused, and what was decided."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cdp_site.core.models import User
from ingestion.models import Source
from profiles import explaining, merging, notes
from profiles.explaining import Explanation
from profiles.matching import verified
from profiles.models import Profile, ReviewPair, SourceRecord
from profiles.resolution import decision_log, pipeline
from profiles.resolution.decision_log import NewDecision
from tests.customers import Tell, identify, profile_of, track
from tests.factories.arrivals import arrive, row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]


def record(external_id: str) -> SourceRecord:
    return SourceRecord.objects.get(external_id=external_id)


def model_links(a: str, b: str, *, score: float = 0.95) -> None:
    ends = [record(a).pk, record(b).pk]
    evidence = {"model": 3, "prior": -3.0, "fields": [["names", 4.0], ["phones", -0.5]]}
    pipeline.take_merge_lock()
    decision_log.append([NewDecision("link", "model", *ends, evidence=evidence, score=score)], actor="system:matching")
    pipeline.resolve_exclusively(ends, by="system:matching")


def links_of(found: Explanation) -> dict[str, list[tuple[str, str, str]]]:
    """External id of each step → (rule, external id of the other end, value)."""
    return {
        step.told.record.external_id: [
            (
                link.rule,
                (link.other if link.some.record == step.told.record else link.some).record.external_id,
                link.value,
            )
            for link in step.links
        ]
        for step in found.steps
    }


@pytest.fixture
def maria(pos: Source, somchai: Profile) -> Profile:
    """A row of the till's file that nothing joins to anybody."""
    arrive(pos, row("R1", first_name="Maria", last_name="Santos"))
    return profile_of(pos, "R1")


class TestSteps:
    def test_each_record_says_by_what_it_joined(self, somchai: Profile, steward: User) -> None:
        found = explaining.explain(somchai, by=steward)
        assert links_of(found) == {
            "P1": [],
            "u1": [("phone", "P1", "086 345 1972")],
            "C1": [("phone", "P1", "086 345 1972")],
        }
        assert [step.is_first for step in found.steps] == [True, False, False]
        assert found.steps[0].told.name == "นายสมชาย ใจดี"

    def test_people_and_the_model_say_who_when_why_and_how_sure(
        self, somchai: Profile, maria: Profile, pos: Source, steward: User
    ) -> None:
        arrive(pos, row("R2", first_name="Maria"))
        model_links("R2", "R1")
        (one,) = merging.merge(profiles=[somchai, maria], by=steward, reason="her husband's card").profiles
        found = explaining.explain(one, by=steward)
        steps = {step.told.record.external_id: step for step in found.steps}
        (by_model,) = steps["R2"].links
        assert (by_model.rule, by_model.score, by_model.by) == ("model", 0.95, "")
        assert by_model.weighing is not None
        assert [bar.text for bar in by_model.weighing.bars] == ["+4.0", "−0.5"]
        (by_hand,) = steps["R1"].links
        assert (by_hand.rule, by_hand.by, by_hand.reason) == ("steward", "steward", "her husband's card")
        assert found.weakest is not None
        assert (found.weakest.link.rule, found.weakest.records) == ("model", 1)

    def test_a_record_was_somebody_of_its_own_until_a_later_one_came_between(
        self, tell: Tell, web_shop: Source, pos: Source, steward: User
    ) -> None:
        tell(web_shop, identify("u1", email="ann@baansabai.co.th", firstName="Ann"))
        tell(pos, identify("P1", phone="0863451972", firstName="Ann"))
        tell(pos, identify("P1", email="ann@baansabai.co.th") | {"messageId": "later"})
        arrive(pos, row("P2", phone="0863451972", first_name="Ann"))
        found = explaining.explain(profile_of(web_shop, "u1"), by=steward)
        assert [(step.told.record.external_id, bool(step.links)) for step in found.steps] == [
            ("u1", False),
            ("P1", True),
            ("P2", True),
        ]
        assert not any(step.is_held_unseen for step in found.steps)

    def test_a_visitor_and_an_agents_record_follow(
        self, somchai: Profile, tell: Tell, web_shop: Source, agent: User, steward: User
    ) -> None:
        tell(web_shop, track("u1", "Page Viewed") | {"anonymousId": "device-1"})
        tell(web_shop, track("", "Page Viewed") | {"userId": None, "anonymousId": "device-1", "messageId": "before"})
        notes.add(profile=somchai, text="calls back", by=agent)
        found = explaining.explain(somchai, by=steward)
        rules = {rule for of_step in links_of(found).values() for rule, _other, _value in of_step}
        assert rules == {"phone", "device", "tie"}
        assert found.weakest is not None
        assert found.weakest.link.rule == "phone"

    def test_one_record_alone_has_nothing_to_explain(self, manee: Profile, steward: User) -> None:
        found = explaining.explain(manee, by=steward)
        assert (len(found.steps), found.weakest, found.refused, found.events) == (1, None, [], [])


class TestScope:
    def test_identifiers_are_masked_for_who_works_with_groups(self, somchai: Profile, marketer: User) -> None:
        found = explaining.explain(somchai, by=marketer)
        assert links_of(found) == {"P1": [], "u1": [("phone", "P1", "•••• 1972")]}
        assert [step.told.external_id for step in found.steps] == ["P••••", "u••••"]

    def test_sources_of_others_are_named_nowhere(
        self, tell: Tell, web_shop: Source, call_centre: Source, pos: Source, marketer: User, login: Login
    ) -> None:
        """The till's two records hang together by the call centre's, which is not marketing's to see."""
        arrive(pos, row("P1", phone="0863451972", first_name="Ann"))
        arrive(pos, row("P2", email="ann@baansabai.co.th", first_name="Ann"))
        tell(call_centre, identify("C1", phone="0863451972", email="ann@baansabai.co.th", firstName="Ann"))
        tell(call_centre, identify("C9", phone="0863451972", firstName="Bea", lastName="Birch"))
        ann = profile_of(pos, "P1")
        found = explaining.explain(ann, by=marketer)
        assert links_of(found) == {"P1": [], "P2": []}
        assert [step.is_held_unseen for step in found.steps] == [False, True]
        assert found.refused == []
        page = login(marketer).get(reverse("profiles:explanation", args=[ann.public_id])).content.decode()
        assert "Call centre" not in page
        assert "Birch" not in page

    def test_an_outsider_and_another_department_find_no_page(
        self, manee: Profile, login: Login, agent: User, outsider: User
    ) -> None:
        for user in (agent, outsider):
            assert login(user).get(reverse("profiles:explanation", args=[manee.public_id])).status_code == 404

    def test_it_takes_a_bounded_number_of_queries(
        self, somchai: Profile, manee: Profile, pos: Source, steward: User
    ) -> None:
        def more(first: int, last: int) -> int:
            arrive(pos, *(row(f"R{n}", phone="0863451972", first_name="สมชาย") for n in range(first, last)))
            arrive(
                pos,
                *(row(f"H{n}", phone="0863451972", first_name="Bea", last_name="Birch") for n in range(first, last)),
            )
            with CaptureQueriesContext(connection) as seen:
                explaining.explain(somchai, by=steward)
            return len(seen)

        merging.merge(profiles=[somchai, manee], by=steward, reason="the same")
        few = more(1, 2)
        assert more(2, 40) <= few <= 25


class TestRefused:
    def test_a_household_shares_a_phone_and_is_several_people(
        self, somchai: Profile, tell: Tell, web_shop: Source, steward: User
    ) -> None:
        tell(web_shop, identify("u5", phone="0863451972", firstName="Bea", lastName="Birch"))
        (refused,) = explaining.explain(somchai, by=steward).refused
        assert (refused.why, refused.value) == ("names_differ", "086 345 1972")
        assert refused.customer is not None
        assert refused.customer.name == "Bea Birch"

    def test_a_stewards_no_comes_with_its_reason(self, somchai: Profile, steward: User) -> None:
        parted = merging.unmerge(profile=somchai, records=[record("u1").pk], by=steward, reason="two brothers")
        found = explaining.explain(somchai, by=steward)
        (refused,) = found.refused
        assert (refused.why, refused.by, refused.reason) == ("never", "steward", "two brothers")
        assert refused.customer is not None
        assert refused.customer.profile == profile_of(record("u1").source, "u1")
        assert found.events[0].operation_id == parted.operation.pk

    def test_the_model_may_not_change_what_is_verified(self, somchai: Profile, maria: Profile, steward: User) -> None:
        verified.verify(profile=somchai, by=steward)
        model_links("R1", "P1")
        (refused,) = explaining.explain(somchai, by=steward).refused
        assert (refused.why, refused.customer and refused.customer.profile) == ("verified", maria)

    def test_what_waits_for_a_person_is_told_with_its_evidence(
        self, somchai: Profile, manee: Profile, steward: User
    ) -> None:
        a, b = sorted((record("P1").pk, record("u7").pk))
        ReviewPair.objects.create(
            record_a_id=a, record_b_id=b, reason="band", score=0.7, evidence={"prior": -3.0, "fields": [["names", 4.0]]}
        )
        (refused,) = explaining.explain(somchai, by=steward).refused
        assert refused.why == "waiting"
        assert refused.weighing is not None

    def test_what_measures_people_is_shown_to_nobody(self, somchai: Profile, manee: Profile, steward: User) -> None:
        a, b = sorted((record("P1").pk, record("u7").pk))
        ReviewPair.objects.create(record_a_id=a, record_b_id=b, reason="held_out", is_held_out=True, score=0.7)
        assert explaining.explain(somchai, by=steward).refused == []

    def test_a_mailbox_of_many_recognises_nobody(self, tell: Tell, pos: Source, steward: User) -> None:
        people = [
            ("Ann", "Ash"),
            ("Bea", "Birch"),
            ("Cid", "Cedar"),
            ("Dan", "Dogwood"),
            ("Eve", "Elm"),
            ("Fay", "Fir"),
        ]
        tell(
            pos,
            *(
                identify(f"P{number}", firstName=first, lastName=last, email="info@baansabai.co.th")
                for number, (first, last) in enumerate(people)
            ),
        )
        (refused,) = explaining.explain(profile_of(pos, "P0"), by=steward).refused
        assert (refused.why, refused.customer, refused.value) == ("fan_out", None, "info@baansabai.co.th")


class TestEvents:
    def test_a_merge_and_its_undoing_are_told_once_each(self, somchai: Profile, maria: Profile, steward: User) -> None:
        done = merging.merge(profiles=[somchai, maria], by=steward, reason="the same")
        merging.revert(operation=done.operation, by=steward, reason="a mistake")
        parted, joined = explaining.explain(somchai, by=steward).events
        assert (parted.what, parted.reason, joined.what, joined.reason) == ("parted", "a mistake", "joined", "the same")
        assert {told.record.external_id for told in joined.records} >= {"P1", "R1"}
        assert joined.by == "steward"

    def test_verifying_confirms_what_the_model_said(self, somchai: Profile, maria: Profile, steward: User) -> None:
        model_links("P1", "R1")
        verified.verify(profile=somchai, by=steward, reason="seen at the counter")
        found = explaining.explain(somchai, by=steward)
        assert [event.what for event in found.events] == ["confirmed", "joined"]
        assert {rule for of_step in links_of(found).values() for rule, *_rest in of_step} == {"phone", "verified"}

    def test_events_with_records_of_others_are_left_out(
        self, somchai: Profile, manee: Profile, steward: User, agent: User
    ) -> None:
        merging.merge(profiles=[somchai, manee], by=steward, reason="the same")
        assert explaining.explain(somchai, by=agent).events == []
