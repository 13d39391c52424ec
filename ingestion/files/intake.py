"""A file on its way in: sealed into the import store as it comes, unpacked, looked at. What is stored in the end is
always text of rows in an encoding that the readers know, so that reading can begin at any row."""

import codecs
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from django.conf import settings

from ingestion.files import archives, store, workbook
from ingestion.files.archives import Packing
from ingestion.files.codes import FileCode
from ingestion.files.detect import Detected, Probe
from ingestion.files.problems import FileProblem

_DECIDES: Final = 4  # the first bytes say what a file is packed in, and whether its text is UTF-16


@dataclass(frozen=True, slots=True)
class Taken:
    """A file in the store, ready to be read. Of a workbook also its `sheets`, the `sheet` that was read, and, while
    another could be chosen, the `original` in the store."""

    stored: store.StoredFile
    form: Detected
    packing: Packing = Packing.NONE
    sheets: tuple[str, ...] = ()
    sheet: str = ""
    original: str = ""

    def remove(self) -> None:
        store.remove(self.stored.name)
        if self.original:
            store.remove(self.original)


class Text:
    """Rows as text: looked at and sealed. UTF-16 becomes UTF-8, since no row of it could be found by its bytes."""

    def __init__(self) -> None:
        self._writer = store.Writer()
        self._probe = Probe()
        self._head = b""
        self._utf16: codecs.IncrementalDecoder | None = None
        self._is_decided = False
        self._size = 0

    def write(self, data: bytes) -> None:
        """Raises FileProblem as soon as the file is known to be none that can be taken."""
        if not self._is_decided:
            self._head += data
            if len(self._head) < _DECIDES:
                return
            data = self._decide()
        self._take(data)

    def finish(self) -> tuple[store.StoredFile, Detected]:
        """Stored and looked at. Raises FileProblem."""
        if not self._is_decided:
            self._take(self._decide())
        if self._utf16 is not None:
            self._seal(self._decoded(b"", final=True))
        form = self._probe.verdict()
        return self._writer.finish(), form

    def discard(self) -> None:
        """Remove what was stored, unless it is finished."""
        self._writer.discard()

    def _decide(self) -> bytes:
        self._is_decided = True
        if archives.packing(self._head) is not Packing.NONE:
            raise FileProblem(FileCode.NESTED)
        if encoding := _utf16(self._head):
            self._utf16 = codecs.getincrementaldecoder(encoding)("strict")
        return self._head

    def _take(self, data: bytes) -> None:
        self._seal(data if self._utf16 is None else self._decoded(data))

    def _decoded(self, data: bytes, *, final: bool = False) -> bytes:
        try:
            return self._utf16.decode(data, final).encode() if self._utf16 else data
        except UnicodeError as error:
            raise FileProblem(FileCode.ENCODING) from error

    def _seal(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > settings.IMPORT_MAX_BYTES:
            raise FileProblem(FileCode.TOO_LARGE)
        self._probe.feed(data)
        self._writer.write(data)


def _utf16(head: bytes) -> str:
    """The codec by the mark at the beginning, or by where the zeros of two Latin letters or digits stand."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = tuple(byte == 0 for byte in head[:_DECIDES])
    if zeros == (False, True, False, True):
        return "utf-16-le"
    return "utf-16-be" if zeros == (True, False, True, False) else ""


class Receiver:
    """Takes a file's bytes as they come. Leaving the block without `take` removes what was stored."""

    def __init__(self) -> None:
        self._arrived = 0
        self._head = b""
        self._text: Text | None = None
        self._gunzip: archives.Gunzip | None = None
        self._spool: store.Writer | None = None  # of an archive that can only be read once it is whole

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.discard()

    def discard(self) -> None:
        """Remove what was stored, unless it is taken."""
        for held in (self._text, self._spool):
            if held is not None:
                held.discard()

    def write(self, data: bytes) -> None:
        """Raises FileProblem as soon as the file is known to be none that can be taken."""
        self._arrived += len(data)
        if self._arrived > settings.IMPORT_MAX_BYTES:
            raise FileProblem(FileCode.TOO_LARGE)
        if self._text is None and self._spool is None:
            self._head += data
            if len(self._head) < _DECIDES:
                return
            data = self._decide()
        self._pass_on(data)

    def take(self) -> Taken:
        """The file is in the store. Raises FileProblem."""
        if self._text is None and self._spool is None:
            self._pass_on(self._decide())
        if self._spool is not None:
            return _unpacked(self._spool.finish())
        if self._gunzip is not None:
            self._gunzip.end()
        stored, form = self._whole_text().finish()
        return Taken(stored, form, Packing.NONE if self._gunzip is None else Packing.GZIP)

    def _whole_text(self) -> Text:
        if self._text is None:
            self._text = Text()
        return self._text

    def _decide(self) -> bytes:
        packing = archives.packing(self._head)
        if packing is Packing.ZIP:
            self._spool = store.Writer()
        elif packing is Packing.GZIP:
            self._gunzip = archives.Gunzip(self._whole_text())
        else:
            self._whole_text()
        return self._head

    def _pass_on(self, data: bytes) -> None:
        way = self._spool or self._gunzip or self._whole_text()
        way.write(data)


def _unpacked(spooled: store.StoredFile) -> Taken:
    """The text that is in a stored zip or workbook. Raises FileProblem and leaves nothing then."""
    keeps = False
    try:
        archive = archives.Zip(spooled.name)
        if archive.is_workbook:
            archive.check_workbook()
            taken = read_sheet(spooled.name)
            keeps = bool(taken.original)
        else:
            taken = Taken(*_stored(archive.only_file()), packing=Packing.ZIP)
    finally:
        if not keeps:
            store.remove(spooled.name)
    return taken


def read_sheet(original: str, *, name: str = "") -> Taken:
    """One sheet of a stored workbook, the first with anything on it unless named. Raises FileProblem."""
    sheet = workbook.open_sheet(store.read(original), size=store.size(original), name=name)
    stored, form = _stored(sheet.csv)
    kept = original if len(sheet.names) > 1 else ""
    return Taken(stored, form, Packing.WORKBOOK, sheet.names, sheet.name, kept)


def _stored(pieces: Iterable[bytes]) -> tuple[store.StoredFile, Detected]:
    text = Text()
    try:
        for data in pieces:
            text.write(data)
        return text.finish()
    finally:
        text.discard()
