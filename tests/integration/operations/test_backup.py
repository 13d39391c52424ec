"""The drill: back up, erase fifty, restore, and none of the fifty is back. And backups that are not what they were."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core import audit
from cdp_site.core.models import AccessLogEntry, AuditEvent, Role, User
from cdp_site.operations.backup import files, ledger_guard, making, postgres, restoring, sealing, shelf
from consent import erasure, requests
from consent.erasure import ledger_file
from consent.models import ConsentEntry, DataSubjectRequest
from ingestion.models import SuppressedIdentifier
from profiles.models import Identifier, Profile, SourceRecord
from tests import database
from tests.factories.consent import ask, say
from tests.factories.people import hold, make_person, make_source, records_of

pytestmark = pytest.mark.django_db(transaction=True)
ERASED, KEPT = 50, 5


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.CDP_DATA = tmp_path / "data"
    settings.BACKUPS = str(tmp_path / "backups")
    settings.ERASURE_LEDGER = tmp_path / "elsewhere" / "ledger.jsonl"
    (settings.CDP_DATA / "imports").mkdir(parents=True)
    (settings.CDP_DATA / "imports" / "one.sealed").write_bytes(b"one")
    return settings.CDP_DATA


def quiet(_line: str) -> None:
    return


@pytest.fixture
def officers(make_user: Callable[..., User]) -> tuple[User, User]:
    return make_user(Role.COMPLIANCE, name="first"), make_user(Role.COMPLIANCE, name="second")


def erase(profile: Profile, officers: tuple[User, User]) -> None:
    request = ask(profile, officers[0])
    requests.approve(request_id=request.pk, by=officers[1])
    erasure.run(request.pk)


def test_fifty_who_were_erased_after_the_backup_do_not_come_back(
    officers: tuple[User, User], data: Path, settings: Settings
) -> None:
    source = make_source("shop")
    people = []
    for number in range(ERASED + KEPT):
        profile = make_person(source, name=f"Person {number}")
        [record] = records_of(profile)
        hold(record, "email", f"person{number}@shop.test")
        hold(record, "phone", f"+6681{number:07d}")
        say(record, "granted")
        people.append(profile)
    before = ConsentEntry.objects.count()
    backup = making.make(by="system:test")
    for profile in people[:ERASED]:
        erase(profile, officers)
    assert DataSubjectRequest.objects.filter(status=DataSubjectRequest.Status.COMPLETED).count() == ERASED
    (data / "imports" / "two.sealed").write_bytes(b"two")
    (data / "imports" / "one.sealed").write_bytes(b"changed")

    done = restoring.restore(backup.name, say=quiet)

    assert (done.people, done.unfinished) == (ERASED, 0)
    assert done.entries == before
    assert SourceRecord.objects.count() == Identifier.objects.filter(kind="email").count() == KEPT
    assert not Identifier.objects.filter(value__in=[f"person{n}@shop.test" for n in range(ERASED)]).exists()
    assert ConsentEntry.objects.count() == KEPT
    # They are kept out, too, by every identifier.
    assert SuppressedIdentifier.objects.filter(kind="email").count() == ERASED
    assert audit.verify().ok
    assert AuditEvent.objects.filter(action="backup.restore", target_id=backup.name).exists()
    assert [path.name for path in (data / "imports").iterdir()] == ["one.sealed"]
    assert (data / "imports" / "one.sealed").read_bytes() == b"one"
    assert len(ledger_file.read()) == ERASED
    # Once more: what was restored can be backed up and restored, and changes nothing.
    assert ledger_file.replay().people == 0
    assert not Session.objects.exists()
    assert not (data / files.FORMER).exists()
    assert not (data / files.STAGE).exists()


class TestWhatIsInIt:
    def test_neither_sessions_nor_keys_nor_a_readable_word(
        self, officers: tuple[User, User], data: Path, login: Callable[[User], object]
    ) -> None:
        (data / "secrets.json").write_text("{}")
        (data / "mail").mkdir()
        (data / "mail" / "letter.log").write_text("CanaryLetter " * 100)
        login(officers[0])
        profile = make_person(name="CanaryPerson")
        hold(records_of(profile)[0], "email", "canary@shop.test")
        assert Session.objects.count() == 1

        backup = making.make(by="system:test")

        assert backup.state == shelf.State.WHOLE
        assert backup.manifest is not None
        assert backup.manifest.proofs.rows["profiles_identifier"] == 1
        assert "django_session" not in backup.manifest.proofs.rows
        assert backup.manifest.files == 2  # a stored file and a letter
        for path in backup.path.iterdir():
            told = path.read_bytes()
            assert b"Canary" not in told
            assert b"canary@" not in told
            assert path.stat().st_mode & 0o077 == 0
        clear = b"".join(sealing.pieces(backup.path / shelf.FILES))
        assert b"CanaryLetter" in clear
        assert b"secrets.json" not in clear
        assert Session.objects.first() is not None
        restoring.restore(backup.name, say=quiet)
        assert not Session.objects.exists()
        assert (data / "secrets.json").exists()

    def test_it_is_audited_and_noted(self, officers: tuple[User, User]) -> None:
        making.make_now(officers[0].pk)
        [backup] = shelf.all_backups()
        event = AuditEvent.objects.get(action="backup.make")
        assert (event.actor, event.target_id) == (f"user:{officers[0].pk}", backup.name)
        note = making.last_note()
        assert note is not None
        assert note.detail == {"ok": True, "backup": backup.name}
        assert not making.is_late([backup])


class TestRefused:
    @pytest.fixture
    def backup(self) -> shelf.Backup:
        profile = make_person(name="Kept")
        AccessLogEntry.objects.create(actor="user:1", profile=profile.public_id, what="profile.view")
        return making.make(by="system:test")

    @pytest.fixture
    def unchanged(self, backup: shelf.Backup, data: Path) -> Iterator[None]:
        """Whatever is refused: what came after the backup is still there."""
        make_person(make_source("pos"), name="Later")
        (data / "imports" / "later.sealed").write_bytes(b"later")
        yield
        assert Profile.objects.count() == 2
        assert (data / "imports" / "later.sealed").exists()
        assert not (data / files.FORMER).exists()
        with psycopg.connect(database.url_with("postgres")) as server:
            name = connection.settings_dict["NAME"]
            left = server.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{name}%"]).fetchall()
        assert left == [(name,)]

    @pytest.mark.usefixtures("unchanged")
    @pytest.mark.parametrize("part", [shelf.DATABASE, shelf.FILES, shelf.MANIFEST])
    @pytest.mark.parametrize("how", ["flipped", "cut", "gone", "longer"])
    def test_one_that_was_changed(self, backup: shelf.Backup, part: str, how: str) -> None:
        spoil(backup.path / part, how)
        with pytest.raises(shelf.DamagedError) as caught:
            shelf.verify(shelf.find(backup.name))
        assert caught.value.part == part
        with pytest.raises(CommandError, match="Nothing was changed"):
            call_command("restore", backup.name, "--yes")
        if how != "flipped" or part == shelf.MANIFEST:
            assert [one.state for one in shelf.all_backups()] == [shelf.State.DAMAGED]

    @pytest.mark.usefixtures("unchanged")
    def test_one_with_a_manifest_of_anothers_making(self, backup: shelf.Backup) -> None:
        """Checksums alone could be written by whoever changes the files."""
        spoil(backup.path / shelf.DATABASE, "flipped")
        manifest = backup.path / shelf.MANIFEST
        changed = sealing.sha256_of(backup.path / shelf.DATABASE)
        assert backup.manifest is not None
        stated = backup.manifest.parts[shelf.DATABASE].sha256
        manifest.write_text(manifest.read_text().replace(stated, changed))
        with pytest.raises(shelf.DamagedError):
            restoring.restore(backup.name, say=quiet)

    @pytest.mark.usefixtures("unchanged")
    def test_while_others_are_connected(self, backup: shelf.Backup) -> None:
        with (
            psycopg.connect(database.url_with(connection.settings_dict["NAME"])),
            pytest.raises(CommandError, match="1 other connections"),
        ):
            call_command("restore", backup.name, "--yes")

    @pytest.mark.usefixtures("unchanged")
    def test_when_somebody_comes_before_the_exchange(self, backup: shelf.Backup) -> None:
        came: list[psycopg.Connection] = []

        def come(line: str) -> None:
            if line.startswith("Erasing"):
                came.append(psycopg.connect(database.url_with(name)))

        name = str(connection.settings_dict["NAME"])
        with pytest.raises(postgres.Busy):
            restoring.restore(backup.name, say=come)
        came[0].close()

    @pytest.mark.usefixtures("unchanged")
    def test_one_that_was_killed_is_taken_up(self, backup: shelf.Backup, data: Path) -> None:
        """The files were exchanged, the databases not: nobody is served, and the next one begins from the former."""
        (data / files.FORMER / "imports").mkdir(parents=True)
        (data / files.FORMER / "imports" / "later.sealed").write_bytes(b"later")
        with pytest.raises(CommandError, match="broken off"):
            call_command("web")
        taken_up = files.put_back(sealing.Opened(backup.path / shelf.FILES))
        taken_up.__enter__()
        assert not (data / "imports" / "later.sealed").exists()
        error = LookupError()
        assert not taken_up.__exit__(LookupError, error, None)

    @pytest.mark.usefixtures("unchanged")
    def test_when_a_row_is_missing_afterwards(self, backup: shelf.Backup, monkeypatch: pytest.MonkeyPatch) -> None:
        load = postgres.load

        def load_and_lose(pieces: Iterator[bytes], name: str) -> None:
            load(pieces, name)
            AccessLogEntry.objects.all().delete()

        monkeypatch.setattr(postgres, "load", load_and_lose)
        with pytest.raises(CommandError, match="core_accesslogentry"):
            call_command("restore", backup.name, "--yes")

    @pytest.mark.usefixtures("unchanged")
    def test_of_a_later_release(self, backup: shelf.Backup) -> None:
        assert backup.manifest is not None
        stated = backup.manifest.proofs.migrations
        stated["core"].append("9999_from_the_future")
        shelf.write(backup.path, backup.manifest)
        with pytest.raises(CommandError, match="later release"):
            call_command("restore", backup.name, "--yes")

    @pytest.mark.usefixtures("unchanged")
    def test_with_a_damaged_ledger(self, backup: shelf.Backup, settings: Settings) -> None:
        settings.ERASURE_LEDGER.parent.mkdir(exist_ok=True)
        settings.ERASURE_LEDGER.write_text("not a line of ours\n")
        with pytest.raises(CommandError, match="erasure ledger"):
            call_command("restore", backup.name, "--yes")

    def test_under_another_key(self, backup: shelf.Backup, settings: Settings) -> None:
        settings.CDP_FILE_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
        with pytest.raises(shelf.DamagedError) as caught:
            shelf.verify(backup.path)
        assert caught.value.part == shelf.DATABASE

    def test_one_that_is_not_there(self) -> None:
        with pytest.raises(CommandError, match=r"manifest\.json is missing"):
            call_command("restore", "20260101T000000Z-abcdef", "--yes")


def spoil(path: Path, how: str) -> None:
    told = path.read_bytes()
    middle = len(told) // 2
    if how == "gone":
        path.unlink()
        return
    changed = {
        "flipped": told[:middle] + bytes([told[middle] ^ 1]) + told[middle + 1 :],
        "cut": told[:middle],
        "longer": told + b"\0",
    }
    path.write_bytes(changed[how])


class TestRestoredByOtherMeans:
    def test_nobody_is_served_until_the_erasures_are_replayed(
        self, officers: tuple[User, User], capsys: pytest.CaptureFixture[str], settings: Settings
    ) -> None:
        profile = make_person(name="Erased")
        hold(records_of(profile)[0], "email", "erased@shop.test")
        erase(profile, officers)
        ledger_guard.ensure_erasures_are_known()
        SuppressedIdentifier.objects.all().delete()  # as in a database of the day before
        with pytest.raises(CommandError, match="replay_erasures"):
            call_command("web")
        call_command("replay_erasures")
        assert "1 erasures in the ledger" in capsys.readouterr().out
        ledger_guard.ensure_erasures_are_known()
        settings.ERASURE_LEDGER.write_text("not a line of ours\n")
        with pytest.raises(CommandError, match="cannot be trusted"):
            call_command("web")
        with pytest.raises(CommandError, match="Nothing was done"):
            call_command("replay_erasures")


class TestTheShelf:
    def test_the_old_go_and_what_is_no_backup_stays(self, settings: Settings) -> None:
        backup = making.make(by="system:test")
        (shelf.folder() / "notes.txt").write_text("mine")
        broken = shelf.folder() / "20260101T000000Z-abcdef"
        shutil.copytree(backup.path, broken)
        spoil(broken / shelf.MANIFEST, "flipped")
        (shelf.folder() / "20260101T000000Z-abcdee.half-made").mkdir()
        settings.BACKUP_DAYS = 35
        assert shelf.remove_old() == 2
        with time_machine.travel(timezone.now() + timedelta(days=34)):
            assert shelf.remove_old() == 0
            assert making.is_late(shelf.all_backups())
        with time_machine.travel(timezone.now() + timedelta(days=35, minutes=1)):
            assert shelf.remove_old() == 1
        assert [path.name for path in shelf.folder().iterdir() if path.name != ".lock"] == ["notes.txt"]

    def test_two_at_once_are_one(self) -> None:
        with making._alone(), pytest.raises(CommandError, match="already"):
            call_command("backup")

    def test_a_full_disk_leaves_nothing_half(
        self, monkeypatch: pytest.MonkeyPatch, officers: tuple[User, User]
    ) -> None:
        def fail(_target: object) -> int:
            raise OSError(28, os.strerror(28))

        monkeypatch.setattr(files, "pack", fail)
        with pytest.raises(OSError, match="No space"):
            making.make_now(officers[0].pk)
        assert shelf.all_backups() == []
        assert [path.name for path in shelf.folder().iterdir()] == [".lock"]
        note = making.last_note()
        assert note is not None
        assert note.detail == {"ok": False, "problem": "OSError"}

    def test_the_commands_tell(self, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("backup")
        [backup] = shelf.all_backups()
        call_command("backup", "--list")
        call_command("backup", "--check", backup.name)
        call_command("backup", "--remove-old")
        told = capsys.readouterr().out
        assert "in another place" in told
        assert f"{backup.name}  whole" in told
        assert f"{backup.name}: whole" in told
        assert "0 removed" in told
