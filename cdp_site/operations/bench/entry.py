"""How soon somebody is in a segment after the answer to the event that brings them in: web server, workers and keeper
as an installation runs them."""

import json
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from cdp_site.operations.bench.client import Client
from cdp_site.operations.bench.measure import Result, cost, percentile
from cdp_site.operations.bench.serving import PausedWorkers, keeper, web_server
from ingestion import keys
from ingestion.models import Source
from profiles.models import Membership, SourceRecord
from segments.definition.nodes import (
    All,
    Bound,
    Comparison,
    Count,
    Definition,
    Operator,
    PropertyFilter,
    Rolling,
    TouchpointCondition,
    Unit,
)
from segments.definition.serialise import serialise
from segments.membership import refreshing
from segments.models import Segment, SegmentFreshness, SegmentState

PEOPLE = 200
A_SECOND = 20.0
GOAL_MS = 5_000.0
PATIENCE = 60.0
LOOK_EVERY = 0.05
EVENT = "Product Viewed"


def entries(url: str, *, source: Source, name: str) -> Result:
    """The 99th percentile from the answer 200 until the membership is there for anybody to read."""
    mark = f"bench-{time.time_ns()}"
    people = _people(source)
    bodies = [_body(user, mark) for user in people]
    _row, key = keys.make(source=source, by="system:bench")
    with (
        _segment(name, mark) as segment,
        web_server(url) as port,
        PausedWorkers(url) as workers,
        keeper(url),
        Client(port=port, write_key=key) as client,
        workers.at_work(),
    ):
        client.pace(bodies, seconds_apart=1 / A_SECOND)
        seen_at = _watch(segment, people.values())
        answered = client.answers()
    waited = [
        max(0.0, seen_at[profile_id] - at) * 1000 for profile_id, at in zip(people.values(), answered, strict=True)
    ]
    limit = ("five seconds after the answer 200", GOAL_MS)
    note = f"{PEOPLE} people, {A_SECOND:.0f} events a second; p50 {percentile(waited, 50):.0f} ms"
    return cost("membership.entry.p99", percentile(waited, 99), "ms", limit, goal=1.0, rounds=1, note=note)


@contextmanager
def _segment(name: str, mark: str) -> Iterator[Segment]:
    """Whoever does what bears the mark is in it; evaluated, so that it is followed from now on."""
    marked = PropertyFilter("run", Comparison(Operator.IS, mark))
    where = All((TouchpointCondition(EVENT, Count(Bound.AT_LEAST, 1), Rolling(1, Unit.HOURS), (marked,)),))
    segment = Segment.objects.create(name=name, definition=serialise(Definition(where)))
    try:
        while not SegmentFreshness.objects.filter(segment=segment, version=segment.version).exists():
            refreshing.refresh()
        yield segment
    finally:
        segment.delete()


def _people(source: Source) -> Mapping[str, int]:
    """Number of a user in the source → who that is now; each of somebody else."""
    records = SourceRecord.objects.filter(source=source, kind=SourceRecord.Kind.IDENTIFIED).order_by("-pk")
    now = Membership.objects.filter(record__in=records.values("pk")[: 2 * PEOPLE], valid_to__isnull=True)
    users = {profile_id: user for user, profile_id in now.values_list("record__external_id", "profile")}
    return {user: profile_id for profile_id, user in list(users.items())[:PEOPLE]}


def _body(user: str, mark: str) -> bytes:
    event = {
        "type": "track",
        "event": EVENT,
        "messageId": f"{mark}-{user}",
        "userId": user,
        "timestamp": datetime.now(UTC).isoformat(),
        "properties": {"run": mark, "product_id": "SKU-0001", "price": 100, "currency": "THB"},
    }
    return json.dumps({"batch": [event]}).encode()


def _watch(segment: Segment, profile_ids: Collection[int]) -> Mapping[int, float]:
    """When each was a member first, by a look at what is committed."""
    seen_at: dict[int, float] = {}
    deadline = time.monotonic() + PATIENCE
    while len(seen_at) < len(profile_ids) and time.monotonic() < deadline:
        members = SegmentState.objects.of_segment(segment.pk).members().values_list("profile_id", flat=True)
        found, now = list(members), time.monotonic()
        for profile_id in found:
            seen_at.setdefault(profile_id, now)
        time.sleep(LOOK_EVERY)
    if missing := set(profile_ids) - seen_at.keys():
        raise RuntimeError(f"{len(missing)} people are not in the segment after {PATIENCE:.0f} s")
    return seen_at
