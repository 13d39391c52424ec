"""The audit: written with the change, closed to everybody, and a chain that tells of every manipulation."""

import io
import json
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from cdp_site.core import audit
from cdp_site.core.append_only import erasure_step
from cdp_site.core.models import AuditEvent, AuditSeal, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def events(agent: User) -> list[AuditEvent]:
    return [
        audit.record(action="note.add", target=("profiles.Note", number), by=agent, fields=["text"])
        for number in range(5)
    ]


def tamper(statement: str | sql.Composed, *parameters: object) -> None:
    """What somebody with the database's own rights could do: the triggers switched off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, parameters)
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.mark.parametrize("table", ["core_auditevent", "core_auditseal"])
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"], ids=["update", "delete", "truncate"]
)
def test_the_database_refuses_every_change(events: list[AuditEvent], table: str, statement: str) -> None:
    audit.seal_pending()
    column = "action" if table == "core_auditevent" else "event_id"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table, column, column))


def test_not_even_an_erasure_may_delete(events: list[AuditEvent]) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), erasure_step("core.audit"):
        AuditEvent.objects.all().delete()


def test_a_whole_chain(events: list[AuditEvent]) -> None:
    assert audit.verify() == audit.Verdict(sealed=0, tail=5, faults=())
    assert audit.seal_pending() == 5
    audit.record(action="note.add", target=events[0], by="system:digest")
    verdict = audit.verify()
    assert (verdict.ok, verdict.sealed, verdict.tail) == (True, 5, 1)
    assert audit.seal_pending() == 1
    assert audit.seal_pending() == 0


def test_batches_make_one_chain(events: list[AuditEvent], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SEAL_BATCH", 2)
    assert audit.seal_pending() == 5
    assert audit.verify().ok


def test_a_row_that_committed_late_is_sealed_too(events: list[AuditEvent]) -> None:
    """Ids are given before the commit: a lower one may appear after a higher one was sealed."""
    audit.seal_pending()
    late = events[0].pk - 1000
    tamper(
        "INSERT INTO core_auditevent (id, at, actor, action, target_type, target_id, fields)"
        " OVERRIDING SYSTEM VALUE VALUES (%s, now(), 'user:1', 'x.y', 'x', '1', '[]')",
        late,
    )
    assert audit.seal_pending() == 1
    assert audit.verify().ok


@pytest.mark.parametrize(
    ("column", "value"),
    [("at", "2020-01-01"), ("actor", "user:9"), ("target_id", "9"), ("fields", "[]"), ("action", "a.b")],
)
def test_an_edited_row_is_named(events: list[AuditEvent], column: str, value: str) -> None:
    audit.seal_pending()
    edit = sql.SQL("UPDATE core_auditevent SET {} = %s WHERE id = %s").format(sql.Identifier(column))
    tamper(edit, value, events[2].pk)
    assert audit.verify().faults == (f"row {events[2].pk} was edited",)


def test_a_deleted_row_is_named(events: list[AuditEvent]) -> None:
    audit.seal_pending()
    tamper("DELETE FROM core_auditevent WHERE id = %s", events[1].pk)
    assert audit.verify().faults == (f"row {events[1].pk} is gone",)


def test_a_row_deleted_with_its_seal_breaks_the_chain(events: list[AuditEvent]) -> None:
    audit.seal_pending()
    following = AuditSeal.objects.get(event_id=events[2].pk).sequence
    tamper("DELETE FROM core_auditevent WHERE id = %s", events[1].pk)
    tamper("DELETE FROM core_auditseal WHERE event_id = %s", events[1].pk)
    assert audit.verify().faults == (f"the chain breaks at seal {following}",)


def test_reordered_rows_break_the_chain(events: list[AuditEvent]) -> None:
    audit.seal_pending()
    first, second = AuditSeal.objects.order_by("sequence")[:2]
    tamper("UPDATE core_auditseal SET sequence = -1 WHERE sequence = %s", first.sequence)
    tamper("UPDATE core_auditseal SET sequence = %s WHERE sequence = %s", first.sequence, second.sequence)
    tamper("UPDATE core_auditseal SET sequence = %s WHERE sequence = -1", second.sequence)
    assert not audit.verify().ok


def test_rows_that_change_places_are_seen(events: list[AuditEvent]) -> None:
    audit.seal_pending()
    tamper(
        "UPDATE core_auditevent SET target_id = CASE id WHEN %s THEN '1' ELSE '0' END WHERE id IN (%s, %s)",
        events[0].pk,
        events[0].pk,
        events[1].pk,
    )
    assert len(audit.verify().faults) == 2


def test_an_exchanged_seal_is_seen(events: list[AuditEvent]) -> None:
    """A forged commitment that fits an edited row does not fit the chain."""
    audit.seal_pending()
    tamper("UPDATE core_auditseal SET commitment = salt || salt WHERE event_id = %s", events[4].pk)
    faults = audit.verify().faults
    assert faults[0] == f"row {events[4].pk} was edited"
    assert "the chain breaks" in faults[1]


def test_faults_are_capped(events: list[AuditEvent]) -> None:
    audit.seal_pending()
    tamper("UPDATE core_auditevent SET actor = 'user:9'")
    assert len(audit.verify(most_faults=3).faults) == 3


def test_a_row_belongs_into_a_transaction(transactional_db: None, make_user: Callable[..., User]) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        audit.record(action="note.add", target=("profiles.Note", 1), by=make_user("agent"))


def test_a_system_actor_has_a_name() -> None:
    with pytest.raises(ValueError, match="system:<part>"):
        audit.actor_name("digest")


def test_the_command_tells_and_fails(events: list[AuditEvent]) -> None:
    out = io.StringIO()
    call_command("verify_audit", "--seal", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"ok": True, "sealed": 5, "tail": 0, "anchored": 0, "faults": []}
    tamper("UPDATE core_auditevent SET actor = 'user:9' WHERE id = %s", events[0].pk)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_audit", stdout=out)
    assert f"row {events[0].pk} was edited" in out.getvalue()
