"""The page "Backups": what there is, what is missing, and who may have one made."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from cdp_site.core.heartbeats import beat
from cdp_site.core.models import User
from cdp_site.operations import backup_checks
from cdp_site.operations.backup import making, shelf
from cdp_site.operations.backup.proofs import Proofs
from cdp_site.operations.backup.shelf import Manifest, Part
from consent.erasure import ledger_file

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.BACKUPS = str(tmp_path / "backups")
    settings.ERASURE_LEDGER = tmp_path / "ledger.jsonl"
    return shelf.folder()


def put(at: datetime) -> Path:
    """A backup of that moment, by its manifest."""
    path = shelf.folder() / f"{at:%Y%m%dT%H%M%SZ}-abcdef"
    path.mkdir()
    (path / shelf.DATABASE).write_bytes(b"x" * 2048)
    parts = {shelf.DATABASE: Part(2048, "")}
    proofs = Proofs(rows={}, digests={}, migrations={}, seal="")
    shelf.write(
        path,
        Manifest(version=shelf.VERSION, name=path.name, at=at, postgres="18", parts=parts, proofs=proofs, files=3),
    )
    return path


def page(browser: Client) -> str:
    answer = browser.get(reverse("backups"))
    assert answer.status_code == 200
    return answer.content.decode()


def test_none_yet(login: Login, compliance: User) -> None:
    told = page(login(compliance))
    assert "No backup yet" in told
    assert "There is no whole backup of the last two days" in told
    assert "The erasure ledger knows 0 erasures" in told
    assert "Make one now" not in told.replace("make one now", "")


def test_a_list_of_them(login: Login, admin: User) -> None:
    now = timezone.now().astimezone(UTC)
    put(now - timedelta(hours=3))
    damaged = put(now - timedelta(days=1))
    (damaged / shelf.DATABASE).write_bytes(b"cut")
    told = page(login(admin))
    assert "There is no whole backup" not in told
    assert told.count("circle-check") == 1
    assert "damaged" in told
    assert "2.0\xa0KB" in told
    assert "Make one now" in told


def test_what_went_wrong_is_said(login: Login, compliance: User, settings: Settings) -> None:
    put(timezone.now().astimezone(UTC))
    beat(making.NOTE, ok=False, problem="OSError")
    assert "The last backup failed" in page(login(compliance))
    beat(making.NOTE, ok=True, backup="x")
    assert "The last backup failed" not in page(login(compliance))
    settings.BACKUP_DAILY = False
    assert "None is made by the clock" in page(login(compliance))
    ledger_file.path().write_text("not a line of ours\n")
    assert "The erasure ledger was changed" in page(login(compliance))


def test_an_administrator_has_one_made(
    login: Login,
    admin: User,
    compliance: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert login(admin).post(reverse("make_backup")).status_code == 302
    assert OrmQ.objects.count() == 1
    assert login(compliance).post(reverse("make_backup")).status_code == 404


@pytest.mark.parametrize(("days", "n_errors"), [(0, 1), (1, 0), (35, 0), (36, 1)])
def test_no_backup_is_kept_longer_than_an_erasure_may_take(settings: Settings, days: int, n_errors: int) -> None:
    settings.BACKUP_DAYS = days
    assert len(backup_checks.backups_go_in_time(None)) == n_errors
