"""Shopify's reports in our words."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from ingestion.webhooks import shopify
from ingestion.webhooks.reading import Reading, RequestKind, Unreadable
from tests.factories import reports

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
CUSTOMER = str(reports.CUSTOMER_ID)
ORDER = str(reports.ORDER_ID)


def read(topic: str, body: Any = None, *, purpose: str = "marketing", delivery_id: str = "d-1") -> Reading:
    return shopify.read(
        topic,
        reports.SHOPIFY[topic] if body is None else body,
        delivery_id=delivery_id,
        shop=shopify.Shop(reports.SHOP, purpose),
        received_at=NOW,
    )


def only(topic: str, body: Any = None, **options: str) -> dict[str, Any]:
    [message] = read(topic, body, **options).messages
    return message


@pytest.mark.parametrize("topic", shopify.TOPICS)
def test_every_topic_has_a_sample_that_can_be_read(topic: str) -> None:
    found = read(topic)
    assert bool(found.messages) != (found.request is not None)
    assert all(message["messageId"] and len(message["messageId"]) <= 100 for message in found.messages)
    assert len({message["messageId"] for message in found.messages}) == len(found.messages)


def test_a_completed_order() -> None:
    message = only("orders/create")
    assert (message["type"], message["event"], message["messageId"]) == ("track", "Order Completed", "shopify:d-1")
    assert (message["userId"], message["timestamp"]) == (CUSTOMER, "2026-11-20T12:00:00+07:00")
    assert message["cdp"]["identifiers"] == [
        {"kind": "device", "value": f"order:{ORDER}"},
        {"kind": "device", "value": "cart:68778783ad298f1c80c3bafcddeea02f"},
    ]
    traits = message["context"]["traits"]
    assert (traits["email"], traits["phone"]) == ("somchai.jaidee@example.co.th", "+66894551203")
    assert (traits["first_name"], traits["last_name"]) == ("สมชาย", "ใจดี")
    assert traits["city"] == "เขตคลองเตย", "where the parcel goes may be somebody else's home"
    said = message["properties"]
    assert (said["order_id"], said["order_number"], said["total"], said["currency"]) == (ORDER, "#1001", 12020, "THB")
    assert (said["discount"], said["coupon"], said["shipping"], said["tax"]) == (1900, "HELLO10", 150, 776.54)
    assert (said["payment_status"], said["payment_method"]) == ("pending", "promptpay")
    assert said["order_url"] == f"https://{reports.SHOP}/admin/orders/{ORDER}"
    sofa, cushions = said["products"]
    assert sofa == {
        "line_id": "866550311766439020",
        "product_id": "632910392",
        "sku": "SOFA-2S-RED",
        "name": "โซฟา 2 ที่นั่ง",
        "variant": "แดง",
        "quantity": 1,
        "list_price": 12900,
        "price": 11000,
        "discount": 610,
        "coupon": "HELLO10",
        "coupon_discount": 1290,
    }
    assert (cushions["quantity"], cushions["price"], cushions["list_price"]) == (3, 290, 290)
    assert "coupon" not in cushions
    assert "discount" not in cushions


def test_what_the_lines_cost_is_what_the_order_costs_without_shipping() -> None:
    products = only("orders/create")["properties"]["products"]
    paid = sum(Decimal(str(line["price"])) * line["quantity"] for line in products)
    assert paid == Decimal(reports.ORDER["subtotal_price"])


@pytest.mark.parametrize(
    ("topic", "event", "at"),
    [
        ("orders/paid", "Order Paid", "2026-11-20T12:05:00+07:00"),
        ("orders/fulfilled", "Order Fulfilled", "2026-11-21T09:00:00+07:00"),
        ("orders/cancelled", "Order Cancelled", "2026-11-20T13:00:00+07:00"),
    ],
)
def test_what_becomes_of_an_order(topic: str, event: str, at: str) -> None:
    message = only(topic)
    assert (message["event"], message["timestamp"], message["properties"]["order_id"]) == (event, at, ORDER)


def test_a_parcel_can_be_followed() -> None:
    said = only("orders/fulfilled")["properties"]
    assert (said["carrier"], said["tracking_number"]) == ("Kerry Express", "KEX123456789TH")
    assert said["tracking_url"].startswith("https://th.kerryexpress.com/")


def test_a_refund_is_one_message_however_it_is_told() -> None:
    updated, within = read("orders/updated").messages
    alone = only("refunds/create", delivery_id="d-2")
    assert updated["event"] == "Order Updated"
    assert within["messageId"] == alone["messageId"] == "refund:890088186047892319"
    for told in (within, alone):
        assert told["event"] == "Order Refunded"
        assert (told["properties"]["order_id"], told["properties"]["total"]) == (ORDER, 290)
        assert told["properties"]["currency"] == "THB"
        assert told["timestamp"] == "2026-11-21T15:00:00+07:00"
    assert alone["anonymousId"] == f"order:{ORDER}", "the report names no customer: the order leads to it"
    assert {"kind": "device", "value": f"order:{ORDER}"} in within["cdp"]["identifiers"]


def test_a_refund_without_payment_counts_what_came_back() -> None:
    refund = reports.REFUND | {"transactions": []}
    assert only("refunds/create", refund)["properties"]["total"] == 290
    failed = reports.REFUND | {"transactions": [reports.REFUND["transactions"][0] | {"status": "failure"}]}
    assert only("refunds/create", failed)["properties"]["total"] == 290


def test_an_edit_does_not_bring_a_cancelled_order_back() -> None:
    edited = reports.CANCELLED | {"updated_at": "2026-11-22T10:00:00+07:00"}
    assert only("orders/updated", edited)["event"] == "Order Cancelled"


def test_an_edit_does_not_complete_a_refunded_order_again() -> None:
    refunded = reports.UPDATED | {"financial_status": "refunded", "updated_at": "2026-11-22T10:00:00+07:00"}
    touched, refund = read("orders/updated", refunded).messages
    assert (touched["type"], touched["userId"]) == ("identify", CUSTOMER)
    assert refund["event"] == "Order Refunded"


def test_a_guest_is_known_by_what_the_order_says() -> None:
    message = only("orders/create", reports.GUEST_ORDER)
    assert message["cdp"]["record"] == {"external_id": "order:450789469"}
    assert "userId" not in message
    traits = message["context"]["traits"]
    assert (traits["email"], traits["phone"], traits["first_name"]) == (
        "guest.order@example.co.th",
        "+66865511234",
        "สมชาย",
    )


def test_an_order_of_nobody_belongs_to_the_order() -> None:
    nobody = reports.GUEST_ORDER | {"email": "", "phone": None}
    message = only("orders/create", nobody)
    assert message["anonymousId"] == "order:450789469"
    assert message["cdp"] == {"own_act": True}
    assert "context" not in message


def test_a_customer_with_consents() -> None:
    message = only("customers/create")
    assert (message["type"], message["userId"]) == ("identify", CUSTOMER)
    assert message["timestamp"] == "2026-11-20T09:30:00+07:00"
    assert message["traits"]["created_at"] == "2025-01-15"
    assert message["cdp"]["consents"] == [
        {
            "purpose": "marketing",
            "channel": "email",
            "address": "somchai.jaidee@example.co.th",
            "state": "granted",
            "cell": True,
            "at": "2025-01-15T03:00:00+00:00",
            "evidence": {"system": "shopify", "opt_in_level": "single_opt_in"},
        }
    ], "never asked about SMS is no refusal"


def test_consents_are_taken_for_a_purpose_only() -> None:
    assert "cdp" not in only("customers/update", purpose="")


@pytest.mark.parametrize("state", ["not_subscribed", "pending", "invalid", "redacted", None])
def test_a_state_that_says_nothing_is_no_consent(state: str | None) -> None:
    customer = reports.CUSTOMER | {"email_marketing_consent": {"state": state}}
    assert "cdp" not in only("customers/update", customer)


def test_an_unsubscription_withdraws() -> None:
    told = {"state": "unsubscribed", "consent_updated_at": "2026-11-20T09:30:00+07:00"}
    customer = reports.CUSTOMER | {"email_marketing_consent": told, "sms_marketing_consent": told}
    stated = only("customers/update", customer)["cdp"]["consents"]
    assert [(one["channel"], one["address"], one["state"]) for one in stated] == [
        ("email", "somchai.jaidee@example.co.th", "withdrawn"),
        ("sms", "+66894551203", "withdrawn"),
    ]


def test_what_is_null_has_been_cleared_and_what_is_absent_has_not() -> None:
    customer = {"id": 1, "phone": None, "first_name": "A"}
    assert only("customers/update", customer)["traits"] == {"first_name": "A", "phone": None}


def test_a_cart_tells_each_line_once() -> None:
    message = only("carts/create")
    assert (message["event"], message["anonymousId"]) == ("Product Added", "cart:68778783ad298f1c80c3bafcddeea02f")
    assert (message["properties"]["sku"], message["properties"]["price"]) == ("SOFA-2S-RED", 12900)
    again = only("carts/update", delivery_id="d-9")
    assert again["messageId"] == message["messageId"], "the line has not changed"
    two = reports.CART | {"line_items": [reports.CART["line_items"][0] | {"quantity": 2}]}
    assert only("carts/update", two)["messageId"] != message["messageId"]


def test_an_emptied_cart_says_nothing_and_is_counted() -> None:
    found = read("carts/update", reports.CART | {"line_items": []})
    assert (found.messages, found.ignored) == ((), 1)


def test_a_checkout_joins_the_cart_with_the_customer() -> None:
    message = only("checkouts/create")
    assert (message["event"], message["userId"]) == ("Checkout Started", CUSTOMER)
    assert message["cdp"]["identifiers"] == [{"kind": "device", "value": "cart:68778783ad298f1c80c3bafcddeea02f"}]
    assert "order_id" not in message["properties"], "there is no order yet"
    assert only("checkouts/update", delivery_id="d-2")["messageId"] == message["messageId"]


@pytest.mark.parametrize("topic", ["products/update", "inventory_levels/set", "", "orders/unknown"])
def test_other_topics_are_counted_and_left(topic: str) -> None:
    found = read(topic, {"id": 1})
    assert (found.messages, found.ignored, found.request) == ((), 1, None)


@pytest.mark.parametrize(
    ("topic", "kind", "record_id"),
    [
        ("customers/data_request", RequestKind.ACCESS, CUSTOMER),
        ("customers/redact", RequestKind.ERASURE, CUSTOMER),
        ("shop/redact", RequestKind.ERASURE_OF_SOURCE, ""),
    ],
)
def test_requests_under_the_law(topic: str, kind: RequestKind, record_id: str) -> None:
    found = read(topic)
    assert found.messages == ()
    assert found.request is not None
    assert (found.request.kind, found.request.record_id, found.request.external_id) == (kind, record_id, "d-1")
    assert found.request.received_at == NOW
    assert found.request.evidence["topic"] == topic
    assert "somchai" not in str(found.request), "neither address nor name is passed on"


@pytest.mark.parametrize(
    ("topic", "body", "place"),
    [
        ("orders/create", [], "$"),
        ("orders/create", {}, "id"),
        ("orders/create", reports.ORDER | {"id": None}, "id"),
        ("orders/create", reports.ORDER | {"total_price": "much"}, "$.total_price"),
        (
            "orders/create",
            reports.ORDER | {"line_items": [{"id": 1, "price": "x", "quantity": 1}]},
            "line_items[0].price",
        ),
        (
            "orders/create",
            reports.ORDER | {"line_items": [{"id": 1, "price": "NaN", "quantity": 1}]},
            "line_items[0].price",
        ),
        ("orders/create", reports.ORDER | {"line_items": [None]}, "line_items[0].price"),
        ("customers/update", {"email": "a@example.co.th"}, "id"),
        ("customers/redact", {"customer": {}}, "customer.id"),
        ("refunds/create", {"id": 1}, "order_id"),
    ],
)
def test_what_cannot_be_read_says_where(topic: str, body: Any, place: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(topic, body)
    assert caught.value.place == place


@pytest.mark.parametrize("topic", sorted(set(shopify.TRANSLATIONS)))
def test_who_registers_or_orders_comes_in_by_themselves(topic: str) -> None:
    acts = [message.get("cdp", {}).get("own_act", False) for message in read(topic).messages]
    assert acts[0] is (topic in ("customers/create", "orders/create"))
    assert not any(acts[1:])
