"""One-time codes: to whom they go, how they die, and that nobody guesses one."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import User
from consent import erasure, requests
from consent.models import DataSubjectRequest, IdentityCode, OutgoingMessage
from consent.requests import identity, messages
from consent.requests.public import Contact, from_the_public
from profiles.models import Identifier, Membership, Profile, SourceRecord, SourceRecordVersion
from tests.factories.consent import ask
from tests.factories.people import records_of

pytestmark = pytest.mark.django_db
Status = DataSubjectRequest.Status
OLD = timedelta(days=90)


@pytest.fixture
def known(person: Profile) -> Profile:
    """The person as known for three months."""
    then = timezone.now() - OLD
    SourceRecord.objects.update(received_at=then, first_seen_at=then)
    Identifier.objects.update(valid_from=then)
    Membership.objects.update(valid_from=then)
    return person


@pytest.fixture
def asked(known: Profile, compliance: User) -> DataSubjectRequest:
    return ask(known, compliance, identity_checked="", kind="access")


def mailed(request: DataSubjectRequest, by: User | None = None) -> str:
    """Send a code by mail; returns it."""
    way = next(one for one in identity.ways(request) if one.channel == "email")
    identity.send_code(request_id=request.pk, identifier=way.identifier, by=by)
    messages.deliver(OutgoingMessage.objects.latest("created_at").pk)
    return re.findall(r"\b\d{8}\b", mail.outbox[-1].body)[0]


def test_the_code_that_was_sent_identifies_once(asked: DataSubjectRequest, compliance: User) -> None:
    code = mailed(asked, compliance)
    asked.refresh_from_db()
    assert asked.status == Status.IDENTIFYING
    assert mail.outbox[0].to[0].startswith("aree")
    sent = IdentityCode.objects.get()
    assert code.encode() not in bytes(sent.code_hash)
    assert OutgoingMessage.objects.get().content is None
    assert not identity.prove(request_id=asked.pk, code=f"{(int(code) + 1) % 10**8:08}")
    assert identity.prove(request_id=asked.pk, code=f" {code[:4]} {code[4:]} ")
    asked.refresh_from_db()
    assert (asked.status, asked.identity_checked) == (Status.RECEIVED, "code")
    assert not identity.prove(request_id=asked.pk, code=code)
    with pytest.raises(ConflictProblem):
        mailed(asked, compliance)


def test_ten_thousand_guesses_find_none(asked: DataSubjectRequest, compliance: User) -> None:
    code = mailed(asked, compliance)
    wrong = (f"{number:08}" for number in range(10_000) if f"{number:08}" != code)
    assert not any(identity.prove(request_id=asked.pk, code=guess) for guess in wrong)
    assert not identity.prove(request_id=asked.pk, code=code), "the code is dead after five wrong ones"
    assert IdentityCode.objects.get().attempts == identity.MOST_GUESSES


def test_a_code_dies_with_its_time_and_with_the_next_one(asked: DataSubjectRequest, compliance: User) -> None:
    first = mailed(asked, compliance)
    second = mailed(asked, compliance)
    assert not identity.prove(request_id=asked.pk, code=first)
    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=False):
        assert not identity.prove(request_id=asked.pk, code=second)


def test_a_code_is_good_for_its_own_request_alone(asked: DataSubjectRequest, known: Profile, compliance: User) -> None:
    other = ask(known, compliance, identity_checked="", kind="portability")
    code = mailed(asked, compliance)
    mailed(other, compliance)
    assert not identity.prove(request_id=other.pk, code=code)
    assert identity.prove(request_id=asked.pk, code=code)


def test_codes_and_guesses_have_an_end(asked: DataSubjectRequest, compliance: User) -> None:
    for _number in range(3):
        mailed(asked, compliance)
        for _guess in range(5):
            identity.prove(request_id=asked.pk, code="x")
    with pytest.raises(ConflictProblem) as problem:
        mailed(asked, compliance)
    assert problem.value.code == "too_many"
    with time_machine.travel(timezone.now() + timedelta(days=2), tick=False), pytest.raises(ConflictProblem):
        mailed(asked, compliance)  # wrong ones are not forgotten by the next day
    identity.see(request_id=asked.pk, check="in_person", proof_seen="passport", by=compliance)
    asked.refresh_from_db()
    assert (asked.status, asked.proof_seen) == (Status.RECEIVED, "passport")


class TestWhereACodeGoes:
    def test_an_address_known_for_long_enough(self, asked: DataSubjectRequest) -> None:
        found = {(way.channel, way.hint) for way in identity.ways(asked)}
        assert found == {("email", "a…@shop.test"), ("sms", "… 5678")}

    def test_not_a_new_one_even_with_a_date_of_long_ago(self, asked: DataSubjectRequest) -> None:
        SourceRecord.objects.update(received_at=timezone.now() - timedelta(days=29))
        assert identity.ways(asked) == []

    def test_not_one_that_was_changed_lately(self, asked: DataSubjectRequest, known: Profile) -> None:
        record = records_of(known)[0]
        for days, address in ((60, "old@shop.test"), (2, "aree0@shop.test")):
            SourceRecordVersion.objects.create(
                record=record,
                attributes={"email": [address]},
                content_hash=b"",
                occurred_at=timezone.now() - OLD,  # whatever the source's clock says
                received_at=timezone.now() - timedelta(days=days),
            )
        Identifier.objects.filter(kind="phone").delete()
        kept = {Identifier.objects.get(pk=way.identifier).value for way in identity.ways(asked)}
        assert kept == {"aree1@shop.test"}

    def test_not_one_of_a_record_that_joined_lately(self, asked: DataSubjectRequest) -> None:
        Membership.objects.update(valid_from=timezone.now() - timedelta(days=1))
        assert identity.ways(asked) == []

    @pytest.mark.parametrize(
        "fault", [{"problem": "public_key"}, {"problem": "junk"}, {"is_current": False}, {"valid_to": timezone.now()}]
    )
    def test_not_a_faulty_one(self, asked: DataSubjectRequest, fault: dict[str, Any]) -> None:
        Identifier.objects.update(**fault)
        assert identity.ways(asked) == []

    def test_not_one_of_somebody_else(self, asked: DataSubjectRequest, bystander: Profile, compliance: User) -> None:
        theirs = Identifier.objects.filter(profile=bystander).first()
        assert theirs
        with pytest.raises(MendableError):
            identity.send_code(request_id=asked.pk, identifier=theirs.pk, by=compliance)


class TestThePublicPage:
    def test_answers_the_same_for_every_id(self, client: Client, asked: DataSubjectRequest, compliance: User) -> None:
        mailed(asked, compliance)
        nobody = from_the_public(kind="access", contact=Contact(email="nobody@example.com"))
        pages = []
        for request_id in (asked.pk, nobody.pk, UUID(int=7)):
            answer = client.post(f"/privacy/code/{request_id}/", {"code": "00000000"})
            assert answer.status_code == 422
            pages.append(answer.content.decode().replace(str(request_id), "ID"))
        same = [re.sub(r"\b[A-Za-z0-9]{64}\b", "", page) for page in pages]
        assert same[0] == same[1] == same[2]

    def test_takes_the_right_code_and_limits_tries(
        self, client: Client, asked: DataSubjectRequest, compliance: User
    ) -> None:
        code = mailed(asked, compliance)
        assert client.post(f"/privacy/code/{asked.pk}/", {"code": code}).status_code == 200
        asked.refresh_from_db()
        assert asked.identity_checked == "code"
        codes = {client.post(f"/privacy/code/{asked.pk}/", {"code": "1"}).status_code for _try in range(31)}
        assert codes == {422, 429}

    def test_a_wrong_guess_costs_one_query_when_there_is_no_code(
        self, asked: DataSubjectRequest, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(1):
            assert not identity.prove(request_id=asked.pk, code="1")


def test_a_request_of_the_public_form_from_name_to_code(
    login: Callable[[User], Client], compliance: User, colleague: User, known: Profile
) -> None:
    """Nobody is named until staff have found whom; then the clock of the day it came is the clock."""
    asked = from_the_public(kind="rectification", contact=Contact(name="Aree", email="aree0@shop.test", text="name"))
    assert asked.subject is None
    desk = login(compliance)
    desk.cookies["django_language"] = "en"
    page = desk.get(f"/requests/{asked.pk}/").content.decode()
    assert "aree0@shop.test" in page
    assert "Aree" in desk.post(f"/requests/{asked.pk}/person/", {"q": "aree0@shop.test"}).content.decode()
    answer = desk.post(f"/requests/{asked.pk}/person/", {"profile": str(known.public_id)})
    assert answer.status_code == 302
    asked.refresh_from_db()
    assert (asked.subject, asked.requested_by) == (known.public_id, compliance)
    way = next(one for one in identity.ways(asked) if one.channel == "email")
    assert desk.post(f"/requests/{asked.pk}/code/", {"identifier": way.identifier}).status_code == 302
    messages.deliver(OutgoingMessage.objects.get().pk)
    code = re.findall(r"\b\d{8}\b", mail.outbox[-1].body)[0]
    assert desk.post(f"/requests/{asked.pk}/prove/", {"code": code}).status_code == 302
    with pytest.raises(ConflictProblem):
        requests.approve(request_id=asked.pk, by=colleague)  # nobody has said what is right
    desk.post(f"/requests/{asked.pk}/changes/", {"trait": "name", "value": "อารีย์ ดีใจ"})
    assert requests.approve(request_id=asked.pk, by=colleague).status == Status.APPROVED
    with pytest.raises(ConflictProblem):
        identity.name_person(request_id=asked.pk, profile=known, by=compliance)


def test_an_erasure_forgets_where_codes_went(
    known: Profile,
    compliance: User,
    colleague: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    asked = ask(known, compliance, identity_checked="")
    code = mailed(asked, compliance)
    waiting = messages.post(
        request=asked, channel="email", what="news", content=messages.Content("aree0@shop.test", "s", "t")
    )
    identity.prove(request_id=asked.pk, code=code)
    requests.approve(request_id=asked.pk, by=colleague)
    erasure.run(asked.pk)
    asked.refresh_from_db()
    waiting.refresh_from_db()
    assert asked.status == Status.COMPLETED
    assert (waiting.content, waiting.status) == (None, "failed")
    assert IdentityCode.objects.get().identifier is None
    assert not OutgoingMessage.objects.exclude(content=None).exists()


def test_who_proved_an_address_is_told_there_what_came_of_it(asked: DataSubjectRequest, compliance: User) -> None:
    identity.prove(request_id=asked.pk, code=mailed(asked, compliance))
    requests.refuse(request_id=asked.pk, reason="others", by=compliance)
    messages.deliver(OutgoingMessage.objects.get(what="news").pk)
    assert f"We cannot grant your request {asked.reference}" in mail.outbox[-1].body
    assert "อารีย์" not in mail.outbox[-1].body


def test_who_was_seen_in_person_gets_no_message_at_an_address_that_proved_nothing(
    known: Profile, compliance: User
) -> None:
    requests.refuse(request_id=ask(known, compliance).pk, reason="others", by=compliance)
    assert not OutgoingMessage.objects.exists()
