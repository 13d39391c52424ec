"""The import store: files lie in CDP_DATA/imports encrypted, in chunks, so that neither writing nor reading ever holds
a whole one in memory, and no clear copy touches the disk. Files of another kind lie in a room of their own beside it.

A file is a magic word and then, for each mebibyte of the original, four bytes of length and a Fernet token. Every
token's text begins with the file's id, its number and whether it is the last: chunks cannot be exchanged, reordered
or cut off unnoticed.
"""

import errno
import hashlib
import io
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
IMPORTS: Final = "imports"  # the room of uploaded files
_MAGIC: Final = b"CDPF1\n"
_HEAD: Final = struct.Struct(">16sQ?")  # file id, number of the chunk, is it the last
_LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """`name` in the store, `size` in bytes of the original, `sha256` of the original."""

    name: str
    size: int
    sha256: bytes


def folder(room: str = IMPORTS) -> Path:
    """CDP_DATA/<room>; made with no access for others."""
    path: Path = settings.CDP_DATA / room
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def _path(name: str, room: str = IMPORTS) -> Path:
    return folder(room) / f"{UUID(name).hex}.sealed"


class Writer:
    """Writes one file: `write` its bytes, then `finish`. Leaving the block without `finish` removes it."""

    def __init__(self, room: str = IMPORTS) -> None:
        self._id = uuid7()
        self._room = room
        self._partial = folder(room) / f"{self._id.hex}.partial"
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
        self._partial.rename(_path(self._id.hex, self._room))
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


def read(name: str, *, offset: int = 0, room: str = IMPORTS) -> Iterator[bytes]:
    """The original's bytes from `offset` on, a mebibyte at a time. Raises FileProblem when it is gone or damaged."""
    try:
        file = _path(name, room).open("rb")
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


def size(name: str) -> int:
    """About how many bytes a stored file has, never fewer."""
    try:
        return _path(name).stat().st_size
    except FileNotFoundError as error:
        raise FileProblem(FileCode.REMOVED) from error


class TooLongReadError(Exception):
    """More was asked for at once than a reader allows."""


class Seekable(io.RawIOBase):
    """A stored file for readers that jump about in it, as of a zip's directory; holds one mebibyte of it.

    A read of more than `longest_read` bytes raises TooLongReadError: what a hostile file says about itself must not
    decide how much memory is taken.
    """

    def __init__(self, name: str, *, longest_read: int) -> None:
        super().__init__()
        self._id, self._longest = UUID(name), longest_read
        try:
            self._file = _path(name).open("rb")
        except FileNotFoundError as error:
            raise FileProblem(FileCode.REMOVED) from error
        self._tokens = _token_places(self._file)
        self._number, self._chunk = -1, b""
        self._size = (len(self._tokens) - 1) * CHUNK_BYTES + len(self._load(len(self._tokens) - 1))
        self._at = 0

    def _load(self, number: int) -> bytes:
        if number != self._number:
            self._file.seek(self._tokens[number])
            self._chunk, _is_last = _unseal(self._file.read(_token_length(self._file)), self._id, number)
            self._number = number
        return self._chunk

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if place < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._at = place
        return place

    def read(self, size: int = -1) -> bytes:
        size = max(self._size - self._at, 0) if size < 0 else size
        if size > self._longest:
            raise TooLongReadError
        parts = []
        while size > 0 and self._at < self._size:
            number, skip = divmod(self._at, CHUNK_BYTES)
            part = self._load(number)[skip : skip + size]
            parts.append(part)
            self._at += len(part)
            size -= len(part)
        return b"".join(parts)

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _token_places(file: BinaryIO) -> list[int]:
    """Where each sealed chunk begins."""
    if file.read(len(_MAGIC)) != _MAGIC:
        raise FileProblem(FileCode.DAMAGED)
    end = os.fstat(file.fileno()).st_size
    places, at = [], file.tell()
    while at < end:
        places.append(at)
        at = file.seek(at) + _LENGTH.size + _token_length(file)
    if not places:
        raise FileProblem(FileCode.DAMAGED)
    return places


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


def remove(name: str, room: str = IMPORTS) -> bool:
    """Remove a file; False when it was gone already."""
    try:
        _path(name, room).unlink()
    except FileNotFoundError:
        return False
    return True


def stray_names(known: set[str], *, older_than: float, room: str = IMPORTS) -> list[Path]:
    """Files in a room that nobody knows, last written before `older_than` (seconds since 1970): what a killed process
    left."""
    return [
        path
        for path in folder(room).iterdir()
        if path.suffix in (".sealed", ".partial") and path.stem not in known and path.stat().st_mtime < older_than
    ]
