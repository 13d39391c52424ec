"""JSON → nodes: every problem at once, each at its place; and the way back."""

import copy
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from segments.definition import nodes
from segments.definition.fields import Event, Field, Fields, FieldType
from segments.definition.parse import MESSAGES, DefinitionProblem, parse
from segments.definition.serialise import serialise
from tests.generative.segments.definitions import DEFINITIONS

RED_SHOES: dict[str, Any] = {
    "version": 1,
    "where": {
        "kind": "all",
        "of": [
            {
                "kind": "touchpoint",
                "event": "Product Viewed",
                "count": {"bound": "at_least", "n": 5},
                "window": {"kind": "rolling", "n": 7, "unit": "days"},
                "filters": [{"property": "color", "operator": "in", "value": ["red", "แดง"]}],
            },
            {"kind": "attribute", "trait": "birth_date", "operator": "before", "value": "1990-01-01"},
            {
                "kind": "order_total",
                "measure": "sum",
                "operator": "more_than",
                "value": 4999.5,
                "currency": "THB",
                "window": {"kind": "ever"},
            },
            {"kind": "consent", "purpose": "marketing", "channel": "email", "state": "granted"},
        ],
    },
}
FIELDS = Fields(
    traits={
        "birth_date": Field("birth_date", FieldType.DATE, "Birth date"),
        "age": Field("age", FieldType.NUMBER, "Age"),
    },
    events={
        "Product Viewed": Event("Product Viewed", "Product Viewed", {"color": Field("color", FieldType.TEXT, "Colour")})
    },
    purposes={"marketing": "Marketing"},
    channels={"email": "E-mail"},
    currencies=("THB",),
)


def problems(data: object, fields: Fields | None = None) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionProblem) as caught:
        parse(data, fields)
    for one in caught.value.problems:
        assert "%(" not in f"{one.text}{one.mend}"
    return [(one.place, one.code) for one in caught.value.problems]


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    data = copy.deepcopy(RED_SHOES)
    change(data)
    return data


def test_reads_a_definition() -> None:
    viewed, born, spent, agreed = parse(RED_SHOES, FIELDS).where.of

    assert viewed == nodes.TouchpointCondition(
        "Product Viewed",
        nodes.Count(nodes.Bound.AT_LEAST, 5),
        nodes.Rolling(7, nodes.Unit.DAYS),
        (nodes.PropertyFilter("color", nodes.Comparison(nodes.Operator.IN, ("red", "แดง"))),),
    )
    assert born == nodes.AttributeCondition("birth_date", nodes.Comparison(nodes.Operator.BEFORE, dt.date(1990, 1, 1)))
    assert isinstance(spent, nodes.OrderTotalCondition)
    assert spent.comparison.value == Decimal("4999.5")
    assert agreed == nodes.ConsentCondition("marketing", "email", nodes.ConsentState.GRANTED)


@given(DEFINITIONS)
@settings(max_examples=150, deadline=None)
def test_what_is_written_reads_back_the_same(definition: nodes.Definition) -> None:
    assert parse(serialise(definition)) == definition


def set_condition(n: int, **parts: object) -> Callable[[dict[str, Any]], object]:
    return lambda data: data["where"]["of"][n].update(parts)


def set_window(**window: object) -> Callable[[dict[str, Any]], object]:
    return set_condition(0, window=window)


@pytest.mark.parametrize(
    ("change", "place", "code"),
    [
        (lambda data: data.update(version=3), "/version", "version-unknown"),
        (lambda data: data.update(version=0), "/version", "version-unknown"),
        (lambda data: data.pop("version"), "/version", "key-missing"),
        (lambda data: data.update(version=True), "/version", "version-unknown"),
        (lambda data: data.pop("where"), "/where", "key-missing"),
        (lambda data: data.update(name="x"), "/name", "key-unknown"),
        (lambda data: data.update(where=[]), "/where", "object-expected"),
        (lambda data: data.update(where=data["where"]["of"][3]), "/where/kind", "kind-unknown"),
        (lambda data: data["where"].update(of=[]), "/where/of", "group-empty"),
        (lambda data: data["where"].update(of={}), "/where/of", "list-expected"),
        (lambda data: data["where"].update(of=[7]), "/where/of/0", "object-expected"),
        (set_condition(0, kind="dream"), "/where/of/0/kind", "kind-unknown"),
        (set_condition(0, event=""), "/where/of/0/event", "name-missing"),
        (set_condition(0, event=None), "/where/of/0/event", "name-missing"),
        (set_condition(0, event="x" * 201), "/where/of/0/event", "text-too-long"),
        (set_condition(0, **{"a/b~": 1}), "/where/of/0/a~1b~0", "key-unknown"),
        (set_condition(0, count={"bound": "at_least", "n": 0}), "/where/of/0/count/n", "number-out-of-range"),
        (set_condition(0, count={"bound": "at_least", "n": 2.5}), "/where/of/0/count/n", "whole-number-expected"),
        (set_condition(0, count={"bound": "many", "n": 2}), "/where/of/0/count/bound", "choice-unknown"),
        (set_condition(0, count={"bound": "at_most"}), "/where/of/0/count/n", "key-missing"),
        (set_condition(0, count=5), "/where/of/0/count", "object-expected"),
        (set_condition(0, window="ever"), "/where/of/0/window/kind", "kind-unknown"),
        (set_window(kind="rolling", n=0, unit="days"), "/where/of/0/window/n", "number-out-of-range"),
        (set_window(kind="rolling", n=4000, unit="days"), "/where/of/0/window/n", "number-out-of-range"),
        (set_window(kind="rolling", n=1, unit="months"), "/where/of/0/window/unit", "choice-unknown"),
        (set_window(kind="calendar_days", n="7"), "/where/of/0/window/n", "whole-number-expected"),
        (
            set_window(kind="between", first="2026-02-30", last="2026-03-01"),
            "/where/of/0/window/first",
            "date-expected",
        ),
        (
            set_window(kind="between", first="2026-03-02", last="2026-03-01"),
            "/where/of/0/window/first",
            "range-reversed",
        ),
        (set_condition(0, filters={}), "/where/of/0/filters", "list-expected"),
        (
            set_condition(0, filters=[{"property": "x", "operator": "is"}]),
            "/where/of/0/filters/0/value",
            "value-missing",
        ),
        (set_condition(1, operator="like"), "/where/of/1/operator", "choice-unknown"),
        (set_condition(1, value="20260101"), "/where/of/1/value", "date-expected"),
        (set_condition(1, value="1066-10-14"), "/where/of/1/value", "date-out-of-range"),
        (set_condition(1, operator="known"), "/where/of/1/value", "value-unexpected"),
        (set_condition(1, operator="is", value=""), "/where/of/1/value", "value-missing"),
        (set_condition(1, operator="is", value="a\x00b"), "/where/of/1/value", "text-has-nul"),
        (set_condition(1, operator="contains", value=5), "/where/of/1/value", "text-expected"),
        (set_condition(1, operator="in", value=["a", 1]), "/where/of/1/value", "list-mixed"),
        (set_condition(1, operator="in", value=["a"] * 501), "/where/of/1/value", "list-too-long"),
        (set_condition(1, operator="in", value="a"), "/where/of/1/value", "list-expected"),
        (set_condition(1, operator="between", value=[2, 1]), "/where/of/1/value", "range-reversed"),
        (set_condition(1, operator="between", value=[2]), "/where/of/1/value", "two-numbers-expected"),
        (set_condition(1, operator="between_dates", value="2026-01-01"), "/where/of/1/value", "two-dates-expected"),
        (set_condition(1, operator="in_last_days", value=0), "/where/of/1/value", "number-out-of-range"),
        (set_condition(2, value=float("inf")), "/where/of/2/value", "number-too-long"),
        (set_condition(2, value=1e15), "/where/of/2/value", "number-too-long"),
        (set_condition(2, value="many"), "/where/of/2/value", "number-expected"),
        (set_condition(2, operator="contains", value="5"), "/where/of/2/operator", "operator-not-here"),
        (set_condition(2, currency="baht"), "/where/of/2/currency", "currency-expected"),
        (set_condition(3, state="maybe"), "/where/of/3/state", "choice-unknown"),
    ],
)
def test_names_the_place_of_a_problem(change: Callable[[dict[str, Any]], object], place: str, code: str) -> None:
    assert problems(changed(change)) == [(place, code)]


def test_reports_all_problems_at_once() -> None:
    data = changed(lambda data: None)
    viewed, born, spent, _agreed = data["where"]["of"]
    viewed["count"]["n"] = 0
    viewed["window"]["unit"] = "moons"
    born["operator"] = "like"
    del spent["currency"]

    assert problems(data) == [
        ("/where/of/0/count/n", "number-out-of-range"),
        ("/where/of/0/window/unit", "choice-unknown"),
        ("/where/of/1/operator", "choice-unknown"),
        ("/where/of/2/currency", "key-missing"),
    ]


def nested(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = RED_SHOES["where"]["of"][3]
    for _level in range(levels):
        node = {"kind": "not", "of": [node]}
    return {"version": 1, "where": node}


def test_groups_nest_four_deep_and_no_deeper() -> None:
    assert nodes.depth(parse(nested(4)).where) == 4
    assert problems(nested(5)) == [("/where/of/0/of/0/of/0/of/0", "too-deep")]
    assert problems(nested(400)) == [("/where/of/0/of/0/of/0/of/0", "too-deep")]


def test_a_hundred_conditions_and_no_more() -> None:
    condition = RED_SHOES["where"]["of"][3]

    assert len(parse({"version": 1, "where": {"kind": "any", "of": [condition] * 100}}).where.of) == 100
    assert problems({"version": 1, "where": {"kind": "any", "of": [condition] * 101}}) == [
        ("/where", "too-many-conditions")
    ]


@pytest.mark.parametrize("data", [None, [], "x", 7])
def test_what_is_no_object_is_no_definition(data: object) -> None:
    assert problems(data) == [("", "object-expected")]


@pytest.mark.parametrize(
    ("change", "place", "code"),
    [
        (set_condition(1, trait="salary"), "/where/of/1/trait", "trait-unknown"),
        (set_condition(0, event="Case Opened"), "/where/of/0/event", "event-unknown"),
        (
            set_condition(0, filters=[{"property": "weight", "operator": "known"}]),
            "/where/of/0/filters/0/property",
            "property-unknown",
        ),
        (set_condition(1, operator="contains", value="x"), "/where/of/1/operator", "operator-not-for-type"),
        (set_condition(1, trait="age", operator="is", value="old"), "/where/of/1/value", "number-expected"),
        (set_condition(2, currency="USD"), "/where/of/2/currency", "currency-unknown"),
        (set_condition(3, purpose="profiling"), "/where/of/3/purpose", "purpose-unknown"),
        (set_condition(3, channel="fax"), "/where/of/3/channel", "channel-unknown"),
    ],
)
def test_what_the_viewer_does_not_have_is_unknown(
    change: Callable[[dict[str, Any]], object], place: str, code: str
) -> None:
    assert problems(changed(change), FIELDS) == [(place, code)]


def test_the_api_answer_lists_every_problem() -> None:
    with pytest.raises(DefinitionProblem) as caught:
        parse(changed(set_condition(3, state="maybe")))

    answer = caught.value.as_dict()
    assert answer["code"] == "invalid_definition"
    assert answer["field"] == "/where/of/3/state"
    assert [one["place"] for one in answer["problems"]] == ["/where/of/3/state"]  # type: ignore[attr-defined]


def test_every_flaw_has_a_message() -> None:
    """Codes appear in the sources as literals; each must have its line."""
    import inspect
    import re

    from segments import references
    from segments.definition import checked, comparisons, conditions, fields, windows
    from segments.definition import parse as parse_module

    raised = set()
    for module in (checked, comparisons, conditions, windows, nodes, fields, references):
        raised |= set(re.findall(r"Flaw\(\s*[^,]+,\s*f?\"([a-z{}-]+)\"", inspect.getsource(module)))
    raised |= set(
        re.findall(r"self\.note\(\s*[^,]+(?:\{[^}]*\}[^,]*)?,\s*\"([a-z-]+)\"", inspect.getsource(parse_module))
    )
    named = ("trait", "property", "purpose", "channel", "segment", "list")
    raised = raised - {"{key}-unknown"} | {f"{one}-unknown" for one in named}
    assert raised - set(MESSAGES) == set()
    assert set(MESSAGES) - raised == set()
