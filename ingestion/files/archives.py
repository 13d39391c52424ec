"""Packed files: what a file is packed in, and what comes out of it, a little at a time and under caps.

A packed file holds one file of rows. What comes out is looked at like any other file, so an archive within an archive
is refused there. Nothing is unpacked before its size is known to be sane: a few kilobytes can stand for gigabytes.
"""

import zipfile
import zlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, Protocol

from django.conf import settings

from ingestion.files import store
from ingestion.files.codes import FileCode
from ingestion.files.problems import FileProblem

UNPACKED_CHUNK: Final = 256 * 1024
HARMLESS_BYTES: Final = 16 * 1024 * 1024  # whatever its ratio, unpacking that much hurts nobody
MOST_DIRECTORY_BYTES: Final = 1024 * 1024  # of a zip's list of files: about 10,000 of them
MOST_XML_BYTES: Final = 512 * 1024 * 1024  # of a workbook
_WORKBOOK: Final = "xl/workbook.xml"
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LEFT_BY_SYSTEMS: Final = ("__MACOSX/", ".DS_Store", "Thumbs.db")


class Packing(StrEnum):
    """How a file came; the value is stored with its import."""

    NONE = ""
    GZIP = "gzip"
    ZIP = "zip"
    WORKBOOK = "xlsx"


def packing(head: bytes) -> Packing:
    """By the first four bytes. A workbook is a zip; which of the two it is shows in its list of files."""
    if head.startswith(b"\x1f\x8b"):
        return Packing.GZIP
    return Packing.ZIP if head.startswith((b"PK\x03\x04", b"PK\x05\x06")) else Packing.NONE


def check_ratio(*, packed: int, unpacked: int) -> None:
    """Raises FileProblem when so few bytes make so many."""
    if unpacked > settings.IMPORT_MAX_BYTES:
        raise FileProblem(FileCode.TOO_LARGE)
    if unpacked > HARMLESS_BYTES and unpacked > settings.IMPORT_MAX_RATIO * packed:
        raise FileProblem(FileCode.BOMB)


class Sink(Protocol):
    """What takes the bytes that come out."""

    def write(self, data: bytes, /) -> None: ...


class Gunzip:
    """Unpacks gzip while it comes, into `sink`; several members one after another are one file."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._packed = self._unpacked = 0
        self._member = zlib.decompressobj(wbits=31)

    def write(self, data: bytes) -> None:
        """Raises FileProblem."""
        self._packed += len(data)
        while data:
            if self._member.eof:
                if not data.strip(b"\0"):  # padding, as tapes and some tools leave it
                    return
                self._member = zlib.decompressobj(wbits=31)
            try:
                out = self._member.decompress(data, UNPACKED_CHUNK)
            except zlib.error as error:
                raise FileProblem(FileCode.DAMAGED_ARCHIVE) from error
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            self._unpacked += len(out)
            check_ratio(packed=self._packed, unpacked=self._unpacked)
            self._sink.write(out)

    def end(self) -> None:
        """Raises FileProblem when the file was cut off."""
        if not self._member.eof:
            raise FileProblem(FileCode.DAMAGED_ARCHIVE)


class Zip:
    """A zip archive in the import store."""

    def __init__(self, name: str) -> None:
        """Raises FileProblem when it is none, or its list of files is absurdly long."""
        try:
            self._archive = zipfile.ZipFile(store.Seekable(name, longest_read=MOST_DIRECTORY_BYTES))
        except store.TooLongReadError as error:
            raise FileProblem(FileCode.MANY_FILES) from error
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise FileProblem(FileCode.DAMAGED_ARCHIVE) from error

    @property
    def is_workbook(self) -> bool:
        return any(name.replace("\\", "/").lower() == _WORKBOOK for name in self._archive.namelist())

    def check_workbook(self) -> None:
        """Raises FileProblem when the parts that would be read are larger than is sane, by what the archive says. That
        they are no larger than it says is checked by who reads them (sheet_program)."""
        parts = [info for info in self._archive.infolist() if info.filename.lower().endswith((".xml", ".rels"))]
        stated = sum(info.file_size for info in parts)
        check_ratio(packed=sum(info.compress_size for info in parts), unpacked=stated)
        if stated > MOST_XML_BYTES:
            raise FileProblem(FileCode.SHEET_TOO_LARGE)

    def only_file(self) -> Iterator[bytes]:
        """What is in its one file. Raises FileProblem: none, several, locked, packed absurdly tight, damaged."""
        found = [
            info
            for info in self._archive.infolist()
            if not info.is_dir() and not any(mark in info.filename for mark in _LEFT_BY_SYSTEMS)
        ]
        if not found:
            raise FileProblem(FileCode.EMPTY)
        if len(found) > 1:
            raise FileProblem(FileCode.MANY_FILES)
        (info,) = found
        if info.flag_bits & 0x1:
            raise FileProblem(FileCode.LOCKED)
        if info.compress_type not in _METHODS:
            raise FileProblem(FileCode.DAMAGED_ARCHIVE)
        check_ratio(packed=info.compress_size, unpacked=info.file_size)
        try:
            with self._archive.open(info) as file:
                while data := file.read(UNPACKED_CHUNK):
                    yield data
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            raise FileProblem(FileCode.DAMAGED_ARCHIVE) from error
