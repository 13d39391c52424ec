"""Storing what messages say: each once, nobody who was erased, with its record, order, account, consent, touchpoint.

Runs in the transaction of a step of the digest, with the shared merge lock held.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from uuid import UUID

from django.db import connection

from cdp_site.core.errors import InternalError
from ingestion import landing, suppression
from profiles import (
    accounts,
    intake,
    order_shares,
    orders,
    passing,
    product_feed,
    reading,
    shares,
    signals,
    touchpoints,
)
from profiles.passing import Passing
from profiles.product_feed import ProductDraft
from profiles.reading import Draft
from profiles.statements import Owner, RecordKey
from profiles.touchpoints import NewTouchpoint

Entry: TypeAlias = Passing | Draft | ProductDraft

_event_types = touchpoints.EventTypes()


@dataclass(slots=True)
class Outcomes:
    """What became of entries. `counts`: (batch, stored | duplicate | suppressed) → how many."""

    counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    stored: list[Passing | Draft] = field(default_factory=list)

    def add(self, entry: Passing | Draft, outcome: str) -> None:
        self.counts[entry.batch.id, outcome] += 1
        if outcome == "stored":
            self.stored.append(entry)

    def extend(self, other: "Outcomes") -> None:
        self.counts += other.counts
        self.stored += other.stored


def store(entries: Sequence[Entry], *, by: str) -> Outcomes:
    """Write entries in the current transaction; returns what became of each."""
    outcomes = Outcomes()
    products = [entry for entry in entries if isinstance(entry, ProductDraft)]
    for (batch_id, _place), outcome in product_feed.store(products).items():
        outcomes.counts[batch_id, outcome] += 1
    of_people = [entry for entry in entries if not isinstance(entry, ProductDraft)]
    fresh, written = _without_duplicates(of_people, outcomes)
    known, drafts = _told_apart(fresh)
    existing = intake.find({draft.statement.key for draft in drafts})
    drafts = _without_suppressed(drafts, existing, outcomes)
    said = shares.look(drafts, existing)
    owners = intake.take(said.statements, existing, by=by)
    said.keep(owners)
    order_ids, repeated = _store_orders(drafts, owners)
    repeated |= said.repeated
    _store_accounts(drafts, owners)
    types = _event_types.resolve(
        {draft.event for draft in drafts if draft.event is not None} | {event.event for event, _owner in known}
    )
    rows: dict[UUID, NewTouchpoint] = {}
    for draft in drafts:
        if draft.event is not None and draft.touchpoint_id not in written and draft.item.id not in repeated:
            row = _touchpoint(draft, owners[draft.statement.key], order_ids, types)
            first = rows.setdefault(row.id, row)
            if row.occurred_at < first.occurred_at:
                rows[row.id] = row
    for event, owner in known:
        rows[event.item.id] = _touchpoint_in_passing(event, owner, types)
    # Another worker may have stored the same message since we looked: then its touchpoint stands.
    late = touchpoints.insert(rows.values())
    touchpoints.share(_told_again(of_people, rows, late))
    for event, _owner in known:
        outcomes.add(event, "duplicate" if late and event.item.id in late else "stored")
    stated = [consent for draft in drafts for consent in _consents(draft, owners[draft.statement.key])]
    repeated -= _keep_consents(stated)
    for draft in drafts:
        is_twin = draft.has_own_touchpoint and draft.touchpoint_id in late
        outcomes.add(draft, "duplicate" if is_twin or draft.item.id in repeated else "stored")
    landing.remember(draft.item.id for draft in drafts if not draft.has_own_touchpoint)
    signals.records_resolved.send(
        sender=None,
        profile_ids=frozenset(owner.profile_id for owner in owners.values())
        | frozenset([owner.profile_id for _event, owner in known]),
        event_type_ids=frozenset(types.values()),
    )
    return outcomes


def _told_apart(entries: Iterable[Passing | Draft]) -> tuple[list[tuple[Passing, Owner]], list[Draft]]:
    """Events of people whom we know, with their owners, and all that says something new."""
    drafts = [entry for entry in entries if isinstance(entry, Draft)]
    candidates = [entry for entry in entries if isinstance(entry, Passing)]
    known = []
    for event, owner in zip(candidates, passing.recognise(candidates), strict=True):
        if owner is None:
            drafts.append(reading.in_full(event))
        else:
            known.append((event, owner))
    return known, drafts


_TOUCHPOINTS_THERE = "SELECT id FROM profiles_touchpoint WHERE id = ANY(%s::uuid[])"


def _without_duplicates(
    entries: Sequence[Passing | Draft], outcomes: Outcomes
) -> tuple[list[Passing | Draft], set[UUID]]:
    """Each message once for ever, whether its touchpoint is there, or its tombstone, or its twin in this step.

    Returns the fresh ones, and the ids of all touchpoints among theirs that are there: of an order that was told of.
    """
    ids = [entry.item.id for entry in entries]
    shared = [entry.touchpoint_id for entry in entries if isinstance(entry, Draft) and not entry.has_own_touchpoint]
    with connection.cursor() as cursor:
        asked = [one.int for one in ids] + [one.int for one in shared if one is not None]
        cursor.execute(_TOUCHPOINTS_THERE, [landing.uuid_array(asked)])
        written = {row[0] for row in cursor.fetchall()}
    known = written | landing.seen(ids)
    fresh: list[Passing | Draft] = []
    for entry in entries:
        if entry.item.id in known:
            outcomes.add(entry, "duplicate")
        else:
            known.add(entry.item.id)
            fresh.append(entry)
    return fresh, written


def _without_suppressed(drafts: Sequence[Draft], existing: intake.Existing, outcomes: Outcomes) -> list[Draft]:
    """What speaks of an erased person, or of one whose erasure runs, stays out."""
    hits: frozenset[int] = frozenset()
    if drafts and suppression.holds_anybody():
        hits = suppression.matches([_candidate(draft) for draft in drafts])
    fresh = []
    for position, draft in enumerate(drafts):
        if position in hits or draft.statement.key in existing.erasing:
            outcomes.add(draft, "suppressed")
        else:
            fresh.append(draft)
    return fresh


def _candidate(draft: Draft) -> suppression.Candidate:
    statement = draft.statement
    stated = (*statement.identifiers, *((statement.own,) if statement.own else ()))
    record = (suppression.RECORD, draft.source.slug, statement.key.external_id)
    return suppression.Candidate(
        identifiers=(record, *((i.kind, i.namespace, i.value) for i in stated)),
        names=tuple(name.full for name in statement.traits.names) if statement.traits else (),
        occurred_at=statement.occurred_at,
        is_own_act=_is_own_act(draft),
    )


def _is_own_act(draft: Draft) -> bool:
    """A registration or a consent of the person's own, by the event API; or what a webhook reports as one (`own_act`:
    somebody registered, ordered, followed). A nightly file or a click is none."""
    if (draft.item.message.cdp or {}).get("own_act") is True:
        return True
    if draft.batch.door != "api" or draft.batch.is_public_key:
        return False
    granted = any(consent.state == "granted" for consent in draft.consents)
    return granted or (draft.item.message.type == "identify" and draft.statement.traits is not None)


def _store_orders(
    drafts: Sequence[Draft], owners: Mapping[RecordKey, Owner]
) -> tuple[dict[tuple[int, str], int], set[UUID]]:
    """The ids of the orders, and the messages that say nothing new of theirs."""
    telling = {draft.item.id: draft for draft in drafts if draft.order is not None}
    writes = [
        orders.OrderWrite(
            order=draft.order,
            message=draft.item.id,
            record_id=owners[draft.statement.key].record_id,
            profile_id=owners[draft.statement.key].profile_id,
            operation_id=draft.statement.operation_id,
        )
        for draft in telling.values()
        if draft.order is not None
    ]
    said = order_shares.look(writes, {message: draft.item.clocks.received_at for message, draft in telling.items()})
    return said.keep(orders.upsert(said.news)), set(said.repeated)


def _store_accounts(drafts: Sequence[Draft], owners: Mapping[RecordKey, Owner]) -> None:
    accounts.upsert(
        [
            accounts.AccountWrite(draft.account, owners[draft.statement.key].record_id, draft.statement.operation_id)
            for draft in drafts
            if draft.account is not None
        ]
    )


def _told_again(
    entries: Iterable[Passing | Draft], rows: Mapping[UUID, NewTouchpoint], late: Collection[UUID]
) -> Iterator[tuple[UUID, UUID | None]]:
    """(Touchpoint, operation) of entries whose touchpoint is another's: files may tell twice of what happened once, and
    many messages of one order."""
    for entry in entries:
        operation_id = entry.batch.operation_id
        tells_of_order = isinstance(entry, Draft) and entry.order is not None
        if operation_id is None and not tells_of_order:
            continue
        touchpoint_id = entry.touchpoint_id if isinstance(entry, Draft) else entry.item.id
        if touchpoint_id is None:
            continue
        first = None if touchpoint_id in late else rows.get(touchpoint_id)
        if first is None or first.operation_id != operation_id:
            yield touchpoint_id, operation_id


def _touchpoint(
    draft: Draft, owner: Owner, order_ids: Mapping[tuple[int, str], int], types: Mapping[str, int]
) -> NewTouchpoint:
    clocks = draft.item.clocks
    if draft.event is None or draft.touchpoint_id is None:
        raise InternalError("a draft without event has no touchpoint")
    return NewTouchpoint(
        id=draft.touchpoint_id,
        occurred_at=clocks.occurred_at,
        received_at=clocks.received_at,
        original_at=clocks.original_at if clocks.original_at != clocks.occurred_at else None,
        sent_at=clocks.sent_at,
        profile_id=owner.profile_id,
        record_id=owner.record_id,
        order_id=order_ids[draft.order.source_id, draft.order.external_id] if draft.order else None,
        type_id=types[draft.event],
        source_id=draft.batch.source_id,
        operation_id=draft.batch.operation_id,
        properties=_kept_properties(draft),
    )


def _touchpoint_in_passing(event: Passing, owner: Owner, types: Mapping[str, int]) -> NewTouchpoint:
    clocks = event.item.clocks
    return NewTouchpoint(
        id=event.item.id,
        occurred_at=clocks.occurred_at,
        received_at=clocks.received_at,
        original_at=clocks.original_at if clocks.original_at != clocks.occurred_at else None,
        sent_at=clocks.sent_at,
        profile_id=owner.profile_id,
        record_id=owner.record_id,
        order_id=None,
        type_id=types[event.event],
        source_id=event.source.id,
        operation_id=event.batch.operation_id,
        properties=event.properties,
    )


def _kept_properties(draft: Draft) -> dict[str, Any]:
    """An order's lines live in the order; everything else stays as it was said."""
    properties = dict(draft.properties or {})
    if draft.order is not None:
        properties.pop("products", None)
    return properties


def _keep_consents(statements: list[signals.ConsentStatement]) -> frozenset[UUID]:
    """Hand statements to the ledger; returns the messages of which it got an entry."""
    answers: list[tuple[Any, Any]] = []
    if statements:
        answers = signals.consents_stated.send(sender=None, statements=statements)
    return frozenset(message for _receiver, entered in answers for message in entered)


def _consents(draft: Draft, owner: Owner) -> list[signals.ConsentStatement]:
    clocks = draft.item.clocks
    return [
        signals.ConsentStatement(
            record_id=owner.record_id,
            source_id=draft.batch.source_id,
            message_id=draft.item.id,
            purpose=consent.purpose,
            channel=consent.channel,
            address=consent.address,
            state=consent.state,
            occurred_at=consent.occurred_at or clocks.occurred_at,
            received_at=clocks.received_at,
            origin="browser" if draft.batch.is_public_key else consent.origin,
            notice_version=consent.notice_version,
            language=consent.language,
            evidence=dict(consent.evidence),
            operation_id=draft.statement.operation_id,
        )
        for consent in draft.consents
    ]
