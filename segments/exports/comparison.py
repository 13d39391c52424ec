"""What a list brought: outcomes of those on it beside outcomes of those held out, over the fourteen days after it.

Nothing is shown before these days are over: who looks every day and stops at the first difference finds one three times
out of ten where there is none. Afterwards the days are fixed, and whoever looks sees the same. Outcomes are counted as
far as the reader's department sees them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone
from psycopg import sql

from cdp_site.core.access import Scope
from ingestion.models import Source
from profiles.channels import TouchChannel, channel_of
from profiles.models import EventType, Order
from segments.audience import time_limit
from segments.exports import lift
from segments.exports.lift import Group, Lift
from segments.models import ExportMember, SegmentExport
from segments.models.export import MEASURED

SQL = sql.SQL
_VISITED = (TouchChannel.WEB, TouchChannel.APP)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`crossed` people are of both groups, since members of each became one customer: they count in neither.
    `elsewhere` of those held out were on another list of the segment, so that it may have reached them after all."""

    lift: Lift
    since: datetime
    until: datetime
    crossed: int
    elsewhere: int = 0


def compare(export: SegmentExport, scope: Scope) -> Comparison | None:
    """None before the days are over, and for a list of which nobody was held out, or that nobody fetched. Raises
    TooSlowProblem. Two statements, with three small queries for visits."""
    until = export.measured_until
    if export.made_at is None or until is None or not export.is_measured:
        return None
    if not export.n_held_out or not export.n_fetched:
        return None
    outcome = _OUTCOMES[export.outcome](export.made_at, until, scope)
    with time_limit(), connection.cursor() as cursor:
        cursor.execute(_COUNT.format(export=sql.Literal(str(export.pk)), outcome=outcome))
        counted: Mapping[str, tuple[int, int]] = {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
        elsewhere = _elsewhere(export)
    listed, held_out = (Group(*counted.get(name, (0, 0))) for name in ("listed", "held_out"))
    return Comparison(
        lift=lift.compare(listed, held_out, percent=export.holdout_percent),
        since=export.made_at,
        until=until,
        crossed=counted.get("crossed", (0, 0))[0],
        elsewhere=elsewhere,
    )


def _elsewhere(export: SegmentExport) -> int:
    """How many of those held out stand in a file of the segment that was fetched in the same weeks: each list is drawn
    anew, and one campaign often leaves as several lists."""
    members = ExportMember.objects
    others = members.exported().filter(export__in=SegmentExport.objects.fetched_beside(export).values("pk"))
    return members.of(export.pk).held_out().filter(record__in=others.values("record")).count()


def rate_lately(people: Sequence[int], outcome: str, scope: Scope) -> float | None:
    """The share of these profiles that did it in the last fourteen days; None of nobody. Raises TooSlowProblem."""
    if not people:
        return None
    until = timezone.now()
    condition = _OUTCOMES[outcome](until - MEASURED, until, scope)
    with time_limit(), connection.cursor() as cursor:
        cursor.execute(_SHARE.format(people=sql.Literal(list(people)), outcome=condition))
        (hits,) = cursor.fetchone() or (0,)
    return float(hits) / len(people)


_SHARE = SQL("SELECT count(*) FILTER (WHERE {outcome}) FROM unnest({people}::bigint[]) AS p(profile_id)")

# Each customer once, whoever they have been merged with since.
_COUNT = SQL("""
WITH member AS (
    SELECT m.profile_id, bool_and(e.is_held_out) AS all_held_out, bool_or(e.is_held_out) AS any_held_out
      FROM segments_exportmember e
      JOIN profiles_membership m ON m.record_id = e.record_id AND m.valid_to IS NULL
     WHERE e.export_id = {export} AND e.is_held_out IS NOT NULL
     GROUP BY m.profile_id
)
SELECT CASE WHEN all_held_out THEN 'held_out' WHEN any_held_out THEN 'crossed' ELSE 'listed' END,
       count(*), count(*) FILTER (WHERE {outcome})
  FROM member p
 GROUP BY 1""")

_ORDERED = SQL("""EXISTS (
    SELECT FROM profiles_order o
     WHERE o.profile_id = p.profile_id AND o.placed_at >= {since} AND o.placed_at < {until}
       AND o.status <> {cancelled}{within})""")
_OF_SOURCES = SQL(" AND {table}.source_id = ANY({sources})")
# An order of which the reader sees no touchpoint is none that they see.
_TOLD = SQL(""" AND EXISTS (
           SELECT FROM profiles_touchpoint t
            WHERE t.profile_id = o.profile_id AND t.order_id = o.id AND t.type_id = ANY({types}){sources})""")
_CAME_BY = SQL("""EXISTS (
    SELECT FROM profiles_touchpoint t
     WHERE t.profile_id = p.profile_id AND t.occurred_at >= {since} AND t.occurred_at < {until}
       AND (t.type_id = ANY({named}) OR (t.type_id = ANY({unnamed}) AND t.source_id = ANY({sources}))){within})""")


def _orders(since: datetime, until: datetime, scope: Scope) -> sql.Composed:
    within = _of_sources("o", scope)
    if scope.event_type_ids is not None:
        types = sql.Literal(sorted(scope.event_type_ids))
        within = SQL("{}{}").format(within, _TOLD.format(types=types, sources=_of_sources("t", scope)))
    return _ORDERED.format(since=since, until=until, cancelled=Order.Status.CANCELLED.value, within=within)


def _visits(since: datetime, until: datetime, scope: Scope) -> sql.Composed:
    """Anything on the web or in the app: by what its type is called, else by where it comes from."""
    types = EventType.objects.values_list("pk", "name")
    seen = [(key, channel_of(name, "")) for key, name in types if scope.sees_event_type(key)]
    sources = Source.objects.values_list("pk", "kind")
    return _CAME_BY.format(
        since=since,
        until=until,
        named=sql.Literal([key for key, channel in seen if channel in _VISITED]),
        unnamed=sql.Literal([key for key, channel in seen if channel == TouchChannel.OTHER]),
        sources=sql.Literal([key for key, kind in sources if channel_of("", kind) in _VISITED]),
        within=_of_sources("t", scope),
    )


_OUTCOMES: Mapping[str, Callable[[datetime, datetime, Scope], sql.Composed]] = {
    SegmentExport.Outcome.ORDERS: _orders,
    SegmentExport.Outcome.VISITS: _visits,
}


def _of_sources(table: str, scope: Scope) -> sql.Composable:
    if scope.source_ids is None:
        return SQL("")
    return _OF_SOURCES.format(table=sql.Identifier(table), sources=sql.Literal(sorted(scope.source_ids)))
