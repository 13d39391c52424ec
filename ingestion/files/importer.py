"""The job that lands a file: rows to messages, in chunks, each committed with the place that it reached.

Killed at any point it goes on behind the last committed chunk; what was not committed was not landed either. A row's
messageId does not depend on where the chunk began, so that even a chunk landed twice would be taken once.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cdp_site.core import jobs
from cdp_site.core.errors import InternalError
from ingestion import landing, national_ids, suppression
from ingestion.files import mapping, readers, store
from ingestion.files.codes import FileCode
from ingestion.files.detect import Detected
from ingestion.files.ordinals import Ordinals
from ingestion.files.problems import FileProblem
from ingestion.files.readers import Broken, Position
from ingestion.files.rows import Ordinal, RowError, RowReader
from ingestion.models import FileImport, RowDigests

log = structlog.get_logger("import")

JOB: Final = "ingestion.files.importer.run"
# One transaction a chunk, and several batches in it: a digest's attempt at a batch is to be small.
CHUNK_ROWS: Final = 2_000
CHUNK_BYTES: Final = 4 * 1024 * 1024
BATCH_ROWS: Final = 500
BATCH_BYTES: Final = 1024 * 1024
LEASE: Final = timedelta(seconds=20)  # a chunk takes well under a second; twice landed would be landed once
BUDGET_SECONDS: Final = 240.0  # then the job puts itself back, and the cluster does something else in between
MOST_ATTEMPTS: Final = 5  # jobs in a row that died without landing a chunk
KEPT_BROKEN: Final = 1_000
GIVE_UP_BROKEN: Final = 1_000  # broken rows, and more of them than good ones


class LostLeaseError(Exception):
    """Somebody else holds the import, or it was cancelled: stop without a trace."""


@dataclass(slots=True)
class _Chunk:
    batches: list[tuple[bytes, int]] = field(default_factory=list)  # JSON arrays with their numbers of messages
    broken: list[dict[str, Any]] = field(default_factory=list)
    end: Position = field(default_factory=Position)
    size: int = 0
    rows: int = 0
    _messages: list[bytes] = field(default_factory=list)
    _bytes: int = 0

    def add(self, message: bytes) -> None:
        self._messages.append(message)
        self._bytes += len(message)
        self.size += len(message)
        self.rows += 1
        if len(self._messages) >= BATCH_ROWS or self._bytes >= BATCH_BYTES:
            self.close()

    def add_broken(self, row: dict[str, Any]) -> None:
        self.broken.append(row)
        self.rows += 1

    def close(self) -> None:
        """No more messages come: what there is becomes a batch."""
        if self._messages:
            self.batches.append((b"[" + b",".join(self._messages) + b"]", len(self._messages)))
            self._messages, self._bytes = [], 0

    @property
    def is_full(self) -> bool:
        return self.rows >= CHUNK_ROWS or self.size >= CHUNK_BYTES or len(self.broken) >= BATCH_ROWS


def run(import_id: str) -> None:
    """Land as much of the file as the budget allows; puts itself back when there is more. Idempotent."""
    file_import = _take(UUID(import_id))
    if file_import is None:
        return
    try:
        is_done = _land(file_import, until=time.monotonic() + BUDGET_SECONDS)
    except LostLeaseError:
        log.info("import.stopped", file_import=import_id)
    except FileProblem as problem:
        _end(file_import, FileImport.Status.FAILED, problem=problem)
    else:
        if not is_done:
            _put_back(file_import)


def _take(import_id: UUID) -> FileImport | None:
    """Lease the import, if it is to be landed and nobody holds it. The attempt is committed before the work."""
    with transaction.atomic(durable=True):
        taken: FileImport | None = (
            FileImport.objects.abandoned().select_for_update(skip_locked=True).filter(pk=import_id).first()
        )
        if taken is None:
            return None
        if taken.attempts >= MOST_ATTEMPTS:
            _end(taken, FileImport.Status.FAILED, problem=FileProblem(FileCode.GAVE_UP, line=taken.line + 1))
            return None
        taken.status = FileImport.Status.LANDING
        taken.attempts += 1
        taken.started_at = taken.started_at or timezone.now()
        taken.lease_until = timezone.now() + LEASE
        taken.save(update_fields=["status", "attempts", "started_at", "lease_until"])
    return taken


def _land(file_import: FileImport, *, until: float) -> bool:
    """True when the file is at its end, False when the time is."""
    form = form_of(file_import)
    with Ordinals() as ordinals:
        reader = reader_for(file_import, ordinal=ordinals)
        start = Position(file_import.offset, file_import.line)
        for known in RowDigests.objects.of_import(file_import):
            ordinals.count(known)
        for chunk in _chunks(_rows(file_import, form, start), reader):
            _commit(file_import, chunk, ordinals.since())
            if time.monotonic() >= until:
                return False
    is_useless = file_import.rows_read > 0 and file_import.rows_read == file_import.rows_broken
    if is_useless:
        raise FileProblem(FileCode.MOSTLY_BROKEN)
    _end(file_import, FileImport.Status.LANDED)
    if suppression.was_added_since(file_import.created_at):
        # Somebody was erased while the file was on its way; the erasure left it to us (personal_data).
        with transaction.atomic():
            remove = forget_file(file_import)
        remove()
    return True


def form_of(file_import: FileImport) -> Detected:
    """What the file is, as it was detected or corrected."""
    return Detected(
        format=file_import.format,  # type: ignore[arg-type]  # from detect.Format
        encoding=file_import.encoding,  # type: ignore[arg-type]
        delimiter=file_import.delimiter,
        has_header=file_import.has_header,
        columns=tuple(file_import.columns),
    )


def reader_for(file_import: FileImport, *, ordinal: Ordinal, definition: dict[str, Any] | None = None) -> RowReader:
    """The reader of the import's rows by its mapping, or by a `definition` that is being tried."""
    if definition is None:
        if file_import.mapping is None:
            raise InternalError("an import without a mapping was started")
        definition = file_import.mapping.definition
    return RowReader(
        mapping.parse(definition),
        columns=file_import.columns if file_import.format == "csv" else None,
        zone=ZoneInfo(settings.COMPANY_TIME_ZONE),
        ordinal=ordinal,
        seal=national_ids.sealed_document,
        import_id=file_import.pk.hex,
    )


def _rows(file_import: FileImport, form: Detected, start: Position) -> Iterator[readers.Row | Broken]:
    if not file_import.stored_as:
        raise FileProblem(FileCode.REMOVED)
    return readers.read(store.read(file_import.stored_as, offset=start.offset), form, start)


def is_mostly_broken(rows: int, broken: int) -> bool:
    """Whether so many rows are broken that the rest need not be read."""
    return broken >= GIVE_UP_BROKEN and 2 * broken > rows


def chunks_of(file_import: FileImport, definition: dict[str, Any]) -> Iterator[_Chunk]:
    """The whole file as it would be landed by a definition that is being tried. Raises FileProblem."""
    with Ordinals() as ordinals:
        reader = reader_for(file_import, ordinal=ordinals, definition=definition)
        for chunk in _chunks(_rows(file_import, form_of(file_import), Position()), reader):
            chunk.close()
            yield chunk


def _message(reader: RowReader, row: readers.Row) -> dict[str, Any] | RowError:
    try:
        return reader.message(row.cells, row.line)
    except RowError as error:
        return error


def _chunks(rows: Iterator[readers.Row | Broken], reader: RowReader) -> Iterator[_Chunk]:
    chunk = _Chunk()
    encode = msgspec.json.Encoder().encode
    for row in rows:
        chunk.end = row.end
        if isinstance(row, Broken):
            chunk.add_broken({"line": row.line, "code": row.problem.value})
        else:
            message = _message(reader, row)
            if isinstance(message, RowError):
                column = {"column": message.column[:80]} if message.column else {}
                chunk.add_broken({"line": row.line, "code": message.problem.value, **column})
            else:
                chunk.add(encode(message))
        if chunk.is_full:
            yield chunk
            chunk = _Chunk()
    if chunk.rows:
        yield chunk


def _commit(file_import: FileImport, chunk: _Chunk, digests: bytes) -> None:
    """Land a chunk and note the place, in one transaction. Raises LostLeaseError, FileProblem."""
    with transaction.atomic():
        held = FileImport.objects.select_for_update().get(pk=file_import.pk)
        if held.status != FileImport.Status.LANDING or held.offset != file_import.offset:
            raise LostLeaseError
        chunk.close()
        if chunk.batches:
            landing.land_chunk(file_import, chunk.batches)
        if digests:
            RowDigests.objects.create(file_import=file_import, digests=digests)
        room = KEPT_BROKEN - len(file_import.broken_rows)
        file_import.broken_rows = [*file_import.broken_rows, *chunk.broken[: max(room, 0)]]
        file_import.rows_broken += len(chunk.broken)
        file_import.rows_read += chunk.rows
        file_import.offset, file_import.line = chunk.end.offset, chunk.end.line
        file_import.lease_until = timezone.now() + LEASE
        file_import.attempts = 0
        file_import.save(
            update_fields=["broken_rows", "rows_broken", "rows_read", "offset", "line", "lease_until", "attempts"]
        )
    if is_mostly_broken(file_import.rows_read, file_import.rows_broken):
        raise FileProblem(FileCode.MOSTLY_BROKEN, line=file_import.line)


def _end(file_import: FileImport, status: str, *, problem: FileProblem | None = None) -> None:
    """Close the import, unless it is closed already."""
    FileImport.objects.unfinished().filter(pk=file_import.pk).update(
        status=status,
        problem="" if problem is None else problem.code,
        problem_line=None if problem is None else problem.line,
        finished_at=timezone.now(),
        lease_until=None,
    )
    forget_progress(file_import)


def forget_progress(file_import: FileImport) -> None:
    """What only a running import needs; in the caller's transaction."""
    RowDigests.objects.filter(file_import=file_import).delete()


def _put_back(file_import: FileImport) -> None:
    with transaction.atomic():
        FileImport.objects.filter(pk=file_import.pk).update(lease_until=None)
        jobs.enqueue(JOB, file_import.pk)


def resume_abandoned() -> int:
    """Watchdog: enqueue imports whose job died; returns how many. `run` itself takes each only once."""
    ids = list(FileImport.objects.abandoned().values_list("pk", flat=True)[:100])
    for import_id in ids:
        jobs.enqueue(JOB, import_id)
    return len(ids)


def remove_strays() -> int:
    """Files in the store that no import knows, of killed uploads and removals, go after a day; returns how many."""
    known = FileImport.objects.stored_names()
    yesterday = timezone.now() - timedelta(days=1)
    removed = 0
    for path in store.stray_names(known, older_than=yesterday.timestamp()):
        path.unlink(missing_ok=True)
        removed += 1
    return removed


def forget_file(file_import: FileImport) -> Callable[[], bool]:
    """The import loses its file, in the caller's transaction; one that was still to be landed ends as failed. Returns
    what removes the file from the store, to be called once that is committed."""
    names = [name for name in (file_import.stored_as, file_import.original_as) if name]
    _end(file_import, FileImport.Status.FAILED, problem=FileProblem(FileCode.REMOVED))
    FileImport.objects.filter(pk=file_import.pk).update(stored_as="", original_as="", columns=[], sheets=[], sheet="")
    return lambda: sum(store.remove(name) for name in names) > 0
