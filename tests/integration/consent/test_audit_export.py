"""The audit as a file: rows with their seals, checkable without the platform, and the taking of it audited."""

import csv
import hashlib
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core import audit
from cdp_site.core.models import AuditEvent, User
from consent import trail_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(login: Callable[[User], Client], compliance: User) -> Client:
    client = login(compliance)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def events(agent: User, steward: User) -> list[AuditEvent]:
    return [
        audit.record(action="note.add", target=("profiles.Note", "=1+1"), by=agent, fields=["text"]),
        audit.record(action="profile.merge", target=("profiles.Profile", 7), by=steward),
        audit.record(action="note.add", target=("profiles.Note", 8), by=agent),
    ]


def taken(client: Client, form: str, **filters: str) -> str:
    answer = client.post("/audit/export/", {"format": form, **filters})
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-')
    assert answer["Cache-Control"] == "no-store"
    return b"".join(answer).decode()  # type: ignore[call-overload, no-any-return]


def test_json_holds_the_links_of_the_chain(desk: Client, events: list[AuditEvent]) -> None:
    audit.seal_pending()
    rows = json.loads(taken(desk, "json"))["rows"]
    assert [row["id"] for row in rows] == [event.pk for event in events]
    chain = bytes(32)
    for row in rows:
        said = [row[name] for name in trail_file.COLUMNS]
        written = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        seal = {name: bytes.fromhex(row["seal"][name]) for name in ("salt", "commitment", "chain_hash")}
        assert hashlib.sha256(seal["salt"] + written).digest() == seal["commitment"]
        chain = hashlib.sha256(chain + seal["commitment"]).digest()
        assert chain == seal["chain_hash"]


def test_a_spreadsheet_calculates_nothing(desk: Client, events: list[AuditEvent]) -> None:
    head, *rows = csv.reader(io.StringIO(taken(desk, "csv")))
    assert head == [*trail_file.COLUMNS, *trail_file.SEAL]
    assert [row[5] for row in rows] == ["'=1+1", "7", "8"]
    assert rows[0][7:] == ["", "", "", ""]  # not sealed yet


def test_the_filters_of_the_page_hold(desk: Client, events: list[AuditEvent], agent: User) -> None:
    rows = json.loads(taken(desk, "json", action="note.add", actor=f"user:{agent.pk}", kind="profiles.Note"))["rows"]
    assert [row["target_id"] for row in rows] == ["=1+1", "8"]
    last = AuditEvent.objects.latest("pk")
    assert (last.action, last.target_id, last.fields) == ("audit.export", "json", ["action", "actor", "kind"])


def test_portions_join_without_a_gap(desk: Client, events: list[AuditEvent], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_file, "AT_ONCE", 2)
    assert len(json.loads(taken(desk, "json"))["rows"]) == 3
    assert len(list(csv.reader(io.StringIO(taken(desk, "csv"))))) == 1 + 3 + 1  # with the row of the first taking


def test_nothing_fits(desk: Client, events: list[AuditEvent]) -> None:
    assert json.loads(taken(desk, "json", target="nothing"))["rows"] == []


@pytest.mark.parametrize("sent", [{}, {"format": "exe"}, {"format": "csv", "since": "yesterday"}])
def test_what_does_not_fit_takes_nothing(desk: Client, events: list[AuditEvent], sent: dict[str, str]) -> None:
    assert desk.post("/audit/export/", sent).status_code == 302
    assert not AuditEvent.objects.filter(action="audit.export").exists()


def test_it_takes_a_login_of_the_last_minutes(desk: Client, events: list[AuditEvent]) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=10)):
        answer = desk.post("/audit/export/", {"format": "csv"})
    assert "attachment" not in answer.headers.get("Content-Disposition", "")
    assert not AuditEvent.objects.filter(action="audit.export").exists()


def shown(answer: Any) -> list[str]:
    return [line.event.target_id for line in answer.context["page"].lines]


def test_days_and_kinds(desk: Client, agent: User) -> None:
    """Days of the company: 23:30 and 00:30 in Bangkok are two of them, and one in UTC."""
    for at in ("2026-03-01T16:30Z", "2026-03-01T17:30Z", "2026-03-03T03:00Z"):
        with time_machine.travel(at, tick=False):
            audit.record(action="note.add", target=("profiles.Note", at[:16]), by=agent)
    audit.record(action="profile.merge", target=("profiles.Profile", 7), by=agent)
    assert shown(desk.get("/audit/?until=2026-03-01")) == ["2026-03-01T16:30"]
    assert shown(desk.get("/audit/?since=2026-03-02&until=2026-03-02")) == ["2026-03-01T17:30"]
    assert shown(desk.get("/audit/?since=2026-03-02&kind=profiles.Note")) == ["2026-03-03T03:00", "2026-03-01T17:30"]
    assert shown(desk.get("/audit/?kind=profiles.Profile")) == ["7"]
    assert 'name="since" value="2026-03-02"' in desk.get("/audit/?since=2026-03-02").content.decode()


def test_the_anchors_are_told_and_given(
    desk: Client, events: list[AuditEvent], settings: Settings, tmp_path: Path
) -> None:
    settings.AUDIT_ANCHORS = str(tmp_path / "anchors.jsonl")
    assert b"".join(desk.get("/audit/anchors/")) == b""  # type: ignore[call-overload]
    assert "the first is written tonight" in desk.get("/audit/").content.decode()
    audit.write_anchor()
    assert "1 anchors outside the database" in desk.get("/audit/").content.decode()
    assert b"".join(desk.get("/audit/anchors/")) == (tmp_path / "anchors.jsonl").read_bytes()  # type: ignore[call-overload]


@pytest.mark.parametrize("role", ["agent", "marketer", "steward", "analyst", ""])
def test_it_is_for_compliance_and_administrators(
    login: Callable[[User], Client], make_user: Callable[..., User], role: str
) -> None:
    client = login(make_user(role))
    answers = (client.post("/audit/export/", {"format": "csv"}), client.get("/audit/anchors/"))
    assert [answer.status_code for answer in answers] == [404, 404]
