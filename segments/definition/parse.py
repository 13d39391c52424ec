"""Stored JSON → nodes. Reports every problem at once, each at its place.

    {"version": 2,
     "where": {"kind": "all", "of": [
        {"kind": "attribute", "trait": "city", "operator": "is", "value": "กรุงเทพฯ"},
        {"kind": "touchpoint", "event": "Product Viewed", "sources": ["web-shop"],
         "count": {"bound": "at_least", "n": 5},
         "window": {"kind": "rolling", "n": 7, "unit": "days"},
         "filters": [{"property": "color", "operator": "is", "value": "red"}]},
        {"kind": "measure", "event": "Product Viewed", "measure": "most_frequent", "property": "category",
         "operator": "is", "value": "shoes", "window": {"kind": "calendar_days", "n": 30}},
        {"kind": "sequence", "first": {"event": "Product Added"}, "then": {"event": "Checkout Started"},
         "without": {"event": "Product Removed"}, "same": "product_id", "within": {"n": 2, "unit": "days"},
         "window": {"kind": "ever"}},
        {"kind": "order_total", "measure": "sum", "operator": "more_than", "value": 5000, "currency": "THB",
         "window": {"kind": "ever"}},
        {"kind": "order_line", "measure": "quantity", "operator": "at_least", "value": 2,
         "filters": [{"property": "brand", "operator": "is", "value": "Siam"}], "window": {"kind": "ever"}},
        {"kind": "consent", "purpose": "marketing", "channel": "email", "state": "granted"},
        {"kind": "reachable", "purpose": "marketing", "channel": "sms"},
        {"kind": "segment", "segment": "019ab…", "is_in": false},
        {"kind": "list", "list": "019ac…", "is_in": true}]}}

The places are JSON pointers (RFC 6901), so that a form finds the control that a message belongs to.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any as Json
from typing import TypeVar

from segments.definition import nodes
from segments.definition.fields import Fields
from segments.definition.nodes import Flaw, InvalidNode, Operand
from segments.definition.problems import MESSAGES, DefinitionProblem, Problem, problem
from segments.definition.upgrade import upgraded

__all__ = ["MESSAGES", "DefinitionProblem", "Problem", "parse"]


def parse(data: object, fields: Fields | None = None) -> nodes.Definition:
    """Nodes of a JSON definition (already decoded), of this version or an older one. Raises `DefinitionProblem` with
    every problem found.

    With `fields`, what the viewer cannot see is unknown: exactly the same message as for what does not exist.
    """
    reader = _Reader(fields)
    definition = reader.definition(upgraded(data))
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
        self.note_flaws(place, [Flaw("", code, parameters)])

    def note_flaws(self, place: str, flaws: Iterable[Flaw]) -> None:
        self.problems += [problem(place, flaw) for flaw in flaws]

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
        kinds: Mapping[str, Callable[[str, dict[str, Json]], nodes.Condition | None]] = {
            "attribute": self.attribute,
            "touchpoint": self.touchpoint,
            "measure": self.measure,
            "sequence": self.sequence,
            "order_total": self.order_total,
            "order_line": self.order_line,
            "consent": self.consent,
            "reachable": self.reachable,
            "segment": self.segment,
            "list": self.list_,
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
        if not self.mapping(place, data, ("event", "count", "window"), ("filters", "sources")):
            return None
        count = self.count(f"{place}/count", data["count"])
        window = self.window(f"{place}/window", data["window"])
        picked = self.picked(place, data)
        if count is None or window is None or picked is None:
            return None
        event, *picking = picked
        return self.build(place, nodes.TouchpointCondition, event, count, window, *picking)

    def measure(self, place: str, data: dict[str, Json]) -> nodes.MeasureCondition | None:
        keys = ("event", "measure", "property", "operator", "window")
        if not self.mapping(place, data, keys, ("value", "filters", "sources")):
            return None
        measure = self.choice(f"{place}/measure", data["measure"], nodes.PropertyMeasure)
        is_named = self.named(place, "property", data)
        comparison = self.comparison(place, data)
        window = self.window(f"{place}/window", data["window"])
        picked = self.picked(place, data)
        if measure is None or not is_named or comparison is None or window is None or picked is None:
            return None
        event, *picking = picked
        return self.build(place, nodes.MeasureCondition, event, measure, data["property"], comparison, window, *picking)

    def sequence(self, place: str, data: dict[str, Json]) -> nodes.SequenceCondition | None:
        if not self.mapping(place, data, ("first", "then", "within", "window"), ("without", "same")):
            return None
        first = self.step(f"{place}/first", data["first"])
        then = self.step(f"{place}/then", data["then"])
        has_without = data.get("without") is not None
        without = self.step(f"{place}/without", data["without"]) if has_without else None
        within = self.within(f"{place}/within", data["within"])
        window = self.window(f"{place}/window", data["window"])
        if first is None or then is None or within is None or window is None or (has_without and without is None):
            return None
        return self.build(place, nodes.SequenceCondition, first, then, within, window, without, data.get("same"))

    def order_total(self, place: str, data: dict[str, Json]) -> nodes.OrderTotalCondition | None:
        if not self.mapping(place, data, ("measure", "operator", "currency", "window"), ("value",)):
            return None
        measure = self.choice(f"{place}/measure", data["measure"], nodes.Measure)
        comparison = self.comparison(place, data)
        window = self.window(f"{place}/window", data["window"])
        if measure is None or comparison is None or window is None:
            return None
        return self.build(place, nodes.OrderTotalCondition, measure, comparison, window, data["currency"])

    def order_line(self, place: str, data: dict[str, Json]) -> nodes.OrderLineCondition | None:
        if not self.mapping(place, data, ("measure", "operator", "window"), ("value", "filters", "currency")):
            return None
        measure = self.choice(f"{place}/measure", data["measure"], nodes.LineMeasure)
        comparison = self.comparison(place, data)
        window = self.window(f"{place}/window", data["window"])
        filters = self.filters(f"{place}/filters", data.get("filters", []))
        if measure is None or comparison is None or window is None or filters is None:
            return None
        currency = data.get("currency", "")
        return self.build(place, nodes.OrderLineCondition, measure, comparison, window, filters, currency)

    def consent(self, place: str, data: dict[str, Json]) -> nodes.ConsentCondition | None:
        if not self.mapping(place, data, ("purpose", "channel", "state")):
            return None
        state = self.choice(f"{place}/state", data["state"], nodes.ConsentState)
        if state is None:
            return None
        return self.build(place, nodes.ConsentCondition, data["purpose"], data["channel"], state)

    def reachable(self, place: str, data: dict[str, Json]) -> nodes.ReachableCondition | None:
        if not self.mapping(place, data, ("purpose", "channel")):
            return None
        return self.build(place, nodes.ReachableCondition, data["purpose"], data["channel"])

    def segment(self, place: str, data: dict[str, Json]) -> nodes.SegmentCondition | None:
        if not self.mapping(place, data, ("segment", "is_in")):
            return None
        return self.build(place, nodes.SegmentCondition, data["segment"], data["is_in"])

    def list_(self, place: str, data: dict[str, Json]) -> nodes.ListCondition | None:
        if not self.mapping(place, data, ("list", "is_in")):
            return None
        return self.build(place, nodes.ListCondition, data["list"], data["is_in"])

    # -- parts of conditions ----------------------------------------------------------------------------------

    def picked(
        self, place: str, data: dict[str, Json]
    ) -> tuple[str, tuple[nodes.PropertyFilter, ...], tuple[str, ...]] | None:
        """Event, filters and sources: what touchpoints are picked by."""
        is_named = self.named(place, "event", data)
        filters = self.filters(f"{place}/filters", data.get("filters", []))
        sources = data.get("sources", [])
        if not isinstance(sources, list):
            self.note(f"{place}/sources", "list-expected")
            return None
        return None if filters is None or not is_named else (data["event"], filters, tuple(sources))

    def step(self, place: str, data: object) -> nodes.Step | None:
        if not self.mapping(place, data, ("event",), ("filters", "sources")) or not isinstance(data, dict):
            return None
        picked = self.picked(place, data)
        return None if picked is None else self.build(place, nodes.Step, *picked)

    def within(self, place: str, data: object) -> nodes.Within | None:
        if not self.mapping(place, data, ("n", "unit")) or not isinstance(data, dict):
            return None
        unit = self.choice(f"{place}/unit", data["unit"], nodes.Unit)
        return None if unit is None else self.build(place, nodes.Within, data["n"], unit)

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
