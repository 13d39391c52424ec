"""The ledger outside of the database: who was erased does not come back with a backup."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from pytest_django import Settings

from cdp_site.core import audit
from cdp_site.core.models import AuditEvent, User
from consent import erasure, requests
from consent.erasure import ledger_file, running
from consent.erasure.ledger_file import LedgerDamagedError
from consent.models import DataSubjectRequest
from ingestion.models import Source, SuppressedIdentifier
from profiles.models import Membership, Profile, SourceRecord
from tests.customers import Tell, identify, profile_of
from tests.factories.consent import ask
from tests.factories.people import make_person, records_of

pytestmark = pytest.mark.django_db
Status = DataSubjectRequest.Status


@pytest.fixture(autouse=True)
def ledger(settings: Settings, tmp_path: Path) -> Path:
    settings.ERASURE_LEDGER = tmp_path / "elsewhere" / "ledger.jsonl"
    return tmp_path / "elsewhere" / "ledger.jsonl"


def erased_and_restored(act: Callable[[], Any]) -> None:
    """Do something, and lose it: the database is as it was, the file is not."""
    with transaction.atomic():
        act()
        transaction.set_rollback(True)


def test_an_erasure_is_written_down_as_hashes_alone(
    approved: DataSubjectRequest, person: Profile, ledger: Path
) -> None:
    records = [record.external_id for record in records_of(person)]
    erasure.run(approved.pk)
    (entry,) = ledger_file.read()
    assert (entry.act, entry.request, len(entry.people)) == ("erased", approved.pk, 2)
    assert len(entry.suppressed) == SuppressedIdentifier.objects.count()
    text = ledger.read_text()
    for value in ("aree", "66812345678", "อารีย์", str(person.public_id), *records):
        assert value not in text
    assert oct(ledger.stat().st_mode)[-3:] == "600"


def test_without_the_ledger_nothing_is_begun(
    approved: DataSubjectRequest, person: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(entry: ledger_file.Entry) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(running.ledger_lines, "append", full)
    with pytest.raises(OSError, match="No space"), transaction.atomic():
        erasure.run(approved.pk)
    assert Profile.objects.filter(pk=person.pk, state="live").exists()
    assert not SuppressedIdentifier.objects.exists()


def test_whoever_was_erased_after_the_backup_is_erased_again(
    approved: DataSubjectRequest, person: Profile, bystander: Profile
) -> None:
    erased_and_restored(lambda: erasure.run(approved.pk))
    assert Profile.objects.filter(pk=person.pk, state="live").exists()
    replayed = ledger_file.replay()
    assert (replayed.entries, replayed.people, replayed.is_clean) == (1, 1, True)
    assert list(Profile.objects.values_list("pk", flat=True)) == [bystander.pk]
    approved.refresh_from_db()
    assert approved.status == Status.COMPLETED
    assert AuditEvent.objects.filter(action="request.replay").count() == 1
    assert len(ledger_file.read()) == 1
    assert ledger_file.replay() == ledger_file.Replayed(entries=1, people=0, unfinished=0)
    audit.seal_pending()
    assert audit.verify().ok


def test_a_request_that_came_after_the_backup_is_written_anew(
    person: Profile, compliance: User, colleague: User
) -> None:
    def all_of_it() -> None:
        request = ask(person, compliance)
        requests.approve(request_id=request.pk, by=colleague)
        erasure.run(request.pk)

    erased_and_restored(all_of_it)
    assert not DataSubjectRequest.objects.exists()
    assert ledger_file.replay().people == 1
    request = DataSubjectRequest.objects.get()
    assert (request.status, request.pk) == (Status.COMPLETED, ledger_file.read()[0].request)
    assert request.certificate is not None
    assert not SourceRecord.objects.exists()


def test_who_came_back_since_stays(approved: DataSubjectRequest, tell: Tell, web_shop: Source, person: Profile) -> None:
    erasure.run(approved.pk)
    tell(web_shop, identify("again", email="new@shop.test"))
    assert ledger_file.replay().people == 0
    assert profile_of(web_shop, "again").state == "live"


def test_a_record_that_was_parted_after_the_backup_stays_with_its_owner(
    tell: Tell, web_shop: Source, pos: Source, compliance: User, colleague: User
) -> None:
    tell(web_shop, identify("u1", firstName="สมชาย", lastName="ใจดี", phone="0863451972"))
    tell(pos, identify("P1", firstName="สมชาย", lastName="ใจดี", phone="086-345-1972"))
    person = profile_of(web_shop, "u1")
    other = profile_of(pos, "P1")
    assert person == other
    stray = SourceRecord.objects.get(external_id="P1")

    def parted_and_erased() -> None:
        birth = stray.birth_profile
        Membership.objects.filter(record=stray).update(profile=birth)
        Profile.objects.filter(pk=birth.pk).update(state="live", redirect_to=None)
        request = ask(person, compliance)
        requests.approve(request_id=request.pk, by=colleague)
        erasure.run(request.pk)

    erased_and_restored(parted_and_erased)
    assert ledger_file.replay().people == 1
    assert list(SourceRecord.objects.values_list("external_id", flat=True)) == ["P1"]
    left = profile_of(pos, "P1")
    assert (left.state, left.pk) == ("live", stray.birth_profile_id)


def test_a_changed_line_stops_the_replay(approved: DataSubjectRequest, person: Profile, ledger: Path) -> None:
    erased_and_restored(lambda: erasure.run(approved.pk))
    ledger.write_bytes(ledger.read_bytes().replace(b'"phone"', b'"email"', 1))
    with pytest.raises(LedgerDamagedError, match="line 1"):
        ledger_file.replay()
    assert Profile.objects.filter(pk=person.pk, state="live").exists()


def test_a_missing_line_is_noticed_and_half_a_line_is_none(compliance: User, colleague: User, ledger: Path) -> None:
    for _ in range(3):
        request = ask(make_person(), compliance)
        requests.approve(request_id=request.pk, by=colleague)
        erasure.run(request.pk)
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(lines[0] + lines[2])
    with pytest.raises(LedgerDamagedError, match="line 2"):
        ledger_file.read()
    ledger.write_bytes(lines[0] + lines[1] + lines[2][:-20])
    assert len(ledger_file.read()) == 2
    ledger_file.append(ledger_file.read()[0])
    assert len(ledger_file.read()) == 3


def test_the_ledger_of_a_backup_adds_what_is_missing(
    compliance: User, colleague: User, ledger: Path, tmp_path: Path
) -> None:
    for _ in range(3):
        request = ask(make_person(), compliance)
        requests.approve(request_id=request.pk, by=colleague)
        erasure.run(request.pk)
    whole = ledger.read_bytes()
    other = tmp_path / "of the backup"
    other.write_bytes(whole)
    ledger.write_bytes(whole.splitlines(keepends=True)[0])
    assert ledger_file.adopt(other) == 2
    assert ledger.read_bytes() == whole
    assert ledger_file.adopt(other) == 0
