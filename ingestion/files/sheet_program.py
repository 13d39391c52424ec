"""Turns one sheet of an XLSX workbook into CSV: a program of its own, run by `ingestion.files.workbook`.

    python -I sheet_program.py MEMORY_BYTES CPU_SECONDS [SHEET] < workbook > csv

A workbook can ask for any amount of memory (300 columns and one cell in row 1,048,576), so it is opened in a process
that may be refused memory and be killed, never in a web server or worker. The first line of the answer is JSON:
{"sheets": [names], "sheet": name}, or {"problem": code}. Row 12 of the sheet is line 12 of the CSV. Knows neither
Django nor the rest of the product, so that it starts fast. Links to other files are never followed: a cell that holds
one has the value that was saved with it.
"""

import csv
import datetime
import io
import json
import re
import resource
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from html import unescape
from typing import Any, Final

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

MOST_SHEETS: Final = 200
STYLE_SAMPLE: Final = 4 * 1024 * 1024  # of a sheet's XML: how its columns are formatted shows at its beginning
MOST_STYLES: Final = 16 * 1024 * 1024
_STEP: Final = 1024 * 1024
_LOCAL_HEADER: Final = 30
# A phone number stored as a number and shown with its leading zero: "0000000000", "000-000-0000", "(00) 000 0000".
_PADDED: Final = re.compile(r'[0\-() \\"]*0[0\-() \\"]*')
_NUMBER_FORMAT: Final = re.compile(rb'<(?:\w+:)?numFmt\b[^>]*?numFmtId="(\d+)"[^>]*?formatCode="([^"]*)"')
_CELL_STYLES: Final = re.compile(rb"<(?:\w+:)?cellXfs\b.*?</(?:\w+:)?cellXfs>", re.DOTALL)
_STYLE: Final = re.compile(rb"<(?:\w+:)?xf\b[^>]*>")
_FORMAT_OF_STYLE: Final = re.compile(rb'\bnumFmtId="(\d+)"')
_STYLED_CELL: Final = re.compile(rb'<(?:\w+:)?c r="([A-Z]{1,3})\d+" s="(\d+)"')
_SHEET: Final = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_NAME: Final = re.compile(rb'\bname="([^"]*)"')
_PART_ID: Final = re.compile(rb'\b\w+:id="([^"]*)"')
_RELATIONSHIP: Final = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
_ID: Final = re.compile(rb'\bId="([^"]*)"')
_TARGET: Final = re.compile(rb'\bTarget="([^"]*)"')


class ProblemError(Exception):
    """The workbook cannot be read; `code` is one of codes.FileCode."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def main() -> None:
    memory, seconds = map(int, sys.argv[1:3])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = io.TextIOWrapper(sys.stdout.buffer, "utf-8", newline="", write_through=False)
    try:
        _convert(sys.stdin.buffer.read(), "".join(sys.argv[3:4]), out)
    except ProblemError as problem:
        out.write(json.dumps({"problem": problem.code}) + "\n")
    except MemoryError:
        sys.exit(3)
    out.flush()


def _convert(data: bytes, wanted: str, out: io.TextIOWrapper) -> None:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        check_parts(data, archive)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as error:
        raise ProblemError("locked") from error
    except (CalamineError, zipfile.BadZipFile, zlib.error, struct.error, ValueError, NotImplementedError) as error:
        raise ProblemError("damaged_archive") from error
    names = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ][:MOST_SHEETS]
    if wanted and wanted not in names:
        raise ProblemError("no_sheet")
    for name in [wanted] if wanted else names:
        try:
            sheet = workbook.get_sheet_by_name(name)
        except CalamineError as error:
            raise ProblemError("damaged_archive") from error
        if sheet.start is not None:
            out.write(json.dumps({"sheets": names, "sheet": name}) + "\n")
            _write(sheet, out, padded_columns(archive, name))
            return
    raise ProblemError("empty")


def _write(sheet: Any, out: io.TextIOWrapper, padded: Mapping[int, int]) -> None:
    """Rows from the sheet's first one on, columns from the first one that is used."""
    writer = csv.writer(out, lineterminator="\n")
    _first_row, first_column = sheet.start
    widths = {place - first_column: width for place, width in padded.items()}
    for row in sheet.iter_rows():
        cells = [value if value.__class__ is str else text(value) for value in row]
        for place, width in widths.items():
            if 0 <= place < len(cells) and cells[place].isdigit() and row[place].__class__ is not str:
                cells[place] = cells[place].zfill(width)
        together = "".join(cells)
        if not together:
            out.write("\n")
            continue
        if "\n" in together or "\r" in together:
            cells = [" ".join(cell.splitlines()) for cell in cells]
        writer.writerow(cells)


def text(value: Any) -> str:
    """A cell as a person sees it, where that is unambiguous: dates in ISO order, numbers without an exponent."""
    if value.__class__ is float:  # the most common by far
        return _number(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime):
        return value.replace(microsecond=0).isoformat(" ")
    if isinstance(value, datetime.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)


def _number(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return format(Decimal(f"{value:.15g}"), "f")  # Excel computes with 15 digits and shows no more


# --- the workbook's parts -------------------------------------------------------------------------------------------


def check_parts(data: bytes, archive: zipfile.ZipFile) -> None:
    """Raises ProblemError when a part that would be read is larger than the archive says, or is locked."""
    parts = [info for info in archive.infolist() if info.filename.lower().endswith((".xml", ".rels"))]
    for info in parts:
        if info.flag_bits & 0x1:
            raise ProblemError("locked")
        if info.compress_type == zipfile.ZIP_DEFLATED:
            _check_size(data, info)


def _check_size(data: bytes, info: zipfile.ZipInfo) -> None:
    """The part is no larger than the list of files says: whoever reads it next may not look at that list."""
    name_length, extra_length = struct.unpack_from("<HH", data, info.header_offset + 26)
    start = info.header_offset + _LOCAL_HEADER + name_length + extra_length
    unpack = zlib.decompressobj(-15)
    rest, size = data[start : start + info.compress_size], 0
    while rest and not unpack.eof:
        size += len(unpack.decompress(rest, _STEP))
        if size > info.file_size:
            raise ProblemError("bomb")
        rest = unpack.unconsumed_tail


def padded_columns(archive: zipfile.ZipFile, sheet: str) -> dict[int, int]:
    """Column from 0 → to how many digits its numbers are filled up with zeros on the screen."""
    padded = _padded_styles(_part(archive, "xl/styles.xml"))
    part = _sheet_part(archive, sheet) if padded else ""
    if not part:
        return {}
    with archive.open(part) as file:
        sample = file.read(STYLE_SAMPLE)
    widths: dict[int, int] = {}
    for column, style in _STYLED_CELL.findall(sample):
        if (width := padded.get(int(style))) is not None:
            widths.setdefault(_place(column), width)
    return widths


def _padded_styles(styles: bytes) -> dict[int, int]:
    formats = {
        int(number): code.count("0")
        for number, raw in _NUMBER_FORMAT.findall(styles)
        if _PADDED.fullmatch(code := unescape(raw.decode("utf-8", "replace"))) and code.count("0") > 1
    }
    block = _CELL_STYLES.search(styles) if formats else None
    found = {}
    for place, style in enumerate(_STYLE.findall(block[0]) if block else ()):
        number = _FORMAT_OF_STYLE.search(style)
        if number and int(number[1]) in formats:
            found[place] = formats[int(number[1])]
    return found


def _sheet_part(archive: zipfile.ZipFile, name: str) -> str:
    """The sheet's file in the archive; empty when it cannot be found."""
    ids = {_attribute(_NAME, tag): _attribute(_PART_ID, tag) for tag in _tags(archive, "xl/workbook.xml", _SHEET)}
    targets = {
        _attribute(_ID, tag): _attribute(_TARGET, tag)
        for tag in _tags(archive, "xl/_rels/workbook.xml.rels", _RELATIONSHIP)
    }
    target = targets.get(ids.get(name, ""), "")
    part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    return part if target and part in archive.namelist() else ""


def _tags(archive: zipfile.ZipFile, part: str, tag: re.Pattern[bytes]) -> Iterator[bytes]:
    return iter(tag.findall(_part(archive, part)))


def _part(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        return b""
    with archive.open(name) as file:
        return file.read(MOST_STYLES)


def _attribute(pattern: re.Pattern[bytes], tag: bytes) -> str:
    found = pattern.search(tag)
    return unescape(found[1].decode("utf-8", "replace")) if found else ""


def _place(letters: bytes) -> int:
    """ "A" → 0, "AA" → 26."""
    place = 0
    for letter in letters:
        place = place * 26 + letter - ord("A") + 1
    return place - 1


if __name__ == "__main__":
    main()
