"""`bench segment`: the compiled query of a definition against SQL that a person wrote for the same question."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from cdp_site.operations.bench import database
from cdp_site.operations.bench.measure import Result, latency
from consent import state_sql
from consent.models import Channel, Purpose
from profiles.models import EventType
from segments.definition import compile as compiler
from segments.definition.nodes import (
    All,
    AttributeCondition,
    Bound,
    Comparison,
    ConsentCondition,
    ConsentState,
    Count,
    Definition,
    Measure,
    Not,
    Operator,
    OrderTotalCondition,
    PropertyFilter,
    Rolling,
    TouchpointCondition,
    Unit,
)

GOAL = 1.3

RED, SHOES, BANGKOK = ("red", "แดง"), ("shoes", "รองเท้า"), ("bangkok", "กรุงเทพมหานคร")

_IN_BANGKOK = AttributeCondition("province", Comparison(Operator.IN, BANGKOK))
_RED_SHOES = TouchpointCondition(
    "Product Viewed",
    Count(Bound.AT_LEAST, 5),
    Rolling(7, Unit.DAYS),
    (
        PropertyFilter("color", Comparison(Operator.IN, RED)),
        PropertyFilter("category", Comparison(Operator.IN, SHOES)),
    ),
)
_OFTEN = TouchpointCondition("Product Viewed", Count(Bound.AT_LEAST, 10), Rolling(90, Unit.DAYS))
_SPENT = OrderTotalCondition(
    Measure.SUM, Comparison(Operator.AT_LEAST, Decimal(20_000)), Rolling(365, Unit.DAYS), "THB"
)
_MAY_MAIL = ConsentCondition("marketing", Channel.EMAIL, ConsentState.GRANTED)
_ASKED_LATELY = TouchpointCondition("Call Ended", Count(Bound.AT_LEAST, 1), Rolling(30, Unit.DAYS))


@dataclass(frozen=True)
class Question:
    """A definition, and the SQL of somebody who knows the schema and nothing of the compiler."""

    name: str
    definition: Definition
    by_hand: Callable[[datetime], sql.Composable]


def _attributes(now: datetime) -> sql.Composable:
    return sql.SQL(
        "SELECT id FROM profiles_profile WHERE state = 'live' AND kind = 'identified' "
        "AND lower(golden ->> 'province') IN ('bangkok', 'กรุงเทพมหานคร')"
    )


def _red_shoes(now: datetime) -> sql.Composable:
    return sql.SQL(
        "SELECT p.id FROM profiles_profile p JOIN (SELECT profile_id FROM profiles_touchpoint t WHERE type_id = {type} "
        "AND occurred_at > {now} - interval '7 days' AND occurred_at <= {now} "
        "AND lower(properties ->> 'color') IN ('red', 'แดง') "
        "AND lower(properties ->> 'category') IN ('shoes', 'รองเท้า') "
        "GROUP BY profile_id HAVING count(*) >= 5) v ON v.profile_id = p.id "
        "WHERE p.state = 'live' AND p.kind = 'identified'"
    ).format(type=_type("Product Viewed"), now=now)


def _often(now: datetime) -> sql.Composable:
    return sql.SQL(
        "SELECT p.id FROM profiles_profile p JOIN (SELECT profile_id FROM profiles_touchpoint WHERE type_id = {type} "
        "AND occurred_at > {now} - interval '90 days' AND occurred_at <= {now} "
        "GROUP BY profile_id HAVING count(*) >= 10) v ON v.profile_id = p.id "
        "WHERE p.state = 'live' AND p.kind = 'identified'"
    ).format(type=_type("Product Viewed"), now=now)


_SPENDERS = sql.SQL(
    "(SELECT profile_id FROM profiles_order WHERE currency = 'THB' AND status <> 'cancelled' "
    "AND (refunded = 0 OR refunded < total) AND placed_at > {now} - interval '365 days' AND placed_at <= {now} "
    "GROUP BY profile_id HAVING sum(total - refunded) >= 20000)"
)


def _spent(now: datetime) -> sql.Composable:
    return sql.SQL(
        "SELECT p.id FROM profiles_profile p JOIN {spenders} o ON o.profile_id = p.id "
        "WHERE p.state = 'live' AND p.kind = 'identified'"
    ).format(spenders=_SPENDERS.format(now=now))


def _full(now: datetime) -> sql.Composable:
    marketing = Purpose.objects.get(slug="marketing").pk
    return sql.SQL(
        "SELECT p.id FROM profiles_profile p JOIN {spenders} o ON o.profile_id = p.id "
        "JOIN ({consent}) c ON c.profile_id = p.id AND c.state = 'granted' "
        "WHERE p.state = 'live' AND p.kind = 'identified' "
        "AND lower(p.golden ->> 'province') IN ('bangkok', 'กรุงเทพมหานคร') "
        "AND NOT EXISTS (SELECT FROM profiles_touchpoint t WHERE t.profile_id = p.id AND t.type_id = {call} "
        "AND t.occurred_at > {now} - interval '30 days' AND t.occurred_at <= {now})"
    ).format(
        spenders=_SPENDERS.format(now=now),
        consent=state_sql.state_sql(marketing, Channel.EMAIL),
        call=_type("Call Ended"),
        now=now,
    )


QUESTIONS = (
    Question("attributes", Definition(All((_IN_BANGKOK,))), _attributes),
    Question("red-shoes-in-7-days", Definition(All((_RED_SHOES,))), _red_shoes),
    Question("ten-views-in-90-days", Definition(All((_OFTEN,))), _often),
    Question("spent-20000-in-a-year", Definition(All((_SPENT,))), _spent),
    Question("all-together", Definition(All((_SPENT, _IN_BANGKOK, _MAY_MAIL, Not((_ASKED_LATELY,))))), _full),
)


def run(url: str) -> list[Result]:
    """One result per question, in milliseconds for all members; both sides must find the same people."""
    now, time_zone = database.built_until(), ZoneInfo(settings.COMPANY_TIME_ZONE)
    viewer = compiler.Viewer(
        event_types=dict(EventType.objects.values_list("name", "pk")),
        purposes=dict(Purpose.objects.values_list("slug", "pk")),
    )
    results = []
    for question in QUESTIONS:
        compiled = compiler.people(question.definition, viewer, now=now, time_zone=time_zone)
        by_hand = question.by_hand(now)
        members = _ids(compiled)
        if members != _ids_by_hand(by_hand) or not members:
            raise AssertionError(f"{question.name}: the two queries differ, or find nobody")
        results.append(
            latency(
                name=f"segment.{question.name}",
                run=partial(_ids, compiled),
                limit=("hand-written SQL", partial(_ids_by_hand, by_hand)),
                goal=GOAL,
                note=f"{len(members):,} members",
            )
        )
    return results


def _type(name: str) -> int:
    return EventType.objects.get(name=name).pk


def _ids(query: sql.Composable) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {row[0] for row in cursor.fetchall()}


def _ids_by_hand(query: sql.Composable) -> set[int]:
    """The same, with the setting that a person finds to be needed: on a guess of one row for an aggregated consent
    table the planner loops over it once for each customer, for minutes."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop TO off")
        cursor.execute(query)
        return {row[0] for row in cursor.fetchall()}
