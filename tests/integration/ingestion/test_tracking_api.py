"""The event API's door: what it takes, what it refuses, and what is landed."""

import gzip
import json
import zlib

import pytest
from django.db import OperationalError
from django.test import Client

from cdp_site.core import memory
from ingestion import keys, landing, messages
from ingestion.models import InboundBatch

pytestmark = pytest.mark.django_db

TRACK = {"type": "track", "event": "Product Viewed", "userId": "u1", "messageId": "m1"}


@pytest.fixture
def post(client: Client, web_shop, key_of, basic):
    """Posts to the event API with the web shop's key; a dict or list goes as JSON."""
    key = key_of(web_shop)

    def send(address: str, body: object, *, key: str | None = key, **headers: str):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.post(
            f"/v1/{address}",
            raw,
            content_type="application/json",
            headers={**({} if key is None else basic(key)), **headers},
        )

    return send


def landed() -> list[dict]:
    return [item for batch in InboundBatch.objects.order_by("pk") for item in json.loads(bytes(batch.raw))]


def test_a_batch_is_landed(post, web_shop):
    response = post("batch", {"batch": [TRACK, {**TRACK, "messageId": "m2"}], "sentAt": "2026-11-22T01:02:03.000Z"})

    assert (response.status_code, response.json()) == (200, {"success": True})
    batch = InboundBatch.objects.get()
    assert (batch.source, batch.n_items, batch.door, batch.lane) == (web_shop, 2, "api", InboundBatch.Lane.LIVE)
    assert batch.sent_at.isoformat() == "2026-11-22T01:02:03+00:00"
    assert not batch.is_public_key
    assert [item["messageId"] for item in landed()] == ["m1", "m2"]


def test_import_is_batch(post):
    assert post("import", {"batch": [TRACK]}).status_code == 200
    assert landed() == [TRACK]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("identify", {"userId": "u1", "traits": {"email": "a@example.com"}}),
        ("track", {"userId": "u1", "event": "Product Viewed"}),
        ("page", {"anonymousId": "a1", "name": "Home"}),
        ("screen", {"anonymousId": "a1", "name": "Home"}),
        ("alias", {"userId": "u1", "previousId": "a1"}),
        ("group", {"userId": "u1", "groupId": "g1"}),
    ],
)
def test_a_single_call_is_landed_with_the_type_of_its_address(post, kind, body):
    assert post(kind, {**body, "type": "something else"}).status_code == 200

    assert landed() == [{**body, "type": kind}]


def test_the_key_may_come_in_the_body_and_is_not_kept(post, web_shop, key_of):
    key = key_of(web_shop)

    assert post("track", {**TRACK, "writeKey": key}, key=None).status_code == 200
    assert post("batch", {"batch": [TRACK], "writeKey": key}, key=None).status_code == 200

    assert landed() == [TRACK, TRACK]


def test_a_public_key_marks_the_batch(post, web_shop, key_of):
    post("track", TRACK, key=key_of(web_shop, is_public=True))

    assert InboundBatch.objects.get().is_public_key


@pytest.mark.parametrize("event", ["Consent Withdrawn", "Consent Refused"])
def test_a_withdrawal_goes_ahead(post, event):
    post("track", {**TRACK, "event": event})

    assert InboundBatch.objects.get().lane == InboundBatch.Lane.WITHDRAWAL


def test_the_envelopes_context_is_the_items_default(post):
    post("batch", {"batch": [TRACK, {**TRACK, "context": {"ip": "1.2.3.4"}}], "context": {"locale": "th-TH"}})

    first, second = landed()
    assert first["context"] == {"locale": "th-TH"}
    assert second["context"] == {"ip": "1.2.3.4"}


def test_an_empty_batch_is_no_batch(post):
    assert post("batch", {"batch": []}).status_code == 200
    assert landed() == []


# --- keys


def test_a_wrong_key_is_401(post):
    for key in ("sec_wrong", "", None):
        response = post("batch", {"batch": [TRACK]}, key=key)
        assert (response.status_code, response.json()["error"]["code"]) == (401, "unauthenticated")
    assert post("track", TRACK, key=None, Authorization="Basic %%%").status_code == 401
    assert post("track", TRACK, key=None, Authorization="Bearer abc").status_code == 401
    assert landed() == []


def test_a_revoked_key_and_a_source_switched_off_are_401(post, web_shop):
    row, key = keys.make(source=web_shop, by="system:test")
    assert post("track", TRACK, key=key).status_code == 200

    keys.revoke(key=row, by="system:test")
    memory.forget_all()
    assert post("track", TRACK, key=key).status_code == 401

    web_shop.is_active = False
    web_shop.save()
    memory.forget_all()
    assert post("track", TRACK).status_code == 401


def test_a_known_key_costs_one_query_and_its_landing_one(post, django_assert_num_queries):
    post("track", TRACK)
    with django_assert_num_queries(1):
        post("track", {**TRACK, "messageId": "m2"})


# --- bad input


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"batch":[{"a":1,}]}', "line 1, column 18, byte 17"),
        (b'{"batch":[\n{"a":\n nope}]}', "line 3, column 3"),
        (b'{"batch":[', "byte 10"),
        (b"", "byte 0"),
        (b'{"batch":[{"a":NaN}]}', "byte 15"),
    ],
)
def test_malformed_json_is_400_and_names_the_place(post, body, place):
    for address in ("batch", "track"):
        response = post(address, body)
        assert response.status_code == 400
        assert response.json()["error"]["code"] == "malformed_json"
        assert place in response.json()["error"]["message"]
    assert landed() == []


@pytest.mark.parametrize(
    ("body", "field"), [({"batch": {}}, "batch"), ({}, "batch"), ({"batch": [], "sentAt": 5}, "sentAt"), ([], None)]
)
def test_a_bad_envelope_is_400_and_names_the_field(post, body, field):
    response = post("batch", body)

    assert (response.status_code, response.json()["error"]["field"]) == (400, field)


def test_nested_too_deep_is_400(post):
    response = post("batch", b'{"batch":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}")

    assert response.status_code == 400
    assert "deep" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "bad",
    [
        {**TRACK, "event": 5},
        {**TRACK, "properties": {"a": "x" * 33 * 1024}},
        {**TRACK, "properties": {"a": "x\0"}},
        {**TRACK, "properties": {"a": "\ud800"}},
        {**TRACK, "userId": "u" * 201},
    ],
    ids=["wrong type", "33 KB", "NUL", "lone surrogate", "long id"],
)
def test_a_bad_item_is_400_alone_and_the_digests_in_a_batch(post, bad):
    assert post("track", bad).status_code == 400
    assert landed() == []

    assert post("batch", {"batch": [TRACK, bad, {**TRACK, "messageId": "m3"}]}).status_code == 200

    (batch,) = landing.claim(5, 60)
    first, rejected, last = messages.read(batch)
    assert [first.message.message_id, last.message.message_id] == ["m1", "m3"]
    assert isinstance(rejected, messages.Rejection)


def test_a_single_bad_call_says_what_is_wrong(post):
    error = post("track", {"userId": "u1", "event": 7}).json()["error"]

    assert error["field"] == "event"
    assert "Expected `str" in error["message"]


def test_501_kb_is_413(post):
    assert post("batch", b" " * (501 * 1024)).status_code == 413
    assert post("track", b" " * (501 * 1024)).status_code == 413


def test_too_many_items_are_413(post):
    assert post("batch", b'{"batch":[' + b",".join([b"1"] * 5_001) + b"]}").status_code == 413


def test_a_chunked_body_is_411(post):
    assert post("batch", {"batch": [TRACK]}, **{"Transfer-Encoding": "chunked"}).status_code == 411


def test_a_get_is_405(client):
    assert client.get("/v1/batch").status_code == 405


# --- packed bodies


@pytest.mark.parametrize(("pack", "encoding"), [(gzip.compress, "gzip"), (zlib.compress, "deflate")])
def test_a_packed_body_is_unpacked(post, pack, encoding):
    body = pack(json.dumps({"batch": [TRACK]}).encode())

    assert post("batch", body, **{"Content-Encoding": encoding}).status_code == 200
    assert landed() == [TRACK]


def test_a_bomb_is_413_and_a_broken_one_400(post):
    bomb = gzip.compress(b" " * 50_000_000)

    assert post("batch", bomb, **{"Content-Encoding": "gzip"}).status_code == 413
    assert post("batch", b"not gzip", **{"Content-Encoding": "gzip"}).status_code == 400
    assert post("batch", gzip.compress(b'{"batch":[]}')[:-9], **{"Content-Encoding": "gzip"}).status_code == 400
    assert post("batch", b"x", **{"Content-Encoding": "br"}).status_code == 400


# --- when we cannot take it


def test_a_backlog_is_429_with_retry_after_and_files_do_not_count(post, web_shop, settings):
    settings.TRACKING_MAX_WAITING_BATCHES = 2
    for _ in range(3):
        landing.land(source=web_shop, messages_raw=[{}], door="file")
    assert post("track", TRACK).status_code == 200
    landing.land(source=web_shop, messages_raw=[{}], door="api")
    landing.forget_backlog()

    response = post("track", {**TRACK, "messageId": "m2"})

    assert (response.status_code, response.json()["error"]["code"]) == (429, "backlog")
    assert int(response["Retry-After"]) > 0
    assert InboundBatch.objects.count() == 5


def test_a_database_that_cannot_write_is_503_with_retry_after(post, monkeypatch):
    def full(**_options):
        raise OperationalError("could not extend file: No space left on device")

    monkeypatch.setattr(landing, "land", full)

    response = post("track", TRACK)

    assert (response.status_code, response.json()["error"]["code"]) == (503, "unavailable")
    assert int(response["Retry-After"]) > 0
