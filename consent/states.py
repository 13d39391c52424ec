"""What has been said about consent, and what follows from it: the rules in one place. `consent.state_sql` says the same
in SQL, and a generative test holds the two equal.

Pure: no Django, no clock, no database.

The statements of one person about one purpose and one channel are those of all records of the profile. A *target* is
an address, or ``""`` for the person as a whole. A statement without an address is about every address of its record
when it grants, and about the whole person when it denies.

1. An unchanged cell is no statement: a `cell` whose predecessor in source time, of the same record and address, has the
   same state. `consent.cells` keeps most of them out of the ledger; what it had to let in is decided here.
2. Within a record the latest statement about the target holds; at the same instant the denial holds.
3. Among the records of a person a standing denial wins over every grant, except over a standing grant that names it:
   one whose `supersedes_until` is not before the denial.
4. A grant through a public write key (`browser`) counts only where nothing denies; it never cancels a denial.
5. Who never said anything has the third state, `never`: it grants nothing and vetoes nothing.
6. On some `Terms` a grant has no effect: one that has expired, and one that a minor gave without a guardian. The first
   still overrules the denials that it overruled; the second never did. Where nothing else grants, the state says so:
   `expired`, `needs_guardian`. Neither vetoes anything.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import NamedTuple
from uuid import UUID


class State(StrEnum):
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    NEVER = "never"
    EXPIRED = "expired"  # granted, longer ago than the purpose's consents hold
    NEEDS_GUARDIAN = "needs_guardian"  # granted by a minor alone

    @property
    def denies(self) -> bool:
        return self in {State.REFUSED, State.WITHDRAWN}


class Origin(StrEnum):
    EVENT = "event"
    BROWSER = "browser"
    CELL = "cell"
    SCREEN = "screen"


class Basis(StrEnum):
    """Legal bases of PDPA s.24 (GDPR Art. 6)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGITIMATE_INTEREST = "legitimate_interest"
    LEGAL_OBLIGATION = "legal_obligation"

    def allows(self, state: State) -> bool:
        """Consent needs a grant; contract and legitimate interest obey an objection (PDPA s.32); an obligation by law
        asks nobody."""
        match self:
            case Basis.CONSENT:
                return state is State.GRANTED
            case Basis.CONTRACT | Basis.LEGITIMATE_INTEREST:
                return not state.denies
            case Basis.LEGAL_OBLIGATION:
                return True


@dataclass(frozen=True, slots=True)
class Statement:
    """One entry of the ledger, as far as the rules read it. `occurred_at` is the source's clock."""

    record_id: int
    channel: str
    address: str
    state: State
    occurred_at: datetime
    origin: Origin = Origin.EVENT
    supersedes_until: datetime | None = None
    id: UUID | None = None
    by_guardian: bool = False

    @property
    def order(self) -> tuple[datetime, bool, str]:
        """In time; at the same instant a grant stands before a denial, so that the denial is the later."""
        return (self.occurred_at, self.state.denies, self.state)


def birthday_before(day: str, years: int) -> str:
    """The latest day of birth of somebody who is `years` old on the day (both YYYY-MM-DD, compared as text)."""
    return f"{int(day[:4]) - years:04d}{day[4:]}"


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a grant has effect (PDPA s.19 and s.20). Without any every grant has.

    Args:
        stale_before: a grant given before this has expired; None: none expires.
        born: day of birth as YYYY-MM-DD; empty: not known, and the person is of age.
        own_age: who was younger on the day of the grant needs a guardian's; 0: nobody.
        zone: whose days they are.
    """

    stale_before: datetime | None = None
    born: str = ""
    own_age: int = 0
    zone: tzinfo | None = None

    def is_stale(self, grant: Statement) -> bool:
        return self.stale_before is not None and grant.occurred_at < self.stale_before

    def lacks_guardian(self, grant: Statement) -> bool:
        if not self.born or not self.own_age or grant.by_guardian:
            return False
        day = grant.occurred_at.astimezone(self.zone).date().isoformat()
        return self.born > birthday_before(day, self.own_age)


ALWAYS = Terms()


class Held(NamedTuple):
    """A record holds an address, validly and now."""

    record_id: int
    channel: str
    address: str


class Target(NamedTuple):
    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of one target, whether the basis allows its use, and the statement that decided it (None: nobody said
    anything that applies)."""

    state: State
    is_usable: bool
    because: Statement | None


@dataclass(frozen=True, slots=True)
class _Stand:
    """What one record says about one target in the end."""

    denial: Statement | None  # the standing one
    grant: Statement | None  # the latest standing one that covers the target
    expired: Statement | None  # the same of those that have expired
    unguarded: Statement | None  # and of those that a minor gave alone
    overrules_until: datetime | None


def resolve(
    statements: Iterable[Statement], *, basis: Basis, held: Collection[Held] = (), terms: Terms = ALWAYS
) -> Mapping[Target, Verdict]:
    """The state of every target of one person for one purpose.

    Args:
        statements: of all records of the person, about one purpose and any channels.
        held: which record holds which address; without it a grant for "every address" covers none by name.
        terms: when a grant has effect; they are those of consent, and say nothing where the basis is another.

    Returns:
        A verdict per channel and address that was named or is held, and one per channel for the address ``""``.
        Channels of which nothing is known are absent: `never`.
    """
    said = changes(statements)
    targets = {Target(one.channel, address) for one in said for address in ("", one.address)}
    targets |= {Target(one.channel, address) for one in held for address in ("", one.address)}
    holdings = frozenset(held)
    terms = terms if basis is Basis.CONSENT else ALWAYS
    return {target: _verdict(target, said, holdings, basis, terms) for target in targets}


def overall(verdicts: Mapping[Target, Verdict], channel: str, *, basis: Basis) -> Verdict:
    """What a person says about a channel as a whole: granted when any target is, else the latest denial, else what has
    no effect (any more), else never."""
    decided = [
        (one.because.order, target.address == "", one)
        for target, one in verdicts.items()
        if target.channel == channel and one.because
    ]
    if not decided:
        return Verdict(State.NEVER, basis.allows(State.NEVER), None)
    grants = [entry for entry in decided if entry[2].state is State.GRANTED]
    denials = [entry for entry in decided if entry[2].state.denies]
    expired = [entry for entry in decided if entry[2].state is State.EXPIRED]
    return max(grants or denials or expired or decided, key=itemgetter(0, 1))[2]


def changes(statements: Iterable[Statement]) -> list[Statement]:
    """The statements without unchanged cells (rule 1), ordered by record and time."""
    ordered = sorted(statements, key=lambda one: (one.record_id, one.channel, one.address, one.order))
    kept: list[Statement] = []
    for _same, group in groupby(ordered, key=attrgetter("record_id", "channel", "address")):
        cell: State | None = None
        for one in group:
            if one.origin is Origin.CELL:
                if one.state is cell:
                    continue
                cell = one.state
            kept.append(one)
    return kept


def _verdict(target: Target, said: list[Statement], held: frozenset[Held], basis: Basis, terms: Terms) -> Verdict:
    about = [one for one in said if one.channel == target.channel and one.address in {"", target.address}]
    by_record = groupby(about, key=attrgetter("record_id"))
    stands = [_stand(list(group), target, held, terms) for _record, group in by_record]
    denial = max((one.denial for one in stands if one.denial), key=attrgetter("order"), default=None)
    overruled = max((one.overrules_until for one in stands if one.overrules_until), default=None)
    if denial and (overruled is None or denial.occurred_at > overruled):
        return Verdict(denial.state, basis.allows(denial.state), denial)
    for state, grants in (
        (State.GRANTED, [one.grant for one in stands if one.grant]),
        (State.EXPIRED, [one.expired for one in stands if one.expired]),
        (State.NEEDS_GUARDIAN, [one.unguarded for one in stands if one.unguarded]),
    ):
        if grants:
            return Verdict(state, basis.allows(state), max(grants, key=attrgetter("order")))
    return Verdict(State.NEVER, basis.allows(State.NEVER), None)


def _stand(about: list[Statement], target: Target, held: frozenset[Held], terms: Terms) -> _Stand:
    """Rules 2, 4 and 6 for one record. `about` holds its statements about the target, at least one."""
    denial = max((one for one in about if one.state.denies), key=attrgetter("order"), default=None)
    grants = [one for one in about if not one.state.denies]
    if denial:
        grants = [one for one in grants if one.occurred_at > denial.occurred_at]
    valid = [one for one in grants if not terms.lacks_guardian(one)]
    if any(one.origin is not Origin.BROWSER for one in valid):
        denial = None
    if denial:
        return _Stand(denial, None, None, None, None)
    covering = [
        one
        for one in grants
        if one.address == target.address or Held(one.record_id, target.channel, target.address) in held
    ]
    unguarded = [one for one in covering if terms.lacks_guardian(one)]
    covering = [one for one in covering if not terms.lacks_guardian(one)]
    return _Stand(
        denial=None,
        grant=_latest(one for one in covering if not terms.is_stale(one)),
        expired=_latest(one for one in covering if terms.is_stale(one)),
        unguarded=_latest(unguarded),
        overrules_until=max((one.supersedes_until for one in valid if one.supersedes_until), default=None),
    )


def _latest(statements: Iterable[Statement]) -> Statement | None:
    return max(statements, key=attrgetter("order"), default=None)
