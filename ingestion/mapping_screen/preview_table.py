"""The preview of a mapping as a table: the first rows of a file as they will be kept, doubts beside their values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text
from ingestion.files.problems import ROW_TEXTS, VALUE_TEXTS
from ingestion.mapping_screen.looking_ahead import PreviewRow
from ingestion.mapping_screen.mapping_words import LINE_LABELS, ORDER_LABELS, PRODUCT_LABELS, TRAIT_LABELS

STATES: Mapping[str, Text] = {"granted": _("granted"), "refused": _("refused"), "withdrawn": _("withdrawn")}
_TEXTS: Mapping[str, Text] = {**ROW_TEXTS, **VALUE_TEXTS}
_DETAIL_LABELS: Mapping[str, Text] = {
    **PRODUCT_LABELS,
    **ORDER_LABELS,
    **LINE_LABELS,
    "order_id": ORDER_LABELS["id"],
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as it will be kept, and what is wrong with it."""

    text: str
    problem: Text = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A statement of consent: on what, and since when (None: since the file came)."""

    text: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the preview: `problem` when it would be left out, else what it says."""

    line: int
    record_id: str
    is_unknown: bool
    problem: Text
    column: str
    value: str
    cells: tuple[Cell, ...]
    consents: tuple[Said, ...]
    event: str
    moment: datetime | None
    details: tuple[Cell, ...]


class PreviewTable:
    """The first rows of a file as its mapping reads them."""

    def __init__(self, rows: Sequence[PreviewRow], *, words: Mapping[str, Text]) -> None:
        """`words` are the labels of purposes and channels."""
        self._words = words
        seen: dict[str, None] = {}
        for row in rows:
            seen.update(dict.fromkeys(row.traits.attributes if row.traits else ()))
        self.traits = list(seen)
        told = [_details(row.message or {}) for row in rows]
        self.details = list(dict.fromkeys(name for one in told for name in one))
        self.rows = [self._row(row) for row in rows]
        self.has_events = any(row.event for row in self.rows)
        self.has_consents = any(row.consents for row in self.rows)
        self.broken = sum(bool(row.problem) for row in self.rows)
        self.doubtful = sum(any(cell.problem for cell in (*row.cells, *row.details)) for row in self.rows)

    @property
    def width(self) -> int:
        """Columns behind the line's number."""
        return 1 + self.has_events + self.has_consents + len(self.traits) + len(self.details)

    @property
    def heads(self) -> list[Text]:
        return [TRAIT_LABELS.get(name, name) for name in self.traits]

    @property
    def detail_heads(self) -> list[Text]:
        return [_DETAIL_LABELS.get(name, name) for name in self.details]

    def _row(self, row: PreviewRow) -> TableRow:
        message = row.message or {}
        return TableRow(
            line=row.line,
            record_id=row.record_id,
            is_unknown=bool(message) and not row.record_id,
            problem=ROW_TEXTS[row.problem] if row.problem else "",
            column=row.column,
            value=row.value,
            cells=self._cells(row),
            consents=tuple(self._consent(one) for one in message.get("cdp", {}).get("consents", ())),
            event=message.get("event", ""),
            moment=parse_datetime(message["timestamp"]) if "timestamp" in message else None,
            details=self._told(row, message),
        )

    def _consent(self, one: Mapping[str, Any]) -> Said:
        purpose, channel = (self._words.get(one[name], one[name]) for name in ("purpose", "channel"))
        at = parse_datetime(one["at"]) if one.get("at") else None
        return Said(f"{purpose}, {channel}: {STATES[one['state']]}", at)

    def _told(self, row: PreviewRow, message: Mapping[str, Any]) -> tuple[Cell, ...]:
        told = _details(message)
        return tuple(Cell(_shown(told.get(name)), _text(row.doubts.get(name))) for name in self.details)

    def _cells(self, row: PreviewRow) -> tuple[Cell, ...]:
        if row.traits is None:
            return ()
        problems = {**row.doubts, **{problem.trait: problem.code for problem in row.traits.problems}}
        return tuple(Cell(_shown(row.traits.attributes.get(name)), _text(problems.get(name))) for name in self.traits)


def _text(code: str | None) -> Text:
    return _TEXTS.get(code, code) if code else ""


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " · ".join(_shown(one) for one in value)
    if isinstance(value, dict):
        return ", ".join(_shown(one) for one in value.values())
    return str(value)


def _details(message: Mapping[str, Any]) -> dict[str, Any]:
    """Details of what happened by name, an order's product beside the order's own fields; or those of a product."""
    properties = message.get("properties", {})
    product = message.get("cdp", {}).get("product", {})
    flat = {
        **properties,
        **next(iter(properties.get("products") or ()), {}),
        **product,
        **product.get("attributes", {}),
    }
    return {name: value for name, value in flat.items() if name not in ("products", "attributes")}
