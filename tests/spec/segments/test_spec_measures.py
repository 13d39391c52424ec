"""What is made of the values that a property has over several touchpoints."""

import datetime as dt
from typing import Any

import pytest

from tests.generative.segments.populations import RawPerson, RawRecord, RawTouchpoint
from tests.spec.segments.asking import NOW, who

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
EVER = {"kind": "ever"}
WEEK = {"kind": "rolling", "n": 7, "unit": "days"}


def viewing(*values: Any, name: str = "price", age: dt.timedelta = dt.timedelta(0)) -> RawPerson:
    """Somebody who viewed one product a day with these values, the last one now (or `age` ago)."""
    seen = [
        RawTouchpoint("site", "Product Viewed", NOW - age - n * DAY, {} if value is None else {name: value})
        for n, value in enumerate(reversed(values))
    ]
    return RawPerson((RawRecord("site", NOW),), tuple(seen))


def measured(measure: str, operator: str, value: Any = None, *, name: str = "price", **more: Any) -> dict[str, Any]:
    return {
        "kind": "measure",
        "event": "Product Viewed",
        "measure": measure,
        "property": name,
        "operator": operator,
        "window": EVER,
        **({} if value is None else {"value": value}),
        **more,
    }


PRICES = {
    "nobody": RawPerson((RawRecord("site", NOW),)),
    "without a price": viewing(None),
    "no number": viewing("free"),
    "10": viewing(10),
    "10 and 20": viewing(10, 20),
    "a text 30": viewing("30"),
    "a list": viewing([5, "15", "free"]),
    "minus": viewing(-1, 1),
    "long ago": viewing(100, age=30 * DAY),
}


@pytest.mark.parametrize(
    ("measure", "operator", "value", "window", "expected"),
    [
        ("sum", "at_least", 20, EVER, {"10 and 20", "a text 30", "a list", "long ago"}),
        # The sum of nothing is 0: "less than" and "is 0" hold for who never did it.
        ("sum", "is", 0, EVER, {"nobody", "without a price", "no number", "minus"}),
        ("sum", "less_than", 20, WEEK, {"nobody", "without a price", "no number", "10", "minus", "long ago"}),
        # The average, smallest and largest of nothing is unknown: neither less nor more than anything.
        ("average", "is", 15, EVER, {"10 and 20"}),
        ("average", "is", 10, EVER, {"10", "a list"}),
        ("average", "less_than", 1000, EVER, {"10", "10 and 20", "a text 30", "a list", "minus", "long ago"}),
        ("average", "less_than", 1000, WEEK, {"10", "10 and 20", "a text 30", "a list", "minus"}),
        ("smallest", "at_most", 5, EVER, {"a list", "minus"}),
        ("largest", "between", [15, 20], EVER, {"10 and 20", "a list"}),
        # Different values, of any kind; of nothing there are 0.
        ("distinct", "is", 0, EVER, {"nobody", "without a price"}),
        ("distinct", "at_least", 2, EVER, {"10 and 20", "a list", "minus"}),
        ("distinct", "at_most", 1, WEEK, {"nobody", "without a price", "no number", "10", "a text 30", "long ago"}),
    ],
)
def test_amounts(measure: str, operator: str, value: Any, window: dict[str, Any], expected: set[str]) -> None:
    assert who(PRICES, measured(measure, operator, value, window=window)) == expected


def test_none_of_an_average_is_the_exact_rest() -> None:
    """Also those who have no average at all."""
    much = measured("average", "more_than", 12)

    assert who(PRICES, {"kind": "not", "of": [much]}) == set(PRICES) - who(PRICES, much)


COLOURS = {
    "nobody": RawPerson((RawRecord("site", NOW),)),
    "without a colour": viewing(None, name="color"),
    "red, then blue": viewing("red", "blue", name="color"),
    "blue, then RED": viewing("blue", "RED", name="color"),
    "red, blue, red": viewing("red", "blue", "red", name="color"),
    "red, red, blue": viewing("red", "Red", "blue", name="color"),
    "unknown, then red": viewing("blue", "red", None, name="color"),
    "a list": viewing(["red", "green"], name="color"),
    "all long ago": viewing("red", name="color", age=30 * DAY),
}


@pytest.mark.parametrize(
    ("measure", "operator", "value", "window", "expected"),
    [
        # The first and the last one that had a value; of a list each value.
        ("first", "is", "red", WEEK, {"red, then blue", "red, blue, red", "red, red, blue", "a list"}),
        ("last", "is", "red", WEEK, {"blue, then RED", "red, blue, red", "unknown, then red", "a list"}),
        # The most frequent one, case aside; of equally frequent ones the one seen last.
        (
            "most_frequent",
            "is",
            "red",
            WEEK,
            {"blue, then RED", "red, blue, red", "red, red, blue", "unknown, then red", "a list"},
        ),
        ("most_frequent", "is", "red", EVER, set(COLOURS) - {"nobody", "without a colour", "red, then blue"}),
        # Without any value there is none: nothing holds but "is not known".
        ("last", "known", None, WEEK, set(COLOURS) - {"nobody", "without a colour", "all long ago"}),
        ("last", "unknown", None, WEEK, {"nobody", "without a colour", "all long ago"}),
        # "is not": there is a value, and none of them is it.
        ("last", "is_not", "red", WEEK, {"red, then blue", "red, red, blue"}),
        ("first", "not_in", ["red", "green"], EVER, {"blue, then RED", "unknown, then red"}),
    ],
)
def test_values(measure: str, operator: str, value: Any, window: dict[str, Any], expected: set[str]) -> None:
    assert who(COLOURS, measured(measure, operator, value, name="color", window=window)) == expected


def at_once(**properties: Any) -> RawPerson:
    """Two products viewed at one instant, with one value each."""
    return RawPerson(
        (RawRecord("site", NOW),),
        tuple(
            RawTouchpoint("site", "Product Viewed", NOW, {name: value})
            for name, values in properties.items()
            for value in values
        ),
    )


@pytest.mark.parametrize("measure", ["first", "last", "most_frequent"])
def test_what_happened_at_one_instant_has_no_order(measure: str) -> None:
    """Both are the first, the last and, seen as often and as late, the most frequent one: like a list of the two."""
    crowd = {"both": at_once(color=["red", "blue"])}

    assert who(crowd, measured(measure, "is", "red", name="color")) == {"both"}
    assert who(crowd, measured(measure, "is", "blue", name="color")) == {"both"}
    assert who(crowd, measured(measure, "is_not", "red", name="color")) == set()


@pytest.mark.parametrize(
    ("values", "n"),
    [
        (["red", "RED"], 1),  # case aside
        ([5, 5.0], 1),  # numbers by what they count
        ([5, "5"], 1),  # a number counts as its plain text
        (["5", "5.0"], 2),  # two texts are two values
        (["007", "7"], 2),
        ([True, "true"], 1),
        (["", None, {"a": 1}], 0),  # nothing that could be read
    ],
)
def test_when_two_values_are_the_same(values: list[Any], n: int) -> None:
    crowd = {"somebody": at_once(price=values)}

    assert who(crowd, measured("distinct", "is", n)) == {"somebody"}


def test_sums_are_exact() -> None:
    crowd = {"a cent": viewing(*[0.1] * 10), "nearly": viewing(*[0.1] * 9, 0.0999999999), "huge": viewing(1e300, 1)}

    assert who(crowd, measured("sum", "is", 1)) == {"a cent"}
    assert who(crowd, measured("sum", "less_than", 1)) == {"nearly"}


def test_filters_and_sources_choose_what_is_measured() -> None:
    record = (RawRecord("site", NOW),)
    crowd = {
        "at the till": RawPerson(record, (RawTouchpoint("till", "Product Viewed", NOW, {"price": 5, "color": "red"}),)),
        "on the site": RawPerson(record, (RawTouchpoint("site", "Product Viewed", NOW, {"price": 5, "color": "red"}),)),
        "blue": RawPerson(record, (RawTouchpoint("till", "Product Viewed", NOW, {"price": 5, "color": "blue"}),)),
    }
    red = [{"property": "color", "operator": "is", "value": "red"}]

    assert who(crowd, measured("sum", "is", 5, filters=red, sources=["till"])) == {"at the till"}
    assert who(crowd, measured("sum", "is", 5, filters=red, sources=["till", "site"])) == {"at the till", "on the site"}
    # A source that is gone sent nothing: the sum is 0.
    assert who(crowd, measured("sum", "is", 0, sources=["gone"])) == set(crowd)
