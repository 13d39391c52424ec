"""Rows made into the file of a form."""

import csv
import io
from collections.abc import Iterable, Sequence

from segments.exports import xlsx
from segments.exports.cells import harmless
from segments.exports.xlsx import Sink
from segments.models import SegmentExport

PIECE = 64 * 1024
"""Characters of a table that are gathered before they are written on."""


def write(to: Sink, kind: str, header: Sequence[str], rows: Iterable[Sequence[str]], *, count: int) -> None:
    """The whole file, row by row.

    Args:
        kind: a `SegmentExport.Format`.
        header: empty for forms without a heading.
        count: how many rows there will be.
    """
    if kind == SegmentExport.Format.XLSX:
        xlsx.write(to, header, rows, count=count)
    elif kind == SegmentExport.Format.CSV:
        # Excel knows UTF-8 by the mark; quotes around everything keep cells apart whatever is in them.
        to.write(b"\xef\xbb\xbf")
        _write_table(to, [[harmless(cell) for cell in header]], quotes_all=True)
        _write_table(to, ([harmless(cell) for cell in row] for row in rows), quotes_all=True)
    else:
        # Platforms read what they ask for: hashes and ids, no mark before the first heading and no quotes.
        _write_table(to, [header] if header else [], quotes_all=False)
        _write_table(to, rows, quotes_all=False)


def _write_table(to: Sink, rows: Iterable[Sequence[str]], *, quotes_all: bool) -> None:
    text = io.StringIO()
    table = csv.writer(text, quoting=csv.QUOTE_ALL if quotes_all else csv.QUOTE_MINIMAL)
    for row in rows:
        table.writerow(row)
        if text.tell() >= PIECE:
            _move(text, to)
    _move(text, to)


def _move(text: io.StringIO, to: Sink) -> None:
    to.write(text.getvalue().encode())
    text.seek(0)
    text.truncate()
