"""Deciding on a request: approval by a second person, refusal with its ground. `consent.erasure` carries one out."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit, jobs
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import User
from consent.models import DataSubjectRequest

Status = DataSubjectRequest.Status

JOB = "consent.jobs.run_erasure"


@transaction.atomic
def approve(*, request_id: UUID, by: User) -> DataSubjectRequest:
    """Approve and start. The erasure runs as a job, and cannot be taken back.

    Raises:
        ConflictProblem: it is no longer waiting, or the same person recorded it.
    """
    request = _locked(request_id, {Status.RECEIVED})
    if request.requested_by_id == by.pk:
        raise ConflictProblem(
            _("A second person must approve: you recorded this request yourself."),
            hint=_("Ask a colleague who may approve requests."),
            code="same_person",
        )
    request.approved_by, request.approved_at, request.status = by, timezone.now(), Status.APPROVED
    request.save(update_fields=["approved_by", "approved_at", "status"])
    audit.record(action="request.approve", target=request, by=by, fields=["status"])
    jobs.enqueue(JOB, request.pk)
    return request


@transaction.atomic
def refuse(*, request_id: UUID, reason: str, by: User) -> DataSubjectRequest:
    """Refuse with a ground; the refusal stays on record (PDPA s.39) and the data may be used again.

    Raises:
        ConflictProblem: it is no longer waiting.
    """
    request = _locked(request_id, {Status.RECEIVED})
    withdrawn = reason == DataSubjectRequest.Refusal.WITHDRAWN
    request.status = Status.CANCELLED if withdrawn else Status.REFUSED
    request.refusal_reason = reason
    request.save(update_fields=["status", "refusal_reason"])
    audit.record(action="request.refuse", target=request, by=by, fields=["status", "refusal_reason"])
    return request


@transaction.atomic
def retry(*, request_id: UUID, by: User) -> DataSubjectRequest:
    """Try the steps that failed again, now.

    Raises:
        ConflictProblem: nothing of it has failed.
    """
    request = _locked(request_id, {Status.PARTIAL})
    request.lease_until = None
    request.save(update_fields=["lease_until"])
    audit.record(action="request.retry", target=request, by=by)
    jobs.enqueue(JOB, request.pk)
    return request


def _locked(request_id: UUID, expected: set[str]) -> DataSubjectRequest:
    request = DataSubjectRequest.objects.select_for_update().get(pk=request_id)
    if request.status not in expected:
        raise ConflictProblem(
            _("This request has moved on: it is %(status)s now.") % {"status": request.get_status_display()},
            hint=_("Load the page again."),
        )
    return request
