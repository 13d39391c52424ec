"""How values are compared: the operators, and what stands to the right of each. No Django."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from segments.definition.checked import Checked, Flaw, date_flaws, text_flaws, whole_flaws

MAX_CHOICES = 500
"""Values of one "is one of" list. A longer list is an upload (`segments.lists`), not a condition."""
MAX_TEXT = 200
MAX_DIGITS = 15
"""Significant digits of a number: what a JSON number carries exactly through every JSON library."""
MAX_DAYS = 36_600
"""A hundred years: a birth date may lie that far back."""
MAX_ANNIVERSARY_DAYS = 365
"""Of "in the next … days": of more, every day of the year would be among them."""


class Operator(StrEnum):
    """How a value is compared. All but KNOWN and UNKNOWN are about a value, so they are false where none is known."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    MORE_THAN = "more_than"
    LESS_THAN = "less_than"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    BETWEEN = "between"
    ON = "on"
    BEFORE = "before"
    AFTER = "after"
    BETWEEN_DATES = "between_dates"
    IN_LAST_DAYS = "in_last_days"
    IN_NEXT_DAYS = "in_next_days"
    MORE_THAN_DAYS_AGO = "more_than_days_ago"
    ANNIVERSARY_TODAY = "anniversary_today"
    ANNIVERSARY_IN_NEXT_DAYS = "anniversary_in_next_days"
    ANNIVERSARY_IN_LAST_DAYS = "anniversary_in_last_days"
    ANNIVERSARY_THIS_MONTH = "anniversary_this_month"


class Operand(StrEnum):
    """What stands to the right of an operator."""

    NOTHING = "nothing"
    SCALAR = "scalar"
    CHOICES = "choices"
    TEXT = "text"
    NUMBER = "number"
    NUMBERS = "numbers"
    DATE = "date"
    DATES = "dates"
    DAYS = "days"
    YEAR_DAYS = "year_days"
    """Days of which no two are the same day of the year."""


OPERANDS: Mapping[Operator, Operand] = MappingProxyType(
    {
        Operator.KNOWN: Operand.NOTHING,
        Operator.UNKNOWN: Operand.NOTHING,
        Operator.IS: Operand.SCALAR,
        Operator.IS_NOT: Operand.SCALAR,
        Operator.IN: Operand.CHOICES,
        Operator.NOT_IN: Operand.CHOICES,
        Operator.CONTAINS: Operand.TEXT,
        Operator.NOT_CONTAINS: Operand.TEXT,
        Operator.STARTS_WITH: Operand.TEXT,
        Operator.MORE_THAN: Operand.NUMBER,
        Operator.LESS_THAN: Operand.NUMBER,
        Operator.AT_LEAST: Operand.NUMBER,
        Operator.AT_MOST: Operand.NUMBER,
        Operator.BETWEEN: Operand.NUMBERS,
        Operator.ON: Operand.DATE,
        Operator.BEFORE: Operand.DATE,
        Operator.AFTER: Operand.DATE,
        Operator.BETWEEN_DATES: Operand.DATES,
        Operator.IN_LAST_DAYS: Operand.DAYS,
        Operator.IN_NEXT_DAYS: Operand.DAYS,
        Operator.MORE_THAN_DAYS_AGO: Operand.DAYS,
        Operator.ANNIVERSARY_TODAY: Operand.NOTHING,
        Operator.ANNIVERSARY_IN_NEXT_DAYS: Operand.YEAR_DAYS,
        Operator.ANNIVERSARY_IN_LAST_DAYS: Operand.YEAR_DAYS,
        Operator.ANNIVERSARY_THIS_MONTH: Operand.NOTHING,
    }
)

NEGATIVE: Mapping[Operator, Operator] = MappingProxyType(
    {
        Operator.IS_NOT: Operator.IS,
        Operator.NOT_IN: Operator.IN,
        Operator.NOT_CONTAINS: Operator.CONTAINS,
    }
)
"""Each negative operator with the one it denies: "a value is known, and none of the values matches"."""

Value = None | str | bool | int | Decimal | dt.date | tuple[str, ...] | tuple[Decimal, ...] | tuple[dt.date, dt.date]


@dataclass(frozen=True)
class Comparison(Checked):
    """An operator and what it compares with. `value` has the type that `OPERANDS[operator]` asks for."""

    operator: Operator
    value: Value = None

    def _flaws(self) -> Iterator[Flaw]:
        yield from _OPERAND_FLAWS[OPERANDS[self.operator]](self.value)


def _nothing_flaws(value: object) -> Iterator[Flaw]:
    if value is not None:
        yield Flaw("value", "value-unexpected")


def _text_flaws(value: object) -> Iterator[Flaw]:
    yield from text_flaws("value", value, MAX_TEXT)


def _number_flaws(value: object) -> Iterator[Flaw]:
    if value == "":
        yield Flaw("value", "value-missing")
    elif not isinstance(value, Decimal):
        yield Flaw("value", "number-expected")
    elif not value.is_finite() or len(value.normalize().as_tuple().digits) > MAX_DIGITS or abs(value) >= 10**MAX_DIGITS:
        yield Flaw("value", "number-too-long", {"limit": MAX_DIGITS})


def _scalar_flaws(value: object) -> Iterator[Flaw]:
    if isinstance(value, Decimal):
        yield from _number_flaws(value)
    elif not isinstance(value, bool):
        yield from _text_flaws(value)


def _choices_flaws(value: object) -> Iterator[Flaw]:
    if not isinstance(value, tuple):
        yield Flaw("value", "list-expected")
        return
    if not value:
        yield Flaw("value", "value-missing")
    elif len(value) > MAX_CHOICES:
        yield Flaw("value", "list-too-long", {"limit": MAX_CHOICES})
    elif len({type(choice) for choice in value}) > 1:
        yield Flaw("value", "list-mixed")
    elif any(isinstance(choice, bool) for choice in value):
        yield Flaw("value", "text-expected")
    else:
        for choice in value:
            yield from _scalar_flaws(choice)


def _numbers_flaws(value: object) -> Iterator[Flaw]:
    if not (isinstance(value, tuple) and len(value) == 2):
        yield Flaw("value", "two-numbers-expected")
        return
    flaws = [flaw for part in value for flaw in _number_flaws(part)]
    yield from flaws
    if not flaws and value[0] > value[1]:
        yield Flaw("value", "range-reversed")


def _dates_flaws(value: object) -> Iterator[Flaw]:
    if not (isinstance(value, tuple) and len(value) == 2):
        yield Flaw("value", "two-dates-expected")
        return
    flaws = [flaw for part in value for flaw in date_flaws(part)]
    yield from flaws
    if not flaws and value[0] > value[1]:
        yield Flaw("value", "range-reversed")


def _days_flaws(value: object) -> Iterator[Flaw]:
    yield from whole_flaws("value", value, 1, MAX_DAYS)


def _year_days_flaws(value: object) -> Iterator[Flaw]:
    yield from whole_flaws("value", value, 1, MAX_ANNIVERSARY_DAYS)


_OPERAND_FLAWS = {
    Operand.NOTHING: _nothing_flaws,
    Operand.SCALAR: _scalar_flaws,
    Operand.CHOICES: _choices_flaws,
    Operand.TEXT: _text_flaws,
    Operand.NUMBER: _number_flaws,
    Operand.NUMBERS: _numbers_flaws,
    Operand.DATE: date_flaws,
    Operand.DATES: _dates_flaws,
    Operand.DAYS: _days_flaws,
    Operand.YEAR_DAYS: _year_days_flaws,
}
