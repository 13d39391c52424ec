"""Anchors of the audit: a chain that was cut off or written anew is found out by a file outside the database."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from cdp_site.core import anchors, audit
from cdp_site.core.models import AuditEvent, AuditSeal, Heartbeat, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anchored(settings: Settings, tmp_path: Path) -> Path:
    """A file of this test alone."""
    settings.AUDIT_ANCHORS = str(tmp_path / "elsewhere" / "anchors.jsonl")
    return anchors.file()


@pytest.fixture
def days(agent: User, anchored: Path) -> list[anchors.Anchor]:
    """Three days of three rows, each anchored."""
    written = []
    for day in range(3):
        note(agent, *range(day * 3, day * 3 + 3))
        one = audit.write_anchor()
        assert one is not None
        written.append(one)
    return written


def note(by: User, *numbers: int) -> None:
    for number in numbers:
        audit.record(action="note.add", target=("profiles.Note", number), by=by, fields=["text"])


def tamper(statement: str, *parameters: object) -> None:
    """What the database's own administrator can do: the triggers switched off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, parameters)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_a_day_is_one_line_and_agrees(days: list[anchors.Anchor], anchored: Path) -> None:
    lines = [json.loads(line) for line in anchored.read_text().splitlines()]
    assert [line["sealed"] for line in lines] == [3, 6, 9]
    assert [line["sequence"] for line in lines] == sorted(AuditSeal.objects.values_list("sequence", flat=True))[2::3]
    verdict = audit.verify()
    assert (verdict.ok, verdict.anchored) == (True, 3)


def test_a_day_on_which_nothing_happened_writes_nothing(days: list[anchors.Anchor], anchored: Path) -> None:
    assert audit.write_anchor() is None
    assert len(anchored.read_text().splitlines()) == 3


def test_an_empty_audit_has_no_anchor(anchored: Path) -> None:
    assert audit.write_anchor() is None
    assert audit.verify().ok


def test_the_newest_rows_cut_off_with_their_seals(days: list[anchors.Anchor]) -> None:
    """The chain that is left is whole by itself: the anchor alone knows better."""
    tamper("DELETE FROM core_auditevent WHERE target_id IN ('7', '8')")
    tamper("DELETE FROM core_auditseal WHERE event_id NOT IN (SELECT id FROM core_auditevent)")
    (fault,) = audit.verify().faults
    assert fault.startswith(f"seal {days[2].sequence}, anchored on ")
    assert fault.endswith("is gone")


def test_a_chain_that_was_written_anew(days: list[anchors.Anchor]) -> None:
    tamper("UPDATE core_auditevent SET actor = 'user:9' WHERE target_id = '4'")
    first = AuditSeal.objects.order_by("sequence").values_list("sequence", flat=True)[0]
    tamper("DELETE FROM core_auditseal")
    tamper("SELECT setval(pg_get_serial_sequence('core_auditseal', 'sequence'), %s, false)", first)
    assert audit.seal_pending() == 9
    verdict = audit.verify()
    assert verdict.anchored == 0
    assert len(verdict.faults) == 3


def test_a_line_that_was_edited(days: list[anchors.Anchor], anchored: Path) -> None:
    anchored.write_text(anchored.read_text().replace('"sealed":6', '"sealed":5'))
    assert "line 2 of the anchors was changed" in audit.verify().faults


@pytest.mark.parametrize(
    ("left", "fault"),
    [
        ([0, 2], "a line is missing before line 2 of the anchors"),
        ([1, 0, 2], "a line is missing before line 1 of the anchors"),
        ([0, 1], "the anchors end before the line of "),
        ([], "the anchors end before the line of "),
    ],
    ids=["deleted", "moved", "cut off", "gone"],
)
def test_lines_that_are_missing(days: list[anchors.Anchor], anchored: Path, left: list[int], fault: str) -> None:
    lines = anchored.read_bytes().splitlines(keepends=True)
    anchored.write_bytes(b"".join(lines[number] for number in left))
    assert any(found.startswith(fault) for found in audit.verify().faults)


def test_what_is_no_line(days: list[anchors.Anchor], anchored: Path) -> None:
    anchored.write_bytes(anchored.read_bytes() + b'{"kind": "anch')
    assert "line 4 of the anchors cannot be read" in audit.verify().faults


def test_a_restored_backup_is_no_fault_once_it_is_noted(days: list[anchors.Anchor], agent: User) -> None:
    tamper("DELETE FROM core_auditseal WHERE sequence > %s", days[1].sequence)
    tamper("DELETE FROM core_auditevent WHERE target_id IN ('6', '7', '8')")
    assert not audit.verify().ok
    noted = anchors.note_restore()
    assert noted is not None
    assert (noted.kind, noted.sequence) == ("restore", days[1].sequence)
    assert audit.verify().ok
    note(agent, 10)
    audit.write_anchor()
    verdict = audit.verify()
    assert (verdict.ok, verdict.anchored) == (True, 3)  # the second day, the restore of the same end, and today
    tamper("DELETE FROM core_auditevent WHERE target_id = '10'")
    assert not audit.verify().ok


def test_the_command_compares_with_a_copy(days: list[anchors.Anchor], anchored: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(b"".join(anchored.read_bytes().splitlines(keepends=True)[:2]))
    out = io.StringIO()
    call_command("verify_audit", "--json", "--anchors", str(copy), stdout=out)
    assert json.loads(out.getvalue())["anchored"] == 2
    anchored.unlink()
    Heartbeat.objects.all().delete()
    tamper("DELETE FROM core_auditseal")
    tamper("DELETE FROM core_auditevent")
    assert audit.verify().ok  # the database and the file are both in the same hands
    with pytest.raises(CommandError):
        call_command("verify_audit", "--anchors", str(copy), stdout=io.StringIO())
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_audit", "--anchors", str(tmp_path / "none"), stdout=io.StringIO())


def test_the_daily_check_tells_the_page(days: list[anchors.Anchor]) -> None:
    tamper("DELETE FROM core_auditevent WHERE target_id = '8'")
    tamper("DELETE FROM core_auditseal WHERE event_id NOT IN (SELECT id FROM core_auditevent)")
    assert not audit.check_chain().ok
    check = audit.last_check()
    assert check is not None
    assert check.detail["ok"] is False
    assert AuditEvent.objects.exists()
