"""How soon an event is on its profile's timeline at a steady rate."""

import statistics
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from cdp_site.operations.bench import traffic
from cdp_site.operations.bench.client import Client
from cdp_site.operations.bench.measure import ROUNDS, Result, percentile
from cdp_site.operations.bench.serving import PausedWorkers
from ingestion.landing import backlog, message_uuid, uuid_array

RATE = 1_000  # events a second
EVENTS_A_REQUEST = 10
SECONDS = 6
GOAL = 2_000  # milliseconds
PATIENCE = 60.0
LOOK_EVERY = 0.02


def timeline(*, source_id: int, client: Client, workers: PausedWorkers, rounds: int = ROUNDS) -> Result:
    """Medians over rounds of the 99th percentile, from the answer until anybody can see the event."""
    _round(source_id, client, workers)  # warm-up
    found = [_round(source_id, client, workers) for _number in range(rounds)]
    p99 = statistics.median(percentile(lags, 99) for lags, _waiting in found)
    p50 = statistics.median(percentile(lags, 50) for lags, _waiting in found)
    waiting = max(waiting for _lags, waiting in found)
    return Result(
        name="ingest.lag",
        value=round(p99, 1),
        unit="ms",
        limit=GOAL,
        limit_name="two seconds after the answer 200",
        ratio=round(p99 / GOAL, 3),
        goal=1.0,
        lower_is_better=True,
        rounds=rounds,
        note=f"p99 at {RATE:,} events/s for {SECONDS} s; p50 {p50:.0f} ms; at most {waiting} requests waited",
    )


def _round(source_id: int, client: Client, workers: PausedWorkers) -> tuple[list[float], int]:
    """Milliseconds of the last event of each request, and the most batches that waited at once."""
    bodies = traffic.batches(
        source_id=source_id, batches=RATE * SECONDS // EVENTS_A_REQUEST, seed=time.time_ns(), size=EVENTS_A_REQUEST
    )
    touchpoints = [_last_touchpoint(source_id, body) for body in bodies]
    with workers.at_work():
        client.pace(bodies, seconds_apart=EVENTS_A_REQUEST / RATE)
        seen_at, waiting = _watch([touchpoint for touchpoint in touchpoints if touchpoint is not None])
        answered_at = client.answers()
    lags = [
        max(0.0, seen_at[touchpoint] - answered) * 1000
        for touchpoint, answered in zip(touchpoints, answered_at, strict=True)
        if touchpoint is not None
    ]
    return lags, waiting


def _last_touchpoint(source_id: int, body: bytes) -> UUID | None:
    """Of the last event of a request; None where it is an identify call, which has no touchpoint."""
    message: dict[str, Any] = msgspec.json.decode(body)["batch"][-1]
    return None if message["type"] == "identify" else message_uuid(source_id, message["messageId"])


def _watch(touchpoints: Sequence[UUID]) -> tuple[dict[UUID, float], int]:
    """When each was seen first, by a look at what is committed; and the longest backlog meanwhile."""
    seen_at: dict[UUID, float] = {}
    longest = 0
    waiting = dict.fromkeys(touchpoints)
    deadline = time.monotonic() + PATIENCE
    while waiting and time.monotonic() < deadline:
        # Events come in the order of their requests: those that are far from due need not be asked for.
        asked = list(waiting)[:300]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM profiles_touchpoint WHERE id = ANY(%s::uuid[])", [uuid_array(one.int for one in asked)]
            )
            now = time.monotonic()
            for (touchpoint,) in cursor.fetchall():
                seen_at[touchpoint] = now
                del waiting[touchpoint]
        longest = max(longest, backlog().live)
        time.sleep(LOOK_EVERY)
    if waiting:
        raise RuntimeError(f"{len(waiting)} events are not on a timeline after {PATIENCE:.0f} s")
    return seen_at, longest
