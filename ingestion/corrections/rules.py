"""Correction rules: what is changed in a message. Pure; no patterns and no code, so that no rule can run wild.

A rule is a list of steps, each a verb on a field. A field is named by its path, "properties.price"; "[]" behind a name
means each member of a list: "properties.products[].price". A step that does not fit a message leaves it as it is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

from ingestion.normalise.dates import normalise_date, parse_timestamp
from ingestion.normalise.text import clean
from ingestion.normalise.thai import ascii_digits

VERSION: Final = 1
MAX_STEPS: Final = 20
MAX_DEPTH: Final = 8  # names in a path; nothing that is read lies deeper
MAX_NAME: Final = 80
MAX_VALUES: Final = 200
MAX_TEXT: Final = 300
LARGEST_NUMBER: Final = Decimal(10) ** 15  # whole numbers are exact in a double up to there
_TRUE: Final = frozenset({"true", "yes", "y", "t", "1", "on", "ใช่", "จริง"})
_FALSE: Final = frozenset({"false", "no", "n", "f", "0", "off", "ไม่ใช่", "ไม่", "เท็จ"})
# What tells one message from another, and a row of a file from the next: a rule must not touch it.
_KEPT: Final = (("messageId",), ("cdp", "record"), ("cdp", "line"))


class Verb(StrEnum):
    RENAME = "rename"
    CAST = "cast"
    MAP = "map"
    DEFAULT = "default"
    DROP = "drop"


class Kind(StrEnum):
    """What a value can be cast to."""

    TEXT = "text"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"


class RuleCode(StrEnum):
    """Why a rule cannot be taken."""

    FORM = "form"
    NO_STEPS = "no_steps"
    TOO_MANY = "too_many"
    VERB = "verb"
    FIELD = "field"
    KEPT_FIELD = "kept_field"
    TARGET = "target"
    LISTS = "lists"
    KIND = "kind"
    VALUES = "values"
    VALUE = "value"


class InvalidRule(ValueError):
    """A rule that cannot be taken: `code` says why, `step` counts from 0."""

    def __init__(self, code: RuleCode, step: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.step = step


@dataclass(frozen=True, slots=True)
class Path:
    """Names from the message down. `each[i]`: behind name i stands a list, and its members are meant."""

    names: tuple[str, ...]
    each: tuple[bool, ...]

    def __str__(self) -> str:
        return ".".join(name + "[]" * each for name, each in zip(self.names, self.each, strict=True))

    @property
    def lists(self) -> int:
        """How many names lead to and through the last list; what is behind them lies in one object."""
        return max((number for number, each in enumerate(self.each, 1) if each), default=0)


@dataclass(frozen=True, slots=True)
class Step:
    verb: Verb
    field: Path
    to: Path | None = None  # rename
    kind: Kind | None = None  # cast
    values: Mapping[str, Any] | None = None  # map: the value as text → what it becomes
    value: Any = None  # default


@dataclass(frozen=True, slots=True)
class Rule:
    steps: tuple[Step, ...]


# --- reading --------------------------------------------------------------------------------------------------------


def parse(definition: Any) -> Rule:
    """The rule in a stored definition: `{"version": 1, "steps": [{"do": "cast", "field": "properties.price",
    "to": "number"}, …]}`. Raises InvalidRule."""
    if not isinstance(definition, dict) or definition.get("version") != VERSION:
        raise InvalidRule(RuleCode.FORM)
    steps = definition.get("steps")
    if not isinstance(steps, list):
        raise InvalidRule(RuleCode.FORM)
    if not steps:
        raise InvalidRule(RuleCode.NO_STEPS)
    if len(steps) > MAX_STEPS:
        raise InvalidRule(RuleCode.TOO_MANY)
    return Rule(tuple(_step(step, number) for number, step in enumerate(steps)))


def _step(step: Any, number: int) -> Step:
    if not isinstance(step, dict):
        raise InvalidRule(RuleCode.FORM, number)
    try:
        verb = Verb(step.get("do", ""))
    except ValueError as error:
        raise InvalidRule(RuleCode.VERB, number) from error
    field = _path(step.get("field"), number, RuleCode.FIELD)
    if field.each[-1] and verb not in (Verb.CAST, Verb.MAP):
        raise InvalidRule(RuleCode.LISTS, number)
    return Step(verb, field, **_ARGUMENTS[verb](step, field, number))


def _target(step: dict[str, Any], field: Path, number: int) -> dict[str, Any]:
    to = _path(step.get("to"), number, RuleCode.TARGET)
    if to == field:
        raise InvalidRule(RuleCode.TARGET, number)
    if to.each[-1] or _stem(to) != _stem(field):
        raise InvalidRule(RuleCode.LISTS, number)
    return {"to": to}


def _kind(step: dict[str, Any], _field: Path, number: int) -> dict[str, Any]:
    try:
        return {"kind": Kind(step.get("to", ""))}
    except ValueError as error:
        raise InvalidRule(RuleCode.KIND, number) from error


def _values(step: dict[str, Any], _field: Path, number: int) -> dict[str, Any]:
    values = step.get("values")
    if not isinstance(values, dict) or not 0 < len(values) <= MAX_VALUES:
        raise InvalidRule(RuleCode.VALUES, number)
    if not all(_is_value(value) and len(text) <= MAX_TEXT for text, value in values.items()):
        raise InvalidRule(RuleCode.VALUES, number)
    return {"values": values}


def _value(step: dict[str, Any], _field: Path, number: int) -> dict[str, Any]:
    if step.get("value") is None or not _is_value(step["value"]):
        raise InvalidRule(RuleCode.VALUE, number)
    return {"value": step["value"]}


def _nothing(_step: dict[str, Any], _field: Path, _number: int) -> dict[str, Any]:
    return {}


_ARGUMENTS: Final[Mapping[Verb, Callable[[dict[str, Any], Path, int], dict[str, Any]]]] = {
    Verb.RENAME: _target,
    Verb.CAST: _kind,
    Verb.MAP: _values,
    Verb.DEFAULT: _value,
    Verb.DROP: _nothing,
}


def _is_value(value: Any) -> bool:
    return (
        value is None
        or isinstance(value, bool)
        or (isinstance(value, int | float) and abs(value) <= LARGEST_NUMBER)
        or (isinstance(value, str) and len(value) <= MAX_TEXT and "\0" not in value)
    )


def _path(text: Any, number: int, code: RuleCode) -> Path:
    parts = text.strip().split(".") if isinstance(text, str) else []
    if not 0 < len(parts) <= MAX_DEPTH:
        raise InvalidRule(code, number)
    each = tuple(part.endswith("[]") for part in parts)
    names = tuple(part.removesuffix("[]") for part in parts)
    if any(not name or len(name) > MAX_NAME or not name.isprintable() or "[]" in name for name in names):
        raise InvalidRule(code, number)
    if any(names == kept[: len(names)] or names[: len(kept)] == kept for kept in _KEPT):
        raise InvalidRule(RuleCode.KEPT_FIELD, number)
    return Path(names, each)


def _stem(path: Path) -> tuple[tuple[str, ...], tuple[bool, ...]]:
    return path.names[: path.lists], path.each[: path.lists]


# --- applying -------------------------------------------------------------------------------------------------------


def apply(rule: Rule, message: dict[str, Any], *, zone: tzinfo) -> bool:
    """Change a decoded message in place, step by step; whether anything changed.

    Args:
        zone: in which times without a zone are read.
    """
    changed = False
    for step in rule.steps:
        changed = _STEPS[step.verb](step, message, zone) or changed
    return changed


_ABSENT: Final = object()


def _rename(step: Step, message: dict[str, Any], _zone: tzinfo) -> bool:
    """Unless something stands there already: nothing is overwritten."""
    if step.to is None:
        return False
    changed = False
    stem = step.field.lists
    for holder in _holders(message, step.field.names[:stem], step.field.each[:stem]):
        source = _inner(holder, step.field.names[stem:-1])
        name = step.field.names[-1]
        if source is None or source.get(name) is None:
            continue
        target = _inner(holder, step.to.names[stem:-1], create=True)
        if target is None or target.get(step.to.names[-1]) is not None:
            continue
        target[step.to.names[-1]] = source.pop(name)
        changed = True
    return changed


def _cast(step: Step, message: dict[str, Any], zone: tzinfo) -> bool:
    if step.kind is None:
        return False
    caster = _CASTS[step.kind]
    return _each_value(message, step.field, lambda value: caster(value, zone))


def _map(step: Step, message: dict[str, Any], zone: tzinfo) -> bool:
    values = step.values or {}
    return _each_value(message, step.field, lambda value: values.get(as_text(value, zone), _ABSENT))


def _default(step: Step, message: dict[str, Any], _zone: tzinfo) -> bool:
    """Where there is nothing: no such field, null or an empty text."""
    changed = False
    stem = step.field.lists
    for holder in _holders(message, step.field.names[:stem], step.field.each[:stem]):
        target = _inner(holder, step.field.names[stem:-1], create=True)
        if target is not None and target.get(step.field.names[-1]) in (None, ""):
            target[step.field.names[-1]] = step.value
            changed = True
    return changed


def _drop(step: Step, message: dict[str, Any], _zone: tzinfo) -> bool:
    changed = False
    for holder in _holders(message, step.field.names[:-1], step.field.each[:-1]):
        changed = holder.pop(step.field.names[-1], _ABSENT) is not _ABSENT or changed
    return changed


_STEPS: Final[Mapping[Verb, Callable[[Step, dict[str, Any], tzinfo], bool]]] = {
    Verb.RENAME: _rename,
    Verb.CAST: _cast,
    Verb.MAP: _map,
    Verb.DEFAULT: _default,
    Verb.DROP: _drop,
}


def _holders(node: Any, names: Sequence[str], each: Sequence[bool]) -> Iterator[dict[str, Any]]:
    """The objects that a path without its last names leads to."""
    if not isinstance(node, dict):
        return
    if not names:
        yield node
        return
    inner = node.get(names[0])
    for member in (inner if isinstance(inner, list) else ()) if each[0] else (inner,):
        yield from _holders(member, names[1:], each[1:])


def _inner(node: dict[str, Any], names: Sequence[str], *, create: bool = False) -> dict[str, Any] | None:
    """The object below, through objects alone; None where something else stands in the way. Objects that are missing
    are made with `create`."""
    for name in names:
        below = node.get(name)
        if below is None and create:
            below = node[name] = {}
        if not isinstance(below, dict):
            return None
        node = below
    return node


def _each_value(message: dict[str, Any], path: Path, change: Callable[[Any], Any]) -> bool:
    changed = False
    for holder in _holders(message, path.names[:-1], path.each[:-1]):
        name = path.names[-1]
        if not path.each[-1]:
            changed = _replace(holder, name, change) or changed
        elif isinstance(members := holder.get(name), list):
            for number in range(len(members)):
                changed = _replace(members, number, change) or changed
    return changed


def _replace(holder: Any, key: Any, change: Callable[[Any], Any]) -> bool:
    before = holder.get(key) if isinstance(holder, dict) else holder[key]
    if before is None or isinstance(before, dict | list):
        return False
    if isinstance(before, int) and abs(before) > LARGEST_NUMBER:
        return False
    after = change(before)
    if after is _ABSENT or (after == before and type(after) is type(before)):
        return False
    holder[key] = after
    return True


# --- casting --------------------------------------------------------------------------------------------------------


def as_text(value: Any, _zone: tzinfo | None = None) -> Any:
    """A value as JSON writes it, a text as it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_NUMBER:
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def as_number(value: Any, _zone: tzinfo | None = None) -> Any:
    """ "1,290.50", "฿ 1,290", "๑๒๐ บาท": the number; anything else stays."""
    if not isinstance(value, str):
        return _ABSENT
    text = ascii_digits(clean(value)).replace(",", "")
    for sign in ("฿", "THB", "บาท"):
        text = text.removeprefix(sign).removesuffix(sign).strip()
    try:
        number = Decimal(text) if text and "_" not in text else Decimal("NaN")
    except InvalidOperation:
        return _ABSENT
    if not number.is_finite() or abs(number) > LARGEST_NUMBER:
        return _ABSENT
    return int(number) if number == number.to_integral_value() else float(number)


def as_boolean(value: Any, _zone: tzinfo | None = None) -> Any:
    if isinstance(value, bool):
        return _ABSENT
    text = clean(as_text(value)).lower()
    if text in _TRUE:
        return True
    return False if text in _FALSE else _ABSENT


def as_date(value: Any, _zone: tzinfo | None = None) -> Any:
    """A day as Thai and English write it, also in the Buddhist era: ISO 8601."""
    found = normalise_date(as_text(value))
    return _ABSENT if found.problem is not None else found.value


def as_time(value: Any, zone: tzinfo) -> Any:
    """An instant as ISO 8601 in UTC; seconds or milliseconds since 1970 are taken, too."""
    moment = parse_timestamp(as_text(value), zone=zone)
    return _ABSENT if moment is None else moment.isoformat().replace("+00:00", "Z")


_CASTS: Final[Mapping[Kind, Callable[[Any, tzinfo], Any]]] = {
    Kind.TEXT: as_text,
    Kind.NUMBER: as_number,
    Kind.BOOLEAN: as_boolean,
    Kind.DATE: as_date,
    Kind.TIME: as_time,
}
