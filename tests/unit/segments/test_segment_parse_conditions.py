"""JSON → nodes, for the conditions of version 2: measures, sequences, lines of orders, segments, lists, reach."""

import copy
from decimal import Decimal
from typing import Any

import pytest

from segments.definition import nodes
from segments.definition.fields import Event, Field, Fields, FieldType
from segments.definition.parse import DefinitionProblem, parse
from segments.definition.serialise import serialise
from segments.definition.upgrade import upgraded

SEGMENT, LIST = "019ab000-0000-7000-8000-00000000000a", "019ab000-0000-7000-8000-00000000000b"
EVER = {"kind": "ever"}
DEFINITION: dict[str, Any] = {
    "version": 2,
    "where": {
        "kind": "all",
        "of": [
            {
                "kind": "measure",
                "event": "Product Viewed",
                "measure": "most_frequent",
                "property": "category",
                "operator": "is",
                "value": "shoes",
                "window": {"kind": "calendar_days", "n": 30},
                "filters": [{"property": "color", "operator": "is", "value": "red"}],
                "sources": ["web-shop"],
            },
            {
                "kind": "sequence",
                "first": {"event": "Product Viewed", "sources": ["web-shop"]},
                "then": {"event": "Order Completed"},
                "without": {
                    "event": "Product Removed",
                    "filters": [{"property": "color", "operator": "is", "value": "red"}],
                },
                "same": "color",
                "within": {"n": 2, "unit": "days"},
                "window": EVER,
            },
            {
                "kind": "order_line",
                "measure": "spent",
                "operator": "at_least",
                "value": 500,
                "currency": "THB",
                "filters": [{"property": "brand", "operator": "is", "value": "Siam"}],
                "window": EVER,
            },
            {"kind": "reachable", "purpose": "marketing", "channel": "sms"},
            {"kind": "segment", "segment": SEGMENT, "is_in": False},
            {"kind": "list", "list": LIST, "is_in": True},
            {"kind": "attribute", "trait": "birth_date", "operator": "anniversary_in_next_days", "value": 7},
        ],
    },
}
PROPERTIES = {
    "color": Field("color", FieldType.TEXT, "Colour"),
    "category": Field("category", FieldType.TEXT, "Category"),
    "price": Field("price", FieldType.NUMBER, "Price"),
    "email": Field("email", FieldType.IDENTIFIER, "E-mail"),
}
FIELDS = Fields(
    traits={
        "birth_date": Field("birth_date", FieldType.DATE, "Birth date"),
        "city": Field("city", FieldType.TEXT, "City"),
    },
    events={name: Event(name, name, PROPERTIES) for name in ("Product Viewed", "Order Completed", "Product Removed")},
    purposes={"marketing": "Marketing"},
    channels={"sms": "SMS"},
    currencies=("THB",),
    sources={"web-shop": "Web shop"},
    segments={SEGMENT: "Lapsing"},
    lists={LIST: "Guests"},
    line_properties={"brand": Field("brand", FieldType.TEXT, "Brand")},
)


def problems(data: object, fields: Fields | None = None) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionProblem) as caught:
        parse(data, fields)
    for one in caught.value.problems:
        assert "%(" not in f"{one.text}{one.mend}"
    return [(one.place, one.code) for one in caught.value.problems]


def changed(n: int, path: str, value: object) -> dict[str, Any]:
    """The definition with another value at a path below a condition; a value of `...` takes the key out."""
    data = copy.deepcopy(DEFINITION)
    *above, last = path.split("/")
    holder = data["where"]["of"][n]
    for key in above:
        holder = holder[int(key)] if key.isdecimal() else holder[key]
    if value is ...:
        del holder[last]
    else:
        holder[int(last) if last.isdecimal() else last] = value
    return data


def test_reads_every_kind_of_condition() -> None:
    red = nodes.PropertyFilter("color", nodes.Comparison(nodes.Operator.IS, "red"))
    brand = nodes.PropertyFilter("brand", nodes.Comparison(nodes.Operator.IS, "Siam"))

    measure, sequence, line, reachable, segment, on_list, birthday = parse(DEFINITION, FIELDS).where.of

    assert measure == nodes.MeasureCondition(
        "Product Viewed",
        nodes.PropertyMeasure.MOST_FREQUENT,
        "category",
        nodes.Comparison(nodes.Operator.IS, "shoes"),
        nodes.CalendarDays(30),
        (red,),
        ("web-shop",),
    )
    assert sequence == nodes.SequenceCondition(
        nodes.Step("Product Viewed", sources=("web-shop",)),
        nodes.Step("Order Completed"),
        nodes.Within(2, nodes.Unit.DAYS),
        nodes.Ever(),
        nodes.Step("Product Removed", (red,)),
        "color",
    )
    assert line == nodes.OrderLineCondition(
        nodes.LineMeasure.SPENT,
        nodes.Comparison(nodes.Operator.AT_LEAST, Decimal(500)),
        nodes.Ever(),
        (brand,),
        "THB",
    )
    assert reachable == nodes.ReachableCondition("marketing", "sms")
    assert segment == nodes.SegmentCondition(SEGMENT, is_in=False)
    assert on_list == nodes.ListCondition(LIST)
    assert isinstance(birthday, nodes.AttributeCondition)
    assert parse(serialise(parse(DEFINITION))) == parse(DEFINITION)


@pytest.mark.parametrize(
    ("n", "path", "value", "code"),
    [
        (0, "event", "", "name-missing"),
        (0, "event", 5, "name-missing"),
        (0, "property", None, "name-missing"),
        (0, "measure", "median", "choice-unknown"),
        (0, "value", "", "value-missing"),
        (0, "window", ..., "key-missing"),
        (0, "sources", "web-shop", "list-expected"),
        (0, "sources/0", "", "name-missing"),
        (0, "sources/0", {}, "name-missing"),
        (0, "filters/0/operator", "like", "choice-unknown"),
        (1, "first", "Product Viewed", "object-expected"),
        (1, "first/event", "", "name-missing"),
        (1, "first/event", ..., "key-missing"),
        (1, "without/event", "", "name-missing"),
        (1, "then/count", {}, "key-unknown"),
        (1, "within/n", 0, "number-out-of-range"),
        (1, "within/n", 4000, "number-out-of-range"),
        (1, "within/unit", "moons", "choice-unknown"),
        (1, "within", ..., "key-missing"),
        (1, "same", "", "name-missing"),
        (1, "same", 5, "name-missing"),
        (2, "value", "much", "number-expected"),
        (2, "currency", "", "currency-expected"),
        (2, "currency", "baht", "currency-expected"),
        (2, "measure", "weight", "choice-unknown"),
        (2, "filters", None, "list-expected"),
        (3, "purpose", "", "name-missing"),
        (3, "channel", ..., "key-missing"),
        (4, "segment", "", "name-missing"),
        (4, "segment", "lapsing", "id-expected"),
        (4, "segment", SEGMENT.upper(), "id-expected"),
        (4, "is_in", "no", "yes-or-no-expected"),
        (4, "is_in", 0, "yes-or-no-expected"),
        (5, "list", SEGMENT[:-1], "id-expected"),
        (5, "is_in", None, "yes-or-no-expected"),
        (6, "value", 0, "number-out-of-range"),
        (6, "value", 366, "number-out-of-range"),
        (6, "operator", "anniversary_today", "value-unexpected"),
    ],
)
def test_names_the_place_of_a_problem(n: int, path: str, value: object, code: str) -> None:
    place = f"/where/of/{n}/{path}"
    if path == "operator" and code == "value-unexpected":
        place = f"/where/of/{n}/value"
    assert problems(changed(n, path, value)) == [(place, code)]


def test_only_money_has_a_currency() -> None:
    assert problems(changed(2, "measure", "lines")) == [("/where/of/2/currency", "currency-not-here")]


def test_an_amount_is_compared_with_numbers_and_a_value_with_anything() -> None:
    assert problems(changed(0, "measure", "sum")) == [("/where/of/0/value", "number-expected")]
    data = changed(2, "operator", "contains")
    data["where"]["of"][2]["value"] = "much"
    assert problems(data) == [("/where/of/2/operator", "operator-not-here")]
    assert problems(changed(0, "operator", "starts_with") | {"version": 9}) == [("/version", "version-unknown")]
    parse(changed(0, "operator", "starts_with"))


def test_reports_all_problems_at_once() -> None:
    data = copy.deepcopy(DEFINITION)
    measure, sequence, line, _reachable, segment, _list, _birthday = data["where"]["of"]
    measure["event"] = ""
    measure["filters"][0]["property"] = ""
    sequence["first"]["event"] = ""
    sequence["within"]["n"] = 0
    line["measure"] = "weight"
    line["window"] = "ever"
    segment["segment"] = "x"

    assert problems(data) == [
        ("/where/of/0/event", "name-missing"),
        ("/where/of/0/filters/0/property", "name-missing"),
        ("/where/of/1/first/event", "name-missing"),
        ("/where/of/1/within/n", "number-out-of-range"),
        ("/where/of/2/measure", "choice-unknown"),
        ("/where/of/2/window/kind", "kind-unknown"),
        ("/where/of/4/segment", "id-expected"),
    ]


@pytest.mark.parametrize(
    ("n", "path", "value", "at", "code"),
    [
        (0, "event", "Case Opened", "event", "event-unknown"),
        (0, "property", "weight", "property", "property-unknown"),
        (0, "filters/0/property", "weight", "filters/0/property", "property-unknown"),
        (0, "sources/0", "old-shop", "sources/0", "source-unknown"),
        (0, "operator", "more_than", "operator", "operator-not-for-type"),
        (0, "property", "email", "operator", "operator-not-for-type"),
        (1, "first/event", "Case Opened", "first/event", "event-unknown"),
        (1, "first/sources/0", "old-shop", "first/sources/0", "source-unknown"),
        (1, "without/filters/0/property", "weight", "without/filters/0/property", "property-unknown"),
        (1, "same", "weight", "same", "property-unknown"),
        (1, "same", "email", "same", "property-unknown"),
        (2, "filters/0/property", "weight", "filters/0/property", "property-unknown"),
        (2, "currency", "USD", "currency", "currency-unknown"),
        (3, "purpose", "profiling", "purpose", "purpose-unknown"),
        (3, "channel", "fax", "channel", "channel-unknown"),
        (4, "segment", LIST, "segment", "segment-unknown"),
        (5, "list", SEGMENT, "list", "list-unknown"),
        (6, "trait", "city", "operator", "operator-not-for-type"),
    ],
)
def test_what_the_viewer_does_not_have_is_unknown(n: int, path: str, value: object, at: str, code: str) -> None:
    data = changed(n, path, value)
    if code == "operator-not-for-type" and n == 0:
        data["where"]["of"][0]["value"] = 5 if path == "operator" else "shoes"

    assert problems(data, FIELDS) == [(f"/where/of/{n}/{at}", code)]


@pytest.mark.parametrize(
    ("measure", "name", "code"),
    [
        ("sum", "color", "measure-not-for-type"),
        ("average", "email", "measure-not-for-type"),
        ("distinct", "email", "measure-not-for-type"),
        ("largest", "price", ""),
        ("distinct", "color", ""),
    ],
)
def test_amounts_are_made_of_numbers(measure: str, name: str, code: str) -> None:
    data = changed(0, "measure", measure)
    data["where"]["of"][0].update(property=name, operator="more_than", value=1)

    if code:
        assert problems(data, FIELDS) == [("/where/of/0/measure", code)]
    else:
        parse(data, FIELDS)


def test_an_older_version_means_what_it_meant() -> None:
    older = {"version": 1, "where": {"kind": "all", "of": [DEFINITION["where"]["of"][6]]}}

    assert upgraded(older) == {**older, "version": nodes.VERSION}
    assert parse(older) == parse({**older, "version": nodes.VERSION})
    assert older["version"] == 1
    assert serialise(parse(older))["version"] == nodes.VERSION


@pytest.mark.parametrize("data", [None, [], "x", {}, {"version": True}, {"version": "1"}, {"version": 99}])
def test_what_is_of_no_known_version_is_left_alone(data: object) -> None:
    assert upgraded(data) == data


def test_what_the_answer_rests_on_includes_the_segments_that_are_asked_for() -> None:
    inner = parse({"version": 2, "where": {"kind": "all", "of": DEFINITION["where"]["of"][:2]}}).where
    condition = nodes.SegmentCondition(SEGMENT, where=inner)
    outer = nodes.All((condition,))

    assert [*nodes.own_conditions(outer)] == [condition]
    assert [*nodes.conditions(outer)] == [condition, *inner.of]
    assert nodes.events(outer) == {"Product Viewed", "Order Completed", "Product Removed"}
    with pytest.raises(nodes.Unresolved):
        _ = nodes.SegmentCondition(SEGMENT).meaning


@pytest.mark.parametrize("without", ["traits", "events", "sources", "lists"])
def test_who_does_not_see_a_part_does_not_see_the_definition(without: str) -> None:
    where = nodes.All(tuple(one for one in parse(DEFINITION).where.of if not isinstance(one, nodes.SegmentCondition)))
    parts: dict[str, Any] = {name: getattr(FIELDS, name) for name in Fields.__dataclass_fields__}

    assert FIELDS.shows(where)
    assert not Fields(**{**parts, without: {}}).shows(where)
    assert not Fields(**{**parts, "hidden_traits": frozenset({"color"})}).shows(where)
    # A segment that is gone, or that could not be read, shows nothing to anybody.
    assert not FIELDS.shows(nodes.All((nodes.SegmentCondition(SEGMENT),)))
    assert FIELDS.shows(nodes.All((nodes.SegmentCondition(SEGMENT, where=where),)))
    assert not Fields(**{**parts, without: {}}).shows(nodes.All((nodes.SegmentCondition(SEGMENT, where=where),)))
