"""Watched folders: what arrives in a folder, local or a mounted one, is imported by a named mapping and moved away.

A file is taken once it has not grown between two looks. It goes to `archive/` when its import has begun, to `rejected/`
with a text that says why when it cannot be taken. Links are refused, and so is every folder outside those that the
operator of the platform allows (WATCHED_FOLDERS_ROOTS): whoever may write into a folder must not read others with it.
"""

import fnmatch
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation

from cdp_site.core import audit, jobs
from cdp_site.core.errors import MendableError, Text
from cdp_site.core.models import User
from ingestion import imports, mappings
from ingestion.connections.wording_pulls import FILE_REFUSED_TEXTS, FOLDER_TEXTS, FileRefused, FolderCode
from ingestion.files import mapping, store
from ingestion.files.problems import FileProblem
from ingestion.models import ArrivedFile, FileImport, Source, WatchedFolder

log = structlog.get_logger("watched_folder")

JOB: Final = "ingestion.connections.watched_folders.look"
BY: Final = "system:watched_folder"
MOST_FILES: Final = 20  # of one look; the next one is a minute later
READ_BYTES: Final = 1024 * 1024
ARCHIVE, REJECTED = "archive", "rejected"
_UNFINISHED: Final = (".part", ".tmp", ".partial", ".filepart", ".crdownload")


class FolderProblem(MendableError):
    """A folder that cannot be watched; `code` is one of FolderCode."""

    def __init__(self, code: FolderCode) -> None:
        super().__init__(FOLDER_TEXTS[code], field="path", code=code.value)


class _RefusedError(Exception):
    """A file that is not taken, and why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


@transaction.atomic
def save(
    *,
    folder: WatchedFolder | None,
    source: Source,
    path: str,
    pattern: str,
    mapping_name: str,
    is_active: bool,
    by: User | str,
) -> WatchedFolder:
    """A new folder, or a changed one. Raises FolderProblem, MendableError for a mapping that does not exist."""
    wanted: dict[str, Any] = {
        "source": source, "path": str(allowed(path)), "pattern": pattern, "mapping_name": mapping_name,
        "is_active": is_active,
    }  # fmt: skip
    if mappings.find(mapping_name) is None:
        raise MendableError(FILE_REFUSED_TEXTS[FileRefused.MAPPING], field="mapping_name")
    held = WatchedFolder() if folder is None else WatchedFolder.objects.select_for_update().get(pk=folder.pk)
    changed = [one for one, value in wanted.items() if folder is None or getattr(held, one) != value]
    for one in changed:
        setattr(held, one, wanted[one])
    if folder is None:
        held.created_by = by if isinstance(by, User) else None
    held.problem = ""
    held.save()
    if changed:
        action = "watched_folder.create" if folder is None else "watched_folder.change"
        audit.record(action=action, target=held, by=by, fields=changed)
    return held


def allowed(path: str) -> Path:
    """The folder itself, whatever links lead to it. Raises FolderProblem when it is not below an allowed one."""
    roots = [Path(root).resolve() for root in settings.WATCHED_FOLDERS_ROOTS if Path(root).is_absolute()]
    if not Path(path).is_absolute() or "\0" in path:
        raise FolderProblem(FolderCode.NOT_ALLOWED)
    found = Path(path).resolve()
    if not any(found.is_relative_to(root) for root in roots):
        raise FolderProblem(FolderCode.NOT_ALLOWED)
    if not found.is_dir():
        raise FolderProblem(FolderCode.MISSING)
    return found


def look_at_all() -> int:
    """Chore: enqueue a look at each folder; returns how many."""
    active = list(WatchedFolder.objects.active().values_list("pk", flat=True))
    for folder_id in active:
        jobs.enqueue(JOB, folder_id)
    return len(active)


def look(folder_id: int) -> None:
    """Import what has arrived. Files move when what became of them is committed; killed before that, they are found by
    their content at the next look and not imported again."""
    moves: list[Callable[[], None]] = []
    with transaction.atomic():
        folder: WatchedFolder | None = (
            WatchedFolder.objects.active()
            .select_for_update(skip_locked=True, of=("self",))
            .filter(pk=folder_id)
            .first()
        )
        if folder is None:
            return
        try:
            moves = _look(folder, allowed(folder.path))
            folder.problem = ""
        except FolderProblem as problem:
            folder.problem = problem.code
        folder.last_look_at = timezone.now()
        folder.save(update_fields=["problem", "sizes", "last_look_at"])
    try:
        for move in moves:
            move()
    except OSError:
        WatchedFolder.objects.filter(pk=folder_id).update(problem=FolderCode.UNREADABLE)
        log.warning("watched_folder.not_moved", folder=folder_id)


@dataclass(frozen=True)
class _Arrival:
    name: str
    size: int
    changed: int  # nanoseconds
    is_link: bool


def _look(folder: WatchedFolder, path: Path) -> list[Callable[[], None]]:
    """What is to be moved once this is committed."""
    before: dict[str, list[int]] = folder.sizes
    arrivals = _arrivals(path, folder.pattern)
    folder.sizes = {one.name: [one.size, one.changed] for one in arrivals}
    ready = [one for one in arrivals if one.is_link or before.get(one.name) == [one.size, one.changed]]
    moves = []
    for arrival in ready[:MOST_FILES]:
        try:
            with transaction.atomic():
                _take(folder, path / arrival.name)
        except _RefusedError as refused:
            moves.append(_move(path, arrival.name, REJECTED, refused.reason))
        else:
            moves.append(_move(path, arrival.name, ARCHIVE))
        folder.sizes.pop(arrival.name)
    return moves


def _arrivals(path: Path, pattern: str) -> list[_Arrival]:
    """Files by name. Raises FolderProblem."""
    found = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                is_ours = not entry.name.startswith(".") and fnmatch.fnmatch(entry.name, pattern)
                if not is_ours or entry.name.lower().endswith(_UNFINISHED):
                    continue
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) or entry.is_symlink():
                    found.append(_Arrival(entry.name, status.st_size, status.st_mtime_ns, entry.is_symlink()))
    except OSError as error:
        raise FolderProblem(FolderCode.UNREADABLE) from error
    return sorted(found, key=lambda one: (one.changed, one.name))


def _take(folder: WatchedFolder, path: Path) -> None:
    """Begin the file's import, unless its content was imported before. Raises _RefusedError."""
    try:
        # A link in place of the file, or anything but a file, is not opened at all.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise _RefusedError(FILE_REFUSED_TEXTS[FileRefused.LINK]) from error
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise _RefusedError(FILE_REFUSED_TEXTS[FileRefused.LINK])
        digest = hashlib.file_digest(file, "sha256").digest()
        if ArrivedFile.objects.filter(folder=folder, sha256=digest).exists():
            return
        if mappings.find(folder.mapping_name) is None:
            raise _RefusedError(FILE_REFUSED_TEXTS[FileRefused.MAPPING])
        file.seek(0)
        file_import = _begin(folder, path.name, _chunks(file))
    ArrivedFile.objects.create(folder=folder, sha256=digest, file_import=file_import)


def _begin(folder: WatchedFolder, name: str, chunks: Iterator[bytes]) -> FileImport:
    received: FileImport | None = None
    try:
        received = imports.receive(source=folder.source, file_name=name, chunks=chunks, by=BY)
        definition = mappings.find(folder.mapping_name, received.columns) or {}
        return imports.start(file_import=received, definition=definition, by=BY, mapping_name=folder.mapping_name)
    except (FileProblem, mapping.InvalidMapping) as error:
        if received is not None:
            for stored in filter(None, (received.stored_as, received.original_as)):
                store.remove(stored)
        misfit = FILE_REFUSED_TEXTS[FileRefused.COLUMNS]
        raise _RefusedError(error.message if isinstance(error, FileProblem) else misfit) from error


def _chunks(file: Any) -> Iterator[bytes]:
    while data := file.read(READ_BYTES):
        yield data


def _move(folder: Path, name: str, where: str, reason: Text = "") -> Callable[[], None]:
    """Into a folder within the folder, under the moment and its name; with the reason in both languages beside it."""

    def move() -> None:
        target = folder / where
        if target.is_symlink():
            raise NotADirectoryError(target)
        target.mkdir(exist_ok=True, mode=0o750)
        moved = target / f"{timezone.localtime():%Y%m%d-%H%M%S}-{name}"
        with suppress(FileNotFoundError):  # somebody else has taken it away
            (folder / name).rename(moved)
        if reason:
            moved.with_name(f"{moved.name}.txt").write_text(_in_both_languages(reason), "utf-8")

    return move


def _in_both_languages(text: Text) -> str:
    lines = []
    for language, _label in settings.LANGUAGES:
        with translation.override(language):
            lines.append(str(text))
    return "\n".join(lines) + "\n"
