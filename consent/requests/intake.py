"""Taking a request in: from its commit on the law's clock runs."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import User
from consent.models import DataSubjectRequest
from profiles.models import Profile

Kind = DataSubjectRequest.Kind

# From the day on which the person asked: the PDPC's notice of 2024 on PDPA s.33, copies and backups included.
DAYS_TO_ACT = {Kind.ERASURE: 90}


@transaction.atomic
def receive(
    *, profile: Profile, received_at: datetime, identity_checked: str, note: str, by: User
) -> DataSubjectRequest:
    """Record that the person asked for erasure. From now on their data is not used (`consent.gate`).

    Args:
        received_at: when the person asked; the legal clock runs from it.

    Raises:
        MendableError: the time lies ahead.
        ConflictProblem: such a request is open already.
    """
    if received_at > timezone.now():
        raise MendableError(_("The request cannot have been received in the future."), field="received_at")
    if DataSubjectRequest.objects.about_profile(profile).open().exists():
        raise _already_open()
    request = DataSubjectRequest(
        subject=profile.public_id,
        received_at=received_at,
        due_at=received_at + timedelta(days=DAYS_TO_ACT[Kind.ERASURE]),
        identity_checked=identity_checked,
        note=note,
        requested_by=by,
    )
    try:
        with transaction.atomic():
            request.save()
    except IntegrityError as error:  # somebody else's, at the same moment: the constraint request_open_once
        raise _already_open() from error
    audit.record(action="request.receive", target=request, by=by, fields=["received_at", "identity_checked"])
    return request


def _already_open() -> ConflictProblem:
    return ConflictProblem(
        _("This customer's request is already being worked on."), hint=_("Open it from the list of requests.")
    )
