"""What touchpoints do not say of their products, the catalogue says."""

from typing import Any

import pytest

from tests.generative.segments.populations import RawPerson, RawProduct, RawRecord, RawTouchpoint
from tests.spec.segments.asking import NOW, saw, seeing, who

pytestmark = pytest.mark.django_db

CATALOGUE = (
    RawProduct(
        "site", "S1", "Trang", "shoes", {"color": "red", "heights": [4, 5], "price": 90, "made_on": "2026-05-01"}
    ),
    RawProduct("site", "S2", "Phuket", "shoes", {"color": "blue", "heel": 3}),
    RawProduct("till", "S3", "Krabi", "bags", {"color": "red"}),
    RawProduct("site", "77", "", "", {"color": "red"}),
)
CROWD = {
    "says it": seeing(color="red", category="shoes"),
    "says another": seeing(sku="S1", color="blue"),
    "names it": seeing(sku="S1"),
    "names its kind": seeing(product_id="S1"),
    "names a variant that is unknown": seeing(sku="S1-38", product_id="S1"),
    "names a number": seeing(sku=77),
    "names the number as a float": seeing(product_id=77.0),
    "names a blue one": seeing(sku="S2"),
    "leaves it blank": seeing(sku="S1", color=""),
    "says null": seeing(sku="S1", color=None),
    "says none of a list": seeing(sku="S1", color=[]),
    "names one of another shop": seeing(sku="S3"),
    "names what nobody knows": seeing(sku="S9"),
    "names several": seeing(sku=["S1"]),
    "names none": seeing(page="/"),
}
RED = {
    "says it",
    "names it",
    "names its kind",
    "names a number",
    "names the number as a float",
    "leaves it blank",
    "says null",
    "says none of a list",
}
OTHERS = {"says another", "names a blue one"}
UNKNOWN = set(CROWD) - RED - OTHERS


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("is", "red", RED),
        ("in", ["red", "green"], RED),
        ("contains", "e", RED | OTHERS),
        ("is_not", "red", OTHERS),
        ("not_in", ["blue"], RED),
        ("known", None, RED | OTHERS),
        ("unknown", None, UNKNOWN),
    ],
)
def test_a_touchpoint_comes_before_the_catalogue(operator: str, value: Any, expected: set[str]) -> None:
    assert who(CROWD, saw("color", operator, value), products=CATALOGUE) == expected


def test_without_a_catalogue_only_touchpoints_speak() -> None:
    assert who(CROWD, saw("color", "is", "red")) == {"says it"}
    assert who(CROWD, saw("color", "unknown")) == set(CROWD) - {"says it", "says another"}


@pytest.mark.parametrize(
    ("name", "operator", "value", "expected"),
    [
        ("heights", "is", 5, {"one"}),
        ("heel", "at_least", 3, {"two"}),
        ("made_on", "before", "2026-06-01", {"one"}),
        ("name", "starts_with", "tr", {"one"}),
        ("category", "is", "shoes", {"one", "two"}),
        ("price", "known", None, set()),  # what the catalogue asks for is not what was shown or paid
    ],
)
def test_every_kind_of_value_is_read_there(name: str, operator: str, value: Any, expected: set[str]) -> None:
    crowd = {"one": seeing(sku="S1"), "two": seeing(sku="S2"), "none": seeing(sku="S9")}

    assert who(crowd, saw(name, operator, value), products=CATALOGUE) == expected


def test_one_filter_may_be_said_and_the_other_one_known() -> None:
    crowd = {
        "both said": seeing(color="red", category="shoes"),
        "colour said": seeing(color="red", sku="S2"),
        "category said": seeing(category="shoes", sku="77"),
        "both known": seeing(sku="S1"),
        "a list said": seeing(color=["green", "red"], sku="S2"),
        "another colour": seeing(color="green", sku="S1"),
        "no category": seeing(sku="77"),
    }
    condition = saw("color", "is", "red")
    condition["filters"].append({"property": "category", "operator": "is", "value": "shoes"})

    expected = {"both said", "colour said", "category said", "both known", "a list said"}
    assert who(crowd, condition, products=CATALOGUE) == expected


def viewing(*touchpoints: tuple[str, dict[str, Any]]) -> RawPerson:
    seen = tuple(RawTouchpoint("site", event, NOW, properties) for event, properties in touchpoints)
    return RawPerson((RawRecord("site", NOW),), seen)


def test_each_touchpoint_is_counted_once() -> None:
    viewed = "Product Viewed"
    crowd = {
        "said and known": viewing((viewed, {"sku": "S1", "color": "red"})),
        "one said, one known": viewing((viewed, {"color": "red"}), (viewed, {"sku": "S1"})),
        "a list, one known": viewing((viewed, {"color": ["red"]}), (viewed, {"sku": "S1"})),
    }
    condition = saw("color", "is", "red") | {"count": {"bound": "at_least", "n": 2}}

    assert who(crowd, condition, products=CATALOGUE) == {"one said, one known", "a list, one known"}


def test_measures_read_what_the_catalogue_says() -> None:
    crowd = {
        "two colours": viewing(("Product Viewed", {"sku": "S1"}), ("Product Viewed", {"sku": "S2"})),
        "one": viewing(("Product Viewed", {"sku": "S1"}), ("Product Viewed", {"color": "red"})),
        "none": viewing(("Product Viewed", {"sku": "S9"})),
    }
    distinct = {
        "kind": "measure",
        "event": "Product Viewed",
        "measure": "distinct",
        "property": "color",
        "operator": "at_least",
        "value": 2,
        "window": {"kind": "ever"},
    }

    assert who(crowd, distinct, products=CATALOGUE) == {"two colours"}
