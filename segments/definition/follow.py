"""Nodes → SQL, in time: one SELECT of everybody for whom a definition holds, or may hold later by time alone.

`states` says of each such person whether the definition holds now, and at which moment time alone may change that
(`next_change` says it exactly, for one person). It is early rather than late: who is looked at too early is looked at
once more. Only moments come up here. What turns at midnight (calendar days, comparisons with today) turns for everybody
at once: whoever keeps the states asks everybody anew then (`next_change.looks_at_days`).

Each condition and each group becomes two columns: whether it holds, and until when that stands. What holds for all its
members ends with the first of them; what fails for some stands until the last of those that fail it may turn.

All values travel as `psycopg.sql.Literal`; nothing is pasted into a string.
"""

import datetime as dt
import zoneinfo
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TypeGuard

from psycopg import sql

from segments.definition import nodes
from segments.definition.compile import IS_LIVE, Compiler
from segments.definition.counting import Counting
from segments.definition.evaluate import Moment
from segments.definition.nodes import Bound, LineMeasure, Measure, Operator, PropertyMeasure
from segments.definition.viewer import Strategy, Viewer

SQL = sql.SQL
AND = SQL(" AND ")
NEVER, AT_ONCE = SQL("'infinity'::timestamptz"), SQL("'-infinity'::timestamptz")

# Conditions that hold or fail until something is heard of the person, or until midnight.
Still = nodes.AttributeCondition | nodes.ListCondition | nodes.ConsentCondition | nodes.ReachableCondition
_CHEAP = (nodes.AttributeCondition, nodes.ListCondition, nodes.ConsentCondition, nodes.ReachableCondition)
OnOrders = nodes.OrderTotalCondition | nodes.OrderLineCondition


def states(
    definition: nodes.Definition,
    viewer: Viewer,
    *,
    now: dt.datetime,
    time_zone: zoneinfo.ZoneInfo,
    profile_ids: Collection[int] | None = None,
) -> sql.Composed:
    """SELECT of profile_id, is_member and next_change_at (later than `now`; NULL: time alone changes nothing), for the
    members and for those of the others whom time may bring in.

    Conditions on segments have to be resolved.

    Args:
        profile_ids: the only people who are asked, few thousands. Without it everybody is, and the statement is to be
            run with `enable_nestloop` off: the planner knows no sizes of what it joins.
    """
    strategy = Strategy.SWEEP if profile_ids is None else Strategy.PROBE
    asked = _Asked(viewer, Moment(now, time_zone), strategy)
    if profile_ids is None:
        return asked.select(definition.where, [])
    ids = sql.Literal(sorted(profile_ids))
    asked.compiler.crowd = SQL("SELECT unnest({}::bigint[])").format(ids)
    return asked.select(definition.where, [SQL("p.id = ANY({}::bigint[])").format(ids)])


@dataclass(frozen=True)
class _Column:
    """`holds` is never NULL, nor is `until`: NEVER for what does not change by itself."""

    holds: sql.Composable
    until: sql.Composable


@dataclass(frozen=True)
class _Windowed:
    """A condition on what lies in a moving window. It is asked once, and until when it stands follows from the answer:
    `first` leaves the window first, `odd` is the first of those whose leaving does the opposite, `coming` comes."""

    holds: sql.Composable
    leaving: "_Leaving"
    first: sql.Composable
    odd: sql.Composable
    coming: sql.Composable


@dataclass
class _Asked:
    """A statement in the making. `layers`: the columns that rest on the profiles, on those columns, and so on;
    `places`: the number of a node's columns, equal nodes once, with its layer."""

    viewer: Viewer
    moment: Moment
    strategy: Strategy
    joins: list[sql.Composable] = field(default_factory=list)
    layers: list[list[sql.Composable]] = field(default_factory=list)
    places: dict[nodes.Node, tuple[int, int]] = field(default_factory=dict)
    coming_types: set[int] = field(default_factory=set)
    orders_come: bool = False

    def __post_init__(self) -> None:
        self.compiler = Compiler(self.viewer, self.moment, self.strategy)
        self.counting = Counting(self.viewer, self.moment, self.strategy)

    # -- the statement ----------------------------------------------------------------------------------------

    def select(self, where: nodes.Group, among: Sequence[sql.Composable]) -> sql.Composed:
        still, moving = _parted(_plain(where))
        # PostgreSQL tests them as they stand: cheap ones first.
        still.sort(key=lambda one: _CHEAP.index(type(one)))
        # Of everybody, what the golden record says narrows the people down before anything else is asked.
        said = [] if among else [one for one in still if self._is_said(one)]
        source: sql.Composable = SQL("profiles_profile p")
        left = [IS_LIVE, *among]
        if said:
            source, left = self.compiler.narrowed(said, with_golden=True)
        conditions = [*left, *(self._predicate(one) for one in still if one not in said)]
        people = SQL("(SELECT p.id, p.golden FROM {} WHERE {} OFFSET 0) p").format(
            source, AND.join(conditions or [SQL("true")])
        )
        result = _Column(SQL("true"), NEVER)
        if moving is not None:
            self._place(moving)
            result = self._of(moving)
        layered = self._layered(SQL(" ").join([people, *self._joined()]))
        return SQL(
            "{sets}SELECT a.id AS profile_id, {holds} AS is_member, nullif({until}, {never}) AS next_change_at "
            "FROM {source} WHERE {holds} OR {until} < {never}"
        ).format(
            sets=self.compiler.with_sets(),
            never=NEVER,
            holds=result.holds,
            until=result.until,
            source=layered,
        )

    def _is_said(self, node: nodes.Condition) -> TypeGuard[nodes.AttributeCondition]:
        return isinstance(node, nodes.AttributeCondition) and self.compiler.is_golden(node.trait)

    def _layered(self, source: sql.Composable) -> sql.Composable:
        """Each layer in a subquery of its own. OFFSET 0 keeps the planner from writing columns out at each mention."""
        below, everything = source, SQL("p.id")
        for columns in self.layers:
            below = SQL("(SELECT {} FROM {} OFFSET 0) a").format(SQL(", ").join([everything, *columns]), below)
            everything = SQL("a.*")
        return below if self.layers else SQL("(SELECT p.id FROM {}) a").format(source)

    def _place(self, node: nodes.Node) -> int:
        """Make the columns of a node; returns the layer in which both of them are there."""
        if node in self.places:
            return self.places[node][1]
        layer = 0
        column: _Column | _Windowed
        if isinstance(node, nodes.All | nodes.Any | nodes.Not):
            layer = 1 + max(self._place(member) for member in node.of)
            column = self._group(node)
        else:
            column = self._condition(node)
        number = len(self.places)
        self._add(layer, column.holds, f"h{number}")
        if isinstance(column, _Windowed):
            for letter, value in (("x", column.first), ("y", column.odd), ("z", column.coming)):
                self._add(layer, value, f"{letter}{number}")
            layer += 1
            self._add(layer, _stands(number, column.leaving), f"u{number}")
        else:
            self._add(layer, column.until, f"u{number}")
        self.places[node] = number, layer
        return layer

    def _add(self, layer: int, value: sql.Composable, name: str) -> None:
        while len(self.layers) <= layer:
            self.layers.append([])
        self.layers[layer].append(SQL("{} AS {}").format(value, SQL(name)))

    def _of(self, node: nodes.Node) -> _Column:
        number, _layer = self.places[node]
        return _Column(SQL(f"a.h{number}"), SQL(f"a.u{number}"))

    # -- groups -----------------------------------------------------------------------------------------------

    def _group(self, node: nodes.Group) -> _Column:
        members = [self._of(member) for member in node.of]
        if isinstance(node, nodes.All):
            holds = SQL("({})").format(AND.join(member.holds for member in members))
            return _Column(holds, _until(members, holds, counts_where=False))
        holds = SQL("({})").format(SQL(" OR ").join(member.holds for member in members))
        until = _until(members, SQL("(NOT {})").format(holds), counts_where=True)
        return _Column(SQL("(NOT {})").format(holds) if isinstance(node, nodes.Not) else holds, until)

    # -- conditions -------------------------------------------------------------------------------------------

    def _condition(self, node: nodes.Condition) -> _Column | _Windowed:
        match node:
            case nodes.TouchpointCondition():
                return self._number(node)
            case nodes.MeasureCondition() | nodes.SequenceCondition():
                return self._measure(node, *self.counting.picked(nodes.picks(node)[0], node.window))
            case nodes.OrderTotalCondition() | nodes.OrderLineCondition():
                return self._bought(node)
        return _Column(self._predicate(node), NEVER)

    def _predicate(self, node: nodes.Node) -> sql.Composable:
        """As the compiler asks it; there, NULL stands for false."""
        return SQL("(({}) IS TRUE)").format(self.compiler.predicate(node))

    def _number(self, node: nodes.TouchpointCondition) -> _Column:
        """How many, and the moment at which the window lets go of the one that matters."""
        n, length = node.count.n, _length(node.window)
        # Of the newest k it turns when the oldest of these leaves.
        matter = {Bound.AT_LEAST: (n,), Bound.AT_MOST: (n + 1,), Bound.EXACTLY: (n + 1, n)}[node.count.bound]
        matter = () if length is None else tuple(k for k in matter if k > 0)
        columns = [SQL("count(*) AS n"), *(SQL("{} AS {}").format(_nth_newest(k), SQL(f"t{k}")) for k in matter)]
        name = self._join(columns, *self.counting.picked(node, node.window), SQL("t"))
        signs = {Bound.AT_LEAST: SQL(">="), Bound.AT_MOST: SQL("<="), Bound.EXACTLY: SQL("=")}
        holds = SQL("(coalesce({}.n, 0) {} {})").format(name, signs[node.count.bound], n)
        leaves = [SQL("{}.{} + {}").format(name, SQL(f"t{k}"), length) for k in matter]
        return _Column(holds, SQL("least({})").format(SQL(", ").join([*leaves, self._coming(node), NEVER])))

    def _measure(
        self,
        node: nodes.MeasureCondition | nodes.SequenceCondition,
        table: sql.Composable,
        rows: Sequence[sql.Composable],
    ) -> _Column | _Windowed:
        holds, length, coming = self._predicate(node), _length(node.window), self._coming(node)
        if length is None:
            return _Column(holds, SQL("least({}, {})").format(coming, NEVER))
        name = self._join([SQL("min(t.occurred_at) AS first")], table, rows, SQL("t"))
        return _Windowed(holds, _leaving(node), SQL("{}.first + {}").format(name, length), NEVER, coming)

    def _bought(self, node: OnOrders) -> _Column | _Windowed:
        holds, length, coming = self._predicate(node), _length(node.window), SQL("g.at")
        self.orders_come = True
        if length is None:
            return _Column(holds, SQL("least({}, {})").format(coming, NEVER))
        rows = [*self.counting.standing_orders(node.window)]
        if node.currency:
            rows.append(SQL("o.currency = {}").format(node.currency))
        columns = [
            SQL("min(o.placed_at) AS first"),
            SQL("min(o.placed_at) FILTER (WHERE {}) AS odd").format(_below_nothing(node)),
        ]
        name = self._join(columns, SQL("profiles_order o"), rows, SQL("o"))
        first, odd = (SQL("{}.{} + {}").format(name, SQL(column), length) for column in ("first", "odd"))
        return _Windowed(holds, _leaving(node), first, odd, coming)

    # -- tables -----------------------------------------------------------------------------------------------

    def _join(
        self,
        columns: Sequence[sql.Composable],
        table: sql.Composable,
        rows: Sequence[sql.Composable],
        row: sql.SQL,
    ) -> sql.SQL:
        """Join an aggregate over a person's rows to `p`; returns its name."""
        name = SQL(f"j{len(self.joins)}")
        self.joins.append(self._aggregate(name, columns, table, rows, row))
        return name

    def _aggregate(
        self,
        name: sql.SQL,
        columns: Sequence[sql.Composable],
        table: sql.Composable,
        rows: Sequence[sql.Composable],
        row: sql.SQL,
    ) -> sql.Composable:
        probes = self.strategy is Strategy.PROBE
        shape = (
            "LEFT JOIN LATERAL (SELECT {columns} FROM {table} WHERE {rows} AND {row}.profile_id = p.id) {name} ON true"
            if probes
            else "LEFT JOIN (SELECT {row}.profile_id, {columns} FROM {table} WHERE {rows} GROUP BY {row}.profile_id) "
            "{name} ON {name}.profile_id = p.id"
        )
        return SQL(shape).format(columns=SQL(", ").join(columns), table=table, rows=AND.join(rows), row=row, name=name)

    def _coming(self, node: nodes.Condition) -> sql.Composable:
        """The first touchpoint of the condition's types that is dated in the future; NULL where there is none."""
        found = {self.viewer.event_types.get(pick.event) for pick in nodes.picks(node)} - {None}
        if not found:
            return SQL("NULL::timestamptz")
        self.coming_types |= {one for one in found if one is not None}
        return SQL("f.at")

    def _joined(self) -> Iterator[sql.Composable]:
        yield from self.joins
        now = self.moment.now
        if self.coming_types:
            rows = [
                SQL("t.type_id = ANY({}::smallint[])").format(sorted(self.coming_types)),
                SQL("t.occurred_at > {}").format(now),
            ]
            columns = [SQL("min(t.occurred_at) AS at")]
            yield self._aggregate(SQL("f"), columns, SQL("profiles_touchpoint t"), rows, SQL("t"))
        if self.orders_come:
            columns, rows = [SQL("min(o.placed_at) AS at")], [SQL("o.placed_at > {}").format(now)]
            yield self._aggregate(SQL("g"), columns, SQL("profiles_order o"), rows, SQL("o"))


# -- shape of a definition --------------------------------------------------------------------------------------------


def _plain(node: nodes.Node) -> nodes.Node:
    """The same without conditions on segments: with what those segments ask instead."""
    match node:
        case nodes.SegmentCondition():
            meaning = _plain(node.meaning)
            return meaning if node.is_in else nodes.Not((meaning,))
        case nodes.All() | nodes.Any() | nodes.Not():
            return replace(node, of=tuple(_plain(member) for member in node.of))
    return node


def _parted(node: nodes.Node) -> tuple[list[nodes.Condition], nodes.Node | None]:
    """What has to hold for everybody and stands still, which narrows the people down at once; and the rest."""
    if isinstance(node, Still):
        return [node], None
    if not isinstance(node, nodes.All):
        return [], node
    parts = [_parted(member) for member in node.of]
    still = [condition for conditions, _rest in parts for condition in conditions]
    moving = tuple(rest for _conditions, rest in parts if rest is not None)
    return still, nodes.All(moving) if moving else None


# -- when things turn -------------------------------------------------------------------------------------------------


def _until(members: Sequence[_Column], all_count: sql.Composable, *, counts_where: bool) -> sql.Composable:
    """Until when a group stands: the first of its members where all bear it (`all_count`), else the last of those that
    decide it: the failing ones of ALL, the holding ones (`counts_where`) of ANY."""
    deciding = "CASE WHEN {holds} THEN {until} ELSE {at_once} END"
    others = "CASE WHEN {holds} THEN {at_once} ELSE {until} END"
    last = [
        SQL(deciding if counts_where else others).format(holds=one.holds, until=one.until, at_once=AT_ONCE)
        for one in members
    ]
    return SQL("CASE WHEN {} THEN least({}) ELSE greatest({}) END").format(
        all_count, SQL(", ").join(one.until for one in members), SQL(", ").join(last)
    )


class _Leaving(Enum):
    """What it can do to a condition that something leaves its window."""

    ENDS = "ends"
    BEGINS = "begins"
    BOTH = "both"


_UPWARD = frozenset({Operator.MORE_THAN, Operator.AT_LEAST})
_DOWNWARD = frozenset({Operator.LESS_THAN, Operator.AT_MOST})


def _leaving(node: nodes.MeasureCondition | nodes.SequenceCondition | OnOrders) -> _Leaving:
    match node:
        case nodes.SequenceCondition():
            return _Leaving.ENDS
        case nodes.MeasureCondition(measure=PropertyMeasure.LARGEST | PropertyMeasure.SMALLEST):
            # Without the largest there is a smaller one, or none, of which nothing holds.
            ends = _UPWARD if node.measure is PropertyMeasure.LARGEST else _DOWNWARD
            return _Leaving.ENDS if node.comparison.operator in ends else _Leaving.BOTH
        case nodes.MeasureCondition() if node.measure is not PropertyMeasure.DISTINCT:
            return _Leaving.BOTH
        case nodes.OrderTotalCondition(measure=Measure.AVERAGE):
            return _Leaving.BOTH
    return _of_growing(node.comparison.operator)


def _of_growing(operator: Operator) -> _Leaving:
    """Of an amount that each thing adds to."""
    if operator in _UPWARD:
        return _Leaving.ENDS
    return _Leaving.BEGINS if operator in _DOWNWARD else _Leaving.BOTH


def _stands(number: int, leaving: _Leaving) -> sql.Composable:
    """Until when a condition in a window stands, of its columns in the layer below."""
    holds, first, odd, coming = (SQL(f"a.{letter}{number}") for letter in "hxyz")
    if leaving is _Leaving.BOTH:
        return SQL("least({}, {}, {})").format(first, coming, NEVER)
    if_it_holds, else_ = (first, odd) if leaving is _Leaving.ENDS else (odd, first)
    return SQL("least(CASE WHEN {} THEN {} ELSE {} END, {}, {})").format(holds, if_it_holds, else_, coming, NEVER)


def _below_nothing(node: OnOrders) -> sql.Composable:
    match node.measure:
        case Measure.SUM:
            return SQL("o.total < o.refunded")
        case LineMeasure.QUANTITY | LineMeasure.SPENT:
            return SQL(
                "EXISTS (SELECT FROM profiles_orderline l WHERE l.order_id = o.id "
                "AND (l.quantity < 0 OR l.unit_price < 0))"
            )
    return SQL("false")


def _length(window: nodes.Window) -> dt.timedelta | None:
    """After which time what has happened leaves the window at a moment of its own; None for other windows."""
    return window.length if isinstance(window, nodes.Rolling) else None


def _nth_newest(k: int) -> sql.Composable:
    """When the k-th newest happened; NULL where there are fewer."""
    if k == 1:
        return SQL("max(t.occurred_at)")
    return SQL("(array_agg(t.occurred_at ORDER BY t.occurred_at DESC))[{}]").format(k)
