"""File imports: from the upload to the job that lands the rows."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit, jobs
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import Operation, User
from ingestion import mappings
from ingestion.files import importer, intake, mapping, readers, store
from ingestion.files.codes import FileCode
from ingestion.files.detect import Detected
from ingestion.files.intake import Receiver, Taken
from ingestion.files.problems import FileProblem
from ingestion.models import FileImport, Source


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
        return choose_sheet(file_import=held, sheet=sheet, by=by)
    form = Detected(held.format, encoding, delimiter, has_header, ())  # type: ignore[arg-type]  # the form's choices
    held.encoding, held.delimiter, held.has_header = encoding, delimiter, has_header
    if held.format == "csv":
        held.columns = list(readers.header(store.read(held.stored_as), form))
    held.save(update_fields=["encoding", "delimiter", "has_header", "columns"])
    audit.record(action="import.correct", target=held, by=by, fields=["encoding", "delimiter", "has_header"])
    return held


@transaction.atomic
def choose_sheet(*, file_import: FileImport, sheet: str, by: User | str) -> FileImport:
    """Another sheet of a workbook that has not begun; none changes nothing. Raises FileProblem."""
    held = FileImport.objects.select_for_update().get(pk=file_import.pk)
    if sheet in ("", held.sheet):
        return held
    if not held.original_as:
        raise FileProblem(FileCode.NO_SHEET)
    before = held.stored_as
    taken = intake.read_sheet(held.original_as, name=sheet)
    held.save(update_fields=_hold(held, taken))
    audit.record(action="import.correct", target=held, by=by, fields=["sheet"])
    transaction.on_commit(lambda: store.remove(before))
    return held
