"""What the profiles app tells and asks the apps above it, without knowing them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.core.checks import Error, register
from django.dispatch import Signal


@dataclass(frozen=True, slots=True)
class ConsentStatement:
    """What a message says about consent; `purpose`, `channel` and `state` have passed `consent_problem`.

    Args:
        message_id: UUID made of source and messageId; with purpose, channel, address and state it names the entry, so
            that a message which is digested twice is recorded once.
        address: as it was sent; empty for every address of the record.
        occurred_at: the source's clock, or None when the source did not say; `received_at`: ours.
        origin: "event" (the person's own act) or "cell" (a column of a file, repeated whether it changed or not).
        may_overrule: False for what anybody may have sent (a public write key): it never overrides a denial.
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
    may_overrule: bool = True
    notice_version: str = ""
    language: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    operation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ConsentProblem:
    """Why a statement cannot be recorded. `reason` is a code, `detail` says what was expected."""

    reason: str
    detail: str


class Aspect(StrEnum):
    """What of a person changed, as far as what is derived from people tells it apart."""

    EVENT = "event"  # touchpoints of one event type, `subject`, came or went
    ORDERS = "orders"
    ATTRIBUTES = "attributes"  # winning values
    COMPUTED = "computed"  # the value of one computed trait, `subject`
    CONSENT = "consent"
    ADDRESSES = "addresses"  # by which the person can be reached
    PERSON = "person"  # everything: born, merged, parted, gone
    # Of nobody in particular: what the catalogue says of products, and what words mean the same.
    PRODUCTS = "products"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Touch:
    """One aspect of some people changed.

    Args:
        subject: the event type's or computed trait's id; None for all of them.
        cause: "event", "merge", "unmerge" or "erasure".
        touchpoint_ids: those that came, where nothing else of the aspect changed.
    """

    aspect: Aspect
    profile_ids: Collection[int]
    subject: int | None = None
    cause: str = "event"
    touchpoint_ids: Collection[UUID] = ()


# A message is being read: `purpose`, `channel`, `state`. Receivers return a ConsentProblem or None.
consent_checked = Signal()
# Sent by the digest with `statements`, a list of ConsentStatement: receivers append them in its transaction.
consents_stated = Signal()
# Sent by the digest at the end of its transaction with `profile_ids` and `event_type_ids` (frozensets) that it touched.
records_resolved = Signal()
# Records moved between profiles, sent in the transaction that moved them: `change` (pipeline.Change), `by`,
# `operation_id` (None when evidence did it). Merged: a profile redirects to another; unmerged: one is live again.
profile_merged = Signal()
profile_unmerged = Signal()
# Sent with `touches`, a sequence of Touch, in the transaction that changed these people, whatever did it. What is
# derived from people (memberships, computed traits) notes in that transaction what it has to do, and does it later.
people_touched = Signal()
# Sent in its transaction by what mended the people themselves and cannot say whom: anything of anybody may be another.
everybody_touched = Signal()
# Sent with `attributes` (a frozenset) in the transaction in which a person said what words of theirs mean.
words_said = Signal()
# Sent in its transaction by what told of products. `has_changed`: whether the catalogue says anything else of them than
# before; `attributes` (a frozenset): those whose words have got other spellings by it.
products_told = Signal()


def tell_touched(*touches: Touch) -> None:
    """Say in the caller's transaction that people changed. Nothing is sent where nobody did."""
    told = [touch for touch in touches if touch.profile_ids]
    if told:
        people_touched.send(sender=None, touches=told)


def consent_problem(purpose: str, channel: str, state: str) -> ConsentProblem | None:
    """The first objection to a statement before anything of its message is written; None when it can be recorded."""
    answers: list[tuple[Any, Any]] = consent_checked.send(sender=None, purpose=purpose, channel=channel, state=state)
    return next((problem for _receiver, problem in answers if problem is not None), None)


def send_consents(statements: Sequence[ConsentStatement]) -> None:
    """Hand statements over within the digest's transaction; an error of a receiver undoes it."""
    if statements:
        consents_stated.send(sender=None, statements=statements)


@register()
def somebody_keeps_consents(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Without a receiver every refusal that a source sends would be lost in silence."""
    if consents_stated.has_listeners() and consent_checked.has_listeners():
        return []
    return [
        Error(
            "Nobody receives consents from events and files (profiles.signals): they would be lost.",
            hint="consent.apps.ConsentConfig.ready connects consent.receivers.",
            id="profiles.E001",
        )
    ]
