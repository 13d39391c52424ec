"""Definitions over a small vocabulary, so that conditions meet people.

Hypothesis draws and shrinks the shape: which groups, how many conditions. A single condition comes from a seed: drawn
piece by piece it would take most of the test's time, and Hypothesis would fill up with copies of the simplest ones.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from segments.definition import nodes
from segments.definition.fields import OPERATORS, FieldType
from segments.definition.nodes import OPERANDS, Comparison, Operand, Operator

TRAITS: Mapping[str, FieldType] = {
    "city": FieldType.TEXT,
    "age": FieldType.NUMBER,
    "birth_date": FieldType.DATE,
    "subscribed": FieldType.BOOLEAN,
    "interests": FieldType.TEXT,
    # Parts of a name and of an address, which survive together with others.
    "first_name": FieldType.TEXT,
    "name": FieldType.TEXT,
    "postcode": FieldType.TEXT,
}
PROPERTIES: Mapping[str, FieldType] = {
    "color": FieldType.TEXT,
    "price": FieldType.NUMBER,
    "seen_on": FieldType.DATE,
    "tags": FieldType.TEXT,
}
EVENTS = ("Product Viewed", "Order Completed")
PURPOSES = ("marketing", "research")
CHANNELS = ("email", "sms")
CURRENCIES = ("THB", "USD")

# What people and definitions have in common, so that comparisons hold about as often as they do not …
COMMON: Mapping[FieldType, Sequence[Any]] = {
    FieldType.TEXT: ["red", "RED", "แดง", "red shoes"],
    FieldType.NUMBER: [Decimal(n) for n in (0, 1, 5)],
    FieldType.DATE: [dt.date(2026, 11, day) for day in (14, 15, 16, 21, 22, 23)],
    FieldType.BOOLEAN: [True, False],
}
# … and what lies on the edge of a rule.
ODD: Mapping[FieldType, Sequence[Any]] = {
    FieldType.TEXT: ["ÉTÉ", "été", "[x", "{", "5", "a_b", "a%", "back\\slash", "it's", "true", "%s"],
    FieldType.NUMBER: [Decimal(n) for n in ("-3", "99.5", "1000", "0.1", "123456789012.5")],
    FieldType.DATE: [dt.date(1990, 2, 28), dt.date(2026, 12, 1), nodes.LAST_DATE],
    FieldType.BOOLEAN: [True, False],
}


def comparison(draw: Random, kind: FieldType, operators: Sequence[Operator]) -> Comparison:
    """One of the operators with values of the kind, or of the one that the operator asks for."""
    operator = draw.choice(operators)
    values = COMMON if draw.random() < 0.7 else ODD
    text = values[FieldType.TEXT]
    scalars = text if kind is FieldType.DATE else values[kind]
    choices = text if kind is FieldType.BOOLEAN else scalars
    make: Mapping[Operand, Callable[[], Any]] = {
        Operand.NOTHING: lambda: None,
        Operand.SCALAR: lambda: draw.choice(scalars),
        Operand.CHOICES: lambda: tuple(draw.sample(choices, draw.randint(1, 2))),
        Operand.TEXT: lambda: draw.choice(text),
        Operand.NUMBER: lambda: draw.choice(values[FieldType.NUMBER]),
        Operand.NUMBERS: lambda: tuple(sorted(draw.choices(values[FieldType.NUMBER], k=2))),
        Operand.DATE: lambda: draw.choice(values[FieldType.DATE]),
        Operand.DATES: lambda: tuple(sorted(draw.choices(values[FieldType.DATE], k=2))),
        Operand.DAYS: lambda: draw.choice([1, 2, 7, 36_600]),
    }
    return Comparison(operator, make[OPERANDS[operator]]())


def compared(draw: Random, make: Callable[..., Any], names: Mapping[str, FieldType]) -> Any:
    """`make(name, comparison)`, three times in four a comparison that fits the name's type."""
    name, kind = draw.choice(list(names.items()))
    if draw.random() < 0.75:
        return make(name, comparison(draw, kind, OPERATORS[kind]))
    return make(name, comparison(draw, draw.choice(list(COMMON)), list(Operator)))


def window(draw: Random) -> nodes.Window:
    match draw.randrange(4):
        case 0:
            return nodes.Ever()
        case 1:
            return nodes.Rolling(draw.choice([1, 7, 24, 90]), draw.choice(list(nodes.Unit)))
        case 2:
            return nodes.CalendarDays(draw.choice([1, 2, 7, 30]))
        case _:
            first, last = sorted(draw.choices(COMMON[FieldType.DATE], k=2))
            return nodes.Between(first, last)


def condition(draw: Random) -> nodes.Condition:
    match draw.randrange(5):
        case 0 | 1:
            return compared(draw, nodes.AttributeCondition, TRAITS)
        case 2:
            bound = draw.choice(list(nodes.Bound))
            return nodes.TouchpointCondition(
                draw.choice(EVENTS),
                nodes.Count(bound, draw.choice([1, 1, 2, 3] if bound is nodes.Bound.AT_LEAST else [0, 1, 2])),
                window(draw),
                tuple(compared(draw, nodes.PropertyFilter, PROPERTIES) for _n in range(draw.choice([0, 0, 1, 2]))),
            )
        case 3:
            return nodes.OrderTotalCondition(
                draw.choice(list(nodes.Measure)),
                comparison(draw, FieldType.NUMBER, sorted(nodes.ORDER_OPERATORS)),
                window(draw),
                draw.choice(CURRENCIES),
            )
        case _:
            return nodes.ConsentCondition(
                draw.choice(PURPOSES), draw.choice(CHANNELS), draw.choice(list(nodes.ConsentState))
            )


SEEDS = st.binary(min_size=8, max_size=8).map(Random)
CONDITIONS = SEEDS.map(condition)


def groups(levels: int) -> st.SearchStrategy[nodes.Group]:
    """Groups that nest at most `levels` deep."""
    members = CONDITIONS if levels == 1 else CONDITIONS | groups(levels - 1)
    of = st.lists(members, min_size=1, max_size=3).map(tuple)
    return st.one_of(st.builds(nodes.All, of), st.builds(nodes.Any, of), st.builds(nodes.Not, of))


DEFINITIONS = groups(nodes.MAX_DEPTH).map(nodes.Definition)
