"""Populations as plain data: written into the database for the compiler, projected through a viewer for the reference.

The projection uses the pure rules of `profiles.survivorship` and `consent.states`; nothing here reads the database.
"""

import datetime as dt
import itertools
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from consent import states
from consent.models import ConsentEntry, Purpose
from ingestion.models import Source
from profiles import survivorship
from profiles.models import EventType, Membership, Order, Pin, Profile, SourceRecord, Touchpoint
from segments.definition import evaluate
from segments.definition.compile import Viewer
from segments.definition.nodes import ConsentState


@dataclass(frozen=True)
class RawSource:
    slug: str
    trust_rank: int


@dataclass(frozen=True)
class RawTouchpoint:
    source: str
    event: str
    occurred_at: dt.datetime
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RawOrder:
    source: str
    total: Decimal
    placed_at: dt.datetime
    currency: str = "THB"
    refunded: Decimal = Decimal(0)
    is_cancelled: bool = False


@dataclass(frozen=True)
class RawConsent:
    purpose: str
    channel: str
    state: str
    occurred_at: dt.datetime
    address: str = ""
    origin: str = "event"


@dataclass(frozen=True)
class RawRecord:
    """What one source knows. `times`: trait → when it was stated; others when the record was last seen."""

    source: str
    last_seen_at: dt.datetime
    attributes: Mapping[str, Any] = field(default_factory=dict)
    times: Mapping[str, dt.datetime] = field(default_factory=dict)
    pins: frozenset[str] = frozenset()
    consents: tuple[RawConsent, ...] = ()


@dataclass(frozen=True)
class RawPerson:
    """The first record is the anchor; touchpoints and orders hang on it whatever source they came by."""

    records: tuple[RawRecord, ...]
    touchpoints: tuple[RawTouchpoint, ...] = ()
    orders: tuple[RawOrder, ...] = ()
    kind: str = "identified"
    state: str = "live"


@dataclass(frozen=True)
class Eyes:
    """A viewer in terms of a population: None sees every source."""

    sources: frozenset[str] | None = None
    hidden_traits: frozenset[str] = frozenset()
    hidden_events: frozenset[str] = frozenset()

    def see(self, source: str) -> bool:
        return self.sources is None or source in self.sources


EVERYTHING = Eyes()


@dataclass(frozen=True)
class Stored:
    """A population in the database: numbers of people to profile ids, names to ids."""

    profile_ids: tuple[int, ...]
    source_ids: Mapping[str, int]
    event_type_ids: Mapping[str, int]
    purpose_ids: Mapping[str, int]

    def viewer(self, eyes: Eyes) -> Viewer:
        return Viewer(
            event_types={name: pk for name, pk in self.event_type_ids.items() if name not in eyes.hidden_events},
            purposes=self.purpose_ids,
            hidden_traits=eyes.hidden_traits,
            sources=None if eyes.sources is None else frozenset(self.source_ids[slug] for slug in eyes.sources),
        )

    def people(self, ids: Iterable[int]) -> set[int]:
        """Numbers of the people behind profile ids."""
        numbers = {profile_id: number for number, profile_id in enumerate(self.profile_ids)}
        return {numbers[profile_id] for profile_id in ids}


def external_id(person: int, record: int) -> str:
    """The name of a person's record in its source: in another order than they come in, to tell the two apart."""
    return f"{person}-{'ซbZ9ก7'[record % 6]}{record}"


# ── the reference's view ─────────────────────────────────────────────────────────────────────────────────────────────


def project(
    people: Sequence[RawPerson], sources: Sequence[RawSource], eyes: Eyes = EVERYTHING
) -> list[evaluate.Person]:
    """The people whom the eyes see, as they see them; `Person.id` is the number in `people`."""
    return [
        evaluate.Person(
            id=number,
            attributes=_golden(number, person.records, sources, eyes),
            touchpoints=tuple(
                evaluate.Touchpoint(one.event, one.occurred_at, one.properties)
                for one in person.touchpoints
                if eyes.see(one.source) and one.event not in eyes.hidden_events
            ),
            orders=tuple(
                evaluate.Order(one.total, one.currency, one.placed_at, one.refunded, one.is_cancelled)
                for one in person.orders
                if eyes.see(one.source)
            ),
            consents=_consents(person.records),
        )
        for number, person in enumerate(people)
        if person.kind == "identified"
        and person.state == "live"
        and any(eyes.see(one.source) for one in person.records)
    ]


def _golden(person: int, records: Sequence[RawRecord], sources: Sequence[RawSource], eyes: Eyes) -> dict[str, Any]:
    places = {source.slug: place for place, source in enumerate(sources)}
    candidates = itertools.chain.from_iterable(
        survivorship.candidates_of(
            record_id=number,
            source_id=places[record.source],
            external_id=external_id(person, number),
            trust_rank=sources[places[record.source]].trust_rank,
            attributes={trait: value for trait, value in record.attributes.items() if trait not in eyes.hidden_traits},
            times={trait: at.isoformat() for trait, at in record.times.items()},
            last_seen_at=record.last_seen_at,
            pinned=record.pins,
        )
        for number, record in enumerate(records)
        if eyes.see(record.source)
    )
    return survivorship.values(survivorship.golden(candidates))


def _consents(records: Sequence[RawRecord]) -> dict[tuple[str, str], ConsentState]:
    said: dict[str, list[states.Statement]] = {}
    for number, record in enumerate(records):
        for one in record.consents:
            statement = states.Statement(
                number, one.channel, one.address, states.State(one.state), one.occurred_at, states.Origin(one.origin)
            )
            said.setdefault(one.purpose, []).append(statement)
    basis = states.Basis.CONSENT
    found = {}
    for purpose, statements in said.items():
        verdicts = states.resolve(statements, basis=basis)
        for channel in {statement.channel for statement in statements}:
            found[purpose, channel] = ConsentState(states.overall(verdicts, channel, basis=basis).state.value)
    return found


# ── the database ─────────────────────────────────────────────────────────────────────────────────────────────────────


def store(people: Sequence[RawPerson], sources: Sequence[RawSource], purposes: Iterable[str] = ()) -> Stored:
    """Write a population as the digest would have left it: births, memberships, golden values.

    A second population joins the first; the ids given back are those of the second.
    """
    by_slug = {
        source.slug: Source.objects.get_or_create(
            slug=source.slug, defaults={"name": source.slug, "trust_rank": source.trust_rank}
        )[0]
        for source in sources
    }
    purpose_of = {slug: Purpose.objects.get_or_create(slug=slug, defaults={"name": slug})[0] for slug in purposes}
    events = {one.event for person in people for one in person.touchpoints}
    EventType.objects.bulk_create([EventType(name=name) for name in sorted(events)], ignore_conflicts=True)
    type_of = {one.name: one for one in EventType.objects.all()}

    anchors = Profile.objects.bulk_create(
        Profile(kind=person.kind, state=person.state, golden=_golden(number, person.records, sources, EVERYTHING))
        for number, person in enumerate(people)
    )
    records = _store_records(people, anchors, by_slug)
    ConsentEntry.objects.bulk_create(
        ConsentEntry(
            record=record,
            purpose=purpose_of[one.purpose],
            channel=one.channel,
            address=one.address,
            state=one.state,
            occurred_at=one.occurred_at,
            received_at=one.occurred_at,
            origin=one.origin,
            basis="consent",
            source=record.source,
            actor="system:test",
        )
        for person, owned in zip(people, records, strict=True)
        for raw, record in zip(person.records, owned, strict=True)
        for one in raw.consents
    )
    Touchpoint.objects.bulk_create(
        Touchpoint(
            id=uuid.uuid4(),
            profile=anchor,
            record=owned[0],
            source=by_slug[one.source],
            type=type_of[one.event],
            occurred_at=one.occurred_at,
            received_at=one.occurred_at,
            properties=one.properties,
        )
        for person, anchor, owned in zip(people, anchors, records, strict=True)
        for one in person.touchpoints
    )
    Order.objects.bulk_create(
        Order(
            source=by_slug[one.source],
            external_id=str(uuid.uuid4()),
            profile=anchor,
            record=owned[0],
            status="cancelled" if one.is_cancelled else "completed",
            placed_at=one.placed_at,
            version_at=one.placed_at,
            currency=one.currency,
            total=one.total,
            refunded=one.refunded,
        )
        for person, anchor, owned in zip(people, anchors, records, strict=True)
        for one in person.orders
    )
    return Stored(
        tuple(anchor.pk for anchor in anchors),
        {slug: source.pk for slug, source in by_slug.items()},
        {name: one.pk for name, one in type_of.items()},
        {slug: purpose.pk for slug, purpose in purpose_of.items()},
    )


def _store_records(
    people: Sequence[RawPerson], anchors: Sequence[Profile], by_slug: Mapping[str, Source]
) -> list[list[SourceRecord]]:
    """Records with births and memberships, by person. Births that were merged keep values that are no longer true."""
    births = [
        [anchor]
        + [
            Profile(kind=person.kind, state="redirected", redirect_to=anchor, golden={"city": "red", "age": 5})
            for _record in person.records[1:]
        ]
        for person, anchor in zip(people, anchors, strict=True)
    ]
    Profile.objects.bulk_create(birth for of_person in births for birth in of_person[1:])
    records = [
        [
            SourceRecord(
                source=by_slug[raw.source],
                kind="identified",
                external_id=f"{external_id(person, place)} {uuid.uuid4()}",  # a test may store several populations
                birth_profile=birth,
                attributes=raw.attributes,
                attribute_times={trait: at.isoformat() for trait, at in raw.times.items()},
                content_hash=b"",
                first_seen_at=raw.last_seen_at,
                last_seen_at=raw.last_seen_at,
                received_at=raw.last_seen_at,
            )
            for place, (raw, birth) in enumerate(zip(raw_person.records, of_person, strict=True))
        ]
        for person, (raw_person, of_person) in enumerate(zip(people, births, strict=True))
    ]
    SourceRecord.objects.bulk_create(record for of_person in records for record in of_person)
    Membership.objects.bulk_create(
        membership
        for of_person, born in zip(records, births, strict=True)
        for record, birth in zip(of_person, born, strict=True)
        for membership in _memberships(record, birth, born[0])
    )
    Pin.objects.bulk_create(
        Pin(record=record, trait=trait, actor="system:test")
        for person, of_person in zip(people, records, strict=True)
        for raw, record in zip(person.records, of_person, strict=True)
        for trait in sorted(raw.pins)
    )
    return records


def _memberships(record: SourceRecord, birth: Profile, anchor: Profile) -> list[Membership]:
    """The present one, and for a merged record the past one in its birth profile."""
    joined_at = record.received_at
    present = Membership(record=record, profile=anchor, valid_from=joined_at)
    if birth is anchor:
        return [present]
    began_at = joined_at - dt.timedelta(days=9)
    return [present, Membership(record=record, profile=birth, valid_from=began_at, valid_to=joined_at)]
