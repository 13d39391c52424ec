"""What a computed trait is in SQL is what it is in plain Python, for whomever and whoever looks; it does not change
before the moment that is told; and the stored values, kept by rounds, are those of a computation of everybody."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from ingestion.models import Source
from profiles.channels import channel_of
from segments.definition import nodes
from segments.definition.evaluate import COMPUTED, Moment, Person, members
from segments.definition.fields import OPERATORS
from segments.definition.nodes import Bound, Count
from segments.definition.people import people
from segments.definition.viewer import Strategy
from segments.traits import reference
from segments.traits.formula import OF_A_PROPERTY, OF_ORDERS, Calculation, Formula
from segments.traits.reader import ANY_AMOUNT, ANY_NUMBER_OF_TIMES, parse, serialise
from segments.traits.statement import Column, Ground
from tests.generative.segments import definitions
from tests.generative.segments.definitions import PURPOSES, SEEDS
from tests.generative.segments.people import BANGKOK, NOW, PRODUCTS, SOURCES, eyes, person
from tests.generative.segments.populations import EVERYTHING, Eyes, RawPerson, Stored, project, store

KINDS = {"till": Source.Kind.POS, "site": Source.Kind.SHOP, "calls": Source.Kind.CALL_CENTRE}
computed: Counter[str] = Counter()
"""How often each kind of formula had different values for the people of a population."""
COMPARED = "COMPARED"
"""How often a condition on one held for some people of a population and not for others."""


def formula(draw: Random) -> Formula:
    """Any formula over the vocabulary of definitions."""
    per_channel = draw.random() < 0.3
    if draw.random() < 0.25:
        orders = nodes.OrderTotalCondition(
            nodes.Measure.SUM, ANY_AMOUNT, definitions.window(draw), draw.choice(definitions.CURRENCIES)
        )
        return Formula(draw.choice(sorted(OF_ORDERS)), (orders,), "", per_channel)
    if draw.random() < 0.25:
        calculation = draw.choice(list(Calculation))
        lines = replace(
            definitions.order_lines(draw), measure=nodes.LineMeasure.LINES, comparison=ANY_AMOUNT, currency=""
        )
        subject = draw.choice(list(definitions.LINE_PROPERTIES)) if calculation in OF_A_PROPERTY else ""
        return Formula(calculation, (lines,), subject, per_channel)
    picks = [definitions.touchpoints(draw) for _n in range(draw.choice([1, 1, 2]))]
    calculation = draw.choice(list(Calculation))
    return Formula(
        calculation,
        tuple(replace(pick, count=ANY_NUMBER_OF_TIMES) for pick in picks),
        draw.choice(list(definitions.PROPERTIES)) if calculation in OF_A_PROPERTY else "",
        per_channel,
    )


def channel(event: str, source: str) -> str:
    return channel_of(event, KINDS[source]).value


def people_of(population: Sequence[RawPerson], viewer: Eyes) -> list[Person]:
    """As the viewer sees them, orders with their sources."""
    return [
        replace(
            found,
            orders=tuple(
                replace(order, source=raw.source)
                for order, raw in zip(
                    found.orders, [one for one in population[found.id].orders if viewer.see(one.source)], strict=True
                )
            ),
        )
        for found in project(population, SOURCES, viewer, products=PRODUCTS)
    ]


def select(stored: Stored, query: sql.Composed) -> dict[int, Any]:
    """Number of a person → what a query says of them."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        numbers = {profile_id: number for number, profile_id in enumerate(stored.profile_ids)}
        rows = [(numbers[profile_id], value) for profile_id, value in cursor.fetchall() if profile_id in numbers]
    assert len(rows) == len({number for number, _value in rows})
    return dict(rows)


def exactly(value: Any) -> Any:
    """JSON with its numbers as decimals: 5 is 5.0, and nothing is rounded on the way."""
    if isinstance(value, dict):
        return {name: exactly(one) for name, one in value.items()}
    if isinstance(value, list):
        return [exactly(one) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(repr(float(value)))
    return value


def kinds_of(one: Formula) -> set[str]:
    found = {one.calculation.name}
    found |= {type(pick.window).__name__ for pick in one.touchpoints}
    found |= {"ORDERS"} if one.orders is not None else {"LINES"} if one.lines is not None else set()
    found |= {"PER_CHANNEL"} if one.per_channel else set()
    found |= {"SEVERAL"} if len(one.picks) > 1 else set()
    return found


VOCABULARY = {
    *(calculation.name for calculation in Calculation),
    *("ORDERS", "LINES", "PER_CHANNEL", "SEVERAL", "Ever", "Rolling", "CalendarDays", "Between"),
}


@pytest.mark.django_db
def test_sql_computes_what_plain_python_does_and_every_kind_of_formula_was_asked() -> None:
    """A kind of formula that never told two people of a population apart would not have been compared at all."""
    computed.clear()
    compare(SEEDS.map(formula), populations=60)
    for _round in range(5):  # what is rare among all formulas is asked by itself
        if rare := VOCABULARY - computed.keys():
            compare(SEEDS.map(lambda draw, rare=rare: one_of(rare, draw)), populations=10)
    assert VOCABULARY - computed.keys() == set()
    assert computed[COMPARED] > 0


def one_of(rare: set[str], draw: Random) -> Formula:
    """A formula of a kind that has told nobody apart yet."""
    while not kinds_of(found := formula(draw)) & rare:
        pass
    return found


def compare(formulas: st.SearchStrategy[Formula], *, populations: int) -> None:
    @given(
        population=st.lists(SEEDS.map(person), min_size=4, max_size=10),
        asking=st.lists(st.tuples(formulas, SEEDS.map(eyes)), min_size=5, max_size=12),
    )
    @settings(max_examples=populations, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    def run(population: Sequence[RawPerson], asking: Sequence[tuple[Formula, Eyes]]) -> None:
        with transaction.atomic():
            stored = store(population, SOURCES, PURPOSES, PRODUCTS)
            for one, viewer in asking:
                hold(one, viewer, population, stored)
            transaction.set_rollback(True)

    run()


def hold(one: Formula, viewer: Eyes, population: Sequence[RawPerson], stored: Stored) -> None:
    kinds = {stored.source_ids[slug]: kind.value for slug, kind in KINDS.items()}
    moment = Moment(NOW, BANGKOK)
    ground = Ground(one, stored.viewer(viewer), moment, kinds)
    found = {number: json.loads(value) for number, value in select(stored, ground.values()).items()}
    seen = people_of(population, viewer)
    expected = {each.id: reference.value(one, each, moment, channel) for each in seen}
    for each in seen:
        assert exactly(found.get(each.id)) == exactly(expected[each.id]), (one, viewer, each)
    if len({json.dumps(value, sort_keys=True) for value in expected.values()}) > 1:
        computed.update(kinds_of(one))
    for time in range(2):
        is_compared(one, Random(repr((one, len(population), time))), viewer, seen, stored, kinds)
    if viewer == EVERYTHING and not one.changes_daily:
        nothing_changes_earlier(one, seen, select(stored, ground.next_changes()))


def is_compared(
    one: Formula, draw: Random, viewer: Eyes, seen: Sequence[Person], stored: Stored, kinds: Mapping[int, str]
) -> None:
    """A condition on it selects the same people in both engines, of a definition or of its opposite."""
    of_channel = draw.choice(sorted(channel(event, slug) for event in definitions.EVENTS for slug in KINDS))
    name = f"{COMPUTED}it" + (f".{of_channel}" if one.per_channel else "")
    column = Column(0, one, of_channel if one.per_channel else "", is_stored=False, kinds=kinds)
    field_type = draw.choice(list(definitions.COMMON))
    comparison = definitions.comparison(draw, field_type, OPERATORS[field_type])
    condition = nodes.AttributeCondition(name, comparison)
    where = nodes.All((condition if draw.random() < 0.5 else nodes.Not((condition,)),))
    knowing = [replace(each, computed=reference.Worked(each, {"it": one}, channel)) for each in seen]
    query = people(
        nodes.Definition(where),
        replace(stored.viewer(viewer), computed={name: column}),
        now=NOW,
        time_zone=BANGKOK,
        strategy=draw.choice(list(Strategy)),
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = stored.people([profile_id for (profile_id,) in cursor.fetchall()])
    assert found == members(nodes.Definition(where), knowing, now=NOW, time_zone=BANGKOK), (one, condition, viewer)
    if 0 < len(found) < len(seen):
        computed[COMPARED] += 1


def nothing_changes_earlier(one: Formula, seen: Sequence[Person], told: Mapping[int, Any]) -> None:
    """Until the moment that is told; ever, where none is. Looked at around each moment at which anything could."""
    lengths = [timedelta(0), *(timedelta(days=days) for days in (1, 2, 7, 30)), *(timedelta(hours=n) for n in (1, 24))]
    for each in seen:
        now = reference.value(one, each, Moment(NOW, BANGKOK), channel)
        happened = [row.occurred_at for row in each.touchpoints] + [order.placed_at for order in each.orders]
        coming = [at + length for at in happened for length in lengths if at + length > NOW]
        for at in coming:
            if each.id not in told or at < told[each.id]:
                assert reference.value(one, each, Moment(at, BANGKOK), channel) == now, (one, each, at)


@given(SEEDS.map(formula))
@settings(max_examples=150, deadline=None, database=None)
def test_what_is_written_is_read_again(one: Formula) -> None:
    assert parse(json.loads(json.dumps(serialise(one)))) == one


def test_how_often_and_how_much_are_left_over() -> None:
    often = replace(definitions.touchpoints(Random(1)), count=Count(Bound.EXACTLY, 3))
    written = serialise(Formula(Calculation.COUNT, (often,)))

    [pick] = parse(written).picks

    assert isinstance(pick, nodes.TouchpointCondition)
    assert pick.count == ANY_NUMBER_OF_TIMES
