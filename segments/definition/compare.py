"""Comparisons as SQL over stored JSON. `values` holds their meaning; each function here has its twin there."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from psycopg import sql

from segments.definition.evaluate import Moment
from segments.definition.nodes import NEGATIVE, Comparison, Operator
from segments.definition.values import (
    DATE_PATTERN,
    LOCAL_MOMENT_PATTERN,
    LONGEST_NUMBER,
    MOMENT_PATTERN,
    NUMBER_PATTERN,
    day_bounds,
    fold,
)

SQL = sql.SQL


@dataclass(frozen=True)
class JsonValue:
    """An expression of type jsonb, and the same as text (scalars as they are, lists and objects as JSON).

    `may_be_list` is False where the writer of the column keeps no list: then none is looked for.
    """

    json: sql.Composable
    text: sql.Composable
    may_be_list: bool = True

    @classmethod
    def of_key(cls, table: str, key: str, *, may_be_list: bool = True) -> "JsonValue":
        """The value of a key of a jsonb column."""
        return cls(SQL("{} -> {}").format(SQL(table), key), SQL("{} ->> {}").format(SQL(table), key), may_be_list)

    @classmethod
    def of(cls, expression: sql.Composable, *, may_be_list: bool = True) -> "JsonValue":
        return cls(expression, SQL("{} #>> '{{}}'").format(expression), may_be_list)


ELEMENT = JsonValue.of(SQL("e.v"))
_SCALARS = SQL("('string', 'number', 'boolean')")


def matches(value: JsonValue, comparison: Comparison, moment: Moment) -> sql.Composable:
    """Whether a stored value satisfies a comparison: true, or false or NULL where it does not."""
    operator = comparison.operator
    if operator is Operator.KNOWN:
        return SQL("NOT {}").format(_is_unknown(value))
    if operator is Operator.UNKNOWN:
        return _is_unknown(value)
    if operator in NEGATIVE:
        positive = _any_reading(value, Comparison(NEGATIVE[operator], comparison.value), moment)
        return SQL("({} AND {} IS NOT TRUE)").format(_has_reading(value), positive)
    return _any_reading(value, comparison, moment)


def may_match(value: JsonValue, comparison: Comparison, moment: Moment) -> sql.Composable | None:
    """A condition that holds wherever `matches` does and is cheap to plan and to test: no subquery over elements.

    None where there is none to be had. The planner reckons a subquery for every row that it stands on, and leaves the
    right index for it; behind this condition it stands on few.
    """
    if comparison.operator in NEGATIVE or comparison.operator is Operator.UNKNOWN:
        return None
    if comparison.operator is Operator.KNOWN:
        return matches(value, comparison, moment)
    return SQL("({} OR jsonb_typeof({}) = 'array')").format(
        _reading_matches(value, comparison, moment, may_be_structure=True), value.json
    )


def _is_unknown(value: JsonValue) -> sql.Composable:
    """Never NULL."""
    return SQL("({json} IS NULL OR {json} IN ('null', '\"\"', '[]', '{{}}'))").format(json=value.json)


def _any_reading(value: JsonValue, comparison: Comparison, moment: Moment) -> sql.Composable:
    """The value itself matches, or one element of it if it is a list. The second test is skipped by the first."""
    if not value.may_be_list:
        return _reading_matches(value, comparison, moment, may_be_structure=True)
    return SQL("({itself} OR CASE jsonb_typeof({json}) WHEN 'array' THEN {element} ELSE false END)").format(
        itself=_reading_matches(value, comparison, moment, may_be_structure=True),
        json=value.json,
        element=_element(value, _reading_matches(ELEMENT, comparison, moment)),
    )


def _has_reading(value: JsonValue) -> sql.Composable:
    if not value.may_be_list:
        return SQL("CASE WHEN jsonb_typeof({}) IN {} THEN {} <> '' ELSE false END").format(
            value.json, _SCALARS, value.text
        )
    return SQL(
        "CASE WHEN jsonb_typeof({json}) IN {scalars} THEN {text} <> '' "
        "WHEN jsonb_typeof({json}) = 'array' THEN {element} ELSE false END"
    ).format(
        json=value.json,
        scalars=_SCALARS,
        text=value.text,
        element=_element(value, SQL("{} <> ''").format(ELEMENT.text)),
    )


def _element(value: JsonValue, condition: sql.Composable) -> sql.Composable:
    """Whether a scalar element of the list satisfies `condition`. For use where the value is known to be a list."""
    return SQL("EXISTS (SELECT FROM jsonb_array_elements({}) e(v) WHERE jsonb_typeof(e.v) IN {} AND {})").format(
        value.json, _SCALARS, condition
    )


def _reading_matches(
    value: JsonValue, comparison: Comparison, moment: Moment, *, may_be_structure: bool = False
) -> sql.Composable:
    """One scalar against one positive comparison. `may_be_structure`: the text may also be a list or object as JSON."""
    bounds = day_bounds(comparison, moment.today)
    if bounds is not None:
        return _in_days(_day(value, moment), bounds)
    texts = _texts(comparison)
    if texts is None:
        return compare_number(_number(value), comparison)
    condition = _compare_text(SQL("lower({} COLLATE pg_c_utf8)").format(value.text), comparison.operator, texts)
    # The JSON of a list or an object is no text of the person's. It begins with a bracket, so that most comparisons
    # cannot take it for one.
    is_mistakable = comparison.operator is Operator.CONTAINS or any(text[0] in "[{" for text in texts)
    if not (may_be_structure and is_mistakable):
        return condition
    return SQL("(jsonb_typeof({}) IN {} AND {})").format(value.json, _SCALARS, condition)


def _texts(comparison: Comparison) -> list[str] | None:
    """The texts that a comparison asks for, folded; None for one of numbers."""
    match comparison.value:
        case bool() as flag:
            return ["true" if flag else "false"]
        case str() as text:
            return [fold(text)]
        case tuple() as choices if isinstance(choices[0], str):
            return [fold(str(choice)) for choice in choices]
    return None


def _compare_text(text: sql.Composable, operator: Operator, wanted: list[str]) -> sql.Composable:
    match operator:
        case Operator.IN:
            return SQL("{} = ANY({})").format(text, wanted)
        case Operator.CONTAINS:
            return SQL("strpos({}, {}) > 0").format(text, wanted[0])
        case Operator.STARTS_WITH:
            return SQL("starts_with({}, {})").format(text, wanted[0])
        case _:
            return SQL("{} = {}").format(text, wanted[0])


def _number(value: JsonValue) -> sql.Composable:
    return SQL(
        "CASE WHEN jsonb_typeof({json}) = 'number' THEN ({json})::numeric "
        "WHEN length({text}) <= {longest} AND {text} ~ {pattern} THEN ({text})::numeric END"
    ).format(json=value.json, text=value.text, longest=LONGEST_NUMBER, pattern=NUMBER_PATTERN)


def _day(value: JsonValue, moment: Moment) -> sql.Composable:
    return SQL(
        "CASE WHEN {text} ~ {date} THEN CASE WHEN pg_input_is_valid({text}, 'date') THEN ({text})::date END "
        "WHEN {text} ~ {moment} THEN CASE WHEN pg_input_is_valid({text}, 'timestamptz') "
        "THEN (({text})::timestamptz AT TIME ZONE {zone})::date END "
        "WHEN {text} ~ {local} THEN CASE WHEN pg_input_is_valid(left({text}, 10), 'date') "
        "THEN left({text}, 10)::date END END"
    ).format(
        text=value.text,
        date=DATE_PATTERN,
        moment=MOMENT_PATTERN,
        local=LOCAL_MOMENT_PATTERN,
        zone=moment.time_zone.key,
    )


def _in_days(day: sql.Composable, bounds: tuple[dt.date | None, dt.date | None]) -> sql.Composable:
    match bounds:
        case (None, last):
            return SQL("({}) <= {}").format(day, last)
        case (first, None):
            return SQL("({}) >= {}").format(day, first)
        case (first, last):
            return SQL("({}) BETWEEN {} AND {}").format(day, first, last)


_SIGNS: Mapping[Operator, str] = {
    Operator.IS: "=",
    Operator.MORE_THAN: ">",
    Operator.LESS_THAN: "<",
    Operator.AT_LEAST: ">=",
    Operator.AT_MOST: "<=",
}


def compare_number(
    number: sql.Composable, comparison: Comparison, *, times: sql.Composable | None = None
) -> sql.Composable:
    """A numeric expression against a comparison of numbers, its amounts multiplied by `times` if given."""

    def amount(value: Decimal) -> sql.Composable:
        return sql.Literal(value) if times is None else SQL("{} * {}").format(value, times)

    match comparison.operator, comparison.value:
        case (Operator.BETWEEN, (Decimal() as low, Decimal() as high)):
            return SQL("({}) BETWEEN {} AND {}").format(number, amount(low), amount(high))
        case (Operator.IN, tuple() as choices):
            return SQL("({}) = ANY({}::numeric[])").format(number, list(choices))
        case (operator, Decimal() as value):
            return SQL("({}) {} {}").format(number, SQL(_SIGNS[operator]), amount(value))
    raise TypeError(f"{comparison.operator} compares no numbers")
