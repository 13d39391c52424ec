"""The backups that there are: folders in BACKUPS, each with a manifest that only this installation can write."""

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
from django.conf import settings
from django.utils import timezone

from cdp_site.core import hashing
from cdp_site.operations.backup import sealing
from cdp_site.operations.backup.proofs import Proofs

MANIFEST: Final = "manifest.json"
DATABASE, FILES = "database.sealed", "files.sealed"
HALF_MADE: Final = ".half-made"
VERSION: Final = 1
_NAME: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")
_PURPOSE: Final = "backup.manifest"
# A day's backup that is missing is said; two days, because the nightly one takes its time.
LATE: Final = timedelta(days=2)


class DamagedError(Exception):
    """The backup is not what was written. `part` names the file."""

    def __init__(self, part: str) -> None:
        super().__init__(f"{part} is missing or was changed")
        self.part = part


class Part(msgspec.Struct, frozen=True):
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the backup is. `mac`: a keyed hash (CDP_HASH_KEYS) of everything else."""

    version: int
    name: str
    at: datetime
    postgres: str
    parts: dict[str, Part]
    proofs: Proofs
    files: int
    mac: str = ""

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts.values())


class State(StrEnum):
    """How a backup stands, by its manifest and the sizes of its parts."""

    WHOLE = "whole"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Backup:
    """`manifest` is None when it cannot be read."""

    path: Path
    manifest: Manifest | None
    state: State

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def goes_at(self) -> datetime | None:
        """When its days are over."""
        return self.manifest.at + timedelta(days=settings.BACKUP_DAYS) if self.manifest else None


def folder() -> Path:
    """BACKUPS; made with no access for others."""
    path = Path(settings.BACKUPS)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def all_backups() -> list[Backup]:
    """The newest first. Reads manifests and sizes alone."""
    names = sorted((path for path in folder().iterdir() if _NAME.fullmatch(path.name)), reverse=True)
    return [_look_at(path) for path in names]


def _look_at(path: Path) -> Backup:
    try:
        manifest = read(path)
    except DamagedError:
        return Backup(path, None, State.DAMAGED)
    sizes = {name: (path / name).stat().st_size for name in manifest.parts if (path / name).is_file()}
    is_whole = sizes == {name: part.size for name, part in manifest.parts.items()}
    return Backup(path, manifest, State.WHOLE if is_whole else State.DAMAGED)


def find(name_or_path: str) -> Path:
    """The folder of a backup, by its name or from elsewhere by its path. Raises DamagedError when there is none."""
    path = folder() / name_or_path if _NAME.fullmatch(name_or_path) else Path(name_or_path).absolute()
    if not (path / MANIFEST).is_file():
        raise DamagedError(MANIFEST)
    return path


def read(path: Path) -> Manifest:
    """The manifest, if it is ours. Raises DamagedError."""
    try:
        manifest = msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
        is_ours = hashing.is_ours(_unsigned(manifest), bytes.fromhex(manifest.mac), purpose=_PURPOSE)
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise DamagedError(MANIFEST) from error
    if not is_ours or manifest.version != VERSION:
        raise DamagedError(MANIFEST)
    return manifest


def write(path: Path, manifest: Manifest) -> Manifest:
    """Sign and write it."""
    signed = msgspec.structs.replace(manifest, mac=hashing.mac(_unsigned(manifest), purpose=_PURPOSE).hex())
    descriptor = os.open(path / MANIFEST, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(signed), indent=1))
        file.flush()
        os.fsync(descriptor)
    return signed


def _unsigned(manifest: Manifest) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(manifest, mac=""))


def verify(path: Path) -> Manifest:
    """Read every byte of the backup: its checksums, and that it opens with our CDP_FILE_KEY. Raises DamagedError."""
    manifest = read(path)
    for name, part in manifest.parts.items():
        try:
            is_same = sealing.sha256_of(path / name) == part.sha256
            if is_same:
                for _piece in sealing.pieces(path / name):
                    pass
        except (OSError, sealing.UnreadableError) as error:
            raise DamagedError(name) from error
        if not is_same:
            raise DamagedError(name)
    return manifest


def remove_old() -> int:
    """Remove backups whose days are over, and what a broken-off one has left; returns how many. Whoever was erased is
    gone from them by then, too (PDPA s.33: copies and backups)."""
    now = timezone.now()
    gone = [backup.path for backup in all_backups() if backup.goes_at and backup.goes_at <= now]
    # Nobody can say how old one is whose manifest is damaged: its name can.
    gone += [path for path in _nameless() if _made_at(path) + timedelta(days=settings.BACKUP_DAYS) <= now]
    for path in gone:
        shutil.rmtree(path)
    return len(gone)


def _nameless() -> Iterator[Path]:
    for path in folder().iterdir():
        stem = path.name.removesuffix(HALF_MADE)
        if _NAME.fullmatch(stem) and (path.name != stem or _look_at(path).manifest is None):
            yield path


def _made_at(path: Path) -> datetime:
    return datetime.strptime(path.name[:16], "%Y%m%dT%H%M%S%z")
