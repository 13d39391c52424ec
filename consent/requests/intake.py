"""Taking a request in: from its commit on the law's clock runs, and what it blocks is not used."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit, hashing, jobs
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import User
from consent.models import DataSubjectRequest, Purpose
from consent.requests import regimes
from consent.requests.machine import locked, move
from profiles.models import Profile

Kind = DataSubjectRequest.Kind
Check = DataSubjectRequest.IdentityCheck

PUBLIC = "system:public_form"
JOB = "consent.jobs.run_request"  # of every kind but erasure
# Who shows a document, or acts for somebody, is recorded with what was seen; the document itself is not kept.
SHOW_PROOF = frozenset({Check.REPRESENTATIVE})


@transaction.atomic
def receive(
    *,
    profile: Profile | None,
    received_at: datetime,
    identity_checked: str,
    note: str,
    by: User | None,
    kind: str = Kind.ERASURE,
    regime: str = "",
    purposes: Collection[int] = (),
    changes: Mapping[str, str] | None = None,
    contact: Mapping[str, str] | None = None,
    proof_seen: str = "",
) -> DataSubjectRequest:
    """Record what the person asked for.

    Args:
        profile: None when nobody was found (the public form): somebody looks by hand.
        received_at: when the person asked; the legal clock runs from it.
        identity_checked: "" when that is still to be done.
        by: None for the public form.
        regime: a key of the regimes; "" for the company's own.
        purposes: keys of the purposes that an objection, a restriction or a withdrawal is about; none: all.
        changes: of a rectification: trait → what it should be; without a profile somebody says it later.
        contact: what somebody wrote into the public form, to answer them; kept sealed.

    A withdrawal of somebody who is known needs nobody's approval and is carried out at once (PDPA s.19).

    Raises:
        MendableError: the time lies ahead, the purposes or changes do not fit, or the proof of a representative lacks.
        ConflictProblem: a request of this kind is open already.
    """
    if received_at > timezone.now():
        raise MendableError(_("The request cannot have been received in the future."), field="received_at")
    _check(kind, identity_checked, purposes, proof_seen)
    if bool(changes) != (kind == Kind.RECTIFICATION) and (changes or profile):
        raise MendableError(_("Say what should be put right."), field="changes")
    regime = regime or settings.REQUEST_HOME_REGIME
    if profile and DataSubjectRequest.objects.about_profile(profile).of_kind(kind).open().exists():
        raise _already_open()
    request = DataSubjectRequest(
        kind=kind,
        regime=regime,
        subject=profile.public_id if profile else None,
        purposes=sorted(set(purposes)),
        received_at=received_at,
        due_at=regimes.due_at(regime, kind, received_at),
        identity_checked=identity_checked,
        identified_at=timezone.now() if identity_checked else None,
        proof_seen=proof_seen,
        note=note,
        changes=seal(changes),
        contact=seal(contact),
        requested_by=by,
    )
    try:
        with transaction.atomic():
            request.save()
    except IntegrityError as error:  # somebody else's, at the same moment: the constraint request_open_once
        raise _already_open() from error
    fields = ["kind", "received_at", "identity_checked"]
    audit.record(action="request.receive", target=request, by=by or PUBLIC, fields=fields)
    if kind == Kind.WITHDRAWAL and profile and identity_checked:
        start_unapproved(request)
    return request


@transaction.atomic
def say_changes(*, request_id: UUID, changes: Mapping[str, str], by: User) -> DataSubjectRequest:
    """Say what a rectification puts right. Who says it has recorded the request: another person approves.

    Raises:
        MendableError: nothing is said.
        ConflictProblem: it is decided on.
    """
    request = locked(request_id, {DataSubjectRequest.Status.RECEIVED, DataSubjectRequest.Status.IDENTIFYING})
    if request.kind != Kind.RECTIFICATION or not changes:
        raise MendableError(_("Say what should be put right."), field="changes")
    request.changes, request.requested_by = seal(changes), by
    request.save(update_fields=["changes", "requested_by"])
    audit.record(action="request.say_changes", target=request, by=by, fields=sorted(changes))
    return request


def start_unapproved(request: DataSubjectRequest) -> None:
    """A withdrawal of somebody who is identified: nobody has to agree."""
    move(request, DataSubjectRequest.Status.APPROVED)
    jobs.enqueue(JOB, request.pk)


def seal(values: Mapping[str, str] | None) -> bytes | None:
    return hashing.seal(msgspec.json.encode(dict(values))) if values else None


def unseal(sealed: bytes | memoryview | None) -> dict[str, str]:
    """What was sealed; nothing for nothing."""
    return msgspec.json.decode(hashing.unseal(bytes(sealed)), type=dict[str, str]) if sealed else {}


def _check(kind: str, identity_checked: str, purposes: Collection[int], proof_seen: str) -> None:
    if identity_checked in SHOW_PROOF and not proof_seen.strip():
        raise MendableError(
            _("Say by what the representative showed their authority, such as “power of attorney of 3 May”."),
            field="proof_seen",
        )
    of_use = {Kind.OBJECTION, Kind.RESTRICTION, Kind.WITHDRAWAL}
    if purposes and kind not in of_use:
        raise MendableError(_("Such a request is about no single purpose."), field="purposes")
    if len(set(purposes)) != Purpose.objects.filter(pk__in=purposes).count():
        raise MendableError(_("Choose purposes from the list."), field="purposes")


def _already_open() -> ConflictProblem:
    return ConflictProblem(
        _("This customer's request is already being worked on."), hint=_("Open it from the list of requests.")
    )
