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
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
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

    @property
    def order(self) -> tuple[datetime, bool, str]:
        """In time; at the same instant a grant stands before a denial, so that the denial is the later."""
        return (self.occurred_at, self.state.denies, self.state)


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
    overrules_until: datetime | None


def resolve(statements: Iterable[Statement], *, basis: Basis, held: Collection[Held] = ()) -> Mapping[Target, Verdict]:
    """The state of every target of one person for one purpose.

    Args:
        statements: of all records of the person, about one purpose and any channels.
        held: which record holds which address; without it a grant for "every address" covers none by name.

    Returns:
        A verdict per channel and address that was named or is held, and one per channel for the address ``""``.
        Channels of which nothing is known are absent: `never`.
    """
    said = changes(statements)
    targets = {Target(one.channel, address) for one in said for address in ("", one.address)}
    targets |= {Target(one.channel, address) for one in held for address in ("", one.address)}
    holdings = frozenset(held)
    return {target: _verdict(target, said, holdings, basis) for target in targets}


def overall(verdicts: Mapping[Target, Verdict], channel: str, *, basis: Basis) -> Verdict:
    """What a person says about a channel as a whole: granted when any target is, else the latest denial, else never."""
    decided = [
        (one.because.order, target.address == "", one)
        for target, one in verdicts.items()
        if target.channel == channel and one.because
    ]
    grants = [entry for entry in decided if entry[2].state is State.GRANTED]
    if not decided:
        return Verdict(State.NEVER, basis.allows(State.NEVER), None)
    return max(grants or decided, key=itemgetter(0, 1))[2]


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


def _verdict(target: Target, said: list[Statement], held: frozenset[Held], basis: Basis) -> Verdict:
    about = [one for one in said if one.channel == target.channel and one.address in {"", target.address}]
    stands = [_stand(list(group), target, held) for _record, group in groupby(about, key=attrgetter("record_id"))]
    denial = max((one.denial for one in stands if one.denial), key=attrgetter("order"), default=None)
    overruled = max((one.overrules_until for one in stands if one.overrules_until), default=None)
    if denial and (overruled is None or denial.occurred_at > overruled):
        return Verdict(denial.state, basis.allows(denial.state), denial)
    grant = max((one.grant for one in stands if one.grant), key=attrgetter("order"), default=None)
    if grant:
        return Verdict(State.GRANTED, basis.allows(State.GRANTED), grant)
    return Verdict(State.NEVER, basis.allows(State.NEVER), None)


def _stand(about: list[Statement], target: Target, held: frozenset[Held]) -> _Stand:
    """Rules 2 and 4 for one record. `about` holds its statements about the target, at least one."""
    denial = max((one for one in about if one.state.denies), key=attrgetter("order"), default=None)
    grants = [one for one in about if not one.state.denies]
    if denial:
        grants = [one for one in grants if one.occurred_at > denial.occurred_at]
    if any(one.origin is not Origin.BROWSER for one in grants):
        denial = None
    if denial:
        return _Stand(denial, None, None)
    covering = [
        one
        for one in grants
        if one.address == target.address or Held(one.record_id, target.channel, target.address) in held
    ]
    return _Stand(
        denial=None,
        grant=max(covering, key=attrgetter("order"), default=None),
        overrules_until=max((one.supersedes_until for one in grants if one.supersedes_until), default=None),
    )
