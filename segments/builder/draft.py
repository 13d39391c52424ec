"""A definition while it is being written: posted controls → JSON that may still have gaps.

The name of each control is the JSON pointer of its value ("/where/of/0/trait"), so that the form and the definition
are the same tree and a problem's place is the control that it belongs to.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any as Json

from segments.definition import nodes
from segments.definition.fields import Field, Fields, FieldType
from segments.definition.nodes import OPERANDS, Operand, Operator

GROUPS = ("all", "any", "not")
NEVER = "never"
"""Offered beside the bounds of a count: it stands for exactly 0."""

# Pointers of the deepest control: four groups, a filter, a value of a list.
_LONGEST_POINTER = 3 * nodes.MAX_DEPTH + 6
_ACTION = re.compile(r"([a-z_-]+) (/where(?:/[a-z]+|/[0-9]{1,3})*)")


def blank() -> dict[str, Json]:
    """The definition with which a new segment begins."""
    return {"version": nodes.VERSION, "where": {"kind": "all", "of": []}}


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(posted: Iterable[tuple[str, object]]) -> dict[str, Json]:
    """The tree of the controls; what is no control of a definition is passed over."""
    tree: dict[str, Json] = {}
    for name, value in posted:
        keys = name.split("/")
        if name.startswith("/where/") and len(keys) <= _LONGEST_POINTER and isinstance(value, str):
            _put(tree, keys[1:], value)
    where = _lists(tree.get("where", {}))
    return {"version": nodes.VERSION, "where": where if isinstance(where, dict) else {}}


def _put(tree: dict[str, Json], keys: list[str], value: str) -> None:
    for key in keys[:-1]:
        below = tree.setdefault(key, {})
        if not isinstance(below, dict):
            return
        tree = below
    tree.setdefault(keys[-1], value)


def _lists(tree: Json) -> Json:
    """Objects whose keys are all numbers are lists."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdecimal() for key in tree):
        return [_lists(tree[key]) for key in sorted(tree, key=int)]
    return {key: _lists(value) for key, value in tree.items()}


# ── changing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def act(definition: dict[str, Json], action: str) -> str | None:
    """Carry out a button's action, "verb place", on the definition.

    Returns the place that the reader should be at afterwards, or None for an action that has no meaning (any more).
    """
    found = _ACTION.fullmatch(action)
    if found is None:
        return None
    verb, place = found.groups()
    keys = place.split("/")[1:]
    target = _at(definition, keys)
    if verb in _ADDITIONS:
        return _add(target, place, *_ADDITIONS[verb])
    holder = _at(definition, keys[:-1])
    if verb not in _MOVES or not isinstance(holder, list) or not keys[-1].isdecimal() or int(keys[-1]) >= len(holder):
        return None
    at = _MOVES[verb](holder, int(keys[-1]))
    siblings = "/" + "/".join(keys[:-1])
    return siblings if at is None else f"{siblings}/{at}"


def _at(tree: Json, keys: list[str]) -> Json:
    for key in keys:
        if isinstance(tree, dict):
            tree = tree.get(key)
        elif isinstance(tree, list) and key.isdecimal() and int(key) < len(tree):
            tree = tree[int(key)]
        else:
            return None
    return tree


_ADDITIONS: Mapping[str, tuple[str, Callable[[], Json]]] = {
    "add-attribute": ("of", lambda: {"kind": "attribute"}),
    "add-touchpoint": ("of", lambda: {"kind": "touchpoint"}),
    "add-order_total": ("of", lambda: {"kind": "order_total"}),
    "add-consent": ("of", lambda: {"kind": "consent"}),
    "add-group": ("of", lambda: {"kind": "any", "of": []}),
    "add-filter": ("filters", dict),
    "add-value": ("value", str),
}


def _add(target: Json, place: str, key: str, make: Callable[[], Json]) -> str | None:
    if not isinstance(target, dict):
        return None
    members = target.setdefault(key, [])
    if not isinstance(members, list):
        return None
    members.append(make())
    return f"{place}/{key}/{len(members) - 1}"


def _remove(members: list[Json], at: int) -> None:
    del members[at]


def _up(members: list[Json], at: int) -> int:
    before = max(at - 1, 0)
    members[before], members[at] = members[at], members[before]
    return before


def _down(members: list[Json], at: int) -> int:
    behind = min(at + 1, len(members) - 1)
    members[behind], members[at] = members[at], members[behind]
    return behind


_MOVES: Mapping[str, Callable[[list[Json], int], int | None]] = {"remove": _remove, "up": _up, "down": _down}


# ── fitting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def fit(definition: dict[str, Json], fields: Fields) -> dict[str, Json]:
    """The definition with what follows from its choices: operators that the chosen field has, values of the type that
    the operator takes, the parts of the chosen window. What the writer has not said yet stays open."""
    return {"version": nodes.VERSION, "where": _fit_node(definition.get("where"), fields)}


def finished(definition: dict[str, Json]) -> dict[str, Json]:
    """The definition as it would be stored: without the empty line at the end of a list of values."""
    written = _without_blanks(definition)
    return written if isinstance(written, dict) else {}


def _without_blanks(tree: Json, key: str = "") -> Json:
    if isinstance(tree, dict):
        ranged = OPERANDS.get(Operator(tree["operator"])) if tree.get("operator") in set(Operator) else None
        keep = ranged in {Operand.NUMBERS, Operand.DATES}
        return {name: part if keep and name == "value" else _without_blanks(part, name) for name, part in tree.items()}
    if isinstance(tree, list):
        return [_without_blanks(part) for part in tree if not (key == "value" and part == "")]
    return tree


def _fit_node(node: Json, fields: Fields) -> dict[str, Json]:
    node = node if isinstance(node, dict) else {}
    kind = node.get("kind")
    fitters: Mapping[str, Callable[[dict[str, Json], Fields], dict[str, Json]]] = {
        "attribute": _fit_attribute,
        "touchpoint": _fit_touchpoint,
        "order_total": _fit_order_total,
        "consent": _fit_consent,
    }
    if isinstance(kind, str) and kind in fitters:
        return {"kind": kind} | fitters[kind](node, fields)
    members = node.get("of")
    return {
        "kind": kind if kind in GROUPS else "all",
        "of": [_fit_node(member, fields) for member in members] if isinstance(members, list) else [],
    }


def _fit_attribute(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    trait = _text(node.get("trait"))
    return {"trait": trait} | _fit_comparison(node, fields.traits.get(trait))


def _fit_touchpoint(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    name = _text(node.get("event"))
    event = fields.events.get(name)
    known = (event.properties if event else None) or {}
    filters = node.get("filters")
    return {
        "event": name,
        "count": _fit_count(node.get("count")),
        "window": _fit_window(node.get("window")),
        "filters": [
            {"property": _text(one.get("property"))} | _fit_comparison(one, known.get(_text(one.get("property"))))
            for one in (filters if isinstance(filters, list) else [])
            if isinstance(one, dict)
        ],
    }


def _fit_order_total(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    money = Field("", FieldType.NUMBER, "")
    operator = _text(node.get("operator"))
    if operator not in set(nodes.ORDER_OPERATORS):
        operator = Operator.MORE_THAN.value
    return {
        "measure": _text(node.get("measure")) or nodes.Measure.SUM.value,
        **_fit_comparison({"operator": operator, "value": node.get("value")}, money),
        "currency": _text(node.get("currency")) or next(iter(fields.currencies), ""),
        "window": _fit_window(node.get("window")),
    }


def _fit_consent(node: dict[str, Json], fields: Fields) -> dict[str, Json]:
    return {
        "purpose": _text(node.get("purpose")) or next(iter(fields.purposes), ""),
        "channel": _text(node.get("channel")) or next(iter(fields.channels), ""),
        "state": _text(node.get("state")) or nodes.ConsentState.GRANTED.value,
    }


def _fit_count(count: Json) -> dict[str, Json]:
    count = count if isinstance(count, dict) else {}
    bound = _text(count.get("bound")) or nodes.Bound.AT_LEAST.value
    if bound == NEVER:
        return {"bound": nodes.Bound.EXACTLY.value, "n": 0}
    return {"bound": bound, "n": _whole(count.get("n", 1))}


def _fit_window(window: Json) -> dict[str, Json]:
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


def _fit_comparison(node: Mapping[str, Json], field: Field | None) -> dict[str, Json]:
    operator = _text(node.get("operator"))
    if field is not None and operator not in field.operators:
        operator = field.operators[0].value
    if operator not in set(Operator):
        return {"operator": Operator.IS.value, "value": node.get("value", "")}
    value = _fit_value(OPERANDS[Operator(operator)], node.get("value"), field.type if field else FieldType.ANY)
    return {"operator": operator} | ({} if value is None else {"value": value})


def _fit_value(operand: Operand, value: Json, kind: FieldType) -> Json:
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
    }
    return make[operand]()


def _scalar(value: Json, kind: FieldType) -> Json:
    if kind is FieldType.NUMBER:
        return _number(value)
    if kind is FieldType.BOOLEAN and value in ("true", "false"):
        return value == "true"
    return value if isinstance(value, bool) else _text(value)


def _text(value: Json) -> str:
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
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
