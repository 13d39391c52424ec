"""Definitions over a small vocabulary, so that conditions meet people.

Hypothesis draws and shrinks the shape: which groups, how many conditions. A single condition comes from a seed: drawn
piece by piece it would take most of the test's time, and Hypothesis would fill up with copies of the simplest ones.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

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
    "category": FieldType.TEXT,
    "price": FieldType.NUMBER,
    "seen_on": FieldType.DATE,
    "tags": FieldType.TEXT,
}
LINE_PROPERTIES: Mapping[str, FieldType] = {
    "sku": FieldType.TEXT,
    "name": FieldType.TEXT,
    "category": FieldType.TEXT,
    "color": FieldType.TEXT,
    "brand": FieldType.TEXT,
    "sizes": FieldType.TEXT,
    "price": FieldType.NUMBER,
    "quantity": FieldType.NUMBER,
}
LISTS = ("019ab000-0000-7000-8000-000000000001", "019ab000-0000-7000-8000-000000000002")
SOURCES = ("till", "site", "calls")
EVENTS = ("Product Viewed", "Order Completed")
PURPOSES = ("marketing", "research")
CHANNELS = ("email", "sms", "post")
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
    FieldType.TEXT: ["ÉTÉ", "été", "[x", "{", "5", "a_b", "a%", "back\\slash", "it's", "true", "%s", "ก" * 40],
    FieldType.NUMBER: [Decimal(n) for n in ("-3", "99.5", "1000", "0.1", "123456789012.5")],
    # Anniversaries: in a week, this month; of a leap day; the day itself, and a year before it.
    FieldType.DATE: [dt.date(1990, 2, 28), dt.date(2026, 12, 1), dt.date(1996, 2, 29), nodes.LAST_DATE]
    + [dt.date(year, 11, day) for year in (1985, 2025) for day in (21, 22, 23)],
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
        Operand.YEAR_DAYS: lambda: draw.choice([1, 2, 7, 100, 365]),
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


def filters(draw: Random, names: Mapping[str, FieldType] = PROPERTIES) -> tuple[nodes.PropertyFilter, ...]:
    return tuple(compared(draw, nodes.PropertyFilter, names) for _n in range(draw.choice([0, 0, 1, 2])))


def sources(draw: Random) -> tuple[str, ...]:
    return tuple(draw.sample((*SOURCES, "gone"), draw.choice([0, 0, 0, 1, 2])))


def touchpoints(draw: Random) -> nodes.TouchpointCondition:
    bound = draw.choice(list(nodes.Bound))
    n = draw.choice([1, 1, 2, 3] if bound is nodes.Bound.AT_LEAST else [0, 1, 2])
    return nodes.TouchpointCondition(
        draw.choice(EVENTS), nodes.Count(bound, n), window(draw), filters(draw), sources(draw)
    )


def amount(draw: Random) -> Comparison:
    return comparison(draw, FieldType.NUMBER, sorted(nodes.AMOUNT_OPERATORS))


def measure(draw: Random) -> nodes.MeasureCondition:
    kind = draw.choice(list(nodes.PropertyMeasure))

    def make(name: str, found: Comparison) -> nodes.MeasureCondition:
        compared_with = amount(draw) if kind.is_number else found
        return nodes.MeasureCondition(
            draw.choice(EVENTS), kind, name, compared_with, window(draw), filters(draw), sources(draw)
        )

    return compared(draw, make, PROPERTIES)


def step(draw: Random) -> nodes.Step:
    return nodes.Step(draw.choice(EVENTS), filters(draw) if draw.random() < 0.3 else (), sources(draw))


def sequence(draw: Random) -> nodes.SequenceCondition:
    """Mostly of the whole past: people have few touchpoints, and pairs of them are rarer still."""
    return nodes.SequenceCondition(
        first=step(draw),
        then=step(draw),
        # Five hours, and the least step more or less, lie between the moments of people.
        within=nodes.Within(*draw.choice([(5, nodes.Unit.HOURS), (1, nodes.Unit.MINUTES), (90, nodes.Unit.DAYS)])),
        window=nodes.Ever() if draw.random() < 0.7 else window(draw),
        without=step(draw) if draw.random() < 0.5 else None,
        same=draw.choice([None, None, *PROPERTIES]),
    )


def order_lines(draw: Random) -> nodes.OrderLineCondition:
    kind = draw.choice(list(nodes.LineMeasure))
    currency = draw.choice(CURRENCIES) if kind is nodes.LineMeasure.SPENT else ""
    return nodes.OrderLineCondition(kind, amount(draw), window(draw), filters(draw, LINE_PROPERTIES), currency)


def segment(draw: Random) -> nodes.SegmentCondition:
    """A condition on a segment, resolved: it asks some conditions of its own, on a segment too now and then."""
    group = draw.choice([nodes.All, nodes.Any, nodes.Not])
    where = group(tuple(condition(draw) for _n in range(draw.randint(1, 2))))
    return nodes.SegmentCondition(str(UUID(int=draw.getrandbits(128))), draw.random() < 0.5, where)


def condition(draw: Random) -> nodes.Condition:
    makers: Sequence[Callable[[Random], nodes.Condition]] = (
        lambda draw: compared(draw, nodes.AttributeCondition, TRAITS),
        lambda draw: compared(draw, nodes.AttributeCondition, TRAITS),
        touchpoints,
        measure,
        sequence,
        lambda draw: nodes.OrderTotalCondition(
            draw.choice(list(nodes.Measure)), amount(draw), window(draw), draw.choice(CURRENCIES)
        ),
        order_lines,
        lambda draw: nodes.ConsentCondition(
            draw.choice(PURPOSES), draw.choice(CHANNELS), draw.choice(list(nodes.ConsentState))
        ),
        lambda draw: nodes.ReachableCondition(draw.choice(PURPOSES), draw.choice(CHANNELS)),
        segment,
        lambda draw: nodes.ListCondition(draw.choice(LISTS), draw.random() < 0.5),
    )
    return draw.choice(makers)(draw)


SEEDS = st.binary(min_size=8, max_size=8).map(Random)
CONDITIONS = SEEDS.map(condition)


def groups(levels: int) -> st.SearchStrategy[nodes.Group]:
    """Groups that nest at most `levels` deep."""
    members = CONDITIONS if levels == 1 else CONDITIONS | groups(levels - 1)
    of = st.lists(members, min_size=1, max_size=3).map(tuple)
    return st.one_of(st.builds(nodes.All, of), st.builds(nodes.Any, of), st.builds(nodes.Not, of))


DEFINITIONS = groups(nodes.MAX_DEPTH).map(nodes.Definition)
