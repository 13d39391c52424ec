"""Requests under the law that a system of the company passes on: taken in, matched with the person, closed.

An erasure becomes a data-subject request, which a person of compliance still checks and approves. Who asked for a copy,
whom nobody here knows, and what concerns everybody of a source waits on the page of requests until somebody has dealt
with it. The system gets the same answer in each case: whether a person is known here is none of its business.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from cdp_site.core import audit
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import User
from consent.models import DataSubjectRequest, ForwardedRequest
from consent.requests import regimes
from ingestion.webhooks.reading import SubjectRequest
from profiles.models import Membership, Profile, SourceRecord

BY = "system:webhook"
Kind = ForwardedRequest.Kind


@transaction.atomic
def take(sender: object, *, request: SubjectRequest, source_id: int, **kwargs: Any) -> None:
    """Receiver of `ingestion.signals.subject_request_stated`. The same request again changes nothing."""
    row, is_new = ForwardedRequest.objects.get_or_create(
        source_id=source_id,
        external_id=request.external_id,
        defaults={
            "kind": request.kind.value,
            "received_at": request.received_at,
            "record": request.record_id,
            "evidence": dict(request.evidence),
        },
    )
    if is_new:
        audit.record(action="request.forwarded", target=row, by=BY, fields=["kind"])
        _match(row)


@transaction.atomic
def match_waiting() -> None:
    """Chore: what came before the person did is matched when the person is there."""
    since = timezone.now() - timedelta(days=2)
    for row in ForwardedRequest.objects.waiting().unmatched().received_since(since).select_for_update():
        _match(row)


@transaction.atomic
def close(*, forwarded_id: UUID, by: User) -> ForwardedRequest:
    """Somebody has dealt with it. Raises ConflictProblem when it is closed already."""
    row: ForwardedRequest = ForwardedRequest.objects.select_for_update().get(pk=forwarded_id)
    if row.closed_at is not None:
        raise ConflictProblem("It is closed already.")
    _close(row, by=by)
    audit.record(action="request.forwarded_done", target=row, by=by, fields=["closed_at"])
    return row


def _match(row: ForwardedRequest) -> None:
    profile = _person(row)
    if profile is None:
        return
    row.subject = profile.public_id
    row.save(update_fields=["subject"])
    if row.kind == Kind.ERASURE:
        row.request = _request_for(profile, row)
        row.save(update_fields=["request"])
        _close(row, by=None)


def _person(row: ForwardedRequest) -> Profile | None:
    """Whom the system means: by the customer's own id there, and by nothing that others may share."""
    if not row.record:
        return None
    record = SourceRecord.objects.filter(
        source=row.source_id, kind=SourceRecord.Kind.IDENTIFIED, external_id=row.record
    ).first()
    if record is None:
        return None
    owner = Membership.objects.select_related("profile").filter(record=record, valid_to__isnull=True).first()
    return owner.profile if owner else None


def _request_for(profile: Profile, row: ForwardedRequest) -> DataSubjectRequest:
    """The person's open erasure: the one that is there, or a new one."""
    held: DataSubjectRequest | None = (
        DataSubjectRequest.objects.about_profile(profile).of_kind(DataSubjectRequest.Kind.ERASURE).open().first()
    )
    if held is not None:
        return held
    request = DataSubjectRequest.objects.create(
        subject=profile.public_id,
        received_at=row.received_at,
        due_at=regimes.due_at(settings.REQUEST_HOME_REGIME, DataSubjectRequest.Kind.ERASURE, row.received_at),
        identity_checked=DataSubjectRequest.IdentityCheck.SYSTEM,
        requested_by=None,
    )
    audit.record(action="request.receive", target=request, by=BY, fields=["received_at", "identity_checked"])
    return request


def _close(row: ForwardedRequest, *, by: User | None) -> None:
    row.closed_at, row.closed_by = timezone.now(), by
    row.record, row.subject, row.evidence = "", None, {}
    row.save(update_fields=["closed_at", "closed_by", "record", "subject", "evidence"])
