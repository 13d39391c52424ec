"""Two facts open a customer for a call; guessing does not."""

from collections.abc import Callable

import pytest
from django.db import transaction

from cdp_site.core import audit, hashing
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import AccessLogEntry, AuditEvent, Department, Role, User
from cdp_site.core.personal_data import Subject, holders
from consent import subjects
from ingestion.models import Source
from profiles import merging, openings
from profiles.calling import callers, facts, lines, newcomers, verifying
from profiles.calling.facts import Kind
from profiles.models import Call, CallerCheck, Identifier, Profile, SourceRecord
from profiles.notes import agent_record
from tests.customers import Tell, identify, profile_of
from tests.integration.calling.conftest import PHONE

pytestmark = pytest.mark.django_db
CallOf = Callable[[User], Call]
WRONG = {Kind.BIRTH_DATE: "1/1/2500", Kind.CITIZEN: "0000", Kind.EMAIL: "no@baansabai.co.th", Kind.POSTCODE: "99999"}


class TestTwoFacts:
    def test_they_open_the_customer_for_the_call_and_no_longer(
        self, agent: User, pim: Profile, call_of: CallOf
    ) -> None:
        call = call_of(agent)
        one = verifying.check({Kind.BIRTH_DATE: "14 ก.พ. 2534"}, by=agent)
        assert (one.right, one.is_verified) == ({Kind.BIRTH_DATE}, False)
        assert not openings.is_open(agent, pim.pk)
        two = verifying.check({Kind.POSTCODE: "10260"}, by=agent)
        assert two.is_verified
        assert openings.is_open(agent, pim.pk)
        call.refresh_from_db()
        assert call.verified_at is not None
        assert openings.revealed_today(agent) == 0  # the cap does not count it
        lines.end(by=agent)
        assert not openings.is_open(agent, pim.pk)

    def test_they_are_of_two_papers(self, agent: User, pim: Profile, call_of: CallOf) -> None:
        call_of(agent)
        receipt = verifying.check({Kind.ORDER: "wb000123", Kind.AMOUNT: "4740"}, by=agent)
        assert (receipt.right, receipt.is_verified) == ({Kind.ORDER, Kind.AMOUNT}, False)
        assert verifying.check({Kind.MEMBER: "m7788001"}, by=agent).is_verified

    def test_they_are_of_one_call(self, agent: User, pim: Profile, call_of: CallOf) -> None:
        call_of(agent)
        verifying.check({Kind.BIRTH_DATE: "14/2/1991"}, by=agent)
        call_of(agent)
        assert not verifying.check({Kind.POSTCODE: "10260"}, by=agent).is_verified

    def test_they_are_of_one_person(self, agent: User, pim: Profile, tim: Profile) -> None:
        call = lines.begin(number=PHONE, by=agent)
        lines.choose(callers.chosen(call, pim.public_id, by=agent), by=agent)
        verifying.check({Kind.POSTCODE: "10260"}, by=agent)
        lines.choose(callers.chosen(call, tim.public_id, by=agent), by=agent)
        assert not verifying.check({Kind.BIRTH_DATE: "1/7/1988"}, by=agent).is_verified

    def test_another_customer_takes_another_call(self, agent: User, pim: Profile, call_of: CallOf) -> None:
        call_of(agent)
        verifying.check({Kind.BIRTH_DATE: "14/2/1991", Kind.POSTCODE: "10260"}, by=agent)
        with pytest.raises(ConflictProblem):
            lines.choose(None, by=agent)

    def test_what_the_department_may_not_see_is_not_asked(
        self, agent: User, marketing: Department, tell: Tell, web_shop: Source, pim: Profile
    ) -> None:
        """The shop's record says another postcode; the answer to it would tell of the shop's customer."""
        tell(web_shop, identify("u1", firstName="พิมพ์ชนก", lastName="แสงอรุณ", phone=PHONE, zip="50200"))
        call = lines.begin(number=PHONE, by=agent)
        assert call.profile == profile_of(web_shop, "u1")
        assert verifying.check({Kind.POSTCODE: "50200"}, by=agent).wrong == {Kind.POSTCODE}

    def test_what_an_agent_typed_is_no_fact(self, agent: User, pim: Profile, call_of: CallOf) -> None:
        record = agent_record(pim, by=agent)
        SourceRecord.objects.filter(pk=record.pk).update(attributes={"birth_date": "2000-01-01", "postcode": "50200"})
        call_of(agent)
        outcome = verifying.check({Kind.BIRTH_DATE: "1/1/2000", Kind.POSTCODE: "50200"}, by=agent)
        assert (outcome.wrong, outcome.is_verified) == ({Kind.BIRTH_DATE, Kind.POSTCODE}, False)

    def test_it_is_logged_without_a_value(self, agent: User, pim: Profile, call_of: CallOf) -> None:
        call = call_of(agent)
        verifying.check({Kind.BIRTH_DATE: "1/1/2534", Kind.POSTCODE: "10260"}, by=agent)
        verifying.check({Kind.BIRTH_DATE: "14/2/2534"}, by=agent)
        checks = CallerCheck.objects.filter(call=call).order_by("pk").values_list("fact", "is_right")
        assert list(checks) == [("birth_date", False), ("postcode", True), ("birth_date", True)]
        rows = AuditEvent.objects.filter(target_id=str(pim.pk), action__startswith="call.").order_by("pk")
        assert [(row.action, row.fields) for row in rows] == [
            ("call.check", ["birth_date", "postcode"]),
            ("call.check", ["birth_date"]),
            ("call.verify", ["birth_date", "postcode"]),
        ]
        log = AccessLogEntry.objects.get(profile=pim.public_id, reason="verified_call")
        assert log.actor == audit.actor_name(agent)
        said = str(list(AuditEvent.objects.values())) + str(list(AccessLogEntry.objects.values()))
        assert "10260" not in said
        assert "1991" not in said

    def test_without_a_record_of_it_nothing_opens(
        self, agent: User, pim: Profile, call_of: CallOf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call_of(agent)

        def fail(**_: object) -> None:
            raise OSError("no room for the audit")

        monkeypatch.setattr(audit, "record", fail)
        with pytest.raises(OSError, match="no room"), transaction.atomic():
            verifying.check({Kind.BIRTH_DATE: "14/2/1991", Kind.POSTCODE: "10260"}, by=agent)
        agent.__dict__.pop("_openings", None)
        assert not openings.is_open(agent, pim.pk)
        assert not CallerCheck.objects.exists()


class TestGuessing:
    def test_three_wrong_answers_end_it_for_the_call(self, agent: User, pim: Profile, call_of: CallOf) -> None:
        call_of(agent)
        outcome = verifying.check(WRONG, by=agent)  # of four, one is not known of her: three are compared
        assert (len(outcome.wrong), outcome.left) == (3, 0)
        with pytest.raises(verifying.LockedProblem):
            verifying.check({Kind.BIRTH_DATE: "14/2/1991", Kind.POSTCODE: "10260"}, by=agent)

    def test_the_fourth_answer_of_one_form_is_not_compared(self, agent: User, pim: Profile, call_of: CallOf) -> None:
        call_of(agent)
        outcome = verifying.check(WRONG | {Kind.MEMBER: "M-7788001", Kind.AMOUNT: "4740"}, by=agent)
        assert (outcome.left, outcome.right) == (0, frozenset())

    def test_neither_a_new_call_nor_a_colleague_starts_anew(
        self, agent: User, make_user: Callable[..., User], care: Department, pim: Profile, call_of: CallOf
    ) -> None:
        call_of(agent)
        verifying.check(WRONG, by=agent)
        colleague = make_user(Role.AGENT, care, "colleague")
        call_of(colleague)
        assert verifying.check({Kind.BIRTH_DATE: "1/1/2500"}, by=colleague).left == 1
        assert verifying.check({Kind.BIRTH_DATE: "2/1/2500"}, by=colleague).left == 0
        call_of(agent)
        with pytest.raises(verifying.LockedProblem):
            verifying.check({Kind.POSTCODE: "10260"}, by=agent)

    def test_an_agent_who_is_wrong_about_many_is_stopped(
        self, agent: User, pim: Profile, call_of: CallOf, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(verifying, "MOST_WRONG_OF_AGENT", 1)
        call_of(agent)
        assert verifying.check({Kind.POSTCODE: "99999"}, by=agent).left == 0

    def test_what_cannot_be_read_is_no_try(self, agent: User, pim: Profile, call_of: CallOf) -> None:
        call_of(agent)
        outcome = verifying.check({Kind.BIRTH_DATE: "in spring", Kind.POSTCODE: " "}, by=agent)
        assert (outcome.unreadable, outcome.wrong, outcome.left) == ({Kind.BIRTH_DATE}, frozenset(), 3)

    def test_who_is_known_by_one_fact_cannot_be_verified(self, agent: User, pim: Profile, tim: Profile) -> None:
        call = lines.begin(number=PHONE, by=agent)
        caller = callers.chosen(call, tim.public_id, by=agent)
        assert caller is not None
        lines.choose(caller, by=agent)
        standing = verifying.standing(call, caller, by=agent)
        assert (standing.askable, standing.is_possible) == ((Kind.BIRTH_DATE,), False)

    def test_nobody_is_verified_without_a_call(self, agent: User, pim: Profile) -> None:
        with pytest.raises(ConflictProblem):
            verifying.check({Kind.POSTCODE: "10260"}, by=agent)


class TestNewcomers:
    def test_the_caller_is_a_customer_at_once_and_open_for_the_call(self, agent: User) -> None:
        call = lines.begin(number="0874561231", by=agent)
        profile = newcomers.create(first_name="มะลิ", last_name="หอมดี", email="mali@baansabai.co.th", by=agent)
        assert profile.kind == Profile.Kind.IDENTIFIED
        assert profile.golden["first_name"] == "มะลิ"
        assert openings.is_open(agent, profile.pk)
        call.refresh_from_db()
        assert (call.profile, call.verified_at is not None) == (profile, True)
        assert [caller.profile for caller in callers.of_number(call, by=agent)] == [profile]
        event = AuditEvent.objects.get(action="customer.create")
        assert event.fields == ["email", "first_name", "last_name", "phone"]

    def test_what_an_agent_types_joins_nobody(self, agent: User, tell: Tell, web_shop: Source) -> None:
        """Not even when another department's customer bears the same name, number and address."""
        tell(web_shop, identify("u1", firstName="มะลิ", lastName="หอมดี", phone="0874561231", email="mali@a.co.th"))
        lines.begin(number="0874561231", by=agent)
        profile = newcomers.create(first_name="มะลิ", last_name="หอมดี", email="mali@a.co.th", by=agent)
        assert profile != profile_of(web_shop, "u1")
        assert not Identifier.objects.filter(profile=profile, is_evidence=True).exists()

    @pytest.mark.parametrize(
        ("said", "field"),
        [
            ({"first_name": " ", "last_name": ""}, "first_name"),
            ({"first_name": "-", "last_name": ""}, "first_name"),
            ({"first_name": "มะลิ", "last_name": "", "email": "mali at home"}, "email"),
            ({"first_name": "มะลิ", "last_name": "", "email": "noemail@example.com"}, "email"),
        ],
    )
    def test_what_cannot_be_used_is_said(self, agent: User, said: dict[str, str], field: str) -> None:
        lines.begin(number="0874561231", by=agent)
        with pytest.raises(MendableError) as problem, transaction.atomic():
            newcomers.create(**said, by=agent)
        assert problem.value.field == field
        assert not SourceRecord.objects.exists()

    def test_without_a_number_that_calls_there_is_nobody(self, agent: User, call_centre: Source) -> None:
        _call, token = lines.announce(number="", source_id=call_centre.pk)
        lines.take(token, by=agent)
        with pytest.raises(ConflictProblem), transaction.atomic():
            newcomers.create(first_name="มะลิ", last_name="", by=agent)

    def test_hostile_names_are_text(self, agent: User) -> None:
        for name in (
            "<script>alert(1)</script>",
            "Robert'); DROP TABLE profiles_profile;--",
            "مرحبا\u202e",
            "a\u200bb",
        ):
            lines.begin(number="0874561231", by=agent)
            assert newcomers.create(first_name=name, last_name="x", by=agent).pk


class TestWhoseDataItIs:
    def test_a_call_follows_its_record(
        self, agent: User, steward: User, tell: Tell, pos: Source, pim: Profile, tim: Profile
    ) -> None:
        call = lines.begin(number=PHONE, by=agent)
        call = lines.choose(callers.chosen(call, tim.public_id, by=agent), by=agent)
        verifying.check({Kind.BIRTH_DATE: "2/7/1988"}, by=agent)
        outcome = merging.merge(profiles=[pim, tim], by=steward, reason="one person")
        (merged,) = outcome.profiles
        call.refresh_from_db()
        assert call.profile == merged
        assert CallerCheck.objects.get().profile == merged
        merging.unmerge(profile=merged, records=[tim.birth_record.pk], by=steward, reason="two people")
        call.refresh_from_db()
        assert call.profile == tim
        assert CallerCheck.objects.get().profile == tim

    def test_it_goes_with_its_person_and_the_number_with_it(
        self, agent: User, make_user: Callable[..., User], care: Department, pim: Profile, call_of: CallOf
    ) -> None:
        call_of(agent)
        verifying.check({Kind.POSTCODE: "10260"}, by=agent)
        colleague = make_user(Role.AGENT, care, "colleague")
        unknown = call_of(colleague)
        Call.objects.filter(pk=unknown.pk).update(record=None, profile=None)
        others = lines.begin(number="0894561237", by=make_user(Role.AGENT, care, "third"))
        holder = next(one for one in holders() if one.name == "profiles.calls")
        subject = subjects.find(pim.public_id)
        assert isinstance(subject, Subject)
        assert holder.locate(subject) == {"profiles.CallerCheck": 1, "profiles.Call": 2}
        assert {row["last_four"] for row in holder.export(subject)["profiles.Call"]} == {"5678"}
        holder.erase(subject)
        assert not any(holder.locate(subject).values())
        assert list(Call.objects.all()) == [others]

    def test_the_hash_of_the_number_is_the_one_by_which_subjects_are_found(self, agent: User, call_of: CallOf) -> None:
        assert bytes(call_of(agent).number_hash) == hashing.identifier_key("phone", "global", "+66813945678")


def test_every_kind_of_fact_is_asked_in_words() -> None:
    assert set(facts.QUESTIONS) == set(Kind)
