"""The screens of legal holds: what is held, holding a row, releasing it, reading what it keeps."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from cdp_site.core.models import AuditEvent, User
from consent import erasure, requests
from consent.erasure import holds, rewriting
from consent.models import LegalHold
from profiles import notes
from profiles.models import Note, Profile
from tests.factories.consent import ask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture(autouse=True)
def _own_ledger(settings: Settings, tmp_path: Path) -> None:
    settings.ERASURE_LEDGER = tmp_path / "ledger.jsonl"


@pytest.fixture
def officer(login: Callable[[User], Client], compliance: User) -> Client:
    return login(compliance)


@pytest.fixture
def note(somchai: Profile, agent: User) -> Note:
    return notes.add(profile=somchai, text="ขู่ว่าจะฟ้อง", by=agent)


def post(officer: Client, profile: Profile, note: Note, **said: str) -> int:
    given = {"row": f"profiles.Note:{note.pk}", "ground": "claim", "reason": "7/2569", "until": "", **said}
    return officer.post(reverse("consent:customer_holds", args=[profile.public_id]), given).status_code


def test_with_nothing_held_the_list_says_what_it_is_for(officer: Client) -> None:
    answer = officer.get(reverse("consent:holds"))
    assert answer.status_code == 200
    assert "Nothing is held" in answer.content.decode()


def test_a_row_is_held_listed_and_released(officer: Client, somchai: Profile, note: Note) -> None:
    page = officer.get(reverse("consent:customer_holds", args=[somchai.public_id])).content.decode()
    assert f"profiles.Note:{note.pk}" in page
    assert "ฟ้อง" not in page  # a list to choose from says nothing of what was written
    assert post(officer, somchai, note, until="2099-12-31") == 302
    hold = LegalHold.objects.get()
    assert (hold.label, hold.row, hold.ground) == ("profiles.Note", str(note.pk), "claim")
    for address in (reverse("consent:holds"), reverse("consent:customer_holds", args=[somchai.public_id])):
        assert "7/2569" in officer.get(address).content.decode()
    assert officer.post(reverse("consent:release_hold", args=[hold.pk])).status_code == 302
    assert "7/2569" not in officer.get(reverse("consent:holds")).content.decode()
    assert {"hold.place", "hold.release"} <= set(AuditEvent.objects.values_list("action", flat=True))


@pytest.mark.parametrize("said", [{"reason": " "}, {"until": "2020-01-01"}, {"row": "core.User:1"}, {"ground": "x"}])
def test_what_cannot_be_held_is_said(officer: Client, somchai: Profile, note: Note, said: dict[str, str]) -> None:
    assert post(officer, somchai, note, **said) == 422
    assert not LegalHold.objects.exists()


def test_what_a_hold_keeps_is_read_by_compliance_and_audited(
    officer: Client, somchai: Profile, note: Note, compliance: User, colleague: User
) -> None:
    post(officer, somchai, note)
    hold = LegalHold.objects.get()
    address = reverse("consent:hold_copy", args=[hold.pk])
    assert officer.post(address).status_code == 302  # the row is still in its table
    request = ask(somchai, compliance)
    requests.approve(request_id=request.pk, by=colleague)
    erasure.run(request.pk)
    answer = officer.post(address)
    assert answer.json()["text"] == "ขู่ว่าจะฟ้อง"
    assert "attachment" in answer["Content-Disposition"]
    assert AuditEvent.objects.filter(action="hold.read").count() == 1
    page = officer.get(reverse("consent:holds")).content.decode()
    assert request.reference in page
    assert "Accounts" in page


def test_others_see_none_of_it(login: Callable[[User], Client], agent: User, somchai: Profile, note: Note) -> None:
    hold = LegalHold.objects.create(
        label="profiles.Note",
        row=str(note.pk),
        ground="claim",
        reason="x",
        placed_at=note.at,
        subject=somchai.public_id,
    )
    assert [row.label for row in holds.rows_of(somchai)]
    client = login(agent)
    assert client.get(reverse("consent:holds")).status_code == 404
    assert client.get(reverse("consent:customer_holds", args=[somchai.public_id])).status_code == 404
    for name in ("consent:release_hold", "consent:hold_copy"):
        assert client.post(reverse(name, args=[hold.pk])).status_code == 404


def test_the_files_of_the_database_are_written_anew_once_a_month(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []

    def rewrite(*busy: str) -> None:
        runs.append("run")
        fields = ["tables", *busy]
        AuditEvent.objects.create(
            actor=rewriting.ACTOR,
            action=rewriting.ACTION,
            target_type="core.Storage",
            target_id="database",
            fields=fields,
        )

    monkeypatch.setattr(rewriting, "rewrite", lambda: rewrite("busy"))
    rewriting.rewrite_when_due()
    monkeypatch.setattr(rewriting, "rewrite", rewrite)
    rewriting.rewrite_when_due()  # a table was busy: once more the next night
    rewriting.rewrite_when_due()
    assert len(runs) == 2
