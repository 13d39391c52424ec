"""What the screens of an import show of its progress, in words."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core.errors import Text
from ingestion import wording
from ingestion.equation import Equation
from ingestion.files.problems import FILE_TEXTS, ROW_TEXTS
from ingestion.models import FileImport

SHOWN_BROKEN = 100
SOON_SECONDS = 5.0  # before that nothing can be said about the rest


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
