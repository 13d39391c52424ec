"""Orders out of events: the newest version wins, lines arrive scattered, refunds stand apart.

Follows Segment's e-commerce spec (Order Completed, Updated, Refunded, Cancelled) and adds what happens on the way:
Order Paid, Fulfilled, Delivered tell of payment and parcels and leave the state alone. A file's order line is the
event "Order Completed" with one product; the order grows line by line.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import connection

from profiles import signals
from profiles.models import Order
from profiles.signals import Aspect, Touch

# Decimals travel as JSON numbers and are read as numeric: nothing is rounded on the way.
_ENCODER = msgspec.json.Encoder(decimal_format="number")

CENT = Decimal("0.01")
THOUSANDTH = Decimal("0.001")
# numeric(14, 2) holds 12 digits before the point.
GREATEST = Decimal(10) ** 12

PAID, FULFILLED, DELIVERED = "Order Paid", "Order Fulfilled", "Order Delivered"
STATUS_OF_EVENT: Mapping[str, str | None] = {
    "Order Placed": Order.Status.PLACED,
    "Order Completed": Order.Status.COMPLETED,
    "Order Updated": Order.Status.COMPLETED,
    "Order Refunded": Order.Status.REFUNDED,
    "Order Cancelled": Order.Status.CANCELLED,
    PAID: None,
    FULFILLED: None,
    DELIVERED: None,
}
# These say that the order came to be: one touchpoint an order, however many lines or senders tell of it.
BIRTH_EVENTS = frozenset({"Order Placed", "Order Completed"})
# The version of an order of which only payment or parcels are known: older than any that states something.
UNSTATED = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)
# At equal times the state that comes later in an order's life wins.
_RANK = {status: rank for rank, status in enumerate(("placed", "completed", "refunded", "cancelled"))}


class OrderProblem(Exception):
    """An order event that cannot be used: `detail` names the property and what was expected, never a value."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(frozen=True, slots=True)
class StatedLine:
    line_key: str
    sku: str
    name: str
    category: str
    color: str
    quantity: Decimal
    unit_price: Decimal | None
    list_price: Decimal | None
    discount: Decimal
    coupon: str
    coupon_discount: Decimal


@dataclass(frozen=True, slots=True)
class Progress:
    """What a message says of payment and parcels, each with its own clock; None or "" is not said."""

    paid_at: datetime | None = None
    payment_method: str = ""
    shipped_at: datetime | None = None
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    delivered_at: datetime | None = None
    url: str = ""

    def with_(self, later: "Progress") -> "Progress":
        """Both said of one order: the first payment and delivery count, and the newest parcel."""
        paid = min((self, later), key=lambda one: one.paid_at or NEVER)
        shipped = max((self, later), key=lambda one: one.shipped_at or UNSTATED)
        return Progress(
            paid_at=paid.paid_at,
            payment_method=paid.payment_method,
            shipped_at=shipped.shipped_at,
            carrier=shipped.carrier,
            tracking_number=shipped.tracking_number,
            tracking_url=shipped.tracking_url,
            delivered_at=min((one.delivered_at for one in (self, later) if one.delivered_at), default=None),
            url=later.url or self.url,
        )


@dataclass(frozen=True, slots=True)
class StatedOrder:
    """What one message says about one order. `total` None: not stated, the lines are summed up. `status` None: the
    message leaves the state of the order alone."""

    source_id: int
    external_id: str
    event: str
    status: str | None
    occurred_at: datetime
    currency: str
    total: Decimal | None
    discount: Decimal
    coupon: str
    lines: tuple[StatedLine, ...] = field(default=())
    refund: Decimal | None = None
    progress: Progress = Progress()

    @property
    def version(self) -> tuple[datetime, int]:
        """Of two messages about an order the one with the greater version says what holds."""
        return (UNSTATED, 0) if self.status is None else (self.occurred_at, _RANK[self.status])


def touchpoint_name(order: StatedOrder) -> str:
    """The messageId that all tellings of an order's birth share."""
    return f"order\0{order.external_id}\0{order.event}"


def read(*, source_id: int, event: str, occurred_at: datetime, properties: Mapping[str, Any]) -> StatedOrder | None:
    """The order in an event; None when the event is not about an order that has an id. Raises OrderProblem."""
    order_id = properties.get("order_id")
    if event not in STATUS_OF_EVENT or order_id in (None, ""):
        return None
    status = STATUS_OF_EVENT[event]
    if not isinstance(order_id, str | int) or isinstance(order_id, bool) or len(str(order_id)) > 200:
        raise OrderProblem("properties.order_id: expected a text of at most 200 characters")
    products = properties.get("products") or []
    if not isinstance(products, list) or not all(isinstance(product, dict) for product in products):
        raise OrderProblem("properties.products: expected a list of objects")
    currency = properties.get("currency") or settings.COMPANY_CURRENCY
    if not isinstance(currency, str) or len(currency) != 3 or not currency.isalpha():
        raise OrderProblem("properties.currency: expected a code of three letters")
    total = _money(properties, "total", "properties")
    is_refund = status == Order.Status.REFUNDED
    return StatedOrder(
        source_id=source_id,
        external_id=str(order_id),
        event=event,
        status=status,
        occurred_at=occurred_at,
        currency=currency.upper(),
        total=None if is_refund else total,
        discount=_money(properties, "discount", "properties") or Decimal(0),
        coupon=_text(properties.get("coupon"), 80),
        # The products of a refund are what came back, not what was ordered.
        lines=() if is_refund else _lines(products),
        refund=total if is_refund else None,
        progress=_progress(event, occurred_at, properties),
    )


def _progress(event: str, occurred_at: datetime, properties: Mapping[str, Any]) -> Progress:
    is_paid = event == PAID or properties.get("payment_status") == "paid"
    is_shipped = event == FULFILLED
    return Progress(
        paid_at=occurred_at if is_paid else None,
        payment_method=_text(properties.get("payment_method"), 60) if is_paid else "",
        shipped_at=occurred_at if is_shipped else None,
        carrier=_text(properties.get("carrier"), 60) if is_shipped else "",
        tracking_number=_text(properties.get("tracking_number"), 120) if is_shipped else "",
        tracking_url=web_address(properties.get("tracking_url")) if is_shipped else "",
        delivered_at=occurred_at if event == DELIVERED else None,
        url=web_address(properties.get("order_url")),
    )


def web_address(value: Any) -> str:
    """An address that a page may link to; "" for anything else, so that no `javascript:` ever becomes a link."""
    text = _text(value, 501).strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in ("http", "https") and parts.netloc and len(text) <= 500 else ""


def _lines(products: Sequence[Mapping[str, Any]]) -> tuple[StatedLine, ...]:
    lines: dict[str, StatedLine] = {}
    for position, product in enumerate(products):
        place = f"properties.products[{position}]"
        quantity = _number(product, "quantity", place, THOUSANDTH)
        quantity = Decimal(1) if quantity is None else quantity
        price = _money(product, "price", place)
        paid = _money(product, "total", place)
        if price is None and paid is not None and quantity:
            price = (paid / quantity).quantize(CENT)
        if price is not None and abs(quantity * price) >= GREATEST / 1000:
            raise OrderProblem(f"{place}: quantity × price is too large")
        sku = _text(product.get("sku") or product.get("product_id"), 120)
        key = _text(product.get("line_id"), 120) or sku or _content_key(product)
        while key in lines:
            key = f"{key[:110]}#{position}"
        lines[key] = StatedLine(
            line_key=key,
            sku=sku,
            name=_text(product.get("name"), 200),
            category=_text(product.get("category"), 120),
            color=_text(product.get("color") or product.get("variant"), 60),
            quantity=quantity,
            unit_price=price,
            list_price=_money(product, "list_price", place),
            discount=_money(product, "discount", place) or Decimal(0),
            coupon=_text(product.get("coupon"), 80),
            coupon_discount=_money(product, "coupon_discount", place) or Decimal(0),
        )
    return tuple(lines.values())


def _content_key(product: Mapping[str, Any]) -> str:
    return hashlib.sha256(msgspec.json.encode(dict(product), order="sorted")).hexdigest()[:32]


def _text(value: Any, longest: int) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)[:longest]


def _money(holder: Mapping[str, Any], name: str, place: str) -> Decimal | None:
    return _number(holder, name, place, CENT)


def _number(holder: Mapping[str, Any], name: str, place: str, step: Decimal) -> Decimal | None:
    value = holder.get(name)
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value).replace(",", "")) if isinstance(value, str | int | float) else None
    except InvalidOperation:
        number = None
    if number is None or isinstance(value, bool) or not number.is_finite() or abs(number) >= GREATEST / 1000:
        raise OrderProblem(f"{place}.{name}: expected a number")
    return number.quantize(step)


@dataclass(slots=True)
class OrderWrite:
    """An order with its owner, ready to be written."""

    order: StatedOrder
    message: UUID
    record_id: int
    profile_id: int
    operation_id: UUID | None


# Every clock compares with the stored version, so that any order of arrival ends in the same rows.
_UPSERT_ORDERS = (
    """
INSERT INTO profiles_order AS o (source_id, external_id, record_id, profile_id, status, placed_at, version_at, currency,
                                 total, total_is_stated, discount, coupon, refunded, operation_id, paid_at,
                                 payment_method, shipped_at, carrier, tracking_number, tracking_url, delivered_at, url,
                                 is_born)
SELECT source_id, external_id, record_id, profile_id, status, placed_at, version_at, currency,
       coalesce(total, 0), total IS NOT NULL, discount, coupon, 0, operation_id, paid_at,
       payment_method, shipped_at, carrier, tracking_number, tracking_url, delivered_at, url, is_born
  FROM json_to_recordset(%s::json) AS t(
       source_id bigint, external_id text, record_id bigint, profile_id bigint, status text, placed_at timestamptz,
       version_at timestamptz, currency text, total numeric, discount numeric, coupon text, operation_id uuid,
       paid_at timestamptz, payment_method text, shipped_at timestamptz, carrier text, tracking_number text,
       tracking_url text, delivered_at timestamptz, url text, is_born boolean)
 ORDER BY source_id, external_id
    ON CONFLICT (source_id, external_id) DO UPDATE SET
       placed_at = LEAST(o.placed_at, EXCLUDED.placed_at),
       version_at = GREATEST(o.version_at, EXCLUDED.version_at),
       status = CASE WHEN {newer} THEN EXCLUDED.status ELSE o.status END,
       record_id = CASE WHEN {newer} AND o.record_id IS NOT NULL THEN EXCLUDED.record_id ELSE o.record_id END,
       profile_id = CASE WHEN {newer} AND o.record_id IS NOT NULL THEN EXCLUDED.profile_id ELSE o.profile_id END,
       currency = CASE WHEN EXCLUDED.total_is_stated AND ({newer} OR NOT o.total_is_stated)
                         OR NOT o.total_is_stated AND {newer} THEN EXCLUDED.currency ELSE o.currency END,
       total = CASE WHEN EXCLUDED.total_is_stated AND ({newer} OR NOT o.total_is_stated)
                    THEN EXCLUDED.total ELSE o.total END,
       total_is_stated = o.total_is_stated OR EXCLUDED.total_is_stated,
       discount = CASE WHEN {newer} AND EXCLUDED.discount <> 0 THEN EXCLUDED.discount ELSE o.discount END,
       coupon = CASE WHEN {newer} AND EXCLUDED.coupon <> '' THEN EXCLUDED.coupon ELSE o.coupon END,
       payment_method = CASE WHEN {pays_first} THEN EXCLUDED.payment_method ELSE o.payment_method END,
       paid_at = LEAST(o.paid_at, EXCLUDED.paid_at),
       carrier = CASE WHEN {ships_last} THEN EXCLUDED.carrier ELSE o.carrier END,
       tracking_number = CASE WHEN {ships_last} THEN EXCLUDED.tracking_number ELSE o.tracking_number END,
       tracking_url = CASE WHEN {ships_last} THEN EXCLUDED.tracking_url ELSE o.tracking_url END,
       shipped_at = GREATEST(o.shipped_at, EXCLUDED.shipped_at),
       delivered_at = LEAST(o.delivered_at, EXCLUDED.delivered_at),
       url = CASE WHEN EXCLUDED.url <> '' AND ({newer} OR o.url = '') THEN EXCLUDED.url ELSE o.url END,
       is_born = o.is_born OR EXCLUDED.is_born
RETURNING id, source_id, external_id
""".replace(  # texts of this module  # nosec B608
        "{newer}",
        "((EXCLUDED.version_at,"
        " array_position(ARRAY['placed','completed','refunded','cancelled'], EXCLUDED.status::text))"
        " >= (o.version_at, array_position(ARRAY['placed','completed','refunded','cancelled'], o.status::text)))",
    )
    .replace("{pays_first}", "(EXCLUDED.paid_at <= coalesce(o.paid_at, EXCLUDED.paid_at))")
    .replace("{ships_last}", "(EXCLUDED.shipped_at >= coalesce(o.shipped_at, EXCLUDED.shipped_at))")
)
_UPSERT_LINES = """
INSERT INTO profiles_orderline AS l (order_id, line_key, sku, name, category, color, quantity, unit_price, list_price,
                                     discount, coupon, coupon_discount, version_at)
SELECT order_id, line_key, sku, name, category, color, quantity, unit_price, list_price,
       discount, coupon, coupon_discount, version_at
  FROM json_to_recordset(%s::json) AS t(
       order_id bigint, line_key text, sku text, name text, category text, color text, quantity numeric,
       unit_price numeric, list_price numeric, discount numeric, coupon text, coupon_discount numeric,
       version_at timestamptz)
 ORDER BY order_id, line_key
    ON CONFLICT (order_id, line_key) DO UPDATE SET
       sku = EXCLUDED.sku, name = EXCLUDED.name, category = EXCLUDED.category, color = EXCLUDED.color,
       quantity = EXCLUDED.quantity, unit_price = EXCLUDED.unit_price, list_price = EXCLUDED.list_price,
       discount = EXCLUDED.discount, coupon = EXCLUDED.coupon, coupon_discount = EXCLUDED.coupon_discount,
       version_at = EXCLUDED.version_at
 WHERE EXCLUDED.version_at >= l.version_at
"""
_INSERT_REFUNDS = """
INSERT INTO profiles_refund (id, order_id, at, amount, currency)
SELECT id, order_id, at, amount, currency
  FROM json_to_recordset(%s::json) AS t(id uuid, order_id bigint, at timestamptz, amount numeric, currency text)
 ORDER BY id
    ON CONFLICT (id) DO NOTHING
"""
# Totals that no source states are the sum of the lines; refunded is the sum of the refunds in the order's currency.
_SUM_UP = """
UPDATE profiles_order AS o
   SET total = CASE WHEN o.total_is_stated THEN o.total ELSE coalesce(
           (SELECT sum(round(l.quantity * l.unit_price, 2)) FROM profiles_orderline l WHERE l.order_id = o.id), 0) END,
       refunded = coalesce((SELECT sum(r.amount) FROM profiles_refund r
                             WHERE r.order_id = o.id AND r.currency = o.currency), 0)
  FROM (SELECT id FROM unnest(%s::bigint[]) AS t(id) ORDER BY id) AS touched
 WHERE o.id = touched.id
"""


_OWNERS_BEFORE = """
SELECT o.profile_id FROM unnest(%s::bigint[], %s::text[]) AS t(source_id, external_id)
  JOIN profiles_order o USING (source_id, external_id)
 WHERE o.profile_id IS NOT NULL
"""


def upsert(writes: Sequence[OrderWrite]) -> dict[tuple[int, str], int]:
    """Write orders, lines and refunds; returns (source id, external id) → order id. Five statements at most.

    Whose orders they are, and were, is told (`signals.people_touched`).
    """
    if not writes:
        return {}
    newest: dict[tuple[int, str], OrderWrite] = {}
    earliest: dict[tuple[int, str], datetime] = {}
    lines: dict[tuple[tuple[int, str], str], tuple[datetime, StatedLine]] = {}
    totals: dict[tuple[int, str], tuple[Decimal, str]] = {}
    progress: dict[tuple[int, str], Progress] = {}
    born = {(one.order.source_id, one.order.external_id) for one in writes if one.order.event in BIRTH_EVENTS}
    for write in sorted(writes, key=lambda write: write.order.version):
        order = write.order
        key = (order.source_id, order.external_id)
        newest[key] = write
        earliest[key] = min(earliest.get(key, order.occurred_at), order.occurred_at)
        progress[key] = progress.get(key, Progress()).with_(order.progress)
        if order.total is not None:
            totals[key] = (order.total, order.currency)
        for line in order.lines:
            lines[key, line.line_key] = (order.occurred_at, line)
    rows = [
        _order_row(key, newest[key], earliest[key], totals.get(key), progress[key]) | {"is_born": key in born}
        for key in sorted(newest)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS_BEFORE, [[key[0] for key in newest], [key[1] for key in newest]])
        owners = {profile_id for (profile_id,) in cursor.fetchall()} | {write.profile_id for write in writes}
        cursor.execute(_UPSERT_ORDERS, [_json(rows)])
        ids = {(source_id, external_id): order_id for order_id, source_id, external_id in cursor.fetchall()}
        if lines:
            cursor.execute(
                _UPSERT_LINES, [_json([_line_row(ids[key], at, line) for (key, _), (at, line) in lines.items()])]
            )
        refunds = [_refund_row(ids, write) for write in writes if write.order.refund is not None]
        if refunds:
            cursor.execute(_INSERT_REFUNDS, [_json(refunds)])
        cursor.execute(_SUM_UP, [sorted(set(ids.values()))])
    signals.tell_touched(Touch(Aspect.ORDERS, owners))
    return ids


def _order_row(
    key: tuple[int, str],
    write: OrderWrite,
    placed_at: datetime,
    total: tuple[Decimal, str] | None,
    progress: Progress,
) -> dict[str, Any]:
    order = write.order
    return {
        "source_id": key[0],
        "external_id": key[1],
        "record_id": write.record_id,
        "profile_id": write.profile_id,
        "status": order.status or Order.Status.PLACED,
        "placed_at": placed_at,
        "version_at": order.version[0],
        # A refund may be in another currency than the order: the total names the order's.
        "currency": total[1] if total else order.currency,
        "total": total[0] if total else None,
        "discount": order.discount,
        "coupon": order.coupon,
        "operation_id": write.operation_id,
    } | {name: getattr(progress, name) for name in Progress.__slots__}


def _line_row(order_id: int, at: datetime, line: StatedLine) -> dict[str, Any]:
    return {name: getattr(line, name) for name in StatedLine.__slots__} | {"order_id": order_id, "version_at": at}


def _refund_row(ids: Mapping[tuple[int, str], int], write: OrderWrite) -> dict[str, Any]:
    order = write.order
    return {
        "id": write.message,
        "order_id": ids[order.source_id, order.external_id],
        "at": order.occurred_at,
        "amount": order.refund,
        "currency": order.currency,
    }


def _json(rows: Sequence[Mapping[str, Any]]) -> str:
    return _ENCODER.encode(rows).decode()
