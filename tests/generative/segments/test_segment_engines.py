"""The compiled SQL selects exactly the people whom the reference engine selects, whatever is asked of whomever."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import get_args
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from profiles.models import Profile
from segments import persons
from segments.definition import nodes, people
from segments.definition.evaluate import Moment, Person, holds, members
from segments.definition.viewer import Span, Strategy
from tests.generative.segments.definitions import DEFINITIONS, PURPOSES, SEEDS, condition
from tests.generative.segments.people import BANGKOK, NOW, PRODUCTS, SOURCES, eyes, person
from tests.generative.segments.populations import Eyes, RawPerson, Stored, project, store

asked: Counter[str] = Counter()
"""How often each kind of node held for some people of a population and not for others."""


def selected(stored: Stored, definition: nodes.Definition, viewer: Eyes, strategy: Strategy) -> set[int]:
    return found_by(
        stored, people.people(definition, stored.viewer(viewer), now=NOW, time_zone=BANGKOK, strategy=strategy)
    )


def shared(stored: Stored, definition: nodes.Definition, viewer: Eyes) -> set[int]:
    """The same people in two spans of ids, where that may be."""
    if not people.can_be_shared(definition, stored.viewer(viewer)):
        return selected(stored, definition, viewer, Strategy.SWEEP)
    middle = sorted(stored.profile_ids)[len(stored.profile_ids) // 2]
    first, then = (
        people.people(definition, stored.viewer(viewer), now=NOW, time_zone=BANGKOK, span=span)
        for span in (Span(0, middle), Span(middle, 2**62))
    )
    return found_by(stored, sql.SQL("({}) UNION ALL ({})").format(first, then))


def found_by(stored: Stored, query: sql.Composable) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = [row[0] for row in cursor.fetchall()]
    assert len(found) == len(set(found))
    return stored.people(found)


def read_one_by_one(stored: Stored, definition: nodes.Definition, viewer: Eyes) -> set[int]:
    """The same people, each read out of the database and asked in memory."""
    moment, found = Moment(NOW, BANGKOK), set()
    for profile in Profile.objects.filter(pk__in=stored.profile_ids):
        one = persons.now(profile, stored.viewer(viewer), moment, asked=[definition])
        if one is not None and holds(definition.where, one, moment):
            found.add(profile.pk)
    return stored.people(found)


@pytest.mark.django_db
def test_both_engines_select_the_same_people_and_every_kind_of_node_was_asked() -> None:
    """A node that never split a population would not have been compared at all."""
    classes = (
        *(nodes.All, nodes.Any, nodes.Not, nodes.PropertyFilter, nodes.Step),
        *get_args(nodes.Condition),
        *get_args(nodes.Window),
    )
    choices = (
        *(nodes.Operator, nodes.Bound, nodes.Measure, nodes.PropertyMeasure, nodes.LineMeasure),
        nodes.ConsentState,
    )
    vocabulary = {one.__name__ for one in classes} | {str_of(one) for kind in choices for one in kind}
    vocabulary |= {"sources", "without", "same"}
    asked.clear()
    compare(DEFINITIONS, populations=60)
    for _round in range(5):  # what is rare among all that can be asked is asked by itself
        if rare := vocabulary - asked.keys():
            compare(SEEDS.map(lambda draw, rare=rare: one_of(rare, draw)), populations=20)
    assert vocabulary - asked.keys() == set()


def one_of(rare: set[str], draw: Random) -> nodes.Definition:
    """A definition of one condition of a kind that was not asked yet."""
    while not kinds(found := condition(draw)) & rare:
        pass
    return nodes.Definition(nodes.All((found,)))


def compare(definitions: st.SearchStrategy[nodes.Definition], *, populations: int) -> None:
    """Ask both engines the definitions about random people."""

    @given(
        population=st.lists(SEEDS.map(person), min_size=4, max_size=12),
        asking=st.lists(st.tuples(definitions, SEEDS.map(eyes)), min_size=4, max_size=12),
    )
    @settings(max_examples=populations, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    def run(population: Sequence[RawPerson], asking: Sequence[tuple[nodes.Definition, Eyes]]) -> None:
        ask(population, asking)

    run()


def ask(population: Sequence[RawPerson], asking: Sequence[tuple[nodes.Definition, Eyes]]) -> None:
    with transaction.atomic():
        stored = store(population, SOURCES, PURPOSES, PRODUCTS)
        for definition, viewer in asking:
            seen = project(population, SOURCES, viewer, purposes=PURPOSES, products=PRODUCTS)
            expected = members(definition, seen, now=NOW, time_zone=BANGKOK)
            for strategy in Strategy:
                assert selected(stored, definition, viewer, strategy) == expected, (strategy, definition, viewer)
            for bounds in ({"SOME": sql.SQL("0")}, {"SOME": sql.SQL("0"), "MOST": sql.SQL("0")}):
                with patch.multiple(people, **bounds):  # as if the attributes left many people, or most of them
                    assert selected(stored, definition, viewer, Strategy.SWEEP) == expected, (definition, viewer)
            assert shared(stored, definition, viewer) == expected, (definition, viewer)
            if persons.tells(definition):
                assert read_one_by_one(stored, definition, viewer) == expected, (definition, viewer)
            asked.update(splitting(definition.where, seen))
        transaction.set_rollback(True)


def splitting(node: nodes.Node, seen: Sequence[Person]) -> set[str]:
    """Names of the kinds of nodes, windows and operators below a node that hold for some people and not for others."""
    answers = {holds(node, one, Moment(NOW, BANGKOK)) for one in seen}
    found = kinds(node) if len(answers) == 2 else set()
    if isinstance(node, nodes.All | nodes.Any | nodes.Not):
        found = found.union(*(splitting(member, seen) for member in node.of))
    return found


def kinds(node: nodes.Node) -> set[str]:
    found = {type(node).__name__}
    if isinstance(node, nodes.Condition) and (window := getattr(node, "window", None)):
        found.add(type(window).__name__)
    for one in nodes.picks(node) if isinstance(node, nodes.Condition) else ():
        found |= {"PropertyFilter"} if one.filters else set()
        found |= {"sources"} if one.sources else set()
    match node:
        case nodes.AttributeCondition():
            found.add(str_of(node.comparison.operator))
        case nodes.TouchpointCondition():
            found.add(str_of(node.count.bound))
        case nodes.MeasureCondition() | nodes.OrderTotalCondition() | nodes.OrderLineCondition():
            found.add(str_of(node.measure))
        case nodes.SequenceCondition():
            found |= {"Step"} | ({"without"} if node.without else set()) | ({"same"} if node.same else set())
        case nodes.ConsentCondition():
            found.add(str_of(node.state))
    return found


def str_of(choice: StrEnum) -> str:
    return f"{type(choice).__name__}.{choice.name}"
