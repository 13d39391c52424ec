"""What an import would do, counted without doing it: the whole way to the profiles, and back.

The rows are read by the mapping and digested by the digest itself, in transactions that are rolled back. Whoever keeps
the profiles lends it (`lend`): it takes rows that have to do with one another together, so that what a row does to a
later one counts, and holds no lock longer than a step of the digest does.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import jobs
from cdp_site.core.errors import ConflictProblem, InternalError
from cdp_site.core.models import User
from ingestion.files import importer, mapping
from ingestion.files.codes import FileCode
from ingestion.files.problems import FileProblem
from ingestion.landing import Claimed
from ingestion.models import FileImport, ImportTrial, InboundBatch
from ingestion.national_ids import seal_national_ids

log = structlog.get_logger("trial")

JOB: Final = "ingestion.rehearsal.run"
MOST_ROWS: Final = 100_000
MOST_BYTES: Final = 96 * 1024 * 1024  # of messages, which are held in memory
LEASE: Final = timedelta(minutes=2)
MOST_ATTEMPTS: Final = 3

# What of a trial's rows is counted beside the terms of the equation.
KINDS: Final = ("records", "changed", "people", "touchpoints", "orders")

# How rows would be landed, and each with the chunk of the file that it lies in → counts, some hundred rows at a time.
Digest = Callable[[Claimed, Sequence[tuple[int, bytes]]], Iterator[Counter[str]]]
_digests: list[Digest] = []


def lend(digest: Digest) -> None:
    """Called once by the app that keeps profiles."""
    if _digests:
        raise InternalError("a digest is lent twice")
    _digests.append(digest)


class Stopped(Exception):
    """The import has begun, or was given up: nobody waits for its trial any more."""


@transaction.atomic
def start(*, file_import: FileImport, definition: Mapping[str, Any], by: User) -> ImportTrial:
    """Begin to try the import, in a job. Raises InvalidMapping, ConflictProblem when it has begun already."""
    if file_import.status != FileImport.Status.UPLOADED:
        raise ConflictProblem(_("This import has begun already."))
    mapping.parse(dict(definition), columns=file_import.columns)
    trial: ImportTrial = ImportTrial.objects.create(file_import=file_import, definition=dict(definition), created_by=by)
    jobs.enqueue(JOB, trial.pk)
    return trial


def run(trial_id: str) -> None:
    """Count the whole trial; a job that died begins anew. Nothing but the trial's own row is written."""
    trial = _take(UUID(trial_id))
    if trial is None:
        return
    try:
        messages, counts = _read(trial)
        _count(trial, messages, counts)
    except Stopped:
        log.info("trial.stopped", trial=trial_id)
        trial.delete()
    except FileProblem as problem:
        _note(trial, status=ImportTrial.Status.FAILED, problem=problem.code)


def _take(trial_id: UUID) -> ImportTrial | None:
    with transaction.atomic(durable=True):
        taken: ImportTrial | None = (
            ImportTrial.objects.abandoned()
            .select_related("file_import__source")
            .select_for_update(skip_locked=True, of=("self",))
            .filter(pk=trial_id)
            .first()
        )
        if taken is None:
            return None
        if taken.attempts >= MOST_ATTEMPTS:
            _note(taken, status=ImportTrial.Status.FAILED, problem=FileCode.GAVE_UP)
            return None
        _note(
            taken,
            status=ImportTrial.Status.READING,
            attempts=taken.attempts + 1,
            lease_until=timezone.now() + LEASE,
            counts={},
            rows_read=0,
            rows_counted=0,
        )
    return taken


def _note(trial: ImportTrial, **said: Any) -> None:
    for name, value in said.items():
        setattr(trial, name, value)
    trial.save(update_fields=list(said))


def _read(trial: ImportTrial) -> tuple[list[tuple[int, bytes]], Counter[str]]:
    """The messages of the first rows, sealed as they would be landed, and how many rows are broken."""
    messages: list[tuple[int, bytes]] = []
    counts: Counter[str] = Counter()
    size = 0
    split = msgspec.json.Decoder(list[msgspec.Raw])
    for number, chunk in enumerate(importer.chunks_of(trial.file_import, trial.definition)):
        counts["broken"] += len(chunk.broken)
        for raw, _rows in chunk.batches:
            found = [bytes(part) for part in split.decode(seal_national_ids(raw))]
            messages += [(number, message) for message in found]
            size += sum(map(len, found))
        _go_on(trial, rows_read=trial.rows_read + chunk.rows)
        if importer.is_mostly_broken(trial.rows_read, counts["broken"]):
            raise FileProblem(FileCode.MOSTLY_BROKEN)
        if len(messages) >= MOST_ROWS or size >= MOST_BYTES:
            _note(trial, is_whole=False)
            break
    if trial.rows_read and not messages:
        raise FileProblem(FileCode.MOSTLY_BROKEN)
    return messages, counts


def _count(trial: ImportTrial, messages: Sequence[tuple[int, bytes]], counts: Counter[str]) -> None:
    file_import = trial.file_import
    # As the importer would land them; the trial itself stands for the import's operation.
    like = Claimed(
        id=0,
        source_id=file_import.source_id,
        received_at=timezone.now(),
        sent_at=None,
        door=InboundBatch.Door.FILE,
        lane=InboundBatch.Lane.BULK,
        is_public_key=False,
        file_import_id=file_import.pk,
        operation_id=trial.pk,
        attempts=1,
        n_items=0,
        raw=b"",
    )
    _note(trial, status=ImportTrial.Status.COUNTING)
    [digest] = _digests
    for done in digest(like, messages):
        counts += done
        _go_on(trial, rows_counted=trial.rows_counted + done["rows"], counts=dict(counts))
    counts.pop("rows", None)
    _note(trial, status=ImportTrial.Status.DONE, counts=dict(counts), lease_until=None)


def _go_on(trial: ImportTrial, **said: Any) -> None:
    """Note how far it is. Raises Stopped when nobody waits for it."""
    waits = FileImport.objects.filter(pk=trial.file_import_id, status=FileImport.Status.UPLOADED).exists()
    if not waits:
        raise Stopped
    _note(trial, lease_until=timezone.now() + LEASE, **said)


def resume_abandoned() -> int:
    """Watchdog: enqueue trials whose job died; returns how many."""
    ids = list(ImportTrial.objects.abandoned().values_list("pk", flat=True)[:100])
    for trial_id in ids:
        jobs.enqueue(JOB, trial_id)
    return len(ids)
