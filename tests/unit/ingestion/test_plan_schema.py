"""Schemas of the tracking plan: what may be pinned, the check against its reference, the table and the difference."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from ingestion.plan import schema, table
from ingestion.plan.schema import Change, InvalidSchema
from ingestion.plan.table import BadCell, Row

SKU = {"type": "string"}
SHOES = {
    "type": "object",
    "required": ["price"],
    "properties": {
        "price": {"type": "number", "exclusiveMinimum": 0},
        "size": {"type": ["integer", "null"], "minimum": 20, "maximum": 60},
        "color": {"type": "string", "enum": ["red", "blue"]},
        "day": {"type": "string", "format": "date"},
        "products": {"type": "array", "maxItems": 2, "items": {"type": "object", "properties": {"sku": SKU}}},
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"price": 5}, None),
        ({"price": 5, "other": 1}, None),
        ({}, "properties.price: required"),
        ({"price": "5"}, "properties.price: expected number"),
        ({"price": True}, "properties.price: expected number"),
        ({"price": 0}, "properties.price: expected more than 0"),
        ({"price": 5, "size": 70}, "properties.size: expected at most 60"),
        ({"price": 5, "size": None}, None),
        ({"price": 5, "size": 40.5}, "properties.size: expected integer or null"),
        ({"price": 5, "color": "green"}, "properties.color: expected one of red, blue"),
        ({"price": 5, "day": "22/11/2026"}, "properties.day: expected the format date"),
        ({"price": 5, "products": [{"sku": 7}]}, "properties.products[].sku: expected string"),
        ({"price": 5, "products": [{}, {}, {}]}, "properties.products: expected at most 2 items"),
    ],
)
def test_names_the_property_and_what_was_expected(properties: dict[str, Any], problem: str | None) -> None:
    schema.validate(SHOES)
    found = schema.compile_schema(SHOES)(properties)
    assert (None if found is None else str(found)) == problem


def test_what_is_not_planned_is_named_unless_it_looks_like_data() -> None:
    check = schema.compile_schema({"type": "object", "additionalProperties": False})
    assert str(check({"colour": 1})) == "properties.colour: not in the plan"
    assert str(check({"ann@example.com": 1})) == "properties.…: not in the plan"


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        {},
        {"type": "string"},
        {"type": "object", "pattern": "a+"},
        {"type": "object", "properties": {"a": {"$ref": "https://example.com"}}},
        {"type": "object", "properties": {"a": {"type": "colour"}}},
        {"type": "object", "properties": {"a": {"format": "regex"}}},
        {"type": "object", "properties": {"a": {"minLength": -1}}},
        {"type": "object", "properties": {"a": {"enum": []}}},
        {"type": "object", "properties": {"a": {"enum": [{}]}}},
        {"type": "object", "properties": {"0812345678": {}}},
        {"type": "object", "properties": {"a": True}},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "required": "price"},
        {"type": "object", "properties": {f"p{n:03}x": {} for n in range(301)}},
    ],
)
def test_other_keywords_and_malformed_schemas_are_refused(bad: Any) -> None:
    with pytest.raises(InvalidSchema):
        schema.validate(bad)


def test_a_schema_that_is_too_deep_is_refused() -> None:
    deep: dict[str, Any] = {"type": "object"}
    for _level in range(schema.MAX_DEPTH + 1):
        deep = {"type": "object", "properties": {"a": deep}}
    with pytest.raises(InvalidSchema):
        schema.validate(deep)


# --- the check against jsonschema -------------------------------------------------------------------------------------

_names = st.sampled_from(["a", "b", "c"])
_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(-5, 5)
    | st.sampled_from(["", "a", "abc", "2026-11-22", "2026-11-22T10:00:00Z", "a@b"])
)
_values = st.recursive(_scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3))
_leaf = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(schema.TYPES) | st.lists(st.sampled_from(schema.TYPES), min_size=1, unique=True),
        "enum": st.lists(_scalars, min_size=1, max_size=4),
        "const": _scalars,
        "minimum": st.integers(-3, 3),
        "maximum": st.integers(-3, 3),
        "exclusiveMinimum": st.integers(-3, 3),
        "exclusiveMaximum": st.floats(-3, 3),
        "minLength": st.integers(0, 4),
        "maxLength": st.integers(0, 4),
        "minItems": st.integers(0, 3),
        "maxItems": st.integers(0, 3),
        "format": st.sampled_from(schema.FORMATS),
        "required": st.lists(_names, unique=True),
        "additionalProperties": st.booleans(),
    },
)
_schemas = st.recursive(
    _leaf,
    lambda inner: st.builds(
        lambda own, properties, items: own | {"properties": properties} | ({} if items is None else {"items": items}),
        _leaf,
        st.dictionaries(_names, inner, max_size=3),
        st.none() | inner,
    ),
    max_leaves=5,
)
_formats = FormatChecker(formats=())
_formats.checks("date")(lambda value: not isinstance(value, str) or schema.is_date(value))
_formats.checks("date-time")(lambda value: not isinstance(value, str) or schema.is_date_time(value))
_formats.checks("email")(lambda value: not isinstance(value, str) or schema.is_email(value))


@given(_schemas, st.dictionaries(_names, _values, max_size=3))
def test_the_check_agrees_with_jsonschema(inner: dict[str, Any], value: dict[str, Any]) -> None:
    pinned = inner | {"type": "object"}
    schema.validate(pinned)
    reference = Draft202012Validator(pinned, format_checker=_formats)
    assert (schema.compile_schema(pinned)(value) is None) == reference.is_valid(value)


# --- the table --------------------------------------------------------------------------------------------------------


def test_a_table_says_what_its_schema_said() -> None:
    again = table.schema_of(table.rows_of(SHOES), base=SHOES, is_closed=False)
    assert schema.diff(SHOES, again) == []


def test_a_row_makes_its_keywords() -> None:
    rows = [
        Row("price", "number", is_required=True, low="1", high="1,000.5"),
        Row("size", "string", may_be_empty=True, allowed="S\n M \n"),
        Row("products[].sku", "string", high="40"),
        Row("", "string"),
    ]
    assert table.schema_of(rows, base={}, is_closed=True) == {
        "type": "object",
        "additionalProperties": False,
        "required": ["price"],
        "properties": {
            "price": {"type": "number", "minimum": 1, "maximum": 1000.5},
            "size": {"type": ["string", "null"], "enum": ["S", "M", None]},
            "products": {
                "type": "array",
                "items": {"type": "object", "properties": {"sku": {"type": "string", "maxLength": 40}}},
            },
        },
    }


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (Row("a..b"), "path"),
        (Row("a[]"), "path"),
        (Row("a", "colour"), "kind"),
        (Row("a", "integer", allowed="one"), "allowed"),
        (Row("a", "boolean", allowed="yes"), "allowed"),
        (Row("a", "number", low="little"), "low"),
        (Row("a", "string", high="2.5"), "high"),
        (Row("a", "string", low="-1"), "low"),
        (Row("a", "boolean", low="1"), "low"),
        (Row("a", "number", high="1e400"), "high"),
    ],
)
def test_a_cell_that_says_nothing_usable_is_named(row: Row, column: str) -> None:
    with pytest.raises(BadCell) as bad:
        table.schema_of([Row("fine"), row], base={}, is_closed=False)
    assert (bad.value.row, bad.value.column) == (1, column)


def test_the_difference_goes_property_by_property() -> None:
    after = {
        "type": "object",
        "required": ["price", "size"],
        "properties": {
            **{name: inner for name, inner in SHOES["properties"].items() if name != "day"},  # type: ignore[attr-defined]
            "color": {"type": "string", "enum": ["red"]},
        },
    }
    assert schema.diff(SHOES, after) == [
        Change("color", "enum", ["red", "blue"], ["red"]),
        Change("day", "format", "date", None),
        Change("day", "property", True, None),
        Change("day", "type", "string", None),
        Change("size", "required", None, True),
    ]
