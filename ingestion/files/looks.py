"""What values look like, whatever their column is called; and what their dates leave open. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ingestion.normalise.dates import DateOrder, TwoDigitYears, normalise_date
from ingestion.normalise.email import normalise_email
from ingestion.normalise.national_id import normalise_national_id
from ingestion.normalise.phone import normalise_phone
from ingestion.normalise.thai import ascii_digits
from ingestion.normalise.values import Problem

MOST: Final = 0.8  # of the values that have to look alike: a column always has some odd ones
ENOUGH: Final = 3  # values before their being all different says anything
FIRST_YEAR: Final = 1927
LAST_BIRTH_YEAR: Final = 2012  # dates up to here, most of a column, are birthdays rather than what happened lately
_TIME: Final = re.compile(r"\d{1,2}[:.]\d\d(?:[:.]\d\d)?\s*(?:น\.?|am|pm)?", re.IGNORECASE)
_PHONE: Final = re.compile(r"(?:\+|00|0|66)[\d\s().-]{8,18}")
_LINE_ID: Final = re.compile(r"U[0-9a-f]{32}")
_ID: Final = re.compile(r"(?=.*\d)[^\s,@]{1,40}")
_FRACTION: Final = re.compile(r"-?\d+[.,]\d+")
_BUDDHIST_YEAR: Final = re.compile(r"(?<!\d)2[45]\d\d(?!\d)|พ\.?ศ")
_GREGORIAN_YEAR: Final = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|ค\.?ศ")
_DATE_TRAITS: Final = frozenset({"birth_date", "created_at"})


def is_date_field(field: Mapping[str, Any]) -> bool:
    """Whether a field of a definition reads its column as a date."""
    return (
        field["to"] == "timestamp"
        or (field["to"] == "trait" and field.get("name") in _DATE_TRAITS)
        or any(step.get("do") == "date" for step in field.get("steps", ()))
    )


def are_times(values: Sequence[str]) -> bool:
    return bool(values) and all(_TIME.fullmatch(ascii_digits(value).strip()) for value in values)


def are_days(values: Sequence[str]) -> bool:
    """Dates without a time of day."""
    known = (None, Problem.AMBIGUOUS_YEAR, Problem.DATE_ORDER)
    return bool(values) and all(":" not in value and normalise_date(value).problem in known for value in values)


def are_quoted(values: Sequence[str]) -> bool:
    """Texts that a spreadsheet keeps from becoming numbers by an apostrophe."""
    return any(value.startswith("'") for value in values)


def are_ids(values: Sequence[str]) -> bool:
    """Short, all different, and with a digit in each."""
    return (
        len(values) >= ENOUGH
        and len(set(values)) == len(values)
        and all(_ID.fullmatch(value) and not _FRACTION.fullmatch(value) for value in values)
        and not are_days(values)
        and not are_times(values)
    )


def as_trait(column: str, values: Sequence[str]) -> dict[str, Any] | None:
    """What a column's values are of themselves: e-mail addresses, LINE ids, citizen numbers, phones, birthdays."""
    found = [value.strip().lstrip("'") for value in values if value.strip()]
    if not found or "[]" in column:
        return None
    trait = None
    if _most(found, lambda value: "@" in value and normalise_email(value).problem is not Problem.MALFORMED):
        trait = "email"
    elif _most(found, lambda value: _LINE_ID.fullmatch(value) is not None):
        trait = "line_id"
    elif _most(found, lambda value: normalise_national_id(value).problem is None):
        trait = "national_id"
    elif _most(found, lambda value: normalise_national_id(value).problem is Problem.COMPANY_ID):
        trait = "tax_id"
    elif _most(found, _is_phone):
        trait = "phone"
    elif _most(found, _is_birthday):
        trait = "birth_date"
    return {"to": "trait", "name": trait} if trait else None


def _most(values: Sequence[str], fits: Any) -> bool:
    return sum(1 for value in values if fits(value)) >= MOST * len(values)


def _is_phone(value: str) -> bool:
    return _PHONE.fullmatch(ascii_digits(value)) is not None and normalise_phone(value).problem is not Problem.MALFORMED


def _is_birthday(value: str) -> bool:
    if value.isdigit():
        return False
    day = normalise_date(value)
    return day.problem is None and int(day.value[:4]) <= LAST_BIRTH_YEAR


# --- dates ----------------------------------------------------------------------------------------------------------


def date_style(dates: Sequence[str]) -> tuple[DateOrder, dict[str, Any] | None]:
    """The order that most dates fit, day first in doubt; and of two-digit years the era of the four-digit ones beside
    them. None when there are no two-digit years, or nothing says what they mean: then a person is asked."""
    order = _likeliest(dates)
    if not any(normalise_date(text, order=order).problem is Problem.AMBIGUOUS_YEAR for text in dates):
        return order, None
    if any(_BUDDHIST_YEAR.search(ascii_digits(text)) for text in dates):
        return order, {"era": "buddhist", "first_year": FIRST_YEAR}
    if any(_GREGORIAN_YEAR.search(ascii_digits(text)) for text in dates):
        return order, {"era": "gregorian", "first_year": FIRST_YEAR}
    return order, None


def _likeliest(dates: Sequence[str]) -> DateOrder:
    orders: tuple[DateOrder, ...] = ("dmy", "mdy", "ymd")
    return min(orders, key=lambda order: _misfits(dates, order))  # the first of equals


def _misfits(dates: Sequence[str], order: DateOrder) -> int:
    return sum(normalise_date(text, order=order).problem is Problem.DATE_ORDER for text in dates)


@dataclass(frozen=True, slots=True)
class Example:
    """A date of the file, and the day that it is by each of the choices."""

    text: str
    readings: Mapping[str, str]  # choice → ISO date


def order_question(dates: Sequence[str], chosen: DateOrder, years: TwoDigitYears | None) -> Example | None:
    """A date that shows that the order of day and month must be asked: its readings differ and nothing else in the
    file decides between them, or the chosen order does not fit the file. None when there is nothing to ask."""
    orders: tuple[DateOrder, ...] = ("dmy", "mdy", "ymd")
    fitting = [order for order in orders if not _misfits(dates, order)]
    for text in dates:
        readings = _readings(text, {order: (order, years) for order in orders})
        if chosen not in fitting and chosen not in readings and readings:
            return Example(text, readings)
        told = {readings[order] for order in fitting if order in readings}
        if len(told) > 1:
            return Example(text, readings)
    return None


def years_question(dates: Sequence[str], order: DateOrder) -> Example | None:
    """A date with a year of two digits, of which a person has to say the era; None when there is none."""
    eras = {era: (order, TwoDigitYears(era, FIRST_YEAR)) for era in ("buddhist", "gregorian")}
    for text in dates:
        if normalise_date(text, order=order).problem is Problem.AMBIGUOUS_YEAR:
            return Example(text, _readings(text, eras))
    return None


def _readings(text: str, ways: Mapping[str, tuple[DateOrder, TwoDigitYears | None]]) -> dict[str, str]:
    """Choice → the day, where it gives one."""
    found = {way: normalise_date(text, order=order, two_digit_years=years) for way, (order, years) in ways.items()}
    return {way: day.value for way, day in found.items() if day.problem is None}
