"""People who live at the edges of what the definitions of `definitions` can ask. Each comes from a seed."""

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from decimal import Decimal
from random import Random
from typing import Any

from profiles import survivorship
from segments.definition import nodes
from segments.definition.fields import FieldType
from tests.generative.segments import definitions
from tests.generative.segments.populations import (
    Eyes,
    RawConsent,
    RawIdentifier,
    RawLine,
    RawOrder,
    RawPerson,
    RawProduct,
    RawRecord,
    RawSource,
    RawTouchpoint,
)

BANGKOK = zoneinfo.ZoneInfo("Asia/Bangkok")
NOW = dt.datetime(2026, 11, 22, 3, 30, tzinfo=dt.UTC)  # 10:30 in Bangkok
SOURCES = (RawSource("till", 10), RawSource("site", 20), RawSource("calls", 20))
SLUGS = [source.slug for source in SOURCES]

SKUS = ("red", "5", "A-1")
PRODUCTS = (
    RawProduct("till", "red", "red shoes", "red", {"brand": "red", "sizes": ["red", 5], "tags": ["red", "แดง"]}),
    RawProduct("site", "red", "", "แดง", {"brand": "แดง", "color": "RED", "price": 5, "tags": []}),
    RawProduct("site", "5", "5", "", {"color": "red", "brand": "", "seen_on": "2026-11-22", "tags": "red"}),
    RawProduct("calls", "5", "", "", {"color": ["red", 5], "seen_on": None}),
)
"""Products by the namespaces of their sources; what they say of prices is not what was paid."""

BOUNDS = [
    start
    for window in (
        *(nodes.Rolling(n, unit) for n in (1, 7, 24, 90) for unit in nodes.Unit),
        *(nodes.CalendarDays(n) for n in (1, 2, 7, 30)),
    )
    if (start := window.span(NOW, BANGKOK).start)
]
"""Where the windows that a definition can draw begin."""
ODD_SCALARS: list[Any] = [
    *("", "False", "5.0", "-3", "099.5", "1e3", "١", "2026-02-30", "[x]y", None),
    *(0, 5, -3, 99.5, 0.1, 1e16, 1e-7, -0.0, 123456789012.5),
    *("2026-11-21T17:00:00Z", "2026-11-21T16:59:59.999999Z", "2026-11-22T10:00", "2026-11-22T24:00:00Z"),
]
ODD_VALUES: list[Any] = [{"red": "red"}, {}, [], [None, ""], [["red"], {"red": 5}]]
LISTS = frozenset({"interests", "tags"})


def moment(draw: Random) -> dt.datetime:
    """Now or a window's beginning, the least step before or after it, or some hours later (also later than now)."""
    step = draw.choice([-nodes.TICK, dt.timedelta(0), nodes.TICK, dt.timedelta(hours=5)])
    return draw.choice([*BOUNDS, NOW, NOW]) + step


def scalar(draw: Random, kind: FieldType) -> Any:
    """A value of the definitions' vocabulary as a source would deliver it."""
    value = draw.choice(definitions.COMMON[kind] if draw.random() < 0.8 else definitions.ODD[kind])
    match value:
        case Decimal():
            return draw.choice([float(value), str(value)])
        case dt.date():
            return value.isoformat()
        case _:
            return value


def value(draw: Random, name: str, kind: FieldType) -> Any:
    chance = draw.random()
    if chance < 0.1:
        # The first of several values is never a list itself.
        return draw.choice(ODD_VALUES[:-1] if name in survivorship.SINGULAR else ODD_VALUES)
    if chance < 0.2:
        return draw.choice(ODD_SCALARS)
    if chance < 0.3 or name in LISTS:
        return [scalar(draw, kind) for _n in range(draw.randint(0, 2))]
    return scalar(draw, kind)


def some(draw: Random, names: Mapping[str, FieldType]) -> dict[str, Any]:
    """Some of the names with values, mostly of their type."""
    return {name: value(draw, name, kind) for name, kind in names.items() if draw.random() < 0.6}


PARTS = dict.fromkeys(("last_name", "district", "address"), FieldType.TEXT)
"""Traits that nobody asks for, but that survive together with such as are asked for."""


def record(draw: Random) -> RawRecord:
    traits = list(definitions.TRAITS)
    ages = [dt.timedelta(days=days) for days in (0, 1, 2)]
    return RawRecord(
        source=draw.choice(SLUGS),
        last_seen_at=NOW - draw.choice(ages),
        attributes=some(draw, definitions.TRAITS) | some(draw, PARTS),
        times={trait: NOW - draw.choice(ages) for trait in traits if draw.random() < 0.3},
        pins=frozenset(trait for trait in traits if draw.random() < 0.1),
        consents=tuple(consent(draw) for _n in range(draw.choice([0, 1, 2, 3]))),
        identifiers=tuple({(one.kind, one.value): one for one in identifiers(draw)}.values()),
        lists=frozenset(draw.sample(definitions.LISTS, draw.choice([0, 0, 1, 2]))),
    )


def identifiers(draw: Random) -> list[RawIdentifier]:
    """Mostly good ones: the others are one fault away from them."""
    return [
        RawIdentifier(
            *draw.choice([("email", "a@example.com"), ("email", "b@example.com"), ("phone", "+66812345678")]),
            problem=draw.choice(["", "", "", "switchboard", "junk", "public_key"]),
            is_current=draw.random() < 0.9,
            is_ended=draw.random() < 0.1,
        )
        for _n in range(draw.choice([0, 1, 2]))
    ]


def consent(draw: Random) -> RawConsent:
    return RawConsent(
        purpose=draw.choice(definitions.PURPOSES),
        channel=draw.choice(definitions.CHANNELS),
        state=draw.choice(["granted", "granted", "refused", "withdrawn"]),
        occurred_at=NOW - dt.timedelta(hours=draw.randrange(4)),
        address=draw.choice(["", "", "a@example.com"]),
        origin=draw.choice(["event", "cell", "browser"]),
    )


def touchpoint(draw: Random) -> RawTouchpoint:
    properties = some(draw, definitions.PROPERTIES) | product(draw)
    return RawTouchpoint(draw.choice(SLUGS), draw.choice(definitions.EVENTS), moment(draw), properties)


def product(draw: Random) -> dict[str, Any]:
    """The numbers of a product as touchpoints have them; mostly none, and some that are none."""
    odd: list[Any] = [5, 5.0, 5.5, "", None, True, ["red"]]
    numbers = {name: draw.choice([*SKUS, *SKUS, *odd]) for name in ("sku", "product_id") if draw.random() < 0.4}
    return numbers if draw.random() < 0.7 else {}


def order(draw: Random) -> RawOrder:
    return RawOrder(
        source=draw.choice(SLUGS),
        total=draw.choice([Decimal(amount) for amount in ("0", "1", "4", "5", "99.50")]),
        placed_at=moment(draw),
        currency=draw.choice(definitions.CURRENCIES),
        refunded=draw.choice([Decimal(0), Decimal(0), Decimal(1)]),
        is_cancelled=draw.random() < 0.2,
        lines=tuple(line(draw) for _n in range(draw.randrange(3))),
        discount=draw.choice([Decimal(0), Decimal(0), Decimal(5)]),
    )


def line(draw: Random) -> RawLine:
    words = ["", "", "red", "RED", "แดง", "red shoes"]
    prices = [None, *(Decimal(price) for price in ("0.00", "1.00", "5.00", "99.50"))]
    return RawLine(
        sku=draw.choice(["", *SKUS]),
        name=draw.choice(words),
        category=draw.choice(words),
        color=draw.choice(words),
        quantity=draw.choice([Decimal(n) for n in ("1.000", "2.000", "0.500")]),
        unit_price=draw.choice(prices),
        list_price=draw.choice(prices),
        discount=draw.choice([Decimal(0), Decimal(0), Decimal(5)]),
        coupon_discount=draw.choice([Decimal(0), Decimal(0), Decimal(5)]),
    )


def person(draw: Random) -> RawPerson:
    return RawPerson(
        records=tuple(record(draw) for _n in range(draw.choice([1, 1, 2, 3]))),
        touchpoints=tuple(touchpoint(draw) for _n in range(draw.randrange(7))),
        orders=tuple(order(draw) for _n in range(draw.randrange(4))),
        kind="identified" if draw.random() < 0.95 else "anonymous",
        state="live" if draw.random() < 0.95 else "erasing",
        asks_erasure=draw.random() < 0.1,
    )


def eyes(draw: Random) -> Eyes:
    """Half of the viewers see everything."""
    if draw.random() < 0.5:
        return Eyes()
    return Eyes(
        sources=draw.choice([None, frozenset(draw.sample(SLUGS, draw.randrange(4)))]),
        hidden_traits=frozenset(draw.sample(["city", "last_name", "age", "email", "address"], draw.randrange(2))),
        hidden_events=frozenset(draw.sample(definitions.EVENTS, draw.choice([0, 0, 1]))),
    )
