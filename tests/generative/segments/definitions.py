"""Hypothesis strategies for whole definitions over a small vocabulary, so that conditions meet people."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from hypothesis import strategies as st

from segments.definition import nodes
from segments.definition.nodes import OPERANDS, Comparison, Operand, Operator

TRAITS = ("city", "age", "birth_date", "subscribed", "interests")
EVENTS = ("Product Viewed", "Order Completed")
PROPERTIES = ("color", "price", "tags")
PURPOSES = ("marketing", "research")
CHANNELS = ("email", "sms")
CURRENCIES = ("THB", "USD")

TEXTS = st.sampled_from(["red", "Red", "แดง", "รองเท้า", "ÉTÉ", "été", "[x", "{", "5", "a_b", "a%", "back\\slash", "it's"])
NUMBERS = st.sampled_from(["0", "1", "5", "-3", "99.5", "1000", "0.1", "123456789012.5"]).map(Decimal)
DATES = st.dates(dt.date(2026, 11, 10), dt.date(2026, 12, 1)) | st.sampled_from([dt.date(1990, 2, 28), nodes.LAST_DATE])


def _pair(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.tuples(values, values).map(lambda pair: tuple(sorted(pair)))


VALUES: Mapping[Operand, st.SearchStrategy] = {
    Operand.NOTHING: st.none(),
    Operand.SCALAR: TEXTS | NUMBERS | st.booleans(),
    Operand.CHOICES: st.lists(TEXTS, min_size=1, max_size=3).map(tuple)
    | st.lists(NUMBERS, min_size=1, max_size=3).map(tuple),
    Operand.TEXT: TEXTS,
    Operand.NUMBER: NUMBERS,
    Operand.NUMBERS: _pair(NUMBERS),
    Operand.DATE: DATES,
    Operand.DATES: _pair(DATES),
    Operand.DAYS: st.sampled_from([1, 7, 30, 36_600]),
}

COMPARISONS = st.sampled_from(list(Operator)).flatmap(
    lambda operator: st.builds(Comparison, st.just(operator), VALUES[OPERANDS[operator]])
)
AMOUNT_COMPARISONS = st.sampled_from(sorted(nodes.ORDER_OPERATORS)).flatmap(
    lambda operator: st.builds(
        Comparison, st.just(operator), _pair(NUMBERS) if operator is Operator.BETWEEN else NUMBERS
    )
)
WINDOWS = st.one_of(
    st.builds(nodes.Ever),
    st.builds(nodes.Rolling, st.sampled_from([1, 7, 24, 90]), st.sampled_from(list(nodes.Unit))),
    st.builds(nodes.CalendarDays, st.sampled_from([1, 2, 7, 30])),
    _pair(st.dates(dt.date(2026, 11, 1), dt.date(2026, 12, 1))).map(lambda pair: nodes.Between(*pair)),
)
COUNTS = st.sampled_from(list(nodes.Bound)).flatmap(
    lambda bound: st.builds(
        nodes.Count, st.just(bound), st.integers(1 if bound is nodes.Bound.AT_LEAST else 0, 3)
    )
)
CONDITIONS = st.one_of(
    st.builds(nodes.AttributeCondition, st.sampled_from(TRAITS), COMPARISONS),
    st.builds(
        nodes.TouchpointCondition,
        st.sampled_from(EVENTS),
        COUNTS,
        WINDOWS,
        st.lists(st.builds(nodes.PropertyFilter, st.sampled_from(PROPERTIES), COMPARISONS), max_size=2).map(tuple),
    ),
    st.builds(
        nodes.OrderTotalCondition,
        st.sampled_from(list(nodes.Measure)),
        AMOUNT_COMPARISONS,
        WINDOWS,
        st.sampled_from(CURRENCIES),
    ),
    st.builds(
        nodes.ConsentCondition,
        st.sampled_from(PURPOSES),
        st.sampled_from(CHANNELS),
        st.sampled_from(list(nodes.ConsentState)),
    ),
)


def groups(levels: int) -> st.SearchStrategy[nodes.Group]:
    """Groups that nest at most `levels` deep."""
    members = CONDITIONS if levels == 1 else CONDITIONS | CONDITIONS | groups(levels - 1)
    of = st.lists(members, min_size=1, max_size=3).map(tuple)
    return st.one_of(st.builds(nodes.All, of), st.builds(nodes.Any, of), st.builds(nodes.Not, of))


DEFINITIONS = groups(nodes.MAX_DEPTH).map(nodes.Definition)
