"""What nobody sends by accident: bodies without end, without a bottom, and text that no database holds."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from profiles.models import Profile
from tests.factories.programs import Program, program

pytestmark = pytest.mark.django_db

LOOKUP, MERGE = "/api/v1/profiles/lookup", "/api/v1/profiles/merge"


@pytest.fixture
def website() -> Program:
    return program()


def send(asking: Program, path: str, body: bytes, content_type: str = "application/json") -> Any:
    headers = {"Authorization": f"Bearer {asking.text}"}
    return Client(enforce_csrf_checks=True).post(path, body, content_type=content_type, headers=headers)


@pytest.mark.parametrize("path", [LOOKUP, MERGE])
def test_a_body_of_ten_megabytes_is_refused_unread(website: Program, somchai: Profile, path: str) -> None:
    body = json.dumps({"kind": "user", "value": "u1", "more": "x" * 10_000_000}).encode()
    answer = send(website, path, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
    assert len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE


@pytest.mark.parametrize("path", [LOOKUP, MERGE])
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_body_without_a_bottom_is_told_so(website: Program, path: str, opening: str) -> None:
    answer = send(website, path, (opening * 200_000).encode())
    assert answer.status_code == 400
    assert set(answer.json()["error"]) == {"code", "message", "field", "hint"}


@pytest.mark.parametrize(
    "value",
    ["\0", "a\0b", "\ud800", "a\udfffb", "\u202e", "x" * 255, 10**400, -(2**64), 1e308, True, None, [], {"a": 1}],
)
def test_a_value_that_is_no_identifier_leads_to_nobody(website: Program, somchai: Profile, value: Any) -> None:
    for kind in ("user", "email", "phone", "citizen", "order", "member_id"):
        answer = send(website, LOOKUP, json.dumps({"kind": kind, "value": value}).encode())
        assert answer.status_code in (400, 404), kind


@pytest.mark.parametrize(
    "body", [b"", b"null", b"1", b'"x"', b"{", b"\xff\xfe", b'{"kind":NaN}', b"1" * 5_000, b'{"profiles":[1e999]}']
)
def test_a_body_that_is_no_wish_is_400(website: Program, body: bytes) -> None:
    for path in (LOOKUP, MERGE):
        answer = send(website, path, body)
        assert answer.status_code == 400, path
        assert set(answer.json()["error"]) == {"code", "message", "field", "hint"}


def test_another_type_than_json_is_not_taken(website: Program, somchai: Profile) -> None:
    for kind in ("application/x-www-form-urlencoded", "text/plain", "application/xml"):
        assert send(website, LOOKUP, b"kind=user&value=u1", kind).status_code == 415


@pytest.mark.parametrize("text", ["user:%00", "user:%ed%a0%80", "user:%ff", "order:" + "9" * 5_000, "user@%00:1"])
def test_addresses_hold_anything(website: Program, somchai: Profile, text: str) -> None:
    assert website.get(f"/api/v1/profiles/{text}").status_code in (400, 404)


def test_records_beyond_every_number_are_said(website: Program, somchai: Profile) -> None:
    body = json.dumps({"profile": str(somchai.public_id), "records": [2**63], "reason": "x"}).encode()
    answer = send(website, "/api/v1/profiles/unmerge", body)
    assert answer.status_code == 400
    for notes in ({"9" * 20: 1}, {"9" * 5_000: 1}, {"1": 2**63}, {"x": 1}, {"\u00b2": 1}):
        said = {"profile": str(somchai.public_id), "records": [1], "reason": "x", "notes_to": notes}
        answer = send(website, "/api/v1/profiles/unmerge", json.dumps(said).encode())
        assert (answer.status_code, answer.json()["error"]["field"].split(".")[0]) == (400, "notes_to")
