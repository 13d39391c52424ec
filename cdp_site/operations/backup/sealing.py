"""Streams encrypted to disk: AES-256-GCM in pieces, so that no whole dump is ever in memory or in clear on the disk.

A file is a magic word, a random id of the file, and pieces of four bytes of length and a sealed mebibyte. Each is bound
to the file, to its place in it and to whether it is the last: none can be exchanged, moved or cut off unnoticed.
"""

import hashlib
import io
import os
import secrets
import struct
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PIECE: Final = 1024 * 1024
_MAGIC: Final = b"CDPB1\n"
_ID_BYTES: Final = 32
_LENGTH: Final = struct.Struct(">I")
_PLACE: Final = struct.Struct(">Q?")  # number of the piece, is it the last
_TAG_BYTES: Final = 16


class UnreadableError(Exception):
    """The file was changed or cut, or was sealed with another CDP_FILE_KEY."""


def _cipher(file_id: bytes) -> AESGCM:
    """A key for this file alone, from CDP_FILE_KEY: its pieces may simply be counted."""
    derivation = HKDF(hashes.SHA256(), 32, salt=file_id, info=b"cdp backup")
    return AESGCM(derivation.derive(urlsafe_b64decode(settings.CDP_FILE_KEY)))


class Sealer(io.RawIOBase):
    """Writes one file: `write`, then `close`, which waits for the disk. `sha256` is that of the sealed file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        self._pending = bytearray()
        self._number = 0
        self._digest = hashlib.sha256()
        file_id = secrets.token_bytes(_ID_BYTES)
        self._aead = _cipher(file_id)
        self._put(_MAGIC + file_id)

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._pending += data
        while len(self._pending) > PIECE:  # the last piece waits for `close`, to be marked as such
            self._seal(bytes(self._pending[:PIECE]), is_last=False)
            del self._pending[:PIECE]
        return len(data)

    def close(self) -> None:
        if self.closed:
            return
        self._seal(bytes(self._pending), is_last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        super().close()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __enter__(self) -> Self:
        return self

    def _seal(self, data: bytes, *, is_last: bool) -> None:
        place = _PLACE.pack(self._number, is_last)
        sealed = self._aead.encrypt(self._number.to_bytes(12, "big"), data, place)
        self._put(_LENGTH.pack(len(sealed)) + sealed)
        self._number += 1

    def _put(self, data: bytes) -> None:
        self._digest.update(data)
        self._file.write(data)


def pieces(path: Path) -> Iterator[bytes]:
    """What was written, a mebibyte at a time. Raises UnreadableError; FileNotFoundError."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise UnreadableError
        aead = _cipher(file.read(_ID_BYTES))
        number, is_last = 0, False
        while not is_last:
            sealed = _next(file)
            data, is_last = _unseal(aead, sealed, number)
            number += 1
            yield data
        if file.read(1):
            raise UnreadableError


def _next(file: BinaryIO) -> bytes:
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise UnreadableError
    (length,) = _LENGTH.unpack(head)
    if not _TAG_BYTES <= length <= PIECE + _TAG_BYTES:
        raise UnreadableError
    return file.read(length)


def _unseal(aead: AESGCM, sealed: bytes, number: int) -> tuple[bytes, bool]:
    nonce = number.to_bytes(12, "big")
    for is_last in (False, True):
        try:
            return aead.decrypt(nonce, sealed, _PLACE.pack(number, is_last)), is_last
        except InvalidTag:
            continue
    raise UnreadableError


class Opened(io.RawIOBase):
    """A sealed file to read from, for whoever wants a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._pieces = pieces(path)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        while not self._left:
            try:
                self._left = next(self._pieces)
            except StopIteration:
                return 0
        taken = self._left[: len(buffer)]
        buffer[: len(taken)] = taken
        self._left = self._left[len(taken) :]
        return len(taken)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
