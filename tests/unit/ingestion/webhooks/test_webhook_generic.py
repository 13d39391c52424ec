"""Signed JSON of any system, by the language of file mappings."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ingestion.webhooks import generic
from ingestion.webhooks.generic import Form
from ingestion.webhooks.reading import Reading, Unreadable
from tests.factories.reports import encoded

TICKETS: dict[str, Any] = {
    "version": 2,
    "rows": "events",
    "fields": [
        {"from": "customer.id", "to": "record_id"},
        {"from": "customer.mail", "to": "trait", "name": "email"},
        {"value": "Ticket Closed", "to": "event"},
        {"from": "closed_at", "to": "timestamp"},
        {"from": "score", "to": "property", "name": "score", "type": "number"},
    ],
}
TICKET: dict[str, Any] = {
    "id": "T-1",
    "customer": {"id": "C-7", "mail": "malee@example.co.th"},
    "closed_at": "2026-11-20T12:00:00+07:00",
    "score": "4",
}


def read(body: Any, **paths: str) -> Reading:
    return generic.read(
        body,
        encoded(body),
        form=Form(TICKETS, **paths),
        zone=ZoneInfo("Asia/Bangkok"),
        seal=lambda _kind, _number: {},
    )


def test_one_object_is_one_message() -> None:
    [message] = read(TICKET, id_path="id").messages
    assert (message["event"], message["messageId"]) == ("Ticket Closed", "hook:T-1")
    assert message["cdp"]["record"] == {"external_id": "C-7"}
    assert message["context"] == {"traits": {"email": "malee@example.co.th"}}
    assert message["properties"] == {"score": 4}


def test_a_list_under_a_path() -> None:
    body = {"data": {"items": [TICKET, TICKET | {"id": "T-2"}]}}
    found = read(body, list_path="data.items", id_path="id").messages
    assert [message["messageId"] for message in found] == ["hook:T-1", "hook:T-2"]
    assert [message["messageId"] for message in read([TICKET, TICKET | {"id": 3}], id_path="id").messages] == [
        "hook:T-1",
        "hook:3",
    ]


def test_without_an_id_the_body_says_what_is_the_same_report() -> None:
    first, second = (message["messageId"] for message in read([TICKET, TICKET]).messages)
    assert first != second
    assert [message["messageId"] for message in read([TICKET, TICKET]).messages] == [first, second]
    assert read(TICKET | {"score": "5"}).messages[0]["messageId"] != read(TICKET).messages[0]["messageId"]
    assert read(TICKET | {"id": "x" * 300}, id_path="id").messages[0]["messageId"].startswith("hook:")
    assert len(read(TICKET | {"id": "x" * 300}, id_path="id").messages[0]["messageId"]) <= 100


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (TICKET | {"customer": {}}, "customer.id: "),
        (TICKET | {"closed_at": "yesterday"}, "closed_at: "),
        (TICKET | {"score": "good"}, "score: "),
        ("text", "[0]: expected a JSON object"),
    ],
)
def test_what_cannot_be_translated_goes_on_with_its_reason(row: Any, reason: str) -> None:
    [message] = read([row]).messages
    assert message["cdp"]["problem"].startswith(reason)
    assert message["received"] == row


def test_a_list_that_is_not_there() -> None:
    with pytest.raises(Unreadable):
        read({"data": {}}, list_path="data.items")
