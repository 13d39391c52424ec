"""Ids out of what was pasted or uploaded: one a line, or a column of a file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import MendableError
from ingestion.files import readers, store
from ingestion.files.intake import Receiver, Taken
from ingestion.files.readers import Row

MOST_IDS: Final = 200_000
"""Ids of one upload: some seconds of look-ups. More people than that are a condition, not a list."""
LONGEST: Final = 254  # characters, as identifiers are kept
_BETWEEN = re.compile(r"[\n\r,;\t]+")
# What a column of such ids is usually called, in English or Thai.
_HEADINGS: Mapping[str, re.Pattern[str]] = {
    kind: re.compile(words, re.IGNORECASE)
    for kind, words in {
        "email": r"mail|อีเมล",
        "phone": r"phone|mobile|\btel|โทร|เบอร์|มือถือ",
        "member": r"member|สมาชิก",
        "line": r"line|ไลน์",
        "user": r"user|customer|\bid\b|รหัส|ลูกค้า",
    }.items()
}


class TooManyProblem(MendableError):
    code = "too_many"

    def __init__(self) -> None:
        super().__init__(
            _("There are more than %(n)s ids.") % {"n": f"{MOST_IDS:,}"},
            field="file",
            hint=_("Split the list in two, or describe these customers by conditions."),
        )


class ColumnProblem(MendableError):
    code = "no_column"

    def __init__(self, columns: Sequence[str]) -> None:
        super().__init__(
            _("The file has no column of this name."),
            field="column",
            hint=_("It has these: %(names)s.") % {"names": ", ".join(columns[:20])},
        )


@dataclass(frozen=True, slots=True)
class Given:
    """An id as it was given. `is_heading`: the first row of a file, which may be a name of the column as well."""

    line: int
    text: str
    is_heading: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """What was given, each id once; `column` is the one that was read of a file."""

    ids: Sequence[Given]
    column: str = ""


def pasted(text: str) -> Upload:
    """Ids between line breaks, commas, semicolons or tabs. Raises TooManyProblem."""
    lines = enumerate(text.splitlines(), start=1)
    return Upload(_each_once(Given(n, part) for n, line in lines for part in _BETWEEN.split(line)))


def of_file(receiver: Receiver, *, kind: str, column: str = "") -> Upload:
    """Ids in a column of a file that has come: the one that is named, else the first that is called like ids of this
    kind, else the first of all. Nothing of the file is kept.

    Raises FileProblem, ColumnProblem and TooManyProblem.
    """
    taken = receiver.take()
    try:
        name = _column(taken.form.columns, kind, column)
        return Upload(_each_once(_cells(taken, name)), name)
    finally:
        taken.remove()


def _column(columns: Sequence[str], kind: str, wanted: str) -> str:
    if wanted.strip():
        named = [name for name in columns if name.casefold() == wanted.strip().casefold()]
        if not named:
            raise ColumnProblem(columns)
        return named[0]
    return next((name for name in columns if _HEADINGS[kind].search(name)), columns[0])


def _cells(taken: Taken, column: str) -> Iterator[Given]:
    form = taken.form
    place = form.columns.index(column)
    if form.has_header:
        yield Given(1, column, is_heading=True)
    for row in readers.read(store.read(taken.stored.name), form):
        if isinstance(row, Row):
            cells = row.cells
            value = cells.get(column) if isinstance(cells, dict) else cells[place] if place < len(cells) else ""
            yield Given(row.line, "" if value is None else str(value))


def _each_once(given: Iterator[Given]) -> Sequence[Given]:
    found: dict[str, Given] = {}
    for one in given:
        text = one.text.strip()
        if text and len(text) <= LONGEST and "\x00" not in text:
            found.setdefault(text, Given(one.line, text, one.is_heading))
        if len(found) > MOST_IDS:
            raise TooManyProblem
    return list(found.values())
