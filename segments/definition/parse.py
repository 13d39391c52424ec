"""Stored JSON (version 1) → nodes, and back. Reports every problem at once, each at its place.

    {"version": 1,
     "where": {"kind": "all", "of": [
        {"kind": "attribute", "trait": "city", "operator": "is", "value": "กรุงเทพฯ"},
        {"kind": "touchpoint", "event": "Product Viewed",
         "count": {"bound": "at_least", "n": 5},
         "window": {"kind": "rolling", "n": 7, "unit": "days"},
         "filters": [{"property": "color", "operator": "is", "value": "red"}]},
        {"kind": "order_total", "measure": "sum", "operator": "more_than", "value": 5000, "currency": "THB",
         "window": {"kind": "ever"}},
        {"kind": "consent", "purpose": "marketing", "channel": "email", "state": "granted"}]}}

The places are JSON pointers (RFC 6901), so that a form finds the control that a message belongs to.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any as Json
from typing import TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from cdp_site.core.errors import MendableError
from segments.definition import nodes
from segments.definition.fields import Fields
from segments.definition.nodes import Flaw, InvalidNode, Operand

Text = str | Promise


@dataclass(frozen=True)
class Problem:
    """One thing to mend: `place` is a JSON pointer into the definition, `mend` says how to put it right."""

    place: str
    code: str
    text: Text
    mend: Text


class DefinitionProblem(MendableError):
    """A definition that cannot be read. `problems` holds all of them in reading order, at least one."""

    code = "invalid_definition"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(
            ngettext_lazy(
                "%(n)d thing in the definition needs mending.", "%(n)d things in the definition need mending.", "n"
            )
            % {"n": len(problems)},
            field=problems[0].place,
            hint=problems[0].mend,
        )
        self.problems = problems

    def as_dict(self) -> dict[str, object]:
        """The API's error shape, with each problem at its place."""
        return super().as_dict() | {
            "problems": [
                {"place": one.place, "code": one.code, "message": str(one.text), "hint": str(one.mend)}
                for one in self.problems
            ]
        }


MESSAGES: Mapping[str, tuple[Text, Text]] = {
    # the shape of the JSON
    "object-expected": (_("A JSON object is expected here."), _("Write {…} with a “kind”.")),
    "version-unknown": (
        _("This definition has version “%(version)s”, which this program does not read."),
        _("It reads version %(known)s: save the segment again in the builder, or update the program."),
    ),
    "kind-unknown": (_("“%(kind)s” is no kind that can stand here."), _("Use one of: %(known)s.")),
    "key-missing": (_("“%(key)s” is missing."), _("Add it.")),
    "key-unknown": (_("“%(key)s” means nothing here."), _("Remove it, or correct its spelling.")),
    "choice-unknown": (_("“%(value)s” is not one of the choices."), _("Use one of: %(known)s.")),
    "list-expected": (_("A list is expected here."), _("Give one or more values.")),
    # groups
    "group-empty": (_("This group holds no condition."), _("Add a condition, or remove the group.")),
    "too-deep": (
        _("Groups lie in groups more than %(limit)s deep."),
        _("Move the innermost conditions one group up."),
    ),
    "too-many-conditions": (
        _("There are %(n)s conditions; at most %(limit)s are read."),
        _("Use “is one of” for conditions that differ only in the value, or split the segment."),
    ),
    # values
    "value-missing": (_("The value is missing."), _("Fill it in.")),
    "value-unexpected": (_("This comparison takes no value."), _("Remove the value.")),
    "name-missing": (_("Nothing is chosen here."), _("Choose a field.")),
    "text-expected": (_("A text is expected here."), _("Give a text, or choose another comparison.")),
    "text-too-long": (_("The text is longer than %(limit)s characters."), _("Shorten it.")),
    "text-has-nul": (_("The text holds a NUL character."), _("Type the text again.")),
    "number-expected": (_("A number is expected here."), _("Give a number, digits only.")),
    "number-too-long": (_("The number has more than %(limit)s digits."), _("Shorten it.")),
    "number-out-of-range": (_("The number is out of range."), _("Use a number from %(first)s to %(last)s.")),
    "whole-number-expected": (_("A whole number is expected here."), _("Give a number without decimals.")),
    "two-numbers-expected": (_("Two numbers are expected here."), _("Give the lowest and the highest.")),
    "range-reversed": (_("The range ends before it begins."), _("Swap the two values.")),
    "date-expected": (_("A date is expected here."), _("Write it as year-month-day, for example 2026-11-22.")),
    "date-out-of-range": (_("The date is out of range."), _("Use a date from %(first)s to %(last)s.")),
    "two-dates-expected": (_("Two dates are expected here."), _("Give the first day and the last.")),
    "list-too-long": (_("The list has more than %(limit)s values."), _("Split it over several conditions.")),
    "list-mixed": (_("The list mixes texts and numbers."), _("Use only one of them.")),
    "currency-expected": (_("A currency is expected here."), _("Use its three letters, for example THB.")),
    "operator-not-here": (_("Orders cannot be compared this way."), _("Choose more, less, between or equal.")),
    # what the viewer has
    "operator-not-for-type": (
        _("This comparison does not fit the kind of value."),
        _("Choose another comparison; the field holds: %(type)s."),
    ),
    "trait-unknown": (_("There is no attribute “%(name)s”."), _("Choose one from the list.")),
    "event-unknown": (_("There is no event “%(name)s”."), _("Choose one from the list.")),
    "property-unknown": (_("This event has no property “%(name)s”."), _("Choose one from the list.")),
    "purpose-unknown": (_("There is no purpose “%(name)s”."), _("Choose one from the list.")),
    "channel-unknown": (_("There is no channel “%(name)s”."), _("Choose one from the list.")),
    "currency-unknown": (_("No order was ever made in “%(name)s”."), _("Choose a currency from the list.")),
}
"""Code of a flaw → what is wrong, how to mend it. A test holds that each code raised anywhere has its line."""


def parse(data: object, fields: Fields | None = None) -> nodes.Definition:
    """Nodes of a JSON definition (already decoded). Raises `DefinitionProblem` with every problem found.

    With `fields`, what the viewer cannot see is unknown: exactly the same message as for what does not exist.
    """
    reader = _Reader(fields)
    definition = reader.definition(data)
    if definition is None or reader.problems:
        raise DefinitionProblem(tuple(reader.problems))
    return definition


E_ = TypeVar("E_", bound=StrEnum)
N_ = TypeVar("N_")

_GROUPS: Mapping[str, type[nodes.All] | type[nodes.Any] | type[nodes.Not]] = {
    "all": nodes.All,
    "any": nodes.Any,
    "not": nodes.Not,
}


class _Reader:
    """One reading: collects problems and gives None for what could not be built."""

    def __init__(self, fields: Fields | None) -> None:
        self.fields = fields
        self.problems: list[Problem] = []
        self.n_conditions = 0

    # -- problems ---------------------------------------------------------------------------------------------

    def note(self, place: str, code: str, **parameters: object) -> None:
        text, mend = MESSAGES[code]
        self.problems.append(Problem(place, code, text % parameters, mend % parameters))

    def note_flaws(self, place: str, flaws: Iterable[Flaw]) -> None:
        for flaw in flaws:
            self.note(f"{place}/{flaw.field}" if flaw.field else place, flaw.code, **flaw.parameters)

    def build(self, place: str, make: type[N_], *parts: object) -> N_ | None:
        """`make(*parts)`, or None with the flaws noted. A part that is None was noted where it was read."""
        try:
            return make(*parts)
        except InvalidNode as invalid:
            self.note_flaws(place, invalid.flaws)
            return None

    # -- pieces of JSON ---------------------------------------------------------------------------------------

    def mapping(self, place: str, data: object, keys: Iterable[str], optional: Iterable[str] = ()) -> bool:
        """True when `data` is an object that holds all of `keys`; notes what is missing or means nothing."""
        if not isinstance(data, dict):
            self.note(place, "object-expected")
            return False
        missing = [key for key in keys if key not in data]
        for key in missing:
            self.note(f"{place}/{key}", "key-missing", key=key)
        for key in data:
            if key not in {"kind", *keys, *optional}:
                self.note(f"{place}/{_escape(key)}", "key-unknown", key=key)
        return not missing

    def named(self, place: str, key: str, data: dict[str, Json]) -> bool:
        """True when something is chosen to be compared; before that the comparison says nothing."""
        if data[key] in ("", None):
            self.note(f"{place}/{key}", "name-missing")
            return False
        return True

    def choice(self, place: str, value: object, choices: type[E_]) -> E_ | None:
        known = {member.value: member for member in choices}
        if isinstance(value, str) and value in known:
            return known[value]
        self.note(place, "choice-unknown", value=_shown(value), known=", ".join(known))
        return None

    # -- groups and conditions --------------------------------------------------------------------------------

    def definition(self, data: object) -> nodes.Definition | None:
        if not self.mapping("", data, ("version", "where")) or not isinstance(data, dict):
            return None
        if data["version"] != nodes.VERSION or isinstance(data["version"], bool):
            self.note("/version", "version-unknown", version=_shown(data["version"]), known=nodes.VERSION)
            return None
        where = self.group("/where", data["where"])
        if self.n_conditions > nodes.MAX_CONDITIONS:
            self.note("/where", "too-many-conditions", n=self.n_conditions, limit=nodes.MAX_CONDITIONS)
        return None if where is None or self.problems else nodes.Definition(where)

    def group(self, place: str, data: object) -> nodes.Group | None:
        """The outermost node: always a group, so that a form can add to it."""
        if isinstance(data, dict) and data.get("kind") not in _GROUPS:
            self.note(f"{place}/kind", "kind-unknown", kind=_shown(data.get("kind")), known=", ".join(_GROUPS))
            return None
        found = self.node(place, data, 1)
        return found if isinstance(found, nodes.All | nodes.Any | nodes.Not) else None

    def node(self, place: str, data: object, level: int) -> nodes.Node | None:
        kinds = {
            "attribute": self.attribute,
            "touchpoint": self.touchpoint,
            "order_total": self.order_total,
            "consent": self.consent,
        }
        if not isinstance(data, dict):
            self.note(place, "object-expected")
            return None
        kind = data.get("kind")
        if isinstance(kind, str) and kind in _GROUPS:
            return self.members(place, data, _GROUPS[kind], level)
        if not isinstance(kind, str) or kind not in kinds:
            self.note(f"{place}/kind", "kind-unknown", kind=_shown(kind), known=", ".join([*_GROUPS, *kinds]))
            return None
        self.n_conditions += 1
        condition = kinds[kind](place, data)
        if condition is not None and self.fields is not None:
            self.note_flaws(place, self.fields.flaws(condition))
        return condition

    def members(
        self, place: str, data: dict[str, Json], make: type[nodes.All] | type[nodes.Any] | type[nodes.Not], level: int
    ) -> nodes.Group | None:
        if level > nodes.MAX_DEPTH:
            self.note(place, "too-deep", limit=nodes.MAX_DEPTH)
            return None
        if not self.mapping(place, data, ("of",)):
            return None
        if not isinstance(data["of"], list):
            self.note(f"{place}/of", "list-expected")
            return None
        read = [self.node(f"{place}/of/{n}", member, level + 1) for n, member in enumerate(data["of"])]
        members = tuple(member for member in read if member is not None)
        if read and not members:
            return None
        return self.build(place, make, members)

    def attribute(self, place: str, data: dict[str, Json]) -> nodes.AttributeCondition | None:
        if not self.mapping(place, data, ("trait", "operator"), ("value",)) or not self.named(place, "trait", data):
            return None
        comparison = self.comparison(place, data)
        return None if comparison is None else self.build(place, nodes.AttributeCondition, data["trait"], comparison)

    def touchpoint(self, place: str, data: dict[str, Json]) -> nodes.TouchpointCondition | None:
        if not self.mapping(place, data, ("event", "count", "window"), ("filters",)):
            return None
        count = self.count(f"{place}/count", data["count"])
        window = self.window(f"{place}/window", data["window"])
        filters = self.filters(f"{place}/filters", data.get("filters", []))
        if count is None or window is None or filters is None:
            return None
        return self.build(place, nodes.TouchpointCondition, data["event"], count, window, filters)

    def order_total(self, place: str, data: dict[str, Json]) -> nodes.OrderTotalCondition | None:
        if not self.mapping(place, data, ("measure", "operator", "currency", "window"), ("value",)):
            return None
        measure = self.choice(f"{place}/measure", data["measure"], nodes.Measure)
        comparison = self.comparison(place, data)
        window = self.window(f"{place}/window", data["window"])
        if measure is None or comparison is None or window is None:
            return None
        return self.build(place, nodes.OrderTotalCondition, measure, comparison, window, data["currency"])

    def consent(self, place: str, data: dict[str, Json]) -> nodes.ConsentCondition | None:
        if not self.mapping(place, data, ("purpose", "channel", "state")):
            return None
        state = self.choice(f"{place}/state", data["state"], nodes.ConsentState)
        if state is None:
            return None
        return self.build(place, nodes.ConsentCondition, data["purpose"], data["channel"], state)

    # -- parts of conditions ----------------------------------------------------------------------------------

    def filters(self, place: str, data: object) -> tuple[nodes.PropertyFilter, ...] | None:
        if not isinstance(data, list):
            self.note(place, "list-expected")
            return None
        read = [self.filter(f"{place}/{n}", one) for n, one in enumerate(data)]
        return None if None in read else tuple(one for one in read if one is not None)

    def filter(self, place: str, data: object) -> nodes.PropertyFilter | None:
        if not self.mapping(place, data, ("property", "operator"), ("value",)) or not isinstance(data, dict):
            return None
        if not self.named(place, "property", data):
            return None
        comparison = self.comparison(place, data)
        return None if comparison is None else self.build(place, nodes.PropertyFilter, data["property"], comparison)

    def count(self, place: str, data: object) -> nodes.Count | None:
        if not self.mapping(place, data, ("bound", "n")) or not isinstance(data, dict):
            return None
        bound = self.choice(f"{place}/bound", data["bound"], nodes.Bound)
        return None if bound is None else self.build(place, nodes.Count, bound, data["n"])

    def window(self, place: str, data: object) -> nodes.Window | None:
        keys = {"ever": (), "rolling": ("n", "unit"), "calendar_days": ("n",), "between": ("first", "last")}
        kind = data.get("kind") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(kind, str) or kind not in keys:
            self.note(f"{place}/kind", "kind-unknown", kind=_shown(kind), known=", ".join(keys))
            return None
        if not self.mapping(place, data, keys[kind]):
            return None
        match kind:
            case "ever":
                return nodes.Ever()
            case "rolling":
                unit = self.choice(f"{place}/unit", data["unit"], nodes.Unit)
                return None if unit is None else self.build(place, nodes.Rolling, data["n"], unit)
            case "calendar_days":
                return self.build(place, nodes.CalendarDays, data["n"])
            case _:
                return self.build(place, nodes.Between, _date(data["first"]), _date(data["last"]))

    def comparison(self, place: str, data: dict[str, Json]) -> nodes.Comparison | None:
        operator = self.choice(f"{place}/operator", data["operator"], nodes.Operator)
        if operator is None:
            return None
        operand, raw = nodes.OPERANDS[operator], data.get("value")
        if operand is not Operand.NOTHING and (raw is None or raw in ("", [])):
            self.note(f"{place}/value", "value-missing")
            return None
        return self.build(place, nodes.Comparison, operator, _value(operand, raw))


def _value(operand: Operand, raw: object) -> object:
    """The Python value that a JSON value stands for. What does not fit passes through: the node names the flaw."""
    match operand:
        case Operand.SCALAR | Operand.TEXT | Operand.NUMBER:
            return _scalar(raw)
        case Operand.CHOICES | Operand.NUMBERS:
            return tuple(map(_scalar, raw)) if isinstance(raw, list) else raw
        case Operand.DATE:
            return _date(raw)
        case Operand.DATES:
            return tuple(map(_date, raw)) if isinstance(raw, list) else raw
        case _:
            return raw


def _scalar(raw: object) -> object:
    match raw:
        case bool():
            return raw
        case int() | float():
            return Decimal(repr(raw))
        case str():
            return unicodedata.normalize("NFC", raw).strip()
        case _:
            return raw


def _date(raw: object) -> object:
    if not isinstance(raw, str) or not _DATE.fullmatch(raw):
        return raw
    try:
        return dt.date.fromisoformat(raw)
    except ValueError:
        return raw


# fromisoformat also reads 20261122 and 2026-W47-7.
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _escape(key: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901, section 3)."""
    return key.replace("~", "~0").replace("/", "~1")


def _shown(value: object) -> str:
    return str(value)[:40]
