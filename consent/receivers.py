"""Consents that come by events and files: checked while a message is read, appended in the digest's transaction."""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from consent import forwarded, ledger
from consent.models import Channel, ConsentEntry, Purpose
from ingestion.messages import REASON_TEXTS
from ingestion.signals import subject_request_stated
from profiles.signals import ConsentProblem, ConsentStatement, consent_checked, consents_stated

# Shown on the quarantine page.
REASON_TEXTS |= {
    "unknown_purpose": _("Consent for a purpose that is not set up here"),
    "unknown_channel": _("Consent for a channel that is not known"),
    "unknown_state": _("Consent is neither granted, refused nor withdrawn"),
}

# A purpose that the admin has just made is known within this many seconds; meanwhile a file full of unknown ones costs
# one query a second, not one a row.
_REFRESH_SECONDS = 1.0


class _Slugs:
    """The purposes' short names, remembered by the process."""

    def __init__(self) -> None:
        self.known: frozenset[str] = frozenset()
        self.read_at = float("-inf")

    def __contains__(self, slug: str) -> bool:
        if slug not in self.known and time.monotonic() - self.read_at > _REFRESH_SECONDS:
            self.known = frozenset(Purpose.objects.values_list("slug", flat=True))
            self.read_at = time.monotonic()
        return slug in self.known


_slugs = _Slugs()


def check(sender: object, *, purpose: str, channel: str, state: str, **kwargs: Any) -> ConsentProblem | None:
    if purpose not in _slugs:
        return ConsentProblem("unknown_purpose", f"purpose: one of {', '.join(sorted(_slugs.known))}")
    if channel not in Channel.values:
        return ConsentProblem("unknown_channel", f"channel: one of {', '.join(Channel.values)}")
    if state not in ConsentEntry.State.values:
        return ConsentProblem("unknown_state", f"state: one of {', '.join(ConsentEntry.State.values)}")
    return None


def append(sender: object, *, statements: Sequence[ConsentStatement], **kwargs: Any) -> frozenset[UUID]:
    return ledger.append(statements)


def connect() -> None:
    consent_checked.connect(check, dispatch_uid="consent.check")
    consents_stated.connect(append, dispatch_uid="consent.append")
    subject_request_stated.connect(forwarded.take, dispatch_uid="consent.forwarded")
