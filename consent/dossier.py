"""What is known of one person's consent: enough to answer for every purpose and channel without further queries."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from django.utils import timezone

from cdp_site.core.access import EVERYTHING, Scope
from consent.contacts import (
    CHANNELS_OF_KIND,
    HARMLESS,
    KIND_OF_CHANNEL,
    Contact,
    fault_of,
    postal,
    postal_addresses,
    together,
)
from consent.models import Channel, ConsentEntry, DataSubjectRequest, Purpose
from consent.querysets import DataSubjectRequestQuerySet
from consent.reasons import Reason, first_told
from consent.states import Basis, Held, Origin, State, Statement, Target, Verdict, overall, resolve
from consent.terms import birth_of, birth_of_records, born_by, terms_of
from profiles import masking
from profiles.models import Identifier, Profile, SourceRecord
from profiles.past import Past

REASON_OF_STATE = {
    State.NEVER: Reason.NEVER_ASKED,
    State.REFUSED: Reason.REFUSED,
    State.WITHDRAWN: Reason.WITHDRAWN,
    State.EXPIRED: Reason.EXPIRED,
    State.NEEDS_GUARDIAN: Reason.NEEDS_GUARDIAN,
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


@dataclass(frozen=True, slots=True)
class Bar:
    """A request keeps the person's data from being used: for these purposes, or without any for all."""

    reason: Reason
    purposes: frozenset[int]


@dataclass(frozen=True)
class Dossier:
    """One person. `contacts` are those that the viewer may see; `held` are all, for what they say about each other."""

    entries: Mapping[int, Sequence[ConsentEntry]]  # purpose id → entries, the newest first
    contacts: Sequence[Contact]
    held: frozenset[Held]
    postal_address: str
    is_there: bool
    bars: Sequence["Bar"]
    born: str = ""  # the day of birth by which they may be a minor (`consent.terms`)
    at: datetime | None = None  # the moment at which a grant must have effect; None: now

    @cached_property
    def _verdicts(self) -> dict[tuple[int, str], Mapping[Target, Verdict]]:
        return {}

    def verdicts(self, purpose: Purpose) -> Mapping[Target, Verdict]:
        key = (purpose.pk, purpose.basis)
        if key not in self._verdicts:
            said = [statement_of(entry) for entry in self.entries.get(purpose.pk, ())]
            self._verdicts[key] = resolve(
                said,
                basis=Basis(purpose.basis),
                held=self.held,
                terms=terms_of(purpose, born=self.born, at=self.at or timezone.now()),
            )
        return self._verdicts[key]

    def overall(self, purpose: Purpose, channel: str) -> Verdict:
        """What the person says about the channel as a whole."""
        return overall(self.verdicts(purpose), channel, basis=Basis(purpose.basis))

    @property
    def is_to_be_erased(self) -> bool:
        return any(bar.reason is Reason.ERASURE for bar in self.bars)

    @property
    def is_restricted(self) -> bool:
        return any(bar.reason is Reason.RESTRICTED for bar in self.bars)

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
        if purpose.basis != Purpose.Basis.LEGAL_OBLIGATION:
            reasons = [bar.reason for bar in self.bars if not bar.purposes or purpose.pk in bar.purposes]
            if reasons:
                return first_told(reasons)
        return None if purpose.is_active else Reason.PURPOSE_INACTIVE

    def _objection(self, purpose: Purpose, channel: str, address: str) -> Reason | None:
        if channel == Channel.POST:
            verdict = self.overall(purpose, channel)
        else:
            verdict = self.verdicts(purpose)[Target(channel, address)]  # who has no fault is held
        return None if verdict.is_usable else REASON_OF_STATE[verdict.state]


def bars(requests: DataSubjectRequestQuerySet) -> Iterable[tuple[UUID, Bar]]:
    """Of those requests that block, whom they are about and what they bar. One query."""
    for subject, kind, purposes in requests.blocking().values_list("subject", "kind", "purposes"):
        is_erasure = kind == DataSubjectRequest.Kind.ERASURE
        yield subject, Bar(Reason.ERASURE if is_erasure else Reason.RESTRICTED, frozenset(purposes))


def read(profile: Profile, *, scope: Scope = EVERYTHING) -> Dossier:
    """The dossier of a profile, with the addresses that the scope sees. Four queries, and one for a limited scope."""
    entries = ConsentEntry.objects.of_profiles([profile.pk]).standing().select_related("source")
    by_purpose: dict[int, list[ConsentEntry]] = defaultdict(list)
    for entry in entries.order_by("-occurred_at", "-pk"):
        by_purpose[entry.purpose_id].append(entry)
    stated = Identifier.objects.filter(profile=profile, kind__in=CHANNELS_OF_KIND).select_related("record")
    identifiers = list(stated.defer("record__attributes", "record__attribute_times"))
    hidden = masking.hidden_kinds(scope)
    return Dossier(
        entries=by_purpose,
        contacts=together(
            one for one in identifiers if scope.sees_source(one.record.source_id) and one.kind not in hidden
        ),
        held=_held(identifiers),
        postal_address=postal_addresses([profile], scope)[profile.pk],
        is_there=profile.state == Profile.State.LIVE,
        bars=[bar for _subject, bar in bars(DataSubjectRequest.objects.about_profile(profile))],
        born=birth_of(profile.pk),
    )


def of_records(groups: Sequence[Collection[int]], golden: Sequence[Mapping[str, Any]]) -> list[Dossier]:
    """The dossier that each group of records would have as one person, with the golden record that it would have.
    Four queries."""
    records = {record for group in groups for record in group}
    entries = (
        ConsentEntry.objects.of_records(records).standing().select_related("source").order_by("-occurred_at", "-pk")
    )
    of_record: dict[int, list[ConsentEntry]] = defaultdict(list)
    for entry in entries:
        of_record[entry.record_id].append(entry)
    identifiers: dict[int, list[Identifier]] = defaultdict(list)
    for identifier in Identifier.objects.filter(record__in=records, kind__in=CHANNELS_OF_KIND):
        identifiers[identifier.record_id].append(identifier)
    rows = SourceRecord.objects.filter(pk__in=records).values_list(
        "pk", "birth_profile__public_id", "kind", "attributes__birth_date"
    )
    births, born = {}, {}
    for record, public_id, kind, day in rows:
        births[record], born[record] = public_id, (kind, day)
    barred: dict[UUID, list[Bar]] = defaultdict(list)
    for subject, bar in bars(DataSubjectRequest.objects.about(births.values())):
        barred[subject].append(bar)
    found = []
    for group, values in zip(groups, golden, strict=True):
        by_purpose: dict[int, list[ConsentEntry]] = defaultdict(list)
        said = (entry for record in group for entry in of_record[record])
        for entry in sorted(said, key=lambda one: (one.occurred_at, one.pk), reverse=True):
            by_purpose[entry.purpose_id].append(entry)
        own = [identifier for record in group for identifier in identifiers[record]]
        found.append(
            Dossier(
                entries=by_purpose,
                contacts=together(own),
                held=_held(own),
                postal_address=postal(values),
                is_there=True,
                bars=[
                    bar
                    for subject in {births[record] for record in group if record in births}
                    for bar in barred[subject]
                ],
                born=born_by(born[record] for record in group if record in born),
            )
        )
    return found


def look_back(past: Past) -> Dossier:
    """What had been said by the end of a day, by all records of the customer of then; without addresses, which nobody
    can use in the past. Three queries."""
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
        bars=(),
        born=birth_of_records(past.record_ids),
        at=past.at,
    )


def look_back_with_addresses(past: Past, scope: Scope, golden: Mapping[str, Any]) -> Dossier:
    """The same with the addresses that the scope sees, had been stated by then, and are without fault today: for
    telling why somebody was chosen, never for using one. Four queries."""
    stated = list(
        Identifier.objects.filter(
            record__in=past.record_ids, kind__in=CHANNELS_OF_KIND, valid_from__lt=past.at
        ).select_related("record")
    )
    hidden = masking.hidden_kinds(scope)
    seen = [one for one in stated if scope.sees_source(one.record.source_id) and one.kind not in hidden]
    return replace(look_back(past), contacts=together(seen), held=_held(stated), postal_address=postal(golden))


def _held(identifiers: Iterable[Identifier]) -> frozenset[Held]:
    return frozenset(
        Held(one.record_id, channel, one.value)
        for one in identifiers
        if fault_of(one) is None
        for channel in CHANNELS_OF_KIND[one.kind]
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
        by_guardian=entry.by_guardian,
    )
