"""Anchors of the audit's chain: its end of each day, written down outside the database.

A chain inside the database can be cut at its end, or written anew from its beginning, by whoever holds the database. A
line of a file of its own says how far the chain reached on a day and with which hash. The file only grows; each line
holds the hash of the one before and a keyed hash of itself. Put it where the database's administrator cannot write
(`AUDIT_ANCHORS`), or keep copies of it: `manage.py verify_audit --anchors FILE` compares with a copy.

A restored backup has fewer rows than the anchors say. The restore notes that (`note_restore`): what was anchored beyond
the restored end is lost by a known act, and no fault.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from django.conf import settings
from django.utils import timezone

from cdp_site.core import hashing
from cdp_site.core.models import AuditSeal, Heartbeat

ANCHOR, RESTORE = "anchor", "restore"
LAST = "audit anchor"  # the heartbeat that remembers the last line
_PURPOSE: Final = "audit.anchor"
_NONE_BEFORE: Final = "0" * 64


class Anchor(msgspec.Struct, frozen=True):
    """A line of the file. Of a restore: the end of the chain in the restored database.

    Attributes:
        sequence, chain_hash: the last link; 0 and empty when the chain had none.
        sealed: how many links there were.
        previous: SHA-256 of the line before.
        mac: keyed hash of everything else.
    """

    kind: str
    at: datetime
    sequence: int
    sealed: int
    chain_hash: str
    previous: str
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Book:
    """The file as it was read. `faults`: what is wrong with the file itself, in words; `ends`: SHA-256 of each line."""

    anchors: Sequence[Anchor]
    faults: tuple[str, ...]
    ends: Sequence[str] = ()

    @property
    def in_force(self) -> list[Anchor]:
        """Anchors that the chain has to agree with: not those that a later restore has gone behind."""
        kept: list[Anchor] = []
        for one in self.anchors:
            if one.kind == RESTORE:
                kept = [earlier for earlier in kept if earlier.sequence <= one.sequence]
            if one.sequence:
                kept.append(one)
        return kept

    @property
    def last(self) -> Anchor | None:
        return self.anchors[-1] if self.anchors else None


def file() -> Path:
    """Where the anchors are written."""
    return Path(settings.AUDIT_ANCHORS or settings.CDP_DATA / "audit" / "anchors.jsonl")


def read() -> Book:
    """The anchors of this installation. A file that is not there has none; whether its end is missing says the
    heartbeat that each writing leaves. One query."""
    place = file()
    book = parse(place.read_bytes() if place.exists() else b"")
    written = Heartbeat.objects.filter(name=LAST).values_list("detail", flat=True).first()
    if written is None or written["line"] in book.ends:
        return book
    return replace(book, faults=(*book.faults, f"the anchors end before the line of {written['at'][:10]}"))


def parse(data: bytes) -> Book:
    """Every line that can be read, and a fault for each that is changed, moved or missing within the file."""
    anchors: list[Anchor] = []
    faults: list[str] = []
    ends: list[str] = []
    previous = _NONE_BEFORE
    for number, line in enumerate(data.splitlines(), start=1):
        try:
            anchor = msgspec.json.decode(line, type=Anchor)
            is_ours = hashing.is_ours(_unsigned(anchor), bytes.fromhex(anchor.mac), purpose=_PURPOSE)
        except (msgspec.DecodeError, ValueError):
            faults.append(f"line {number} of the anchors cannot be read")
        else:
            if not is_ours:
                faults.append(f"line {number} of the anchors was changed")
            elif anchor.previous != previous:
                faults.append(f"a line is missing before line {number} of the anchors")
            anchors.append(anchor)
        previous = hashlib.sha256(line).hexdigest()
        ends.append(previous)
    return Book(anchors, tuple(faults), ends)


def write(kind: str = ANCHOR) -> Anchor | None:
    """Append the end of the chain as it stands; returns the line. None when nothing was sealed since the last one.

    It is on the disk when this returns. Two processes write one after the other.
    """
    with _held(file()) as descriptor:
        data = _whole(descriptor)
        book = parse(data)
        last = AuditSeal.objects.order_by("-sequence").values("sequence", "chain_hash").first()
        sequence = last["sequence"] if last else 0
        if kind == ANCHOR and (last is None or (book.last is not None and book.last.sequence == sequence)):
            return None
        anchor = Anchor(
            kind=kind,
            at=timezone.now(),
            sequence=sequence,
            sealed=AuditSeal.objects.filter(sequence__lte=sequence).count(),
            chain_hash=bytes(last["chain_hash"]).hex() if last else "",
            previous=book.ends[-1] if book.ends else _NONE_BEFORE,
        )
        signed = msgspec.structs.replace(anchor, mac=hashing.mac(_unsigned(anchor), purpose=_PURPOSE).hex())
        # A line that a crash has left without its end gets one first, and is reported as what it is.
        begun = b"" if not data or data.endswith(b"\n") else b"\n"
        line = msgspec.json.encode(signed)
        os.write(descriptor, begun + line + b"\n")
        os.fsync(descriptor)
    detail = {"line": hashlib.sha256(line).hexdigest(), "at": signed.at.isoformat()}
    Heartbeat.objects.update_or_create(name=LAST, defaults={"at": signed.at, "pid": os.getpid(), "detail": detail})
    return signed


def note_restore() -> Anchor | None:
    """Say that the database was restored from a backup, after its own chain was verified."""
    return write(RESTORE)


def _unsigned(anchor: Anchor) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(anchor, mac=""))


@contextmanager
def _held(path: Path) -> Iterator[int]:
    """The file opened for appending, with nobody else writing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _whole(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(os.dup(descriptor), "rb") as reader:
        return reader.read()
