"""The erasure ledger as a file: outside of the database, append-only, keyed hashes only.

One line of JSON for each erasure. A line names the line before it and ends with a keyed hash over itself, so that an
edited, dropped or moved line is noticed. It is written to the disk before the erasure commits: a crash in between
leaves a line of somebody who is about to be erased, never an erased person without a line.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BufferedRandom
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec
from django.conf import settings

from cdp_site.core import hashing

PURPOSE = "erasure_ledger"
NOTHING_BEFORE = ""


class LedgerDamagedError(Exception):
    """The file is not what was written: a line was changed, dropped or moved. `line` counts from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line} of the erasure ledger was changed, or the line before it is missing")
        self.line = line


class Kept(msgspec.Struct, frozen=True):
    """A suppressed identifier, as it stood in the database; keyed hashes in hexadecimal."""

    key: str
    kind: str
    needs_name: bool
    names: tuple[str, ...] = ()


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One erasure. Every hash was made with the key `key_id`.

    Args:
        act: `erased`: a person; `released`: rows of somebody erased earlier, when what kept them ended.
        people: hashes of the public ids of the person's profiles, one for each of their records.
        suppressed: what keeps them out (`ingestion.suppression`).
        rows: hashes of single rows that were released (label and primary key).
    """

    act: Literal["erased", "released"] = "erased"
    at: datetime
    request: UUID
    key_id: str
    people: tuple[str, ...] = ()
    suppressed: tuple[Kept, ...] = ()
    rows: tuple[str, ...] = ()


def person_hashes(public_ids: Iterable[UUID], *, key_id: str) -> list[str]:
    """What `Entry.people` holds of these profiles."""
    found = hashing.keyed_all((str(one) for one in public_ids), purpose="erased_person", key_id=key_id)
    return [one.hex() for one in found]


def row_hash(label: str, row: object, *, key_id: str) -> str:
    """What `Entry.rows` holds of a row."""
    return hashing.keyed(f"{label}\0{row}", purpose="erased_row", key_id=key_id).hex()


class _Line(msgspec.Struct, frozen=True):
    entry: msgspec.Raw
    before: str  # mac of the line before
    mac: str


def path() -> Path:
    """Where the ledger lies; its folder is made with no access for others."""
    ledger: Path = settings.ERASURE_LEDGER
    ledger.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return ledger


def append(entry: Entry) -> None:
    """Write the entry and wait until the disk has it. Raises OSError when that fails, LedgerDamagedError when the last
    line is not ours."""
    with _opened() as ledger:
        _write(ledger, [entry])


def read(file: Path | None = None) -> list[Entry]:
    """All entries, the oldest first; none when there is no file yet. Raises LedgerDamagedError. A line that a crash
    left half-written is not one."""
    file = file or path()
    return [entry for entry, _mac in _lines(file.read_bytes())] if file.exists() else []


def adopt(other: Path) -> int:
    """Take over what a ledger from elsewhere, such as that of a backup, knows and this one does not. Returns how many
    entries that were."""
    theirs = read(other)
    with _opened() as ledger:
        ours = {msgspec.json.encode(entry) for entry, _mac in _lines(ledger.read())}
        missing = [entry for entry in theirs if msgspec.json.encode(entry) not in ours]
        _write(ledger, missing)
    return len(missing)


@contextmanager
def _opened() -> Iterator[BufferedRandom]:
    """The file, held against other writers."""
    file = path()
    is_new = not file.exists()
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as ledger:
        fcntl.flock(ledger, fcntl.LOCK_EX)
        if is_new:
            _sync_folder(file.parent)
        yield ledger


def _write(ledger: BufferedRandom, entries: list[Entry]) -> None:
    ledger.seek(0)
    data = ledger.read()
    whole = data[: data.rfind(b"\n") + 1]
    before = _last_mac(whole)
    ledger.seek(len(whole))
    ledger.truncate()  # half a line of a writer that died: its erasure has not begun
    for entry in entries:
        raw = msgspec.json.encode(entry)
        before, previous = _mac(raw, before), before
        ledger.write(msgspec.json.encode(_Line(msgspec.Raw(raw), previous, before)) + b"\n")
    ledger.flush()
    os.fsync(ledger.fileno())


def _lines(data: bytes) -> list[tuple[Entry, str]]:
    found: list[tuple[Entry, str]] = []
    before = NOTHING_BEFORE
    for number, text in enumerate(data[: data.rfind(b"\n") + 1].splitlines(), start=1):
        line, entry = _line(text, number)
        if line.before != before:
            raise LedgerDamagedError(number)
        found.append((entry, line.mac))
        before = line.mac
    return found


def _last_mac(whole: bytes) -> str:
    lines = whole.splitlines()
    return _line(lines[-1], len(lines))[0].mac if lines else NOTHING_BEFORE


def _line(text: bytes, number: int) -> tuple[_Line, Entry]:
    try:
        line = msgspec.json.decode(text, type=_Line)
        entry = msgspec.json.decode(line.entry, type=Entry)
        is_ours = hashing.is_ours(_told(bytes(line.entry), line.before), bytes.fromhex(line.mac), purpose=PURPOSE)
    except (msgspec.DecodeError, ValueError) as error:
        raise LedgerDamagedError(number) from error
    if not is_ours:
        raise LedgerDamagedError(number)
    return line, entry


def _mac(raw: bytes, before: str) -> str:
    return hashing.mac(_told(raw, before), purpose=PURPOSE).hex()


def _told(raw: bytes, before: str) -> bytes:
    return before.encode() + b"\0" + raw


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
