"""Retention of what profiles hold: what goes by each rule, what stays, and that a run can be broken off anywhere."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from cdp_site.core.models import AuditEvent, User
from consent import requests
from consent.erasure import holds
from consent.models import DataSubjectRequest, KeepingRule, RemovedByRule
from consent.retention import people, rules, running, touchpoints, values
from ingestion.models import SeenMessage, Source
from profiles import signals
from profiles.models import (
    AgentEdit,
    EventType,
    Note,
    Profile,
    RecordShare,
    SourceRecord,
    SourceRecordVersion,
    Touchpoint,
    Trait,
    TraitGroup,
)
from tests.customers import Tell, identify, profile_of, track
from tests.factories.consent import ask
from tests.factories.people import make_person, make_source, records_of

pytestmark = pytest.mark.django_db
Kind = KeepingRule.Kind


@pytest.fixture
def desk(login: Callable[[User], Client], compliance: User) -> Client:
    client = login(compliance)
    client.cookies["django_language"] = "en"
    return client


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def viewed_rule(days: int = 365) -> KeepingRule:
    return KeepingRule.objects.create(
        kind=Kind.TOUCHPOINTS, event_type=EventType.objects.get(name="Product Viewed"), days=days
    )


def age(profile: Profile, days: float, **which: Any) -> None:
    """As if the touchpoints had come so long ago."""
    Touchpoint.objects.filter(profile=profile, **which).update(occurred_at=ago(days), received_at=ago(days))


@pytest.fixture
def viewer(tell: Tell, web_shop: Source) -> Profile:
    """Three views, of which two are past a year, and an order of the same age."""
    tell(
        web_shop,
        identify("W1", firstName="Suda", pet="cat", size="M"),
        *(track("W1", "Product Viewed", hours=n, sku=f"A{n}") | {"messageId": f"v{n}"} for n in range(3)),
        track("W1", "Checkout Started", hours=9),
    )
    profile = profile_of(web_shop, "W1")
    old = list(Touchpoint.objects.filter(profile=profile, type__name="Product Viewed").order_by("pk")[:2])
    age(profile, 400, pk__in=[one.pk for one in old])
    age(profile, 400, type__name="Checkout Started")
    return profile


class TestTouchpoints:
    def test_what_is_past_its_days_goes_and_nothing_else(self, viewer: Profile) -> None:
        rule = viewed_rule()
        assert running.count_due(rule) == 2
        assert Touchpoint.objects.count() == 4  # counting changes nothing
        assert running.remove_due() == {Kind.TOUCHPOINTS: 2}
        assert sorted(Touchpoint.objects.values_list("type__name", flat=True)) == ["Checkout Started", "Product Viewed"]
        assert running.count_due(rule) == 0

    def test_the_same_message_is_never_taken_again(self, viewer: Profile, web_shop: Source, tell: Tell) -> None:
        viewed_rule()
        before = SeenMessage.objects.count()
        running.remove_due()
        assert SeenMessage.objects.count() == before + 2
        tell(
            web_shop, *(track("W1", "Product Viewed", hours=n, sku=f"A{n}") | {"messageId": f"v{n}"} for n in range(3))
        )
        assert Touchpoint.objects.filter(type__name="Product Viewed").count() == 1

    def test_an_old_event_that_has_just_arrived_has_its_days_before_it(self, viewer: Profile) -> None:
        Touchpoint.objects.update(received_at=timezone.now())
        assert running.count_due(viewed_rule()) == 0

    def test_whoever_follows_people_is_told(self, viewer: Profile) -> None:
        rule, told = viewed_rule(), []

        def hear(touches: Any, **kwargs: Any) -> None:
            told.extend((touch.aspect, set(touch.profile_ids), touch.subject) for touch in touches)

        signals.people_touched.connect(hear)
        try:
            running.remove_due()
        finally:
            signals.people_touched.disconnect(hear)
        assert told == [(signals.Aspect.EVENT, {viewer.pk}, rule.event_type_id)]

    def test_portions_and_a_day_s_rest(self, viewer: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(touchpoints, "AT_ONCE", 1)
        rule = viewed_rule()
        assert running.remove_due(budget_seconds=0) == {}
        assert running.remove_due() == {Kind.TOUCHPOINTS: 2}
        rule.refresh_from_db()
        assert rule.passed_on == timezone.localdate()
        age(viewer, 400)
        assert running.remove_due() == {}  # through for today
        KeepingRule.objects.update(passed_on=timezone.localdate() - timedelta(days=1))
        assert running.remove_due() == {Kind.TOUCHPOINTS: 1}
        assert [(row.rule_id, row.n) for row in RemovedByRule.objects.all()] == [(rule.pk, 3)]
        assert AuditEvent.objects.filter(action="retention.remove").count() == 1  # the first of a day


class TestWhatIsHeld:
    @pytest.fixture(autouse=True)
    def _rules(self, viewer: Profile) -> None:
        viewed_rule()
        KeepingRule.objects.create(kind=Kind.TRAITS, trait_group=_group("pets", "pet"), days=30)
        KeepingRule.objects.create(kind=Kind.CUSTOMERS, days=30)
        SourceRecord.objects.update(attribute_times={"pet": _stated(400)}, last_seen_at=ago(500), received_at=ago(500))
        Profile.objects.update(created_at=ago(500))
        age(viewer, 400)

    def test_an_open_request_keeps_everything(self, viewer: Profile, compliance: User) -> None:
        ask(viewer, compliance)
        assert [running.count_due(rule) for rule in KeepingRule.objects.all()] == [0, 0, 0]
        assert running.remove_due() == {}

    def test_under_the_id_of_before_a_merge(self, viewer: Profile, compliance: User) -> None:
        born = Profile.objects.create(kind="identified", state="redirected", redirect_to=viewer)
        DataSubjectRequest.objects.create(
            subject=born.public_id, received_at=ago(1), due_at=timezone.now(), kind="access", requested_by=compliance
        )
        assert running.remove_due() == {}

    def test_a_restriction_keeps_everything_after_its_request_was_completed(
        self, viewer: Profile, compliance: User
    ) -> None:
        asked = DataSubjectRequest.objects.create(
            subject=viewer.public_id, received_at=ago(9), due_at=timezone.now(), kind="restriction",
            status="completed", requested_by=compliance,
        )  # fmt: skip
        assert running.remove_due() == {}
        asked.lifted_at = timezone.now()
        asked.save()
        KeepingRule.objects.update(passed_on=None)
        assert running.remove_due() == {Kind.CUSTOMERS: 1}

    def test_a_row_that_is_held_keeps_its_person(self, viewer: Profile, compliance: User) -> None:
        row = next(row for row in holds.rows_of(viewer) if row.label == "profiles.Touchpoint")
        hold = holds.place(
            profile=viewer, key=row.key, ground="claim", reason="A claim before the court", until=None, by=compliance
        )
        assert [running.count_due(rule) for rule in KeepingRule.objects.all()] == [0, 0, 0]
        assert running.remove_due() == {}
        holds.release(hold_id=hold.pk, by=compliance)
        KeepingRule.objects.update(passed_on=None)
        assert running.remove_due() == {Kind.CUSTOMERS: 1}

    def test_once_it_was_refused_it_goes(self, viewer: Profile, compliance: User) -> None:
        asked = ask(viewer, compliance)
        requests.refuse(request_id=asked.pk, reason="unfounded", by=compliance)
        assert running.remove_due() == {Kind.CUSTOMERS: 1}  # with whom everything else goes


def _group(slug: str, *traits: str) -> TraitGroup:
    group = TraitGroup.objects.create(slug=slug, name=slug.title(), kind_of_data="descriptive")
    for name in traits:
        Trait.objects.update_or_create(name=name, defaults={"group": group})
    return group


def _stated(days: float) -> str:
    return ago(days).astimezone(UTC).isoformat(timespec="microseconds")


class TestValues:
    @pytest.fixture
    def rule(self, viewer: Profile) -> KeepingRule:
        """The pet was said 400 days ago, the size yesterday; both are in versions and in what an import said."""
        record = records_of(viewer)[0]
        record.attribute_times |= {"pet": _stated(400), "size": _stated(1)}
        record.save()
        SourceRecordVersion.objects.bulk_create(
            [
                SourceRecordVersion(
                    record=record, attributes={"pet": "dog", "size": "S", "first_name": "Suda"}, content_hash=bytes(16),
                    occurred_at=ago(500), received_at=ago(500),
                )
            ]
        )  # fmt: skip
        RecordShare.objects.create(
            record=record, attributes={"pet": "dog"}, attribute_times={"pet": _stated(500)},
            first_at=ago(500), last_at=ago(500),
        )  # fmt: skip
        AgentEdit.objects.create(
            record=record, at=ago(450), traits=["pet"],
            before={"unit": ["pet"], "attributes": {"pet": "dog"}, "times": {"pet": _stated(500)}, "pin": None},
        )  # fmt: skip
        return KeepingRule.objects.create(kind=Kind.TRAITS, trait_group=_group("body", "pet", "size"), days=365)

    def test_a_value_goes_from_everywhere(self, rule: KeepingRule, viewer: Profile) -> None:
        assert viewer.golden["pet"] == "cat"
        assert running.count_due(rule) == 1
        assert running.remove_due() == {Kind.TRAITS: 1}
        viewer.refresh_from_db()
        assert "pet" not in viewer.golden
        assert viewer.golden["size"] == "M"
        record = records_of(viewer)[0]
        assert "pet" not in record.attributes | record.attribute_times
        assert not SourceRecordVersion.objects.filter(attributes__has_key="pet").exists()
        assert RecordShare.objects.get().attributes == RecordShare.objects.get().attribute_times == {}
        assert AgentEdit.objects.get().before["attributes"] == {}
        assert running.count_due(rule) == 0

    def test_an_earlier_word_goes_while_a_younger_one_stays(self, rule: KeepingRule, viewer: Profile) -> None:
        old = SourceRecordVersion.objects.get(attributes__pet="dog").pk
        running.remove_due()
        version = SourceRecordVersion.objects.get(pk=old)  # under its own id: its place in history is the same
        assert version.attributes == {"first_name": "Suda"}
        assert SourceRecordVersion.objects.filter(attributes__size="M").exists()

    def test_other_groups_are_left_alone(self, rule: KeepingRule, viewer: Profile) -> None:
        running.remove_due()
        viewer.refresh_from_db()
        assert viewer.golden["first_name"] == "Suda"

    def test_a_pass_goes_through_all_records_in_portions(
        self, rule: KeepingRule, viewer: Profile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(4):
            make_person()
        SourceRecord.objects.update(attributes={"pet": "cat"}, attribute_times={"pet": _stated(400)})
        monkeypatch.setattr(values, "AT_ONCE", 2)
        assert running.count_due(rule) == 5
        assert running.remove_due() == {Kind.TRAITS: 5}
        rule.refresh_from_db()
        assert (rule.position, rule.passed_on) == (0, timezone.localdate())


class TestPeople:
    @pytest.fixture
    def silent(self) -> Profile:
        """Heard of last on the first of January 2024."""
        profile = make_person(make_source("shop"), name="อารีย์ ใจดี")
        SourceRecord.objects.update(last_seen_at=ago(900), received_at=ago(900))
        Profile.objects.update(created_at=ago(900))
        return profile

    @pytest.fixture
    def rule(self, silent: Profile) -> KeepingRule:
        return KeepingRule.objects.create(kind=Kind.CUSTOMERS, days=730)

    def test_they_are_erased_with_a_certificate(self, rule: KeepingRule, silent: Profile) -> None:
        assert running.count_due(rule) == 1
        assert running.remove_due() == {Kind.CUSTOMERS: 1}
        assert not Profile.objects.filter(pk=silent.pk).exists()
        request = DataSubjectRequest.objects.get()
        assert (request.status, request.identity_checked, request.subject) == ("completed", "retention", None)
        assert request.certificate is not None
        assert list(DataSubjectRequest.objects.ended()) == []  # thousands would bury what people asked for

    def test_visitors_have_a_rule_of_their_own(self, rule: KeepingRule, silent: Profile) -> None:
        Profile.objects.update(kind=Profile.Kind.ANONYMOUS)
        assert running.count_due(rule) == 0
        assert running.count_due(KeepingRule(kind=Kind.VISITORS, days=730)) == 1

    @pytest.mark.parametrize("sign", ["record", "note", "touchpoint"])
    def test_any_sign_of_life_keeps_them(
        self, rule: KeepingRule, silent: Profile, sign: str, agent: User, web_shop: Source
    ) -> None:
        record = records_of(silent)[0]
        if sign == "record":
            SourceRecord.objects.update(last_seen_at=ago(10))
        elif sign == "note":
            Note.objects.create(record=record, profile=silent, author=agent, text="called")
        else:
            kind, _is_new = EventType.objects.get_or_create(name="Store Visited")
            Touchpoint.objects.create(
                id=silent.public_id, profile=silent, record=record, type=kind, source=web_shop,
                occurred_at=ago(10), received_at=ago(10),
            )  # fmt: skip
        assert running.count_due(rule) == 0
        assert running.remove_due() == {}

    def test_a_run_whose_time_is_over_goes_on_behind_the_last_one(
        self, rule: KeepingRule, silent: Profile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(2):
            make_person()
        SourceRecord.objects.update(last_seen_at=ago(900), received_at=ago(900))
        Profile.objects.update(created_at=ago(900))
        asked: list[Profile] = []
        monkeypatch.setattr(people, "erase", lambda profile: asked.append(profile) or True)
        for _ in range(3):
            running._erase_portion(rule, running.before_of(rule), until=0)
        assert [profile.pk for profile in asked] == sorted(profile.pk for profile in asked)
        assert len({profile.pk for profile in asked}) == 3

    def test_a_portion_looks_at_so_many_profiles(
        self, rule: KeepingRule, silent: Profile, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(4):
            make_person()
        SourceRecord.objects.update(last_seen_at=ago(900), received_at=ago(900))
        Profile.objects.update(created_at=ago(900))
        monkeypatch.setattr(people, "LOOKED_AT", 2)
        looked: list[int] = []
        monkeypatch.setattr(people, "erase", lambda profile: looked.append(profile.pk) or True)
        assert running.remove_due() == {Kind.CUSTOMERS: 5}
        assert looked == sorted(set(looked))

    def test_a_request_that_came_first_wins(self, rule: KeepingRule, silent: Profile, compliance: User) -> None:
        ask(silent, compliance)
        assert people.erase(silent) is False
        assert Profile.objects.filter(pk=silent.pk).exists()


class TestRules:
    def test_the_database_holds_what_belongs_to_a_kind(self) -> None:
        viewed, _is_new = EventType.objects.get_or_create(name="Product Viewed")
        for wrong in (
            {"kind": Kind.TOUCHPOINTS},
            {"kind": Kind.TRAITS, "event_type": viewed},
            {"kind": Kind.CUSTOMERS, "event_type": viewed},
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                KeepingRule.objects.create(days=365, **wrong)
        with pytest.raises(IntegrityError), transaction.atomic():
            KeepingRule.objects.create(kind=Kind.CUSTOMERS, days=29)
        KeepingRule.objects.create(kind=Kind.CUSTOMERS, days=365)
        with pytest.raises(IntegrityError), transaction.atomic():
            KeepingRule.objects.create(kind=Kind.CUSTOMERS, days=730)

    def test_a_rule_is_written_changed_and_removed(self, desk: Client, compliance: User) -> None:
        sent = {"kind": "customers", "days": "730"}
        assert desk.post("/retention/save/", sent).status_code == 302
        assert desk.post("/retention/save/", sent | {"days": "365"}).status_code == 302
        rule = KeepingRule.objects.get()
        assert rule.days == 365
        assert "customers without a sign of life" in desk.get("/retention/").content.decode().casefold()
        assert desk.post(f"/retention/{rule.pk}/remove/").status_code == 302
        assert not KeepingRule.objects.exists()
        actions = AuditEvent.objects.filter(action__startswith="retention").order_by("pk")
        assert list(actions.values_list("action", "actor")) == [
            ("retention.rule", f"user:{compliance.pk}"),
            ("retention.rule", f"user:{compliance.pk}"),
            ("retention.rule_remove", f"user:{compliance.pk}"),
        ]

    def test_a_shorter_time_begins_a_new_pass(self, compliance: User) -> None:
        made = rules.save(kind=Kind.CUSTOMERS, event_type=None, trait_group=None, days=730, by=compliance)
        KeepingRule.objects.update(position=7, passed_on=timezone.localdate())
        rules.save(kind=Kind.CUSTOMERS, event_type=None, trait_group=None, days=365, by=compliance)
        made.refresh_from_db()
        assert (made.position, made.passed_on) == (0, None)

    @pytest.mark.parametrize(
        ("sent", "told"),
        [
            ({"kind": "touchpoints", "days": "365"}, "Choose what the rule is about."),
            ({"kind": "customers", "days": "3"}, "30"),
            ({"kind": "nonsense", "days": "365"}, "nonsense"),
        ],
    )
    def test_what_does_not_fit_is_said(self, desk: Client, sent: dict[str, str], told: str) -> None:
        answer = desk.post("/retention/save/", sent)
        assert answer.status_code == 422
        assert told in answer.content.decode()

    def test_what_identifies_goes_with_the_customer(self, desk: Client) -> None:
        identity = TraitGroup.objects.filter(kind_of_data="identity").first()
        assert identity is not None
        assert (
            desk.post("/retention/save/", {"kind": "traits", "trait_group": identity.pk, "days": "365"}).status_code
            == 422
        )

    def test_counting_first_changes_nothing(self, desk: Client, viewer: Profile) -> None:
        kind = EventType.objects.get(name="Product Viewed")
        answer = desk.post("/retention/try/", {"kind": "touchpoints", "event_type": kind.pk, "days": "365"})
        assert "2 would go now." in answer.content.decode()
        assert Touchpoint.objects.count() == 4
        assert not KeepingRule.objects.exists()

    @pytest.mark.parametrize("role", ["agent", "marketer", "steward", "analyst", "admin", ""])
    def test_it_is_for_compliance(
        self, login: Callable[[User], Client], make_user: Callable[..., User], role: str
    ) -> None:
        client = login(make_user(role))
        asked = [client.get("/retention/")]
        asked += [client.post(path) for path in ("/retention/save/", "/retention/try/", "/retention/7/remove/")]
        assert {answer.status_code for answer in asked} == {404}
