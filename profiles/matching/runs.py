"""Runs of matching from their start to their end: by the clock, by a button, or by a command; one at a time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit, jobs
from cdp_site.core.errors import ConflictProblem, MendableError, Text
from cdp_site.core.models import User
from profiles.matching import active, batch, model_files
from profiles.matching.active import Active
from profiles.matching.batch import Batch, Listener
from profiles.matching.model_files import RefusedModel
from profiles.models import MatchModel, MatchRun, UnmatchedChange
from profiles.resolution import pipeline

log = structlog.get_logger("matching")

JOB: Final = "profiles.matching.runs.run"
ACTOR: Final = "system:matching"
BUDGET_SECONDS: Final = 2_700.0  # then the job puts itself back: the cluster ends what takes an hour
CHANGES_AT_ONCE: Final = 5_000  # below half a second under the merge lock, for which the digest waits
SILENT_FOR: Final = timedelta(minutes=2)
MOST_ATTEMPTS: Final = 5  # jobs in a row that died without finishing a portion
# Held by the process that is at the run, on its connection: it goes with the process, however that ends.
_RUNNING_LOCK: Final = 0x3A7C4
COLLECTING: Final = "collecting"  # the phase of a run over what changed before those of every run
_COLLECTED: Final = "collected"  # in its cursor: that it has ended

_TRYABLE: Final = (MatchModel.Status.READY, MatchModel.Status.RETIRED, MatchModel.Status.WITHDRAWN)

PROBLEMS: Final[dict[str, Text]] = {
    "replaced": _("Another model was taken into use meanwhile. Start a run with that one."),
    "refused": _("The file of the model was changed or damaged since it was written; it is not used."),
    "gave_up": _("The run stopped again and again without getting on. The log of the job cluster says why."),
}


class NoModelError(ConflictProblem):
    """There is nothing to match with."""

    def __init__(self) -> None:
        super().__init__(
            _("No model of matching is in use."), hint=_("Train one and take it into use; then records are matched.")
        )


def in_use() -> MatchModel | None:
    """The model that a run matches with."""
    found: MatchModel | None = MatchModel.objects.in_use().first()
    return found


def tryable() -> QuerySet[MatchModel]:
    """Models that are not in use and could be tried, newest first."""
    return MatchModel.objects.filter(status__in=_TRYABLE, attach_threshold__isnull=False).order_by("-version")


def start(
    *,
    by: User | str,
    trial_of: MatchModel | None = None,
    everything: bool = False,
    in_job: bool = True,
) -> MatchRun:
    """Begin a run with the model in use, or a trial of another one, over everything.

    Args:
        everything: not only what changed since the last run. The first run with a model always looks at everything.
        in_job: by the job cluster; otherwise the caller carries it through (`run`).

    Raises NoModelError, ConflictProblem while another run goes on, RefusedModel.
    """
    model = trial_of or in_use()
    if model is None:
        raise NoModelError
    _matcher(model)  # refused at once, not in the job
    is_whole = everything or trial_of is not None or not batch.keys_stand(model.pk)
    try:
        with transaction.atomic():
            pipeline.take_merge_lock()  # digest steps note what changed: none is half-way
            begun = MatchRun.objects.create(
                kind=MatchRun.Kind.SHADOW if trial_of else MatchRun.Kind.BATCH,
                model=model,
                everything=is_whole,
                started_by=audit.actor_name(by),
            )
            audit.record(action="match.run", target=begun, by=by)
            if in_job:
                jobs.enqueue(JOB, begun.pk)
    except IntegrityError as error:
        raise ConflictProblem(
            _("A run of matching is going on already."), hint=_("Wait until it has ended, or cancel it.")
        ) from error
    return begun


def run(run_id: str) -> None:
    """The job: work on the run, if no living process does; puts itself back when it takes long. Idempotent."""
    if not carry_on(UUID(run_id), until=time.monotonic() + BUDGET_SECONDS):
        with transaction.atomic():
            jobs.enqueue(JOB, run_id)


def carry_on(run_id: UUID, *, until: float = float("inf"), listen: Listener = lambda _run: None) -> bool:
    """Work on the run until its end or until that time; False when there is more to do. True at once when another
    process is at it."""
    with _alone() as is_alone:
        held = _take(run_id) if is_alone else None
        if held is None:
            return True
        try:
            is_over = _collect(held, until=until, listen=listen) and Batch(
                held, _model_of(held), listen=listen
            ).carry_through(until=until)
        except batch.StoppedError:
            _end(held, MatchRun.Status.CANCELLED)
        except batch.ReplacedError:
            _end(held, MatchRun.Status.FAILED, problem="replaced")
        except RefusedModel:
            _end(held, MatchRun.Status.FAILED, problem="refused")
        else:
            if not is_over:
                return False
            _end(held, MatchRun.Status.DONE)
        return True


def cancel(*, run: MatchRun, by: User) -> None:
    """Ask a run to stop; what it has decided stays. Raises ConflictProblem when it has ended."""
    with transaction.atomic():
        asked = MatchRun.objects.of_matching().unfinished().filter(pk=run.pk).update(cancel_asked=True)
        if not asked:
            raise ConflictProblem(_("This run has ended already."))
        audit.record(action="match.run_cancel", target=run, by=by)
        jobs.enqueue(JOB, run.pk)  # should its process be dead, somebody has to end it


def resume_abandoned() -> int:
    """Watchdog: enqueue the run whose process died; returns how many. `run` itself takes each only once."""
    since = timezone.now() - SILENT_FOR
    found = list(MatchRun.objects.of_matching().filter(started_at__lt=since).silent(since).values_list("pk", flat=True))
    with transaction.atomic():
        for run_id in found:
            jobs.enqueue(JOB, run_id)
    return len(found)


def start_nightly() -> None:
    """Chore: match what changed. Nothing while there is no model, or while a run goes on."""
    try:
        start(by=ACTOR)
    except NoModelError:
        return
    except MendableError as problem:
        log.warning("nightly_run_left_out", code=problem.code)


# --- taking up and ending -----------------------------------------------------------------------------------------


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether no other process is at a run, for as long as the block runs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_RUNNING_LOCK])
        row = cursor.fetchone()
    is_alone = row is not None and bool(row[0])
    try:
        yield is_alone
    finally:
        if is_alone and connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_RUNNING_LOCK])


def _take(run_id: UUID) -> MatchRun | None:
    """The run, if it is to be worked on. The attempt is committed before the work."""
    with transaction.atomic():
        held: MatchRun | None = (
            MatchRun.objects.of_matching().unfinished().select_for_update().filter(pk=run_id).first()
        )
        if held is None:
            return None
        attempts = held.cursor.get("attempts", 0)
        if attempts >= MOST_ATTEMPTS:
            _end(held, MatchRun.Status.FAILED, problem="gave_up")
            return None
        held.cursor = {**held.cursor, "attempts": attempts + 1}
        held.beat_at = timezone.now()
        held.save(update_fields=["cursor", "beat_at"])
    return held


def _model_of(run: MatchRun) -> Active:
    """Raises RefusedModel."""
    model = run.model
    if model is None:
        raise batch.ReplacedError
    attach = 1.0 if model.attach_threshold is None else model.attach_threshold
    review = attach if model.review_threshold is None else model.review_threshold
    return Active(model.pk, model.version, attach, review, _matcher(model))


def _matcher(model: MatchModel) -> active.Matcher:
    """Raises RefusedModel."""
    return model_files.load(model)


# --- what changed -------------------------------------------------------------------------------------------------

_TAKE = """
WITH taken AS (
    DELETE FROM profiles_unmatchedchange
     WHERE record_id = ANY(ARRAY(SELECT record_id FROM profiles_unmatchedchange
                                  WHERE record_id > %(after)s ORDER BY record_id LIMIT %(most)s))
    RETURNING record_id
), kept AS (
    INSERT INTO profiles_runrecord (run_id, record_id) SELECT %(run)s, record_id FROM taken ON CONFLICT DO NOTHING
)
SELECT count(*), max(record_id) FROM taken
"""


def _collect(run: MatchRun, *, until: float, listen: Listener) -> bool:
    """Take over the records that wait for a run, unless it looks at everything; False when there are more.

    In portions, each committed: digest steps, which note changes, wait for one portion at most. What a portion has
    taken waits no more, so a run that was killed goes on with the rest. A record that changes again afterwards waits
    again: this run or the next one sees it as it is then. Raises StoppedError.
    """
    if run.everything or run.cursor.get(_COLLECTED):
        return True
    if run.phase != COLLECTING:
        run.phase, run.total = COLLECTING, UnmatchedChange.objects.count()
    after = 0
    while True:
        with transaction.atomic():
            pipeline.take_merge_lock()  # no step of the digest and no erasure is half-way
            held = MatchRun.objects.select_for_update().get(pk=run.pk)
            if held.status != MatchRun.Status.RUNNING or held.cancel_asked:
                raise batch.StoppedError
            with connection.cursor() as cursor:
                cursor.execute(_TAKE, {"run": run.pk, "after": after, "most": CHANGES_AT_ONCE})
                taken, last = cursor.fetchone()
            run.done += taken
            run.cursor = {**run.cursor, "attempts": 0, _COLLECTED: taken < CHANGES_AT_ONCE}
            run.beat_at = timezone.now()
            run.save(update_fields=["phase", "done", "total", "cursor", "beat_at"])
        listen(run)
        if run.cursor[_COLLECTED]:
            return True
        if time.monotonic() >= until:
            return False
        after = last


# --- the end ------------------------------------------------------------------------------------------------------

_GIVE_BACK = """
INSERT INTO profiles_unmatchedchange (record_id, since)
SELECT record_id, now() FROM profiles_runrecord WHERE run_id = %s
    ON CONFLICT DO NOTHING
"""
_FORGET_PAIRS = "DELETE FROM profiles_scoredpair WHERE run_id = %s"
_FORGET_RECORDS = "DELETE FROM profiles_runrecord WHERE run_id = %s"
_FORGET_CHANGES = "DELETE FROM profiles_unmatchedchange WHERE since < %s"


@transaction.atomic
def _end(run: MatchRun, status: str, *, problem: str = "") -> None:
    """Close the run and forget what only a running one needs; what it has not looked at waits for the next."""
    pipeline.take_merge_lock()  # as in `start`
    ended = MatchRun.objects.unfinished().filter(pk=run.pk)
    if not ended.update(status=status, problem=problem, ended_at=timezone.now(), cancel_asked=False):
        return
    with connection.cursor() as cursor:
        if status != MatchRun.Status.DONE:
            cursor.execute(_GIVE_BACK, [run.pk])
        elif run.everything and run.kind == MatchRun.Kind.BATCH:
            cursor.execute(_FORGET_CHANGES, [run.started_at])
        cursor.execute(_FORGET_PAIRS, [run.pk])
        cursor.execute(_FORGET_RECORDS, [run.pk])
    audit.record(action=f"match.run_{status}", target=run, by=ACTOR)
    log.info("run_ended", run=str(run.pk), status=str(status), problem=problem)
