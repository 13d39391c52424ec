"""Webhooks from the request to the profile: verified, kept once, answered after the commit."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.models import ConsentEntry
from ingestion import equation, keys, landing, mappings, suppression
from ingestion.equation import Equation
from ingestion.models import InboundBatch, QuarantinedItem, Source, Webhook
from ingestion.webhooks import endpoints, linking, receiving
from profiles import digest
from profiles.models import Membership, Order, Profile, SourceRecord, Touchpoint
from tests.factories import reports
from tests.factories.webhooks import SECRET, Sender, sender

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(web_shop: Source) -> Sender:
    return sender(web_shop, "shopify", purpose="marketing")


@pytest.fixture
def line_oa(marketing: Any) -> Source:
    return Source.objects.create(slug="line-oa", name="LINE OA", kind=Source.Kind.LINE, department=marketing)


@pytest.fixture
def line(line_oa: Source) -> Sender:
    return sender(line_oa, "line")


def profile_of(external_id: str) -> Profile:
    record = SourceRecord.objects.get(external_id=external_id)
    return Membership.objects.select_related("profile").get(record=record, valid_to__isnull=True).profile


def events_of(profile: Profile) -> list[str]:
    return sorted(Touchpoint.objects.filter(profile=profile).values_list("type__name", flat=True))


# --- the door -------------------------------------------------------------------------------------------------------


def test_a_report_is_answered_once_it_is_kept(shop: Sender) -> None:
    answer = shop.topic("orders/create")
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    batch = InboundBatch.objects.get()
    assert (batch.door, batch.lane, batch.n_items) == (InboundBatch.Door.WEBHOOK, InboundBatch.Lane.LIVE, 1)
    assert Webhook.objects.get().last_received_at is not None


def test_every_flipped_bit_is_refused_and_nothing_is_kept(shop: Sender) -> None:
    body = reports.encoded({"id": 1})
    signature = shop.headers(body)["X-Shopify-Hmac-Sha256"]
    for place in range(len(body) * 8):
        assert shop.send(flipped(body, place), X_Shopify_Hmac_Sha256=signature).status_code == 401
    for place in range(0, len(signature) * 8, 7):  # all of them: unit/ingestion/webhooks
        written = flipped(signature.encode(), place).decode("latin-1")
        assert shop.send(body, X_Shopify_Hmac_Sha256=written).status_code == 401
    assert not InboundBatch.objects.exists()
    assert shop.send(body, X_Shopify_Topic="customers/update").status_code == 200


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), topic=st.sampled_from(sorted(reports.SHOPIFY)))
def test_any_flipped_bit_of_a_real_report_is_refused(shop: Sender, place: int, topic: str) -> None:
    body = reports.encoded(reports.SHOPIFY[topic])
    signature = shop.headers(body)["X-Shopify-Hmac-Sha256"]
    changed = flipped(body, place % (len(body) * 8))
    answer = shop.send(changed, X_Shopify_Hmac_Sha256=signature, X_Shopify_Topic=topic)
    assert answer.status_code == 401
    assert not InboundBatch.objects.exists()


def flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place // 8] ^= 1 << place % 8
    return bytes(changed)


def test_without_signature_or_under_another_secret(shop: Sender) -> None:
    assert Client().post(shop.webhook.path, b"{}", content_type="application/json").status_code == 401
    assert Sender(shop.webhook, "another-secret").topic("orders/create").status_code == 401


def test_an_unknown_address_is_not_found(shop: Sender) -> None:
    body = reports.encoded(reports.ORDER)
    answer = Client().post("/webhooks/" + "a" * 43, body, "application/json", headers=shop.headers(body))
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("off", ["webhook", "source"])
def test_what_is_switched_off_is_not_found(shop: Sender, web_shop: Source, off: str) -> None:
    if off == "webhook":
        endpoints.switch(webhook=shop.webhook, is_active=False, by="system:test")
    else:
        Source.objects.filter(pk=web_shop.pk).update(is_active=False)
    assert shop.topic("orders/create").status_code == 404


def test_a_new_secret_takes_the_place_of_the_old(shop: Sender) -> None:
    assert shop.topic("customers/create").status_code == 200
    secret = endpoints.rotate(webhook=shop.webhook, secret="brand-new-secret", by="system:test")
    assert shop.topic("customers/create").status_code == 401
    assert Sender(shop.webhook, secret).topic("customers/create").status_code == 200


def test_only_posts_are_reports(shop: Sender) -> None:
    assert Client().get(shop.webhook.path).status_code == 405


def test_a_report_over_the_limit_is_too_large(shop: Sender) -> None:
    assert shop.send(b'{"a": "' + b"x" * receiving.MAX_BYTES + b'"}').status_code == 413


def test_a_backlog_asks_to_come_again(shop: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise landing.BacklogProblem("Too much is waiting.")

    monkeypatch.setattr(landing, "refuse_when_full", refuse)
    answer = shop.topic("orders/create")
    assert (answer.status_code, answer["Retry-After"]) == (429, str(landing.RETRY_AFTER_SECONDS))


def test_a_source_over_its_rate_is_asked_to_slow_down(shop: Sender, web_shop: Source) -> None:
    Source.objects.filter(pk=web_shop.pk).update(rate_per_second=1)
    answers = [shop.topic("customers/create") for _ in range(10)]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert int(refused["Retry-After"]) >= 1


def test_a_database_that_fails_asks_to_come_again(shop: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_options: Any) -> None:
        raise OperationalError("no space left on device")

    monkeypatch.setattr(landing, "land", fail)
    answer = shop.topic("orders/create")
    assert (answer.status_code, answer["Retry-After"]) == (503, str(landing.RETRY_AFTER_SECONDS))


def test_the_same_report_again_has_one_effect(shop: Sender, web_shop: Source) -> None:
    for _ in range(3):
        assert shop.topic("refunds/create", delivery_id="same").status_code == 200
        digest.drain()
    assert equation.of_source(web_shop) == Equation(received=3, stored=1, duplicate=2)
    assert Order.objects.get().refunded == Decimal(290)


def test_other_topics_are_counted_on_the_webhook(shop: Sender) -> None:
    assert shop.send(b'{"id": 1}', X_Shopify_Topic="products/update").status_code == 200
    assert not InboundBatch.objects.exists()
    assert Webhook.objects.get().n_ignored == 1


def test_what_cannot_be_translated_is_held_back_with_its_reason(shop: Sender, web_shop: Source) -> None:
    assert shop.topic("orders/create", reports.ORDER | {"total_price": "much"}).status_code == 200
    assert shop.send(b"\xff no JSON \x00", X_Shopify_Topic="orders/create").status_code == 200
    digest.drain()
    assert equation.of_source(web_shop) == Equation(received=2, quarantined=2)
    held = QuarantinedItem.objects.order_by("pk")
    assert [item.reason for item in held] == ["untranslated", "untranslated"]
    assert [item.detail for item in held] == ["$.total_price: expected a number", "$: expected JSON"]


# --- Shopify --------------------------------------------------------------------------------------------------------


def test_the_life_of_an_order_is_on_one_profile(shop: Sender, web_shop: Source) -> None:
    for topic in (
        "carts/create", "carts/update", "checkouts/create", "customers/create", "orders/create", "orders/paid",
        "orders/fulfilled", "refunds/create", "orders/updated",
    ):  # fmt: skip
        assert shop.topic(topic).status_code == 200
    digest.drain()

    assert equation.of_source(web_shop) == Equation(received=10, stored=8, duplicate=2)
    profile = profile_of(str(reports.CUSTOMER_ID))
    assert events_of(profile) == [
        "Checkout Started", "Order Completed", "Order Fulfilled", "Order Paid", "Order Refunded", "Order Updated",
        "Product Added",
    ]  # fmt: skip
    order = Order.objects.get()
    assert (order.external_id, order.profile_id) == (str(reports.ORDER_ID), profile.pk)
    assert (order.total, order.refunded, order.currency, order.coupon) == (12020, 290, "THB", "HELLO10")
    assert order.lines.get(sku="SOFA-2S-RED").coupon_discount == 1290
    assert order.lines.get(sku="SOFA-2S-RED").list_price == 12900
    assert order.lines.get(sku="CUSHION-45").quantity == 3
    assert Touchpoint.objects.filter(order=order).count() == 5
    assert (profile.golden["email"], profile.golden["phone"]) == ("somchai.jaidee@example.co.th", "+66894551203")
    stated = ConsentEntry.objects.get()
    assert (stated.purpose.slug, stated.channel, stated.state, stated.origin) == (
        "marketing",
        "email",
        "granted",
        "cell",
    )
    assert stated.occurred_at.isoformat() == "2025-01-15T03:00:00+00:00"


def test_any_order_of_arrival_ends_the_same(shop: Sender) -> None:
    for topic in ("refunds/create", "orders/updated", "orders/fulfilled", "carts/create", "orders/create"):
        assert shop.topic(topic).status_code == 200
        digest.drain()
    profile = profile_of(str(reports.CUSTOMER_ID))
    order = Order.objects.get()
    assert (order.profile_id, order.total, order.refunded) == (profile.pk, 12020, 290)
    assert events_of(profile)[-1] == "Product Added", "the cart is the customer's"


def test_an_unchanged_consent_is_no_event_and_a_changed_one_is(shop: Sender) -> None:
    for day in (20, 21):
        shop.topic("customers/update", reports.CUSTOMER | {"updated_at": f"2026-11-{day}T09:00:00+07:00"})
        digest.drain()
    assert ConsentEntry.objects.count() == 1
    left = {"state": "unsubscribed", "consent_updated_at": "2026-11-21T20:00:00+07:00"}
    shop.topic("customers/update", reports.CUSTOMER | {"email_marketing_consent": left})
    assert InboundBatch.objects.newest_first()[0].lane == InboundBatch.Lane.WITHDRAWAL
    digest.drain()
    assert list(ConsentEntry.objects.order_by("occurred_at").values_list("state", flat=True)) == [
        "granted",
        "withdrawn",
    ]


def test_a_guest_becomes_a_person_with_an_order(shop: Sender) -> None:
    shop.topic("orders/create", reports.GUEST_ORDER)
    digest.drain()
    profile = profile_of("order:450789469")
    assert profile.golden["email"] == "guest.order@example.co.th"
    assert Order.objects.get().profile_id == profile.pk


def test_an_erased_customer_stays_out_until_they_register_or_order_again(shop: Sender, web_shop: Source) -> None:
    erased = [suppression.Erased("email", "global", reports.CUSTOMER["email"])]
    with transaction.atomic():
        suppression.suppress(
            identifiers=erased,
            names=[],
            erased_at=datetime(2026, 11, 19, tzinfo=UTC),
            request_id=uuid4(),
            by="system:test",
        )
    shop.topic("customers/update")
    digest.drain()
    assert equation.of_source(web_shop) == Equation(received=1, suppressed=1)
    shop.topic("orders/create")
    digest.drain()
    assert equation.of_source(web_shop) == Equation(received=2, stored=1, suppressed=1)
    assert Order.objects.get().profile_id == profile_of(str(reports.CUSTOMER_ID)).pk


# --- LINE -----------------------------------------------------------------------------------------------------------


def test_a_verification_is_answered_and_leaves_nothing(line: Sender) -> None:
    assert line.events().status_code == 200
    assert not InboundBatch.objects.exists()


def test_a_follower_writes_and_leaves(line: Sender, line_oa: Source) -> None:
    assert line.events(reports.FOLLOW, reports.MESSAGE, reports.JOIN).status_code == 200
    assert line.events(reports.MESSAGE | {"deliveryContext": {"isRedelivery": True}}).status_code == 200
    digest.drain()
    profile = profile_of(reports.FOLLOWER)
    assert events_of(profile) == ["LINE Followed", "Message Received"]
    assert Touchpoint.objects.get(type__name="Message Received").properties["text"] == "โซฟาสีแดงมีของไหมคะ"
    assert not ConsentEntry.objects.exists(), "following is no consent"
    assert Webhook.objects.get().n_ignored == 1

    assert line.events(reports.UNFOLLOW).status_code == 200
    assert InboundBatch.objects.newest_first()[0].lane == InboundBatch.Lane.WITHDRAWAL
    digest.drain()
    stated = ConsentEntry.objects.all()
    assert {(one.channel, one.state, one.address, one.origin) for one in stated} == {
        ("line", "withdrawn", reports.FOLLOWER, "event")
    }
    assert {"marketing", "service"} <= {one.purpose.slug for one in stated}
    assert equation.of_source(line_oa) == Equation(received=4, stored=3, duplicate=1)


def ask_for_nonce(key: str, user_id: Any) -> Any:
    import base64

    header = "Basic " + base64.b64encode(f"{key}:".encode()).decode()
    return Client().post(
        "/v1/line/link-nonce", {"userId": user_id}, "application/json", headers={"Authorization": header}
    )


def test_an_account_link_makes_one_person_of_follower_and_customer(
    line: Sender, shop: Sender, web_shop: Source
) -> None:
    shop.topic("customers/create")
    line.events(reports.FOLLOW)
    digest.drain()
    assert profile_of(reports.FOLLOWER).pk != profile_of(str(reports.CUSTOMER_ID)).pk

    key = keys.make(source=web_shop, by="system:test")[1]
    answer = ask_for_nonce(key, str(reports.CUSTOMER_ID))
    assert (answer.status_code, answer.json()["expiresIn"]) == (200, 600)
    nonce = answer.json()["nonce"]
    assert 10 <= len(nonce) <= 255
    line.events(reports.account_link(nonce))
    digest.drain()
    joined = profile_of(reports.FOLLOWER)
    assert joined.pk == profile_of(str(reports.CUSTOMER_ID)).pk
    assert "LINE Account Linked" in events_of(joined)


def test_a_link_before_the_customer_is_known_joins_later(line: Sender, shop: Sender, web_shop: Source) -> None:
    line.events(reports.account_link(linking.make(source_id=web_shop.pk, user_id=str(reports.CUSTOMER_ID))))
    digest.drain()
    shop.topic("customers/create")
    digest.drain()
    assert profile_of(reports.FOLLOWER).pk == profile_of(str(reports.CUSTOMER_ID)).pk


def test_a_nonce_is_good_once_and_for_minutes(line: Sender, web_shop: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    nonce = linking.make(source_id=web_shop.pk, user_id="1001")
    assert linking.use(nonce) == ("web", "1001")
    assert linking.use(nonce) is None
    assert linking.use("guessed") is None

    late = linking.make(source_id=web_shop.pk, user_id="1001")
    after = timezone.now() + linking.VALID_FOR
    monkeypatch.setattr(linking.timezone, "now", lambda: after)
    assert linking.use(late) is None
    linking.make(source_id=web_shop.pk, user_id="1002")
    monkeypatch.setattr(linking.timezone, "now", lambda: after + 2 * linking.VALID_FOR)
    linking.forget_expired()
    assert not linking.LinkNonce.objects.exists()


def test_only_a_secret_key_makes_a_nonce(web_shop: Source) -> None:
    public = keys.make(source=web_shop, by="system:test", is_public=True)[1]
    secret = keys.make(source=web_shop, by="system:test")[1]
    assert ask_for_nonce(public, "1001").status_code == 401
    assert ask_for_nonce("unknown", "1001").status_code == 401
    assert Client().post("/v1/line/link-nonce", {}, "application/json").status_code == 401
    assert ask_for_nonce(secret, "").status_code == 400
    assert ask_for_nonce(secret, 7).status_code == 400
    assert not linking.LinkNonce.objects.exists()


# --- any system -----------------------------------------------------------------------------------------------------

TICKETS = {
    "version": 2,
    "rows": "events",
    "fields": [
        {"from": "customer.id", "to": "record_id"},
        {"from": "customer.mail", "to": "trait", "name": "email"},
        {"value": "Ticket Closed", "to": "event"},
        {"from": "closed_at", "to": "timestamp"},
    ],
}
TICKET = {"id": 1, "customer": {"id": "C-7", "mail": "malee@example.co.th"}, "closed_at": "2026-11-20T12:00:00+07:00"}


def test_signed_json_comes_in_by_a_saved_mapping(call_centre: Source) -> None:
    mappings.save(name="tickets", definition=TICKETS, source=call_centre, by="system:test")
    desk = sender(
        call_centre, "generic", mapping="tickets", header="X-Hub-Signature-256", signature_prefix="sha256=",
        list_path="items", id_path="id",
    )  # fmt: skip
    body = {"items": [TICKET, TICKET | {"id": 2, "closed_at": "never"}]}
    assert desk.send(reports.encoded(body)).status_code == 200
    assert desk.send(reports.encoded(body | {"sent": "again"})).status_code == 200
    digest.drain()
    assert equation.of_source(call_centre) == Equation(received=4, stored=1, duplicate=1, quarantined=2)
    assert events_of(profile_of("C-7")) == ["Ticket Closed"]
    held = QuarantinedItem.objects.first()
    assert held is not None
    assert (held.reason, held.detail) == ("untranslated", "closed_at: time")


def test_secrets_are_kept_sealed(shop: Sender) -> None:
    assert SECRET.encode() not in bytes(Webhook.objects.get().secret)
