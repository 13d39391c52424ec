"""`bench membership`: what it costs to keep who is in which segment, against what storing the same events costs, and
against one evaluation of everybody."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from cdp_site.operations.bench import entry, traffic
from cdp_site.operations.bench.measure import ROUNDS, Result, Subject, cost, milliseconds, percentile, throughput
from cdp_site.operations.company import feeds
from consent.models import Channel
from ingestion import landing
from ingestion.models import Source
from profiles import digest
from segments.definition.nodes import (
    All,
    AttributeCondition,
    Bound,
    Comparison,
    ConsentCondition,
    ConsentState,
    Count,
    Definition,
    Ever,
    Measure,
    Node,
    Not,
    Operator,
    OrderTotalCondition,
    PropertyFilter,
    Rolling,
    SequenceCondition,
    Step,
    TouchpointCondition,
    Unit,
    Within,
)
from segments.definition.serialise import serialise
from segments.membership import following, refreshing
from segments.models import Segment, SegmentFreshness, SegmentState

EVENTS = 20_000
_NAME = "bench "
SEGMENTS = 20
GOALS_MEMBERS = 200_000
REFRESH_GOAL_MS = 3_000.0
FOLLOW_GOAL = 1.0  # events stored in the time in which twenty segments follow them
COLOURS, CATEGORIES = ("red", "white", "black", "navy"), ("shoes", "chairs", "tables", "lamps")


def _viewed(n: int, days: int, bound: Bound = Bound.AT_LEAST, **properties: str) -> TouchpointCondition:
    filters = tuple(PropertyFilter(name, Comparison(Operator.IS, value)) for name, value in properties.items())
    return TouchpointCondition("Product Viewed", Count(bound, n), Rolling(days, Unit.DAYS), filters)


def _ordered(n: int, days: int, bound: Bound) -> TouchpointCondition:
    return TouchpointCondition("Order Completed", Count(bound, n), Rolling(days, Unit.DAYS))


_BANGKOK = AttributeCondition("province", Comparison(Operator.IN, ("bangkok", "กรุงเทพมหานคร")))
_SPENT = OrderTotalCondition(
    Measure.SUM, Comparison(Operator.AT_LEAST, Decimal(20_000)), Rolling(365, Unit.DAYS), "THB"
)
_BOUGHT_WHAT_WAS_VIEWED = SequenceCondition(
    Step("Product Viewed"), Step("Order Completed"), Within(7, Unit.DAYS), Rolling(30, Unit.DAYS)
)
_MAY_MAIL = ConsentCondition("marketing", Channel.EMAIL, ConsentState.GRANTED)
_EVER_ORDERED = TouchpointCondition("Order Completed", Count(Bound.AT_LEAST, 1), Ever())

STANDARD: Sequence[Sequence[Node]] = (
    *([_viewed(4, 7, color=color, category=category)] for color in COLOURS[:2] for category in CATEGORIES),
    [_viewed(10, 90)],
    [_viewed(1, 30)],
    [_BANGKOK],
    [_BANGKOK, _viewed(3, 7)],
    [_SPENT],
    [_SPENT, _BANGKOK, _MAY_MAIL, Not((_viewed(1, 30, color="red"),))],
    [_EVER_ORDERED, _ordered(0, 90, Bound.EXACTLY)],
    [_ordered(2, 365, Bound.AT_LEAST)],
    [_BOUGHT_WHAT_WAS_VIEWED],
    [_MAY_MAIL, _viewed(1, 14, category="shoes")],
    [Not((_viewed(1, 30), _EVER_ORDERED))],
    [AttributeCondition("gender", Comparison(Operator.KNOWN)), _viewed(2, 14, color="black")],
)


def run(url: str) -> Iterator[Result]:
    """Twenty segments of the standard kinds on the prepared database, each figure as soon as it is measured; they are
    gone in the end."""
    source = Source.objects.get(slug=feeds.WEB)
    with standing() as segments:
        filled = {segment.pk: _filled(segment) for segment in segments}
        largest = max(segments, key=_members)
        like_the_goals = min(segments, key=lambda segment: abs(_members(segment) - GOALS_MEMBERS))
        yield filled[largest.pk]
        yield _refreshes(like_the_goals)
        yield entry.entries(url, source=source, name=f"{_NAME}entry")
        yield _follows(source)


@contextmanager
def standing() -> Iterator[list[Segment]]:
    """The twenty, not evaluated yet; gone with the block, and those of a run that was broken off before it."""
    Segment.objects.filter(name__startswith=_NAME).delete()
    made = [
        Segment.objects.create(name=f"{_NAME}{number}", definition=serialise(Definition(All(tuple(conditions)))))
        for number, conditions in enumerate(STANDARD)
    ]
    if len(made) != SEGMENTS:
        raise AssertionError(f"{len(made)} segments instead of {SEGMENTS}")
    try:
        yield made
    finally:
        Segment.objects.filter(pk__in=[segment.pk for segment in made]).delete()


def _members(segment: Segment) -> int:
    return segment.states.filter(is_member=True).count()


def _filled(segment: Segment) -> Result:
    """The first evaluation, with everybody's state and passage written."""
    while SegmentFreshness.objects.filter(segment=segment, version=segment.version).first() is None:
        refreshing.refresh()
    freshness = SegmentFreshness.objects.get(segment=segment)
    states = SegmentState.objects.filter(segment=segment).count()
    return Result(
        name="membership.first",
        value=float(freshness.took_ms or 0),
        unit="ms",
        limit=0,
        limit_name="nothing",
        ratio=0,
        goal=None,
        lower_is_better=True,
        rounds=1,
        note=f"{freshness.n_members:,} members, {states:,} states {freshness.problem}".strip(),
    )


def _refreshes(segment: Segment) -> Result:
    """Everybody asked anew, and the difference written."""

    def refresh() -> None:
        SegmentFreshness.objects.filter(segment=segment).update(due_at=timezone.now())
        refreshing.refresh()

    value = percentile([milliseconds(refresh) for _round in range(ROUNDS)], 50)
    limit = ("three seconds", REFRESH_GOAL_MS)
    note = f"{_members(segment):,} members"
    return cost("membership.refresh", value, "ms", limit, goal=1.0, rounds=ROUNDS, note=note)


def _follows(source: Source) -> Result:
    """Events a second that twenty segments follow, against those that the digest stores."""
    batch = _Batches(source)
    [result] = throughput(
        limit=Subject("the digest of the same events", batch.digest, prepare=batch.land),
        subjects=[
            Subject(
                "membership.follow",
                batch.follow,
                prepare=batch.digested,
                goal=1 / FOLLOW_GOAL,
                note=f"{SEGMENTS} segments; mix: {traffic.MIX_TEXT}",
            )
        ],
        unit="events/s",
    )
    return result


class _Batches:
    """New events for each round; what a round leaves waiting is followed before the next one, uncounted."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.round = int(time.time())

    def land(self) -> None:
        self._catch_up()
        self.round += 1
        bodies = traffic.batches(source_id=self.source.pk, batches=EVENTS // traffic.BATCH, seed=self.round)
        for body in bodies:
            with transaction.atomic():
                landing.land(source=self.source, messages_raw=json.loads(body)["batch"], door="api")

    def digest(self) -> int:
        digest.drain()
        return EVENTS

    def digested(self) -> None:
        self.land()
        digest.drain()

    def follow(self) -> int:
        self._catch_up()
        return EVENTS

    def _catch_up(self) -> None:
        while following.follow():
            pass
