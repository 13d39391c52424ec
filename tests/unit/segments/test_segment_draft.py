"""The builder's form: controls to JSON, buttons, and what follows from a choice."""

from typing import Any

import pytest

from segments.builder import actions, draft, fitting
from segments.builder.controls import Control, Row
from segments.builder.popularity import Popularity
from segments.builder.review import review
from segments.builder.rows import Painter
from segments.definition.fields import Event, Field, Fields, FieldType
from segments.definition.parse import parse
from segments.definition.serialise import serialise
from segments.definition.words import ENGLISH

SEGMENT, LIST = "019ab000-0000-7000-8000-000000000001", "019ab000-0000-7000-8000-000000000002"
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
            "Product Viewed",
            "Product Viewed",
            {
                "price": Field("price", FieldType.NUMBER, "price"),
                "sku": Field("sku", FieldType.TEXT, "SKU"),
            },
        ),
        "Product Added": Event("Product Added", "Product Added", {"sku": Field("sku", FieldType.TEXT, "SKU")}),
    },
    purposes={"marketing": "Marketing"},
    channels={"email": "e-mail", "sms": "SMS"},
    currencies=("THB", "USD"),
    sources={"web-shop": "Web shop", "till": "Till"},
    segments={SEGMENT: "Regulars"},
    lists={LIST: "Guests of the fair"},
    line_properties={
        "category": Field("category", FieldType.TEXT, "category"),
        "price": Field("price", FieldType.NUMBER, "price"),
    },
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
    found: list[dict[str, Any]] = fitting.fit(draft.read(posted(where)), FIELDS)["where"]["of"]
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
    {
        "kind": "touchpoint",
        "event": "Product Viewed",
        "count": {"bound": "at_least", "n": 1},
        "window": {"kind": "ever"},
        "filters": [],
        "sources": ["till"],
    },
    {
        "kind": "measure",
        "event": "Product Viewed",
        "measure": "average",
        "property": "price",
        "operator": "between",
        "value": [100, 200],
        "window": {"kind": "calendar_days", "n": 30},
        "filters": [{"property": "sku", "operator": "is", "value": "A1"}],
    },
    {
        "kind": "measure",
        "event": "Product Viewed",
        "measure": "most_frequent",
        "property": "sku",
        "operator": "in",
        "value": ["A1", "A2"],
        "window": {"kind": "ever"},
        "filters": [],
    },
    {
        "kind": "sequence",
        "first": {"event": "Product Viewed", "filters": [{"property": "price", "operator": "at_least", "value": 5}]},
        "then": {"event": "Product Added", "filters": [], "sources": ["web-shop", "till"]},
        "without": {"event": "Product Added", "filters": [{"property": "sku", "operator": "is", "value": "B1"}]},
        "same": "sku",
        "within": {"n": 2, "unit": "hours"},
        "window": {"kind": "rolling", "n": 30, "unit": "days"},
    },
    {
        "kind": "sequence",
        "first": {"event": "Product Viewed", "filters": []},
        "then": {"event": "Product Added", "filters": []},
        "within": {"n": 7, "unit": "days"},
        "window": {"kind": "ever"},
    },
    {
        "kind": "order_line",
        "measure": "quantity",
        "operator": "at_least",
        "value": 3,
        "window": {"kind": "ever"},
        "filters": [{"property": "category", "operator": "contains", "value": "shoe"}],
    },
    {
        "kind": "order_line",
        "measure": "spent",
        "operator": "less_than",
        "value": 99.5,
        "currency": "USD",
        "window": {"kind": "ever"},
        "filters": [],
    },
    {"kind": "attribute", "trait": "birth_date", "operator": "anniversary_this_month"},
    {"kind": "attribute", "trait": "birth_date", "operator": "anniversary_in_next_days", "value": 14},
    {"kind": "reachable", "purpose": "marketing", "channel": "email"},
    {"kind": "segment", "segment": SEGMENT, "is_in": False},
    {"kind": "list", "list": LIST, "is_in": True},
    {"kind": "not", "of": [{"kind": "attribute", "trait": "city", "operator": "unknown"}]},
]


def test_every_kind_of_condition_has_a_form() -> None:
    assert {member["kind"] for member in WHOLE} - set(draft.GROUPS) == fitting.KINDS


@pytest.mark.parametrize("member", WHOLE, ids=lambda member: f"{member['kind']}-{member.get('operator', '')}")
def test_a_posted_definition_is_the_definition(member: dict[str, Any]) -> None:
    assert fitted(member) == [member]
    written = fitting.fit(draft.read(posted({"kind": "all", "of": [member]})), FIELDS)
    assert serialise(parse(draft.finished(written), FIELDS))["where"]["of"] == [member]


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


@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        (
            {"kind": "touchpoint", "event": "Product Viewed", "count": {"bound": "sum", "n": "3"}},
            {"kind": "measure", "measure": "sum", "property": "", "operator": "more_than", "value": ""},
        ),
        (
            {"kind": "measure", "event": "Product Viewed", "measure": "at_most", "property": "price"},
            {"kind": "touchpoint", "count": {"bound": "at_most", "n": 1}},
        ),
        (
            {"kind": "measure", "event": "Product Viewed", "measure": "never", "property": "price"},
            {"kind": "touchpoint", "count": {"bound": "exactly", "n": 0}},
        ),
        (
            {"kind": "order_total", "measure": "spent", "operator": "at_least", "value": "5", "currency": "USD"},
            {"kind": "order_line", "measure": "spent", "value": 5, "currency": "USD", "filters": []},
        ),
        (
            {"kind": "order_line", "measure": "count", "operator": "at_least", "value": "5"},
            {"kind": "order_total", "measure": "count", "value": 5, "currency": "THB"},
        ),
        (
            {"kind": "consent", "purpose": "marketing", "channel": "sms", "state": "reachable"},
            {"kind": "reachable", "purpose": "marketing", "channel": "sms"},
        ),
        (
            {"kind": "reachable", "purpose": "marketing", "channel": "sms", "state": "refused"},
            {"kind": "consent", "purpose": "marketing", "channel": "sms", "state": "refused"},
        ),
    ],
    ids=lambda part: part["kind"],
)
def test_some_choices_make_another_kind_of_condition(said: dict[str, Any], becomes: dict[str, Any]) -> None:
    (member,) = fitted({**said, "window": {"kind": "calendar_days", "n": "3"}})

    assert becomes.items() <= member.items()
    assert member.get("window", {"kind": "calendar_days", "n": 3}) == {"kind": "calendar_days", "n": 3}


def test_a_source_that_is_open_again_is_none() -> None:
    one: dict[str, Any] = {"kind": "touchpoint", "event": "Product Viewed", "sources": ["till", "", "till"]}

    (member,) = fitted(one)
    assert member["sources"] == ["till"]

    (member,) = fitted({**one, "sources": [""]})
    assert "sources" not in member


def tree(*members: Any) -> dict[str, Any]:
    return {"version": 2, "where": {"kind": "all", "of": list(members)}}


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
        ("copy /where/of/1", ["a", "b", "b", "c"], "/where/of/2"),
        ("add-consent /where", ["a", "b", "c", "new"], "/where/of/3"),
        ("out /where/of/1", ["a", "b", "c"], None),
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

    assert actions.act(definition, action) == place
    assert cities(definition) == expected


LETTERS = {name: {"kind": "attribute", "trait": name} for name in "abcd"}


def nested(spoken: str) -> list[Any]:
    """ "a(bc)d" as members: brackets are groups."""
    groups: list[list[Any]] = [[]]
    for sign in spoken:
        if sign == "(":
            groups.append([])
        elif sign == ")":
            members = groups.pop()
            groups[-1].append({"kind": "any", "of": members})
        else:
            groups[-1].append(dict(LETTERS[sign]))
    return groups[0]


def spoken(members: list[Any]) -> str:
    return "".join(one["trait"] if "trait" in one else f"({spoken(one['of'])})" for one in members)


@pytest.mark.parametrize(
    ("before", "action", "after", "place"),
    [
        ("(a)b", "in /where/of/1", "(ab)", "/where/of/0/of/1"),
        ("a(b)", "in /where/of/0", "(ab)", "/where/of/0/of/0"),
        ("(a)b(c)", "in /where/of/1", "(ab)(c)", "/where/of/0/of/1"),
        ("ab", "in /where/of/1", "a(b)", "/where/of/1/of/0"),
        ("(a)(b)", "in /where/of/1", "(a(b))", "/where/of/0/of/1"),
        ("(ab)c", "out /where/of/0/of/0", "(b)ac", "/where/of/1"),
        ("c(a)", "out /where/of/1/of/0", "ca", "/where/of/1"),
        ("((a)b)", "out /where/of/0/of/0/of/0", "(ab)", "/where/of/0/of/0"),
        ("(ab)", "copy /where/of/0", "(ab)(ab)", "/where/of/1"),
    ],
)
def test_conditions_cross_the_borders_of_groups(before: str, action: str, after: str, place: str) -> None:
    definition = tree(*nested(before))

    assert actions.act(definition, action) == place
    assert spoken(definition["where"]["of"]) == after


def test_the_step_between_comes_and_goes() -> None:
    definition = tree({"kind": "sequence"})

    assert actions.act(definition, "add /where/of/0/without") == "/where/of/0/without"
    assert actions.act(definition, "add-filter /where/of/0/without") == "/where/of/0/without/filters/0"
    assert definition["where"]["of"][0]["without"] == {"filters": [{}]}
    assert actions.act(definition, "remove /where/of/0/without") == "/where/of/0"
    assert actions.act(definition, "remove /where/of/0/without") is None
    assert definition["where"]["of"] == [{"kind": "sequence"}]


def test_a_row_says_where_it_can_go() -> None:
    deep = "(((a)b)c)d"
    written = fitting.fit(tree(*nested(deep)), FIELDS)
    rows = {row.place: row for row in Painter(FIELDS, ENGLISH).rows(written).flat()}

    assert not rows["/where/of/1"].can_leave
    assert rows["/where/of/1"].can_enter  # the group before it
    assert rows["/where/of/0/of/0"].can_leave
    assert not rows["/where/of/0"].can_leave
    assert not rows["/where/of/0"].can_enter  # it is as deep as groups may be
    assert not rows["/where/of/0/of/0/of/0/of/0"].can_enter


def test_choices_say_how_many_people_they_are_about_and_the_common_ones_come_first() -> None:
    known = Popularity({"age": "~1,200"}, {"Product Viewed": "87"}, {"Product Viewed": {"price": "90 %"}})
    written = fitting.fit(tree(WHOLE[1], WHOLE[5]), FIELDS)
    shown = controls(Painter(FIELDS, ENGLISH, (), known).rows(written))

    def notes(name: str) -> list[tuple[str, str]]:
        return [(choice.value, choice.note) for choice in shown[name].choices]

    assert ("age", "~1,200") in notes("/where/of/0/trait")
    assert notes("/where/of/1/event") == [("", ""), ("Product Viewed", "87"), ("Product Added", "")]
    assert ("price", "90 %") in notes("/where/of/1/filters/0/property")


def test_a_segment_cannot_ask_for_itself() -> None:
    written = fitting.fit(tree({"kind": "segment"}), FIELDS)
    shown = controls(Painter(FIELDS, ENGLISH, own=SEGMENT).rows(written))

    assert [choice.value for choice in shown["/where/of/0/segment"].choices] == [""]


def test_controls_that_are_none_are_passed_over() -> None:
    hostile = [
        ("name", "x"),
        ("/where/of/0/trait/deeper", "x"),
        ("/where/of/0/kind", "attribute"),
        ("/where/of/0/kind/x", "y"),
        ("/where/" + "of/0/" * 50 + "kind", "all"),
        ("/elsewhere/of", "x"),
    ]

    definition = fitting.fit(draft.read(hostile), FIELDS)

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

    assert expected <= shown.keys()


def test_the_control_of_a_problem_is_marked() -> None:
    written = fitting.fit(
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
    written = fitting.fit(tree({"kind": "attribute"}, {"kind": "any", "of": []}), FIELDS)
    found = review(written, FIELDS)

    assert found.wrong == []
    assert [one.place for one in found.open] == ["/where/of/0/trait", "/where/of/1/of"]
