"""What computed traits come to: tables of what people did, with the value of each. Both engines have to agree."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from ingestion.models import Source
from profiles.channels import channel_of
from segments.definition.evaluate import Moment
from segments.traits import reference
from segments.traits.reader import parse
from segments.traits.statement import Ground
from tests.generative.segments.populations import (
    EVERYTHING,
    Eyes,
    RawLine,
    RawOrder,
    RawPerson,
    RawRecord,
    RawTouchpoint,
    project,
    store,
)
from tests.spec.segments.asking import BANGKOK, NOW, SOURCES, bangkok

pytestmark = pytest.mark.django_db

KINDS = {"till": Source.Kind.POS, "site": Source.Kind.SHOP, "calls": Source.Kind.CALL_CENTRE}
EVER: dict[str, Any] = {"kind": "ever"}


def viewed(at: str, source: str = "site", **properties: Any) -> RawTouchpoint:
    return RawTouchpoint(source, "Product Viewed", bangkok(at), properties)


def added(at: str, **properties: Any) -> RawTouchpoint:
    return RawTouchpoint("site", "Product Added", bangkok(at), properties)


def who(*touchpoints: RawTouchpoint, orders: tuple[RawOrder, ...] = ()) -> RawPerson:
    return RawPerson((RawRecord("site", NOW), RawRecord("till", NOW)), touchpoints, orders)


def of_views(
    calculation: str, name: str = "", *, window: Mapping[str, Any] = EVER, per_channel: bool = False, **said: Any
) -> dict[str, Any]:
    """The JSON of a trait computed from views of products."""
    pick = {"kind": "touchpoint", "event": "Product Viewed", "count": {"bound": "at_least", "n": 1}, "window": window}
    return {
        "version": 2,
        "calculation": calculation,
        "property": name,
        "per_channel": per_channel,
        "where": {"kind": "any", "of": [pick | said]},
    }


def of_orders(calculation: str, *, window: Mapping[str, Any] = EVER, per_channel: bool = False) -> dict[str, Any]:
    pick = {"kind": "order_total", "measure": "sum", "operator": "at_least", "value": 0, "currency": "THB"}
    return {
        "version": 2,
        "calculation": calculation,
        "property": "",
        "per_channel": per_channel,
        "where": {"kind": "any", "of": [pick | {"window": window}]},
    }


def values(definition: dict[str, Any], crowd: Mapping[str, RawPerson], eyes: Eyes = EVERYTHING) -> dict[str, Any]:
    """Name → the value as definitions compare it. Fails when the engines differ."""
    formula, moment, people = parse(definition), Moment(NOW, BANGKOK), list(crowd.values())
    stored = store(people, SOURCES)
    kinds = {stored.source_ids[slug]: kind.value for slug, kind in KINDS.items()}
    with connection.cursor() as cursor:
        cursor.execute(Ground(formula, stored.viewer(eyes), moment, kinds).values())
        found = dict(cursor.fetchall())
    by_sql = [json.loads(found[one]) if one in found else None for one in stored.profile_ids]
    by_python = [
        reference.value(formula, person, moment, lambda event, source: channel_of(event, KINDS[source]).value)
        for person in _with_sources(people, eyes)
    ]
    assert by_sql == by_python
    return {
        name: value if formula.per_channel else reference.as_compared(value, formula, "", moment)
        for name, value in zip(crowd, by_sql, strict=True)
    }


def _with_sources(people: list[RawPerson], eyes: Eyes) -> list[Any]:
    found = []
    for person in project(people, SOURCES, eyes):
        raw = [one for one in people[person.id].orders if eyes.see(one.source)]
        found.append(
            replace(person, orders=tuple(replace(o, source=r.source) for o, r in zip(person.orders, raw, strict=True)))
        )
    return found


CROWD = {
    "thrice": who(
        viewed("2026-11-20 09:00", color="Red", price=100),
        viewed("2026-11-21 09:00", color="blue", price="250.50"),
        viewed("2026-11-22 09:00", "till", color="red", price=100),
    ),
    "once": who(viewed("2026-10-01 09:00", color=["green", "red"], price=None)),
    "never": who(added("2026-11-22 09:00", color="red", price=5)),
}


@pytest.mark.parametrize(
    ("calculation", "name", "expected"),
    [
        # Nothing counts 0, comes to 0 and has 0 values; everything else is unknown then.
        ("count", "", {"thrice": 3, "once": 1, "never": 0}),
        ("sum", "price", {"thrice": 450.5, "once": 0, "never": 0}),
        ("distinct", "color", {"thrice": 2, "once": 2, "never": 0}),  # Red is red
        ("average", "price", {"thrice": 150.1667, "once": None, "never": None}),
        ("smallest", "price", {"thrice": 100, "once": None, "never": None}),
        ("largest", "price", {"thrice": 250.5, "once": None, "never": None}),
        # As it was written last; of equally frequent ones the one seen last, all of them if that was at one instant.
        ("most_frequent", "color", {"thrice": "red", "once": ["green", "red"], "never": None}),
        ("first", "color", {"thrice": "Red", "once": ["green", "red"], "never": None}),
        ("last", "color", {"thrice": "red", "once": ["green", "red"], "never": None}),
        ("unique_list", "color", {"thrice": ["red", "blue"], "once": ["green", "red"], "never": None}),
        ("days_since", "", {"thrice": 0, "once": 52, "never": None}),
    ],
)
def test_what_is_calculated(calculation: str, name: str, expected: dict[str, Any]) -> None:
    assert values(of_views(calculation, name), CROWD) == expected


def test_moments_are_stored_in_utc_and_days_are_the_companys() -> None:
    # 00:30 in Bangkok is the day before in UTC.
    crowd = {"late": who(viewed("2026-11-21 23:59"), viewed("2026-11-22 00:30"))}

    assert values(of_views("first_time"), crowd) == {"late": "2026-11-21T16:59:00.000000Z"}
    assert values(of_views("last_time"), crowd) == {"late": "2026-11-21T17:30:00.000000Z"}
    assert values(of_views("days_since"), {"yesterday": who(viewed("2026-11-21 23:59"))}) == {"yesterday": 1}


@pytest.mark.parametrize(
    ("window", "n"),
    [
        ({"kind": "rolling", "n": 1, "unit": "days"}, 1),  # what happened exactly a day ago is out
        ({"kind": "calendar_days", "n": 2}, 2),
        ({"kind": "between", "first": "2026-11-20", "last": "2026-11-21"}, 2),
        (EVER, 3),  # nothing dated in the future counts
    ],
)
def test_windows_are_those_of_definitions(window: dict[str, Any], n: int) -> None:
    crowd = {
        "one": who(
            viewed("2026-11-20 09:00"),
            viewed("2026-11-21 10:30"),
            viewed("2026-11-22 10:30"),
            viewed("2026-11-22 11:00"),
        )
    }
    assert values(of_views("count", window=window), crowd) == {"one": n}


def test_filters_and_sources_pick() -> None:
    red = [{"property": "color", "operator": "is", "value": "RED"}]

    assert values(of_views("count", filters=red), CROWD) == {"thrice": 2, "once": 1, "never": 0}
    assert values(of_views("count", filters=red, sources=["till"]), CROWD) == {"thrice": 1, "once": 0, "never": 0}


def test_several_conditions_pick_together_each_touchpoint_once() -> None:
    both = of_views("count")
    [views] = both["where"]["of"]
    both["where"]["of"] += [views, views | {"event": "Product Added"}]

    assert values(both, CROWD) == {"thrice": 3, "once": 1, "never": 1}


def test_for_each_channel() -> None:
    assert values(of_views("count", per_channel=True), CROWD) == {
        "thrice": {"web": 2, "store": 1},
        "once": {"web": 1},
        "never": None,
    }


def test_who_sees_fewer_sources_has_other_values() -> None:
    eyes = Eyes(sources=frozenset({"till"}))

    assert values(of_views("count"), {"thrice": CROWD["thrice"]}, eyes) == {"thrice": 1}


ORDERS = {
    "three": who(
        orders=(
            RawOrder("site", Decimal(1000), bangkok("2026-11-01 12:00")),
            RawOrder("till", Decimal("500.25"), bangkok("2026-11-20 12:00"), refunded=Decimal(100)),
            RawOrder("site", Decimal(9), bangkok("2026-11-21 12:00"), "USD"),  # another money
            RawOrder("site", Decimal(70), bangkok("2026-11-21 12:00"), refunded=Decimal(70)),  # given back whole
            RawOrder("site", Decimal(80), bangkok("2026-11-21 12:00"), is_cancelled=True),
        )
    ),
    "none": who(),
}


@pytest.mark.parametrize(
    ("calculation", "expected"),
    [
        ("count", {"three": 2, "none": 0}),
        ("sum", {"three": 1400.25, "none": 0}),
        ("average", {"three": 700.125, "none": None}),
        ("smallest", {"three": 400.25, "none": None}),
        ("largest", {"three": 1000, "none": None}),
        ("first_time", {"three": "2026-11-01T05:00:00.000000Z", "none": None}),
        ("days_since", {"three": 2, "none": None}),
    ],
)
def test_standing_orders_in_one_currency_after_refunds(calculation: str, expected: dict[str, Any]) -> None:
    assert values(of_orders(calculation), ORDERS) == expected


def test_orders_for_each_channel() -> None:
    assert values(of_orders("sum", per_channel=True), ORDERS) == {"three": {"web": 1000, "store": 400.25}, "none": None}


def of_products(calculation: str, name: str, **said: Any) -> dict[str, Any]:
    pick = {"kind": "order_line", "measure": "lines", "operator": "at_least", "value": 0, "window": EVER}
    return {
        "version": 2,
        "calculation": calculation,
        "property": name,
        "per_channel": False,
        "where": {"kind": "any", "of": [pick | said]},
    }


BOUGHT = {
    "two": who(
        orders=(
            RawOrder(
                "site",
                Decimal(500),
                bangkok("2026-11-01 12:00"),
                lines=(
                    RawLine(sku="A", category="shoes", quantity=Decimal(2), unit_price=Decimal(100)),
                    RawLine(sku="B", category="bags", quantity=Decimal(1), unit_price=Decimal(300)),
                ),
            ),
            RawOrder(
                "site",
                Decimal(100),
                bangkok("2026-11-20 12:00"),
                lines=(RawLine(sku="A", category="shoes", quantity=Decimal(1), unit_price=Decimal(100)),),
            ),
        )
    ),
    "none": who(),
}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        (of_products("most_frequent", "category"), {"two": "shoes", "none": None}),
        (of_products("first", "category"), {"two": ["bags", "shoes"], "none": None}),  # of one order
        (of_products("sum", "quantity"), {"two": 4, "none": 0}),
        (of_products("unique_list", "sku"), {"two": ["A", "B"], "none": None}),
        (
            of_products("count", "", filters=[{"property": "category", "operator": "is", "value": "bags"}]),
            {"two": 1, "none": 0},
        ),
    ],
)
def test_products_are_the_lines_of_standing_orders(definition: dict[str, Any], expected: dict[str, Any]) -> None:
    assert values(definition, BOUGHT) == expected
