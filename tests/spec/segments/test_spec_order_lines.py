"""What was bought, line by line, and what the catalogue knows of it."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.generative.segments.populations import Eyes, RawLine, RawOrder, RawPerson, RawProduct, RawRecord
from tests.spec.segments.asking import NOW, who

pytestmark = pytest.mark.django_db

EVER = {"kind": "ever"}
CATALOGUE = (
    RawProduct("till", "S1", "Red shoe", "shoes", {"brand": "Siam", "color": "red", "price": 1, "sizes": [38, 39]}),
    RawProduct("site", "S1", "Blue shoe", "shoes", {"brand": "Andaman", "color": "blue"}),
)


def buying(*lines: RawLine, source: str = "till", age: dt.timedelta = dt.timedelta(0), **order: Any) -> RawPerson:
    return RawPerson((RawRecord("site", NOW),), (), (RawOrder(source, Decimal(100), NOW - age, lines=lines, **order),))


def line(sku: str = "", **more: Any) -> RawLine:
    return RawLine(sku=sku, **more)


def bought(measure: str, operator: str, value: Any, *filters: tuple[str, str, Any], **more: Any) -> dict[str, Any]:
    return {
        "kind": "order_line",
        "measure": measure,
        "operator": operator,
        "value": value,
        "window": EVER,
        "filters": [{"property": name, "operator": how, "value": wanted} for name, how, wanted in filters],
        **more,
    }


def test_lines_pieces_and_money() -> None:
    two = Decimal("2.000")
    crowd = {
        "nothing": RawPerson((RawRecord("site", NOW),)),
        "an order without lines": buying(),
        "one": buying(line("S1", unit_price=Decimal("50.00"))),
        "two of one": buying(line("S1", quantity=two, unit_price=Decimal("50.00"))),
        "two lines": buying(line("S1", unit_price=Decimal("50.00")), line("S2")),
        "cancelled": buying(line("S1", unit_price=Decimal("50.00")), is_cancelled=True),
        "given back": buying(line("S1", unit_price=Decimal("50.00")), refunded=Decimal(100)),
        "dollars": buying(line("S1", unit_price=Decimal("50.00")), currency="USD"),
        "last year": buying(line("S1", unit_price=Decimal("50.00")), age=dt.timedelta(days=400)),
    }
    lines = {"one", "two of one", "two lines", "dollars", "last year"}
    spent = {"currency": "THB"}

    assert who(crowd, bought("lines", "at_least", 1)) == lines
    assert who(crowd, bought("lines", "at_least", 2)) == {"two lines"}
    assert who(crowd, bought("quantity", "at_least", 2)) == {"two of one", "two lines"}
    # What no price is known of was bought for nothing; money is never converted.
    assert who(crowd, bought("spent", "is", 50, **spent)) == {"one", "two lines", "last year"}
    assert who(crowd, bought("spent", "more_than", 50, **spent)) == {"two of one"}
    # Without a line each is 0, in a window as well.
    nothing = set(crowd) - lines
    assert who(crowd, bought("lines", "is", 0)) == nothing
    assert who(crowd, bought("quantity", "less_than", 1)) == nothing
    assert who(crowd, bought("spent", "is", 0, **spent)) == nothing | {"dollars"}
    this_year = {"window": {"kind": "rolling", "n": 365, "unit": "days"}}
    assert who(crowd, bought("lines", "at_most", 0, **this_year)) == nothing | {"last year"}


@pytest.mark.parametrize(
    ("name", "operator", "value", "expected"),
    [
        # What only the order knows.
        ("sku", "is", "s1", {"by number", "with its own words", "on the site"}),
        ("product_id", "is", "S1", {"by number", "with its own words", "on the site"}),
        ("quantity", "is", 2, {"two pieces"}),
        # The price is what was paid, whatever the catalogue asks.
        ("price", "is", 1, set()),
        ("price", "is", 90, {"with its own words"}),
        ("coupon", "is", "NEW", {"with its own words"}),
        # What the order says first, else what the catalogue of its source says.
        ("color", "is", "red", {"by number"}),
        ("color", "is", "blue", {"on the site"}),
        ("color", "is", "green", {"with its own words"}),
        ("name", "contains", "shoe", {"by number", "on the site"}),
        ("category", "is", "shoes", {"by number", "on the site"}),
        ("category", "is", "boots", {"with its own words"}),
        # What only the catalogue knows.
        ("brand", "is", "Siam", {"by number", "with its own words"}),
        ("sizes", "is", 39, {"by number", "with its own words"}),
        ("brand", "unknown", None, {"two pieces"}),
        # A negative needs a value.
        ("brand", "is_not", "Siam", {"on the site"}),
    ],
)
def test_what_is_known_of_a_line(name: str, operator: str, value: Any, expected: set[str]) -> None:
    own = line("S1", color="green", category="boots", name="Boot", coupon="NEW", unit_price=Decimal("90.00"))
    crowd = {
        "by number": buying(line("S1")),
        "with its own words": buying(own),
        "on the site": buying(line("S1"), source="site"),
        "two pieces": buying(line("unknown", quantity=Decimal("2.000"))),
    }
    wanted = {"property": name, "operator": operator} | ({} if value is None else {"value": value})
    condition = {**bought("lines", "at_least", 1), "filters": [wanted]}

    assert who(crowd, condition, products=CATALOGUE) == expected


def test_every_filter_must_hold_for_the_same_line() -> None:
    red, shoes = ("color", "is", "red"), ("category", "is", "shoes")
    crowd = {
        "one of each": buying(line(color="red"), line(category="shoes")),
        "both at once": buying(line(color="red", category="shoes")),
    }

    assert who(crowd, bought("lines", "at_least", 1, red, shoes)) == {"both at once"}


def test_a_department_counts_the_orders_of_its_sources() -> None:
    crowd = {"at the till": buying(line("S1")), "on the site": buying(line("S1"), source="site")}
    eyes = Eyes(sources=frozenset({"site"}))

    assert who(crowd, bought("lines", "at_least", 1), eyes=eyes) == {"on the site"}
    assert who(crowd, bought("lines", "is", 0), eyes=eyes) == {"at the till"}
