"""The rules of consent in SQL equal the rules in Python, whatever was said."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cdp_site.core.append_only import erasure_step
from consent import state_sql
from consent.models import Channel, ConsentEntry, Purpose
from consent.states import ALWAYS, Basis, Held, Origin, State, Statement, Target, Terms, overall, resolve
from consent.terms import birth_of, terms_of
from profiles.models import Identifier, Profile, SourceRecord
from tests.factories.consent import DAY_ZERO, marketing
from tests.factories.people import hold, make_record

RECORDS = 4
ADDRESSES = ("a@shop.test", "b@shop.test", "c@shop.test")
pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db: None) -> tuple[Purpose, Profile, list[SourceRecord]]:
    first = make_record()
    records = [first, *(make_record(profile=first.birth_profile) for _ in range(RECORDS - 1))]
    return marketing(), first.birth_profile, records


hours = st.integers(0, 6).map(lambda hour: DAY_ZERO + timedelta(hours=hour))


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    state = draw(st.sampled_from([State.GRANTED, State.GRANTED, State.REFUSED, State.WITHDRAWN]))
    origin = draw(st.sampled_from(list(Origin)))
    occurred_at = draw(hours)
    supersedes_until = None
    if state is State.GRANTED and origin in {Origin.EVENT, Origin.SCREEN}:
        supersedes_until = draw(st.none() | hours.filter(lambda until: until < occurred_at))
    return {
        "record": draw(st.integers(0, RECORDS - 1)),
        "address": draw(st.sampled_from(["", "", *ADDRESSES])),
        "state": state,
        "occurred_at": occurred_at,
        "origin": origin,
        "supersedes_until": supersedes_until,
        "by_guardian": draw(st.booleans()),
    }


def a_cell(state: State, hour: int) -> dict[str, Any]:
    return {
        "record": 0,
        "address": "",
        "state": state,
        "occurred_at": DAY_ZERO + timedelta(hours=hour),
        "origin": Origin.CELL,
        "supersedes_until": None,
    }


# Rare by chance: two cells of one instant, where the denial is the later, so that the next grant is a change.
CELLS_AT_ONCE = [a_cell(State.GRANTED, 1), a_cell(State.REFUSED, 1), a_cell(State.GRANTED, 2)]


def write(world: tuple[Purpose, Profile, list[SourceRecord]], said: list[dict[str, Any]]) -> list[Statement]:
    purpose, _profile, records = world
    entries = [
        ConsentEntry(
            **{**one, "record": records[one["record"]]},
            purpose=purpose,
            channel=Channel.EMAIL,
            received_at=one["occurred_at"],
            basis=purpose.basis,
            source=records[0].source,
            actor="system:test",
        )
        for one in said
    ]
    ConsentEntry.objects.bulk_create(entries)
    return [
        Statement(
            entry.record_id,
            entry.channel,
            entry.address,
            State(entry.state),
            entry.occurred_at,
            Origin(entry.origin),
            entry.supersedes_until,
            by_guardian=entry.by_guardian,
        )
        for entry in entries
    ]


def sweep() -> None:
    with transaction.atomic(), erasure_step("test"):
        ConsentEntry.objects.all().delete()
    Identifier.objects.all().delete()


HOLDINGS = st.sets(st.tuples(st.integers(0, RECORDS - 1), st.sampled_from(ADDRESSES)), max_size=5)
# On the day of the statements: an adult, somebody who is twenty that day, one day too young, nine, and no day at all.
BIRTHS = st.lists(
    st.sampled_from(["", "", "1980-05-05", "2006-03-01", "2006-03-02", "2016-11", "2017", "31/12/2015"]),
    min_size=RECORDS,
    max_size=RECORDS,
)


def as_told(
    world: tuple[Purpose, Profile, list[SourceRecord]], holdings: set[tuple[int, str]]
) -> tuple[dict[str, State], State, State]:
    """By SQL: the state of each address and of the channel as the gate reads them, and what was said of the channel."""
    purpose, profile, records = world
    for number, address in holdings:
        hold(records[number], "email", address)
    people = state_sql.ids([profile.pk])
    with connection.cursor() as cursor:
        cursor.execute(state_sql.address_state_sql(purpose.pk, Channel.EMAIL, people))
        states = {address: State(state) for _profile, address, state in cursor.fetchall()}
        cursor.execute(state_sql.state_sql(purpose.pk, Channel.EMAIL, among=people, in_effect=True))
        in_effect = next((State(state) for _profile, state in cursor.fetchall()), State.NEVER)
    said = state_sql.states_of([profile.pk], purpose=purpose, channel=Channel.EMAIL)[profile.pk]
    return states, in_effect, said


def agree(
    world: tuple[Purpose, Profile, list[SourceRecord]],
    said: list[dict[str, Any]],
    holdings: set[tuple[int, str]],
    terms: Terms,
) -> None:
    told = write(world, said)
    held = [Held(world[2][number].pk, Channel.EMAIL, address) for number, address in holdings]
    states, in_effect, without_terms = as_told(world, holdings)
    sweep()
    verdicts = resolve(told, basis=Basis.CONSENT, held=held, terms=terms)
    addresses = {address for _number, address in holdings}
    expected = {address: verdicts[Target(Channel.EMAIL, address)].state for address in addresses}
    assert {address: states.get(address, State.NEVER) for address in addresses} == expected
    alone = resolve(told, basis=Basis.CONSENT, terms=terms)
    assert in_effect == overall(alone, Channel.EMAIL, basis=Basis.CONSENT).state
    assert without_terms == overall(resolve(told, basis=Basis.CONSENT), Channel.EMAIL, basis=Basis.CONSENT).state


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(statements(), max_size=8), holdings=HOLDINGS)
@example(said=CELLS_AT_ONCE, holdings=set())
def test_sql_and_python_agree(
    world: tuple[Purpose, Profile, list[SourceRecord]], said: list[dict[str, Any]], holdings: set[tuple[int, str]]
) -> None:
    agree(world, said, holdings, ALWAYS)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    said=st.lists(statements(), max_size=8),
    holdings=HOLDINGS,
    births=BIRTHS,
    months=st.sampled_from([None, 1, 2]),
    young=st.sampled_from(Purpose.Young.values),
    hour=st.integers(0, 7),
)
def test_they_agree_on_whose_consent_has_expired_or_wants_a_guardian(
    world: tuple[Purpose, Profile, list[SourceRecord]],
    said: list[dict[str, Any]],
    holdings: set[tuple[int, str]],
    births: list[str],
    months: int | None,
    young: str,
    hour: int,
) -> None:
    purpose, profile, records = world
    purpose.months, purpose.young = months, young
    purpose.save()
    for record, born in zip(records, births, strict=True):
        record.attributes = {"birth_date": born} if born else {}
        record.save()
    with time_machine.travel(DAY_ZERO + timedelta(days=31, hours=hour), tick=False):  # April: a month later
        terms = terms_of(purpose, born=birth_of(profile.pk), at=timezone.now())
        agree(world, said, holdings, terms)


@settings(max_examples=300, deadline=None)
@given(said=st.lists(statements(), max_size=8), seed=st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(said: list[dict[str, Any]], seed: Any) -> None:
    told = [
        Statement(
            one["record"],
            "email",
            one["address"],
            one["state"],
            one["occurred_at"],
            one["origin"],
            one["supersedes_until"],
        )
        for one in said
    ]
    shuffled = told.copy()
    seed.shuffle(shuffled)
    first, second = resolve(told, basis=Basis.CONSENT), resolve(shuffled, basis=Basis.CONSENT)
    assert {target: verdict.state for target, verdict in first.items()} == {
        target: verdict.state for target, verdict in second.items()
    }


@settings(max_examples=300, deadline=None)
@given(said=st.lists(statements(), max_size=8))
def test_one_more_denial_never_widens(said: list[dict[str, Any]]) -> None:
    """A refusal that arrives later than everything leaves nothing of the person usable on the channel."""
    told = [
        Statement(one["record"], "email", one["address"], one["state"], one["occurred_at"], one["origin"])
        for one in said
    ]
    told.append(Statement(0, "email", "", State.REFUSED, DAY_ZERO + timedelta(days=1)))
    held = [Held(record, "email", address) for record in range(RECORDS) for address in ADDRESSES]
    assert not any(verdict.is_usable for verdict in resolve(told, basis=Basis.CONSENT, held=held).values())
