"""What an import would bring, seen in the first rows of its file: samples of each column, and a preview."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from ingestion import national_ids
from ingestion.files import importer, mapping, paths, readers, store
from ingestion.files.detect import MAX_ROW_BYTES
from ingestion.files.ordinals import Ordinals
from ingestion.files.rows import RowError
from ingestion.models import FileImport, Source
from ingestion.normalise.dates import DateOrder
from ingestion.normalise.traits import NormalisedTraits, normalise_traits

PREVIEW_ROWS: Final = 50
SAMPLE_ROWS: Final = 500  # enough to meet the rarer answers of a column of yes and no, and dates that decide an order
FALLBACK_REGIONS: Final = ("TH", "US")


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row as it would be taken: the message and its traits normalised, or what is wrong with it."""

    line: int
    problem: str = ""  # a code of RowProblem
    column: str = ""
    value: str = ""  # what stands in that column
    message: dict[str, Any] | None = None
    traits: NormalisedTraits | None = None
    doubts: Mapping[str, str] = field(default_factory=dict)  # trait or property → why it stays as it came

    @property
    def record_id(self) -> str:
        ours = (self.message or {}).get("cdp", {})
        return str(ours.get("record", {}).get("external_id", "") or ours.get("product", {}).get("sku", ""))


def preview(*, file_import: FileImport, definition: dict[str, Any], most: int = PREVIEW_ROWS) -> list[PreviewRow]:
    """The first rows as the mapping reads them. Reads at most the first few mebibytes. Raises InvalidMapping."""
    mapping.parse(definition, columns=file_import.columns)
    with Ordinals() as ordinals:
        reader = importer.reader_for(file_import, ordinal=ordinals, definition=definition)
        rows = []
        for row in islice(_first_rows(file_import), most):
            if isinstance(row, readers.Broken):
                rows.append(PreviewRow(row.line, row.problem.value))
                continue
            try:
                message = reader.message(row.cells, row.line)
            except RowError as error:
                value = reader.text_at(error.column, row.cells) if error.column else ""
                rows.append(PreviewRow(row.line, error.problem.value, error.column, value))
                continue
            traits = _normalised(message, file_import.source, reader.mapping.date_order)
            rows.append(PreviewRow(row.line, message=message, traits=traits, doubts=reader.doubts(row.cells)))
    return rows


def samples(file_import: FileImport, *, most: int = SAMPLE_ROWS) -> dict[str, list[str]]:
    """Column → its first values as text, without empty ones. Reads at most the first few mebibytes."""
    found: dict[str, list[str]] = {column: [] for column in file_import.columns}
    for row in islice(_first_rows(file_import), most):
        if isinstance(row, readers.Broken):
            continue
        if file_import.format == "csv":
            pairs: Iterable[tuple[str, Any]] = zip(file_import.columns, row.cells, strict=True)
        else:
            pairs = ((column, value) for column in found for value in paths.walk(row.cells, paths.parse(column)))
        for column, value in pairs:
            if value not in (None, "") and not isinstance(value, dict | list):
                found[column].append(str(value).strip())
    return found


def _first_rows(file_import: FileImport) -> Iterator[readers.Row | readers.Broken]:
    chunks = islice(store.read(file_import.stored_as), 1 + 2 * MAX_ROW_BYTES // store.CHUNK_BYTES)
    return readers.read(chunks, importer.form_of(file_import))


def _normalised(message: dict[str, Any], source: Source, order: DateOrder) -> NormalisedTraits:
    traits = message.get("traits") or message.get("context", {}).get("traits") or {}
    if number := traits.get("national_id"):
        traits = {**traits, "national_id": national_ids.sealed(str(number))}
    return normalise_traits(traits, region=source.phone_region, fallback_regions=FALLBACK_REGIONS, date_order=order)
