"""Writing the ledger: by messages, by files again and again, by a member of staff."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.append_only import erasure_step
from cdp_site.core.errors import ConflictProblem, InternalError
from cdp_site.core.models import AuditEvent, User
from consent import ledger
from consent.ledger import Evidence
from consent.models import Channel, ConsentEntry
from consent.states import State
from profiles import signals
from profiles.models import SourceRecord
from profiles.signals import ConsentStatement
from tests.factories.consent import marketing, say
from tests.factories.people import make_record

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
NAMESPACE = UUID("00000000-0000-7000-8000-000000000000")


@pytest.fixture
def stated() -> Callable[..., ConsentStatement]:
    record = make_record()

    def make(state: str, hour: float = 0, *, message: str = "", cell: bool = False, **fields: Any) -> ConsentStatement:
        at = NOON + timedelta(hours=hour)
        statement = ConsentStatement(
            record_id=record.pk,
            source_id=record.source_id,
            message_id=uuid5(NAMESPACE, message or f"{state} {hour}"),
            purpose="marketing",
            channel="email",
            address="",
            state=state,
            occurred_at=at,
            received_at=at,
            origin="cell" if cell else "event",
        )
        return replace(statement, **fields)

    return make


def states() -> list[str]:
    return list(ConsentEntry.objects.order_by("occurred_at", "state").values_list("state", flat=True))


def test_a_message_is_recorded_once(stated: Callable[..., ConsentStatement]) -> None:
    ledger.append([stated("granted", message="m1")])
    ledger.append([stated("granted", message="m1"), stated("granted", message="m1")])
    assert states() == ["granted"]


def test_one_message_may_say_several_things(stated: Callable[..., ConsentStatement]) -> None:
    ledger.append(
        [
            stated("granted", message="row 1"),
            stated("refused", message="row 1", channel="sms"),
            stated("granted", message="row 1", purpose="analytics"),
        ]
    )
    assert ConsentEntry.objects.count() == 3


def test_a_clock_that_runs_ahead_is_set_back(stated: Callable[..., ConsentStatement]) -> None:
    ledger.append([stated("granted", received_at=NOON, occurred_at=NOON + timedelta(days=400))])
    assert ConsentEntry.objects.get().occurred_at == NOON


def test_without_a_time_the_time_of_receipt_counts(stated: Callable[..., ConsentStatement]) -> None:
    ledger.append([stated("granted", occurred_at=None)])
    assert ConsentEntry.objects.get().occurred_at == NOON


def test_the_database_refuses_the_future_too() -> None:
    entry = say(make_record(), "granted")
    with pytest.raises(DatabaseError, match="consent_not_in_the_future"), transaction.atomic():
        ConsentEntry.objects.create(
            **{
                field.attname: getattr(entry, field.attname)
                for field in ConsentEntry._meta.concrete_fields
                if field.name not in {"id", "occurred_at"}
            },
            occurred_at=entry.received_at + timedelta(seconds=1),
        )


@pytest.mark.parametrize(
    ("nights", "entries"),
    [
        (["granted", "granted", "granted"], ["granted"]),
        (["granted", "refused", "refused", "granted"], ["granted", "refused", "granted"]),
        (["refused"], ["refused"]),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_an_unchanged_cell_is_no_event(
    stated: Callable[..., ConsentStatement], nights: list[str], entries: list[str], at_once: bool
) -> None:
    files = [stated(state, 24 * night, cell=True) for night, state in enumerate(nights)]
    for batch in [files[::-1]] if at_once else [[file] for file in files]:
        ledger.append(batch)
    assert states() == entries


def test_a_late_file_is_compared_with_what_came_before_it(stated: Callable[..., ConsentStatement]) -> None:
    ledger.append([stated("granted", 0, cell=True)])
    ledger.append([stated("refused", 48, cell=True)])
    ledger.append([stated("granted", 24, cell=True, message="late, unchanged at its time")])
    ledger.append([stated("refused", 72, cell=True)])
    assert states() == ["granted", "refused"]


def test_cells_of_two_columns_are_apart(stated: Callable[..., ConsentStatement]) -> None:
    ledger.append([stated("granted", 0, cell=True), stated("granted", 0, cell=True, channel="sms")])
    ledger.append([stated("granted", 24, cell=True), stated("refused", 24, cell=True, channel="sms")])
    assert ConsentEntry.objects.count() == 3


def test_an_event_is_one_each_time(stated: Callable[..., ConsentStatement]) -> None:
    ledger.append([stated("granted", hour) for hour in range(3)])
    assert states() == ["granted"] * 3


def test_addresses_are_written_as_identifiers_are(stated: Callable[..., ConsentStatement]) -> None:
    ledger.append(
        [
            stated("granted", 0, address=" Ann@Shop.TEST "),
            stated("granted", 1, channel="sms", address="081-234-5678"),
            stated("refused", 2, address="n/a"),  # refuses everything
            stated("granted", 3, address="n/a"),  # grants nothing
        ]
    )
    addresses = list(ConsentEntry.objects.order_by("occurred_at").values_list("address", flat=True))
    assert addresses == ["ann@shop.test", "+66812345678", "", "n/a"]


def test_a_public_key_is_remembered(stated: Callable[..., ConsentStatement]) -> None:
    ledger.append([stated("granted", may_overrule=False), stated("granted", 1, cell=True, may_overrule=False)])
    origins = list(ConsentEntry.objects.order_by("occurred_at").values_list("origin", flat=True))
    assert origins == ["browser", "cell"]


def test_a_thousand_statements_cost_few_queries(
    stated: Callable[..., ConsentStatement], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    batch = [stated("granted", hour, cell=hour % 2 == 0) for hour in range(1000)]
    # The last two say whose consents these are, and note whose memberships have to follow.
    with django_assert_max_num_queries(8):
        ledger.append(batch)


def test_entries_are_changed_by_nobody_and_deleted_by_erasure_alone() -> None:
    entry = say(make_record(), "granted")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ConsentEntry.objects.update(state="refused")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        entry.delete()
    with transaction.atomic(), erasure_step("consent"):
        entry.delete()
    assert not ConsentEntry.objects.exists()


# --- signals of the digest ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("marketing", "email", "granted"), None),
        (("marketting", "email", "granted"), "unknown_purpose"),
        (("marketing", "fax", "granted"), "unknown_channel"),
        (("marketing", "email", "yes"), "unknown_state"),
    ],
)
def test_what_cannot_be_recorded_is_told_before_it_is_written(words: tuple[str, str, str], reason: str | None) -> None:
    problem = signals.consent_problem(*words)
    assert (problem and problem.reason) == reason


def test_the_digest_reaches_the_ledger(stated: Callable[..., ConsentStatement]) -> None:
    signals.send_consents([stated("granted")])
    assert states() == ["granted"]
    with pytest.raises(InternalError):
        signals.send_consents([stated("granted", purpose="deleted")])


def test_the_start_is_refused_without_a_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    assert signals.somebody_keeps_consents(None) == []
    monkeypatch.setattr(signals.consents_stated, "receivers", [])
    signals.consents_stated.sender_receivers_cache.clear()
    assert [error.id for error in signals.somebody_keeps_consents(None)] == ["profiles.E001"]


# --- told to a member of staff --------------------------------------------------------------------------------------


@pytest.fixture
def agent_record() -> SourceRecord:
    return make_record(kind=SourceRecord.Kind.AGENT)


def test_what_was_told_is_recorded_and_audited(agent: User, agent_record: SourceRecord) -> None:
    [entry] = ledger.record(
        record=agent_record,
        purpose=marketing(),
        channel=Channel.EMAIL,
        state=State.GRANTED,
        evidence=Evidence.CALL,
        addresses=["a@shop.test"],
        reference="CALL-17",
        by=agent,
    )
    assert (entry.origin, entry.address, entry.actor) == ("screen", "a@shop.test", f"user:{agent.pk}")
    assert entry.evidence == {"how": "call", "reference": "CALL-17"}
    event = AuditEvent.objects.get()
    assert (event.action, event.target_id, event.fields) == (
        "consent.granted",
        str(agent_record.pk),
        ["marketing/email"],
    )


def test_a_grant_cannot_overrule_what_is_not_past(agent: User, agent_record: SourceRecord) -> None:
    with pytest.raises(ConflictProblem):
        ledger.record(
            record=agent_record,
            purpose=marketing(),
            channel=Channel.EMAIL,
            state=State.GRANTED,
            evidence=Evidence.CALL,
            supersedes_until=timezone.now() + timedelta(seconds=5),
            by=agent,
        )
    assert not ConsentEntry.objects.exists()


def test_only_an_own_act_overrules() -> None:
    with pytest.raises(DatabaseError, match="consent_overruled_by_own_act"), transaction.atomic():
        say(make_record(), "granted", day=2, origin="cell", supersedes_until=NOON - timedelta(days=900))
