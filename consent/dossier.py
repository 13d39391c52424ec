"""What is known of one person's consent: enough to answer for every purpose and channel without further queries."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cdp_site.core.access import EVERYTHING, Scope
from consent.contacts import CHANNELS_OF_KIND, HARMLESS, KIND_OF_CHANNEL, Contact, fault_of, postal_addresses, together
from consent.models import Channel, ConsentEntry, DataSubjectRequest, Purpose
from consent.reasons import Reason, first_told
from consent.states import Basis, Held, Origin, State, Statement, Target, Verdict, overall, resolve
from profiles import masking
from profiles.models import Identifier, Profile
from profiles.past import Past

REASON_OF_STATE = {
    State.NEVER: Reason.NEVER_ASKED,
    State.REFUSED: Reason.REFUSED,
    State.WITHDRAWN: Reason.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Permission:
    """The addresses that may be used, and why not for the others. Without any address `blocked` has one for ``""``."""

    addresses: tuple[str, ...]
    blocked: tuple[tuple[str, Reason], ...]

    @property
    def is_given(self) -> bool:
        return bool(self.addresses)

    @property
    def reason(self) -> Reason | None:
        """Why nothing may be used; None when something may."""
        return None if self.addresses else first_told([reason for _address, reason in self.blocked])


@dataclass(frozen=True)
class Dossier:
    """One person. `contacts` are those that the viewer may see; `held` are all, for what they say about each other."""

    entries: Mapping[int, Sequence[ConsentEntry]]  # purpose id → entries, the newest first
    contacts: Sequence[Contact]
    held: frozenset[Held]
    postal_address: str
    is_there: bool
    is_to_be_erased: bool

    @cached_property
    def _verdicts(self) -> dict[tuple[int, str], Mapping[Target, Verdict]]:
        return {}

    def verdicts(self, purpose: Purpose) -> Mapping[Target, Verdict]:
        key = (purpose.pk, purpose.basis)
        if key not in self._verdicts:
            said = [statement_of(entry) for entry in self.entries.get(purpose.pk, ())]
            self._verdicts[key] = resolve(said, basis=Basis(purpose.basis), held=self.held)
        return self._verdicts[key]

    def overall(self, purpose: Purpose, channel: str) -> Verdict:
        """What the person says about the channel as a whole."""
        return overall(self.verdicts(purpose), channel, basis=Basis(purpose.basis))

    def may_use(self, purpose: Purpose, channel: str) -> Permission:
        barred = self._barred(purpose)
        reasons = {
            one.address: barred or one.fault or self._objection(purpose, channel, one.address)
            for one in self.addresses(channel)
        }
        if not reasons:
            return Permission((), (("", barred or Reason.NO_ADDRESS),))
        return Permission(
            addresses=tuple(address for address, reason in reasons.items() if reason is None),
            blocked=tuple((address, reason) for address, reason in reasons.items() if reason is not None),
        )

    def addresses(self, channel: str) -> list[Contact]:
        """The addresses that the channel reaches the person by."""
        if channel == Channel.POST:
            return [Contact(channel, self.postal_address, self.postal_address, None)] if self.postal_address else []
        return [one for one in self.contacts if one.kind == KIND_OF_CHANNEL[Channel(channel)]]

    def _barred(self, purpose: Purpose) -> Reason | None:
        if not self.is_there:
            return Reason.ERASURE
        if self.is_to_be_erased and purpose.basis != Purpose.Basis.LEGAL_OBLIGATION:
            return Reason.ERASURE
        return None if purpose.is_active else Reason.PURPOSE_INACTIVE

    def _objection(self, purpose: Purpose, channel: str, address: str) -> Reason | None:
        if channel == Channel.POST:
            verdict = self.overall(purpose, channel)
        else:
            verdict = self.verdicts(purpose)[Target(channel, address)]  # who has no fault is held
        return None if verdict.is_usable else REASON_OF_STATE[verdict.state]


def read(profile: Profile, *, scope: Scope = EVERYTHING) -> Dossier:
    """The dossier of a profile, with the addresses that the scope sees. Three queries, and two for a limited scope."""
    entries = ConsentEntry.objects.of_profiles([profile.pk]).standing().select_related("source")
    by_purpose: dict[int, list[ConsentEntry]] = defaultdict(list)
    for entry in entries.order_by("-occurred_at", "-pk"):
        by_purpose[entry.purpose_id].append(entry)
    identifiers = list(Identifier.objects.filter(profile=profile, kind__in=CHANNELS_OF_KIND).select_related("record"))
    hidden = masking.hidden_kinds(scope)
    return Dossier(
        entries=by_purpose,
        contacts=together(
            one for one in identifiers if scope.sees_source(one.record.source_id) and one.kind not in hidden
        ),
        held=frozenset(
            Held(one.record_id, channel, one.value)
            for one in identifiers
            if fault_of(one) is None
            for channel in CHANNELS_OF_KIND[one.kind]
        ),
        postal_address=postal_addresses([profile], scope)[profile.pk],
        is_there=profile.state == Profile.State.LIVE,
        is_to_be_erased=DataSubjectRequest.objects.about_profile(profile).open().exists(),
    )


def look_back(past: Past) -> Dossier:
    """What had been said by the end of a day, by all records of the customer of then; without addresses, which nobody
    can use in the past. Two queries."""
    entries = ConsentEntry.objects.of_records(past.record_ids).stood(past.at).select_related("source")
    by_purpose: dict[int, list[ConsentEntry]] = defaultdict(list)
    for entry in entries.order_by("-occurred_at", "-pk"):
        by_purpose[entry.purpose_id].append(entry)
    stated = Identifier.objects.filter(
        record__in=past.record_ids, kind__in=CHANNELS_OF_KIND, valid_from__lt=past.at, problem__in=HARMLESS
    )
    return Dossier(
        entries=by_purpose,
        contacts=(),
        held=frozenset(
            Held(one.record_id, channel, one.value) for one in stated for channel in CHANNELS_OF_KIND[one.kind]
        ),
        postal_address="",
        is_there=True,
        is_to_be_erased=False,
    )


def statement_of(entry: ConsentEntry) -> Statement:
    return Statement(
        record_id=entry.record_id,
        channel=entry.channel,
        address=entry.address,
        state=State(entry.state),
        occurred_at=entry.occurred_at,
        origin=Origin(entry.origin),
        supersedes_until=entry.supersedes_until,
        id=entry.pk,
    )
