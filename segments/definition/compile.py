"""Nodes → SQL: one SELECT of the profile ids for whom a definition holds. The meaning is that of `evaluate`.

Two ways of asking the same:

SWEEP, for everybody: each condition on touchpoints, orders or consent becomes a derived table of the profiles that
satisfy it (or of those that do not, where nobody satisfies it by having nothing), read once from the index on
(type, occurred_at) and joined by hash. `IS NOT NULL` at the top lets the planner turn the outer join into an inner
one, `IS NULL` into an anti join.

PROBE, for few: the same conditions as subqueries per profile, evaluated after the attributes, which are cheap.

All values travel as `psycopg.sql.Literal`; nothing is pasted into a string.
"""

import datetime as dt
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from functools import singledispatchmethod

from psycopg import sql

from cdp_site.core.access import EVERYTHING, Scope
from consent import states
from segments.definition import nodes
from segments.definition.compare import JsonValue, compare_number, matches
from segments.definition.evaluate import Moment
from segments.definition.values import number_holds

SQL = sql.SQL


class Strategy(Enum):
    SWEEP = "sweep"
    PROBE = "probe"


@dataclass(frozen=True)
class Viewer:
    """Through whose eyes: the scope, and the ids behind the names of event types and traits that it sees.

    An event type or trait that is absent does not exist here: it has no touchpoints and no value.
    """

    event_types: Mapping[str, int]
    traits: frozenset[str]
    scope: Scope = EVERYTHING


def people(
    definition: nodes.Definition,
    viewer: Viewer,
    *,
    now: dt.datetime,
    time_zone: zoneinfo.ZoneInfo,
    strategy: Strategy = Strategy.SWEEP,
    among: sql.Composable | None = None,
) -> sql.Composed:
    """SELECT of one column `id`: live, known people whom the viewer sees and for whom the definition holds at `now`.

    `among`, a further condition on the profile `p`, narrows it, e.g. to one person or past a keyset's last id.
    """
    compiler = _Compiler(viewer, Moment(now, time_zone), strategy)
    predicate = compiler.predicate(definition.where)
    conditions = [SQL("p.state = 'live' AND p.kind = 'identified'"), *compiler.visibility()]
    if among is not None:
        conditions.append(among)
    return SQL("SELECT p.id FROM profiles_profile p{joins} WHERE {conditions} AND {predicate}").format(
        joins=SQL("").join(compiler.joins.values()), conditions=SQL(" AND ").join(conditions), predicate=predicate
    )


_SIGNS: Mapping[nodes.Bound, sql.SQL] = {
    nodes.Bound.AT_LEAST: SQL(">="),
    nodes.Bound.AT_MOST: SQL("<="),
    nodes.Bound.EXACTLY: SQL("="),
}

_COSTS: Mapping[type, int] = {
    nodes.AttributeCondition: 0,
    nodes.ConsentCondition: 1,
    nodes.OrderTotalCondition: 2,
    nodes.TouchpointCondition: 3,
}


def _cost(node: nodes.Node) -> int:
    """Rank of what the dearest condition below a node costs; PostgreSQL tests members of AND and OR as they stand."""
    return max(_COSTS[type(condition)] for condition in nodes.conditions(node))


@dataclass
class _Compiler:
    """One compilation. `joins`: derived tables by what they hold, so that equal conditions share one."""

    viewer: Viewer
    moment: Moment
    strategy: Strategy
    joins: dict[object, sql.Composable] = field(default_factory=dict)
    under_not: bool = False

    # -- nodes ------------------------------------------------------------------------------------------------

    @singledispatchmethod
    def predicate(self, node: nodes.Node) -> sql.Composable:
        """A condition on `p`. NULL stands for false, except below NOT, where it cannot come up."""
        raise TypeError(f"no SQL for {type(node).__name__}")

    @predicate.register
    def _(self, node: nodes.All) -> sql.Composable:
        return self._joined(" AND ", node)

    @predicate.register
    def _(self, node: nodes.Any) -> sql.Composable:
        return self._joined(" OR ", node)

    @predicate.register
    def _(self, node: nodes.Not) -> sql.Composable:
        outside, self.under_not = self.under_not, True
        predicate = SQL("NOT {}").format(self._joined(" OR ", node))
        self.under_not = outside
        return predicate

    def _joined(self, word: str, node: nodes.Group) -> sql.Composable:
        members = [self.predicate(member) for member in sorted(node.of, key=_cost)]
        return SQL("({})").format(SQL(word).join(members))

    @predicate.register
    def _(self, node: nodes.AttributeCondition) -> sql.Composable:
        if node.trait not in self.viewer.traits:
            predicate = matches(JsonValue.of(SQL("NULL::jsonb")), node.comparison, self.moment)
        elif self.viewer.scope.source_ids is None:
            predicate = matches(JsonValue.of_key("p.golden", node.trait), node.comparison, self.moment)
        else:
            # OFFSET 0 keeps the planner from writing the winner's subquery out at each mention.
            predicate = SQL("(SELECT {} FROM (SELECT {} AS v OFFSET 0) x)").format(
                matches(JsonValue.of(SQL("x.v")), node.comparison, self.moment), self._winner(node.trait)
            )
        return SQL("({}) IS TRUE").format(predicate) if self.under_not else predicate

    @predicate.register
    def _(self, node: nodes.TouchpointCondition) -> sql.Composable:
        type_id = self.viewer.event_types.get(node.event)
        rows = [SQL("t.type_id = {}").format(type_id), *self._visible("t.source_id")] if type_id else [SQL("false")]
        rows += self._in_window("t.occurred_at", node.window)
        for one in node.filters:
            rows.append(matches(JsonValue.of_key("t.properties", one.property), one.comparison, self.moment))
        counted = SQL("count(*) {} {}").format(_SIGNS[node.count.bound], node.count.n)
        return self._by_rows("profiles_touchpoint t", "t", rows, counted, holds_for_none=node.count.holds(0))

    @predicate.register
    def _(self, node: nodes.OrderTotalCondition) -> sql.Composable:
        rows: list[sql.Composable] = [
            SQL("o.currency = {}").format(node.currency),
            SQL("o.status <> 'cancelled' AND (o.refunded = 0 OR o.refunded < o.total)"),
            *self._visible("o.source_id"),
            *self._in_window("o.placed_at", node.window),
        ]
        total, n, holds_for_none = (
            SQL("sum(o.total - o.refunded)"),
            SQL("count(*)"),
            number_holds(Decimal(0), node.comparison),
        )
        match node.measure:
            case nodes.Measure.SUM:
                measured = compare_number(total, node.comparison)
            case nodes.Measure.COUNT:
                measured = compare_number(n, node.comparison)
            case nodes.Measure.AVERAGE:
                # Compared as total against amount × number: exact, where a quotient would be rounded.
                measured = compare_number(total, node.comparison, times=n)
                holds_for_none = False
        return self._by_rows("profiles_order o", "o", rows, measured, holds_for_none=holds_for_none)

    @predicate.register
    def _(self, node: nodes.ConsentCondition) -> sql.Composable:
        asked = self._was_asked(node)
        if node.state is nodes.ConsentState.NEVER:
            return SQL("NOT {}").format(asked)
        # The state takes a few look-ups per person, so only those are asked about whom anything is stated.
        state = states.state_sql(node.purpose, node.channel)
        return SQL("({} AND {} = {})").format(asked, state, node.state.value)

    # -- the viewer's part ------------------------------------------------------------------------------------

    def visibility(self) -> list[sql.Composable]:
        """Conditions on `p`: the viewer sees at least one of the person's records."""
        if self.viewer.scope.source_ids is None:
            return []
        return [SQL("({} OR {})").format(self._sees_all_records(), self._has_record("r.source_id = ANY({})"))]

    def _sees_all_records(self) -> sql.Composable:
        """That no record of `p` is hidden from the viewer: then the golden values are the viewer's, too."""
        if self.strategy is Strategy.PROBE:
            return SQL("NOT {}").format(self._has_record("r.source_id <> ALL({})"))
        hidden = self._join(
            SQL(
                "SELECT DISTINCT m.profile_id FROM profiles_membership m JOIN profiles_sourcerecord r "
                "ON r.id = m.record_id WHERE m.valid_to IS NULL AND r.source_id <> ALL({})"
            ).format(self._visible_sources)
        )
        return SQL("{}.profile_id IS NULL").format(hidden)

    def _has_record(self, condition: str) -> sql.Composable:
        return SQL(
            "EXISTS (SELECT FROM profiles_membership m JOIN profiles_sourcerecord r ON r.id = m.record_id "
            "WHERE m.profile_id = p.id AND m.valid_to IS NULL AND {})"
        ).format(SQL(condition).format(self._visible_sources))

    def _winner(self, trait: str) -> sql.Composable:
        """The value of a trait that wins among the records that the viewer sees (profiles.survivorship)."""
        return SQL(
            "CASE WHEN {sees_all} THEN p.golden -> {trait} ELSE ("
            "SELECT r.attributes -> {trait} FROM profiles_membership m "
            "JOIN profiles_sourcerecord r ON r.id = m.record_id JOIN ingestion_source s ON s.id = r.source_id "
            "LEFT JOIN profiles_pin k ON k.record_id = r.id AND k.trait = {trait} "
            "WHERE m.profile_id = p.id AND m.valid_to IS NULL AND r.source_id = ANY({sources}) "
            "AND jsonb_typeof(r.attributes -> {trait}) <> 'null' "
            "ORDER BY k.at DESC NULLS LAST, s.trust_rank, (r.attribute_times ->> {trait})::timestamptz DESC, r.id "
            "LIMIT 1) END"
        ).format(sees_all=self._sees_all_records(), trait=trait, sources=self._visible_sources)

    @property
    def _visible_sources(self) -> list[int]:
        return sorted(self.viewer.scope.source_ids or ())

    def _visible(self, column: str) -> list[sql.Composable]:
        if self.viewer.scope.source_ids is None:
            return []
        return [SQL("{} = ANY({})").format(SQL(column), self._visible_sources)]

    def _was_asked(self, node: nodes.ConsentCondition) -> sql.Composable:
        """That anything is stated about the purpose and channel. Consent is everybody's: it knows no departments."""
        statements = SQL(
            "FROM consent_consententry c JOIN profiles_membership m ON m.record_id = c.record_id "
            "WHERE m.valid_to IS NULL AND c.channel = {} "
            "AND c.purpose_id = (SELECT u.id FROM consent_purpose u WHERE u.slug = {})"
        ).format(node.channel, node.purpose)
        if self.strategy is Strategy.PROBE:
            return SQL("EXISTS (SELECT {} AND m.profile_id = p.id)").format(statements)
        return SQL("{}.profile_id IS NOT NULL").format(
            self._join(SQL("SELECT DISTINCT m.profile_id {}").format(statements))
        )

    # -- pieces -----------------------------------------------------------------------------------------------

    def _by_rows(
        self, table: str, row: str, rows: list[sql.Composable], measured: sql.Composable, *, holds_for_none: bool
    ) -> sql.Composable:
        """The condition that `measured`, an aggregate over a person's `rows` of `table`, is true.

        `holds_for_none`: whether it holds for someone without any such row.
        """
        where = SQL(" AND ").join(rows)
        if self.strategy is Strategy.PROBE:
            return SQL("coalesce((SELECT {} FROM {} WHERE {}.profile_id = p.id AND {}), {})").format(
                measured, SQL(table), SQL(row), where, holds_for_none
            )
        having = SQL("NOT ({})").format(measured) if holds_for_none else measured
        joined = self._join(
            SQL("SELECT {row}.profile_id FROM {table} WHERE {where} GROUP BY {row}.profile_id HAVING {having}").format(
                row=SQL(row), table=SQL(table), where=where, having=having
            )
        )
        return SQL("{}.profile_id IS NULL" if holds_for_none else "{}.profile_id IS NOT NULL").format(joined)

    def _join(self, table: sql.Composable) -> sql.Composable:
        """Alias of a derived table of profile ids, joined to `p` once however often it is asked for."""
        key = table.as_string(None)
        aliases = {known: SQL(f"s{place}") for place, known in enumerate([*self.joins, key])}
        alias = aliases[key]
        self.joins.setdefault(key, SQL(" LEFT JOIN ({}) {} ON {}.profile_id = p.id").format(table, alias, alias))
        return alias

    def _in_window(self, column: str, window: nodes.Window) -> list[sql.Composable]:
        span = window.span(self.moment.now, self.moment.time_zone)
        bounds = [SQL("{} < {}").format(SQL(column), span.end)]
        if span.start is not None:
            bounds.append(SQL("{} >= {}").format(SQL(column), span.start))
        return bounds
