"""Nodes → the JSON that `parse` reads: `parse(serialise(definition)) == definition` for every definition."""

import datetime as dt
from decimal import Decimal
from functools import singledispatch
from typing import Any as Json

from segments.definition import nodes


def serialise(definition: nodes.Definition) -> dict[str, Json]:
    """JSON-ready dictionary, version included."""
    return {"version": nodes.VERSION, "where": node(definition.where)}


@singledispatch
def node(one: nodes.Node) -> dict[str, Json]:
    """JSON-ready dictionary of a group or a condition."""
    raise TypeError(f"no JSON for {type(one).__name__}")


@node.register
def _(one: nodes.All) -> dict[str, Json]:
    return {"kind": "all", "of": [node(member) for member in one.of]}


@node.register
def _(one: nodes.Any) -> dict[str, Json]:
    return {"kind": "any", "of": [node(member) for member in one.of]}


@node.register
def _(one: nodes.Not) -> dict[str, Json]:
    return {"kind": "not", "of": [node(member) for member in one.of]}


@node.register
def _(one: nodes.AttributeCondition) -> dict[str, Json]:
    return {"kind": "attribute", "trait": one.trait} | _comparison(one.comparison)


@node.register
def _(one: nodes.TouchpointCondition) -> dict[str, Json]:
    return {
        "kind": "touchpoint",
        "event": one.event,
        "count": {"bound": one.count.bound.value, "n": one.count.n},
        "window": _window(one.window),
        "filters": [{"property": each.property} | _comparison(each.comparison) for each in one.filters],
    }


@node.register
def _(one: nodes.OrderTotalCondition) -> dict[str, Json]:
    return (
        {"kind": "order_total", "measure": one.measure.value}
        | _comparison(one.comparison)
        | {"currency": one.currency, "window": _window(one.window)}
    )


@node.register
def _(one: nodes.ConsentCondition) -> dict[str, Json]:
    return {"kind": "consent", "purpose": one.purpose, "channel": one.channel, "state": one.state.value}


def _window(window: nodes.Window) -> dict[str, Json]:
    match window:
        case nodes.Ever():
            return {"kind": "ever"}
        case nodes.Rolling():
            return {"kind": "rolling", "n": window.n, "unit": window.unit.value}
        case nodes.CalendarDays():
            return {"kind": "calendar_days", "n": window.n}
        case nodes.Between():
            return {"kind": "between", "first": window.first.isoformat(), "last": window.last.isoformat()}


def _comparison(comparison: nodes.Comparison) -> dict[str, Json]:
    written: dict[str, Json] = {"operator": comparison.operator.value}
    if comparison.value is not None:
        written["value"] = _value(comparison.value)
    return written


def _value(value: nodes.Value) -> Json:
    match value:
        case tuple():
            return [_value(part) for part in value]
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dt.date():
            return value.isoformat()
        case _:
            return value
