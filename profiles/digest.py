"""The digest: claims landed batches and makes records, touchpoints, orders and consents of them.

One step is one short transaction over about `LIMIT_ITEMS` messages. PostgreSQL is the queue (`FOR UPDATE SKIP
LOCKED`): a killed worker's batches are taken up again when their lease ends, and nothing is stored twice.

Lock order: merge lock (shared), buckets of keys, source records, identifiers, then with a model of matching in use
buckets of matched records and of blocking keys, profiles, orders, accounts, touchpoints, products, batches.
"""

import gc
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import structlog
from django.conf import settings
from django.db import DataError, OperationalError, close_old_connections, transaction

from cdp_site.core import heartbeats
from cdp_site.core.errors import InternalError
from cdp_site.core.memory import Memory
from ingestion import landing, messages, rulebook
from ingestion.corrections import arrivals
from ingestion.health import future
from ingestion.landing import Claimed, Tally, Unusable
from ingestion.messages import Item, Reason, Rejection
from ingestion.models import Source
from ingestion.plan import observing, violations
from profiles import product_feed, reading, storing
from profiles.passing import Passing
from profiles.resolution import pipeline
from profiles.statements import SourceFacts
from profiles.storing import Entry, Outcomes

log = structlog.get_logger("digest")

# About 0.2 s of work, so that a withdrawal never waits long behind it.
LIMIT_ITEMS = 2_000
LIMIT_BATCHES = 500
LEASE_SECONDS = settings.DIGEST_LEASE_SECONDS  # far above a step's time: a lease that ends means a dead worker
IDLE_SECONDS = 0.05
RECOVERY_SECONDS = 3.0
HEARTBEAT_SECONDS = 5
GARBAGE_THRESHOLD = 100_000
ACTOR = "system:digest"


class LateWorkerError(InternalError):
    """Another process settled a batch of ours: our lease had ended. Everything of this step is rolled back."""


@dataclass(slots=True)
class Work:
    """A batch, read: what can be stored, and what is already known to be unusable."""

    batch: Claimed
    entries: list[Entry] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """What one step did, in messages."""

    batches: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def messages(self) -> int:
        return self.counts.total()


def step(
    *, limit_batches: int = LIMIT_BATCHES, limit_items: int = LIMIT_ITEMS, lease_seconds: float = LEASE_SECONDS
) -> Report | None:
    """Claim and digest once; None when nothing waits. Must not run inside a transaction.

    A step that fails for a value that the database does not take is sifted at once: its messages are tried in parts
    until the failing ones are found; they go to quarantine, the others are stored. When it fails for anything else, its
    batches are tried alone; one that fails alone waits for its next attempt, and at the last one it is sifted.
    """
    claimed = landing.claim(limit_batches, lease_seconds, limit_items=limit_items)
    if not claimed:
        pipeline.resolve_deferred(by=ACTOR)  # an erasure leaves some, too
        return None
    report = Report()
    try:
        try:
            _digest(claimed, report)
        except DataError as error:
            # Waiting mends no value. The error's text may hold the value itself.
            log.warning("step_sifted", batches=[batch.id for batch in claimed], error=type(error.__cause__).__name__)
            _digest(claimed, report, sift=True)
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
        entries = [entry for one in work for entry in one.entries]
        outcomes, failed = _store_sifting(entries) if sift else (storing.store(entries, by=ACTOR), [])
        tallies = _tallies(work, outcomes, failed)
        unusable = [item for one in work for item in one.unusable] + failed
        landing.quarantine(unusable)
        violations.write(unusable)
        observing.write(
            (entry.batch.source_id, entry.event, entry.properties or {}, entry.batch.received_at)
            for entry in outcomes.stored
            if entry.event is not None
        )
        future.note((entry.batch.source_id, entry.item.clocks) for entry in outcomes.stored)
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


def dry(claimed: Sequence[Claimed]) -> Counter[str]:
    """What would become of these batches' messages, by outcome. Writes them in the current transaction, which the
    caller rolls back; nothing is quarantined, settled or observed."""
    work = read(claimed)
    outcomes, failed = _store_sifting([entry for one in work for entry in one.entries])
    counts: Counter[str] = Counter(quarantined=len(failed) + sum(len(one.unusable) for one in work))
    for (_batch_id, outcome), number in outcomes.counts.items():
        counts[outcome] += number
    return counts


def _tallies(work: Iterable[Work], outcomes: Outcomes, failed: Iterable[Unusable]) -> dict[int, Tally]:
    counts = {one.batch.id: Counter(quarantined=len(one.unusable)) for one in work}
    for (batch_id, outcome), number in outcomes.counts.items():
        counts[batch_id][outcome] += number
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
            entry = item if isinstance(item, Rejection) else _understand(batch, item, source)
            if isinstance(entry, Rejection):
                entry = _corrected(batch, entry, source)
            if isinstance(entry, Rejection):
                one.unusable.append(_unusable(batch, entry))
            else:
                one.entries.append(entry)
        work.append(one)
    return work


def _understand(batch: Claimed, item: Item, source: SourceFacts) -> Entry | Rejection:
    if product_feed.tells_of_product(item):
        return product_feed.read(batch, item, namespace=source.slug)
    return reading.read(batch, item, source)


def _corrected(batch: Claimed, rejection: Rejection, source: SourceFacts) -> Entry | Rejection:
    """What the correction rules make of it; should it fail later, it is held back as it came."""

    def understand(item: Item) -> Entry | Rejection:
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


def _store_sifting(entries: Sequence[Entry]) -> tuple[Outcomes, list[Unusable]]:
    """Store what can be stored; what fails alone is returned for the quarantine. Halves, each in a savepoint."""
    try:
        with transaction.atomic():
            return storing.store(entries, by=ACTOR), []
    except Exception as error:
        if isinstance(error, OperationalError) and entries[0].batch.attempts < landing.MAX_ATTEMPTS:
            raise  # the database's trouble, not the messages': they are tried again
        if len(entries) > 1:
            outcomes = Outcomes()
            failed: list[Unusable] = []
            for half in _halves(entries):
                more_outcomes, more_failed = _store_sifting(half)
                outcomes.extend(more_outcomes)
                failed += more_failed
            return outcomes, failed
        [entry] = entries
        log.exception("message_failed", batch=entry.batch.id, place=entry.item.place)
        rejection = Rejection(
            place=entry.item.place, reason=Reason.FAILED, detail=type(error).__name__, raw=entry.item.raw
        )
        return Outcomes(), [_unusable(entry.batch, rejection)]


def _halves(entries: Sequence[Entry]) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """What fails is nearly always among those that tell something: they are parted from the others first."""
    events = [entry for entry in entries if isinstance(entry, Passing)]
    if events and len(events) < len(entries):
        return events, [entry for entry in entries if not isinstance(entry, Passing)]
    middle = len(entries) // 2
    return entries[:middle], entries[middle:]


# --- the worker -----------------------------------------------------------------------------------------------------


def run_forever(*, name: str = "worker", stop: threading.Event | None = None) -> None:
    """A worker process: digest until SIGTERM or SIGINT (or `stop`), with a heartbeat by its name. Finishes its step
    first."""
    stopping = stop or threading.Event()
    if stop is None:
        # A step makes tens of thousands of objects, lets them all go at its end, and makes no circles: looking for
        # some every few hundred objects, as Python does by itself, is time lost.
        gc.freeze()
        gc.set_threshold(GARBAGE_THRESHOLD)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stopping.set())
    beat_at = float("-inf")
    while not stopping.is_set():
        try:
            close_old_connections()
            beat_at = _beat(name, beat_at)
            worked = step() is not None
        except Exception:
            # A database that restarts, or a merge that fails: what was claimed is taken up again, the rest goes on.
            log.exception("worker_failed")
            stopping.wait(RECOVERY_SECONDS)
        else:
            stopping.wait(0 if worked else IDLE_SECONDS)


def _beat(name: str, last: float) -> float:
    now = time.monotonic()
    if now - last < HEARTBEAT_SECONDS:
        return last
    heartbeats.beat(name)
    return now
