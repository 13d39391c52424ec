"""Of what arrived, what a definition looks at: nearly every touchpoint passes the filters of few segments only, and
whom nothing passes for need not be asked about."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.db import connection
from django.utils import timezone
from psycopg import sql

from segments import audience
from segments.definition import nodes
from segments.definition.counting import Counting
from segments.definition.evaluate import Moment
from segments.definition.viewer import Strategy
from segments.keeper import Budget
from segments.membership.asked import Asked, World
from segments.membership.queue import Waiting
from segments.membership.touches import Aspect

log = structlog.get_logger("membership")
SQL = sql.SQL

LIMIT_SECONDS = 10
"""Looking at what came must not take longer than asking a segment about those whom it came about."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """`people`: whose touchpoint passed, by what picks touchpoints. `untold`: event types of which nobody knows."""

    people: Mapping[nodes.OnTouchpoints, Collection[int]]
    untold: Collection[str] = ()

    def concerned(self, definition: nodes.Definition, event: str, whose: Collection[int]) -> set[int]:
        """Whose touchpoints of an event type the definition looks at, of these people's."""
        if event in self.untold:
            return set(whose)
        return {
            profile_id for pick in _picks(definition) if pick.event == event for profile_id in self.people.get(pick, ())
        }


def arrived(waiting: Iterable[Waiting], every: Iterable[Asked], around: World, budget: Budget) -> Arrivals:
    """What came, through the filters of all segments. One query for each event type that one of them looks at.

    A filter that fails, or is slow, is one segment's fault: then the segments are asked about all whom it came about,
    each for itself."""
    came: dict[str, list[UUID]] = defaultdict(list)
    for one in waiting:
        if one.aspect is Aspect.EVENT and one.touchpoint_ids and one.subject is not None:
            came[around.event_names.get(one.subject, "")] += one.touchpoint_ids
    wanted = {pick for asked in every if asked.definition is not None for pick in _picks(asked.definition)}
    found: dict[nodes.OnTouchpoints, Collection[int]] = {}
    untold: set[str] = set()
    for event, touchpoint_ids in came.items():
        picks = [pick for pick in wanted if pick.event == event]
        if picks and budget.is_spent:
            untold.add(event)
        elif picks:
            try:
                found |= zip(picks, _passing(picks, touchpoint_ids, around), strict=True)
            except Exception as problem:  # whatever it is; the error may hold a value
                log.warning("filters_failed", event_type=event, error=type(problem).__name__)
                untold.add(event)
    return Arrivals(found, untold)


def _picks(definition: nodes.Definition) -> set[nodes.OnTouchpoints]:
    """By event, filters and sources alone: conditions that differ in their windows pick the same."""
    return {
        nodes.Step(pick.event, pick.filters, pick.sources)
        for condition in nodes.conditions(definition.where)
        for pick in nodes.picks(condition)
    }


def _passing(
    picks: Sequence[nodes.OnTouchpoints], touchpoint_ids: Sequence[UUID], around: World
) -> list[Collection[int]]:
    counting = Counting(around.viewer, Moment(timezone.now(), audience.company_time_zone()), Strategy.PROBE)
    columns = [
        SQL("array_agg(DISTINCT t.profile_id) FILTER (WHERE {})").format(counting.is_picked(pick)) for pick in picks
    ]
    query = SQL("SELECT {} FROM profiles_touchpoint t WHERE t.id = ANY({}::uuid[])").format(
        SQL(", ").join(columns), list(touchpoint_ids)
    )
    with audience.time_limit(LIMIT_SECONDS), connection.cursor() as cursor:
        cursor.execute(query)
        return [ids or () for ids in cursor.fetchone()]
