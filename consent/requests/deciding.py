"""Deciding on a request: approval by a second person, cooling-off, refusal, extension, and its end."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit, jobs
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import User
from consent.models import DataSubjectRequest, OutgoingMessage
from consent.requests import intake, news, regimes
from consent.requests.machine import locked, move

Status = DataSubjectRequest.Status
Kind = DataSubjectRequest.Kind
Refusal = DataSubjectRequest.Refusal

ERASURE_JOB = "consent.jobs.run_erasure"
LONGEST_REASON = 300
WAITING = frozenset({Status.RECEIVED, Status.IDENTIFYING})


@transaction.atomic
def approve(*, request_id: UUID, by: User) -> DataSubjectRequest:
    """Approve, and start: at once, or an erasure when its cooling-off is over. An erasure cannot be taken back.

    Raises:
        ConflictProblem: it is no longer waiting, nobody is identified, or the same person recorded it.
    """
    request = locked(request_id, {Status.RECEIVED})
    if request.requested_by_id == by.pk:
        raise ConflictProblem(
            _("A second person must approve: you recorded this request yourself."),
            hint=_("Ask a colleague who may approve requests."),
            code="same_person",
        )
    if not request.is_identified:
        raise ConflictProblem(_("Check first that it was the person who asked."), code="not_identified")
    if request.subject is None:
        raise ConflictProblem(_("Choose first which customer the request is about."), code="nobody")
    if request.kind == Kind.RECTIFICATION and not request.changes:
        raise ConflictProblem(_("Say first what should be put right."), code="no_changes")
    now = timezone.now()
    request.approved_by, request.approved_at = by, now
    if request.kind == Kind.ERASURE and settings.REQUEST_COOLING_OFF_HOURS:
        request.runs_at = now + timedelta(hours=settings.REQUEST_COOLING_OFF_HOURS)
        move(request, Status.COOLING, "approved_by", "approved_at", "runs_at")
    else:
        move(request, Status.APPROVED, "approved_by", "approved_at")
        start(request)
    if request.kind == Kind.ERASURE:  # when it is done there is nobody left to tell
        news.tell(request)
    audit.record(action="request.approve", target=request, by=by, fields=["status"])
    return request


def start(request: DataSubjectRequest) -> None:
    """Enqueue the job that carries it out."""
    jobs.enqueue(ERASURE_JOB if request.kind == Kind.ERASURE else intake.JOB, request.pk)


@transaction.atomic
def end_cooling_off() -> int:
    """By the clock: start what has cooled off; returns how many."""
    over = DataSubjectRequest.objects.filter(status=Status.COOLING, runs_at__lte=timezone.now())
    rows = list(over.select_for_update(skip_locked=True))
    for request in rows:
        move(request, Status.APPROVED)
        start(request)
    return len(rows)


@transaction.atomic
def refuse(*, request_id: UUID, reason: str, by: User, explanation: str = "") -> DataSubjectRequest:
    """Refuse with a ground; the refusal stays on record (PDPA s.39) and the data may be used again. In the cooling-off
    the person may still take the request back.

    Args:
        explanation: for the letter, in the company's words; no names.

    Raises:
        ConflictProblem: it is no longer waiting.
    """
    is_withdrawn = reason == Refusal.WITHDRAWN
    request = locked(request_id, WAITING | {Status.COOLING} if is_withdrawn else WAITING)
    request.refusal_reason, request.explanation = reason, explanation
    move(request, Status.CANCELLED if is_withdrawn else Status.REFUSED, "refusal_reason", "explanation")
    news.tell(request)
    audit.record(action="request.refuse", target=request, by=by, fields=["status", "refusal_reason"])
    return request


@transaction.atomic
def extend(*, request_id: UUID, reason: str, by: User) -> DataSubjectRequest:
    """Take the longer period that the regime allows for a reason, once; it counts from the receipt.

    Raises:
        MendableError: no reason, or the regime knows no extension.
        ConflictProblem: it has ended, was extended already, or is overdue.
    """
    request = locked(request_id, DataSubjectRequest.OPEN)
    if not reason.strip():
        raise MendableError(_("An extension needs a reason, which the person is told."), field="reason")
    if regimes.right(request.regime, request.kind).extension is None:
        raise MendableError(
            _("%(regime)s knows no extension for this.") % {"regime": regimes.regimes()[request.regime]},
            field="reason",
        )
    if request.extended_at is not None:
        raise ConflictProblem(_("The period was extended already."))
    now = timezone.now()
    if request.due_at < now:
        raise ConflictProblem(_("The period is over: it can no longer be extended."))
    request.extended_at, request.extension_reason = now, reason.strip()[:LONGEST_REASON]
    request.due_at = regimes.due_at(request.regime, request.kind, request.received_at, is_extended=True)
    request.save(update_fields=["extended_at", "extension_reason", "due_at"])
    news.tell(request)
    audit.record(action="request.extend", target=request, by=by, fields=["due_at", "extension_reason"])
    return request


@transaction.atomic
def close(*, request_id: UUID, by: User) -> DataSubjectRequest:
    """The person was told what came of it. Raises ConflictProblem while there is nothing to tell."""
    request = locked(request_id, {Status.COMPLETED, Status.REFUSED, Status.CANCELLED})
    request.closed_at = timezone.now()
    request.note, request.proof_seen, request.contact, request.changes = "", "", None, None
    move(request, Status.CLOSED, "closed_at", "note", "proof_seen", "contact", "changes")
    OutgoingMessage.objects.filter(request=request, status=OutgoingMessage.Status.WAITING).delete()
    audit.record(action="request.close", target=request, by=by, fields=["status"])
    return request


@transaction.atomic
def lift(*, request_id: UUID, by: User) -> DataSubjectRequest:
    """End a restriction that is in force; the person was told before (GDPR Art. 18(3)).

    Raises ConflictProblem for one that is not.
    """
    request = locked(request_id, {Status.COMPLETED, Status.CLOSED})
    if request.kind != Kind.RESTRICTION or request.lifted_at is not None:
        raise ConflictProblem(_("No restriction is in force under this request."))
    request.lifted_at = timezone.now()
    request.save(update_fields=["lifted_at"])
    audit.record(action="request.lift", target=request, by=by, fields=["lifted_at"])
    return request


@transaction.atomic
def retry(*, request_id: UUID, by: User) -> DataSubjectRequest:
    """Try the steps that failed again, now.

    Raises:
        ConflictProblem: nothing of it has failed.
    """
    request = locked(request_id, {Status.PARTIAL})
    request.lease_until = None
    request.save(update_fields=["lease_until"])
    audit.record(action="request.retry", target=request, by=by)
    start(request)
    return request
