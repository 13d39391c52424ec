"""Which state of a request follows which; nothing else changes `status`, but the erasure that runs (`consent.erasure`).

received ⇄ identity check
received → approved (→ cooling-off) → running → completed | partial → closed
received, identity check → refused | cancelled;  cooling-off → cancelled
"""

from collections.abc import Collection
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import ConflictProblem, InternalError
from consent.models import DataSubjectRequest

Status = DataSubjectRequest.Status

MOVES: dict[str, frozenset[str]] = {
    Status.RECEIVED: frozenset(
        {Status.IDENTIFYING, Status.APPROVED, Status.COOLING, Status.REFUSED, Status.CANCELLED, Status.COMPLETED}
    ),
    Status.IDENTIFYING: frozenset({Status.RECEIVED, Status.REFUSED, Status.CANCELLED}),
    Status.COOLING: frozenset({Status.APPROVED, Status.CANCELLED}),
    Status.APPROVED: frozenset({Status.RUNNING}),
    Status.RUNNING: frozenset({Status.COMPLETED, Status.PARTIAL}),
    Status.PARTIAL: frozenset({Status.RUNNING}),
    Status.COMPLETED: frozenset({Status.CLOSED}),
    Status.REFUSED: frozenset({Status.CLOSED}),
    Status.CANCELLED: frozenset({Status.CLOSED}),
    Status.CLOSED: frozenset(),
}


def locked(request_id: UUID, expected: Collection[str]) -> DataSubjectRequest:
    """The request, held until the transaction ends. Raises ConflictProblem when it is in none of these states."""
    request: DataSubjectRequest = DataSubjectRequest.objects.select_for_update().get(pk=request_id)
    if request.status not in expected:
        raise ConflictProblem(
            _("This request has moved on: it is %(status)s now.") % {"status": request.get_status_display()},
            hint=_("Load the page again."),
        )
    return request


def move(request: DataSubjectRequest, to: str, *fields: str) -> None:
    """Change the state and save it with these fields. Raises InternalError for a step that does not exist."""
    if to not in MOVES[request.status]:
        raise InternalError(f"a request does not go from {request.status} to {to}")
    request.status = to
    request.save(update_fields=["status", *fields])
