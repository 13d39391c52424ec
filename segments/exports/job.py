"""The job that makes a list: members chosen at one moment, put to the gate chunk by chunk, bound into a file, traced.

Each chunk is committed with its part of the file and with the lot of each of its members. Killed at any point, the job
goes on behind the last committed chunk: nobody is drawn twice, is on the list twice or gets a second touchpoint.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.utils import timezone
from psycopg import sql

from cdp_site.core import audit, jobs
from cdp_site.core.access import Permission, may, scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from segments import audience
from segments.audience import Question
from segments.exports import files, listing, problems, traces
from segments.exports.files import ACTOR
from segments.exports.listing import Lister
from segments.models import ExportMember, Segment, SegmentExport, SegmentVersion

log = structlog.get_logger("export")

JOB: Final = "segments.exports.job.run"
LEASE: Final = timedelta(minutes=2)
CHOOSE_SECONDS: Final = 60  # nobody waits for it with a page open; well within the lease
CHUNK: Final = 2_000  # as many as the gate takes in one statement
BUDGET_SECONDS: Final = 240.0  # then the job puts itself back, and the cluster does something else in between
MOST_ATTEMPTS: Final = 5  # jobs in a row that died without getting on

SQL = sql.SQL
Status = SegmentExport.Status


class Stopped(Exception):
    """The list was stopped while it was made: leave without a trace."""


def run(export_id: str) -> None:
    """Make as much of the list as the budget allows; puts itself back when there is more. Idempotent."""
    export = _take(UUID(export_id))
    if export is None:
        return
    until = time.monotonic() + BUDGET_SECONDS
    stages: tuple[Callable[[SegmentExport, float], bool], ...] = (_choose, _list, _bind, _trace)
    try:
        if all(stage(export, until) for stage in stages):
            _finish(export)
        else:
            _put_back(export)
    except Stopped:
        log.info("export.stopped", export=export_id)
    except MendableError as problem:
        _give_up(export, problem)


def _take(export_id: UUID) -> SegmentExport | None:
    """Lease the list, if it is to be made and nobody holds it. The attempt is committed before the work."""
    with transaction.atomic(durable=True):
        taken: SegmentExport | None = (
            SegmentExport.objects.abandoned().select_for_update(skip_locked=True).filter(pk=export_id).first()
        )
        if taken is not None and taken.attempts < MOST_ATTEMPTS:
            taken.status = Status.RUNNING
            taken.attempts += 1
            taken.lease_until = timezone.now() + LEASE
            taken.save(update_fields=["status", "attempts", "lease_until"])
            return taken
    if taken is not None:
        fail(taken.pk, problems.GAVE_UP)
    return None


def _hold(export: SegmentExport) -> SegmentExport:
    """The list's row, locked until the chunk is committed. Raises Stopped when it is no longer to be made, or another
    job has taken it up since."""
    held: SegmentExport | None = SegmentExport.objects.select_for_update().filter(pk=export.pk).first()
    if held is None or held.status != Status.RUNNING or held.lease_until != export.lease_until:
        raise Stopped
    return held


def _go_on(export: SegmentExport, held: SegmentExport, *fields: str) -> None:
    """Write with the chunk how far it is, and hold the list on."""
    held.attempts, held.lease_until = 0, timezone.now() + LEASE
    held.save(update_fields=["attempts", "lease_until", *fields])
    for name in ("lease_until", *fields):
        setattr(export, name, getattr(held, name))


def _asker(export: SegmentExport) -> User:
    """Who asked for it, while they still may. Raises NotAllowedProblem, GoneProblem."""
    users = User.objects.select_related("department")
    by = None if export.by_id is None else users.filter(pk=export.by_id).first()
    if by is None or not may(by, Permission.EXPORT_SEGMENTS):
        raise problems.NotAllowedProblem(problems.failure(problems.NOT_ALLOWED)[0])
    if export.segment_id is None:
        raise problems.GoneProblem(problems.failure(problems.GONE)[0])
    if not Segment.objects.visible_to(by).filter(pk=export.segment_id).exists():
        raise problems.NotAllowedProblem(problems.failure(problems.NOT_ALLOWED)[0])
    return by


# --- who ------------------------------------------------------------------------------------------------------------

# By their anchor record, whose birth profile a person is.
_CHOOSE = SQL("""
INSERT INTO segments_exportmember (export_id, record_id, is_traced)
SELECT {export}, r.id, false
  FROM ({people}) q
  JOIN profiles_sourcerecord r ON r.birth_profile_id = q.id
  JOIN profiles_membership m ON m.record_id = r.id AND m.profile_id = q.id AND m.valid_to IS NULL
    ON CONFLICT (export_id, record_id) DO NOTHING
""")


def _choose(export: SegmentExport, _until: float) -> bool:
    """Everybody who is in the segment at one moment, in one statement."""
    if export.chosen_at is not None:
        return True
    by = _asker(export)
    version = SegmentVersion.objects.get(segment=export.segment_id, version=export.segment_version)
    with transaction.atomic(durable=True), audience.time_limit(CHOOSE_SECONDS):
        held = _hold(export)
        question = Question.of_stored(version.definition, scope_of(by))
        with connection.cursor() as cursor:
            cursor.execute(_CHOOSE.format(export=held.pk, people=question.select()))
            held.n_members = cursor.rowcount
        held.chosen_at = question.now
        _go_on(export, held, "chosen_at", "n_members")
    return True


# --- the gate and the lot -------------------------------------------------------------------------------------------


def _list(export: SegmentExport, until: float) -> bool:
    """Chunk after chunk to the gate; False when the time is up."""
    if export.stored_as:
        return True
    lister = Lister.of(export, _asker(export))
    after = 0
    while members := list(ExportMember.objects.of(export.pk).undrawn(after)[:CHUNK]):
        after = members[-1].record_id
        _list_chunk(export, lister, members)
        if time.monotonic() >= until:
            return False
    return True


def _list_chunk(export: SegmentExport, lister: Lister, members: list[ExportMember]) -> None:
    found = lister.chunk(members)
    part = files.keep_rows(found.rows) if found.rows else ""
    with _unless_stopped(part), transaction.atomic(durable=True):
        held = _hold(export)
        for drawn, is_held_out in ((found.listed, False), (found.held_out, True)):
            ExportMember.objects.filter(pk__in=[one.pk for one in drawn]).update(is_held_out=is_held_out)
        ExportMember.objects.filter(pk__in=[one.pk for one in found.gone]).delete()
        held.sources = lister.sources_beside(held.sources)
        held.parts = [*held.parts, *([part] if part else [])]
        held.n_done += len(members)
        held.n_exported += len(found.listed)
        held.n_held_out += len(found.held_out)
        held.n_left_out = {
            reason: held.n_left_out.get(reason, 0) + found.left_out[reason]
            for reason in {**held.n_left_out, **found.left_out}
        }
        _go_on(export, held, "sources", "parts", "n_done", "n_exported", "n_held_out", "n_left_out")


@contextmanager
def _unless_stopped(name: str) -> Iterator[None]:
    """The file was written before anything knows of it: of a list that was stopped meanwhile, because somebody on it is
    erased, it goes at once."""
    try:
        yield
    except Stopped:
        files.remove_unknown(name)
        raise


# --- the file -------------------------------------------------------------------------------------------------------


def _bind(export: SegmentExport, _until: float) -> bool:
    """The parts as one file of the form that was asked for."""
    if export.stored_as:
        return True
    header = listing.header_of(export)
    stored = files.bind(_held_on(export), kind=export.format, header=header, count=export.n_exported)
    with _unless_stopped(stored.name), transaction.atomic(durable=True):
        held = _hold(export)
        files.discard(held.parts)
        held.parts, held.stored_as, held.size = [], stored.name, stored.size
        _go_on(export, held, "parts", "stored_as", "size")
    return True


def _held_on(export: SegmentExport) -> Iterator[str]:
    """The parts of the list, which is held on while they are read: a workbook of a million rows takes its minutes."""
    for part in export.parts:
        if export.lease_until is None or export.lease_until - timezone.now() < LEASE / 2:
            with transaction.atomic(durable=True):
                _go_on(export, _hold(export))
        yield part


# --- the traces -----------------------------------------------------------------------------------------------------


def _trace(export: SegmentExport, until: float) -> bool:
    """A touchpoint on everybody on the list and on everybody held out; False when the time is up."""
    after = 0
    while members := list(ExportMember.objects.of(export.pk).untraced(after)[:CHUNK]):
        after = members[-1].record_id
        with transaction.atomic(durable=True):
            held = _hold(export)
            traces.leave(held, members)
            _go_on(export, held)
        if time.monotonic() >= until:
            return False
    return True


# --- the end --------------------------------------------------------------------------------------------------------


def _finish(export: SegmentExport) -> None:
    with transaction.atomic(durable=True):
        held = _hold(export)
        held.status, held.made_at, held.lease_until = Status.READY, timezone.now(), None
        held.save(update_fields=["status", "made_at", "lease_until"])
        audit.record(action="segment.exported", target=held, by=ACTOR, fields=listing.header_of(held) or ["address"])
    log.info("export.ready", export=str(held.pk), listed=held.n_exported, held_out=held.n_held_out)


def _put_back(export: SegmentExport) -> None:
    with transaction.atomic(durable=True):
        held = _hold(export)
        held.lease_until = None
        held.save(update_fields=["lease_until"])
        jobs.enqueue(JOB, held.pk)


def _give_up(export: SegmentExport, problem: MendableError) -> None:
    """End the list; one that was stopped, or taken up by another job meanwhile, is not ours to end."""
    try:
        with transaction.atomic(durable=True):
            _hold(export)
            fail(export.pk, problem.code)
    except Stopped:
        log.info("export.stopped", export=str(export.pk))


@transaction.atomic
def fail(export_id: UUID, code: str) -> None:
    """The list ends without a file; nobody is on it. Why is kept with it. One that is done stays as it is."""
    held: SegmentExport = SegmentExport.objects.select_for_update().get(pk=export_id)
    if not held.is_under_way:
        return
    files.discard([held.stored_as, *held.parts])
    ExportMember.objects.of(held.pk).delete()
    held.status, held.problem, held.lease_until = Status.FAILED, code, None
    held.parts, held.stored_as = [], ""
    held.save(update_fields=["status", "problem", "lease_until", "parts", "stored_as"])
    audit.record(action="segment.export_failed", target=held, by=ACTOR, fields=["status"])


def resume_abandoned() -> int:
    """Watchdog: enqueue lists whose job died; returns how many."""
    ids = list(SegmentExport.objects.abandoned().values_list("pk", flat=True)[:100])
    for export_id in ids:
        jobs.enqueue(JOB, export_id)
    return len(ids)
