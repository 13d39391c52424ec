"""The gate: which addresses may be used for one customer and for many."""

import random
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.access import Scope
from cdp_site.core.models import User
from consent import gate
from consent.models import Channel, DataSubjectRequest, Purpose
from consent.reasons import Reason
from ingestion.models import Source
from profiles.models import Profile
from tests.factories.consent import marketing, say
from tests.factories.people import hold, make_person, make_record, make_source, merge, records_of

pytestmark = pytest.mark.django_db
MAIL, SMS, PHONE, POST = Channel.EMAIL, Channel.SMS, Channel.PHONE, Channel.POST


def service() -> Purpose:
    return Purpose.objects.get(slug="service")


def person_with(kind: str, value: str, **fields: Any) -> Profile:
    person = make_person()
    hold(records_of(person)[0], kind, value, **fields)
    return person


def blocked(person: Profile, channel: Channel = MAIL, purpose: Purpose | None = None) -> Reason | None:
    return gate.may_use(person, purpose or marketing(), channel).reason


def test_missing_consent_means_no_and_contract_needs_none() -> None:
    person = person_with("email", "a@shop.test")
    assert blocked(person) is Reason.NEVER_ASKED
    assert gate.may_use(person, service(), MAIL).addresses == ("a@shop.test",)


def test_a_grant_opens_its_channel_alone() -> None:
    person = person_with("email", "a@shop.test")
    record = records_of(person)[0]
    hold(record, "phone", "+66812345678")
    say(record, "granted")
    assert gate.may_use(person, marketing(), MAIL).addresses == ("a@shop.test",)
    assert blocked(person, SMS) is Reason.NEVER_ASKED


def test_a_phone_serves_calls_and_messages_under_separate_consents() -> None:
    person = person_with("phone", "+66812345678")
    record = records_of(person)[0]
    say(record, "granted", channel=SMS)
    say(record, "refused", channel=PHONE)
    assert gate.may_use(person, marketing(), SMS).is_given
    assert blocked(person, PHONE) is Reason.REFUSED


def test_an_objection_holds_against_a_contract() -> None:
    person = person_with("email", "a@shop.test")
    say(records_of(person)[0], "withdrawn", purpose=service())
    assert blocked(person, purpose=service()) is Reason.WITHDRAWN


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"problem": "masked"}, Reason.UNUSABLE),
        ({"problem": "junk"}, Reason.UNUSABLE),
        ({"problem": "malformed"}, Reason.UNUSABLE),
        ({"problem": "public_key"}, Reason.UNCONFIRMED),
        ({"valid_to": timezone.now()}, Reason.ENDED),
        ({"is_current": False}, Reason.REPLACED),
        ({"problem": "switchboard"}, None),
    ],
)
def test_an_address_that_is_none(fields: dict[str, Any], reason: Reason | None) -> None:
    person = person_with("phone", "+66812345678", **fields)
    say(records_of(person)[0], "granted", channel=SMS)
    assert blocked(person, SMS) is reason
    assert gate.reach([person.pk], purpose=marketing(), channel=SMS).left_out == ({reason: 1} if reason else {})


def test_an_address_is_well_when_one_record_holds_it_well() -> None:
    person = make_person(make_source("shop"), make_source("pos"))
    first, second = records_of(person)
    hold(first, "email", "a@shop.test", is_current=False)
    hold(second, "email", "a@shop.test")
    say(second, "granted")
    assert gate.may_use(person, marketing(), MAIL).addresses == ("a@shop.test",)


def test_without_an_address_there_is_a_reason() -> None:
    assert gate.may_use(make_person(), marketing(), MAIL).blocked == (("", Reason.NO_ADDRESS),)


def test_a_merge_does_not_lose_the_refusal_and_an_unmerge_restores_the_grant() -> None:
    keen, wary = person_with("email", "keen@shop.test"), person_with("email", "wary@shop.test")
    say(records_of(keen)[0], "granted", day=5)
    say(records_of(wary)[0], "refused", day=1)
    assert gate.may_use(keen, marketing(), MAIL).is_given
    merge(keen, wary)
    assert dict(gate.may_use(keen, marketing(), MAIL).blocked) == {
        "keen@shop.test": Reason.REFUSED,
        "wary@shop.test": Reason.REFUSED,
    }


def test_who_is_being_erased_is_not_there() -> None:
    person = person_with("email", "a@shop.test")
    say(records_of(person)[0], "granted")
    Profile.objects.filter(pk=person.pk).update(state=Profile.State.ERASING)
    person.refresh_from_db()
    assert blocked(person) is Reason.ERASURE
    assert list(gate.usable_addresses([person.pk], purpose=marketing(), channel=MAIL)) == []


def test_use_is_blocked_from_the_day_of_the_request(compliance: User) -> None:
    person, other = person_with("email", "a@shop.test"), person_with("email", "b@shop.test")
    merged = person_with("email", "c@shop.test")
    for one in (person, other, merged):
        say(records_of(one)[0], "granted")
    merge(other, merged)
    for subject in (person, merged):
        DataSubjectRequest.objects.create(
            subject=subject.public_id,
            received_at=timezone.now(),
            due_at=timezone.now() + timedelta(days=90),
            requested_by=compliance,
        )
    assert blocked(person) is Reason.ERASURE
    assert blocked(other) is Reason.ERASURE
    passage = gate.reach([person.pk, other.pk], purpose=marketing(), channel=MAIL)
    assert passage.left_out == {Reason.ERASURE: 2}
    duty = Purpose.objects.create(slug="recall", name="Recall", basis=Purpose.Basis.LEGAL_OBLIGATION)
    assert gate.may_use(person, duty, MAIL).is_given
    DataSubjectRequest.objects.update(status=DataSubjectRequest.Status.REFUSED)
    assert gate.reach([person.pk, other.pk], purpose=marketing(), channel=MAIL).people == 2


def test_a_purpose_out_of_use_opens_nothing() -> None:
    person = person_with("email", "a@shop.test")
    say(records_of(person)[0], "granted")
    Purpose.objects.update(is_active=False)
    assert blocked(person) is Reason.PURPOSE_INACTIVE


def test_post_goes_to_the_golden_address() -> None:
    person = make_person()
    say(records_of(person)[0], "granted", channel=POST)
    assert blocked(person, POST) is Reason.NO_ADDRESS
    golden = {"address": "99/1 ถนนสุขุมวิท", "province": "กรุงเทพมหานคร", "postcode": "10110"}
    Profile.objects.filter(pk=person.pk).update(golden=golden)
    person.refresh_from_db()
    line = "99/1 ถนนสุขุมวิท, กรุงเทพมหานคร, 10110"
    assert gate.may_use(person, marketing(), POST).addresses == (line,)
    passage = gate.usable_addresses([person.pk], purpose=marketing(), channel=POST)
    assert [one.address for one in passage] == [line]


def test_a_department_gets_no_address_of_another_but_hears_every_refusal(web_shop: Source, call_centre: Source) -> None:
    person = make_person(web_shop, call_centre)
    web, calls = records_of(person)
    hold(web, "email", "web@shop.test")
    hold(calls, "email", "calls@shop.test")
    say(web, "granted")
    say(calls, "granted")
    scope = Scope(source_ids=frozenset({web_shop.pk}), event_type_ids=None, trait_groups=None)
    assert gate.may_use(person, marketing(), MAIL, scope=scope).addresses == ("web@shop.test",)
    passage = gate.usable_addresses([person.pk], purpose=marketing(), channel=MAIL, scope=scope)
    assert [one.address for one in passage] == ["web@shop.test"]
    say(calls, "refused", day=2)
    assert gate.may_use(person, marketing(), MAIL, scope=scope).reason is Reason.REFUSED


def test_a_withdrawal_between_two_chunks_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "CHUNK", 1)
    people = [person_with("email", f"{number}@shop.test") for number in range(3)]
    for person in people:
        say(records_of(person)[0], "granted")
    passage = gate.usable_addresses([person.pk for person in people], purpose=marketing(), channel=MAIL)
    walk = iter(passage)
    assert next(walk).address == "0@shop.test"
    say(records_of(people[2])[0], "withdrawn", day=1)
    assert [one.address for one in walk] == ["1@shop.test"]
    assert (passage.people, passage.left_out) == (2, {Reason.WITHDRAWN: 1})


def test_one_and_many_agree() -> None:
    """A few hundred people with everything that can be said about them or be wrong with them."""
    rng = random.Random(7)
    sources = [make_source("shop"), make_source("pos")]
    people = []
    for number in range(120):
        person = make_person(*rng.sample(sources, rng.randint(1, 2)))
        people.append(person)
        for record in records_of(person):
            for value in rng.sample([f"a{number}@shop.test", f"b{number}@shop.test"], rng.randint(0, 2)):
                flaw = rng.choice([{}, {}, {}, {"problem": "junk"}, {"is_current": False}, {"problem": "public_key"}])
                hold(record, "email", value, **flaw)
            for _entry in range(rng.randint(0, 3)):
                say(
                    record,
                    rng.choice(["granted", "granted", "refused", "withdrawn"]),
                    day=rng.randint(0, 3),
                    address=rng.choice(["", "", f"a{number}@shop.test"]),
                    origin=rng.choice(["event", "cell", "browser", "screen"]),
                )
    for purpose in (marketing(), service()):
        passage = gate.usable_addresses(Profile.objects.live(), purpose=purpose, channel=MAIL)
        many = {(one.profile_id, one.address) for one in passage}
        alone = {person.pk: gate.may_use(person, purpose, MAIL) for person in people}
        assert many == {(pk, address) for pk, permission in alone.items() for address in permission.addresses}
        reasons = [permission.reason for permission in alone.values() if permission.reason is not None]
        assert passage.left_out == {reason: reasons.count(reason) for reason in set(reasons)}
        assert passage.people == len(people) - len(reasons)


def test_queries(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    people = [person_with("email", f"{number}@shop.test") for number in range(5)]
    purpose = marketing()
    with django_assert_num_queries(4):
        gate.may_use(people[0], purpose, MAIL)
    with django_assert_num_queries(1):
        gate.reach([person.pk for person in people], purpose=purpose, channel=MAIL)


def test_records_without_membership_of_their_own_speak_for_the_person() -> None:
    person = person_with("email", "a@shop.test")
    agents = make_record(make_source("cdp"), profile=person, kind="agent")
    say(agents, "granted", address="a@shop.test", origin="screen")
    assert gate.may_use(person, marketing(), MAIL).is_given
