"""The builder's form: controls to JSON, buttons, and what follows from a choice."""

from typing import Any

import pytest

from segments.builder import draft
from segments.builder.review import review
from segments.builder.rows import Control, Painter, Row
from segments.definition.fields import Event, Field, Fields, FieldType
from segments.definition.words import ENGLISH

FIELDS = Fields(
    traits={
        "city": Field("city", FieldType.TEXT, "City"),
        "age": Field("age", FieldType.NUMBER, "Age"),
        "birth_date": Field("birth_date", FieldType.DATE, "Date of birth"),
        "email": Field("email", FieldType.IDENTIFIER, "E-mail"),
        "subscribed": Field("subscribed", FieldType.BOOLEAN, "Subscribed"),
    },
    events={
        "Product Viewed": Event(
            "Product Viewed", "Product Viewed", {"price": Field("price", FieldType.NUMBER, "price")}
        )
    },
    purposes={"marketing": "Marketing"},
    channels={"email": "e-mail", "sms": "SMS"},
    currencies=("THB",),
)


def posted(where: Any, place: str = "/where") -> list[tuple[str, str]]:
    """The controls of a definition as a browser posts them."""
    if isinstance(where, dict):
        return [pair for key, value in where.items() for pair in posted(value, f"{place}/{key}")]
    if isinstance(where, list):
        return [pair for number, value in enumerate(where) for pair in posted(value, f"{place}/{number}")]
    return [(place, str(where).lower() if isinstance(where, bool) else str(where))]


def fitted(*members: dict[str, Any]) -> list[dict[str, Any]]:
    where = {"kind": "all", "of": list(members)}
    found: list[dict[str, Any]] = draft.fit(draft.read(posted(where)), FIELDS)["where"]["of"]
    return found


WHOLE: list[dict[str, Any]] = [
    {"kind": "attribute", "trait": "city", "operator": "in", "value": ["Bangkok", "Trang, the town"]},
    {"kind": "attribute", "trait": "age", "operator": "between", "value": [20, 30.5]},
    {"kind": "attribute", "trait": "birth_date", "operator": "in_last_days", "value": 7},
    {"kind": "attribute", "trait": "subscribed", "operator": "is", "value": False},
    {"kind": "attribute", "trait": "email", "operator": "known"},
    {
        "kind": "touchpoint",
        "event": "Product Viewed",
        "count": {"bound": "at_most", "n": 3},
        "window": {"kind": "between", "first": "2026-01-01", "last": "2026-02-01"},
        "filters": [{"property": "price", "operator": "more_than", "value": 99.5}],
    },
    {
        "kind": "order_total",
        "measure": "count",
        "operator": "at_least",
        "value": 2,
        "currency": "THB",
        "window": {"kind": "rolling", "n": 90, "unit": "days"},
    },
    {"kind": "consent", "purpose": "marketing", "channel": "sms", "state": "never"},
    {"kind": "not", "of": [{"kind": "attribute", "trait": "city", "operator": "unknown"}]},
]


@pytest.mark.parametrize("member", WHOLE, ids=lambda member: f"{member['kind']}-{member.get('operator', '')}")
def test_a_posted_definition_is_the_definition(member: dict[str, Any]) -> None:
    assert fitted(member) == [member]
    assert review(draft.fit(draft.read(posted({"kind": "all", "of": [member]})), FIELDS), FIELDS).problems == []


def test_another_field_brings_its_own_operators_and_drops_what_does_not_fit() -> None:
    (member,) = fitted({"kind": "attribute", "trait": "age", "operator": "contains", "value": "x"})
    assert member == {"kind": "attribute", "trait": "age", "operator": "is", "value": "x"}  # told as no number

    (member,) = fitted({"kind": "attribute", "trait": "email", "operator": "is", "value": "a@example.com"})
    assert member == {"kind": "attribute", "trait": "email", "operator": "known"}


@pytest.mark.parametrize(
    ("operator", "value", "kept"),
    [
        ("between", {"0": "5", "1": ""}, [5, ""]),
        ("between", "5", [5, ""]),
        ("is", {"0": "1,200.50"}, 1200.5),
        ("in", "7", [7]),
        ("is", "many", "many"),
        ("is", "", ""),
    ],
)
def test_values_follow_the_operator(operator: str, value: Any, kept: Any) -> None:
    (member,) = fitted({"kind": "attribute", "trait": "age", "operator": operator, "value": value})

    assert member["value"] == kept


def test_a_window_brings_its_parts() -> None:
    (member,) = fitted({"kind": "touchpoint", "event": "Product Viewed", "window": {"kind": "rolling"}})

    assert member["window"] == {"kind": "rolling", "n": 7, "unit": "days"}
    assert member["count"] == {"bound": "at_least", "n": 1}


def test_never_is_exactly_zero_and_back() -> None:
    never: dict[str, Any] = {"kind": "touchpoint", "event": "Product Viewed", "count": {"bound": "never", "n": 4}}
    (member,) = fitted(never)
    assert member["count"] == {"bound": "exactly", "n": 0}

    (member,) = fitted({**never, "count": {"bound": "at_least"}})
    assert member["count"] == {"bound": "at_least", "n": 1}


def tree(*members: Any) -> dict[str, Any]:
    return {"version": 1, "where": {"kind": "all", "of": list(members)}}


def cities(definition: dict[str, Any]) -> list[str]:
    return [member.get("trait", "new") for member in definition["where"]["of"]]


@pytest.mark.parametrize(
    ("action", "expected", "place"),
    [
        ("up /where/of/1", ["b", "a", "c"], "/where/of/0"),
        ("up /where/of/0", ["a", "b", "c"], "/where/of/0"),
        ("down /where/of/1", ["a", "c", "b"], "/where/of/2"),
        ("down /where/of/2", ["a", "b", "c"], "/where/of/2"),
        ("remove /where/of/1", ["a", "c"], "/where/of"),
        ("add-consent /where", ["a", "b", "c", "new"], "/where/of/3"),
        # What a stale or a hostile page may send.
        ("remove /where/of/9", ["a", "b", "c"], None),
        ("remove /where", ["a", "b", "c"], None),
        ("add-consent /where/of/0/of/7", ["a", "b", "c"], None),
        ("explode /where", ["a", "b", "c"], None),
        ("add-consent /nowhere", ["a", "b", "c"], None),
        ("", ["a", "b", "c"], None),
    ],
)
def test_buttons(action: str, expected: list[str], place: str | None) -> None:
    definition = tree(*[{"kind": "attribute", "trait": name} for name in "abc"])

    assert draft.act(definition, action) == place
    assert cities(definition) == expected


def test_controls_that_are_none_are_passed_over() -> None:
    hostile = [
        ("name", "x"),
        ("/where/of/0/trait/deeper", "x"),
        ("/where/of/0/kind", "attribute"),
        ("/where/of/0/kind/x", "y"),
        ("/where/" + "of/0/" * 50 + "kind", "all"),
        ("/elsewhere/of", "x"),
    ]

    definition = draft.fit(draft.read(hostile), FIELDS)

    assert definition["where"]["of"] == [{"kind": "attribute", "trait": "", "operator": "is", "value": ""}]


def test_an_empty_line_of_a_list_is_not_stored() -> None:
    definition = tree({"kind": "attribute", "trait": "city", "operator": "in", "value": ["Trang", ""]})

    assert draft.finished(definition)["where"]["of"][0]["value"] == ["Trang"]
    assert review(definition, FIELDS).problems == []


def controls(root: Row) -> dict[str, Control]:
    found = {control.name: control for row in root.flat() for line in row.lines for control in line.controls}
    return found | {row.mode.name: row.mode for row in root.flat() if row.mode}


def test_every_part_of_a_definition_has_its_control() -> None:
    definition = tree(*WHOLE)
    shown = controls(Painter(FIELDS, ENGLISH).rows(definition))
    # "never" and "no value" have none; the kind of a condition is a hidden field.
    expected = {name for name, _value in posted(definition["where"]) if not name.endswith("/kind")}

    assert expected <= {*shown, "/where/of/8/of/0/kind"}


def test_the_control_of_a_problem_is_marked() -> None:
    written = draft.fit(
        draft.read(posted({"kind": "all", "of": [{**WHOLE[1], "value": [30, 20]}, {**WHOLE[5], "count": {"n": "x"}}]})),
        FIELDS,
    )
    found = review(written, FIELDS)
    shown = controls(Painter(FIELDS, ENGLISH, found.wrong).rows(written))

    assert {name for name, control in shown.items() if control.is_wrong} == {
        "/where/of/0/value/0",
        "/where/of/0/value/1",
        "/where/of/1/count/n",
    }


def test_what_is_not_said_yet_is_open_and_not_wrong() -> None:
    written = draft.fit(tree({"kind": "attribute"}, {"kind": "any", "of": []}), FIELDS)
    found = review(written, FIELDS)

    assert found.wrong == []
    assert [one.place for one in found.open] == ["/where/of/0/trait", "/where/of/1/of"]
