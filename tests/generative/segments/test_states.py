"""What is followed in time: the states that SQL finds are those of the reference engine, now and until they turn."""

import datetime as dt
from collections.abc import Sequence
from random import Random

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from segments.definition import nodes
from segments.definition.evaluate import Moment, Person, holds
from segments.definition.follow import states
from segments.definition.next_change import looks_at_days, next_change, next_midnight
from segments.definition.windows import TICK
from tests.generative.segments.definitions import DEFINITIONS, PURPOSES, SEEDS, condition
from tests.generative.segments.people import BANGKOK, NOW, PRODUCTS, SOURCES, person
from tests.generative.segments.populations import EVERYTHING, RawPerson, Stored, project, store

Rows = dict[int, tuple[bool, dt.datetime | None]]


def found(stored: Stored, definition: nodes.Definition, *, one_by_one: bool) -> Rows:
    ids = stored.profile_ids if one_by_one else None
    query = states(definition, stored.viewer(EVERYTHING), now=NOW, time_zone=BANGKOK, profile_ids=ids)
    numbers = {profile_id: number for number, profile_id in enumerate(stored.profile_ids)}
    with transaction.atomic(), connection.cursor() as cursor:
        if not one_by_one:
            cursor.execute("SET LOCAL enable_nestloop TO off")
        cursor.execute(query)
        rows = cursor.fetchall()
        cursor.execute("SET LOCAL enable_nestloop TO DEFAULT")
    assert len(rows) == len({row[0] for row in rows})
    return {numbers[profile_id]: (is_member, at) for profile_id, is_member, at in rows}


PHASES = [Phase.explicit, Phase.generate]  # to make an example smaller takes longer than to read it
SMALL = DEFINITIONS | SEEDS.map(lambda draw: nodes.Definition(nodes.All((condition(draw),))))


@pytest.mark.django_db
@settings(max_examples=80, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(
    population=st.lists(SEEDS.map(person), min_size=3, max_size=8),
    asking=st.lists(SMALL, min_size=3, max_size=8),
)
def test_states_are_those_of_the_reference_until_they_turn(
    population: Sequence[RawPerson], asking: Sequence[nodes.Definition]
) -> None:
    with transaction.atomic():
        stored = store(population, SOURCES, PURPOSES, PRODUCTS)
        seen = project(population, SOURCES, EVERYTHING, purposes=PURPOSES, products=PRODUCTS)
        for definition in asking:
            for one_by_one in (False, True):
                rows = found(stored, definition, one_by_one=one_by_one)
                assert rows.keys() <= {one.id for one in seen}
                for one in seen:
                    compare(definition, one, *rows.get(one.id, (False, None)))
        transaction.set_rollback(True)


def compare(definition: nodes.Definition, person: Person, is_member: bool, at: dt.datetime | None) -> None:
    where = definition.where
    assert is_member == holds(where, person, Moment(NOW, BANGKOK)), definition
    moments = [at] if at is not None else []
    if looks_at_days(where):
        moments.append(next_midnight(NOW, BANGKOK))
    assert all(moment > NOW for moment in moments)
    exact = next_change(where, person, NOW, BANGKOK)
    if exact is not None:
        assert moments, (definition, exact)
        assert min(moments) <= exact, definition
        assert holds(where, person, Moment(exact, BANGKOK)) != is_member
        assert holds(where, person, Moment(exact - TICK, BANGKOK)) == is_member


@settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck), phases=PHASES)
@given(raw=SEEDS.map(person), definition=SMALL, draw=SEEDS)
def test_nothing_turns_before_the_moment_that_is_told(
    raw: RawPerson, definition: nodes.Definition, draw: Random
) -> None:
    for one in project([raw], SOURCES, EVERYTHING, purposes=PURPOSES, products=PRODUCTS):
        exact = next_change(definition.where, one, NOW, BANGKOK)
        now = holds(definition.where, one, Moment(NOW, BANGKOK))
        end = exact.timestamp() if exact is not None else NOW.timestamp() + 400 * 86_400
        for _n in range(5):
            moment = NOW + dt.timedelta(seconds=draw.uniform(0, end - NOW.timestamp()))
            if exact is None or moment < exact:
                assert holds(definition.where, one, Moment(moment, BANGKOK)) == now
