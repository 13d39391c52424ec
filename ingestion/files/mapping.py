"""What a file's columns mean: a definition that people make on the mapping screen, stored as JSON, version 2. Pure.

    {"version": 2, "rows": "people", "date_order": "dmy", "two_digit_years": null, "empty": "unchanged",
     "without_id": "left_out", "fields": [
        {"from": "รหัส", "to": "record_id", "steps": [{"do": "prefix", "text": "POS-"}]},
        {"from": "Mobile", "to": "trait", "name": "phone"}, …]}

`from` is a column of a CSV or a path of a JSON line ("FEATURES[].NAME_FULL"); `value` instead of it is a constant.
`steps` change the text on its way (`files.steps`); what belongs to a consent is in `files.consents`. Parts of a name or
of an address under one element of a list belong together, and each element gives one of its own. Version 1 had neither
steps nor the rest of what is optional here: every definition of version 1 is one of version 2.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeVar

from ingestion.files import consents, steps
from ingestion.files.codes import MappingCode
from ingestion.files.consents import STATEMENT_FIELDS, Asked
from ingestion.files.steps import DATE_ORDERS, Step, StepKind
from ingestion.normalise.dates import DateOrder, TwoDigitYears

VERSION: Final = 2
READ_VERSIONS: Final = (1, VERSION)
MAX_FIELDS: Final = 300
ERAS: Final = ("buddhist", "gregorian")
OWNERS: Final = ("left_out", "anonymous")  # what becomes of a row without a record id
ORDER_FIELDS: Final = ("id", "total", "currency", "coupon", "discount")
LINE_FIELDS: Final = (
    "line_id", "sku", "name", "category", "color", "quantity", "price", "total", "list_price", "discount", "coupon",
    "coupon_discount",
)  # fmt: skip
PRODUCT_FIELDS: Final = (
    "sku", "namespace", "name", "name_th", "category", "price", "currency", "url", "synonyms",
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
    CONSENTS = "consents"  # one statement of a person about one purpose and channel
    PRODUCTS = "products"  # what is sold: it has no person


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
    STATEMENT = "statement"
    PRODUCT = "product"
    ATTRIBUTE = "attribute"  # of a product


ANYWHERE: Final = frozenset(
    {Target.RECORD_ID, Target.TRAIT, Target.IDENTIFIER, Target.CONSENT, Target.ANONYMOUS_ID, Target.TIMESTAMP}
)
TARGETS_OF: Final[Mapping[RowKind, frozenset[Target]]] = {
    RowKind.PEOPLE: ANYWHERE,
    RowKind.EVENTS: ANYWHERE | {Target.ROW_ID, Target.EVENT, Target.PROPERTY},
    RowKind.ORDERS: ANYWHERE | {Target.EVENT, Target.PROPERTY, Target.ORDER, Target.LINE},
    RowKind.CONSENTS: (ANYWHERE - {Target.CONSENT, Target.ANONYMOUS_ID}) | {Target.STATEMENT},
    RowKind.PRODUCTS: frozenset({Target.PRODUCT, Target.ATTRIBUTE}),
}
_NAMED_ONCE: Final = frozenset(
    {Target.PROPERTY, Target.ORDER, Target.LINE, Target.STATEMENT, Target.PRODUCT, Target.ATTRIBUTE}
)
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
    steps: tuple[Step, ...] = ()
    asked: Asked = field(default_factory=Asked)  # of a consent or statement

    @property
    def columns(self) -> tuple[str, ...]:
        """All that it reads."""
        named = (self.column, *(step.column for step in self.steps), self.asked.when_column)
        return tuple(column for column in named if column)

    @property
    def splits_name(self) -> bool:
        return bool(self.steps) and self.steps[-1].do is StepKind.SPLIT_NAME

    @property
    def is_number(self) -> bool:
        """Whether its text ends as a number."""
        return bool(self.steps) and self.steps[-1].do is StepKind.NUMBER


@dataclass(frozen=True, slots=True)
class FieldMapping:
    """A definition, checked."""

    rows: RowKind
    rules: tuple[Rule, ...]
    date_order: DateOrder = "dmy"
    two_digit_years: TwoDigitYears | None = None
    empty_clears: bool = False
    keeps_unknown: bool = False  # a row without a record id becomes somebody unknown, instead of being left out

    def of(self, *targets: Target) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.to in targets)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column for rule in self.rules for column in rule.columns)


def parse(definition: Any, *, columns: Sequence[str] | None = None) -> FieldMapping:
    """The definition, checked; raises InvalidMapping with all of its problems.

    Args:
        columns: the file's, when there is one: all that the definition names must be among them.
    """
    problems: list[Problem] = []
    if not isinstance(definition, dict) or definition.get("version") not in READ_VERSIONS:
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
    without_id = definition.get("without_id", "left_out")
    if without_id not in OWNERS or (without_id == "anonymous" and rows not in (RowKind.EVENTS, RowKind.ORDERS)):
        problems.append(Problem(MappingCode.OWNER))
    fields = definition.get("fields")
    if not isinstance(fields, list) or not 0 < len(fields) <= MAX_FIELDS:
        raise InvalidMapping([*problems, Problem(MappingCode.FIELDS)])
    rules = [rule for place, one in enumerate(fields) if (rule := _rule(place, one, rows, problems))]
    if not problems:
        _check_whole(rows, rules, problems, keeps_unknown=without_id == "anonymous")
    if columns is not None:
        problems += _unknown_columns(fields, frozenset(columns))
    if problems:
        raise InvalidMapping(problems)
    return FieldMapping(
        rows=rows,
        rules=tuple(rules),
        date_order=date_order,
        two_digit_years=two_digit_years,
        empty_clears=definition.get("empty") == "cleared",
        keeps_unknown=without_id == "anonymous",
    )


def _unknown_columns(fields: Sequence[Any], known: frozenset[str]) -> list[Problem]:
    """A problem for each column that a field reads and the file lacks."""
    problems = []
    for place, one in enumerate(fields):
        if not isinstance(one, dict):
            continue
        listed, when = one.get("steps"), one.get("when")
        named = [one.get("from"), when.get("from") if isinstance(when, dict) else None]
        named += [step.get("column") for step in listed if isinstance(step, dict)] if isinstance(listed, list) else []
        problems += [
            Problem(MappingCode.COLUMN, place, column)
            for column in named
            if isinstance(column, str) and column and column not in known
        ]
    return problems


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
    changes = _steps(to, name, column, one)
    if changes is None:
        problems.append(Problem(MappingCode.STEPS, place))
    asked = _asked(place, to, name, one, problems)
    if changes is None or len(problems) > before:
        return None
    return Rule(
        to=to,
        column=column,
        constant=constant or None,
        name=name,
        namespace=namespace,
        type=one.get("type", "text"),
        steps=changes,
        asked=asked,
    )


def _steps(to: Target, name: Any, column: str, one: dict[str, Any]) -> tuple[Step, ...] | None:
    """The steps of a field; None when they are none, or do not fit it."""
    found = steps.parse(one.get("steps", []))
    if not found:
        return found
    splits = found[-1].do is StepKind.SPLIT_NAME and not (to is Target.TRAIT and name == "name" and "[]" not in column)
    return None if splits or not column else found


def _asked(place: int, to: Target, name: Any, one: dict[str, Any], problems: list[Problem]) -> Asked:
    if to is not Target.CONSENT and (to, name) != (Target.STATEMENT, "state"):
        return Asked()
    codes: list[MappingCode] = []
    asked = consents.parse(one, is_column=to is Target.CONSENT, problems=codes)
    problems += [Problem(code, place) for code in codes]
    return asked


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
    Target.STATEMENT: STATEMENT_FIELDS.__contains__,
    Target.PRODUCT: PRODUCT_FIELDS.__contains__,
    Target.ATTRIBUTE: lambda name: bool(_NAME.fullmatch(name)),
}


def _name_fits(to: Target, name: Any) -> bool:
    return isinstance(name, str) and _NAMES_OF.get(to, "".__eq__)(name)


def _check_whole(rows: RowKind, rules: Sequence[Rule], problems: list[Problem], *, keeps_unknown: bool) -> None:
    """What only shows when the fields are seen together."""
    problems += [
        Problem(MappingCode.TWICE, None, target) for target in _ONCE if sum(rule.to is target for rule in rules) > 1
    ]
    single = Counter(
        (rule.to, rule.name)
        for rule in rules
        if rule.to in _NAMED_ONCE
        or (rule.to is Target.TRAIT and rule.name not in MULTI_VALUED and "[]" not in rule.column)
    )
    problems += [Problem(MappingCode.TWICE, None, name) for (_to, name), number in single.items() if number > 1]
    has = {(rule.to, rule.name) for rule in rules} | {(rule.to, "") for rule in rules}
    if rows is RowKind.PEOPLE:
        if not any((to, "") in has for to in (Target.TRAIT, Target.IDENTIFIER, Target.CONSENT)):
            problems.append(Problem(MappingCode.NOTHING))
        return
    if rows is RowKind.PRODUCTS:
        if (Target.PRODUCT, "sku") not in has:
            problems.append(Problem(MappingCode.NO_PRODUCT))
        return
    if rows is RowKind.CONSENTS:
        needed = {(Target.STATEMENT, name) for name in ("purpose", "channel", "state")} | {(Target.TIMESTAMP, "")}
        if not needed <= has:
            problems.append(Problem(MappingCode.NO_STATEMENT))
        if not {(to, "") for to in (Target.RECORD_ID, Target.TRAIT, Target.IDENTIFIER)} & has:
            problems.append(Problem(MappingCode.NO_OWNER))
        return
    if not keeps_unknown and (Target.RECORD_ID, "") not in has and (Target.ANONYMOUS_ID, "") not in has:
        problems.append(Problem(MappingCode.NO_OWNER))
    if rows is RowKind.EVENTS and (Target.EVENT, "") not in has:
        problems.append(Problem(MappingCode.NO_EVENT))
    if rows is RowKind.ORDERS:
        if (Target.ORDER, "id") not in has:
            problems.append(Problem(MappingCode.NO_ORDER))
        if not {(Target.LINE, "sku"), (Target.LINE, "line_id"), (Target.ORDER, "total")} & has:
            problems.append(Problem(MappingCode.NO_LINE))
