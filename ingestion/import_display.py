"""What the screens of an import show of its progress, in words."""

from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core.errors import Text
from cdp_site.core.reverts import State
from ingestion import wording
from ingestion.equation import Equation
from ingestion.files.problems import FILE_TEXTS, ROW_TEXTS
from ingestion.models import FileImport, ImportTrial

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
    revert: State | None = None

    @property
    def is_settled(self) -> bool:
        """Nothing of it is under way any more."""
        return self.file_import.is_finished and not self.equation.waiting

    @property
    def is_under_way(self) -> bool:
        return not self.is_settled or (self.revert is not None and self.revert.is_under_way)

    @property
    def may_be_taken_back(self) -> bool:
        return self.is_settled and self.revert is None and bool(self.equation.received)

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

    @property
    def broken_table(self) -> list[list[Any]]:
        """All that were kept, with a head, for a spreadsheet."""
        rows = [
            [row["line"], str(ROW_TEXTS[row["code"]]), row.get("column", "")] for row in self.file_import.broken_rows
        ]
        return [[_("Line"), _("Why"), _("Column")], *rows]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial counted: the equation of its rows, and what would come of them."""

    trial: ImportTrial

    @property
    def is_under_way(self) -> bool:
        return self.trial.status not in (ImportTrial.Status.DONE, ImportTrial.Status.FAILED)

    @property
    def is_counting(self) -> bool:
        return self.trial.status == ImportTrial.Status.COUNTING

    @property
    def is_done(self) -> bool:
        return self.trial.status == ImportTrial.Status.DONE

    @property
    def to_count(self) -> int:
        """Rows that can be read."""
        return self.trial.rows_read - self.trial.counts.get("broken", 0)

    @property
    def problem(self) -> Text:
        return FILE_TEXTS.get(self.trial.problem, self.trial.problem)

    @property
    def terms(self) -> list[tuple[Text, int, bool]]:
        """The equation: name, rows, and whether it needs attention."""
        counts = self.trial.counts
        return [
            (_("Stored"), counts.get("stored", 0), False),
            (_("Duplicate"), counts.get("duplicate", 0), False),
            (_("Quarantined"), counts.get("quarantined", 0), True),
            (_("Suppressed"), counts.get("suppressed", 0), False),
            (_("Broken"), counts.get("broken", 0), True),
        ]

    @property
    def effects(self) -> list[tuple[Text, int]]:
        """What would come of it, by name."""
        texts = {
            "records": _("New records"),
            "people": _("New customers"),
            "changed": _("Records that change"),
            "touchpoints": _("Touchpoints"),
            "orders": _("New orders"),
        }
        return [(text, self.trial.counts.get(kind, 0)) for kind, text in texts.items()]
