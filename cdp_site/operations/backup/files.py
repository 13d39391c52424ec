"""The files of the data folder: which belong in a backup, packed into one stream, and put back.

The erasure ledger and the anchors of the audit are in it as well, but are never simply put back: what lies on the disk
may know more than the backup does.
"""

import io
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from django.conf import settings

from cdp_site.core import anchors
from consent.erasure import ledger_file

# Not of a backup: the database itself, the keys, what a running installation holds open, what a test run leaves.
LEFT_OUT: Final = frozenset({"postgres", "secrets.json", "run", "test", "backups"})
STAGE, FORMER, DONE_WITH = ".restoring", ".before-restore", ".restored"
DATA, LEDGER, ANCHORS = "data", "outside/ledger.jsonl", "outside/anchors.jsonl"


def _folder() -> Path:
    return Path(settings.CDP_DATA)


def _outside() -> dict[str, Path]:
    """What lies outside of the database to be compared with it: name in the backup → place."""
    return {LEDGER: ledger_file.path(), ANCHORS: anchors.file()}


def _entries() -> list[Path]:
    """What lies on the uppermost level of the data folder and is backed up."""
    outside = [*_outside().values(), *(path.parent for path in _outside().values())]
    own = {_folder() / name for name in (STAGE, FORMER, DONE_WITH)}
    apart = {*own, Path(settings.BACKUPS), *outside}
    found = [path for path in _folder().iterdir() if path.name not in LEFT_OUT and path not in apart]
    return sorted(path for path in found if not path.is_symlink())


def pack(target: IO[bytes]) -> int:
    """Write everything into the stream; returns how many files. One that goes meanwhile is left out."""
    count = 0
    with tarfile.open(fileobj=target, mode="w|") as archive:
        for entry in _entries():
            for path in sorted(entry.rglob("*")) if entry.is_dir() else [entry]:
                count += _add(archive, path, f"{DATA}/{path.relative_to(_folder())}")
        for name, path in _outside().items():
            count += _add(archive, path, name)
    return count


def _add(archive: tarfile.TarFile, path: Path, name: str) -> int:
    if path.is_symlink() or not path.is_file() or path.suffix == ".partial":
        return 0
    try:
        with path.open("rb") as file:
            archive.addfile(archive.gettarinfo(arcname=name, fileobj=file), file)
    except FileNotFoundError:
        return 0
    return 1


@contextmanager
def put_back(source: io.RawIOBase) -> Iterator[Path]:
    """Within: the data folder holds the backup's files; what stood there lies aside, and comes back when the block
    fails. Yields the folder with what the backup has of ledger and anchors."""
    stage, former = _folder() / STAGE, _folder() / FORMER
    if is_broken_off():  # what stood there first is what counts
        _exchange(former, away_to=None)
    for left in (stage, _folder() / DONE_WITH):
        shutil.rmtree(left, ignore_errors=True)
    stage.mkdir(mode=0o700, parents=True)
    with tarfile.open(fileobj=io.BufferedReader(source, 1024 * 1024), mode="r|") as archive:
        archive.extractall(stage, filter="data")
    (stage / DATA).mkdir(exist_ok=True)
    _exchange(stage / DATA, away_to=former)
    try:
        yield stage
    except BaseException:
        _exchange(former, away_to=None)
        shutil.rmtree(stage, ignore_errors=True)
        raise
    former.rename(_folder() / DONE_WITH)  # at one stroke: from here on nothing goes back
    for left in (_folder() / DONE_WITH, stage):
        shutil.rmtree(left, ignore_errors=True)


def is_broken_off() -> bool:
    """Whether a restore was killed: the files may be the backup's, while the database is the one before."""
    return (_folder() / FORMER).exists()


def _exchange(arriving: Path, *, away_to: Path | None) -> None:
    """Move the data folder's entries away, or remove them, and those of `arriving` in."""
    if away_to is not None:
        away_to.mkdir(mode=0o700)
    for entry in _entries():
        if away_to is not None:
            entry.rename(away_to / entry.name)
        elif entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    for entry in sorted(arriving.iterdir()):
        entry.rename(_folder() / entry.name)
    arriving.rmdir()


def adopt_outside(stage: Path) -> None:
    """Take over what the backup's erasure ledger knows more; its anchors only where there are none."""
    if (stage / LEDGER).exists():
        ledger_file.adopt(stage / LEDGER)
    if (stage / ANCHORS).exists() and not anchors.file().exists():
        anchors.file().parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(stage / ANCHORS, anchors.file())
        anchors.file().chmod(0o600)
