"""Whom the set says that the gate would let through is whom the gate lets through, whatever was said and is held."""

from collections.abc import Sequence
from random import Random

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.contacts import postal
from consent.gate import usable_addresses
from consent.models import Channel, Purpose
from consent.reach_sql import reachable_sql
from profiles.models import Profile
from tests.generative.segments.definitions import CHANNELS, PURPOSES, SEEDS
from tests.generative.segments.people import SOURCES, person
from tests.generative.segments.populations import RawPerson, store

pytestmark = pytest.mark.django_db


def in_the_set(purpose: Purpose, channel: Channel, *, among: Sequence[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(reachable_sql(purpose.pk, channel))
        found = [row[0] for row in cursor.fetchall()]
    assert len(found) == len(set(found))
    return set(found).intersection(among)


@given(
    population=st.lists(SEEDS.map(person), min_size=3, max_size=10),
    seed=SEEDS,
    is_active=st.booleans(),
    basis=st.sampled_from(Purpose.Basis.values),
)
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_set_is_the_gates(population: Sequence[RawPerson], seed: Random, is_active: bool, basis: str) -> None:
    with transaction.atomic():
        stored = store(population, SOURCES, PURPOSES)
        purpose = Purpose.objects.get(slug=seed.choice(PURPOSES))
        purpose.is_active, purpose.basis = is_active, basis
        purpose.save()
        live = {one.pk: one for one in Profile.objects.live().filter(pk__in=stored.profile_ids)}
        for channel in map(Channel, CHANNELS):
            found = in_the_set(purpose, channel, among=list(live))
            if channel == Channel.POST:  # the set is of what was said alone
                found = {pk for pk in found if postal(live[pk].golden)}
            let_through = {one.profile_id for one in usable_addresses(list(live), purpose=purpose, channel=channel)}
            assert found == let_through, (purpose.basis, purpose.is_active, channel)
        transaction.set_rollback(True)
