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
    return (
        {"kind": "touchpoint", "event": one.event}
        | {"count": {"bound": one.count.bound.value, "n": one.count.n}, "window": _window(one.window)}
        | _picking(one)
    )


@node.register
def _(one: nodes.MeasureCondition) -> dict[str, Json]:
    return (
        {"kind": "measure", "event": one.event, "measure": one.measure.value, "property": one.property}
        | _comparison(one.comparison)
        | {"window": _window(one.window)}
        | _picking(one)
    )


@node.register
def _(one: nodes.SequenceCondition) -> dict[str, Json]:
    steps = {key: {"event": step.event} | _picking(step) for key, step in one.steps.items()}
    same = {} if one.same is None else {"same": one.same}
    within = {"n": one.within.n, "unit": one.within.unit.value}
    return {"kind": "sequence"} | steps | same | {"within": within, "window": _window(one.window)}


@node.register
def _(one: nodes.OrderTotalCondition) -> dict[str, Json]:
    return (
        {"kind": "order_total", "measure": one.measure.value}
        | _comparison(one.comparison)
        | {"currency": one.currency, "window": _window(one.window)}
    )


@node.register
def _(one: nodes.OrderLineCondition) -> dict[str, Json]:
    return (
        {"kind": "order_line", "measure": one.measure.value}
        | _comparison(one.comparison)
        | ({"currency": one.currency} if one.currency else {})
        | {"window": _window(one.window), "filters": _filters(one.filters)}
    )


@node.register
def _(one: nodes.ConsentCondition) -> dict[str, Json]:
    return {"kind": "consent", "purpose": one.purpose, "channel": one.channel, "state": one.state.value}


@node.register
def _(one: nodes.ReachableCondition) -> dict[str, Json]:
    return {"kind": "reachable", "purpose": one.purpose, "channel": one.channel}


@node.register
def _(one: nodes.SegmentCondition) -> dict[str, Json]:
    return {"kind": "segment", "segment": one.segment, "is_in": one.is_in}


@node.register
def _(one: nodes.ListCondition) -> dict[str, Json]:
    return {"kind": "list", "list": one.list, "is_in": one.is_in}


def _picking(one: nodes.OnTouchpoints) -> dict[str, Json]:
    """What touchpoints are picked by beside their event type. Sources are left out where all of them count."""
    sources = {"sources": list(one.sources)} if one.sources else {}
    return {"filters": _filters(one.filters)} | sources


def _filters(filters: tuple[nodes.PropertyFilter, ...]) -> list[dict[str, Json]]:
    return [{"property": one.property} | _comparison(one.comparison) for one in filters]


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
