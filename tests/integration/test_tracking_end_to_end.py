"""Segment's and RudderStack's own Python clients against the running site: every call is found on the profile, once."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import requests
import rudderstack.analytics.request as rudder_request
from pytest_django.live_server_helper import LiveServer
from rudderstack.analytics.client import Client as RudderClient
from segment.analytics import request as segment_request
from segment.analytics.client import Client

from ingestion import equation, keys
from ingestion.models import InboundBatch, Source
from profiles import digest
from profiles.models import AccountMembership, Membership, Order, Profile, SourceRecord, Touchpoint

pytestmark = pytest.mark.django_db(transaction=True)

YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def key(web_shop: Source) -> str:
    return keys.make(source=web_shop, by="system:test")[1]


@pytest.fixture
def connect(live_server: LiveServer, key: str) -> Iterator[Callable[..., Client]]:
    """Makes clients of the shop; at the end none of them has failed to send."""
    failures: list[Exception] = []
    opened: list[Client] = []

    def make(**options: object) -> Client:
        client = Client(
            options.pop("write_key", key),
            host=live_server.url,
            on_error=lambda error, _items: failures.append(error),
            max_retries=1,
            **options,
        )
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.shutdown()
    segment_request._session.close()
    assert failures == []


@pytest.fixture
def rudder(live_server: LiveServer, key: str) -> Iterator[Callable[..., RudderClient]]:
    """Makes RudderStack's clients of the shop; at the end none of them has failed to send."""
    failures: list[Exception] = []
    opened: list[RudderClient] = []

    def make(**options: object) -> RudderClient:
        client = RudderClient(
            key, host=live_server.url, on_error=lambda error, _items: failures.append(error), max_retries=1, **options
        )
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.shutdown()
    rudder_request._session.close()
    assert failures == []


def send_everything(client: Client | RudderClient) -> int:
    """One of each call, as a shop would make them; returns how many."""
    client.page(anonymous_id="phone-1", name="หน้าแรก", properties={"url": "https://shop.example/"})
    client.track(
        anonymous_id="phone-1",
        event="Product Viewed",
        properties={"product_id": "S1", "name": "เสื้อยืด", "color": "แดง", "price": 290},
    )
    client.identify(
        "u-1",
        anonymous_id="phone-1",
        traits={"firstName": "สุดา", "lastName": "ใจดี", "email": "Suda@Example.co.th", "phone": "089-455-1203"},
    )
    client.track(
        "u-1",
        "Order Completed",
        {"order_id": "B1", "currency": "THB", "products": [{"sku": "S1", "quantity": 2, "price": 290}]},
        timestamp=YESTERDAY,
    )
    client.screen("u-1", name="ตะกร้าสินค้า")
    client.alias("phone-2", "u-1")
    client.track(anonymous_id="phone-2", event="Product Added", properties={"product_id": "S2"})
    client.group("u-1", "acme", {"name": "Acme Siam"})
    return 8


def suda() -> Profile:
    record = SourceRecord.objects.get(external_id="u-1")
    return Membership.objects.select_related("profile").get(record=record, valid_to__isnull=True).profile


@pytest.mark.parametrize("gzip", [False, True])
def test_every_call_is_on_the_profile(connect, web_shop, gzip):
    client = connect(gzip=gzip)
    sent = send_everything(client)
    client.flush()
    client.join()

    assert_everything_is_there(web_shop, sent)


@pytest.mark.parametrize("gzip", [False, True])
def test_rudderstacks_client_is_understood_as_well(rudder, web_shop, gzip):
    client = rudder(gzip=gzip)
    sent = send_everything(client)
    client.flush()
    client.join()

    assert_everything_is_there(web_shop, sent)


def assert_everything_is_there(web_shop: Source, sent: int) -> None:
    digest.drain()

    assert equation.of_source(web_shop) == equation.Equation(received=sent, stored=sent)
    profile = suda()
    assert profile.golden["email"] == "suda@example.co.th"
    assert (profile.golden["first_name"], profile.golden["phone"]) == ("สุดา", "+66894551203")
    names = set(Touchpoint.objects.filter(profile=profile).values_list("type__name", flat=True))
    assert names == {"Page Viewed", "Product Viewed", "Order Completed", "Screen Viewed", "Product Added"}
    assert Order.objects.get(profile=profile).total == Decimal(580)
    viewed = Touchpoint.objects.get(profile=profile, type__name="Product Viewed")
    assert (viewed.properties["color"], viewed.properties["price"]) == ("แดง", 290)
    ordered = Touchpoint.objects.get(profile=profile, type__name="Order Completed")
    assert abs(ordered.occurred_at - YESTERDAY) < timedelta(seconds=10)
    membership = AccountMembership.objects.get(record__external_id="u-1")
    assert (membership.account.external_id, membership.account.name) == ("acme", "Acme Siam")


def test_a_batch_sent_again_is_taken_once(live_server, key, web_shop):
    message = {
        "type": "track", "event": "Product Viewed", "userId": "u-1", "messageId": "m-1",
        "timestamp": YESTERDAY.isoformat(),
    }  # fmt: skip
    for _ in range(3):
        segment_request.post(key, live_server.url, batch=[message])
    digest.drain()
    segment_request.post(key, live_server.url, batch=[message])
    digest.drain()
    segment_request._session.close()

    assert equation.of_source(web_shop) == equation.Equation(received=4, stored=1, duplicate=3)
    assert Touchpoint.objects.count() == 1


def test_a_wrong_key_lands_nothing(live_server):
    with pytest.raises(segment_request.APIError):
        segment_request.post("sec_wrong", live_server.url, batch=[{"type": "track"}])

    segment_request._session.close()
    assert not InboundBatch.objects.exists()


def test_a_body_over_the_limit_is_answered_and_not_cut_off(live_server, key):
    answer = requests.post(f"{live_server.url}/v1/batch", data=b" " * (501 * 1024), auth=(key, ""), timeout=10)

    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "too_large"
    answer.close()


def test_a_refusal_reaches_a_sender_in_the_middle_of_its_body(live_server, key, web_shop):
    """A server that answers and leaves the body on the line cuts the connection, and the answer is lost with it."""
    web_shop.rate_per_second = 1
    web_shop.save()
    body = json.dumps(
        {"batch": [{"type": "track", "event": "E", "userId": "u", "properties": {"x": "x" * 9_000}}] * 50}
    )

    with requests.Session() as session:
        statuses = [
            session.post(f"{live_server.url}/v1/batch", data=body, auth=(key, ""), timeout=10) for _ in range(4)
        ]

    assert [answer.status_code for answer in statuses] == [200, 429, 429, 429]
    assert all(int(answer.headers["Retry-After"]) > 1 for answer in statuses[1:])
