"""What a file is: encoding, format, delimiter, header. Looked at while it streams by, in bounded memory."""

import codecs
import csv
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from ingestion.files.codes import FileCode
from ingestion.files.problems import FileProblem

Format = Literal["csv", "jsonl"]
Encoding = Literal["utf-8", "utf-8-sig", "cp874"]

MAX_ROW_BYTES: Final = 1024 * 1024
ENDLESS_LINE_BYTES: Final = 16 * MAX_ROW_BYTES  # a file with such a line is none of rows, wherever the line stands
SAMPLE_BYTES: Final = 256 * 1024
ROWS_ENOUGH: Final = 100  # that many empty rows behind a header: there will be no others
DELIMITERS: Final = (",", ";", "\t", "|")
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"  # also of a workbook that is locked with a password
_HIGH_RUN: Final = re.compile(rb"[\x80-\xff]+")
_LOOKS_LIKE_DATA: Final = re.compile(
    r"^(?:[+-]?[\d๐-๙][\d๐-๙.,/:\s-]*|[^@\s]+@[^@\s]+\.\w+|true|false|null|[YN])$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Detected:
    """`columns` are the header's names made unique, or "column 1" …; for JSONL the paths found in the sample."""

    format: Format
    encoding: Encoding
    delimiter: str
    has_header: bool
    columns: tuple[str, ...]


class Probe:
    """Sees a file's bytes go by (`feed`), then says what it is (`verdict`). Both raise FileProblem as soon as it is
    known that the file cannot be taken. Holds at most three samples of SAMPLE_BYTES."""

    def __init__(self) -> None:
        self._size = 0
        self._head = bytearray()
        self._line_bytes = 0  # of the running line
        self._is_first_line = True
        self._utf8 = codecs.getincrementaldecoder("utf-8")("strict")
        self._is_utf8 = True
        self._thai = bytearray()  # where the text stopped being UTF-8

    def feed(self, data: bytes) -> None:
        self._size += len(data)
        if len(self._head) < SAMPLE_BYTES:
            self._head += data[: SAMPLE_BYTES - len(self._head)]
            if self._head.startswith(_OLD_EXCEL):
                raise FileProblem(FileCode.SPREADSHEET)
            if len(self._head) == SAMPLE_BYTES:
                self._look("utf-8", whole=False)  # what is wrong shows before gigabytes have come
        end = data.rfind(b"\n")
        if end < 0:
            self._line_bytes += len(data)
        else:
            self._line_bytes, self._is_first_line = len(data) - end - 1, False
        if self._line_bytes > (MAX_ROW_BYTES if self._is_first_line else ENDLESS_LINE_BYTES):
            raise FileProblem(FileCode.LONG_LINE, line=1 if self._is_first_line else None)
        if self._is_utf8:
            try:
                self._utf8.decode(data)
            except UnicodeDecodeError as error:
                self._is_utf8 = False
                at = max(0, error.start - SAMPLE_BYTES // 2)
                self._thai += data[at : at + SAMPLE_BYTES]

    def verdict(self) -> Detected:
        if not self._head.strip(b"\xef\xbb\xbf \r\n\t"):
            raise FileProblem(FileCode.EMPTY)
        return self._look(self._encoding(), whole=len(self._head) == self._size)

    def _look(self, encoding: Encoding, *, whole: bool) -> Detected:
        head = bytes(self._head)
        if b"\0" in head.partition(b"\n")[0]:
            raise FileProblem(FileCode.BINARY, line=1)
        lines = head.decode(encoding, "replace").splitlines(keepends=True)
        sample = lines if whole or len(lines) == 1 else lines[:-1]
        return look_at(sample, encoding=encoding, is_whole=whole)

    def _encoding(self) -> Encoding:
        if bytes(self._head[:3]) == codecs.BOM_UTF8:
            return "utf-8-sig"
        if self._is_utf8:
            return "utf-8"
        return _vote(bytes(self._head) + bytes(self._thai))


def _vote(sample: bytes) -> Encoding:
    """The encoding in which most lines with other than ASCII letters can be read, when not all of the file is UTF-8.

    TIS-620 letters stand in runs, as Thai is written; single high bytes between Latin letters are some Western
    encoding, which cannot be told from its neighbours and is refused.
    """
    votes: Counter[str] = Counter()
    for line in sample.split(b"\n"):
        runs = _HIGH_RUN.findall(line)
        if not runs:
            continue
        if _decodes(line, "utf-8"):
            votes["utf-8"] += 1
        elif _decodes(line, "cp874") and sum(map(len, runs)) >= 2 * len(runs):
            votes["cp874"] += 1
        else:
            votes["neither"] += 1
    (winner, _n), *_others = votes.most_common() or [("neither", 0)]
    if winner == "neither":
        raise FileProblem(FileCode.ENCODING)
    return "cp874" if winner == "cp874" else "utf-8"


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def look_at(sample: list[str], *, encoding: Encoding, is_whole: bool) -> Detected:
    """What decoded first lines show. Raises FileProblem for an array, for a header alone or with empty rows."""
    start = "".join(sample[:50]).lstrip("\ufeff \r\n\t")
    if start.startswith("["):
        raise FileProblem(FileCode.JSON_ARRAY)
    if start.startswith("{"):
        columns = tuple(json_paths(sample))
        if not columns:
            raise FileProblem(FileCode.NOT_JSON_LINES, line=1)
        return Detected("jsonl", encoding, "", has_header=False, columns=columns)
    delimiter = _delimiter(sample)
    rows = _rows(sample, delimiter)
    if not rows:
        raise FileProblem(FileCode.EMPTY)
    has_header = looks_like_header(rows[0])
    if has_header and len(rows) == 1 and (is_whole or len(sample) > ROWS_ENOUGH):
        raise FileProblem(FileCode.NO_ROWS)
    return Detected("csv", encoding, delimiter, has_header=has_header, columns=column_names(rows[0], has_header))


def _rows(sample: list[str], delimiter: str, most: int = 100) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader((line.removeprefix("\ufeff").replace("\0", "") for line in sample), delimiter=delimiter)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) == most:
                break
    except csv.Error:
        pass  # what was read up to there is sample enough
    return rows


def _delimiter(sample: list[str]) -> str:
    """The one by which most sample rows have as many cells as the first, and more than one."""
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        rows = _rows(sample, delimiter, 50)
        width = len(rows[0]) if rows else 0
        if width > 1:
            score = (sum(len(row) == width for row in rows) / len(rows), width)
            if score > best_score:
                best, best_score = delimiter, score
    return best


def looks_like_header(row: list[str]) -> bool:
    """Names are given, differ, and none looks like a value (a number, a date, an e-mail address, Y)."""
    cells = [cell.strip() for cell in row]
    return len(set(cells)) == len(cells) and any(cells) and not any(_LOOKS_LIKE_DATA.match(cell) for cell in cells)


def column_names(first_row: list[str], has_header: bool) -> tuple[str, ...]:
    """The names by which a mapping calls the columns: the header's, made unique, or "column 1", "column 2" …"""
    names: list[str] = []
    for number, cell in enumerate(first_row, start=1):
        name = cell.strip() if has_header else ""
        name = name or f"column {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return tuple(names)


def json_paths(sample: list[str], most: int = 200) -> list[str]:
    """The paths of all values in JSON lines, in the order of appearance: "traits.phone", "FEATURES[].NAME_FULL"."""
    paths: dict[str, None] = {}
    for line in sample[:200]:
        try:
            value = json.loads(line.removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            _walk(value, "", paths, depth=0)
    return list(paths)[:most]


def _walk(value: object, path: str, paths: dict[str, None], *, depth: int) -> None:
    if isinstance(value, dict) and value and depth < 8:
        for key, inner in value.items():
            _walk(inner, f"{path}.{key}" if path else str(key), paths, depth=depth + 1)
    elif isinstance(value, list) and depth < 8:
        for inner in value[:50]:
            _walk(inner, f"{path}[]", paths, depth=depth + 1)
    elif path:
        paths.setdefault(path)
