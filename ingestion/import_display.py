"""What the screens of an import show: the preview as a table, the progress in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cdp_site.core.errors import Text
from ingestion import wording
from ingestion.equation import Equation
from ingestion.files.problems import FILE_TEXTS, ROW_TEXTS, VALUE_TEXTS
from ingestion.imports import PreviewRow
from ingestion.mapping_form import TRAIT_LABELS
from ingestion.models import FileImport

SHOWN_BROKEN = 100
SOON_SECONDS = 5.0  # before that nothing can be said about the rest
STATES: Mapping[str, Text] = {
    "granted": gettext_lazy("granted"),
    "refused": gettext_lazy("refused"),
    "withdrawn": gettext_lazy("withdrawn"),
}


# --- preview --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it will be kept, and what is wrong with it."""

    text: str
    problem: Text = ""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the preview: `problem` when it would be left out, else what it says."""

    line: int
    record_id: str
    problem: Text
    column: str
    cells: tuple[Cell, ...]
    consents: tuple[str, ...]
    event: str
    moment: datetime | None
    details: tuple[str, ...]


class PreviewTable:
    """The first rows of a file as its mapping reads them."""

    def __init__(self, rows: Sequence[PreviewRow], *, words: Mapping[str, Text]) -> None:
        """`words` are the labels of purposes and channels."""
        self._words = words
        seen: dict[str, None] = {}
        for row in rows:
            seen.update(dict.fromkeys(row.traits.attributes if row.traits else ()))
        self.traits = list(seen)
        told = [_details((row.message or {}).get("properties", {})) for row in rows]
        self.details = list(dict.fromkeys(name for one in told for name in one))
        self.rows = [self._row(row) for row in rows]
        self.has_events = any(row.event for row in self.rows)
        self.has_consents = any(row.consents for row in self.rows)
        self.broken = sum(bool(row.problem) for row in self.rows)
        self.doubtful = sum(any(cell.problem for cell in row.cells) for row in self.rows)

    @property
    def width(self) -> int:
        """Columns behind the line's number."""
        return 1 + self.has_events + self.has_consents + len(self.traits) + len(self.details)

    @property
    def heads(self) -> list[Text]:
        return [TRAIT_LABELS.get(name, name) for name in self.traits]

    def _row(self, row: PreviewRow) -> TableRow:
        message = row.message or {}
        return TableRow(
            line=row.line,
            record_id=row.record_id,
            problem=ROW_TEXTS[row.problem] if row.problem else "",
            column=row.column,
            cells=self._cells(row),
            consents=tuple(self._consent(one) for one in message.get("cdp", {}).get("consents", ())),
            event=message.get("event", ""),
            moment=parse_datetime(message["timestamp"]) if "timestamp" in message else None,
            details=self._told(message),
        )

    def _consent(self, one: Mapping[str, Any]) -> str:
        purpose, channel = (self._words.get(one[name], one[name]) for name in ("purpose", "channel"))
        return f"{purpose}, {channel}: {STATES[one['state']]}"

    def _told(self, message: Mapping[str, Any]) -> tuple[str, ...]:
        told = _details(message.get("properties", {}))
        return tuple(_shown(told.get(name)) for name in self.details)

    def _cells(self, row: PreviewRow) -> tuple[Cell, ...]:
        if row.traits is None:
            return ()
        problems = {problem.trait: VALUE_TEXTS.get(problem.code, problem.code) for problem in row.traits.problems}
        return tuple(Cell(_shown(row.traits.attributes.get(name)), problems.get(name, "")) for name in self.traits)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " · ".join(_shown(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(_shown(one) for one in value.values())
    return str(value)


def _details(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Details of what happened by name; an order's product beside the order's own fields."""
    flat = {**properties, **next(iter(properties.get("products") or ()), {})}
    flat.pop("products", None)
    return flat


# --- progress -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BrokenRow:
    line: int
    text: Text
    column: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: first its file is read, then what was landed is digested."""

    file_import: FileImport
    equation: Equation

    @property
    def is_under_way(self) -> bool:
        return not self.file_import.is_finished or bool(self.equation.waiting)

    @property
    def is_reading(self) -> bool:
        return not self.file_import.is_finished

    @property
    def percent(self) -> int:
        """Of the file read."""
        size = max(self.file_import.size, 1)
        return min(100, 100 * self.file_import.offset // size)

    @property
    def rest(self) -> str:
        """How long the reading will still take, in words; empty while it cannot be said."""
        begun, done = self.file_import.started_at, self.file_import.offset
        if begun is None or not done or not self.is_reading:
            return ""
        spent = (timezone.now() - begun).total_seconds()
        if spent < SOON_SECONDS:
            return ""
        return _("about %(span)s left") % {"span": wording.span(spent * (self.file_import.size - done) / done)}

    @property
    def digested(self) -> int:
        return self.equation.received - self.equation.waiting

    @property
    def problem(self) -> Text:
        code = self.file_import.problem
        return FILE_TEXTS.get(code, code)

    @property
    def broken(self) -> list[BrokenRow]:
        rows: list[dict[str, Any]] = self.file_import.broken_rows
        return [BrokenRow(row["line"], ROW_TEXTS[row["code"]], row.get("column", "")) for row in rows[:SHOWN_BROKEN]]

    @property
    def broken_unlisted(self) -> int:
        return max(0, self.file_import.rows_broken - SHOWN_BROKEN)
