"""Somebody who has no link asks for one. The answer is the same whoever asks, and as quick."""

from django.db.models import Exists, OuterRef
from django.utils.translation import get_language

from cdp_site.core import jobs
from consent.contacts import HARMLESS
from consent.preferences.mails import LINK_JOB
from ingestion.normalise.email import normalise_email
from profiles.models import Identifier, Profile

NOBODY = 0
MOST_PEOPLE = 3  # who share a mailbox; each gets their own link


def ask(email: str) -> None:
    """Have the link mailed to whoever has this address; a job runs in any case. One query."""
    found = normalise_email(email)
    holds = Identifier.objects.filter(
        profile=OuterRef("pk"),
        kind="email",
        value=found.value,
        is_current=True,
        valid_to__isnull=True,
        problem__in=HARMLESS,
    )
    people = (
        [] if found.problem else list(Profile.objects.live().filter(Exists(holds)).values_list("pk", flat=True)[:4])
    )
    for profile_id in people if 0 < len(people) <= MOST_PEOPLE else [NOBODY]:
        jobs.enqueue(LINK_JOB, profile_id, (get_language() or "th")[:2])
