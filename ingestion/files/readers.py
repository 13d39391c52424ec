"""Rows of a file, one at a time, in bounded memory; a broken row is reported with its line and the next one goes on.

Reading can start at any row's beginning (`Position`), so that an import resumes where its last chunk was committed.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ingestion.files.codes import FileCode, RowProblem
from ingestion.files.detect import MAX_ROW_BYTES, Detected, column_names
from ingestion.files.problems import FileProblem

# A quoted cell may hold line breaks; a mark that is never closed must not swallow the file, though.
MAX_LINES_OF_ROW: Final = 500
MAX_BYTES_OF_QUOTED: Final = 64 * 1024
_BOM: Final = b"\xef\xbb\xbf"

csv.field_size_limit(MAX_ROW_BYTES)


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two rows: bytes of the file before it, and physical lines before it."""

    offset: int = 0
    line: int = 0


@dataclass(slots=True)
class Row:
    """A row that could be read. `cells` is the list of a CSV row or the object of a JSON line; `line` its first line,
    from 1; `end` the place behind it."""

    line: int
    end: Position
    cells: Any


@dataclass(slots=True)
class Broken:
    """A row that could not: `line`, why, and the place behind it."""

    line: int
    end: Position
    problem: RowProblem


@dataclass(slots=True)
class _Line:
    number: int
    end: int  # bytes of the file up to and including its line break
    data: bytes | None  # without the line break; None: too long


def _lines(chunks: Iterable[bytes], start: Position) -> Iterator[_Line]:
    """Physical lines. One that is longer than MAX_ROW_BYTES passes by without being held."""
    number, end = start.line, start.offset
    rest, too_long = b"", False
    skipped = 0  # bytes of the running line that are not held any more
    for chunk in chunks:
        pieces = chunk.split(b"\n")
        pieces[0] = rest + pieces[0]
        rest = pieces.pop()
        for piece in pieces:
            number += 1
            end += skipped + len(piece) + 1
            yield _Line(number, end, None if too_long or len(piece) > MAX_ROW_BYTES else piece)
            too_long, skipped = False, 0
        if len(rest) > MAX_ROW_BYTES:
            too_long, skipped, rest = True, skipped + len(rest), b""
    if rest or too_long:
        yield _Line(number + 1, end + skipped + len(rest), None if too_long else rest)


def read(chunks: Iterable[bytes], form: Detected, start: Position | None = None) -> Iterator[Row | Broken]:
    """The rows from `start` on; `chunks` begin there. Blank lines are passed over. Of a CSV with a header, the first
    row is left out when reading from the beginning."""
    start = start or Position()
    lines = _lines(chunks, start)
    return _read_json(lines, form) if form.format == "jsonl" else _read_csv(lines, form, start)


def header(chunks: Iterable[bytes], form: Detected) -> tuple[str, ...]:
    """The columns' names in the first row of a CSV. Raises FileProblem when there is none that can be read."""
    text = _CsvText(_lines(chunks, Position()), form.encoding)
    try:
        for cells in csv.reader(text, delimiter=form.delimiter or ",", strict=True):
            if any(cells):
                return column_names(cells, form.has_header)
            text.begin()
    except (_BrokenLineError, csv.Error) as error:
        raise FileProblem(FileCode.ENCODING, line=1) from error
    raise FileProblem(FileCode.EMPTY)


# --- JSON lines ---------------------------------------------------------------------------------------------------


def _read_json(lines: Iterator[_Line], form: Detected) -> Iterator[Row | Broken]:
    decode = msgspec.json.Decoder().decode
    for line in lines:
        end = Position(line.end, line.number)
        data = line.data
        if data is None:
            yield Broken(line.number, end, RowProblem.TOO_LONG)
            continue
        data = data.removeprefix(_BOM) if line.number == 1 else data
        if not data.strip():
            continue
        if b"\0" in data:
            yield Broken(line.number, end, RowProblem.NUL)
            continue
        try:
            value = decode(data if form.encoding != "cp874" else data.decode("cp874"))
        except UnicodeDecodeError:
            yield Broken(line.number, end, RowProblem.ENCODING)
        except (msgspec.DecodeError, RecursionError):
            yield Broken(line.number, end, RowProblem.NOT_JSON)
        else:
            yield (
                Row(line.number, end, value)
                if isinstance(value, dict)
                else Broken(line.number, end, RowProblem.NOT_OBJECT)
            )


# --- CSV ----------------------------------------------------------------------------------------------------------


class _BrokenLineError(Exception):
    def __init__(self, problem: RowProblem) -> None:
        super().__init__(problem)
        self.problem = problem


class _CsvText:
    """Feeds csv.reader with decoded lines and remembers which lines the running row has taken, so that they can be
    given back when the row turns out to be broken: of a row that a stray quotation mark has made of many lines, only
    the first is left out."""

    def __init__(self, lines: Iterator[_Line], encoding: str) -> None:
        self._lines = lines
        self._encoding = "cp874" if encoding == "cp874" else "utf-8"
        self._again: deque[_Line] = deque()
        self._taken: list[_Line] = []
        self._more_bytes = 0  # of the running row, behind its first line

    def __iter__(self) -> "_CsvText":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self._taken.append(line)
        if line.data is None:
            raise _BrokenLineError(RowProblem.TOO_LONG)
        data = line.data.removeprefix(_BOM) if line.number == 1 else line.data
        if len(self._taken) > 1:
            self._more_bytes += len(data)
            if len(self._taken) > MAX_LINES_OF_ROW or self._more_bytes > MAX_BYTES_OF_QUOTED:
                raise _BrokenLineError(RowProblem.UNCLOSED_QUOTE)
        if b"\0" in data:
            raise _BrokenLineError(RowProblem.NUL)
        try:
            return data.decode(self._encoding) + "\n"
        except UnicodeDecodeError as error:
            raise _BrokenLineError(RowProblem.ENCODING) from error

    def _next(self) -> _Line | None:
        return self._again.popleft() if self._again else next(self._lines, None)

    def plain_row(self, delimiter: str, width: int) -> list[str] | None:
        """The cells of the next line, where it is a row by itself and splits at every delimiter: nothing in it is
        quoted. None, and the line is still to come, where that cannot be said at a glance."""
        line = self._next()
        blank = delimiter.encode() + b"\r"
        while line is not None and line.data is not None and not line.data.strip(blank):
            line = self._next()  # also 300 columns and nothing in them, a million times
        if line is None:
            return None
        data = line.data
        if data is not None and line.number > 1 and b'"' not in data and b"\0" not in data:
            text = _decoded(data.removesuffix(b"\r"), self._encoding)
            cells = text.split(delimiter) if "\r" not in text else []
            if len(cells) == width and any(cells):
                self._taken.append(line)
                return cells
        self._again.appendleft(line)
        return None

    def begin(self) -> None:
        """The next line begins a row."""
        self._taken.clear()
        self._more_bytes = 0

    @property
    def first(self) -> _Line:
        return self._taken[0]

    @property
    def last(self) -> _Line:
        return self._taken[-1]

    @property
    def spans_lines(self) -> bool:
        return len(self._taken) > 1

    def give_back(self) -> None:
        """Keep the first line of the running row; the others are read again as rows of their own."""
        self._again.extendleft(reversed(self._taken[1:]))
        del self._taken[1:]


def _decoded(data: bytes, encoding: str) -> str:
    """A line as text; empty where it is not in the encoding."""
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _read_csv(lines: Iterator[_Line], form: Detected, start: Position) -> Iterator[Row | Broken]:
    text = _CsvText(lines, form.encoding)
    reader = csv.reader(text, delimiter=form.delimiter or ",", strict=True)
    width = len(form.columns)
    awaits_header = form.has_header and start.offset == 0
    delimiter = form.delimiter or ","
    while True:
        text.begin()
        problem: RowProblem | None = None
        cells: list[str] = []
        if not awaits_header and (plain := text.plain_row(delimiter, width)) is not None:
            yield Row(text.first.number, Position(text.first.end, text.first.number), plain)
            continue
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _BrokenLineError as error:
            problem = RowProblem.UNCLOSED_QUOTE if text.spans_lines else error.problem
        except csv.Error as error:
            is_open = text.spans_lines or "end of data" in str(error)
            problem = RowProblem.UNCLOSED_QUOTE if is_open else RowProblem.QUOTE
        if problem is None:
            if not any(cells):
                continue
            cells = _fitted(cells, width)
            if len(cells) != width:
                problem = RowProblem.UNCLOSED_QUOTE if text.spans_lines else RowProblem.COLUMNS
        if awaits_header and problem is None and column_names(cells, has_header=True) == form.columns:
            awaits_header = False
            continue
        awaits_header = False
        if problem is None:
            yield Row(text.first.number, Position(text.last.end, text.last.number), cells)
            continue
        if text.spans_lines:
            text.give_back()
        yield Broken(text.first.number, Position(text.first.end, text.first.number), problem)


def _fitted(cells: list[str], width: int) -> list[str]:
    """Without empty cells behind the last column: spreadsheets add them."""
    return cells[:width] if len(cells) > width and not any(cells[width:]) else cells
