"""What an order counts for, and what is said of somebody who has none."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.generative.segments.populations import RawLine, RawOrder, RawPerson, RawRecord
from tests.spec.segments.asking import NOW, who

pytestmark = pytest.mark.django_db


def buying(*orders: RawOrder) -> RawPerson:
    return RawPerson((RawRecord("site", NOW),), orders=orders)


def order(total: str, **details: Any) -> RawOrder:
    return RawOrder("site", Decimal(total), **{"placed_at": NOW, **details})


LONG_AGO = NOW - dt.timedelta(days=100)
CROWD = {
    #                                                                         sum   number  average
    "nothing": buying(),  #                                                     0       0        –
    "one": buying(order("100")),  #                                           100       1      100
    "two": buying(order("100"), order("50")),  #                              150       2       75
    "cancelled": buying(order("100"), order("900", is_cancelled=True)),  #    100       1      100
    "part given back": buying(order("100", refunded=Decimal(40))),  #          60       1       60
    "all given back": buying(order("100", refunded=Decimal(100))),  #           0       0        –
    "for free": buying(order("0")),  #                                          0       1        0
    "in dollars": buying(order("100", currency="USD")),  #                      0       0        –
    "long ago": buying(order("100", placed_at=LONG_AGO)),  #                  100       1      100
}
NOBODYS = {"nothing", "all given back", "in dollars"}


@pytest.mark.parametrize(
    ("measure", "operator", "value", "expected"),
    [
        ("sum", "more_than", 100, {"two"}),
        ("sum", "at_least", 100, {"one", "two", "cancelled", "long ago"}),
        ("sum", "is", 60, {"part given back"}),
        ("sum", "less_than", 60, {*NOBODYS, "for free"}),  # nothing is 0, and 0 is less
        ("sum", "between", [0, 60], {*NOBODYS, "for free", "part given back"}),
        ("count", "at_least", 1, set(CROWD) - NOBODYS),
        ("count", "is", 2, {"two"}),
        ("count", "at_most", 0, NOBODYS),
        ("average", "at_least", 75, {"one", "two", "cancelled", "long ago"}),
        ("average", "less_than", 75, {"part given back", "for free"}),  # without an order there is no average
        ("average", "is", 75, {"two"}),
    ],
)
def test_measures(measure: str, operator: str, value: Any, expected: set[str]) -> None:
    condition = {
        "kind": "order_total",
        "measure": measure,
        "operator": operator,
        "value": value,
        "currency": "THB",
        "window": {"kind": "ever"},
    }

    assert who(CROWD, condition) == expected


def test_only_orders_of_the_window_count() -> None:
    condition = {
        "kind": "order_total",
        "measure": "count",
        "operator": "at_least",
        "value": 1,
        "currency": "THB",
        "window": {"kind": "rolling", "n": 90, "unit": "days"},
    }

    assert who(CROWD, condition) == set(CROWD) - NOBODYS - {"long ago"}


WINDOWS = [{"kind": "rolling", "n": 90, "unit": "days"}, {"kind": "calendar_days", "n": 90}]
AUGUST = {"kind": "between", "first": "2026-08-01", "last": "2026-08-31"}  # long ago


@pytest.mark.parametrize(
    ("measure", "operator", "value", "lately", "in_august"),
    [
        ("sum", "is", 0, {*NOBODYS, "for free", "long ago"}, set(CROWD) - {"long ago"}),
        ("sum", "at_most", 0, {*NOBODYS, "for free", "long ago"}, set(CROWD) - {"long ago"}),
        ("sum", "at_most", 60, {*NOBODYS, "for free", "long ago", "part given back"}, set(CROWD) - {"long ago"}),
        ("sum", "at_most", 100, set(CROWD) - {"two"}, set(CROWD)),
        ("sum", "less_than", 100, {*NOBODYS, "for free", "long ago", "part given back"}, set(CROWD) - {"long ago"}),
        ("count", "is", 0, {*NOBODYS, "long ago"}, set(CROWD) - {"long ago"}),
        ("count", "at_most", 0, {*NOBODYS, "long ago"}, set(CROWD) - {"long ago"}),
        ("count", "at_most", 1, set(CROWD) - {"two"}, set(CROWD)),
        ("average", "is", 0, {"for free"}, set()),  # no order in the window has no average
        ("average", "at_most", 100, {"one", "two", "cancelled", "part given back", "for free"}, {"long ago"}),
    ],
)
def test_nothing_in_the_window_is_nothing_however_much_before(
    measure: str, operator: str, value: int, lately: set[str], in_august: set[str]
) -> None:
    condition = {"kind": "order_total", "measure": measure, "operator": operator, "value": value, "currency": "THB"}

    for window in WINDOWS:
        assert who(CROWD, {**condition, "window": window}) == lately
    assert who(CROWD, {**condition, "window": AUGUST}) == in_august


def line(**details: Any) -> RawLine:
    return RawLine(sku="A1", **details)


OFF = Decimal(5)


def test_what_was_taken_off_the_whole_or_off_a_line_is_a_discount() -> None:
    crowd = {
        "nothing": buying(),
        "without lines": buying(order("100")),
        "nothing off": buying(order("100", lines=(line(), line()))),
        "below the list price": buying(order("100", lines=(line(unit_price=Decimal(100), list_price=Decimal(120)),))),
        "off the whole": buying(order("100", discount=OFF)),
        "off a line": buying(order("100", lines=(line(), line(discount=OFF)))),
        "off a line by a coupon": buying(order("100", lines=(line(coupon_discount=OFF),))),
        "one of two": buying(order("100", discount=OFF), order("100")),
        "cancelled at full price": buying(order("100", discount=OFF), order("100", is_cancelled=True)),
    }
    condition = {"kind": "order_total", "measure": "full_price", "currency": "THB", "window": {"kind": "ever"}}

    at_full_price = {"without lines", "nothing off", "below the list price", "one of two"}
    assert who(crowd, {**condition, "operator": "is", "value": 1}) == at_full_price
    assert who(crowd, {**condition, "operator": "at_most", "value": 0}) == set(crowd) - at_full_price


def test_an_average_is_compared_exactly() -> None:
    """100 over 3 orders is a third more than 33: no rounding decides."""
    thirds = buying(order("33.33"), order("33.33"), order("33.34"))
    condition = {
        "kind": "order_total",
        "measure": "average",
        "operator": "more_than",
        "value": 33.3333333333333,
        "currency": "THB",
        "window": {"kind": "ever"},
    }

    assert who({"thirds": thirds}, condition) == {"thirds"}
