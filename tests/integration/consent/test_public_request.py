"""The public form for requests: one answer for everybody, and whoever asks is found out later."""

import re
from typing import Any

import pytest
from django.test import Client

from consent import gate
from consent.models import Channel, DataSubjectRequest, Purpose
from consent.requests.public import contact_of
from tests.factories.people import hold, make_person, records_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
URL = "/privacy/request/"


def write(**fields: str) -> Any:
    said = {"kind": "erasure", "name": "อารีย์ ใจดี", "email": "aree@shop.test", **fields}
    return Client().post(URL, said)


def test_known_or_not_the_answer_is_the_same() -> None:
    person = make_person()
    hold(records_of(person)[0], "email", "aree@shop.test")
    told = set()
    for address in ("aree@shop.test", "nobody@shop.test"):
        answer = write(email=address)
        assert answer.status_code == 200
        told.add(re.sub(r'[0-9A-F]{8}\.|value="[^"]{64}"|"X-CSRFToken": "[^"]*"', "", answer.content.decode()))
    assert len(told) == 1
    assert DataSubjectRequest.objects.count() == 2


def test_what_was_written_lies_sealed_until_somebody_looks() -> None:
    write(phone="081-234-5678", text="ขอบคุณ", represents="สมชาย")
    request = DataSubjectRequest.objects.get()
    assert (request.kind, request.status, request.subject, request.requested_by) == ("erasure", "received", None, None)
    assert request.due_at > request.received_at
    assert str(request.recorded_by) == "the person, on the public page"
    assert b"aree" not in bytes(request.contact)
    contact = contact_of(request)
    assert contact is not None
    assert (contact.email, contact.phone, contact.represents, contact.language) == (
        "aree@shop.test", "081-234-5678", "สมชาย", "en",
    )  # fmt: skip


def test_nobody_stops_the_messages_of_somebody_else() -> None:
    person = make_person()
    hold(records_of(person)[0], "email", "aree@shop.test")
    write()
    assert gate.may_use(person, Purpose.objects.get(slug="service"), Channel.EMAIL).is_given


@pytest.mark.parametrize("kind", DataSubjectRequest.Kind.values)
def test_every_right_can_be_asked_for(kind: str) -> None:
    assert write(kind=kind).status_code == 200
    assert DataSubjectRequest.objects.get().kind == kind


@pytest.mark.parametrize("fields", [{"email": ""}, {"email": "not one"}, {"kind": "gossip"}, {"name": ""}])
def test_what_cannot_be_answered_is_sent_back(fields: dict[str, str]) -> None:
    assert write(**fields).status_code == 422
    assert not DataSubjectRequest.objects.exists()


def test_a_flood_is_stopped() -> None:
    assert [write().status_code for _time in range(22)] == [200] * 20 + [429] * 2
    assert DataSubjectRequest.objects.count() == 20
