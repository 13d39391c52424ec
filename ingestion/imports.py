"""File imports: from the upload to the job that lands the rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit, jobs
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import Operation, User
from ingestion import mappings, national_ids
from ingestion.files import importer, intake, mapping, paths, readers, store
from ingestion.files.codes import FileCode
from ingestion.files.detect import MAX_ROW_BYTES, Detected
from ingestion.files.intake import Receiver, Taken
from ingestion.files.ordinals import Ordinals
from ingestion.files.problems import FileProblem
from ingestion.files.rows import RowError
from ingestion.models import FileImport, Source
from ingestion.normalise.dates import DateOrder
from ingestion.normalise.traits import NormalisedTraits, normalise_traits

PREVIEW_ROWS = 20
FALLBACK_REGIONS = ("TH", "US")


def receive(*, source: Source, file_name: str, chunks: Iterable[bytes], by: User | str) -> FileImport:
    """Store a whole file; raises FileProblem and leaves nothing when it cannot be taken."""
    with Receiver() as receiver:
        for data in chunks:
            receiver.write(data)
        return keep(receiver, source=source, file_name=file_name, by=by)


def keep(receiver: Receiver, *, source: Source, file_name: str, by: User | str) -> FileImport:
    """What was received waits for its mapping. Raises FileProblem and leaves nothing then."""
    taken = receiver.take()
    try:
        return _create(source=source, file_name=file_name, taken=taken, by=by)
    except BaseException:
        taken.remove()
        raise


@transaction.atomic
def _create(*, source: Source, file_name: str, taken: Taken, by: User | str) -> FileImport:
    file_import = FileImport(
        source=source,
        file_name=file_name[-200:],
        created_by=by if isinstance(by, User) else None,
    )
    _hold(file_import, taken)
    file_import.save()
    audit.record(action="import.upload", target=file_import, by=by, fields=["file"])
    return file_import


def _hold(file_import: FileImport, taken: Taken) -> list[str]:
    """Let the import hold this file; returns the fields that say so."""
    held = {
        "size": taken.stored.size,
        "sha256": taken.stored.sha256,
        "stored_as": taken.stored.name,
        "arrived_as": taken.packing.value,
        "sheets": list(taken.sheets),
        "sheet": taken.sheet,
        "original_as": taken.original,
        "format": taken.form.format,
        "encoding": taken.form.encoding,
        "delimiter": taken.form.delimiter,
        "has_header": taken.form.has_header,
        "columns": list(taken.form.columns),
    }
    for name, value in held.items():
        setattr(file_import, name, value)
    return list(held)


@transaction.atomic
def start(*, file_import: FileImport, definition: dict[str, Any], by: User | str, mapping_name: str = "") -> FileImport:
    """Begin to land the file by this mapping, which is saved as a version of `mapping_name` (the source's short name
    when empty). Raises InvalidMapping, ConflictProblem when it has begun already.
    """
    held = FileImport.objects.select_for_update().select_related("source").get(pk=file_import.pk)
    if held.status != FileImport.Status.UPLOADED:
        raise ConflictProblem(_("This import has begun already."))
    if not held.stored_as:
        raise FileProblem(FileCode.REMOVED)
    mapping.parse(definition, columns=held.columns)
    held.mapping = mappings.save(
        name=mapping_name or held.source.slug, definition=definition, source=held.source, by=by
    )
    operation = Operation.objects.create(kind=Operation.Kind.IMPORT, actor=audit.actor_name(by))
    held.operation_id = operation.pk
    held.status = FileImport.Status.READY
    original, held.original_as = held.original_as, ""
    held.save(update_fields=["mapping", "operation_id", "status", "original_as"])
    audit.record(action="import.start", target=held, by=by, fields=["mapping"])
    jobs.enqueue(importer.JOB, held.pk)
    if original:
        transaction.on_commit(lambda: store.remove(original))
    return held


@transaction.atomic
def cancel(*, file_import: FileImport, by: User | str) -> None:
    """Stop; the rows that are landed stay landed. The file of an import that never started goes at once. Nothing
    happens to an import that is at its end."""
    held = FileImport.objects.select_for_update().get(pk=file_import.pk)
    if held.is_finished:
        return
    never_started = held.status == FileImport.Status.UPLOADED
    held.status = FileImport.Status.CANCELLED
    held.finished_at = timezone.now()
    held.lease_until = None
    held.save(update_fields=["status", "finished_at", "lease_until"])
    importer.forget_progress(held)
    audit.record(action="import.cancel", target=held, by=by, fields=["status"])
    if never_started:
        transaction.on_commit(importer.forget_file(held))


@transaction.atomic
def correct(
    *, file_import: FileImport, encoding: str, delimiter: str, has_header: bool, by: User | str, sheet: str = ""
) -> FileImport:
    """What was detected wrongly, set by a person before the start; the columns are read anew. Of a workbook the sheet
    is chosen instead; a newly chosen one is looked at like a new file. Raises FileProblem."""
    held = FileImport.objects.select_for_update().get(pk=file_import.pk)
    if held.status != FileImport.Status.UPLOADED:
        raise ConflictProblem(_("This import has begun already."))
    if sheet and sheet != held.sheet:
        return _choose_sheet(held, sheet, by=by)
    form = Detected(held.format, encoding, delimiter, has_header, ())  # type: ignore[arg-type]  # the form's choices
    held.encoding, held.delimiter, held.has_header = encoding, delimiter, has_header
    if held.format == "csv":
        held.columns = list(readers.header(store.read(held.stored_as), form))
    held.save(update_fields=["encoding", "delimiter", "has_header", "columns"])
    audit.record(action="import.correct", target=held, by=by, fields=["encoding", "delimiter", "has_header"])
    return held


def _choose_sheet(held: FileImport, sheet: str, *, by: User | str) -> FileImport:
    if not held.original_as:
        raise FileProblem(FileCode.REMOVED)
    before = held.stored_as
    taken = intake.read_sheet(held.original_as, name=sheet)
    held.save(update_fields=_hold(held, taken))
    audit.record(action="import.correct", target=held, by=by, fields=["sheet"])
    transaction.on_commit(lambda: store.remove(before))
    return held


# --- looking ahead ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row as it would be taken: the message and its traits normalised, or what is wrong with it."""

    line: int
    problem: str = ""  # a code of RowProblem
    column: str = ""
    message: dict[str, Any] | None = None
    traits: NormalisedTraits | None = None

    @property
    def record_id(self) -> str:
        ours = (self.message or {}).get("cdp", {})
        return str(ours.get("record", {}).get("external_id", ""))


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
                rows.append(PreviewRow(row.line, error.problem.value, error.column))
                continue
            traits = _normalised(message, file_import.source, reader.mapping.date_order)
            rows.append(PreviewRow(row.line, message=message, traits=traits))
    return rows


def samples(file_import: FileImport, *, most: int = 50) -> dict[str, list[str]]:
    """Column → its first values as text, without empty ones."""
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
