"""File imports: from the upload to the job that lands the rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit, jobs
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import Operation, User
from ingestion import mappings, national_ids
from ingestion.files import importer, mapping, paths, readers, store
from ingestion.files.codes import FileCode
from ingestion.files.detect import MAX_ROW_BYTES, Detected, Probe
from ingestion.files.ordinals import Ordinals
from ingestion.files.problems import FileProblem
from ingestion.files.rows import RowError
from ingestion.models import FileImport, Source
from ingestion.normalise.dates import DateOrder
from ingestion.normalise.traits import NormalisedTraits, normalise_traits

PREVIEW_ROWS = 20
FALLBACK_REGIONS = ("TH", "US")


class Receiver:
    """Takes a file's bytes as they come: seals them into the store and looks at them on the way.

    Leaving the block without `keep` removes what was stored.
    """

    def __init__(self) -> None:
        self._writer = store.Writer()
        self._probe = Probe()
        self._size = 0

    def __enter__(self) -> "Receiver":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.discard()

    def discard(self) -> None:
        """Remove what was stored, unless it is kept."""
        self._writer.discard()

    def write(self, data: bytes) -> None:
        """Raises FileProblem as soon as the file is known to be none that can be taken."""
        self._size += len(data)
        if self._size > settings.IMPORT_MAX_BYTES:
            raise FileProblem(FileCode.TOO_LARGE)
        self._probe.feed(data)
        self._writer.write(data)

    def keep(self, *, source: Source, file_name: str, by: User | str) -> FileImport:
        """The file is stored and its import waits for a mapping. Raises FileProblem."""
        form = self._probe.verdict()
        stored = self._writer.finish()
        try:
            return _create(source=source, file_name=file_name, stored=stored, form=form, by=by)
        except BaseException:
            store.remove(stored.name)
            raise


def receive(*, source: Source, file_name: str, chunks: Iterable[bytes], by: User | str) -> FileImport:
    """Store a whole file; raises FileProblem and leaves nothing when it cannot be taken."""
    with Receiver() as receiver:
        for data in chunks:
            receiver.write(data)
        return receiver.keep(source=source, file_name=file_name, by=by)


@transaction.atomic
def _create(*, source: Source, file_name: str, stored: store.StoredFile, form: Detected, by: User | str) -> FileImport:
    file_import = FileImport.objects.create(
        source=source,
        file_name=file_name[-200:],
        size=stored.size,
        sha256=stored.sha256,
        stored_as=stored.name,
        format=form.format,
        encoding=form.encoding,
        delimiter=form.delimiter,
        has_header=form.has_header,
        columns=list(form.columns),
        created_by=by if isinstance(by, User) else None,
    )
    audit.record(action="import.upload", target=file_import, by=by, fields=["file"])
    return file_import


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
    held.save(update_fields=["mapping", "operation_id", "status"])
    audit.record(action="import.start", target=held, by=by, fields=["mapping"])
    jobs.enqueue(importer.JOB, held.pk)
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
    audit.record(action="import.cancel", target=held, by=by, fields=["status"])
    if never_started:
        transaction.on_commit(importer.forget_file(held))


@transaction.atomic
def correct(*, file_import: FileImport, encoding: str, delimiter: str, has_header: bool, by: User | str) -> FileImport:
    """What was detected wrongly, set by a person before the start; the columns are read anew. Raises FileProblem."""
    held = FileImport.objects.select_for_update().get(pk=file_import.pk)
    if held.status != FileImport.Status.UPLOADED:
        raise ConflictProblem(_("This import has begun already."))
    form = Detected(held.format, encoding, delimiter, has_header, ())  # type: ignore[arg-type]  # the form's choices
    held.encoding, held.delimiter, held.has_header = encoding, delimiter, has_header
    if held.format == "csv":
        held.columns = list(readers.header(store.read(held.stored_as), form))
    held.save(update_fields=["encoding", "delimiter", "has_header", "columns"])
    audit.record(action="import.correct", target=held, by=by, fields=["encoding", "delimiter", "has_header"])
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
