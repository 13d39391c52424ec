"""Comparisons as SQL over stored JSON. `values` holds their meaning; each function here has its twin there."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial

from psycopg import sql

from segments.definition.evaluate import Moment
from segments.definition.nodes import NEGATIVE, Comparison, Operator
from segments.definition.values import (
    DATE_PATTERN,
    LOCAL_MOMENT_PATTERN,
    LONGEST_NUMBER,
    MOMENT_PATTERN,
    NUMBER_PATTERN,
    Days,
    anniversaries,
    day_bounds,
    fold,
)

SQL = sql.SQL


@dataclass(frozen=True)
class JsonValue:
    """An expression of type jsonb, and the same as text (scalars as they are, lists and objects as JSON).

    `may_be_list` is False where the writer of the column keeps no list: then none is looked for. `is_day`: it is a day
    that there is, written YYYY-MM-DD, or NULL.
    """

    json: sql.Composable
    text: sql.Composable
    may_be_list: bool = True
    is_day: bool = False

    @classmethod
    def of_key(cls, table: str, key: str, *, may_be_list: bool = True) -> "JsonValue":
        """The value of a key of a jsonb column."""
        return cls(SQL("{} -> {}").format(SQL(table), key), SQL("{} ->> {}").format(SQL(table), key), may_be_list)

    @classmethod
    def of(cls, expression: sql.Composable, *, may_be_list: bool = True) -> "JsonValue":
        return cls(expression, SQL("{} #>> '{{}}'").format(expression), may_be_list)

    @classmethod
    def of_column(cls, column: str) -> "JsonValue":
        """A column of texts or numbers, of which the empty text is no value."""
        found = SQL("nullif({}::text, '')").format(SQL(column))
        return cls(SQL("CASE WHEN {} <> '' THEN to_jsonb({}) END").format(found, SQL(column)), found, may_be_list=False)

    @classmethod
    def of_text(cls, column: sql.Composable, *, is_day: bool = False) -> "JsonValue":
        """A column of texts that are values as they stand, and NULL where there is none."""
        return cls(SQL("to_jsonb({})").format(column), column, may_be_list=False, is_day=is_day)

    def otherwise(self, other: "JsonValue") -> "JsonValue":
        """This value, or the other one where this is NULL."""
        return JsonValue(
            SQL("coalesce({}, {})").format(self.json, other.json),
            SQL("coalesce({}, {})").format(self.text, other.text),
            self.may_be_list or other.may_be_list,
        )


ELEMENT = JsonValue.of(SQL("e.v"), may_be_list=False)
_SCALARS = SQL("('string', 'number', 'boolean')")


def matches(value: JsonValue, comparison: Comparison, moment: Moment) -> sql.Composable:
    """Whether a stored value satisfies a comparison: true, or false or NULL where it does not."""
    operator = comparison.operator
    if operator is Operator.KNOWN:
        return SQL("NOT {}").format(is_unknown(value))
    if operator is Operator.UNKNOWN:
        return is_unknown(value)
    if operator in NEGATIVE:
        positive = _any_reading(value, Comparison(NEGATIVE[operator], comparison.value), moment)
        return SQL("({} AND {} IS NOT TRUE)").format(_has_reading(value), positive)
    return _any_reading(value, comparison, moment)


def unless_list(value: JsonValue, comparison: Comparison, moment: Moment) -> sql.Composable:
    """Whether a value matches, and of a list that it may: what is in it `of_list` says. No subquery over elements."""
    if not value.may_be_list or comparison.operator in (Operator.KNOWN, Operator.UNKNOWN):
        return matches(value, comparison, moment)
    if comparison.operator not in NEGATIVE and (in_days := _in_days(comparison, moment)) is not None:
        return SQL(
            "({likely} AND CASE jsonb_typeof({json}) WHEN 'string' THEN {day} WHEN 'array' THEN true END)"
        ).format(likely=in_days.likely(value), json=value.json, day=_day_matches(value, in_days, moment))
    itself = matches(replace(value, may_be_list=False), comparison, moment)
    return SQL("({} OR jsonb_typeof({}) = 'array')").format(itself, value.json)


def of_list(value: JsonValue, comparison: Comparison, moment: Moment) -> sql.Composable:
    """Whether a value matches if it is a list; true of all others."""
    return SQL("CASE jsonb_typeof({}) WHEN 'array' THEN {} ELSE true END").format(
        value.json, matches(value, comparison, moment)
    )


def elements(value: JsonValue, alias: sql.SQL) -> sql.Composed:
    """A table expression `alias`(v) of what may be readings of a value: itself, or the elements of a list. Those that
    are readings satisfy `is_reading`."""
    return SQL(
        "jsonb_array_elements(CASE jsonb_typeof({json}) WHEN 'array' THEN {json} ELSE jsonb_build_array({json}) END) "
        "{alias}(v)"
    ).format(json=value.json, alias=alias)


def is_reading(value: JsonValue) -> sql.Composable:
    """Whether an element is a scalar and not blank."""
    return SQL("jsonb_typeof({json}) IN {scalars} AND {json} <> '\"\"'").format(json=value.json, scalars=_SCALARS)


def key_of(value: JsonValue) -> sql.Composable:
    """What two readings have in common when they are the same value (`values.Reading.key`)."""
    return SQL(
        "CASE jsonb_typeof({json}) WHEN 'number' THEN trim_scale(({json})::numeric)::text "
        "ELSE lower({text} COLLATE pg_c_utf8) END"
    ).format(json=value.json, text=value.text)


def is_unknown(value: JsonValue) -> sql.Composable:
    """That nothing is known, as `values.is_known` has it; never NULL."""
    return SQL("({json} IS NULL OR {json} IN ('null', '\"\"', '[]', '{{}}'))").format(json=value.json)


def may_be_unknown(value: JsonValue) -> sql.Composable:
    """The same of whatever is unknown, and of texts that look like it; it costs a third."""
    return SQL("coalesce({}, '') IN ('', '[]', '{{}}')").format(value.text)


def _any_reading(value: JsonValue, comparison: Comparison, moment: Moment) -> sql.Composable:
    """The value itself matches, or one element of it if it is a list, which is looked for last."""
    if not value.may_be_list:
        return _reading_matches(value, comparison, moment, may_be_structure=True)
    element = _element(value, _reading_matches(ELEMENT, comparison, moment))
    if (in_days := _in_days(comparison, moment)) is not None:
        return SQL(
            "({likely} AND CASE jsonb_typeof({json}) WHEN 'string' THEN {day} WHEN 'array' THEN {element} END)"
        ).format(
            likely=in_days.likely(value),
            json=value.json,
            day=_day_matches(value, in_days, moment),
            element=element,
        )
    if _texts(comparison) is None:
        return SQL(
            "CASE jsonb_typeof({json}) WHEN 'number' THEN {number} WHEN 'string' THEN {written} "
            "WHEN 'array' THEN {element} END"
        ).format(
            json=value.json,
            number=compare_number(_stored_number(value), comparison),
            written=_written_number_matches(value, comparison),
            element=element,
        )
    return SQL("({itself} OR CASE jsonb_typeof({json}) WHEN 'array' THEN {element} ELSE false END)").format(
        itself=_reading_matches(value, comparison, moment, may_be_structure=True), json=value.json, element=element
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
    if (in_days := _in_days(comparison, moment)) is not None:
        if value.is_day:
            return in_days.of_text(value.text)
        return SQL("({} AND {})").format(in_days.likely(value), _day_matches(value, in_days, moment))
    texts = _texts(comparison)
    if texts is None:
        return SQL("CASE WHEN jsonb_typeof({json}) = 'number' THEN {number} ELSE {written} END").format(
            json=value.json,
            number=compare_number(_stored_number(value), comparison),
            written=_written_number_matches(value, comparison),
        )
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


def number_of(value: JsonValue) -> sql.Composable:
    """The number of a reading; NULL where it has none."""
    return SQL("CASE WHEN jsonb_typeof({json}) = 'number' THEN {number} WHEN {is_number} THEN {written} END").format(
        json=value.json, number=_stored_number(value), is_number=_is_number(value), written=_written_number(value)
    )


def _written_number_matches(value: JsonValue, comparison: Comparison) -> sql.Composable:
    """The number that a text reads as, against a comparison; the text itself is looked at once."""
    return SQL("CASE WHEN {is_number} THEN {holds} END").format(
        is_number=_is_number(value), holds=compare_number(_written_number(value), comparison)
    )


def _stored_number(value: JsonValue) -> sql.Composable:
    return SQL("({})::numeric").format(value.json)


def _written_number(value: JsonValue) -> sql.Composable:
    return SQL("({})::numeric").format(value.text)


def _is_number(value: JsonValue) -> sql.Composable:
    return SQL("length({text}) <= {longest} AND {text} ~ {pattern}").format(
        text=value.text, longest=LONGEST_NUMBER, pattern=NUMBER_PATTERN
    )


@dataclass(frozen=True)
class _InDays:
    """The days that a comparison lets through: as a condition on a date, and on a text of the form YYYY-MM-DD, where it
    costs a fraction. Such texts are in the order of their days; those that name none (2026-02-30) may satisfy it.

    `bounds`: no other days are among them.
    """

    of_date: Callable[[sql.Composable], sql.Composable]
    of_text: Callable[[sql.Composable], sql.Composable]
    bounds: Days

    def likely(self, value: JsonValue) -> sql.Composable:
        """A condition that holds for whatever has a day among them, and for lists; so cheap that the planner asks it
        before anything else. A moment's day is at most two away from the one that it is written with, whatever its
        zone and the company's. A list begins with a bracket, which comes after all digits."""
        first, last = self.bounds
        conditions = []
        if first is not None:
            conditions.append(_compare_days(value.text, ">=", _moved(first, -2)))
        if last is not None:
            before = _compare_days(value.text, "<", _moved(last, 3))
            is_list = SQL('({}) COLLATE "C" >= {}').format(value.text, "[")
            conditions.append(SQL("({} OR {})").format(before, is_list) if value.may_be_list else before)
        return SQL(" AND ").join(conditions)


def _in_days(comparison: Comparison, moment: Moment) -> _InDays | None:
    """None for comparisons of other things than days."""
    if (kept := anniversaries(comparison, moment.today)) is not None:
        before = dt.date(max(kept), 1, 1)
        return _InDays(partial(_date_in_season, kept=kept), partial(_text_in_season, kept=kept), (None, before))
    if (bounds := day_bounds(comparison, moment.today)) is not None:
        return _InDays(partial(_date_within, bounds=bounds), partial(_text_within, bounds=bounds), bounds)
    return None


def _moved(day: dt.date, days: int) -> dt.date:
    """The day so many days later, or the first or last one that there is."""
    return dt.date.fromordinal(min(max(day.toordinal() + days, dt.date.min.toordinal()), dt.date.max.toordinal()))


def _day_matches(value: JsonValue, in_days: _InDays, moment: Moment) -> sql.Composable:
    """Whether the day of a text is among the days. A text that is written as a day is compared as it stands, before it
    is tried against the pattern, which costs most of all this."""
    return SQL(
        "CASE WHEN octet_length({text}) = 10 THEN {written} AND {text} ~ {date} AND pg_input_is_valid({text}, 'date') "
        "WHEN {text} ~ {moment} THEN CASE WHEN pg_input_is_valid({text}, 'timestamptz') THEN {passed} END "
        "WHEN {text} ~ {local} THEN {local_written} AND pg_input_is_valid({local_day}, 'date') END"
    ).format(
        text=value.text,
        written=in_days.of_text(value.text),
        date=DATE_PATTERN,
        moment=MOMENT_PATTERN,
        passed=in_days.of_date(
            SQL("(({})::timestamptz AT TIME ZONE {})::date").format(value.text, moment.time_zone.key)
        ),
        local=LOCAL_MOMENT_PATTERN,
        local_written=in_days.of_text(local_day := SQL("left({}, 10)").format(value.text)),
        local_day=local_day,
    )


def _date_within(day: sql.Composable, bounds: Days) -> sql.Composable:
    """The range reads the day once; BETWEEN would be written out as two comparisons, each with a reading."""
    return SQL("daterange({}, {}, '[]') @> {}").format(*bounds, day)


def _text_within(text: sql.Composable, bounds: Days) -> sql.Composable:
    first, last = bounds
    limits = [] if first is None else [_compare_days(text, ">=", first)]
    return SQL(" AND ").join(limits if last is None else [*limits, _compare_days(text, "<=", last)])


def _compare_days(text: sql.Composable, sign: str, day: dt.date) -> sql.Composable:
    return SQL('({}) COLLATE "C" {} {}').format(text, SQL(sign), day.isoformat())


def _date_in_season(day: sql.Composable, kept: Mapping[int, Sequence[str]]) -> sql.Composable:
    """Few days of the year come first: the day itself is read twice for those alone."""
    return _any_year(
        SQL("to_char(({day})::timestamp, 'MMDD') = ANY({days}) AND ({day}) < {new_year}").format(
            day=day, days=list(days), new_year=dt.date(year, 1, 1)
        )
        for year, days in kept.items()
    )


def _text_in_season(text: sql.Composable, kept: Mapping[int, Sequence[str]]) -> sql.Composable:
    return _any_year(
        SQL("right({}, 5) = ANY({}) AND {}").format(
            text, [f"{day[:2]}-{day[2:]}" for day in days], _compare_days(text, "<", dt.date(year, 1, 1))
        )
        for year, days in kept.items()
    )


def _any_year(conditions: Iterable[sql.Composable]) -> sql.Composable:
    return SQL("({})").format(SQL(" OR ").join(SQL("({})").format(one) for one in conditions))


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
