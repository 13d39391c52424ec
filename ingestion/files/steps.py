"""What is done to a column's text before it becomes something: a mapping's steps, in their order. Pure.

    {"from": "วันที่", "to": "timestamp", "steps": [{"do": "join", "column": "เวลา", "text": " "}]}
    {"from": "เพศ", "to": "trait", "name": "gender", "steps": [{"do": "map", "values": {"ช": "male"}}]}

An empty cell stays empty: only `join` brings something into it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from ingestion.files.codes import RowProblem
from ingestion.normalise.dates import DateOrder, TwoDigitYears, normalise_date
from ingestion.normalise.names import person_name
from ingestion.normalise.thai import ascii_digits

MAX_STEPS: Final = 6
MAX_TEXT: Final = 60
MAX_VALUES: Final = 200
DATE_ORDERS: Final = ("dmy", "mdy", "ymd")


class StepKind(StrEnum):
    """What a step does."""

    TRIM = "trim"  # takes spaces and `text`'s characters off both ends
    PREFIX = "prefix"  # puts `text` in front, where it is not there yet
    JOIN = "join"  # appends another column's text, `text` between them
    MAP = "map"  # replaces values
    NUMBER = "number"  # Thai digits, thousands separators, currency signs → a plain number
    DATE = "date"  # a day in any writing → ISO 8601
    SPLIT_NAME = "split_name"  # a full name → title, first, middle and last name


class Other(StrEnum):
    """What becomes of a value that a map does not name."""

    KEEP = "keep"
    EMPTY = "empty"
    PROBLEM = "problem"


_KINDS: Final = frozenset(kind.value for kind in StepKind)
_OTHERS: Final = frozenset(other.value for other in Other)


class StepProblem(ValueError):
    """A value that a step cannot take: the row is left out."""

    def __init__(self, problem: RowProblem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step, checked. `order` None: the mapping's own."""

    do: StepKind
    text: str = ""
    column: str = ""
    values: Mapping[str, str] = field(default_factory=dict)  # casefolded → replacement
    other: Other = Other.KEEP
    order: DateOrder | None = None
    decimal_comma: bool = False
    unsigned: bool = False


def parse(stated: Any) -> tuple[Step, ...] | None:
    """The steps of a field; None when they are no steps."""
    if not isinstance(stated, list) or len(stated) > MAX_STEPS:
        return None
    found = [_step(one) for one in stated]
    steps = [step for step in found if step is not None]
    splits = [place for place, step in enumerate(steps) if step.do is StepKind.SPLIT_NAME]
    if len(steps) < len(found) or (splits and splits != [len(steps) - 1]):
        return None
    return tuple(steps)


def _step(one: Any) -> Step | None:
    if not isinstance(one, dict) or one.get("do") not in _KINDS:
        return None
    do = StepKind(one["do"])
    text, column, values = one.get("text", ""), one.get("column", ""), one.get("values", {})
    fits = (
        isinstance(text, str)
        and len(text) <= MAX_TEXT
        and isinstance(column, str)
        and "[]" not in column
        and bool(column) is (do is StepKind.JOIN)
        and isinstance(values, dict)
        and bool(values) is (do is StepKind.MAP)
        and len(values) <= MAX_VALUES
        and all(isinstance(value, str) for value in values.values())
        and one.get("other", "keep") in _OTHERS
        and one.get("order") in (None, *DATE_ORDERS)
        and isinstance(one.get("decimal_comma", False), bool)
        and isinstance(one.get("unsigned", False), bool)
        and (do is not StepKind.PREFIX or bool(text))
    )
    if not fits:
        return None
    return Step(
        do=do,
        text=text,
        column=column,
        values={str(key).strip().casefold(): value for key, value in values.items()},
        other=Other(one.get("other", "keep")),
        order=one.get("order"),
        decimal_comma=one.get("decimal_comma", False),
        unsigned=one.get("unsigned", False),
    )


@dataclass(frozen=True, slots=True)
class Dates:
    """How a mapping's dates are written."""

    order: DateOrder
    two_digit_years: TwoDigitYears | None


Apply = Callable[[str, Any], str]  # (text, the row) → text


def chain(steps: Sequence[Step], *, dates: Dates, text_of: Callable[[str], Callable[[Any], str]]) -> Apply:
    """One function out of the steps; it raises StepProblem.

    Args:
        text_of: column → what reads its text out of a row.
    """
    applied = [_apply(step, dates, text_of) for step in steps if step.do is not StepKind.SPLIT_NAME]

    def run(text: str, cells: Any) -> str:
        for one in applied:
            text = one(text, cells)
        return text

    return run


def _apply(step: Step, dates: Dates, text_of: Callable[[str], Callable[[Any], str]]) -> Apply:
    match step.do:
        case StepKind.TRIM:
            edges = f" \t\r\n\u00a0{step.text}"
            return lambda text, _cells: text.strip(edges)
        case StepKind.PREFIX:
            return lambda text, _cells: text if not text or text.startswith(step.text) else step.text + text
        case StepKind.JOIN:
            other = text_of(step.column)
            return lambda text, cells: step.text.join(part for part in (text, other(cells)) if part)
        case StepKind.MAP:
            return lambda text, _cells: mapped(step, text)
        case StepKind.NUMBER:
            return lambda text, _cells: (
                plain_number(text, decimal_comma=step.decimal_comma, unsigned=step.unsigned) if text else ""
            )
        case _:
            return lambda text, _cells: iso_day(step, text, dates)


def mapped(step: Step, text: str) -> str:
    """What the map says of a value. Raises StepProblem."""
    if not text:
        return ""
    found = step.values.get(text.casefold())
    if found is not None:
        return found
    if step.other is Other.PROBLEM:
        raise StepProblem(RowProblem.VALUE)
    return "" if step.other is Other.EMPTY else text


def iso_day(step: Step, text: str, dates: Dates) -> str:
    """The day in ISO 8601, or the text itself when it names none."""
    if not text:
        return ""
    day = normalise_date(text, order=step.order or dates.order, two_digit_years=dates.two_digit_years)
    return day.value if day.problem is None else text


def doubt(step: Step, text: str, dates: Dates) -> str | None:
    """Code of why a step leaves a text as it came although it is there to change it; None when it does not."""
    if text and step.do is StepKind.MAP and step.other is Other.KEEP and text.casefold() not in step.values:
        return RowProblem.VALUE.value
    if text and step.do is StepKind.DATE:
        day = normalise_date(text, order=step.order or dates.order, two_digit_years=dates.two_digit_years)
        return day.problem.value if day.problem else None
    return None


def plain_number(text: str, *, decimal_comma: bool = False, unsigned: bool = False) -> str:
    """A number as shops write it (thousands separators, a currency sign, Thai digits) in plain digits.

    Raises StepProblem.
    """
    bare = ascii_digits(text).replace("฿", "").replace("บาท", "").replace("THB", "").strip()
    thousands, point = (".", ",") if decimal_comma else (",", ".")
    bare = bare.replace(thousands, "").replace(" ", "").replace(point, ".")
    try:
        number = Decimal(bare)
    except InvalidOperation as error:
        raise StepProblem(RowProblem.NUMBER) from error
    if not number.is_finite() or abs(number) >= 10**12:
        raise StepProblem(RowProblem.NUMBER)
    return f"{abs(number) if unsigned else number:f}"


def name_parts(text: str) -> dict[str, str]:
    """A full name as traits: its parts, or the whole as `name` where it is no person's (masked, a company, a nick)."""
    name = person_name(text)
    if name is None or name.display_only or name.first is None:
        return {"name": text}
    first, last = name.first, name.last or ""
    middle = name.full.removeprefix(first).removesuffix(last).strip() if name.full.startswith(first) else ""
    parts = {"title": name.title or "", "first_name": first, "middle_name": middle, "last_name": last}
    return {part: value for part, value in parts.items() if value}
