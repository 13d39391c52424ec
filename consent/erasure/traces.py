"""Looking for what an erasure left behind: values of a person, in whatever dress, everywhere.

`grep` over a dump proves nothing: values lie escaped in JSON, in base64, packed, pickled and sealed. So each place is
read as it is stored and then undressed, layer by layer, until nothing is left to take off.
"""

import base64
import binascii
import gzip
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final
from urllib.parse import quote

from cryptography.fernet import InvalidToken

from cdp_site.core import hashing

DEEPEST: Final = 5  # layers
LONGEST: Final = 64 * 1024 * 1024  # of one unpacked layer: what is larger is not a value
SHORTEST: Final = 4  # characters of a value: shorter ones are in everything

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){8,}")
_FERNET = re.compile(rb"gAAAA[A-Za-z0-9_-]{60,}={0,2}")
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")


@dataclass(frozen=True, slots=True)
class Found:
    """A value was seen: which one, by its place in the list from 1, and what it was wrapped in from the outside in.
    The value itself is said nowhere."""

    value: int
    dress: tuple[str, ...]


class Canaries:
    """The values of a person that must not be found any more, and every way to write them."""

    def __init__(self, values: Iterable[str]) -> None:
        """Raises ValueError for none at all, or for one that is too short to prove anything."""
        self.values = tuple(dict.fromkeys(value.strip() for value in values if value.strip()))
        if not self.values:
            raise ValueError("no value to look for")
        for number, value in enumerate(self.values, start=1):
            if len(value) < SHORTEST:
                raise ValueError(f"value {number} is shorter than {SHORTEST} characters: it is in everything")

    @cached_property
    def _spelled(self) -> dict[bytes, tuple[int, str]]:
        """Bytes in lower case → which value, in which dress."""
        found: dict[bytes, tuple[int, str]] = {}
        for number, value in enumerate(self.values, start=1):
            for spelled in _spellings(value):
                for dress, data in _written(spelled):
                    found.setdefault(data.lower(), (number, dress))
        return found

    @cached_property
    def _pattern(self) -> re.Pattern[bytes]:
        longest_first = sorted(self._spelled, key=len, reverse=True)
        return re.compile(b"|".join(re.escape(data) for data in longest_first))

    def plain_in(self, data: bytes) -> set[Found]:
        """Values that stand there as they are, without undressing anything; quick."""
        return {
            Found(number, (dress,) if dress else ())
            for number, dress in (self._spelled[hit] for hit in set(self._pattern.findall(data.lower())))
        }

    def within(self, data: bytes) -> set[Found]:
        """Values in the data, however deep."""
        return self._look(data, DEEPEST)

    def _look(self, data: bytes, deeper: int) -> set[Found]:
        found = self.plain_in(data)
        if deeper:
            for dress, inner in _undressed(data):
                found |= {Found(hit.value, (dress, *hit.dress)) for hit in self._look(inner, deeper - 1)}
        return found


def _spellings(value: str) -> Iterator[str]:
    """As it was said, in either form of Unicode; of a telephone number what all ways to write it share."""
    yield from {unicodedata.normalize(form, value) for form in ("NFC", "NFD")}
    digits = re.sub(r"\D", "", value)
    if len(digits) >= 9 and len(digits) >= len(re.sub(r"\s", "", value)) - 4:
        national = digits.removeprefix("66").removeprefix("0")
        yield national
        for area in (1, 2):  # 86-345-1972, 2-123-4567
            rest = national[area:]
            yield f"{national[:area]}-{rest[:3]}-{rest[3:]}"
            yield f"{national[:area]}) {rest[:3]}-{rest[3:]}"
        yield f"{national[:2]} {national[2:5]} {national[5:]}"


def _written(value: str) -> Iterator[tuple[str, bytes]]:
    yield "", value.encode()
    if not value.isascii():
        escaped = value.encode("unicode_escape")
        yield "escaped", escaped
        yield "escaped twice", escaped.replace(b"\\", b"\\\\")
        with suppress(UnicodeEncodeError):
            yield "tis-620", value.encode("cp874")
    yield "percent-encoded", quote(value, safe="").encode()
    yield "utf-16", value.encode("utf-16-le")
    yield "utf-16", value.encode("utf-16-be")


def _undressed(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What is wrapped in the data, one layer less."""
    return chain(_unsealed(data), _decoded(data), _unpacked(data))


def _unsealed(data: bytes) -> Iterator[tuple[str, bytes]]:
    for token in _FERNET.findall(data):
        with suppress(InvalidToken):
            yield "sealed", hashing.unseal(token)


def _decoded(data: bytes) -> Iterator[tuple[str, bytes]]:
    for text in _BASE64.findall(data):
        bare = text.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        if len(bare) % 4 != 1:
            with suppress(binascii.Error):
                yield "base64", base64.b64decode(bare + b"=" * (-len(bare) % 4))
    for text in _HEX.findall(data):
        yield "hexadecimal", bytes.fromhex(text.decode())


def _unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    if data.startswith(_GZIP):
        with suppress(OSError, EOFError, zlib.error), gzip.open(io.BytesIO(data)) as file:
            yield "gzip", file.read(LONGEST)
    if data.startswith(_ZIP):
        yield from _members(data)
    for start in list(_ZLIB.finditer(data))[:100]:
        unpacker = zlib.decompressobj()
        with suppress(zlib.error):
            inner = unpacker.decompress(data[start.start() :], LONGEST)
            if len(inner) >= SHORTEST:
                yield "zlib", inner


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Files of an archive, of which a workbook is one."""
    broken = (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error)
    with suppress(*broken), zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            with archive.open(name) as member:
                yield "zip", member.read(LONGEST)
