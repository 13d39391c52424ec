"""What follows from the choices of a draft: the operators that a chosen field has, values of the type that an operator
takes, the parts of a chosen window. What the writer has not said yet stays open.

Some choices make another kind of condition of a row: "how often" of an event becomes "what of it" when a measure is
chosen, and so do orders and their lines, what was said and whether somebody can be reached. Whatever the kinds have in
common stays.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any as Json

from segments.builder.draft import GROUPS
from segments.definition import nodes
from segments.definition.fields import Event, Field, Fields, FieldType
from segments.definition.nodes import OPERANDS, LineMeasure, Operand, Operator, PropertyMeasure

NEVER = "never"
"""Offered beside the bounds of a count: it stands for exactly 0."""
REACHABLE = "reachable"
"""Offered beside the states of consent: that the gate would let somebody through."""
ANY = ""
"""The choice that leaves something open: any source, not the same property."""

_MEASURES = frozenset(PropertyMeasure)
_BOUNDS = frozenset({NEVER, *nodes.Bound})
_LINE_MEASURES = frozenset(LineMeasure)
AMOUNTS = tuple(operator for operator in Operator if operator in nodes.AMOUNT_OPERATORS)
"""The operators of amounts, in the order in which a form lists them."""


def fit(definition: dict[str, Json], fields: Fields) -> dict[str, Json]:
    """The definition with what follows from its choices."""
    return {"version": nodes.VERSION, "where": _node(definition.get("where"), fields)}


def _node(node: Json, fields: Fields) -> dict[str, Json]:
    node = node if isinstance(node, dict) else {}
    kind = _kind_of(node)
    if kind in _FITTERS:
        return {"kind": kind} | _FITTERS[kind](node, fields)
    members = node.get("of")
    return {
        "kind": kind if kind in GROUPS else "all",
        "of": [_node(member, fields) for member in members] if isinstance(members, list) else [],
    }


_OTHER_KINDS: Mapping[str, tuple[str, str, frozenset[str]]] = {
    # kind → the choice that may make another one of it, that other kind, the answers that do
    "touchpoint": ("bound", "measure", _MEASURES),
    "measure": ("measure", "touchpoint", _BOUNDS),
    "order_total": ("measure", "order_line", _LINE_MEASURES),
    "order_line": ("measure", "order_total", frozenset(nodes.Measure)),
    "consent": ("state", "reachable", frozenset({REACHABLE})),
    "reachable": ("state", "consent", frozenset(nodes.ConsentState)),
}


def _kind_of(node: Mapping[str, Json]) -> str:
    """The kind of a condition as its own choices say."""
    kind = _text(node.get("kind"))
    if kind not in _OTHER_KINDS:
        return kind
    choice, other, answers = _OTHER_KINDS[kind]
    answer = _bound(node) if choice == "bound" else _text(node.get(choice))
    return other if answer in answers else kind


def _bound(node: Mapping[str, Json]) -> str:
    count = node.get("count")
    return _text(count.get("bound")) if isinstance(count, dict) else ""


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _attribute(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    trait = _text(node.get("trait"))
    return {"trait": trait} | _comparison(node, fields.traits.get(trait))


def _touchpoint(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    event = _text(node.get("event"))
    measure = _text(node.get("measure"))
    count = {"bound": measure} if measure in _BOUNDS else node.get("count")
    return {"event": event, "count": _count(count), "window": _window(node.get("window"))} | _picking(node, fields)


def _measure(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    event = _text(node.get("event"))
    measure = _text(node.get("measure")) or _bound(node)
    if measure not in _MEASURES:
        measure = PropertyMeasure.SUM.value
    name = _text(node.get("property"))
    if PropertyMeasure(measure).is_number:
        compared = _amount(node)
    else:
        compared = _comparison(node, properties_of(event, fields).get(name))
    return {
        "event": event,
        "measure": measure,
        "property": name,
        **compared,
        "window": _window(node.get("window")),
        **_picking(node, fields),
    }


def _sequence(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    within = found if isinstance(found := node.get("within"), dict) else {}
    same = _text(node.get("same"))
    without = {"without": _step(node["without"], fields)} if isinstance(node.get("without"), dict) else {}
    return {
        "first": _step(node.get("first"), fields),
        "then": _step(node.get("then"), fields),
        **without,
        **({"same": same} if same else {}),
        "within": {"n": _whole(within.get("n", 7)), "unit": _text(within.get("unit")) or nodes.Unit.DAYS.value},
        "window": _window(node.get("window")),
    }


def _step(step: Json, fields: Fields) -> dict[str, Json]:
    step = step if isinstance(step, dict) else {}
    return {"event": _text(step.get("event"))} | _picking(step, fields)


def _order_total(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    measure = _text(node.get("measure"))
    return {
        "measure": measure if measure in set(nodes.Measure) else nodes.Measure.SUM.value,
        **_amount(node),
        "currency": _text(node.get("currency")) or next(iter(fields.currencies), ""),
        "window": _window(node.get("window")),
    }


def _order_line(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    measure = _text(node.get("measure"))
    if measure not in _LINE_MEASURES:
        measure = LineMeasure.LINES.value
    is_money = measure == LineMeasure.SPENT.value
    currency = _text(node.get("currency")) or next(iter(fields.currencies), "")
    return {
        "measure": measure,
        **_amount(node),
        **({"currency": currency} if is_money else {}),
        "window": _window(node.get("window")),
        "filters": _filters(node.get("filters"), fields.line_properties),
    }


def _consent(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    return _reachable(node, fields) | {"state": _text(node.get("state")) or nodes.ConsentState.GRANTED.value}


def _reachable(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    return {
        "purpose": _text(node.get("purpose")) or next(iter(fields.purposes), ""),
        "channel": _text(node.get("channel")) or next(iter(fields.channels), ""),
    }


def _segment(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    return {"segment": _text(node.get("segment")), "is_in": _yes(node.get("is_in", True))}


def _list(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    return {"list": _text(node.get("list")), "is_in": _yes(node.get("is_in", True))}


_FITTERS: Mapping[str, Callable[[dict[str, Json], Fields], dict[str, Json]]] = {
    "attribute": _attribute,
    "touchpoint": _touchpoint,
    "measure": _measure,
    "sequence": _sequence,
    "order_total": _order_total,
    "order_line": _order_line,
    "consent": _consent,
    "reachable": _reachable,
    "segment": _segment,
    "list": _list,
}
KINDS = frozenset(_FITTERS)


# ── parts of conditions ──────────────────────────────────────────────────────────────────────────────────────────────


def properties_of(event: str, fields: Fields) -> Mapping[str, Field]:
    """The properties that an event is known to have."""
    found: Event | None = fields.events.get(event)
    return (found.properties if found else None) or {}


def _picking(node: Mapping[str, Json], fields: Fields) -> dict[str, Json]:
    """Filters and sources of what picks touchpoints; sources that nobody has chosen are all of them."""
    sources = node.get("sources")
    chosen = [text for one in (sources if isinstance(sources, list) else []) if (text := _text(one)) != ANY]
    filters = _filters(node.get("filters"), properties_of(_text(node.get("event")), fields))
    return {"filters": filters} | ({"sources": list(dict.fromkeys(chosen))} if chosen else {})


def _filters(filters: Json, known: Mapping[str, Field]) -> list[dict[str, Json]]:
    return [
        {"property": _text(one.get("property"))} | _comparison(one, known.get(_text(one.get("property"))))
        for one in (filters if isinstance(filters, list) else [])
        if isinstance(one, dict)
    ]


def _count(count: Json) -> dict[str, Json]:
    count = count if isinstance(count, dict) else {}
    bound = _text(count.get("bound")) or nodes.Bound.AT_LEAST.value
    if bound == NEVER:
        return {"bound": nodes.Bound.EXACTLY.value, "n": 0}
    return {"bound": bound, "n": _whole(count.get("n", 1))}


def _window(window: Json) -> dict[str, Json]:
    window = window if isinstance(window, dict) else {}
    match _text(window.get("kind")) or "ever":
        case "rolling":
            return {
                "kind": "rolling",
                "n": _whole(window.get("n", 7)),
                "unit": _text(window.get("unit")) or nodes.Unit.DAYS.value,
            }
        case "calendar_days":
            return {"kind": "calendar_days", "n": _whole(window.get("n", 7))}
        case "between":
            return {"kind": "between", "first": _text(window.get("first")), "last": _text(window.get("last"))}
        case kind:
            return {"kind": kind}


# ── comparisons ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _amount(node: Mapping[str, Json]) -> dict[str, Json]:
    operator = _text(node.get("operator"))
    if operator not in set(AMOUNTS):
        operator = Operator.MORE_THAN.value
    return _comparison({"operator": operator, "value": node.get("value")}, Field("", FieldType.NUMBER, ""))


def _comparison(node: Mapping[str, Json], field: Field | None) -> dict[str, Json]:
    operator = _text(node.get("operator"))
    if field is not None and operator not in field.operators:
        operator = field.operators[0].value
    if operator not in set(Operator):
        return {"operator": Operator.IS.value, "value": node.get("value", "")}
    value = _value(OPERANDS[Operator(operator)], node.get("value"), field.type if field else FieldType.ANY)
    return {"operator": operator} | ({} if value is None else {"value": value})


def _value(operand: Operand, value: Json, kind: FieldType) -> Json:
    """The posted texts as the JSON that the operand takes; None where it takes nothing."""
    parts = value if isinstance(value, list) else [value]
    first = parts[0] if parts else None
    make: Mapping[Operand, Callable[[], Json]] = {
        Operand.NOTHING: lambda: None,
        Operand.SCALAR: lambda: _scalar(first, kind),
        Operand.CHOICES: lambda: [_scalar(part, kind) for part in parts] or [""],
        Operand.TEXT: lambda: _text(first),
        Operand.NUMBER: lambda: _number(first),
        Operand.NUMBERS: lambda: [_number(part) for part in [*parts, "", ""][:2]],
        Operand.DATE: lambda: _text(first),
        Operand.DATES: lambda: [_text(part) for part in [*parts, "", ""][:2]],
        Operand.DAYS: lambda: _whole(first),
        Operand.YEAR_DAYS: lambda: _whole(first),
    }
    return make[operand]()


def _scalar(value: Json, kind: FieldType) -> Json:
    if kind is FieldType.NUMBER:
        return _number(value)
    if kind is FieldType.BOOLEAN and value in ("true", "false"):
        return value == "true"
    return value if isinstance(value, bool) else _text(value)


def _yes(value: Json) -> Json:
    """The posted text of a choice between yes and no; what is neither is told at its place."""
    return value == "true" if value in ("true", "false") else value


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return ""
    if isinstance(value, int | float):
        return f"{value:.15g}" if isinstance(value, float) else str(value)
    return value if isinstance(value, str) else ""


def _number(value: Json) -> Json:
    """A number where the text is one ("1,200.50"), else the text: its problem is told at its place."""
    if not isinstance(value, str):
        return "" if value is None else value
    plain = value.strip().replace(",", "")
    if not re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,9})?", plain):
        return value
    return float(plain) if "." in plain else int(plain)


def _whole(value: Json) -> Json:
    number = _number(value)
    return int(number) if isinstance(number, float) and number.is_integer() else number
