"""The import store: files lie in CDP_DATA/imports encrypted, in chunks, so that neither writing nor reading ever holds
a whole one in memory, and no clear copy touches the disk.

A file is a magic word and then, for each mebibyte of the original, four bytes of length and a Fernet token. Every
token's text begins with the file's id, its number and whether it is the last: chunks cannot be exchanged, reordered
or cut off unnoticed.
"""

import hashlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.conf import settings

from cdp_site.core import hashing
from cdp_site.core.ids import uuid7
from ingestion.files.codes import FileCode
from ingestion.files.problems import FileProblem

CHUNK_BYTES: Final = 1024 * 1024
_MAGIC: Final = b"CDPF1\n"
_HEAD: Final = struct.Struct(">16sQ?")  # file id, number of the chunk, is it the last
_LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """`name` in the store, `size` in bytes of the original, `sha256` of the original."""

    name: str
    size: int
    sha256: bytes


def folder() -> Path:
    """CDP_DATA/imports; made with no access for others."""
    path: Path = settings.CDP_DATA / "imports"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _path(name: str) -> Path:
    return folder() / f"{UUID(name).hex}.sealed"


class Writer:
    """Writes one file: `write` its bytes, then `finish`. Leaving the block without `finish` removes it."""

    def __init__(self) -> None:
        self._id = uuid7()
        self._partial = folder() / f"{self._id.hex}.partial"
        self._file: BinaryIO = open(self._partial, "xb", opener=_private)  # noqa: SIM115  closed by __exit__
        self._file.write(_MAGIC)
        self._pending = bytearray()
        self._number = 0
        self._size = 0
        self._digest = hashlib.sha256()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.discard()

    def write(self, data: bytes) -> None:
        self._digest.update(data)
        self._size += len(data)
        self._pending += data
        while len(self._pending) > CHUNK_BYTES:  # the last chunk waits for `finish`, to be marked as such
            self._seal(bytes(self._pending[:CHUNK_BYTES]), is_last=False)
            del self._pending[:CHUNK_BYTES]

    def finish(self) -> StoredFile:
        """On disk (fsync) under its name when this returns."""
        self._seal(bytes(self._pending), is_last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._partial.rename(_path(self._id.hex))
        return StoredFile(self._id.hex, self._size, self._digest.digest())

    def discard(self) -> None:
        """Remove what was written, unless it is finished."""
        self._file.close()
        self._partial.unlink(missing_ok=True)

    def _seal(self, data: bytes, *, is_last: bool) -> None:
        token = hashing.seal(_HEAD.pack(self._id.bytes, self._number, is_last) + data)
        self._file.write(_LENGTH.pack(len(token)) + token)
        self._number += 1


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def read(name: str, *, offset: int = 0) -> Iterator[bytes]:
    """The original's bytes from `offset` on, a mebibyte at a time. Raises FileProblem when it is gone or damaged."""
    try:
        file = _path(name).open("rb")
    except (FileNotFoundError, ValueError) as error:
        raise FileProblem(FileCode.REMOVED) from error
    with file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise FileProblem(FileCode.DAMAGED)
        # From the chunk of the byte before `offset`: behind the last byte there may be no chunk.
        number = max(offset - 1, 0) // CHUNK_BYTES
        skip = offset - number * CHUNK_BYTES
        for _ in range(number):
            file.seek(_token_length(file), os.SEEK_CUR)
        is_last = False
        while not is_last:
            data, is_last = _unseal(file.read(_token_length(file)), UUID(name), number)
            number += 1
            yield data[skip:]
            skip = 0


def _token_length(file: BinaryIO) -> int:
    packed = file.read(_LENGTH.size)
    if len(packed) < _LENGTH.size:
        raise FileProblem(FileCode.DAMAGED)
    length: int = _LENGTH.unpack(packed)[0]
    return length


def _unseal(token: bytes, file_id: UUID, number: int) -> tuple[bytes, bool]:
    try:
        text = hashing.unseal(token)
    except InvalidToken as error:
        raise FileProblem(FileCode.DAMAGED) from error
    held_id, held_number, is_last = _HEAD.unpack_from(text)
    if (held_id, held_number) != (file_id.bytes, number):
        raise FileProblem(FileCode.DAMAGED)
    return text[_HEAD.size :], is_last


def remove(name: str) -> bool:
    """Remove a file; False when it was gone already."""
    try:
        _path(name).unlink()
    except FileNotFoundError:
        return False
    return True


def stray_names(known: set[str], *, older_than: float) -> list[Path]:
    """Files in the store that no import knows, last written before `older_than` (seconds since 1970): what a killed
    upload left."""
    return [
        path
        for path in folder().iterdir()
        if path.suffix in (".sealed", ".partial") and path.stem not in known and path.stat().st_mtime < older_than
    ]
