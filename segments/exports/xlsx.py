"""Workbooks, written row by row: every cell is text, in the format "text", and nothing of it is a formula.

Office Open XML (ECMA-376, part 1, chapter 18: SpreadsheetML) in a zip, which is written as it grows: a list of a
million people takes no more memory than one of ten. Cells of the format "text" stay text when they are edited, too, and
a phone number keeps its plus sign and its zeros.
"""

import re
import zipfile
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import IO, Final, Protocol
from xml.sax.saxutils import escape  # writes XML, reads none  # nosec B406

MOST_ROWS: Final = 1_048_576  # of a sheet, its heading among them; more go on in the next one
MOST_CHARACTERS: Final = 32_767  # of a cell
WIDTH: Final = 24  # of a column, in characters

# What XML 1.0 has no place for.
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
_PARTS: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_TEXT, _HEADING = 1, 2  # places in `cellXfs`
_STYLES: Final = (
    f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'  # 49: text
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs>'
    "</styleSheet>"
)


class Sink(Protocol):
    """Where a file goes, piece by piece."""

    def write(self, data: bytes, /) -> object: ...


class _Pipe:
    """A sink as `zipfile` wants it: with `flush`, and with nothing to go back to."""

    def __init__(self, to: Sink) -> None:
        self._to = to

    def write(self, data: bytes) -> int:
        self._to.write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """What was written is on its way."""

    def close(self) -> None:
        """The sink is closed by whoever opened it."""


def write(to: Sink, header: Sequence[str], rows: Iterable[Sequence[str]], *, count: int) -> None:
    """A workbook with a heading row on each sheet.

    Args:
        count: how many rows there will be; it says how many sheets are needed.
    """
    per_sheet = MOST_ROWS - 1
    sheets = max(1, -(-count // per_sheet))
    rest = iter(rows)
    with zipfile.ZipFile(_Pipe(to), "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in _frame(sheets).items():
            book.writestr(name, text)
        for number in range(1, sheets + 1):
            with book.open(f"xl/worksheets/sheet{number}.xml", "w", force_zip64=True) as sheet:
                _write_sheet(sheet, header, islice(rest, per_sheet))


def _frame(sheets: int) -> dict[str, str]:
    """Everything but the sheets: name in the zip → text."""
    numbers = range(1, sheets + 1)
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_PARTS}.worksheet+xml"/>' for n in numbers
    )
    listed = "".join(f'<sheet name="{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    related = "".join(_related(n, "worksheet", f"worksheets/sheet{n}.xml") for n in numbers)
    styles = _related(sheets + 1, "styles", "styles.xml")
    types = (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_PARTS}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_PARTS}.styles+xml"/>{overrides}</Types>'
    )
    book = f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{listed}</sheets></workbook>'
    return {
        "[Content_Types].xml": types,
        "_rels/.rels": _relations(_related(1, "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": book,
        "xl/_rels/workbook.xml.rels": _relations(related + styles),
        "xl/styles.xml": _STYLES,
    }


def _related(number: int, kind: str, target: str) -> str:
    return f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'


def _relations(listed: str) -> str:
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{listed}</Relationships>'


def _write_sheet(sheet: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
    columns = f'<col min="1" max="{len(header)}" width="{WIDTH}" customWidth="1" style="{_TEXT}"/>'
    head = (
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
        f"<cols>{columns}</cols><sheetData>"
    )
    sheet.write(head.encode())
    sheet.write(_row(1, header, _HEADING))
    for number, cells in enumerate(rows, start=2):
        sheet.write(_row(number, cells, _TEXT))
    sheet.write(b"</sheetData></worksheet>")


def _row(number: int, cells: Sequence[str], style: int) -> bytes:
    written = "".join(
        f'<c r="{_column(place)}{number}" s="{style}" t="inlineStr">'
        f'<is><t xml:space="preserve">{_text(cell)}</t></is></c>'
        for place, cell in enumerate(cells)
        if cell
    )
    return f'<row r="{number}">{written}</row>'.encode()


def _text(cell: str) -> str:
    return escape(_ILLEGAL.sub("", cell[:MOST_CHARACTERS]))


def _column(place: int) -> str:
    """A for 0, Z for 25, AA for 26."""
    letters = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters
