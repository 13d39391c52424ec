"""The digest: claims landed batches and makes records, touchpoints, orders and consents of them.

One step is one short transaction over up to `LIMIT_BATCHES` batches. PostgreSQL is the queue (`FOR UPDATE SKIP
LOCKED`): a killed worker's batches are taken up again when their lease ends, and nothing is stored twice.

Lock order: merge lock (shared), buckets of keys, source records, identifiers, orders, accounts, touchpoints, products,
batches.
"""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from uuid import UUID

import structlog
from django.db import close_old_connections, connection, transaction

from cdp_site.core import heartbeats
from cdp_site.core.errors import InternalError
from cdp_site.core.memory import Memory
from ingestion import landing, messages, rulebook, suppression
from ingestion.corrections import arrivals
from ingestion.landing import Claimed, Tally, Unusable
from ingestion.messages import Item, Reason, Rejection
from ingestion.models import Source
from ingestion.plan import observing, violations
from profiles import accounts, intake, orders, product_feed, reading, signals, touchpoints
from profiles.product_feed import ProductDraft
from profiles.reading import Draft, SourceFacts
from profiles.resolution import pipeline
from profiles.statements import Owner, RecordKey

log = structlog.get_logger("digest")

LIMIT_BATCHES = 20  # of 100 messages: about 0.2 s of work, so that a withdrawal never waits long behind it
LEASE_SECONDS = 120.0  # far above a step's time: a lease that ends means a dead worker
IDLE_SECONDS = 0.2
RECOVERY_SECONDS = 3.0
HEARTBEAT_SECONDS = 5
ACTOR = "system:digest"

_event_types = touchpoints.EventTypes()


class LateWorkerError(InternalError):
    """Another process settled a batch of ours: our lease had ended. Everything of this step is rolled back."""


@dataclass(slots=True)
class Work:
    """A batch, read: its drafts, and what is already known to be unusable."""

    batch: Claimed
    drafts: list[Draft] = field(default_factory=list)
    products: list[ProductDraft] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """What one step did, in messages."""

    batches: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def messages(self) -> int:
        return self.counts.total()


def step(*, limit_batches: int = LIMIT_BATCHES, lease_seconds: float = LEASE_SECONDS) -> Report | None:
    """Claim and digest once; None when nothing waits. Must not run inside a transaction.

    When a step fails as a whole, its batches are tried alone; one that fails alone waits for its next attempt, and at
    the last one its messages are tried in halves until the failing ones are found: they go to quarantine, the others
    are stored.
    """
    claimed = landing.claim(limit_batches, lease_seconds)
    if not claimed:
        pipeline.resolve_deferred(by=ACTOR)  # an erasure leaves some, too
        return None
    report = Report()
    try:
        _digest(claimed, report)
    except LateWorkerError:
        log.warning("late", batches=[batch.id for batch in claimed])
    except Exception:
        log.exception("step_failed", batches=[batch.id for batch in claimed])
        for batch in claimed:
            _digest_alone(batch, report)
    pipeline.resolve_deferred(by=ACTOR)
    return report


def drain() -> Report:
    """Step until nothing waits; returns the sum. For commands and tests; the worker runs `run_forever`."""
    total = Report()
    while (report := step()) is not None:
        total.batches += report.batches
        total.counts.update(report.counts)
    return total


def _digest_alone(batch: Claimed, report: Report) -> None:
    try:
        _digest([batch], report)
    except LateWorkerError:
        log.warning("late", batches=[batch.id])
    except Exception:
        if batch.attempts < landing.MAX_ATTEMPTS:
            log.exception("batch_failed", batch=batch.id, attempts=batch.attempts)
            landing.release(batch.id)
        else:
            _digest([batch], report, sift=True)


def _digest(claimed: Sequence[Claimed], report: Report, *, sift: bool = False) -> None:
    """One transaction: everything of these batches, or nothing."""
    work = read(claimed)
    with transaction.atomic():
        pipeline.share_merge_lock()
        drafts = [draft for one in work for draft in one.drafts]
        products = [draft for one in work for draft in one.products]
        if sift:
            outcomes, failed = _store_sifting(drafts, _store)
            of_products, failed_products = _store_sifting(products, product_feed.store)
            failed += failed_products
        else:
            outcomes, failed, of_products = _store(drafts), [], product_feed.store(products)
        outcomes |= of_products
        tallies = _tallies(work, outcomes, failed)
        unusable = [item for one in work for item in one.unusable] + failed
        landing.quarantine(unusable)
        violations.write(unusable)
        observing.write(
            (draft.batch.source_id, draft.event, draft.properties or {}, draft.batch.received_at)
            for draft in drafts
            if draft.event is not None and outcomes.get(_place(draft)) == "stored"
        )
        if landing.settle_all(tallies) != tallies.keys():
            raise LateWorkerError
    report.batches += len(claimed)
    for tally in tallies.values():
        report.counts.update(
            stored=tally.stored,
            duplicate=tally.duplicate,
            quarantined=tally.quarantined,
            suppressed=tally.suppressed,
        )


def _tallies(
    work: Iterable[Work], outcomes: Mapping[tuple[int, int], str], failed: Iterable[Unusable]
) -> dict[int, Tally]:
    counts: dict[int, Counter[str]] = {one.batch.id: Counter(quarantined=len(one.unusable)) for one in work}
    for (batch_id, _place), outcome in outcomes.items():
        counts[batch_id][outcome] += 1
    for item in failed:
        counts[item.batch.id]["quarantined"] += 1
    return {batch_id: Tally(**count) for batch_id, count in counts.items()}


# --- reading --------------------------------------------------------------------------------------------------------

_sources: Memory[int, SourceFacts] = Memory()


def _source(source_id: int) -> SourceFacts:
    """Facts of a source; slug and phone region do not change while a worker runs, others are not kept."""
    if source_id not in _sources:
        row = Source.objects.values_list("pk", "slug", "phone_region").get(pk=source_id)
        _sources[source_id] = SourceFacts(*row)
    return _sources[source_id]


def read(claimed: Iterable[Claimed]) -> list[Work]:
    """Understand batches before the transaction begins."""
    rulebook.refresh()
    work = []
    for batch in claimed:
        one = Work(batch)
        source = _source(batch.source_id)
        for item in arrivals.read(batch):
            draft = item if isinstance(item, Rejection) else _understand(batch, item, source)
            if isinstance(draft, Rejection):
                draft = _corrected(batch, draft, source)
            if isinstance(draft, Rejection):
                one.unusable.append(_unusable(batch, draft))
            elif isinstance(draft, ProductDraft):
                one.products.append(draft)
            else:
                one.drafts.append(draft)
        work.append(one)
    return work


def _understand(batch: Claimed, item: Item, source: SourceFacts) -> Draft | ProductDraft | Rejection:
    if product_feed.tells_of_product(item):
        return product_feed.read(batch, item, namespace=source.slug)
    return reading.read(batch, item, source)


def _corrected(batch: Claimed, rejection: Rejection, source: SourceFacts) -> Draft | ProductDraft | Rejection:
    """What the correction rules make of it; should it fail later, it is held back as it came."""

    def understand(item: Item) -> Draft | ProductDraft | Rejection:
        return _understand(batch, replace(item, raw=rejection.raw), source)

    return arrivals.mend(batch, rejection, understand)


def _unusable(batch: Claimed, rejection: Rejection) -> Unusable:
    return Unusable(
        batch=batch,
        position=rejection.place,
        reason=rejection.reason,
        detail=rejection.detail,
        payload=rejection.raw,
        subject_keys=messages.subject_keys(rejection.raw, _source(batch.source_id).slug),
        event=arrivals.event_in(rejection.raw),
        field=messages.field_of(rejection.detail),
    )


# --- storing --------------------------------------------------------------------------------------------------------


AnyDraft = TypeVar("AnyDraft", Draft, ProductDraft)


def _store_sifting(
    drafts: Sequence[AnyDraft], store: Callable[[Sequence[AnyDraft]], dict[tuple[int, int], str]]
) -> tuple[dict[tuple[int, int], str], list[Unusable]]:
    """Store what can be stored; what fails alone is returned for the quarantine. Halves, each in a savepoint."""
    try:
        with transaction.atomic():
            return store(drafts), []
    except Exception as error:
        if len(drafts) > 1:
            middle = len(drafts) // 2
            outcomes, failed = _store_sifting(drafts[:middle], store)
            more_outcomes, more_failed = _store_sifting(drafts[middle:], store)
            return outcomes | more_outcomes, failed + more_failed
        log.exception("message_failed", batch=drafts[0].batch.id, place=drafts[0].item.place)
        rejection = Rejection(
            place=drafts[0].item.place, reason=Reason.FAILED, detail=type(error).__name__, raw=drafts[0].item.raw
        )
        return {}, [_unusable(drafts[0].batch, rejection)]


def _store(drafts: Sequence[Draft]) -> dict[tuple[int, int], str]:
    """Write drafts in the current transaction; returns (batch, place) → stored, duplicate or suppressed."""
    outcomes: dict[tuple[int, int], str] = {}
    fresh = _without_duplicates(drafts, outcomes)
    existing = intake.find({draft.statement.key for draft in fresh})
    fresh = _without_suppressed(fresh, existing, outcomes)
    owners = intake.take([draft.statement for draft in fresh], existing, by=ACTOR)
    order_ids = _store_orders(fresh, owners)
    _store_accounts(fresh, owners)
    types = _event_types.resolve({draft.event for draft in fresh if draft.event is not None})
    rows: dict[UUID, touchpoints.NewTouchpoint] = {}
    for draft in fresh:
        if draft.event is not None:
            row = _touchpoint(draft, owners[draft.statement.key], order_ids, types)
            known = rows.setdefault(row.id, row)
            if row.occurred_at < known.occurred_at:
                rows[row.id] = row
    inserted = touchpoints.insert(list(rows.values()))
    for draft in fresh:
        # Another worker may have stored the same message since we looked: then its touchpoint stands.
        is_late = draft.has_own_touchpoint and draft.touchpoint_id not in inserted
        outcomes[_place(draft)] = "duplicate" if is_late else "stored"
    landing.remember(draft.item.id for draft in fresh if not draft.has_own_touchpoint)
    if stated := [said for draft in fresh for said in _consents(draft, owners[draft.statement.key])]:
        _keep_consents(stated)
    signals.records_resolved.send(
        sender=None,
        profile_ids=frozenset(owner.profile_id for owner in owners.values()),
        event_type_ids=frozenset(types.values()),
    )
    return outcomes


def _place(draft: Draft) -> tuple[int, int]:
    return draft.batch.id, draft.item.place


_TOUCHPOINTS_THERE = "SELECT id FROM profiles_touchpoint WHERE id = ANY(%s)"


def _without_duplicates(drafts: Sequence[Draft], outcomes: dict[tuple[int, int], str]) -> list[Draft]:
    """Each message once for ever, whether its touchpoint is there, or its tombstone, or its twin in this step."""
    ids = [draft.item.id for draft in drafts]
    known: set[UUID] = set(landing.seen(ids))
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHPOINTS_THERE, [ids])
        known.update(row[0] for row in cursor.fetchall())
    fresh = []
    for draft in drafts:
        if draft.item.id in known:
            outcomes[_place(draft)] = "duplicate"
        else:
            known.add(draft.item.id)
            fresh.append(draft)
    return fresh


def _without_suppressed(
    drafts: Sequence[Draft], existing: intake.Existing, outcomes: dict[tuple[int, int], str]
) -> list[Draft]:
    """What speaks of an erased person, or of one whose erasure runs, stays out."""
    hits = suppression.matches([_candidate(draft) for draft in drafts])
    fresh = []
    for position, draft in enumerate(drafts):
        if position in hits or draft.statement.key in existing.erasing:
            outcomes[_place(draft)] = "suppressed"
        else:
            fresh.append(draft)
    return fresh


def _candidate(draft: Draft) -> suppression.Candidate:
    statement = draft.statement
    stated = (*statement.identifiers, *((statement.own,) if statement.own else ()))
    record = (suppression.RECORD, _source(draft.batch.source_id).slug, statement.key.external_id)
    return suppression.Candidate(
        identifiers=(record, *((i.kind, i.namespace, i.value) for i in stated)),
        names=tuple(name.full for name in statement.traits.names) if statement.traits else (),
        occurred_at=statement.occurred_at,
        is_own_act=_is_own_act(draft),
    )


def _is_own_act(draft: Draft) -> bool:
    """A registration or a consent of the person's own, by the event API; a nightly file or a click is none."""
    if draft.batch.door != "api" or draft.batch.is_public_key:
        return False
    granted = any(consent.state == "granted" for consent in draft.consents)
    return granted or (draft.item.message.type == "identify" and draft.statement.traits is not None)


def _store_orders(drafts: Sequence[Draft], owners: Mapping[RecordKey, Owner]) -> dict[tuple[int, str], int]:
    return orders.upsert(
        [
            orders.OrderWrite(
                order=draft.order,
                message=draft.item.id,
                record_id=owners[draft.statement.key].record_id,
                profile_id=owners[draft.statement.key].profile_id,
                operation_id=draft.statement.operation_id,
            )
            for draft in drafts
            if draft.order is not None
        ]
    )


def _store_accounts(drafts: Sequence[Draft], owners: Mapping[RecordKey, Owner]) -> None:
    accounts.upsert(
        [
            accounts.AccountWrite(draft.account, owners[draft.statement.key].record_id, draft.statement.operation_id)
            for draft in drafts
            if draft.account is not None
        ]
    )


def _touchpoint(
    draft: Draft, owner: Owner, order_ids: Mapping[tuple[int, str], int], types: Mapping[str, int]
) -> touchpoints.NewTouchpoint:
    clocks = draft.item.clocks
    if draft.event is None or draft.touchpoint_id is None:
        raise InternalError("a draft without event has no touchpoint")
    return touchpoints.NewTouchpoint(
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
        properties=_kept_properties(draft),
    )


def _kept_properties(draft: Draft) -> dict[str, Any]:
    """An order's lines live in the order; everything else stays as it was said."""
    properties = dict(draft.properties or {})
    if draft.order is not None:
        properties.pop("products", None)
    return properties


def _keep_consents(statements: list[signals.ConsentStatement]) -> None:
    """Hand statements to the ledger. They were understood before (`consent_asked`), so a refusal now is a fault."""
    for _receiver, rejected in signals.consents_stated.send(sender=None, statements=statements):
        if isinstance(rejected, list) and rejected:
            raise InternalError(f"the ledger refused {len(rejected)} statements: {rejected[0].reason}")


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


# --- the worker -----------------------------------------------------------------------------------------------------


def run_forever(*, stop: threading.Event | None = None) -> None:
    """The worker process: digest until SIGTERM or SIGINT (or `stop`), with a heartbeat. Finishes its step first."""
    stopping = stop or threading.Event()
    if stop is None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stopping.set())
    beat_at = float("-inf")
    while not stopping.is_set():
        try:
            close_old_connections()
            beat_at = _beat(beat_at)
            worked = step() is not None
        except Exception:
            # A database that restarts, or a merge that fails: what was claimed is taken up again, the rest goes on.
            log.exception("worker_failed")
            stopping.wait(RECOVERY_SECONDS)
        else:
            stopping.wait(0 if worked else IDLE_SECONDS)


def _beat(last: float) -> float:
    now = time.monotonic()
    if now - last < HEARTBEAT_SECONDS:
        return last
    heartbeats.beat("worker")
    return now
