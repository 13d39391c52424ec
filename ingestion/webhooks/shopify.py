"""Shopify's reports as our messages. Pure.

https://shopify.dev/docs/api/webhooks (payloads of the REST Admin API)

A customer is the record of the customer's id. What belongs to an order is also said of the device `order:<id>`: a
refund names its order and no customer, and finds the person by it. A cart is a device as well, until an order or a
checkout names the customer. A guest's order is a record of its own with the guest's e-mail and phone.

Refunds come twice, by their own topic and within the order: both are the one message `refund:<id>`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from ingestion import clocks
from ingestion.webhooks.reading import (
    Reading,
    RequestKind,
    SubjectRequest,
    Unreadable,
    as_dict,
    as_list,
    present,
    text,
)

CENT: Final = Decimal("0.01")
# "not_subscribed" was never asked, "pending" has not answered, "invalid" and "redacted" say nothing.
CONSENT_STATES: Final = {"subscribed": "granted", "unsubscribed": "withdrawn"}


@dataclass(frozen=True, slots=True)
class Shop:
    """What is known of the shop beside its reports: its domain (X-Shopify-Shop-Domain), and the purpose for which its
    marketing consents are taken; empty: they are not."""

    domain: str = ""
    purpose: str = ""


def read(topic: str, body: Any, *, delivery_id: str, shop: Shop, received_at: datetime) -> Reading:
    """What the report says. A topic that is not about customers gives nothing and counts as ignored.

    Args:
        delivery_id: X-Shopify-Webhook-Id, the same when Shopify repeats itself.

    Raises Unreadable.
    """
    if not isinstance(body, dict):
        raise Unreadable("$", "expected a JSON object")
    if topic in REQUESTS:
        return Reading(request=_request(REQUESTS[topic], topic, body, delivery_id, received_at))
    if topic not in TRANSLATIONS:
        return Reading(ignored=1)
    said = tuple(TRANSLATIONS[topic](body, shop))
    if topic in OWN_ACTS:
        said[0].setdefault("cdp", {})["own_act"] = True
    for number, message in enumerate(said):
        message.setdefault("messageId", f"shopify:{delivery_id}:{number}" if number else f"shopify:{delivery_id}")
    return Reading(messages=said, ignored=0 if said else 1)


# --- customers ------------------------------------------------------------------------------------------------------


def _customer_report(customer: dict[str, Any], shop: Shop) -> list[dict[str, Any]]:
    customer_id = _id(customer, "id")
    traits = _traits(customer)
    # The report is the whole customer: what is null there has been cleared.
    traits |= {name: None for name in ("email", "phone", "first_name", "last_name") if _is_null(customer, name)}
    message = {
        "type": "identify",
        "userId": customer_id,
        "traits": traits,
        "timestamp": _time(customer, "updated_at") or _time(customer, "created_at"),
        "cdp": present({"consents": _consents(customer, shop)}),
    }
    return [present(message)]


def _is_null(holder: Mapping[str, Any], name: str) -> bool:
    return name in holder and holder[name] is None


def _traits(customer: Mapping[str, Any]) -> dict[str, Any]:
    return present(
        {
            "email": text(customer.get("email")),
            "phone": text(customer.get("phone")),
            "first_name": text(customer.get("first_name")),
            "last_name": text(customer.get("last_name")),
            "created_at": text(customer.get("created_at"))[:10],
            "tags": text(customer.get("tags")),
        }
    ) | _address(as_dict(customer.get("default_address")))


def _address(address: Mapping[str, Any]) -> dict[str, Any]:
    named = {
        "address": "address1",
        "address_line2": "address2",
        "city": "city",
        "province": "province",
        "postcode": "zip",
        "country": "country",
    }
    return present({trait: text(address.get(name)) for trait, name in named.items()})


def _consents(customer: Mapping[str, Any], shop: Shop) -> list[dict[str, Any]]:
    """What Shopify keeps beside the customer. It repeats itself with every change: an unchanged state is no event."""
    found = []
    for channel, name, address in (
        ("email", "email_marketing_consent", "email"),
        ("sms", "sms_marketing_consent", "phone"),
    ):
        consent = as_dict(customer.get(name))
        state = CONSENT_STATES.get(text(consent.get("state")))
        if state is None or not shop.purpose:
            continue
        at = clocks.parse_or_none(_time(consent, "consent_updated_at"))
        evidence = {
            "system": "shopify",
            "opt_in_level": text(consent.get("opt_in_level")),
            "collected_from": text(consent.get("consent_collected_from")),
        }
        cell = {
            "purpose": shop.purpose,
            "channel": channel,
            "address": text(customer.get(address)),
            "state": state,
            "cell": True,
            "at": at.isoformat() if at else "",
            "evidence": present(evidence),
        }
        found.append(present(cell))
    return found


# --- orders ---------------------------------------------------------------------------------------------------------


def _owner(order: Mapping[str, Any], order_id: str, shop: Shop) -> dict[str, Any]:
    """Whose order it is, and what it says of the person: the members of a message."""
    customer = as_dict(order.get("customer"))
    billing = as_dict(order.get("billing_address"))
    traits = _address(billing) | _traits(customer)
    traits |= {name: stated for name in ("email", "phone") if name not in traits and (stated := text(order.get(name)))}
    devices = [_device(f"order:{order_id}")] if order_id else []
    if cart := text(order.get("cart_token")):
        devices.append(_device(f"cart:{cart}"))
    owner: dict[str, Any] = {"cdp": {"identifiers": devices}}
    if customer_id := text(customer.get("id")):
        owner["userId"] = customer_id
        owner["cdp"] |= present({"consents": _consents(customer, shop)})
    elif "email" in traits or "phone" in traits:
        name = {"first_name": text(billing.get("first_name")), "last_name": text(billing.get("last_name"))}
        traits = present(name) | traits
        owner["cdp"]["record"] = {"external_id": devices[0]["value"]}
    else:
        return {"anonymousId": devices[0]["value"]}
    return owner | ({"context": {"traits": traits}} if traits else {})


def _device(value: str) -> dict[str, str]:
    return {"kind": "device", "value": value}


def _order(order: Mapping[str, Any], order_id: str, shop: Shop) -> dict[str, Any]:
    applications = as_list(order.get("discount_applications"))
    codes = [text(as_dict(code).get("code")) for code in as_list(order.get("discount_codes"))]
    gateways = as_list(order.get("payment_gateway_names"))
    properties = {
        "order_id": order_id,
        "order_number": text(order.get("name")) or text(order.get("order_number")),
        "total": _amount(order, "total_price"),
        "currency": text(order.get("currency")),
        "discount": _amount(order, "total_discounts") or "",
        "shipping": _shipping(order),
        "tax": _amount(order, "total_tax"),
        "coupon": ", ".join(code for code in codes if code),
        "payment_status": text(order.get("financial_status")),
        "payment_method": text(gateways[0]) if gateways else "",
        "fulfillment_status": text(order.get("fulfillment_status")),
        "order_url": f"https://{shop.domain}/admin/orders/{order_id}" if shop.domain else "",
        "products": [
            _line(as_dict(line), f"line_items[{place}]", applications)
            for place, line in enumerate(as_list(order.get("line_items")))
        ],
    }
    return present(properties)


def _shipping(order: Mapping[str, Any]) -> int | float | str:
    return _amount(as_dict(as_dict(order.get("total_shipping_price_set")).get("shop_money")), "amount")


def _line(line: Mapping[str, Any], place: str, applications: Sequence[Any]) -> dict[str, Any]:
    """One line: the price before discounts is the list price; what discounts took off it is shared out by Shopify,
    per line, and so is what a coupon's code took."""
    price = _number(line, "price", place)
    quantity = _number(line, "quantity", place)
    by_code, otherwise, code = Decimal(0), Decimal(0), ""
    for number, entry in enumerate(as_list(line.get("discount_allocations"))):
        allocation = as_dict(entry)
        amount = _number(allocation, "amount", f"{place}.discount_allocations[{number}]")
        index = allocation.get("discount_application_index")
        applied = as_dict(applications[index]) if isinstance(index, int) and 0 <= index < len(applications) else {}
        if applied.get("type") == "discount_code":
            by_code += amount
            code = code or text(applied.get("code"))
        else:
            otherwise += amount
    product = {
        "line_id": text(line.get("id")),
        "product_id": text(line.get("product_id")),
        "sku": text(line.get("sku")) or text(line.get("variant_id")),
        "name": text(line.get("title")) or text(line.get("name")),
        "variant": text(line.get("variant_title")),
        "quantity": _json(quantity),
        "list_price": _json(price),
        "price": _json(((price * quantity - by_code - otherwise) / quantity).quantize(CENT) if quantity else price),
        "discount": _json(otherwise) or "",
        "coupon": code,
        "coupon_discount": _json(by_code) or "",
    }
    return present(product)


def _number(holder: Mapping[str, Any], name: str, place: str) -> Decimal:
    try:
        number = Decimal(text(holder.get(name)))
    except InvalidOperation as error:
        raise Unreadable(f"{place}.{name}", "expected a number") from error
    if not number.is_finite():
        raise Unreadable(f"{place}.{name}", "expected a number")
    return number


def _amount(holder: Mapping[str, Any], name: str) -> int | float | str:
    """The amount as a number; empty when it is not said."""
    return _json(_number(holder, name, "$")) if text(holder.get(name)) else ""


def _json(number: Decimal) -> int | float:
    return int(number) if number == number.to_integral_value() else float(number)


def _order_event(event: str, *clocks: str) -> Callable[[dict[str, Any], Shop], list[dict[str, Any]]]:
    """A translation of the order as this event, at the first of these times that it states; with its refunds."""

    def translate(order: dict[str, Any], shop: Shop) -> list[dict[str, Any]]:
        order_id = _id(order, "id")
        owner = _owner(order, order_id, shop)
        at = next((moment for name in clocks if (moment := _time(order, name))), None)
        properties = _order(order, order_id, shop)
        told = event
        if event == "Order Updated" and order.get("cancelled_at"):
            told = "Order Cancelled"  # an edit afterwards does not bring the order back
        if event == "Order Fulfilled":
            parcel = _parcel(order)
            at = _time(parcel, "created_at") or at
            properties |= _tracking(parcel)
        message = {"type": "track", "event": told, "properties": properties, **owner} | (
            {"timestamp": at} if at else {}
        )
        if told == "Order Updated" and order.get("financial_status") == "refunded":
            # The refunds say what became of the order; that it was touched afterwards says something of the person.
            message = {"type": "identify", "traits": as_dict(owner.get("context")).get("traits", {}), **owner}
            message.pop("context", None)
            message |= {"timestamp": at} if at else {}
        return [message, *(_refund(as_dict(refund), order, owner) for refund in as_list(order.get("refunds")))]

    return translate


def _parcel(order: Mapping[str, Any]) -> dict[str, Any]:
    """The last one sent."""
    parcels = [as_dict(parcel) for parcel in as_list(order.get("fulfillments"))]
    return max((one for one in parcels if one), key=lambda one: text(one.get("created_at")), default={})


def _tracking(parcel: Mapping[str, Any]) -> dict[str, Any]:
    return present(
        {
            "carrier": text(parcel.get("tracking_company")),
            "tracking_number": text(parcel.get("tracking_number")),
            "tracking_url": text(parcel.get("tracking_url")),
        }
    )


def _refund_report(refund: dict[str, Any], _shop: Shop) -> list[dict[str, Any]]:
    order_id = _id(refund, "order_id")
    return [_refund(refund, {}, {"anonymousId": f"order:{order_id}"})]


def _refund(refund: Mapping[str, Any], order: Mapping[str, Any], owner: Mapping[str, Any]) -> dict[str, Any]:
    """Money given back. Without a transaction (store credit, goods only) the returned lines say how much."""
    refund_id, order_id = _id(refund, "id"), text(order.get("id")) or _id(refund, "order_id")
    paid = [as_dict(one) for one in as_list(refund.get("transactions"))]
    paid = [one for one in paid if one.get("kind") in ("refund", "void") and one.get("status") in ("success", None)]
    returned = [as_dict(one) for one in as_list(refund.get("refund_line_items"))]
    total = sum((_number(one, "amount", "transactions") for one in paid), Decimal(0))
    if not paid:
        total = sum((_number(one, "subtotal", "refund_line_items") for one in returned), Decimal(0))
    currency = text(paid[0].get("currency")) if paid else ""
    products = [
        present(
            {
                "line_id": text(one.get("line_item_id")),
                "sku": text(as_dict(one.get("line_item")).get("sku")),
                "name": text(as_dict(one.get("line_item")).get("title")),
                "quantity": text(one.get("quantity")),
            }
        )
        for one in returned
    ]
    properties = {
        "order_id": order_id,
        "refund_id": refund_id,
        "total": _json(total),
        "currency": currency or text(order.get("currency")),
        "products": products,
    }
    message = {
        "type": "track",
        "messageId": f"refund:{refund_id}",
        "event": "Order Refunded",
        "properties": present(properties),
        "timestamp": _time(refund, "processed_at") or _time(refund, "created_at"),
    }
    return present(message) | {name: value for name, value in owner.items() if name != "context"}


# --- carts and checkouts --------------------------------------------------------------------------------------------


def _cart_report(cart: dict[str, Any], _shop: Shop) -> list[dict[str, Any]]:
    """A cart is reported whole at every change. A line with this quantity is one message for ever, so that only what
    is new about the cart is an event."""
    token = text(cart.get("token")) or _id(cart, "id")
    at = _time(cart, "updated_at") or _time(cart, "created_at")
    said = []
    for place, entry in enumerate(as_list(cart.get("line_items"))):
        line = as_dict(entry)
        key = text(line.get("key")) or text(line.get("variant_id")) or _id(line, "id")
        quantity = _number(line, "quantity", f"line_items[{place}]")
        message = {
            "type": "track",
            "messageId": f"cart:{token}:{key}:{_json(quantity)}"[:100],
            "event": "Product Added",
            "anonymousId": f"cart:{token}",
            "timestamp": at,
            "properties": present({**_line(line, f"line_items[{place}]", ()), "cart_id": token}),
        }
        said.append(present(message))
    return said


def _checkout_report(checkout: dict[str, Any], shop: Shop) -> list[dict[str, Any]]:
    """The checkout's beginning, once, however often it is changed before it becomes an order."""
    token = text(checkout.get("token")) or _id(checkout, "id")
    owner = _owner(checkout | {"cart_token": text(checkout.get("cart_token")) or f"checkout-{token}"}, "", shop)
    properties = _order(checkout, "", shop)
    properties.pop("order_url", None)
    message = {
        "type": "track",
        "messageId": f"checkout:{token}:{owner.get('userId', '')}"[:100],
        "event": "Checkout Started",
        "properties": properties | {"checkout_id": token},
        "timestamp": _time(checkout, "updated_at") or _time(checkout, "created_at"),
    }
    return [present(message) | owner]


# --- requests under the law -----------------------------------------------------------------------------------------


def _request(
    kind: RequestKind, topic: str, body: Mapping[str, Any], delivery_id: str, received_at: datetime
) -> SubjectRequest:
    customer = as_dict(body.get("customer"))
    if kind is not RequestKind.ERASURE_OF_SOURCE and not text(customer.get("id")):
        raise Unreadable("customer.id", "expected an id")
    evidence = {
        "topic": topic,
        "shop_id": text(body.get("shop_id")),
        "data_request_id": text(as_dict(body.get("data_request")).get("id")),
    }
    return SubjectRequest(
        kind=kind,
        external_id=delivery_id,
        record_id="" if kind is RequestKind.ERASURE_OF_SOURCE else text(customer.get("id")),
        received_at=received_at,
        evidence=present(evidence),
    )


# --- parts ----------------------------------------------------------------------------------------------------------


def _id(holder: Mapping[str, Any], name: str) -> str:
    found = text(holder.get(name))
    if not found or len(found) > 80:
        raise Unreadable(name, "expected an id")
    return found


def _time(holder: Mapping[str, Any], name: str) -> str:
    return text(holder.get(name))


Translation = Callable[[dict[str, Any], Shop], list[dict[str, Any]]]

TRANSLATIONS: Final[Mapping[str, Translation]] = {
    "orders/create": _order_event("Order Completed", "processed_at", "created_at"),
    "orders/updated": _order_event("Order Updated", "updated_at"),
    "orders/paid": _order_event("Order Paid", "updated_at", "processed_at"),
    "orders/fulfilled": _order_event("Order Fulfilled", "updated_at"),
    "orders/cancelled": _order_event("Order Cancelled", "cancelled_at", "updated_at"),
    "refunds/create": _refund_report,
    "customers/create": _customer_report,
    "customers/update": _customer_report,
    "carts/create": _cart_report,
    "carts/update": _cart_report,
    "checkouts/create": _checkout_report,
    "checkouts/update": _checkout_report,
}
# By these the person comes in by themselves, also after an erasure (`profiles.storing`).
OWN_ACTS: Final = frozenset({"customers/create", "orders/create"})
REQUESTS: Final[Mapping[str, RequestKind]] = {
    "customers/data_request": RequestKind.ACCESS,
    "customers/redact": RequestKind.ERASURE,
    "shop/redact": RequestKind.ERASURE_OF_SOURCE,
}
TOPICS: Final = (*TRANSLATIONS, *REQUESTS)
