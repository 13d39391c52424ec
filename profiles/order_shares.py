"""What each import has said about an order, so that one can be taken back without what the others said.

As `profiles.shares` does for records: an order that one operation alone has told of needs nothing. When a second one
speaks of it, its rows as they were are kept as the share of the first, and from then on what each said. A revert
lays the rows back, or begins anew, and lets the others say it again.

Here, too, it is told whether a row of a file says anything new of an order: one that repeats what the order and its
line hold is a duplicate.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from profiles import orders
from profiles.orders import OrderWrite, StatedLine, StatedOrder

OrderKey = tuple[int, str]  # source id, external id
Rows = dict[str, Any]

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


class Said(msgspec.Struct):
    """One message about an order. `at` is the moment of its arrival, by which messages are said again in order."""

    at: datetime
    message: UUID
    record_id: int
    order: StatedOrder


class Share(msgspec.Struct):
    """What one operation says about an order."""

    before: Rows | None = None
    statements: list[Said] = []


Shares = dict[UUID | None, Share]
_statements = msgspec.json.Decoder(list[Said])


@dataclass(slots=True)
class _Order:
    """An order as it is before the step."""

    id: int
    operation_id: UUID | None
    has_shares: bool
    rows: Rows


@dataclass(slots=True)
class Step:
    """The order messages of one digest step. `repeated`: those of them, by files, that say nothing new."""

    writes: Sequence[OrderWrite]
    arrived: Mapping[UUID, datetime]
    orders: Mapping[OrderKey, _Order]
    repeated: frozenset[UUID]

    @property
    def news(self) -> list[OrderWrite]:
        return [write for write in self.writes if write.message not in self.repeated]

    def keep(self, written: Mapping[OrderKey, int]) -> dict[OrderKey, int]:
        """Write the shares of orders of which more than one operation has told; returns the ids of all orders. Two
        statements, none in most steps."""
        ids = {key: order.id for key, order in self.orders.items()} | dict(written)
        told: dict[OrderKey, list[OrderWrite]] = {}
        for write in self.writes:
            told.setdefault(key_of(write.order), []).append(write)
        mixed = {key: said for key, said in told.items() if self._is_mixed(key, said)}
        shares = of_orders([ids[key] for key in mixed]) if mixed else {}
        for key, said in mixed.items():
            held = shares.setdefault(ids[key], {})
            if not held and key in self.orders:
                held[self.orders[key].operation_id] = Share(before=self.orders[key].rows)
            for write in said:
                share = held.setdefault(write.operation_id, Share())
                at = self.arrived[write.message]
                share.statements = [*share.statements, Said(at, write.message, write.record_id, write.order)]
        store(shares)
        return ids

    def _is_mixed(self, key: OrderKey, said: Sequence[OrderWrite]) -> bool:
        speaking = {write.operation_id for write in said}
        known = self.orders.get(key)
        return len(speaking) > 1 or (known is not None and (known.has_shares or speaking != {known.operation_id}))


def key_of(order: StatedOrder) -> OrderKey:
    return (order.source_id, order.external_id)


def look(writes: Sequence[OrderWrite], arrived: Mapping[UUID, datetime]) -> Step:
    """How these messages stand to the orders that are there, before any of them is written. One query, none without
    orders. `arrived`: message → when it was received."""
    imports: dict[OrderKey, bool] = {}
    for write in writes:
        key = key_of(write.order)
        imports[key] = imports.get(key, False) or write.operation_id is not None
    known = _read(imports)
    told = _Told({key: order.rows for key, order in known.items()})
    repeated = frozenset(write.message for write in writes if told.again(write) and write.operation_id is not None)
    return Step(writes, arrived, known, repeated)


class _Told:
    """What is known of orders while the messages of a step are gone through."""

    def __init__(self, rows: Mapping[OrderKey, Rows]) -> None:
        self.orders: dict[OrderKey, Rows] = {key: dict(held["order"]) for key, held in rows.items()}
        self.lines: dict[tuple[OrderKey, str], Rows] = {
            (key, line["line_key"]): line for key, held in rows.items() for line in held["lines"]
        }

    def again(self, write: OrderWrite) -> bool:
        """Whether the message repeats what is known; it is known from now on."""
        order, key = write.order, key_of(write.order)
        known = self.orders.get(key)
        stated: Rows = {"currency": order.currency, "record_id": write.record_id}
        stated |= {"total": order.total} if order.total is not None else {}
        stated |= {"discount": order.discount} if order.discount else {}
        stated |= {"coupon": order.coupon} if order.coupon else {}
        lines = {(key, line.line_key): _columns(line) for line in order.lines}
        is_known = (
            order.event in orders.BIRTH_EVENTS
            and known is not None
            and known.get("is_born", True)
            and _agrees(known, stated)
            and all(place in self.lines and _agrees(self.lines[place], line) for place, line in lines.items())
        )
        held = self.orders.setdefault(key, {})
        held |= stated | ({"is_born": True} if order.event in orders.BIRTH_EVENTS else {})
        self.lines |= lines
        return is_known


def _columns(line: StatedLine) -> Rows:
    return {name: getattr(line, name) for name in StatedLine.__slots__}


def _agrees(known: Rows, stated: Rows) -> bool:
    return all(name in known and known[name] == value for name, value in stated.items())


# --- the tables ---------------------------------------------------------------------------------------------------

_ROWS = """
json_build_object('order', to_json(o),
    'lines', (SELECT coalesce(json_agg(l ORDER BY l.id), '[]') FROM profiles_orderline l WHERE l.order_id = o.id),
    'refunds', (SELECT coalesce(json_agg(r ORDER BY r.id), '[]') FROM profiles_refund r WHERE r.order_id = o.id))::text
"""
_READ = f"""
SELECT o.source_id, o.external_id, o.id, o.operation_id,
       EXISTS (SELECT FROM profiles_ordershare s WHERE s.order_id = o.id), {_ROWS}
  FROM unnest(%s::bigint[], %s::text[], %s::boolean[]) AS wanted(source_id, external_id, is_import)
  JOIN profiles_order o USING (source_id, external_id)
 WHERE o.record_id IS NOT NULL AND (wanted.is_import OR o.operation_id IS NOT NULL
       OR EXISTS (SELECT FROM profiles_ordershare s WHERE s.order_id = o.id))
"""  # noqa: S608  # nosec B608
_SHARES = """
SELECT order_id, operation_id, before::text, statements::text
  FROM profiles_ordershare WHERE order_id = ANY(%s) ORDER BY id
"""
_STORE = """
INSERT INTO profiles_ordershare (order_id, operation_id, before, statements)
SELECT order_id, operation_id, before, statements
  FROM ROWS FROM (json_to_recordset(%s::json) AS (
       order_id bigint, operation_id uuid, before jsonb, statements jsonb)) WITH ORDINALITY
       AS t(order_id, operation_id, before, statements, n)
 ORDER BY n
    ON CONFLICT (order_id, operation_id) DO UPDATE SET statements = EXCLUDED.statements
"""
_RESTORE = (
    "INSERT INTO profiles_order SELECT * FROM json_populate_recordset(NULL::profiles_order, %s::json)",
    "INSERT INTO profiles_orderline SELECT * FROM json_populate_recordset(NULL::profiles_orderline, %s::json)",
    "INSERT INTO profiles_refund SELECT * FROM json_populate_recordset(NULL::profiles_refund, %s::json)",
)


def _read(imports: Mapping[OrderKey, bool]) -> dict[OrderKey, _Order]:
    """Orders (key → whether a file speaks of it now) of which a file has told, or does now, as they are."""
    if not imports:
        return {}
    columns = [list(column) for column in zip(*((*key, told) for key, told in imports.items()), strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(_READ, columns)
        return {
            (source_id, external_id): _Order(order_id, operation_id, has_shares, _decoder.decode(rows))
            for source_id, external_id, order_id, operation_id, has_shares, rows in cursor.fetchall()
        }


def of_orders(order_ids: Collection[int]) -> dict[int, Shares]:
    """The shares of these orders, of those that have any. One query."""
    found: dict[int, Shares] = {}
    with connection.cursor() as cursor:
        cursor.execute(_SHARES, [list(order_ids)])
        for order_id, operation_id, before, statements in cursor.fetchall():
            rows = None if before is None else _decoder.decode(before)
            found.setdefault(order_id, {})[operation_id] = Share(rows, _statements.decode(statements))
    return found


def store(shares: Mapping[int, Shares]) -> None:
    """Write the shares of these orders. One statement, none without shares."""
    rows = [
        {"order_id": order_id, "operation_id": operation_id, "before": share.before, "statements": share.statements}
        for order_id, held in sorted(shares.items())
        for operation_id, share in held.items()
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_STORE, [_encoder.encode(rows).decode()])


def lay_back(rows: Sequence[Rows]) -> None:
    """Write orders as they were, with their lines and refunds; none of them is there. Three statements."""
    with connection.cursor() as cursor:
        for statement, kind in zip(_RESTORE, ("order", "lines", "refunds"), strict=True):
            found = [one for held in rows for one in ([held[kind]] if kind == "order" else held[kind])]
            if found:
                cursor.execute(statement, [_encoder.encode(found).decode()])
