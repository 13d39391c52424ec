"""What a file's columns mean: a definition that people make on the mapping screen, stored as JSON, version 1. Pure.

    {"version": 1, "rows": "people", "date_order": "dmy", "two_digit_years": null, "empty": "unchanged",
     "fields": [{"from": "รหัส", "to": "record_id"}, {"from": "Mobile", "to": "trait", "name": "phone"}, …]}

`from` is a column of a CSV or a path of a JSON line ("FEATURES[].NAME_FULL"); `value` instead of it is a constant.
Parts of a name or of an address under one element of a list belong together, and each element gives one of its own.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar

from ingestion.files.codes import MappingCode
from ingestion.normalise.dates import DateOrder, TwoDigitYears

VERSION: Final = 1
MAX_FIELDS: Final = 300
DATE_ORDERS: Final = ("dmy", "mdy", "ymd")
ERAS: Final = ("buddhist", "gregorian")
STATES: Final = ("granted", "refused", "withdrawn")
ORDER_FIELDS: Final = ("id", "total", "currency", "coupon", "discount")
LINE_FIELDS: Final = (
    "line_id", "sku", "name", "category", "color", "quantity", "price", "total", "list_price", "discount", "coupon",
    "coupon_discount",
)  # fmt: skip
NUMERIC_FIELDS: Final = frozenset({"quantity", "price", "total", "list_price", "discount", "coupon_discount"})
PROPERTY_TYPES: Final = ("text", "number", "boolean")
# Traits of which a record may have several; another column for one of the others would overwrite the first.
MULTI_VALUED: Final = frozenset({"name", "first_name", "last_name", "email", "phone", "address"})
SEALED_KINDS: Final = frozenset({"national_id", "passport", "driving_licence"})
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,79}")
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,19}")
_NAMESPACE: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")


class RowKind(StrEnum):
    """What one row of the file is."""

    PEOPLE = "people"
    EVENTS = "events"
    ORDERS = "orders"  # a line of an order or receipt; lines of one order may lie scattered


class Target(StrEnum):
    """What a column can become."""

    RECORD_ID = "record_id"
    TRAIT = "trait"
    IDENTIFIER = "identifier"
    CONSENT = "consent"
    ANONYMOUS_ID = "anonymous_id"
    TIMESTAMP = "timestamp"
    ROW_ID = "row_id"
    EVENT = "event"
    PROPERTY = "property"
    ORDER = "order"
    LINE = "line"


ANYWHERE: Final = frozenset(
    {Target.RECORD_ID, Target.TRAIT, Target.IDENTIFIER, Target.CONSENT, Target.ANONYMOUS_ID, Target.TIMESTAMP}
)
TARGETS_OF: Final[Mapping[RowKind, frozenset[Target]]] = {
    RowKind.PEOPLE: ANYWHERE,
    RowKind.EVENTS: ANYWHERE | {Target.ROW_ID, Target.EVENT, Target.PROPERTY},
    RowKind.ORDERS: ANYWHERE | {Target.EVENT, Target.PROPERTY, Target.ORDER, Target.LINE},
}
_ONCE: Final = (Target.RECORD_ID, Target.ANONYMOUS_ID, Target.TIMESTAMP, Target.ROW_ID, Target.EVENT)


class Problem(NamedTuple):
    """One thing wrong: `place` is the index of the field, None for the whole; `about` a column or name."""

    code: MappingCode
    place: int | None = None
    about: str = ""


class InvalidMapping(ValueError):
    """Everything that is wrong with a definition, at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(", ".join(f"{problem.code}@{problem.place}" for problem in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, eq=False)  # hashed by identity: looked up for every cell
class Rule:
    """One column and what it becomes. `constant` None: the value is in `column`."""

    to: Target
    column: str = ""
    constant: str | None = None
    name: str = ""  # of trait, identifier kind, property, order or line field
    namespace: str = ""  # of an identifier; empty: the source's own
    type: str = "text"  # of a property
    purpose: str = ""
    channel: str = ""
    values: Mapping[str, str] = field(default_factory=dict)  # a consent cell, casefolded → state


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """A definition, checked."""

    rows: RowKind
    rules: tuple[Rule, ...]
    date_order: DateOrder = "dmy"
    two_digit_years: TwoDigitYears | None = None
    empty_clears: bool = False

    def of(self, *targets: Target) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.to in targets)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(rule.column for rule in self.rules if rule.column)


_DEFAULT_VALUES: Final = {
    **dict.fromkeys(("y", "yes", "true", "t", "1", "ใช่", "ยินยอม", "ยอมรับ", "รับ"), "granted"),
    **dict.fromkeys(("n", "no", "false", "f", "0", "ไม่", "ไม่ใช่", "ไม่ยินยอม", "ไม่ยอมรับ", "ไม่รับ"), "refused"),
}


def parse(definition: Any, *, columns: Sequence[str] | None = None) -> FieldMapping:
    """The definition, checked; raises InvalidMapping with all of its problems.

    Args:
        columns: the file's, when there is one: all that the definition names must be among them.
    """
    problems: list[Problem] = []
    if not isinstance(definition, dict) or definition.get("version") != VERSION:
        raise InvalidMapping([Problem(MappingCode.VERSION)])
    rows = _member(RowKind, definition.get("rows")) or RowKind.PEOPLE
    if rows != definition.get("rows"):
        problems.append(Problem(MappingCode.ROWS))
    date_order = definition.get("date_order", "dmy")
    if date_order not in DATE_ORDERS:
        problems.append(Problem(MappingCode.DATES))
    two_digit_years = _two_digit_years(definition.get("two_digit_years"), problems)
    if definition.get("empty", "unchanged") not in ("unchanged", "cleared"):
        problems.append(Problem(MappingCode.EMPTY))
    fields = definition.get("fields")
    if not isinstance(fields, list) or not 0 < len(fields) <= MAX_FIELDS:
        raise InvalidMapping([*problems, Problem(MappingCode.FIELDS)])
    rules = [rule for place, one in enumerate(fields) if (rule := _rule(place, one, rows, problems))]
    if not problems:
        _check_whole(rows, rules, problems)
    if columns is not None:
        known = set(columns)
        problems += [
            Problem(MappingCode.COLUMN, place, one["from"])
            for place, one in enumerate(fields)
            if isinstance(one, dict) and isinstance(one.get("from"), str) and one["from"] not in known
        ]
    if problems:
        raise InvalidMapping(problems)
    return FieldMapping(
        rows=rows,
        rules=tuple(rules),
        date_order=date_order,
        two_digit_years=two_digit_years,
        empty_clears=definition.get("empty") == "cleared",
    )


def _two_digit_years(stated: Any, problems: list[Problem]) -> TwoDigitYears | None:
    if stated is None:
        return None
    first_year = stated.get("first_year", 1927) if isinstance(stated, dict) else None
    if not isinstance(stated, dict) or stated.get("era") not in ERAS or not isinstance(first_year, int):
        problems.append(Problem(MappingCode.DATES))
        return None
    return TwoDigitYears(stated["era"], first_year)


def _rule(place: int, one: Any, rows: RowKind, problems: list[Problem]) -> Rule | None:
    if not isinstance(one, dict) or not all(isinstance(key, str) for key in one):
        problems.append(Problem(MappingCode.FIELD, place))
        return None
    to = _member(Target, one.get("to"))
    if to is None:
        problems.append(Problem(MappingCode.TARGET, place, str(one.get("to"))[:80]))
        return None
    before = len(problems)
    if to not in TARGETS_OF[rows]:
        problems.append(Problem(MappingCode.NOT_HERE, place, to))
    column, constant = _text(one.get("from")), _text(one.get("value")).strip()
    if bool(column) == bool(constant) or (constant and to in (Target.RECORD_ID, Target.ROW_ID)):
        problems.append(Problem(MappingCode.SOURCE, place))
    name = one.get("name", "")
    if not _name_fits(to, name):
        problems.append(Problem(MappingCode.NAME, place, str(name)[:80]))
    namespace = one.get("namespace", "")
    if namespace and not (isinstance(namespace, str) and _NAMESPACE.fullmatch(namespace)):
        problems.append(Problem(MappingCode.NAME, place, str(namespace)[:80]))
    if one.get("type", "text") not in PROPERTY_TYPES:
        problems.append(Problem(MappingCode.NAME, place, str(one.get("type"))[:80]))
    values = _consent_values(place, to, one, problems)
    if len(problems) > before:
        return None
    return Rule(
        to=to,
        column=column,
        constant=constant or None,
        name=name,
        namespace=namespace,
        type=one.get("type", "text"),
        purpose=one.get("purpose", ""),
        channel=one.get("channel", ""),
        values=values,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


_Kind = TypeVar("_Kind", bound=StrEnum)


def _member(kind: type[_Kind], value: Any) -> _Kind | None:
    return next((member for member in kind if member.value == value), None)


_NAMES_OF: Final[Mapping[Target, Callable[[str], bool]]] = {
    Target.TRAIT: lambda name: bool(_NAME.fullmatch(name)),
    Target.IDENTIFIER: lambda name: bool(_KIND.fullmatch(name)),
    Target.PROPERTY: lambda name: 0 < len(name.strip()) <= 80,
    Target.ORDER: ORDER_FIELDS.__contains__,
    Target.LINE: LINE_FIELDS.__contains__,
}


def _name_fits(to: Target, name: Any) -> bool:
    return isinstance(name, str) and _NAMES_OF.get(to, "".__eq__)(name)


def _consent_values(place: int, to: Target, one: dict[str, Any], problems: list[Problem]) -> Mapping[str, str]:
    if to is not Target.CONSENT:
        return {}
    if not all(isinstance(one.get(key), str) and one[key].strip() for key in ("purpose", "channel")):
        problems.append(Problem(MappingCode.PURPOSE, place))
    values = one.get("values", _DEFAULT_VALUES)
    if not isinstance(values, dict) or not values or not all(state in STATES for state in values.values()):
        problems.append(Problem(MappingCode.VALUES, place))
        return {}
    return {str(cell).strip().casefold(): state for cell, state in values.items()}


def _check_whole(rows: RowKind, rules: Sequence[Rule], problems: list[Problem]) -> None:
    """What only shows when the fields are seen together."""
    problems += [
        Problem(MappingCode.TWICE, None, target) for target in _ONCE if sum(rule.to is target for rule in rules) > 1
    ]
    single = Counter(
        (rule.to, rule.name)
        for rule in rules
        if rule.to in (Target.PROPERTY, Target.ORDER, Target.LINE)
        or (rule.to is Target.TRAIT and rule.name not in MULTI_VALUED and "[]" not in rule.column)
    )
    problems += [Problem(MappingCode.TWICE, None, name) for (_to, name), number in single.items() if number > 1]
    has = {(rule.to, rule.name) for rule in rules} | {(rule.to, "") for rule in rules}
    if rows is RowKind.PEOPLE:
        if not any((to, "") in has for to in (Target.TRAIT, Target.IDENTIFIER, Target.CONSENT)):
            problems.append(Problem(MappingCode.NOTHING))
        return
    if (Target.RECORD_ID, "") not in has and (Target.ANONYMOUS_ID, "") not in has:
        problems.append(Problem(MappingCode.NO_OWNER))
    if rows is RowKind.EVENTS and (Target.EVENT, "") not in has:
        problems.append(Problem(MappingCode.NO_EVENT))
    if rows is RowKind.ORDERS:
        if (Target.ORDER, "id") not in has:
            problems.append(Problem(MappingCode.NO_ORDER))
        if not {(Target.LINE, "sku"), (Target.LINE, "line_id"), (Target.ORDER, "total")} & has:
            problems.append(Problem(MappingCode.NO_LINE))
