"""Makes a backup: database, files, ledger and anchors, sealed, read again, and named when all of it is there."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB
from pathlib import Path
from typing import IO, cast

from django.conf import settings
from django.db import Error, connection, transaction
from django.utils import timezone

from cdp_site.core import audit
from cdp_site.core.heartbeats import beat
from cdp_site.core.models import Heartbeat, User
from cdp_site.embedded_postgres import hold_lock
from cdp_site.operations.backup import files, postgres, proofs, shelf
from cdp_site.operations.backup.sealing import Sealer
from cdp_site.operations.backup.shelf import DATABASE, FILES, Backup, DamagedError, Manifest, Part

JOB = "cdp_site.operations.backup.making.make_now"
NOTE = "backup"  # the heartbeat that says how the last one went
DAILY = "system:backup"


class AlreadyRunning(Exception):
    """Another backup is being made."""


def make(*, by: User | str) -> Backup:
    """A new backup, checked to its last byte.

    Raises:
        AlreadyRunning.
        OSError, PostgresProblem: disk or database failed; nothing half-made is taken for a backup.
        DamagedError: what was written could not be read again.
    """
    with _alone():
        name = f"{timezone.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        half_made = shelf.folder() / f"{name}{shelf.HALF_MADE}"
        half_made.mkdir(mode=0o700)
        try:
            _write(name, half_made)
            shelf.verify(half_made)
        except BaseException:
            shutil.rmtree(half_made, ignore_errors=True)
            raise
        path = half_made.rename(shelf.folder() / name)
        _sync_folder(path.parent)
    with transaction.atomic():
        audit.record(action="backup.make", target=("operations.Backup", name), by=by)
    return next(backup for backup in shelf.all_backups() if backup.name == name)


@contextmanager
def _alone() -> Iterator[None]:
    try:
        lock = hold_lock(shelf.folder() / ".lock", LOCK_EX | LOCK_NB)
    except BlockingIOError as error:
        raise AlreadyRunning from error
    with lock:
        yield


def _write(name: str, path: Path) -> None:
    """The database first: a file that goes meanwhile was to go, and one that comes has no row."""
    at = timezone.now()
    audit.seal_pending()
    sealers = {}
    # What is counted is what is dumped: both see the database at one moment.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        snapshot = cursor.fetchone()[0]
        with Sealer(path / DATABASE) as sealers[DATABASE]:
            for piece in postgres.dump(snapshot):
                sealers[DATABASE].write(piece)
        found = proofs.take()
    with Sealer(path / FILES) as sealers[FILES]:
        count = files.pack(cast("IO[bytes]", sealers[FILES]))
    parts = {part: Part((path / part).stat().st_size, sealer.sha256) for part, sealer in sealers.items()}
    shelf.write(
        path,
        Manifest(
            version=shelf.VERSION,
            name=name,
            at=at,
            postgres=postgres.server_version(),
            parts=parts,
            proofs=found,
            files=count,
        ),
    )


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- by the clock and by the page -----------------------------------------------------------------------------------


def make_daily() -> None:
    """By the clock, where BACKUP_DAILY is on: remove the old, make one, and note how it went."""
    shelf.remove_old()
    if settings.BACKUP_DAILY:
        _make_and_note(DAILY)


def make_now(user_id: int) -> None:
    """What the page asks for."""
    _make_and_note(User.objects.get(pk=user_id))


def _make_and_note(by: User | str) -> None:
    try:
        backup = make(by=by)
    except AlreadyRunning:
        return
    except (OSError, Error, postgres.PostgresProblem, DamagedError) as error:
        beat(NOTE, ok=False, problem=type(error).__name__)
        raise
    beat(NOTE, ok=True, backup=backup.name)


def last_note() -> Heartbeat | None:
    """When one was tried last by the clock or the page, with its outcome as `detail`."""
    return Heartbeat.objects.filter(name=NOTE).first()


def is_late(backups: list[Backup]) -> bool:
    """Whether there should be a newer one that can be restored."""
    whole = [backup.manifest.at for backup in backups if backup.manifest and backup.state == shelf.State.WHOLE]
    return not whole or timezone.now() - max(whole) > shelf.LATE
