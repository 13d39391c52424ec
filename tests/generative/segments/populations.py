"""Populations as plain data: written into the database for the compiler, projected through a viewer for the reference.

The projection uses the pure rules of `profiles.survivorship` and `consent.states`; nothing here reads the database.
"""

import dataclasses
import datetime as dt
import itertools
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from consent import states
from consent.contacts import CHANNELS_OF_KIND
from consent.models import Channel, ConsentEntry, DataSubjectRequest, Purpose
from ingestion.models import Source
from ingestion.normalise.identifier_kinds import KIND_OF_TRAIT
from profiles import survivorship
from profiles.models import (
    EventType,
    Identifier,
    Membership,
    Order,
    OrderLine,
    Pin,
    Product,
    Profile,
    SourceRecord,
    Touchpoint,
)
from segments.definition import evaluate, nodes
from segments.definition.nodes import ConsentState
from segments.definition.values import is_known
from segments.definition.viewer import Viewer
from segments.models import StaticList, StaticListMember
from tests.generative.segments.raw import (
    BASES,
    EVERYTHING,
    Eyes,
    RawConsent,
    RawIdentifier,
    RawLine,
    RawOrder,
    RawPerson,
    RawProduct,
    RawRecord,
    RawSource,
    RawTouchpoint,
)

__all__ = [
    "BASES",
    "EVERYTHING",
    "Eyes",
    "RawConsent",
    "RawIdentifier",
    "RawLine",
    "RawOrder",
    "RawPerson",
    "RawProduct",
    "RawRecord",
    "RawSource",
    "RawTouchpoint",
    "Stored",
    "project",
    "store",
]


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
            source_ids={slug: pk for slug, pk in self.source_ids.items() if eyes.see(slug)},
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
    people: Sequence[RawPerson],
    sources: Sequence[RawSource],
    eyes: Eyes = EVERYTHING,
    *,
    purposes: Iterable[str] = (),
    products: Sequence[RawProduct] = (),
) -> list[evaluate.Person]:
    """The people whom the eyes see, as they see them; `Person.id` is the number in `people`."""
    asked = tuple(purposes)
    return [
        evaluate.Person(
            id=number,
            attributes=_golden(number, person.records, sources, eyes),
            touchpoints=tuple(
                evaluate.Touchpoint(one.event, one.occurred_at, _with_product(one, products), one.source)
                for one in person.touchpoints
                if eyes.see(one.source) and one.event not in eyes.hidden_events
            ),
            orders=tuple(
                evaluate.Order(
                    one.total,
                    one.currency,
                    one.placed_at,
                    one.refunded,
                    one.is_cancelled,
                    tuple(_line(line, one.source, products) for line in one.lines),
                    discount=one.discount,
                )
                for one in person.orders
                if eyes.see(one.source)
            ),
            consents=_consents(person.records),
            reachable=_reachable(person, _golden(number, person.records, sources, eyes), asked, eyes),
            lists=frozenset().union(*(one.lists for one in person.records if eyes.see(one.source))),
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


def _with_product(one: RawTouchpoint, products: Sequence[RawProduct]) -> dict[str, Any]:
    """What a touchpoint says, else what the catalogue says of its product."""
    numbers = [
        str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        for value in (one.properties.get("sku"), one.properties.get("product_id"))
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""
    ]
    own = {name: value for name, value in one.properties.items() if value not in (None, "", [], {})}
    return {**(_in_catalogue(one.source, numbers[0], products) if numbers else {}), **own}


def _in_catalogue(source: str, sku: str, products: Sequence[RawProduct]) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for product in products:
        if (product.namespace, product.sku) == (source, sku):
            named = {"name": product.name, "category": product.category}
            known = {**product.attributes, **{name: value for name, value in named.items() if value}}
    return {name: value for name, value in known.items() if name not in nodes.NOT_OF_CATALOGUE}


def _line(line: RawLine, source: str, products: Sequence[RawProduct]) -> evaluate.OrderLine:
    """What the order says of a line, else what the catalogue says of its product."""
    known = _in_catalogue(source, line.sku, products) if line.sku else {}
    stated = {
        "sku": line.sku,
        "product_id": line.sku,
        "name": line.name,
        "category": line.category,
        "color": line.color,
        "coupon": line.coupon,
        "price": line.unit_price,
        "list_price": line.list_price,
        "quantity": line.quantity,
    }
    said = {name: value for name, value in stated.items() if value not in ("", None)}
    return evaluate.OrderLine(
        {**known, **said},
        line.quantity,
        line.quantity * (line.unit_price or Decimal(0)),
        line.discount or line.coupon_discount,
    )


def _reachable(
    person: RawPerson, golden: Mapping[str, Any], purposes: Iterable[str], eyes: Eyes
) -> frozenset[tuple[str, str]]:
    """The pairs of purpose and channel for which the gate gives an address, by the rules of `consent.gate`."""
    if person.asks_erasure:
        return frozenset()
    hidden = {KIND_OF_TRAIT.get(trait, trait) for trait in eyes.hidden_traits}
    held = [
        (number, eyes.see(record.source) and one.kind not in hidden, one)
        for number, record in enumerate(person.records)
        for one in record.identifiers
        if one.is_good
    ]
    found = set()
    for purpose in purposes:
        basis = BASES.get(purpose, states.Basis.CONSENT)
        verdicts = states.resolve(
            _statements(person.records).get(purpose, []),
            basis=basis,
            held=[states.Held(n, channel, one.value) for n, _, one in held for channel in CHANNELS_OF_KIND[one.kind]],
            terms=states.Terms(born=_born(person), own_age=20, zone=ZoneInfo("Asia/Bangkok")),
        )
        found |= {
            (purpose, channel)
            for _n, is_seen, one in held
            for channel in CHANNELS_OF_KIND[one.kind]
            if is_seen and verdicts[states.Target(channel, one.value)].is_usable
        }
        by_post = states.overall(verdicts, Channel.POST, basis=basis)
        if is_known(golden.get("address")) and by_post.is_usable:
            found.add((purpose, Channel.POST.value))
    return frozenset(found)


def _born(person: RawPerson) -> str:
    """The youngest day of birth that a record says, in full or its beginning."""
    said = [str(record.attributes.get("birth_date", "")) for record in person.records]
    return max((day for day in said if re.fullmatch(r"(19|20)\d\d(-\d\d){0,2}", day)), default="")


def _consents(records: Sequence[RawRecord]) -> dict[tuple[str, str], ConsentState]:
    basis = states.Basis.CONSENT
    found = {}
    for purpose, statements in _statements(records).items():
        verdicts = states.resolve(statements, basis=basis)
        for channel in {statement.channel for statement in statements}:
            found[purpose, channel] = ConsentState(states.overall(verdicts, channel, basis=basis).state.value)
    return found


def _statements(records: Sequence[RawRecord]) -> dict[str, list[states.Statement]]:
    said: dict[str, list[states.Statement]] = {}
    for number, record in enumerate(records):
        for one in record.consents:
            statement = states.Statement(
                number, one.channel, one.address, states.State(one.state), one.occurred_at, states.Origin(one.origin)
            )
            said.setdefault(one.purpose, []).append(statement)
    return said


# ── the database ─────────────────────────────────────────────────────────────────────────────────────────────────────


def store(
    people: Sequence[RawPerson],
    sources: Sequence[RawSource],
    purposes: Iterable[str] = (),
    products: Sequence[RawProduct] = (),
) -> Stored:
    """Write a population as the digest would have left it: births, memberships, golden values.

    A second population joins the first; the ids given back are those of the second.
    """
    by_slug = {
        source.slug: Source.objects.get_or_create(
            slug=source.slug, defaults={"name": source.slug, "trust_rank": source.trust_rank}
        )[0]
        for source in sources
    }
    purpose_of = {
        slug: Purpose.objects.update_or_create(
            slug=slug, defaults={"name": slug, "basis": BASES.get(slug, states.Basis.CONSENT).value}
        )[0]
        for slug in purposes
    }
    Product.objects.bulk_create(
        [
            Product(
                namespace=one.namespace,
                sku=one.sku,
                name=one.name,
                category=one.category,
                attributes=one.attributes,
                version_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
            )
            for one in products
        ],
        ignore_conflicts=True,
    )
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
    _store_orders(people, anchors, records, by_slug)
    _store_reach(people, anchors, records)
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


def _store_orders(
    people: Sequence[RawPerson],
    anchors: Sequence[Profile],
    records: Sequence[Sequence[SourceRecord]],
    by_slug: Mapping[str, Source],
) -> None:
    orders = [
        (
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
                discount=one.discount,
            ),
            one.lines,
        )
        for person, anchor, owned in zip(people, anchors, records, strict=True)
        for one in person.orders
    ]
    Order.objects.bulk_create(order for order, _lines in orders)
    OrderLine.objects.bulk_create(
        OrderLine(order=order, line_key=str(number), version_at=order.placed_at, **dataclasses.asdict(line))
        for order, lines in orders
        for number, line in enumerate(lines)
    )


def _store_reach(
    people: Sequence[RawPerson], anchors: Sequence[Profile], records: Sequence[Sequence[SourceRecord]]
) -> None:
    """Addresses, requests for erasure and lists."""
    owned = [
        (anchor, raw, record)
        for person, anchor, of_person in zip(people, anchors, records, strict=True)
        for raw, record in zip(person.records, of_person, strict=True)
    ]
    Identifier.objects.bulk_create(
        Identifier(
            kind=one.kind,
            namespace="global",
            value=one.value,
            raw=one.value,
            record=record,
            profile=anchor,
            is_evidence=one.is_good,
            problem=one.problem,
            is_current=one.is_current,
            valid_from=raw.last_seen_at,
            last_stated_at=raw.last_seen_at,
            valid_to=raw.last_seen_at if one.is_ended else None,
        )
        for anchor, raw, record in owned
        for one in raw.identifiers
    )
    DataSubjectRequest.objects.bulk_create(
        DataSubjectRequest(
            subject=anchor.public_id,
            received_at=person.records[0].last_seen_at,
            due_at=person.records[0].last_seen_at,
            identity_checked=DataSubjectRequest.IdentityCheck.values[0],
        )
        for person, anchor in zip(people, anchors, strict=True)
        if person.asks_erasure
    )
    listed = sorted({one for _anchor, raw, _record in owned for one in raw.lists})
    StaticList.objects.bulk_create([StaticList(pk=one, name=one) for one in listed], ignore_conflicts=True)
    StaticListMember.objects.bulk_create(
        StaticListMember(list_id=one, record=record) for _anchor, raw, record in owned for one in sorted(raw.lists)
    )
