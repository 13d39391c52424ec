"""Requests that people write into the public form (`/privacy/request/`).

Nobody is looked up while they wait: the answer is the same, and as quick, whether the company knows them or not. What
they wrote lies sealed with the request until staff have found out whom it is about and that it is them who ask. Until
then the request has no subject and keeps nobody's data from being used: else anybody could stop the messages that
somebody else wants.
"""

from dataclasses import asdict, dataclass

from django.utils import timezone

from consent.models import DataSubjectRequest
from consent.requests.intake import receive, unseal


@dataclass(frozen=True, slots=True)
class Contact:
    """What somebody wrote into the form. `language`: the one that they read it in."""

    name: str = ""
    email: str = ""
    phone: str = ""
    text: str = ""
    represents: str = ""
    language: str = ""


def from_the_public(*, kind: str, contact: Contact) -> DataSubjectRequest:
    """Record what somebody asks for; the law's clock runs from now on."""
    return receive(
        profile=None,
        received_at=timezone.now(),
        identity_checked="",
        note="",
        by=None,
        kind=kind,
        contact=asdict(contact),
    )


def contact_of(request: DataSubjectRequest) -> Contact | None:
    """What was written into the form; None for a request that did not come by it, or whose person was forgotten."""
    return Contact(**unseal(request.contact)) if request.contact else None
