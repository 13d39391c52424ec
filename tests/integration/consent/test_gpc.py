"""`Sec-GPC: 1` at the event door: a browser's visitor refuses sale and sharing, once."""

import json
from typing import Any

import pytest
from django.test import Client

from consent.models import Channel, ConsentEntry, Purpose
from ingestion import equation, keys
from ingestion.models import Source
from profiles import digest

pytestmark = pytest.mark.django_db
ON = {"Sec-GPC": "1"}


@pytest.fixture(autouse=True)
def _shared(db: None) -> None:
    Purpose.objects.filter(slug="analytics").update(is_sharing=True)


@pytest.fixture
def public_key(web_shop: Source) -> str:
    return keys.make(source=web_shop, by="system:test", is_public=True)[1]


def send(key: str, *calls: dict[str, Any], **headers: str) -> None:
    body = json.dumps({"batch": [{"type": "track", "event": "Seen", **call} for call in calls], "writeKey": key})
    answer = Client().post("/v1/batch", body, content_type="application/json", headers=headers)
    assert answer.status_code == 200
    digest.drain()


def refused() -> list[tuple[str, str, str]]:
    rows = ConsentEntry.objects.order_by("channel").values_list("purpose__slug", "state", "channel")
    return [(str(slug), str(state), str(channel)) for slug, state, channel in rows]


EVERY_CHANNEL = sorted(("analytics", "refused", channel.value) for channel in Channel)


def test_it_refuses_what_is_shared_and_nothing_else(public_key: str, web_shop: Source) -> None:
    send(public_key, {"anonymousId": "a1", "messageId": "m1"}, {"anonymousId": "a1", "messageId": "m2"}, **ON)
    assert refused() == EVERY_CHANNEL
    assert {entry.evidence["how"] for entry in ConsentEntry.objects.all()} == {"gpc"}
    assert {entry.origin for entry in ConsentEntry.objects.all()} == {"browser"}


def test_it_is_said_once_for_a_visitor(public_key: str) -> None:
    for number in range(3):
        send(public_key, {"anonymousId": "a1", "messageId": f"m{number}"}, **ON)
    assert ConsentEntry.objects.count() == len(Channel)


def test_a_single_call_says_it_as_well(public_key: str) -> None:
    body = json.dumps({"event": "Seen", "anonymousId": "a2", "messageId": "m1", "writeKey": public_key})
    assert Client().post("/v1/track", body, content_type="application/json", headers=ON).status_code == 200
    digest.drain()
    assert refused() == EVERY_CHANNEL


def test_every_item_is_accounted_for(public_key: str, web_shop: Source) -> None:
    send(public_key, {"anonymousId": "a1", "messageId": "m1"}, {"messageId": "names nobody"}, **ON)
    counted = equation.of_source(web_shop)
    assert counted.received == 2 + len(Channel)
    assert (counted.holds, counted.waiting) == (True, 0)


@pytest.mark.parametrize("headers", [{}, {"Sec-GPC": "0"}, {"Sec-GPC": "true"}])
def test_without_it_nothing_is_refused(public_key: str, headers: dict[str, str]) -> None:
    send(public_key, {"anonymousId": "a1", "messageId": "m1"}, **headers)
    assert refused() == []


def test_a_server_speaks_for_nobodys_browser(web_shop: Source) -> None:
    secret = keys.make(source=web_shop, by="system:test")[1]
    send(secret, {"userId": "u1", "messageId": "m1"}, **ON)
    assert refused() == []


def test_where_nothing_is_shared_nothing_is_refused(public_key: str) -> None:
    Purpose.objects.update(is_sharing=False)
    send(public_key, {"anonymousId": "a1", "messageId": "m1"}, **ON)
    assert refused() == []
