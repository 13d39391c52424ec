"""What the page of a request shows beside the case itself: the law, who asked, what may be done next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from cdp_site.core.access import Permission, may
from cdp_site.core.models import User
from consent.models import DataSubjectRequest, IdentityCode, OutgoingMessage, Purpose
from consent.requests import identity, letter, regimes
from consent.requests.identity import Way
from consent.requests.intake import unseal
from consent.requests.messages import problem_text
from consent.requests.regimes import Regime, Right
from profiles.models import Trait

Status = DataSubjectRequest.Status
Kind = DataSubjectRequest.Kind
_ENDED = frozenset({Status.COMPLETED, Status.REFUSED, Status.CANCELLED})


@dataclass(frozen=True, slots=True)
class Sent:
    """A message about the request, and what became of it."""

    message: OutgoingMessage
    problem: object


@dataclass(frozen=True, slots=True)
class Desk:
    """`contact`, `changes` and `ways` are for who manages requests alone: a delegate decides without them."""

    regime: Regime
    right: Right
    purposes: Sequence[Purpose]
    contact: Mapping[str, str]
    changes: Mapping[str, str]  # trait, as readers call it → value
    ways: Sequence[Way]
    code: IdentityCode | None  # the one that is on its way
    sent: Sequence[Sent]
    may_identify: bool
    may_name: bool
    may_say_changes: bool
    may_refuse: bool
    may_take_back: bool
    may_extend: bool
    may_close: bool
    may_lift: bool
    has_letter: bool


def read(asked: DataSubjectRequest, *, by: User, now: datetime | None = None) -> Desk:
    """Everything for the page. Queries only for what the state of the request has a use for."""
    now = now or timezone.now()
    manages = may(by, Permission.MANAGE_REQUESTS)
    waits = asked.status in {Status.RECEIVED, Status.IDENTIFYING}
    identifies = manages and waits and not asked.is_identified
    right = regimes.right(asked.regime, asked.kind)
    live = asked.codes.filter(used_at__isnull=True, expires_at__gt=now, attempts__lt=identity.MOST_GUESSES)
    return Desk(
        regime=regimes.regimes()[asked.regime],
        right=right,
        purposes=list(Purpose.objects.filter(pk__in=asked.purposes)) if asked.purposes else [],
        contact={name: text for name, text in unseal(asked.contact).items() if text} if manages else {},
        changes=_named(unseal(asked.changes)) if manages else {},
        ways=identity.ways(asked) if identifies else [],
        code=live.order_by("-sent_at").first() if identifies else None,
        sent=[Sent(one, problem_text(one.problem)) for one in asked.messages.order_by("-created_at")],
        may_identify=identifies,
        may_name=manages and waits and asked.subject is None,
        may_say_changes=manages and waits and asked.kind == Kind.RECTIFICATION,
        may_refuse=manages and waits,
        may_take_back=manages and asked.status == Status.COOLING,
        may_extend=manages
        and asked.is_open
        and asked.extended_at is None
        and right.extension is not None
        and asked.due_at >= now,
        may_close=manages and asked.status in _ENDED,
        may_lift=manages
        and asked.kind == Kind.RESTRICTION
        and asked.status in {Status.COMPLETED, Status.CLOSED}
        and asked.lifted_at is None,
        has_letter=letter.has_letter(asked),
    )


def _named(changes: Mapping[str, str]) -> dict[str, str]:
    labels = {trait.name: str(trait) for trait in Trait.objects.filter(name__in=changes)} if changes else {}
    return {labels.get(name, name): value for name, value in changes.items()}
