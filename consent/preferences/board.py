"""What stands on the preference page, and what a person says there.

A statement is an own act of the person. It lies on the record that they were born as, so that a merge takes it along
and an unmerge leaves it with whom the link was given to. A grant names the addresses that it covers, and the denial
that the page has shown: it is the later word of the person themselves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from cdp_site.core import jobs
from cdp_site.core.errors import ConflictProblem, MendableError, Text
from consent import dossier, ledger, notices
from consent.answers import standing_denial
from consent.dossier import Dossier
from consent.ledger import OwnAct
from consent.matrix import ICON_OF_CHANNEL
from consent.models import Channel, ConsentEntry, Notice, Purpose
from consent.states import State
from consent.terms import is_minor
from consent.wording import STATES
from profiles.models import Profile, SourceRecord
from profiles.resolution import pipeline

RECEIPT_JOB = "consent.jobs.send_receipt"


@dataclass(frozen=True, slots=True)
class Switch:
    """One purpose on one channel. `is_on`: it may be used. `may_turn_on`: the person alone may allow it."""

    channel: Channel
    icon: str
    state: Text
    is_on: bool
    may_turn_on: bool
    needs_guardian: bool

    @property
    def label(self) -> Text:
        return self.channel.label


@dataclass(frozen=True, slots=True)
class Group:
    """A purpose with its switches; those that a law demands have none."""

    purpose: Purpose
    notice: Notice | None
    switches: Sequence[Switch]


def read(profile: Profile) -> list[Group]:
    """The page of a person, without any of their addresses. Six queries."""
    known = dossier.read(profile)
    in_force = notices.all_in_force()
    channels = _channels(known)
    return [
        Group(purpose, in_force.get(purpose.pk), [] if _is_duty(purpose) else _switches(known, purpose, channels))
        for purpose in Purpose.objects.filter(is_active=True)
    ]


@transaction.atomic
def say(*, named: UUID, purpose: Purpose, channel: Channel, is_on: bool) -> bool:
    """Record one switch; False when it stood so already.

    Args:
        named: the person as the link names them.

    Raises:
        MendableError: a minor needs a guardian for it, or there is no address to allow.
        ConflictProblem: the person is no longer there.
    """
    record, known = _open(named)
    entries = _turn_on(record, known, purpose, channel) if is_on else _turn_off(record, known, purpose, channel)
    _send_receipt(entries)
    return bool(entries)


@transaction.atomic
def all_off(*, named: UUID, how: OwnAct = OwnAct.PREFERENCES, purposes: Iterable[Purpose] | None = None) -> int:
    """Deny everything that a person can deny, on every channel; returns how many purposes on channels were on.

    Raises:
        ConflictProblem: the person is no longer there.
    """
    record, known = _open(named)
    wanted = Purpose.objects.filter(is_active=True) if purposes is None else purposes
    entries = [
        entry
        for purpose in wanted
        if not _is_duty(purpose)
        for channel in Channel
        for entry in _turn_off(record, known, purpose, channel, how)
    ]
    _send_receipt(entries)
    return len(entries)


def obey_signal(*, named: UUID, profile: Profile) -> bool:
    """What a browser's Sec-GPC: 1 says (CCPA): no sale, no sharing. It does not overrule what the person has switched
    on here since. Returns whether anything was denied by it."""
    sharing = Purpose.objects.filter(is_active=True, is_sharing=True)
    if not sharing:
        return False
    own = ConsentEntry.objects.of_profiles([profile.pk]).filter(
        actor=ledger.OWN_ACT, state=State.GRANTED, purpose__in=sharing
    )
    switched_on = set(own.values_list("purpose", flat=True))
    return bool(all_off(named=named, how=OwnAct.GPC, purposes=[one for one in sharing if one.pk not in switched_on]))


def _open(named: UUID) -> tuple[SourceRecord, Dossier]:
    """Their record, and what is known of them with records kept where they are until the transaction ends."""
    pipeline.share_merge_lock()
    record = SourceRecord.objects.filter(birth_profile__public_id=named).select_related("source").first()
    profile = Profile.objects.filter(memberships__record=record, memberships__valid_to__isnull=True).first()
    if record is None or profile is None or profile.state != Profile.State.LIVE:
        raise ConflictProblem(_("This link does not work any more."))
    return record, dossier.read(profile)


def _channels(known: Dossier) -> list[Channel]:
    spoken_of = {entry.channel for entries in known.entries.values() for entry in entries}
    return [one for one in Channel if one in spoken_of or known.addresses(one)]


def _switches(known: Dossier, purpose: Purpose, channels: Iterable[Channel]) -> list[Switch]:
    found = []
    for channel in channels:
        verdict = known.overall(purpose, channel)
        needs_guardian = _needs_guardian(known, purpose)
        found.append(
            Switch(
                channel=channel,
                icon=ICON_OF_CHANNEL[channel],
                state=STATES[verdict.state],
                is_on=verdict.is_usable,
                may_turn_on=not needs_guardian and bool(_allowable(known, channel)),
                needs_guardian=needs_guardian,
            )
        )
    return found


def _is_duty(purpose: Purpose) -> bool:
    return purpose.basis == Purpose.Basis.LEGAL_OBLIGATION


def _needs_guardian(known: Dossier, purpose: Purpose) -> bool:
    by_consent = purpose.basis == Purpose.Basis.CONSENT
    return by_consent and is_minor(known.born, timezone.now(), purpose)


def _allowable(known: Dossier, channel: Channel) -> list[str]:
    return [contact.address for contact in known.addresses(channel) if contact.fault is None]


def _turn_on(record: SourceRecord, known: Dossier, purpose: Purpose, channel: Channel) -> list[ConsentEntry]:
    if known.overall(purpose, channel).is_usable:
        return []
    if _needs_guardian(known, purpose):
        raise MendableError(_("A parent or guardian has to allow this. Ask them to write to us."))
    addresses = _allowable(known, channel)
    if not addresses:
        raise MendableError(_("We have no address of yours for this."))
    denial = standing_denial(known, purpose, channel)
    return ledger.record_own_act(
        record=record,
        purpose=purpose,
        channel=channel,
        state=State.GRANTED,
        how=OwnAct.PREFERENCES,
        notice=notices.in_force(purpose),
        addresses=() if channel == Channel.POST else addresses,
        supersedes_until=denial.occurred_at if denial else None,
    )


def _turn_off(
    record: SourceRecord, known: Dossier, purpose: Purpose, channel: Channel, how: OwnAct = OwnAct.PREFERENCES
) -> list[ConsentEntry]:
    """Nothing is written where the whole channel is denied already: a denial of one address leaves others open."""
    said = known.verdicts(purpose)
    targets = [target for target in said if target.channel == channel]
    if targets and all(said[target].state.denies for target in targets):
        return []
    granted = known.overall(purpose, channel).state is State.GRANTED
    return ledger.record_own_act(
        record=record,
        purpose=purpose,
        channel=channel,
        state=State.WITHDRAWN if granted else State.REFUSED,
        how=how,
        notice=notices.in_force(purpose),
    )


def _send_receipt(entries: Sequence[ConsentEntry]) -> None:
    if entries:
        jobs.enqueue(RECEIPT_JOB, get_language() or "th", *(entry.pk for entry in entries))
