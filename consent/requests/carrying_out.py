"""Carrying out approved requests of every kind but erasure, which has its own log of steps (`consent.erasure`).

One transaction does the work together with the row that says it is done. What fails is `partial`, told without values,
and tried again with growing pauses; a dead job's request is taken up again.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from cdp_site.core import audit, jobs
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from consent import answers
from consent.ledger import Evidence
from consent.models import Channel, DataSubjectRequest, Purpose
from consent.requests import intake, news
from consent.requests.identity import person_of
from consent.requests.machine import move
from profiles.editing import changing, fields
from profiles.models import Profile

log = structlog.get_logger("requests")

ACTOR: Final = "system:requests"
LEASE: Final = timedelta(minutes=10)
FIRST_PAUSE: Final = timedelta(minutes=2)
LONGEST_PAUSE: Final = timedelta(days=1)

Status = DataSubjectRequest.Status
Kind = DataSubjectRequest.Kind
# Gets the request, in a transaction; returns what was done, without values: the request's `outcome`.
Work = Callable[[DataSubjectRequest], dict[str, Any]]
_WORK: dict[str, Work] = {}


class NobodyThere(Exception):
    """The customer is no longer there: erased, or the request names nobody."""


def register(kind: str, work: Work) -> None:
    """Say what carries out requests of a kind. Raises ValueError for a kind that has it already."""
    if kind in _WORK:
        raise ValueError(f"{kind} is carried out already")
    _WORK[kind] = work


def run(request_id: UUID) -> None:
    """Work on an approved request until it is completed or has failed. Does nothing for one that somebody else works
    on, that has ended, or whose kind nobody carries out here. Idempotent."""
    now = timezone.now()
    free = DataSubjectRequest.objects.uncarried(now).filter(pk=request_id, kind__in=_WORK)
    if free.update(lease_until=now + LEASE) != 1:
        return
    try:
        with transaction.atomic():
            request = DataSubjectRequest.objects.select_for_update().get(pk=request_id)
            if request.status != Status.RUNNING:
                request.started_at = request.started_at or now
                move(request, Status.RUNNING, "started_at")
            request.outcome = _WORK[request.kind](request)
            request.completed_at, request.lease_until, request.changes = timezone.now(), None, None
            move(request, Status.COMPLETED, "outcome", "completed_at", "lease_until", "changes")
            news.tell(request)
            audit.record(action="request.complete", target=request, by=ACTOR, fields=["status"])
    except Exception as error:  # whatever it is, a person is told, and it is tried again
        _fail(request_id, error)


def resume() -> int:
    """Enqueue those whose job has died, was lost, or failed long enough ago; returns how many. For the clock."""
    found = DataSubjectRequest.objects.uncarried(timezone.now()).values_list("pk", flat=True)
    with transaction.atomic():
        for request_id in found:
            jobs.enqueue(intake.JOB, request_id)
    return len(found)


@transaction.atomic
def _fail(request_id: UUID, error: Exception) -> None:
    """Note the kind of the failure, never its values."""
    request = DataSubjectRequest.objects.select_for_update().get(pk=request_id)
    if request.status not in {Status.APPROVED, Status.RUNNING, Status.PARTIAL}:
        return
    problem = error.code if isinstance(error, MendableError) else type(error).__name__
    attempts = int(request.outcome.get("attempts", 0)) + 1
    request.outcome = {"problem": problem, "attempts": attempts}
    request.lease_until = timezone.now() + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(attempts - 1, 20))
    if request.status == Status.APPROVED:
        move(request, Status.RUNNING)
    if request.status == Status.RUNNING:
        move(request, Status.PARTIAL)
    request.save(update_fields=["outcome", "lease_until"])
    audit.record(action="request.partial", target=request, by=ACTOR, fields=["status"])
    log.error("request_failed", request=str(request_id), kind=request.kind, error=problem)


# --- the kinds ------------------------------------------------------------------------------------------------------


def _person(request: DataSubjectRequest) -> Profile:
    profile = person_of(request)
    if profile is None or profile.state != Profile.State.LIVE:
        raise NobodyThere
    return profile


def _by(request: DataSubjectRequest) -> Any:
    """In whose name it is done: of who recorded it, or approved what came by itself; of the product for a person's own
    withdrawal."""
    by: User | None = request.requested_by or request.approved_by
    return by or ACTOR


def deny(request: DataSubjectRequest) -> dict[str, Any]:
    """An objection (PDPA s.32) or a withdrawal (s.19): the denial of every channel stands in the ledger from now on, by
    which the gate goes when the request itself no longer bars. A legal obligation asks nobody."""
    profile, purposes = _person(request), list(_purposes(request))
    for purpose in purposes:
        for channel in Channel:
            answers.deny(
                profile=profile,
                purpose=purpose,
                channel=channel,
                addresses=(),
                evidence=Evidence.MESSAGE,
                reference=request.reference,
                by=_by(request),
            )
    return {"denied": [purpose.slug for purpose in purposes]}


def restrict(request: DataSubjectRequest) -> dict[str, Any]:
    """The gate has let nothing through since the first day; it goes on until the restriction is lifted."""
    _person(request)
    return {"restricted": [purpose.slug for purpose in _purposes(request)]}


def rectify(request: DataSubjectRequest) -> dict[str, Any]:
    """State what the person says is right, as staff do on the customer's page: it is shown, and every source's own
    statement stays beside it.

    Raises MendableError for a trait that cannot be changed here, or a value that cannot be kept.
    """
    profile, said, by = _person(request), intake.unseal(request.changes), _by(request)
    done = []
    for trait, text in sorted(said.items()):
        editable = fields.load(profile, trait, by=by)
        if editable is None:
            raise MendableError(f"{trait} cannot be changed", code="not_editable")
        changing.change(profile=profile, trait=trait, said={trait: text}, version=editable.version, by=by)
        done.append(trait)
    return {"rectified": done}


def _purposes(request: DataSubjectRequest) -> Iterable[Purpose]:
    """Those that the request is about."""
    wanted = Purpose.objects.filter(pk__in=request.purposes) if request.purposes else Purpose.objects.all()
    return wanted.exclude(basis=Purpose.Basis.LEGAL_OBLIGATION)


register(Kind.OBJECTION, deny)
register(Kind.WITHDRAWAL, deny)
register(Kind.RESTRICTION, restrict)
register(Kind.RECTIFICATION, rectify)
