"""The compiled SQL selects exactly the people whom the reference engine selects, whatever is asked of whomever."""

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segments.definition import nodes
from segments.definition.compile import Strategy, people
from segments.definition.evaluate import Moment, Person, holds, members
from tests.generative.segments.definitions import DEFINITIONS, PURPOSES, SEEDS, condition
from tests.generative.segments.people import BANGKOK, NOW, SOURCES, eyes, person
from tests.generative.segments.populations import Eyes, RawPerson, Stored, project, store

asked: Counter[str] = Counter()
"""How often each kind of node held for some people of a population and not for others."""


def selected(stored: Stored, definition: nodes.Definition, viewer: Eyes, strategy: Strategy) -> set[int]:
    query = people(definition, stored.viewer(viewer), now=NOW, time_zone=BANGKOK, strategy=strategy)
    with connection.cursor() as cursor:
        cursor.execute(query)
        found = [row[0] for row in cursor.fetchall()]
    assert len(found) == len(set(found))
    return stored.people(found)


@pytest.mark.django_db
def test_both_engines_select_the_same_people_and_every_kind_of_node_was_asked() -> None:
    """A node that never split a population would not have been compared at all."""
    classes = (
        *(nodes.All, nodes.Any, nodes.Not, nodes.PropertyFilter),
        *(nodes.AttributeCondition, nodes.TouchpointCondition, nodes.OrderTotalCondition, nodes.ConsentCondition),
        *(nodes.Ever, nodes.Rolling, nodes.CalendarDays, nodes.Between),
    )
    vocabulary = {one.__name__ for one in classes} | {
        one.name for kind in (nodes.Operator, nodes.Bound, nodes.Measure, nodes.ConsentState) for one in kind
    }
    asked.clear()
    compare(DEFINITIONS)
    for _round in range(5):  # what is rare among all that can be asked is asked by itself
        if rare := vocabulary - asked.keys():
            compare(SEEDS.map(lambda draw: one_of(rare, draw)))
    assert vocabulary - asked.keys() == set()


def one_of(rare: set[str], draw: Random) -> nodes.Definition:
    """A definition of one condition of a kind that was not asked yet."""
    while not kinds(found := condition(draw)) & rare:
        pass
    return nodes.Definition(nodes.All((found,)))


def compare(definitions: st.SearchStrategy[nodes.Definition]) -> None:
    """Ask both engines the definitions about random people. About 20 s on two cores."""

    @given(
        population=st.lists(SEEDS.map(person), min_size=4, max_size=12),
        asking=st.lists(st.tuples(definitions, SEEDS.map(eyes)), min_size=4, max_size=12),
    )
    @settings(max_examples=180, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
    def run(population: Sequence[RawPerson], asking: Sequence[tuple[nodes.Definition, Eyes]]) -> None:
        ask(population, asking)

    run()


def ask(population: Sequence[RawPerson], asking: Sequence[tuple[nodes.Definition, Eyes]]) -> None:
    with transaction.atomic():
        stored = store(population, SOURCES, PURPOSES)
        for definition, viewer in asking:
            seen = project(population, SOURCES, viewer)
            expected = members(definition, seen, now=NOW, time_zone=BANGKOK)
            for strategy in Strategy:
                assert selected(stored, definition, viewer, strategy) == expected, (strategy, definition, viewer)
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
    match node:
        case nodes.AttributeCondition():
            found.add(node.comparison.operator.name)
        case nodes.TouchpointCondition():
            found |= {type(node.window).__name__, node.count.bound.name, *(type(one).__name__ for one in node.filters)}
        case nodes.OrderTotalCondition():
            found |= {type(node.window).__name__, node.measure.name}
        case nodes.ConsentCondition():
            found.add(node.state.name)
    return found
