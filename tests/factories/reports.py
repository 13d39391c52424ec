"""Reports as Shopify and LINE send them, written by us after their documentation; nobody in them exists."""

import json
from typing import Any

SHOP = "baan-sabai.myshopify.com"
CUSTOMER_ID = 706405506930370084
ORDER_ID = 820982911946154508

CUSTOMER: dict[str, Any] = {
    "id": CUSTOMER_ID,
    "email": "somchai.jaidee@example.co.th",
    "phone": "+66894551203",
    "first_name": "สมชาย",
    "last_name": "ใจดี",
    "created_at": "2025-01-15T10:00:00+07:00",
    "updated_at": "2026-11-20T09:30:00+07:00",
    "state": "enabled",
    "verified_email": True,
    "currency": "THB",
    "tags": "vip, bangkok",
    "email_marketing_consent": {
        "state": "subscribed",
        "opt_in_level": "single_opt_in",
        "consent_updated_at": "2025-01-15T10:00:00+07:00",
    },
    "sms_marketing_consent": {
        "state": "not_subscribed",
        "opt_in_level": "single_opt_in",
        "consent_updated_at": None,
        "consent_collected_from": "SHOPIFY",
    },
    "default_address": {
        "id": 1,
        "first_name": "สมชาย",
        "last_name": "ใจดี",
        "address1": "99/1 ถนนสุขุมวิท",
        "address2": "แขวงคลองตัน",
        "city": "เขตคลองเตย",
        "province": "กรุงเทพมหานคร",
        "zip": "10110",
        "country": "Thailand",
    },
}

LINES: list[dict[str, Any]] = [
    {
        "id": 866550311766439020,
        "product_id": 632910392,
        "variant_id": 808950810,
        "sku": "SOFA-2S-RED",
        "title": "โซฟา 2 ที่นั่ง",
        "variant_title": "แดง",
        "quantity": 1,
        "price": "12900.00",
        "total_discount": "0.00",
        "discount_allocations": [
            {"amount": "1290.00", "discount_application_index": 0},
            {"amount": "610.00", "discount_application_index": 1},
        ],
    },
    {
        "id": 141249953214522974,
        "product_id": 632910393,
        "variant_id": 808950811,
        "sku": "CUSHION-45",
        "title": "หมอนอิง",
        "variant_title": None,
        "quantity": 3,
        "price": "290.00",
        "discount_allocations": [],
    },
]

ORDER: dict[str, Any] = {
    "id": ORDER_ID,
    "name": "#1001",
    "order_number": 1001,
    "cart_token": "68778783ad298f1c80c3bafcddeea02f",
    "created_at": "2026-11-20T12:00:00+07:00",
    "processed_at": "2026-11-20T12:00:00+07:00",
    "updated_at": "2026-11-20T12:00:01+07:00",
    "cancelled_at": None,
    "email": "somchai.jaidee@example.co.th",
    "phone": None,
    "currency": "THB",
    "total_price": "12020.00",
    "subtotal_price": "11870.00",
    "total_discounts": "1900.00",
    "total_tax": "776.54",
    "total_shipping_price_set": {"shop_money": {"amount": "150.00", "currency_code": "THB"}},
    "financial_status": "pending",
    "fulfillment_status": None,
    "payment_gateway_names": ["promptpay"],
    "discount_codes": [{"code": "HELLO10", "amount": "1290.00", "type": "percentage"}],
    "discount_applications": [
        {"type": "discount_code", "code": "HELLO10", "value": "10.0", "value_type": "percentage"},
        {"type": "automatic", "title": "Red week", "value": "610.0", "value_type": "fixed_amount"},
    ],
    "line_items": LINES,
    "billing_address": {
        "first_name": "สมชาย",
        "last_name": "ใจดี",
        "address1": "99/1 ถนนสุขุมวิท",
        "city": "เขตคลองเตย",
        "province": "กรุงเทพมหานคร",
        "zip": "10110",
        "country": "Thailand",
    },
    "shipping_address": {"first_name": "คุณแม่", "last_name": "ใจดี", "address1": "7 ถนนนิมมาน", "city": "เชียงใหม่"},
    "customer": CUSTOMER,
    "fulfillments": [],
    "refunds": [],
}

PAID = ORDER | {"financial_status": "paid", "updated_at": "2026-11-20T12:05:00+07:00"}

FULFILLED = PAID | {
    "fulfillment_status": "fulfilled",
    "updated_at": "2026-11-21T09:00:05+07:00",
    "fulfillments": [
        {
            "id": 255858046,
            "created_at": "2026-11-21T09:00:00+07:00",
            "status": "success",
            "tracking_company": "Kerry Express",
            "tracking_number": "KEX123456789TH",
            "tracking_url": "https://th.kerryexpress.com/th/track/?track=KEX123456789TH",
        }
    ],
}

REFUND: dict[str, Any] = {
    "id": 890088186047892319,
    "order_id": ORDER_ID,
    "created_at": "2026-11-21T15:00:00+07:00",
    "processed_at": "2026-11-21T15:00:00+07:00",
    "note": "",
    "refund_line_items": [
        {
            "id": 1,
            "quantity": 1,
            "line_item_id": 141249953214522974,
            "subtotal": "290.00",
            "total_tax": "18.97",
            "line_item": LINES[1],
        }
    ],
    "transactions": [
        {"id": 1, "kind": "refund", "status": "success", "amount": "290.00", "currency": "THB", "gateway": "promptpay"}
    ],
}

UPDATED = FULFILLED | {"updated_at": "2026-11-21T15:00:02+07:00", "refunds": [REFUND]}

CANCELLED = ORDER | {
    "cancelled_at": "2026-11-20T13:00:00+07:00",
    "updated_at": "2026-11-20T13:00:00+07:00",
    "cancel_reason": "customer",
}

GUEST_ORDER = {name: value for name, value in ORDER.items() if name not in ("customer", "cart_token")} | {
    "id": 450789469,
    "email": "guest.order@example.co.th",
    "phone": "+66865511234",
}

CART: dict[str, Any] = {
    "id": "68778783ad298f1c80c3bafcddeea02f",
    "token": "68778783ad298f1c80c3bafcddeea02f",
    "line_items": [
        {
            "id": 808950810,
            "key": "808950810:8f1c80c3bafc",
            "variant_id": 808950810,
            "product_id": 632910392,
            "sku": "SOFA-2S-RED",
            "title": "โซฟา 2 ที่นั่ง",
            "quantity": 1,
            "price": "12900.00",
        }
    ],
    "created_at": "2026-11-20T11:40:00.000Z",
    "updated_at": "2026-11-20T04:45:00.000Z",
}

CHECKOUT: dict[str, Any] = {
    "id": 981820079255243537,
    "token": "123123123",
    "cart_token": "68778783ad298f1c80c3bafcddeea02f",
    "email": "somchai.jaidee@example.co.th",
    "created_at": "2026-11-20T11:50:00+07:00",
    "updated_at": "2026-11-20T11:50:10+07:00",
    "currency": "THB",
    "total_price": "12020.00",
    "line_items": LINES,
    "customer": CUSTOMER,
}

DATA_REQUEST: dict[str, Any] = {
    "shop_id": 954889,
    "shop_domain": SHOP,
    "orders_requested": [ORDER_ID],
    "customer": {"id": CUSTOMER_ID, "email": "somchai.jaidee@example.co.th", "phone": "+66894551203"},
    "data_request": {"id": 9999},
}
CUSTOMER_REDACT: dict[str, Any] = {
    "shop_id": 954889,
    "shop_domain": SHOP,
    "customer": {"id": CUSTOMER_ID, "email": "somchai.jaidee@example.co.th", "phone": "+66894551203"},
    "orders_to_redact": [ORDER_ID],
}
SHOP_REDACT: dict[str, Any] = {"shop_id": 954889, "shop_domain": SHOP}

SHOPIFY: dict[str, dict[str, Any]] = {
    "orders/create": ORDER,
    "orders/updated": UPDATED,
    "orders/paid": PAID,
    "orders/fulfilled": FULFILLED,
    "orders/cancelled": CANCELLED,
    "refunds/create": REFUND,
    "customers/create": CUSTOMER,
    "customers/update": CUSTOMER,
    "carts/create": CART,
    "carts/update": CART,
    "checkouts/create": CHECKOUT,
    "checkouts/update": CHECKOUT,
    "customers/data_request": DATA_REQUEST,
    "customers/redact": CUSTOMER_REDACT,
    "shop/redact": SHOP_REDACT,
}

FOLLOWER = "U4af4980629abcdef4980629abcdef498"
NOON = 1_763_614_800_000  # 2025-11-20 12:00 in Bangkok, as milliseconds


def line_event(kind: str, number: int = 1, *, user_id: str = FOLLOWER, **parts: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "mode": "active",
        "timestamp": NOON + 1_000 * number,
        "source": {"type": "user", "userId": user_id},
        "webhookEventId": f"01FZ74A0TDDPYRVKNK77XK{number:04d}",
        "deliveryContext": {"isRedelivery": False},
        **parts,
    }


FOLLOW = line_event("follow", 1, replyToken="r1", follow={"isUnblocked": False})
MESSAGE = line_event(
    "message",
    2,
    replyToken="r2",
    message={"id": "444573844083572737", "type": "text", "quoteToken": "q1", "text": "โซฟาสีแดงมีของไหมคะ"},
)
STICKER = line_event(
    "message", 3, message={"id": "2", "type": "sticker", "packageId": "446", "stickerId": "1988", "text": "hi"}
)
POSTBACK = line_event("postback", 4, replyToken="r4", postback={"data": "action=catalogue"})
UNFOLLOW = line_event("unfollow", 5)
JOIN = line_event("join", 6) | {"source": {"type": "group", "groupId": "Ca56f94637c"}}
IN_GROUP = line_event("message", 7, message={"id": "3", "type": "text", "text": "hello all"}) | {
    "source": {"type": "group", "groupId": "Ca56f94637c", "userId": FOLLOWER}
}


def account_link(nonce: str, number: int = 8, result: str = "ok") -> dict[str, Any]:
    return line_event("accountLink", number, replyToken="r8", link={"result": result, "nonce": nonce})


def line_report(*events: dict[str, Any]) -> bytes:
    return encoded({"destination": "U00000000000000000000000000000000", "events": list(events)})


def encoded(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
