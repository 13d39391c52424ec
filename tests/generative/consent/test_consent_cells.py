"""Files in any order: what is kept of repeated cells never allows more than what was said."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cdp_site.core.append_only import erasure_step
from consent import ledger
from consent.dossier import statement_of
from consent.models import ConsentEntry
from consent.states import Basis, Origin, State, Statement, overall, resolve
from profiles.models import SourceRecord
from profiles.signals import ConsentStatement
from tests.factories.people import make_record

pytestmark = pytest.mark.django_db
NIGHT_ZERO = datetime(2026, 10, 1, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 1, tzinfo=UTC)
NAMESPACE = UUID("00000000-0000-7000-8000-000000000000")

Said = tuple[int, str, str]  # night, origin, state
yes_or_no = st.sampled_from(["granted", "refused"])
# Cells at whole nights, own acts between them: a tie of the two is a matter of `consent.states`.
nights = st.lists(st.tuples(st.integers(0, 7), st.just("cell"), yes_or_no), max_size=7, unique_by=lambda one: one[0])
acts = st.lists(st.tuples(st.integers(0, 7), st.just("event"), yes_or_no), max_size=2, unique_by=lambda one: one[0])


@pytest.fixture
def record(db: None) -> SourceRecord:
    return make_record()


def at(said: Said) -> datetime:
    night, origin, _state = said
    return NIGHT_ZERO + timedelta(days=night, hours=12 if origin == "event" else 0)


def arriving(record: SourceRecord, said: Said) -> ConsentStatement:
    return ConsentStatement(
        record_id=record.pk,
        source_id=record.source_id,
        message_id=uuid5(NAMESPACE, repr(said)),
        purpose="marketing",
        channel="email",
        address="",
        state=said[2],
        occurred_at=at(said),
        received_at=RECEIVED,
        origin=said[1],
    )


def kept(record: SourceRecord, batches: Sequence[Sequence[Said]]) -> State:
    """What the ledger says after these have arrived, and an empty ledger again."""
    for batch in batches:
        ledger.append([arriving(record, said) for said in batch])
    told = [statement_of(entry) for entry in ConsentEntry.objects.all()]
    with transaction.atomic(), erasure_step("test"):
        ConsentEntry.objects.all().delete()
    return overall(resolve(told, basis=Basis.CONSENT), "email", basis=Basis.CONSENT).state


def truth(record: SourceRecord, everything: Sequence[Said]) -> State:
    told = [Statement(record.pk, "email", "", State(said[2]), at(said), Origin(said[1])) for said in everything]
    return overall(resolve(told, basis=Basis.CONSENT), "email", basis=Basis.CONSENT).state


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=nights, own=acts, shuffle=st.randoms(use_true_random=False), size=st.integers(1, 4))
@example(  # a repeated refusal that an older, late "yes" would have buried
    cells=[(1, "cell", "refused"), (3, "cell", "refused"), (2, "cell", "granted")], own=[], shuffle=None, size=1
)
@example(  # the "yes" after a late "no" may be as old as that one: a withdrawal since then stands
    cells=[(1, "cell", "granted"), (3, "cell", "granted"), (5, "cell", "granted"), (2, "cell", "refused")],
    own=[(3, "event", "refused")],
    shuffle=None,
    size=1,
)
@example(  # the "no" after a late "yes" may be as new as its last repetition
    cells=[(1, "cell", "refused"), (5, "cell", "refused"), (2, "cell", "granted")],
    own=[(3, "event", "granted")],
    shuffle=None,
    size=1,
)
@example(  # a change back to "no" that looked like a repetition
    cells=[
        (1, "cell", "granted"),
        (3, "cell", "granted"),
        (2, "cell", "refused"),
        (5, "cell", "refused"),
    ],
    own=[(4, "event", "granted")],
    shuffle=None,
    size=1,
)
def test_no_order_of_arrival_widens(
    record: SourceRecord, cells: list[Said], own: list[Said], shuffle: Any, size: int
) -> None:
    everything = [*cells, *own]
    if shuffle is not None:
        shuffle.shuffle(everything)
    batches = [everything[start : start + size] for start in range(0, len(everything), size)]
    true, found = truth(record, everything), kept(record, batches)
    assert found is true or found is not State.GRANTED


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=nights, own=acts, size=st.integers(1, 4))
def test_in_order_nothing_is_lost(record: SourceRecord, cells: list[Said], own: list[Said], size: int) -> None:
    everything = sorted([*cells, *own], key=at)
    batches = [everything[start : start + size] for start in range(0, len(everything), size)]
    assert kept(record, batches) is truth(record, everything)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=nights, times=st.integers(1, 3))
def test_the_same_file_again_adds_nothing(record: SourceRecord, cells: list[Said], times: int) -> None:
    ledger.append([arriving(record, said) for said in cells])
    before = set(ConsentEntry.objects.values_list("pk", "occurred_at"))
    for _time in range(times):
        ledger.append([arriving(record, said) for said in cells])
    assert set(ConsentEntry.objects.values_list("pk", "occurred_at")) == before
    with transaction.atomic(), erasure_step("test"):
        ConsentEntry.objects.all().delete()
