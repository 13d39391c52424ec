"""Carrying out an erasure: step 0 hides the person and keeps them out, then each holder erases in a step of its own.

Every step is one transaction together with the row that says it is done, so a job that dies leaves a state from which
the next one goes on. A lease keeps two jobs from running one request; `resume` finds those whose job has died.

A holder that fails does not keep the others from erasing: what can go, goes. The request is `partial` then, shown as
such, and tried again; it is `completed` when every holder is done and none finds anything of the person any more.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from cdp_site.core import audit, hashing, jobs
from cdp_site.core.append_only import erasure_step
from cdp_site.core.personal_data import Holder, Outcome, Subject, holders
from consent import certificate, subjects
from consent.erasure import ledger_lines
from consent.erasure.ledger_lines import Entry, Kept
from consent.models import DataSubjectRequest, ErasureStep
from ingestion import suppression
from ingestion.models import SuppressedIdentifier
from profiles.models import Profile
from profiles.resolution import pipeline

log = structlog.get_logger("erasure")

ACTOR = "system:erasure"
JOB = "consent.jobs.run_erasure"
STEP_ZERO = "suppression"
ROWS_LEFT = "rows_left"  # a holder still finds something after its step
NO_HOLDER = "no_holder"  # the app that answered for the store is no longer installed
# Longer than the longest step (a person with 1M touchpoints: about two minutes); renewed with each one.
LEASE = timedelta(minutes=10)
LONGEST_PAUSE = timedelta(days=1)

Status = DataSubjectRequest.Status


def run(request_id: UUID) -> None:
    """Work on an approved request until it is completed or a holder has failed. Does nothing for one that somebody
    else works on, or that has ended. Idempotent."""
    if not _take_lease(request_id):
        return
    request = DataSubjectRequest.objects.get(pk=request_id)
    if request.status == Status.APPROVED:
        # Nobody there any more: another request has erased them meanwhile; there is nothing to do but to say so.
        begin(request, lambda: (subjects.find(request.subject) if request.subject else None) or Subject((), (), ()))
    else:
        _go_on(request)
    subject = subjects.unseal(bytes(request.work or b""))
    by_name = {holder.name: holder for holder in holders()}
    for step in request.steps.exclude(status=ErasureStep.Status.DONE):
        _renew_lease(request_id)
        if holder := by_name.get(step.holder):
            _take_step(step, holder, subject)
        else:
            _fail(step, NO_HOLDER)
    _check_nothing_is_left(request, subject)
    _finish(request, subject)


def resume() -> int:
    """Enqueue the requests whose job has died, was lost, or failed long enough ago; returns how many. For the clock."""
    abandoned = DataSubjectRequest.objects.abandoned(timezone.now()).values_list("pk", flat=True)
    for request_id in abandoned:
        jobs.enqueue(JOB, request_id)
    return len(abandoned)


def preview(public_id: UUID) -> list[tuple[Holder, Outcome]]:
    """What each holder would erase, anonymise and keep, in the order of the steps. Changes nothing."""
    subject = subjects.find(public_id)
    return [(holder, holder.preview(subject)) for holder in holders()] if subject is not None else []


# --- the lease ------------------------------------------------------------------------------------------------------


def _take_lease(request_id: UUID) -> bool:
    now = timezone.now()
    free = DataSubjectRequest.objects.abandoned(now).filter(pk=request_id)
    return free.update(lease_until=now + LEASE) == 1


def _renew_lease(request_id: UUID) -> None:
    DataSubjectRequest.objects.filter(pk=request_id).update(lease_until=timezone.now() + LEASE)


# --- the steps ------------------------------------------------------------------------------------------------------


@transaction.atomic
def begin(request: DataSubjectRequest, find: Callable[[], Subject], *, is_known: bool = False) -> None:
    """Step 0: from its commit on the person is invisible everywhere and comes back by no door. Before that the
    ledger outside of the database has them.

    Holds the merge lock, so that no digest step adds to the person or moves records meanwhile.

    Args:
        find: who the person is, asked under the lock.
        is_known: the ledger has them already, and says so to a database that was restored.
    """
    pipeline.take_merge_lock()
    now = timezone.now()
    subject = find()
    suppression.suppress(
        identifiers=subjects.erased_identifiers(subject),
        names=subjects.names(subject),
        erased_at=now,
        request_id=request.pk,
        by=ACTOR,
    )
    Profile.objects.filter(pk__in=subject.profile_ids).update(state=Profile.State.ERASING, redirect_to=None)
    request.status, request.started_at, request.work = Status.RUNNING, now, subjects.seal(subject)
    request.save(update_fields=["status", "started_at", "work"])
    ErasureStep.objects.create(
        request=request,
        ordinal=0,
        holder=STEP_ZERO,
        status=ErasureStep.Status.DONE,
        attempts=1,
        outcome=_as_json(Outcome()),  # what is suppressed is kept by ingestion, whose own step says so
        finished_at=now,
    )
    _plan(request)
    audit.record(action="request.start", target=request, by=ACTOR, fields=["status"])
    if not is_known and subject.public_ids:
        _write_down(request, subject, now)


def _write_down(request: DataSubjectRequest, subject: Subject, now: datetime) -> None:
    """Last of step 0: when the disk does not take the line, nothing of the step happens."""
    key_id = hashing.current_key_id()
    kept = SuppressedIdentifier.objects.filter(request_id=request.pk, key_id=key_id).order_by("pk")
    ledger_lines.append(
        Entry(
            at=now,
            request=request.pk,
            key_id=key_id,
            people=tuple(ledger_lines.person_hashes(subject.public_ids, key_id=key_id)),
            suppressed=tuple(
                Kept(
                    key=bytes(row.key).hex(),
                    kind=row.kind,
                    needs_name=row.needs_name,
                    names=tuple(bytes(name).hex() for name in row.name_keys),
                )
                for row in kept
            ),
        )
    )


@transaction.atomic
def _go_on(request: DataSubjectRequest) -> None:
    """After a kill or a failure; a holder that an upgrade has brought meanwhile gets its step."""
    request.status = Status.RUNNING
    request.save(update_fields=["status"])
    _plan(request)
    # Whoever has no tables forgets copies of what the others hold, so they come again after the others.
    copies = {holder.name for holder in holders() if not holder.tables}
    if request.steps.exclude(status=ErasureStep.Status.DONE).exclude(holder__in=copies).exists():
        request.steps.filter(holder__in=copies).update(status=ErasureStep.Status.WAITING)


def _plan(request: DataSubjectRequest) -> None:
    ErasureStep.objects.bulk_create(
        [
            ErasureStep(request=request, ordinal=ordinal, holder=holder.name)
            for ordinal, holder in enumerate(holders(), start=1)
        ],
        ignore_conflicts=True,
    )


def _take_step(step: ErasureStep, holder: Holder, subject: Subject) -> None:
    step.attempts += 1
    step.save(update_fields=["attempts"])  # in a transaction of its own: a job that is killed here has tried as well
    try:
        with transaction.atomic(), erasure_step(holder.name):
            outcome = holder.erase(subject)
            step.status, step.problem, step.finished_at = ErasureStep.Status.DONE, "", timezone.now()
            step.outcome = _together(step.outcome, _as_json(outcome))
            step.save(update_fields=["status", "problem", "finished_at", "outcome"])
    except Exception as error:  # whatever it is, the other holders go on and a person is told
        _fail(step, kind_of(error))


def kind_of(error: Exception) -> str:
    """What went wrong without its values: the class of the error, and of a database's its SQLSTATE."""
    cause = error.__cause__ if isinstance(error, DatabaseError) else None
    state = getattr(cause, "sqlstate", None)
    return f"{type(error).__name__} {state}" if state else type(error).__name__


def _fail(step: ErasureStep, problem: str, **detail: object) -> None:
    """Note and log a failure; never with a traceback, whose last line may hold a customer's value."""
    step.status, step.problem, step.finished_at = ErasureStep.Status.FAILED, problem[:200], None
    step.save(update_fields=["status", "problem", "finished_at"])
    log.error("erasure_step_failed", request=str(step.request_id), holder=step.holder, error=problem, **detail)


def _check_nothing_is_left(request: DataSubjectRequest, subject: Subject) -> None:
    """What a holder finds after its step, and has not reported as kept, makes its step a failed one."""
    for holder in holders():
        step = request.steps.get(holder=holder.name)
        if step.status == ErasureStep.Status.DONE:
            left = {table: n for table, n in holder.locate(subject).items() if n and table not in step.outcome["kept"]}
            if left:
                _fail(step, ROWS_LEFT, tables=sorted(left))


# --- the end --------------------------------------------------------------------------------------------------------


@transaction.atomic
def _finish(request: DataSubjectRequest, subject: Subject) -> None:
    request = DataSubjectRequest.objects.select_for_update().get(pk=request.pk)
    unfinished = list(request.steps.exclude(status=ErasureStep.Status.DONE))
    if unfinished:
        request.status = Status.PARTIAL
        request.lease_until = _next_try(max(step.attempts for step in unfinished))
        request.save(update_fields=["status", "lease_until"])
        audit.record(action="request.partial", target=request, by=ACTOR, fields=["status"])
        return
    request.status, request.completed_at = Status.COMPLETED, timezone.now()
    request.certificate = certificate.build(request)
    request.forget_person()
    request.lease_until = None
    request.save()
    audit.record(action="request.complete", target=request, by=ACTOR, fields=["status", "certificate"])
    _close_others(subject, request)


def _close_others(subject: Subject, done: DataSubjectRequest) -> None:
    """Requests about profiles that had been merged into this person are done with this one."""
    others = DataSubjectRequest.objects.filter(Q(subject__in=subject.public_ids)).open().exclude(pk=done.pk)
    for other in others.select_for_update():
        other.status, other.refusal_reason = Status.CANCELLED, DataSubjectRequest.Refusal.COVERED
        other.forget_person()
        other.save()
        audit.record(action="request.cover", target=other, by=ACTOR, fields=["status"])


def _next_try(attempts: int) -> datetime:
    """2, 4, 8 … minutes after the failure, at most a day."""
    return timezone.now() + min(timedelta(minutes=2 ** min(attempts, 20)), LONGEST_PAUSE)


def _as_json(outcome: Outcome) -> dict[str, dict[str, object]]:
    return {
        "erased": {table: n for table, n in outcome.erased.items() if n},
        "anonymised": {table: n for table, n in outcome.anonymised.items() if n},
        "kept": {table: [n, str(ground)] for table, (n, ground) in outcome.kept.items() if n},
    }


def _together(before: dict[str, dict[str, object]], now: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """A step that ran again, because rows were left, adds to what it did the first time."""
    added = {
        verb: {
            table: before.get(verb, {}).get(table, 0) + now[verb].get(table, 0)  # type: ignore[operator]
            for table in {*before.get(verb, {}), *now[verb]}
        }
        for verb in ("erased", "anonymised")
    }
    return {**added, "kept": {**before.get("kept", {}), **now["kept"]}}
