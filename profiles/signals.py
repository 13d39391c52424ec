"""What the profiles app tells the apps above it, one signal per batch, inside the transaction that it speaks of."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.checks import Error, register
from django.dispatch import Signal


@dataclass(frozen=True, slots=True)
class ConsentStatement:
    """What a message says about consent, not yet looked at: `purpose`, `channel` and `state` are the sender's words.

    Args:
        message_id: UUID made of source and messageId; with purpose, channel, address and state it names the entry, so
            that a message digested twice is recorded once.
        address: normalised; empty for every address of the record.
        occurred_at: the source's clock, or None when the source did not say; `received_at`: ours.
        origin: "event" (the person's own act), "browser" (the same through a public write key, which anybody can
            use), "cell" (a column of a file) or "screen" (told to a member of staff).
        evidence: how it was said (form, page, row of a file); ids and codes.
    """

    record_id: int
    source_id: int
    message_id: UUID
    purpose: str
    channel: str
    address: str
    state: str
    occurred_at: datetime | None
    received_at: datetime
    origin: str
    notice_version: str = ""
    language: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    operation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RejectedConsent:
    """A statement that was not recorded: the digest quarantines its message. `reason` is a code, `detail` says what
    was expected and holds no value of a customer."""

    statement: ConsentStatement
    reason: str
    detail: str


# Sent by the digest with `statements`: a list of ConsentStatement. Receivers write in the digest's transaction and
# return a list of RejectedConsent.
consents_stated = Signal()


@register()
def somebody_keeps_consents(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Without a receiver every refusal that a source sends would be lost in silence."""
    if consents_stated.has_listeners():
        return []
    return [
        Error(
            "Nobody receives profiles.signals.consents_stated: consents from events and files would be lost.",
            hint="consent.apps.ConsentConfig.ready connects consent.receivers.",
            id="profiles.E001",
        )
    ]
