"""Nodes → SQL: one SELECT of the profile ids for whom a definition holds. The meaning is that of `evaluate`.

Two ways of asking the same:

SWEEP, for everybody: each condition on touchpoints, orders or consent becomes a set of profile ids, read once from the
index on (type, occurred_at): those that satisfy it, or, where people satisfy it by having nothing, those that do not.
One scan of the profiles then asks each set. The sets are hashed subplans and not joins, because nothing is known of
how many people a condition on JSON leaves: from a guess of one the planner makes a nested loop that reads a whole set
again for each of many thousands.

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

from consent import state_sql as consents
from profiles import survivorship
from segments.definition import nodes
from segments.definition.compare import JsonValue, compare_number, matches, may_match
from segments.definition.evaluate import Moment
from segments.definition.values import number_holds

SQL = sql.SQL


class Strategy(Enum):
    SWEEP = "sweep"
    PROBE = "probe"


@dataclass(frozen=True)
class Viewer:
    """Through whose eyes: event types and purposes by name, hidden traits, visible sources (None: all of them).

    An event type that is absent has no touchpoints here, a hidden trait no value, and about a purpose that is absent
    nobody was asked. Consent itself is everybody's: it knows no departments.
    """

    event_types: Mapping[str, int]
    purposes: Mapping[str, int]
    hidden_traits: frozenset[str] = frozenset()
    sources: frozenset[int] | None = None


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
    narrowing = [] if among is None else [among]
    driver, conditions = compiler.driven(definition.where)
    return compiler.select([*compiler.visibility(), *narrowing, *conditions], driver)


def everybody(viewer: Viewer, *, now: dt.datetime, time_zone: zoneinfo.ZoneInfo) -> sql.Composed:
    """SELECT of one column `id`: all live, known people whom the viewer sees."""
    compiler = _Compiler(viewer, Moment(now, time_zone), Strategy.SWEEP)
    return compiler.select(compiler.visibility())


_SIGNS: Mapping[nodes.Bound, sql.SQL] = {
    nodes.Bound.AT_LEAST: SQL(">="),
    nodes.Bound.AT_MOST: SQL("<="),
    nodes.Bound.EXACTLY: SQL("="),
}

_SURVIVOR = SQL(
    # The rules of profiles.survivorship for one trait of one profile, in their order.
    "SELECT {survives} FROM ("
    "SELECT r.attributes -> {trait} AS v FROM profiles_membership m "
    "JOIN profiles_sourcerecord r ON r.id = m.record_id JOIN ingestion_source s ON s.id = r.source_id "
    "CROSS JOIN LATERAL ("
    "SELECT count(*) AS n, bool_or(k.id IS NOT NULL) AS is_pinned, {is_whole} AS is_whole, "
    "max(coalesce((r.attribute_times ->> u.trait)::timestamptz, r.last_seen_at)) AS observed_at "
    "FROM unnest({unit}::text[]) u(trait) LEFT JOIN profiles_pin k ON k.record_id = r.id AND k.trait = u.trait "
    "AND k.ended_at IS NULL "
    "WHERE r.attributes -> u.trait NOT IN ('null', '\"\"', '[]', '{{}}')) c "
    "WHERE m.profile_id = p.id AND m.valid_to IS NULL AND c.n > 0 {sources} "
    "ORDER BY c.is_pinned DESC, c.is_whole DESC, s.trust_rank, c.n DESC, c.observed_at DESC, "
    'r.source_id, r.external_id COLLATE "C", r.id LIMIT 1) w'
)
_FIRST_OF_LIST = SQL("CASE jsonb_typeof(w.v) WHEN 'array' THEN w.v -> 0 ELSE w.v END")
_IS_WHOLE_NAME = SQL(
    "(count(*) FILTER (WHERE u.trait IN ('first_name', 'last_name')) = 2 OR coalesce(bool_or(u.trait = 'name' "
    "AND strpos(CASE jsonb_typeof(r.attributes -> 'name') WHEN 'array' THEN r.attributes -> 'name' ->> 0 "
    "ELSE r.attributes ->> 'name' END, ' ') > 0), false))"
)

_COSTS: Mapping[type, int] = {
    nodes.AttributeCondition: 0,
    nodes.ConsentCondition: 1,
    nodes.OrderTotalCondition: 2,
    nodes.TouchpointCondition: 3,
}


def _cost(node: nodes.Node) -> int:
    """Rank of what the dearest condition below a node costs; PostgreSQL tests members of AND and OR as they stand."""
    return max(_COSTS[type(condition)] for condition in nodes.conditions(node))


@dataclass(frozen=True)
class _Counted:
    """A condition on a person's rows: `measured` is an aggregate over those of `table` (called `row`) for which all of
    `rows` hold; `holds_for_none`: whether the condition holds for somebody without any such row."""

    table: sql.Composable
    row: sql.SQL
    rows: list[sql.Composable]
    measured: sql.Composable
    holds_for_none: bool

    def of_profile(self) -> sql.Composable:
        """The condition on `p`, asked of one profile at a time."""
        return SQL("coalesce((SELECT {} FROM {} WHERE {}.profile_id = p.id AND {}), {})").format(
            self.measured, self.table, self.row, SQL(" AND ").join(self.rows), self.holds_for_none
        )

    def set(self) -> sql.Composed:
        """The profiles for which it holds; where it holds for none, those for which it does not."""
        return SQL(
            "SELECT {row}.profile_id FROM {table} WHERE {where} GROUP BY {row}.profile_id HAVING {having}"
        ).format(
            row=self.row,
            table=self.table,
            where=SQL(" AND ").join(self.rows),
            having=SQL("NOT ({})").format(self.measured) if self.holds_for_none else self.measured,
        )


@dataclass
class _Compiler:
    """One compilation. `sets`: name and query of each set of profiles by its text, so that equal ones are shared."""

    viewer: Viewer
    moment: Moment
    strategy: Strategy
    sets: dict[str, tuple[sql.SQL, sql.Composable]] = field(default_factory=dict)
    under_not: bool = False

    def select(self, conditions: list[sql.Composable], driver: sql.Composable | None = None) -> sql.Composed:
        """The whole statement. To be called last: the conditions bring the sets."""
        sets = [SQL("{} AS ({})").format(name, query) for name, query in self.sets.values()]
        source: sql.Composable = SQL("profiles_profile p")
        if driver is not None:
            source = SQL("({}) d JOIN profiles_profile p ON p.id = d.profile_id").format(driver)
        return SQL("{sets}SELECT p.id FROM {source} WHERE {conditions}").format(
            sets=SQL("WITH {} ").format(SQL(", ").join(sets)) if sets else SQL(""),
            source=source,
            conditions=SQL(" AND ").join([SQL("p.state = 'live' AND p.kind = 'identified'"), *conditions]),
        )

    def driven(self, where: nodes.Group) -> tuple[sql.Composable | None, list[sql.Composable]]:
        """The set whose profiles the statement starts from, if one condition must hold for all and brings one; and the
        other conditions. This one join is safe: a profile is looked up by its key, however wrong the guess was."""
        if self.strategy is Strategy.SWEEP and isinstance(where, nodes.All):
            for place, member in enumerate(where.of):
                if isinstance(member, nodes.TouchpointCondition | nodes.OrderTotalCondition):
                    counted = self._counted(member)
                    if not counted.holds_for_none:
                        others = sorted([*where.of[:place], *where.of[place + 1 :]], key=_cost)
                        return counted.set(), [self.predicate(other) for other in others]
        return None, [self.predicate(where)]

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
        predicate = self._attribute(node)
        return SQL("({}) IS TRUE").format(predicate) if self.under_not else predicate

    @predicate.register(nodes.TouchpointCondition)
    @predicate.register(nodes.OrderTotalCondition)
    def _(self, node: nodes.TouchpointCondition | nodes.OrderTotalCondition) -> sql.Composable:
        counted = self._counted(node)
        if self.strategy is Strategy.PROBE:
            return counted.of_profile()
        those = self._in_set(counted.set())
        return SQL("NOT {}").format(those) if counted.holds_for_none else those

    @predicate.register
    def _(self, node: nodes.ConsentCondition) -> sql.Composable:
        purpose_id = self.viewer.purposes.get(node.purpose)
        if purpose_id is None:
            return sql.Literal(node.state is nodes.ConsentState.NEVER)
        if self.strategy is Strategy.PROBE:
            states = consents.state_sql(purpose_id, node.channel, among=SQL("SELECT p.id"))
            return SQL("coalesce((SELECT c.state FROM ({}) c), 'never') = {}").format(states, node.state.value)
        states = consents.state_sql(purpose_id, node.channel)
        if node.state is nodes.ConsentState.NEVER:
            return SQL("NOT {}").format(self._in_set(states, SQL("s.state <> 'never'")))
        return self._in_set(states, SQL("s.state = {}").format(node.state.value))

    # -- the viewer's part ------------------------------------------------------------------------------------

    def visibility(self) -> list[sql.Composable]:
        """Conditions on `p`: the viewer sees at least one of the person's records."""
        if self.viewer.sources is None:
            return []
        return [SQL("({} OR {})").format(self._sees_all_records(), self._has_record("r.source_id = ANY({})"))]

    def _sees_all_records(self) -> sql.Composable:
        """That no record of `p` is hidden from the viewer."""
        if self.viewer.sources is None:
            return SQL("true")
        if self.strategy is Strategy.PROBE:
            return SQL("NOT {}").format(self._has_record("r.source_id <> ALL({})"))
        hidden = SQL(
            "SELECT m.profile_id FROM profiles_membership m JOIN profiles_sourcerecord r "
            "ON r.id = m.record_id WHERE m.valid_to IS NULL AND r.source_id <> ALL({})"
        ).format(self._visible_sources)
        return SQL("NOT {}").format(self._in_set(hidden))

    def _has_record(self, condition: str) -> sql.Composable:
        return SQL(
            "EXISTS (SELECT FROM profiles_membership m JOIN profiles_sourcerecord r ON r.id = m.record_id "
            "WHERE m.profile_id = p.id AND m.valid_to IS NULL AND {})"
        ).format(SQL(condition).format(self._visible_sources))

    def _attribute(self, node: nodes.AttributeCondition) -> sql.Composable:
        """The condition on what survives among the records and traits that the viewer sees."""
        hidden, unit = self.viewer.hidden_traits, survivorship.unit_of(node.trait)
        # A golden record keeps the first of several addresses or names, so that there is no list to look into.
        may_be_list = node.trait not in survivorship.SINGULAR
        golden = matches(
            JsonValue.of_key("p.golden", node.trait, may_be_list=may_be_list), node.comparison, self.moment
        )
        if hidden.isdisjoint(unit) and self.viewer.sources is None:
            return golden
        if node.trait in hidden:
            return matches(JsonValue.of(SQL("NULL::jsonb")), node.comparison, self.moment)
        own = matches(JsonValue.of(SQL("x.v"), may_be_list=may_be_list), node.comparison, self.moment)
        # OFFSET 0 keeps the planner from writing the survivor's subquery out at each mention.
        survivor = SQL("(SELECT {} FROM (SELECT ({}) AS v OFFSET 0) x)").format(own, self._survivor(node.trait))
        if not hidden.isdisjoint(unit):
            return survivor
        # Who has no hidden record has the golden value, and most people have none.
        return SQL("CASE WHEN {} THEN {} ELSE {} END").format(self._sees_all_records(), golden, survivor)

    def _survivor(self, trait: str) -> sql.Composable:
        sources: sql.Composable = SQL("")
        if self.viewer.sources is not None:
            sources = SQL("AND r.source_id = ANY({})").format(self._visible_sources)
        return _SURVIVOR.format(
            survives=_FIRST_OF_LIST if trait in survivorship.SINGULAR else SQL("w.v"),
            trait=trait,
            unit=sorted(set(survivorship.unit_of(trait)) - self.viewer.hidden_traits),
            is_whole=_IS_WHOLE_NAME if trait in survivorship.NAME_PARTS else SQL("true"),
            sources=sources,
        )

    @property
    def _visible_sources(self) -> list[int]:
        return sorted(self.viewer.sources or ())

    def _visible(self, column: str) -> list[sql.Composable]:
        if self.viewer.sources is None:
            return []
        return [SQL("{} = ANY({})").format(SQL(column), self._visible_sources)]

    # -- pieces -----------------------------------------------------------------------------------------------

    def _counted(self, node: nodes.TouchpointCondition | nodes.OrderTotalCondition) -> _Counted:
        return self._touchpoints(node) if isinstance(node, nodes.TouchpointCondition) else self._orders(node)

    def _touchpoints(self, node: nodes.TouchpointCondition) -> _Counted:
        type_id = self.viewer.event_types.get(node.event)
        rows: list[sql.Composable] = [SQL("t.type_id = {}").format(type_id) if type_id else SQL("false")]
        rows += [*self._visible("t.source_id"), *self._in_window("t.occurred_at", node.window)]
        values = [(JsonValue.of_key("t.properties", one.property), one.comparison) for one in node.filters]
        exact = [matches(value, comparison, self.moment) for value, comparison in values]
        table: sql.Composable = SQL("profiles_touchpoint t")
        if exact and self.strategy is Strategy.SWEEP:
            likely = [may_match(value, comparison, self.moment) for value, comparison in values]
            # OFFSET 0 keeps the planner from mixing the two steps.
            table = SQL("(SELECT t.profile_id, t.properties FROM profiles_touchpoint t WHERE {} OFFSET 0) t").format(
                SQL(" AND ").join([*rows, *(condition for condition in likely if condition is not None)])
            )
            rows = []
        measured = SQL("count(*) {} {}").format(_SIGNS[node.count.bound], node.count.n)
        return _Counted(table, SQL("t"), [*rows, *exact], measured, node.count.holds(0))

    def _orders(self, node: nodes.OrderTotalCondition) -> _Counted:
        rows: list[sql.Composable] = [
            SQL("o.currency = {}").format(node.currency),
            SQL("o.status <> 'cancelled' AND (o.refunded = 0 OR o.refunded < o.total)"),
            *self._visible("o.source_id"),
            *self._in_window("o.placed_at", node.window),
        ]
        total, n = SQL("sum(o.total - o.refunded)"), SQL("count(*)")
        match node.measure:
            case nodes.Measure.SUM:
                measured = compare_number(total, node.comparison)
            case nodes.Measure.COUNT:
                measured = compare_number(n, node.comparison)
            case nodes.Measure.AVERAGE:
                # Compared as total against amount × number: exact, where a quotient would be rounded.
                measured = compare_number(total, node.comparison, times=n)
        has_average = node.measure is nodes.Measure.AVERAGE
        holds_for_none = not has_average and number_holds(Decimal(0), node.comparison)
        return _Counted(SQL("profiles_order o"), SQL("o"), rows, measured, holds_for_none)

    def _in_set(self, query: sql.Composable, condition: sql.Composable | None = None) -> sql.Composable:
        """That `p` is among the profiles of a query, a set read once; of those `s` for which `condition` holds.

        IS TRUE keeps the planner from making a join of it.
        """
        key = query.as_string(None)
        name, _query = self.sets.setdefault(key, (SQL(f"s{len(self.sets)}"), query))
        where = SQL("") if condition is None else SQL(" WHERE {}").format(condition)
        return SQL("((p.id IN (SELECT s.profile_id FROM {} s{})) IS TRUE)").format(name, where)

    def _in_window(self, column: str, window: nodes.Window) -> list[sql.Composable]:
        span = window.span(self.moment.now, self.moment.time_zone)
        bounds: list[sql.Composable] = [SQL("{} < {}").format(SQL(column), span.end)]
        if span.start is not None:
            bounds.append(SQL("{} >= {}").format(SQL(column), span.start))
        return bounds
