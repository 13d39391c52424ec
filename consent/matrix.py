"""Consent as a page shows it: channel × purpose, and which address may be used for what now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.errors import Text
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import masked
from consent import dossier, notices
from consent.answers import standing_denial
from consent.contacts import FAULTS, Contact
from consent.dossier import Dossier, Permission
from consent.models import Channel, ConsentEntry, Notice, Purpose
from consent.reasons import Reason
from consent.states import State, Verdict
from consent.terms import is_minor
from consent.wording import STATES, how
from ingestion.models import Source
from profiles import masking
from profiles.labels import phone_text
from profiles.models import Profile
from profiles.past import Past

ICON_OF_CHANNEL = {
    Channel.EMAIL: "mail",
    Channel.SMS: "message",
    Channel.PHONE: "phone",
    Channel.LINE: "brand-line",
    Channel.PUSH: "bell",
    Channel.POST: "map-pin",
}
ICON_OF_STATE = {
    State.GRANTED: "check",
    State.REFUSED: "ban",
    State.WITHDRAWN: "x",
    State.NEVER: "circle-dashed",
    State.EXPIRED: "clock",
    State.NEEDS_GUARDIAN: "users",
}
# What opens the program that a channel is used with.
SCHEME = {Channel.EMAIL: "mailto:", Channel.SMS: "sms:", Channel.PHONE: "tel:"}
# Shown to everybody; the others when there is an address or a word on them.
USUAL_CHANNELS = (Channel.EMAIL, Channel.SMS, Channel.PHONE, Channel.LINE)

# The browser's event by which other parts of a page learn of an answer.
CHANGED = "consent:changed"


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of the ledger, for reading. `source` is None for one of another department: it counts, and is not
    shown further."""

    state: Text
    icon: str
    at: datetime
    address: str
    how: Text
    source: Source | None
    notice_version: str


@dataclass(frozen=True, slots=True)
class Cell:
    """What the person says on one channel about one purpose, and what follows."""

    purpose: Purpose
    channel: Channel
    state: State
    text: Text
    icon: str
    since: datetime | None
    permission: Permission

    @property
    def channel_label(self) -> Text:
        return self.channel.label

    @property
    def channel_icon(self) -> str:
        return ICON_OF_CHANNEL[self.channel]


@dataclass(frozen=True, slots=True)
class Address:
    """An address with what it may be used for now. `href` is empty when it may not, or is hidden from this role."""

    channel: Channel
    icon: str
    value: str
    text: str
    href: str
    reason: Reason | None

    @property
    def channel_label(self) -> Text:
        return self.channel.label

    @property
    def opens_program(self) -> bool:
        """Whether there is a program to open with it, once it is shown."""
        return self.channel in SCHEME

    @property
    def is_real(self) -> bool:
        """Whether it is an address of the person at all, whatever they say about its use."""
        return self.reason is None or self.reason not in FAULTS


@dataclass(frozen=True, slots=True)
class Matrix:
    channels: Sequence[tuple[Channel, str]]
    rows: Sequence[tuple[Purpose, Sequence[Cell]]]
    purpose: Purpose | None
    addresses: Sequence[Address]
    is_to_be_erased: bool
    is_restricted: bool = False  # a request keeps the data from being used, for some purposes or for all

    @property
    def asked(self) -> tuple[Purpose, Sequence[Cell]] | None:
        """The first purpose that takes a consent, with what was said about it: what an agent has to know at once."""
        return next((row for row in self.rows if row[0].basis == Purpose.Basis.CONSENT), None)

    @property
    def open_purposes(self) -> frozenset[int]:
        """Keys of the purposes for which some address may be used now."""
        return frozenset(purpose.pk for purpose, cells in self.rows if any(cell.permission.is_given for cell in cells))


@dataclass(frozen=True, slots=True)
class Detail:
    """One cell of the matrix with its addresses and its history."""

    cell: Cell
    addresses: Sequence[Address]
    history: Sequence[Told]
    decided_by: Told | None
    denial: ConsentEntry | None
    denial_told: Told | None
    notice: Notice | None
    """What is read to the customer now."""
    seen: Sequence[Notice]
    """What the statements of the history rested on."""
    is_young: bool
    """By their birthday a guardian may have to consent."""


def read(profile: Profile, *, by: User, purpose: str = "") -> Matrix:
    """The panel of a profile; `purpose` is the one whose addresses are listed. Four queries beside the scope."""
    known = dossier.read(profile, scope=scope_of(by))
    purposes = list(Purpose.objects.filter(is_active=True))
    channels = _channels(known, purposes)
    chosen = next((one for one in purposes if one.slug == purpose), _usual(purposes))
    shows = masking.shows_identifiers(by, profile.pk)
    return Matrix(
        channels=[(channel, ICON_OF_CHANNEL[channel]) for channel in channels],
        rows=[(one, [_cell(known, one, channel) for channel in channels]) for one in purposes],
        purpose=chosen,
        addresses=[address for channel in channels for address in _addresses(known, chosen, channel, shows=shows)]
        if chosen
        else [],
        is_to_be_erased=known.is_to_be_erased,
        is_restricted=known.is_restricted,
    )


def look_back(past: Past) -> Matrix:
    """What had been said by the end of a day. Three queries."""
    known = dossier.look_back(past)
    purposes = list(Purpose.objects.filter(is_active=True))
    channels = _channels(known, purposes)
    return Matrix(
        channels=[(channel, ICON_OF_CHANNEL[channel]) for channel in channels],
        rows=[(one, [_cell(known, one, channel) for channel in channels]) for one in purposes],
        purpose=None,
        addresses=[],
        is_to_be_erased=False,
    )


def read_cell(profile: Profile, purpose: Purpose, channel: Channel, *, by: User) -> Detail:
    """One cell with its history. Six queries beside the scope."""
    scope = scope_of(by)
    known = dossier.read(profile, scope=scope)
    verdict = known.overall(purpose, channel)
    by_id = {entry.pk: entry for entry in known.entries.get(purpose.pk, ())}
    decided_by = by_id[verdict.because.id] if verdict.because and verdict.because.id else None
    denial = standing_denial(known, purpose, channel)
    masks = not masking.shows_identifiers(by, profile.pk)
    return Detail(
        cell=_cell(known, purpose, channel),
        addresses=_addresses(known, purpose, channel, shows=not masks),
        history=[
            told_of(entry, scope, masks=masks)
            for entry in by_id.values()
            if entry.channel == channel and scope.sees_source(entry.source_id)
        ],
        decided_by=told_of(decided_by, scope, masks=masks) if decided_by else None,
        denial=denial,
        denial_told=told_of(denial, scope, masks=masks) if denial else None,
        notice=notices.in_force(purpose),
        seen=notices.seen_by(purpose, (entry for entry in by_id.values() if entry.channel == channel)),
        is_young=is_minor(known.born, timezone.now()),
    )


def _usual(purposes: Sequence[Purpose]) -> Purpose | None:
    """What a caller is mostly contacted for: their order, before an offer."""
    service = [one for one in purposes if one.basis != Purpose.Basis.CONSENT]
    return next(iter([*service, *purposes]), None)


def _channels(known: Dossier, purposes: Sequence[Purpose]) -> list[Channel]:
    spoken_of = {entry.channel for purpose in purposes for entry in known.entries.get(purpose.pk, ())}
    return [one for one in Channel if one in USUAL_CHANNELS or one in spoken_of or known.addresses(one)]


def _cell(known: Dossier, purpose: Purpose, channel: Channel) -> Cell:
    verdict: Verdict = known.overall(purpose, channel)
    return Cell(
        purpose=purpose,
        channel=channel,
        state=verdict.state,
        text=STATES[verdict.state],
        icon=ICON_OF_STATE[verdict.state],
        since=verdict.because.occurred_at if verdict.because else None,
        permission=known.may_use(purpose, channel),
    )


def _addresses(known: Dossier, purpose: Purpose, channel: Channel, *, shows: bool) -> list[Address]:
    blocked = dict(known.may_use(purpose, channel).blocked)
    return [
        Address(
            channel=channel,
            icon=ICON_OF_CHANNEL[channel],
            value=contact.address,
            text=shown(contact, masks=not shows),
            href=f"{SCHEME[channel]}{contact.address}"
            if shows and contact.address not in blocked and channel in SCHEME
            else "",
            reason=blocked.get(contact.address),
        )
        for contact in known.addresses(channel)
    ]


def shown(contact: Contact, *, masks: bool) -> str:
    text = phone_text(contact.address) if contact.kind == "phone" else contact.address
    return masking.mask("address" if contact.kind == "post" else contact.kind, text) if masks else text


def told_of(entry: ConsentEntry, scope: Scope, *, masks: bool) -> Told:
    state = State(entry.state)
    return Told(
        state=STATES[state],
        icon=ICON_OF_STATE[state],
        at=entry.occurred_at,
        address=masked(entry.address) if masks else entry.address,
        how=how(entry),
        source=entry.source if scope.sees_source(entry.source_id) else None,
        notice_version=entry.notice_version,
    )
