"""What `bench segment` asks: six definitions, S1 to S6, and the SQL of somebody who knows the tables and nothing of the
compiler.

That SQL is written once for both databases, which hold the same rows; a `Dialect` says by what a table calls an
attribute, a property or an instant. Where there are several good ways they are all here, and the fastest is what the
compiler has to stand up to.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from psycopg import sql

from cdp_site.core.access import EVERYTHING
from consent import state_sql
from consent.models import Channel, Purpose
from profiles.models import EventType
from segments import audience
from segments.definition.nodes import (
    All,
    Any,
    AttributeCondition,
    Bound,
    Comparison,
    ConsentCondition,
    ConsentState,
    Count,
    Definition,
    Measure,
    Operator,
    OrderTotalCondition,
    PropertyFilter,
    Rolling,
    SegmentCondition,
    SequenceCondition,
    Step,
    TouchpointCondition,
    Unit,
    Within,
)
from segments.definition.serialise import serialise
from segments.models import Segment

SQL = sql.SQL

BANGKOK, RED, SHOES = ("bangkok", "กรุงเทพมหานคร"), ("red", "แดง"), ("shoes", "รองเท้า")
BORN = (dt.date(1980, 1, 1), dt.date(1999, 12, 31))
VIEWED, ORDERED, CALLED = "Product Viewed", "Order Completed", "Call Ended"
MUCH, SOME = Decimal(20_000), Decimal(3_000)

# ── definitions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _did(event: str, n: int, days: int, *filters: PropertyFilter) -> TouchpointCondition:
    return TouchpointCondition(event, Count(Bound.AT_LEAST, n), Rolling(days, Unit.DAYS), filters)


def _spent(amount: Decimal) -> OrderTotalCondition:
    return OrderTotalCondition(Measure.SUM, Comparison(Operator.AT_LEAST, amount), Rolling(365, Unit.DAYS), "THB")


_OF_SHOES = PropertyFilter("category", Comparison(Operator.IN, SHOES))
_IN_RED = PropertyFilter("color", Comparison(Operator.IN, RED))
_IN_BANGKOK = AttributeCondition("province", Comparison(Operator.IN, BANGKOK))
_OF_THAT_AGE = AttributeCondition("birth_date", Comparison(Operator.BETWEEN_DATES, BORN))
_MAY_MAIL = ConsentCondition("marketing", Channel.EMAIL, ConsentState.GRANTED)
_BOUGHT_WITHOUT_CALLING = SequenceCondition(
    Step(VIEWED), Step(ORDERED), Within(7, Unit.DAYS), Rolling(90, Unit.DAYS), without=Step(CALLED)
)

BUSY = UUID("01930000-0000-7000-8000-00000000b5e6")
BUSY_WITH_US = Definition(Any((_did(ORDERED, 1, 30), _did(CALLED, 1, 30))))
"""The stored segment that S3 leaves out: who has bought or called in the last 30 days."""


# ── the same by hand ─────────────────────────────────────────────────────────────────────────────────────────────────


class Dialect:
    """PostgreSQL, with the product's own tables."""

    def attribute(self, name: str) -> sql.Composable:
        return SQL("p.golden ->> {}").format(name)

    def property(self, name: str) -> sql.Composable:
        return SQL("t.properties ->> {}").format(name)

    def instant(self, moment: dt.datetime) -> sql.Composable:
        return sql.Literal(moment)


Write = Callable[[Dialect, dt.datetime], sql.Composable]

_PEOPLE = SQL("SELECT p.id FROM profiles_profile p {joins} WHERE p.state = 'live' AND p.kind = 'identified'{also}")
_ALSO, _NOTHING = SQL(" AND "), SQL("")


def _people(*also: sql.Composable, joins: sql.Composable = _NOTHING) -> sql.Composed:
    return _PEOPLE.format(joins=joins, also=sql.Composed([_ALSO + one for one in also]))


def _in_days(dialect: Dialect, now: dt.datetime, days: int, column: str = "t.occurred_at") -> sql.Composed:
    since = now - dt.timedelta(days=days)
    return SQL("{column} > {since} AND {column} <= {now}").format(
        column=SQL(column), since=dialect.instant(since), now=dialect.instant(now)
    )


def _one_of(value: sql.Composable, choices: tuple[str, ...]) -> sql.Composed:
    return SQL("lower({}) IN ({})").format(value, SQL(", ").join(map(sql.Literal, choices)))


def _type(name: str) -> sql.Literal:
    return sql.Literal(EventType.objects.get(name=name).pk)


def _viewers(
    dialect: Dialect, now: dt.datetime, n: int, days: int, *filters: tuple[str, tuple[str, ...]]
) -> sql.Composed:
    """A join with those who viewed so many products."""
    wanted = [_ALSO + _one_of(dialect.property(name), choices) for name, choices in filters]
    return SQL(
        "JOIN (SELECT t.profile_id FROM profiles_touchpoint t WHERE t.type_id = {type} AND {window}{wanted} "
        "GROUP BY t.profile_id HAVING count(*) >= {n}) v ON v.profile_id = p.id"
    ).format(type=_type(VIEWED), window=_in_days(dialect, now, days), wanted=sql.Composed(wanted), n=n)


def _spenders(dialect: Dialect, now: dt.datetime, amount: Decimal) -> sql.Composed:
    """A join with those who spent so much."""
    return SQL(
        "JOIN (SELECT o.profile_id FROM profiles_order o WHERE o.currency = 'THB' AND o.status <> 'cancelled' "
        "AND (o.refunded = 0 OR o.refunded < o.total) AND {window} "
        "GROUP BY o.profile_id HAVING sum(o.total - o.refunded) >= {amount}) o ON o.profile_id = p.id"
    ).format(window=_in_days(dialect, now, 365, "o.placed_at"), amount=amount)


def _attributes(dialect: Dialect, now: dt.datetime) -> sql.Composed:
    born = SQL("{} BETWEEN {} AND {}").format(dialect.attribute("birth_date"), *(day.isoformat() for day in BORN))
    return _people(_one_of(dialect.attribute("province"), BANGKOK), born)


def _facets(_dialect: Dialect, _now: dt.datetime) -> sql.Composed:
    """The same by the columns that an index holds, where they tell all."""
    born = SQL("p.facet_birth_date BETWEEN {} AND {}").format(*(day.isoformat() for day in BORN))
    return _people(SQL("p.facets_tell"), _one_of(SQL("p.facet_province"), BANGKOK), born)


def _red_shoes(dialect: Dialect, now: dt.datetime) -> sql.Composed:
    return _people(joins=_viewers(dialect, now, 5, 7, ("color", RED), ("category", SHOES)))


def _full(dialect: Dialect, now: dt.datetime) -> sql.Composed:
    """Consent by its own rules (`consent.state_sql`): nobody would write those a second time."""
    marketing = Purpose.objects.get(slug="marketing").pk
    consent = SQL("JOIN ({}) c ON c.profile_id = p.id AND c.state = 'granted'").format(
        state_sql.state_sql(marketing, Channel.EMAIL)
    )
    not_busy = SQL(
        "NOT EXISTS (SELECT 1 FROM profiles_touchpoint t WHERE t.profile_id = p.id AND t.type_id IN ({}, {}) AND {})"
    ).format(_type(ORDERED), _type(CALLED), _in_days(dialect, now, 30))
    return _people(
        _one_of(dialect.attribute("province"), BANGKOK),
        not_busy,
        joins=SQL(" ").join(
            [_viewers(dialect, now, 1, 90, ("category", SHOES)), _spenders(dialect, now, SOME), consent]
        ),
    )


def _sequence_in_one_pass(dialect: Dialect, now: dt.datetime) -> sql.Composed:
    """All three kinds in the order of time; each order looks back for the last view and the last call."""
    steps = SQL(
        "p.id IN (SELECT s.profile_id FROM (SELECT t.profile_id, t.type_id, t.occurred_at, "
        "max(t.occurred_at) FILTER (WHERE t.type_id = {viewed}) OVER earlier AS viewed_at, "
        "max(t.occurred_at) FILTER (WHERE t.type_id = {called}) OVER earlier AS called_at "
        "FROM profiles_touchpoint t WHERE t.type_id IN ({viewed}, {ordered}, {called}) AND {window} "
        "WINDOW earlier AS (PARTITION BY t.profile_id ORDER BY t.occurred_at "
        "GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) s "
        "WHERE s.type_id = {ordered} AND s.occurred_at - s.viewed_at <= interval '7 days' "
        "AND (s.called_at IS NULL OR s.called_at <= s.viewed_at))"
    )
    return _people(steps.format(**_of_sequence(dialect, now)))


def _sequence_by_orders(dialect: Dialect, now: dt.datetime) -> sql.Composed:
    """Each order asks the index for the last view before it, and for a call in between."""
    steps = SQL(
        "p.id IN (SELECT t.profile_id FROM profiles_touchpoint t CROSS JOIN LATERAL ("
        "SELECT max(v.occurred_at) AS viewed_at FROM profiles_touchpoint v WHERE v.profile_id = t.profile_id "
        "AND v.type_id = {viewed} AND v.occurred_at < t.occurred_at AND v.occurred_at > {since} "
        "AND v.occurred_at >= t.occurred_at - interval '7 days') v "
        "WHERE t.type_id = {ordered} AND {window} AND v.viewed_at IS NOT NULL AND NOT EXISTS ("
        "SELECT 1 FROM profiles_touchpoint c WHERE c.profile_id = t.profile_id AND c.type_id = {called} "
        "AND c.occurred_at > v.viewed_at AND c.occurred_at < t.occurred_at))"
    )
    return _people(steps.format(**_of_sequence(dialect, now)))


def _sequence_as_of(dialect: Dialect, now: dt.datetime) -> sql.Composed:
    """DuckDB has a join for "the last one before"."""
    steps = SQL(
        "p.id IN (SELECT o.profile_id FROM "
        "(SELECT t.profile_id, t.occurred_at FROM profiles_touchpoint t WHERE t.type_id = {ordered} AND {window}) o "
        "ASOF JOIN "
        "(SELECT t.profile_id, t.occurred_at FROM profiles_touchpoint t WHERE t.type_id = {viewed} AND {window}) v "
        "ON v.profile_id = o.profile_id AND v.occurred_at < o.occurred_at "
        "ASOF LEFT JOIN "
        "(SELECT t.profile_id, t.occurred_at FROM profiles_touchpoint t WHERE t.type_id = {called} AND {window}) c "
        "ON c.profile_id = o.profile_id AND c.occurred_at < o.occurred_at "
        "WHERE o.occurred_at - v.occurred_at <= interval '7 days' "
        "AND (c.occurred_at IS NULL OR c.occurred_at <= v.occurred_at))"
    )
    return _people(steps.format(**_of_sequence(dialect, now)))


def _of_sequence(dialect: Dialect, now: dt.datetime) -> dict[str, sql.Composable]:
    return {
        "viewed": _type(VIEWED),
        "ordered": _type(ORDERED),
        "called": _type(CALLED),
        "window": _in_days(dialect, now, 90),
        "since": dialect.instant(now - dt.timedelta(days=90)),
    }


def _often(dialect: Dialect, now: dt.datetime) -> sql.Composed:
    return _people(joins=_viewers(dialect, now, 10, 90))


def _much(dialect: Dialect, now: dt.datetime) -> sql.Composed:
    return _people(joins=_spenders(dialect, now, MUCH))


# ── together ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Question:
    """A definition, and the ways in which people write it for PostgreSQL and for DuckDB."""

    name: str
    about: str
    definition: Definition
    by_hand: tuple[Write, ...]
    in_duckdb: tuple[Write, ...]


def _question(name: str, about: str, where: All, *ways: Write, in_duckdb: tuple[Write, ...] = ()) -> Question:
    return Question(name, about, Definition(where), ways, in_duckdb or ways)


QUESTIONS = (
    _question(
        "S1",
        "province and year of birth",
        All((_IN_BANGKOK, _OF_THAT_AGE)),
        _attributes,
        _facets,
        in_duckdb=(_attributes,),
    ),
    _question(
        "S2", "more than 4 views of red shoes in 7 days", All((_did(VIEWED, 5, 7, _IN_RED, _OF_SHOES),)), _red_shoes
    ),
    _question(
        "S3",
        "viewed shoes in 90 days, spent 3,000 in a year, lives in Bangkok, may be mailed, is not in a segment",
        All(
            (
                _did(VIEWED, 1, 90, _OF_SHOES),
                _spent(SOME),
                _IN_BANGKOK,
                _MAY_MAIL,
                SegmentCondition(str(BUSY), is_in=False),
            )
        ),
        _full,
    ),
    _question(
        "S4",
        "a view, then an order within 7 days, no call between, in 90 days",
        All((_BOUGHT_WITHOUT_CALLING,)),
        _sequence_in_one_pass,
        _sequence_by_orders,
        in_duckdb=(_sequence_in_one_pass, _sequence_as_of),
    ),
    _question("S5", "at least 10 views in 90 days", All((_did(VIEWED, 10, 90),)), _often),
    _question("S6", "20,000 and more spent in a year", All((_spent(MUCH),)), _much),
)


def asked(now: dt.datetime) -> list[audience.Question]:
    """The definitions of QUESTIONS as the product asks them: segments that they name and words that mean the same are
    looked up. The segment that S3 names is stored for as long as that takes."""
    with transaction.atomic():
        Segment.objects.create(pk=BUSY, name="bench: busy with us", definition=serialise(BUSY_WITH_US))
        found = [audience.Question.of(question.definition, EVERYTHING) for question in QUESTIONS]
        transaction.set_rollback(True)
    return [replace(one, now=now) for one in found]
