"""Conditions on what people did and bought, as SQL: an aggregate over a person's rows, compared.

The meaning is that of `evaluate`; `compile` makes sets of profiles, or subqueries per profile, of what is built here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import singledispatchmethod

from psycopg import sql

from profiles.models import HAS_LIST
from segments.definition import nodes, values
from segments.definition.compare import (
    JsonValue,
    compare_number,
    elements,
    is_reading,
    key_of,
    matches,
    may_be_unknown,
    number_of,
)
from segments.definition.evaluate import Moment
from segments.definition.nodes import LineMeasure, Measure, Operator, PropertyMeasure
from segments.definition.products import (
    HAS_CATALOGUE,
    OF_CATALOGUE,
    line_value,
    passes,
    touchpoint_value,
)
from segments.definition.values import number_holds
from segments.definition.viewer import ComputedColumn, Span, Strategy, Those, Viewer

SQL = sql.SQL
AND, OR = SQL(" AND "), SQL(" OR ")

CountedCondition = (
    nodes.TouchpointCondition
    | nodes.MeasureCondition
    | nodes.SequenceCondition
    | nodes.OrderTotalCondition
    | nodes.OrderLineCondition
)


@dataclass(frozen=True)
class Counted:
    """A condition on a person's rows: `measured` is an aggregate over those of `table` (called `row`) for which all of
    `rows` hold; `holds_for_none`: whether the condition holds for somebody without any such row; `columns`: what
    `measured` reads of a row."""

    table: sql.Composable
    row: sql.SQL
    measured: sql.Composable
    holds_for_none: bool = False
    rows: Sequence[sql.Composable] = field(default=(SQL("true"),))
    columns: Sequence[str] = ()

    def of_profile(self) -> sql.Composable:
        """The condition on `p`, asked of one profile at a time."""
        return SQL("coalesce((SELECT {} FROM {} WHERE {}.profile_id = p.id AND {}), {})").format(
            self.measured, self.table, self.row, AND.join(self.rows), self.holds_for_none
        )

    def set(self) -> sql.Composed:
        """The profiles for which it holds; where it holds for none, those for which it does not.

        The rows are read in the order of people: an index that has them so is read straight through and nothing is
        hashed, which takes a third of the time where most rows of the index are wanted. Where few are, they are sorted.
        """
        return SQL(
            "SELECT {row}.profile_id FROM (SELECT {columns} FROM {table} WHERE {where} ORDER BY 1) {row} "
            "GROUP BY {row}.profile_id HAVING {having}"
        ).format(
            columns=SQL(", ").join(
                sql.Identifier(self.row.as_string(), name) for name in ("profile_id", *self.columns)
            ),
            row=self.row,
            table=self.table,
            where=AND.join(self.rows),
            having=SQL("({}) IS NOT TRUE").format(self.measured) if self.holds_for_none else self.measured,
        )


def told_by_index(node: nodes.Condition, viewer: Viewer) -> nodes.TouchpointCondition | None:
    """A condition that holds for all for whom `node` does, and maybe for more, and is read from an index alone: that
    there were so many touchpoints at all. None where there is none."""
    if not isinstance(node, nodes.TouchpointCondition) or viewer.sources is not None:
        return None
    if not (node.filters or node.sources):
        return node
    if node.count.holds(0) or node.count.bound is nodes.Bound.AT_MOST:
        return None
    return replace(node, count=nodes.Count(nodes.Bound.AT_LEAST, node.count.n), filters=(), sources=())


_FULL_PRICE = SQL(
    "NOT (o.discount <> 0 OR EXISTS (SELECT FROM profiles_orderline l WHERE l.order_id = o.id "
    "AND (l.discount <> 0 OR l.coupon_discount <> 0)))"
)
_TO_COUNT, _TO_READ = ("occurred_at",), ("occurred_at", "properties", "source_id")
"""Columns of touchpoints that are counted, and of those of which a property is read."""
_SIGNS: Mapping[nodes.Bound, sql.SQL] = {
    nodes.Bound.AT_LEAST: SQL(">="),
    nodes.Bound.AT_MOST: SQL("<="),
    nodes.Bound.EXACTLY: SQL("="),
}


@dataclass(frozen=True)
class Counting:
    """Makes a `Counted` of a condition, for one viewer at one moment; `span`: of these people alone."""

    viewer: Viewer
    moment: Moment
    strategy: Strategy
    span: Span | None = None

    @singledispatchmethod
    def of(self, node: CountedCondition) -> Counted:
        raise TypeError(f"nothing is counted for {type(node).__name__}")

    @of.register
    def _(self, node: nodes.TouchpointCondition) -> Counted:
        table, rows = self.picked(node, node.window, columns=())
        measured = SQL("count(*) {} {}").format(_SIGNS[node.count.bound], node.count.n)
        return Counted(table, SQL("t"), measured, node.count.holds(0), rows)

    @of.register
    def _(self, node: nodes.OrderTotalCondition) -> Counted:
        rows = [SQL("o.currency = {}").format(node.currency), *self.standing_orders(node.window)]
        total, n = SQL("sum(o.total - o.refunded)"), SQL("count(*)")
        match node.measure:
            case Measure.SUM:
                measured = compare_number(total, node.comparison)
            case Measure.COUNT:
                measured = compare_number(n, node.comparison)
            case Measure.FULL_PRICE:
                measured = compare_number(n, node.comparison)
                rows.append(_FULL_PRICE)
            case Measure.AVERAGE:
                # Compared as total against amount × number: exact, where a quotient would be rounded.
                measured = compare_number(total, node.comparison, times=n)
        has_average = node.measure is Measure.AVERAGE
        holds_for_none = not has_average and number_holds(Decimal(0), node.comparison)
        return Counted(SQL("profiles_order o"), SQL("o"), measured, holds_for_none, rows, ("total", "refunded"))

    @of.register
    def _(self, node: nodes.OrderLineCondition) -> Counted:
        rows = self.standing_orders(node.window)
        if node.currency:
            rows.append(SQL("o.currency = {}").format(node.currency))
        rows += [matches(line_value(one.property), one.comparison, self.moment) for one in node.filters]
        asks_catalogue = any(one.property not in nodes.NOT_OF_CATALOGUE for one in node.filters)
        table = SQL(
            "(SELECT o.profile_id, l.quantity, l.quantity * coalesce(l.unit_price, 0) AS spent FROM profiles_order o "
            "JOIN profiles_orderline l ON l.order_id = o.id{catalogue} WHERE {rows}) b"
        ).format(catalogue=OF_CATALOGUE if asks_catalogue else SQL(""), rows=AND.join(self._probed("o", rows)))
        amounts = {
            LineMeasure.LINES: SQL("count(*)"),
            LineMeasure.QUANTITY: SQL("coalesce(sum(b.quantity), 0)"),
            LineMeasure.SPENT: SQL("coalesce(sum(b.spent), 0)"),
        }
        measured = compare_number(amounts[node.measure], node.comparison)
        holds_for_none = number_holds(Decimal(0), node.comparison)
        return Counted(table, SQL("b"), measured, holds_for_none, columns=("quantity", "spent"))

    @of.register
    def _(self, node: nodes.MeasureCondition) -> Counted:
        found = JsonValue.of(SQL("x.v"), may_be_list=False)
        table, rows = self.picked(node, node.window, _TO_READ)
        values = SQL(
            "SELECT t.profile_id, t.occurred_at, x.v FROM {table} CROSS JOIN LATERAL {elements} WHERE {rows}"
        ).format(
            table=table,
            elements=elements(touchpoint_value(node.property), SQL("x")),
            rows=AND.join(self._probed("t", [*rows, is_reading(found)])),
        )
        if node.measure.is_number:
            return self._amount(node, SQL("({}) r").format(values))
        return self._values(node.comparison, _ranked(node.measure, values))

    def _amount(self, node: nodes.MeasureCondition, table: sql.Composable) -> Counted:
        value = JsonValue.of(SQL("r.v"), may_be_list=False)
        number = number_of(value)
        n: sql.Composable | None = None
        match node.measure:
            case PropertyMeasure.SUM:
                amount = SQL("coalesce(sum({}), 0)").format(number)
            case PropertyMeasure.AVERAGE:
                amount = SQL("sum({})").format(number)
                n = SQL("count({})").format(number)
            case PropertyMeasure.SMALLEST:
                amount = SQL("min({})").format(number)
            case PropertyMeasure.LARGEST:
                amount = SQL("max({})").format(number)
            case _:
                amount = SQL("count(DISTINCT {})").format(key_of(value))
        is_zero_for_none = node.measure in {PropertyMeasure.SUM, PropertyMeasure.DISTINCT}
        holds_for_none = is_zero_for_none and number_holds(Decimal(0), node.comparison)
        measured = compare_number(amount, node.comparison, times=n)
        return Counted(table, SQL("r"), measured, holds_for_none, columns=("v",))

    def _values(self, comparison: nodes.Comparison, table: sql.Composable) -> Counted:
        """Several values are compared as a list is: one that matches, or, for a negative, none of at least one."""
        operator, row = comparison.operator, SQL("r")
        if operator is Operator.KNOWN:
            return Counted(table, row, SQL("count(*) > 0"))
        if operator is Operator.UNKNOWN:
            return Counted(table, row, SQL("count(*) = 0"), holds_for_none=True)
        positive = nodes.NEGATIVE.get(operator, operator)
        value = JsonValue.of(SQL("r.v"), may_be_list=False)
        one = SQL("bool_or({})").format(matches(value, nodes.Comparison(positive, comparison.value), self.moment))
        if positive is operator:
            return Counted(table, row, one, columns=("v",))
        return Counted(table, row, SQL("(count(*) > 0 AND {} IS NOT TRUE)").format(one), columns=("v",))

    @of.register
    def _(self, node: nodes.SequenceCondition) -> Counted:
        """The latest first step before each `then` decides: an earlier one is further away, and has as many of
        `without` behind it or more. What happened at one instant is one peer group."""
        steps = [node.first, node.then, *([] if node.without is None else [node.without])]
        table = SQL(
            "(SELECT q.profile_id FROM (SELECT m.profile_id, m.occurred_at, m.step, "
            "max(m.occurred_at) FILTER (WHERE m.step = 0) OVER earlier AS began_at, "
            "max(m.occurred_at) FILTER (WHERE m.step = 2) OVER earlier AS ended_at "
            "FROM ({steps}) m WINDOW earlier AS (PARTITION BY {same} ORDER BY m.occurred_at "
            "GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) q "
            "WHERE q.step = 1 AND q.occurred_at - q.began_at <= make_interval(secs => {seconds}) "
            "AND (q.ended_at > q.began_at) IS NOT TRUE) f"
        ).format(
            steps=SQL(" UNION ALL ").join(self._step(place, step, node) for place, step in enumerate(steps)),
            same=SQL("m.profile_id" if node.same is None else "m.profile_id, m.same"),
            seconds=int(node.within.length.total_seconds()),
        )
        return Counted(table, SQL("f"), SQL("count(*) > 0"))

    def _step(self, place: int, step: nodes.Step, node: nodes.SequenceCondition) -> sql.Composed:
        """What was done of one step, in the order of people and of time; an index has it so, and the steps are merged
        as they are read."""
        table, rows = self.picked(step, node.window, _TO_COUNT if node.same is None else _TO_READ)
        if step is not node.then:
            rows += self._also_then(node)
        same: sql.Composable = SQL("")
        if node.same is not None:
            value = JsonValue.of(SQL("x.v"), may_be_list=False)
            of_same = elements(touchpoint_value(node.same), SQL("x"))
            table = SQL("{} CROSS JOIN LATERAL {}").format(table, of_same)
            rows = [*rows, is_reading(value)]
            same = SQL("{} AS same, ").format(key_of(value))
        return SQL(
            "(SELECT t.profile_id, {same}t.occurred_at, {place} AS step FROM {table} WHERE {rows} ORDER BY {order})"
        ).format(
            same=same,
            place=place,
            table=table,
            rows=AND.join(self._probed("t", rows)),
            order=SQL("1, 2" if node.same is None else "1, 2, 3"),
        )

    def _also_then(self, node: nodes.SequenceCondition) -> list[sql.Composable]:
        """For everybody: only of those who took the second step at all is the rest put in order. Asked of the index
        alone, without filters, so that the planner knows how many there are."""
        if self.strategy is Strategy.PROBE or node.first.event == node.then.event or not self._has(node.then):
            return []
        those = [*self._of_span("n"), *self._in_window("n.occurred_at", node.window)]
        also = SQL("SELECT n.profile_id FROM profiles_touchpoint n WHERE n.type_id = {} AND {} ORDER BY 1").format(
            self.viewer.event_types[node.then.event], AND.join(those)
        )
        return [SQL("t.profile_id IN ({})").format(also)]

    def of_computed(self, column: ComputedColumn, comparison: nodes.Comparison) -> Counted:
        """The comparison of a computed trait: a row of a person holds its value, and who has none is compared, too."""
        those: Those | None = None if self.span is None else self.span.holds
        if self.strategy is Strategy.PROBE:
            those = SQL("{} = p.id").format
        table = SQL("({}) v").format(column.select(self.viewer, self.moment, those))
        holds = matches(JsonValue.of(SQL("v.value")), comparison, self.moment)
        today, time_zone = self.moment.today, self.moment.time_zone
        if values.matches(column.of_none, comparison, today=today, time_zone=time_zone):
            return Counted(table, SQL("v"), SQL("count(*) = 0"), True, [SQL("({}) IS NOT TRUE").format(holds)])
        return Counted(table, SQL("v"), SQL("count(*) > 0"), False, [SQL("({})").format(holds)])

    # -- rows -------------------------------------------------------------------------------------------------

    def _has(self, one: nodes.OnTouchpoints) -> bool:
        """Whether there can be touchpoints of a kind at all."""
        return one.event in self.viewer.event_types

    def _kind(self, one: nodes.OnTouchpoints) -> list[sql.Composable]:
        """Conditions on `t`: of the event type, by one of the named sources."""
        if not self._has(one):
            return [SQL("false")]
        rows: list[sql.Composable] = [SQL("t.type_id = {}").format(self.viewer.event_types[one.event])]
        if one.sources:
            known = sorted({self.viewer.source_ids[name] for name in one.sources if name in self.viewer.source_ids})
            rows.append(SQL("t.source_id = ANY({}::bigint[])").format(known))
        return rows

    def is_picked(self, one: nodes.OnTouchpoints) -> sql.Composable:
        """Whether `t` is one of a step's touchpoints."""
        conditions = [*self._kind(one), *self._filters(one)]
        return SQL("(({}) IS TRUE)").format(AND.join(conditions))

    def picked(
        self, one: nodes.OnTouchpoints, window: nodes.Window, columns: Sequence[str] = _TO_COUNT
    ) -> tuple[sql.Composable, list[sql.Composable]]:
        """A table `t` of touchpoints with profile_id and these columns, and what is yet to hold for them."""
        rows = [
            *self._kind(one),
            *self._of_span("t"),
            *self._visible("t.source_id"),
            *self._in_window("t.occurred_at", window),
        ]
        if not one.filters or self.strategy is Strategy.PROBE:
            return SQL("profiles_touchpoint t"), [*rows, *self._filters(one)]
        selected = SQL(", ").join(map(sql.Identifier, ("profile_id", *columns)))
        return SQL("(SELECT {columns} FROM {plain} UNION ALL SELECT {columns} FROM {lists}) t").format(
            columns=selected, plain=self._plain(one, rows, columns), lists=self._with_lists(one, rows)
        ), [SQL("true")]

    # Most touchpoints say themselves what they are asked for, and not in a list: they are asked without a look into
    # lists or the catalogue, for which the planner reckons so much that it leaves the right index and does all in one
    # process. The few lists are in an index of their own.
    def _plain(
        self, one: nodes.OnTouchpoints, rows: Sequence[sql.Composable], columns: Sequence[str]
    ) -> sql.Composable:
        """Touchpoints of which no filter asks for a list. OFFSET 0 keeps apart what is asked of each and what is asked
        of those few, `bare`, that leave something to the catalogue."""
        asked, unsaid = [], []
        for each in one.filters:
            value = JsonValue.of_key("t.properties", each.property, may_be_list=False)
            holds = matches(value, each.comparison, self.moment)
            if each.property not in nodes.NOT_OF_CATALOGUE:
                unsaid.append(may_be_unknown(value))
                holds = SQL("({} OR ({} AND {}))").format(holds, HAS_CATALOGUE, unsaid[-1])
            asked.append(holds)
        if not unsaid:
            return SQL("profiles_touchpoint t WHERE {}").format(AND.join([*rows, *asked]))
        return SQL(
            "(SELECT {columns}, t.source_id AS source, CASE WHEN {has_catalogue} AND ({unsaid}) THEN t.properties END "
            "AS bare FROM profiles_touchpoint t WHERE {where} OFFSET 0) b WHERE b.bare IS NULL OR EXISTS "
            "(SELECT FROM (SELECT b.bare AS properties, b.source AS source_id) t WHERE {passes})"
        ).format(
            columns=SQL(", ").join(sql.Identifier("t", name) for name in ("profile_id", *columns)),
            has_catalogue=HAS_CATALOGUE,
            unsaid=OR.join(unsaid),
            where=AND.join([*rows, *asked]),
            passes=AND.join(self._filters(one)),
        )

    def _with_lists(self, one: nodes.OnTouchpoints, rows: Sequence[sql.Composable]) -> sql.Composable:
        """Those of which one does."""
        are_lists: list[sql.Composable] = [
            SQL("(jsonb_typeof({json}) = 'array' AND {json} <> '[]')").format(
                json=JsonValue.of_key("t.properties", each.property).json
            )
            for each in one.filters
            if each.comparison.operator not in (Operator.KNOWN, Operator.UNKNOWN)
        ]
        has_list = SQL(HAS_LIST % {"expressions": "t.properties"})
        is_asked = SQL("({})").format(OR.join(are_lists or [SQL("false")]))
        return SQL("profiles_touchpoint t WHERE {}").format(AND.join([*rows, has_list, is_asked, *self._filters(one)]))

    def _filters(self, one: nodes.OnTouchpoints) -> list[sql.Composable]:
        """Conditions on any touchpoint `t`."""
        return [passes(each, self.moment) for each in one.filters]

    def standing_orders(self, window: nodes.Window) -> list[sql.Composable]:
        """Conditions on `o`: it counts, and lies in the window."""
        return [
            SQL("o.status <> 'cancelled' AND (o.refunded = 0 OR o.refunded < o.total)"),
            *self._of_span("o"),
            *self._visible("o.source_id"),
            *self._in_window("o.placed_at", window),
        ]

    def _of_span(self, row: str) -> list[sql.Composable]:
        return [] if self.span is None else [self.span.holds(sql.Identifier(row, "profile_id"))]

    def _probed(self, row: str, rows: Sequence[sql.Composable]) -> Sequence[sql.Composable]:
        """The rows of one person where one is asked at a time: no planner finds its way into a window function."""
        return [*rows, SQL("{}.profile_id = p.id").format(SQL(row))] if self.strategy is Strategy.PROBE else rows

    def _visible(self, column: str) -> list[sql.Composable]:
        if self.viewer.sources is None:
            return []
        return [SQL("{} = ANY({})").format(SQL(column), self.viewer.visible_sources)]

    def _in_window(self, column: str, window: nodes.Window) -> list[sql.Composable]:
        span = window.span(self.moment.now, self.moment.time_zone)
        bounds: list[sql.Composable] = [SQL("{} < {}").format(SQL(column), span.end)]
        if span.start is not None:
            bounds.append(SQL("{} >= {}").format(SQL(column), span.start))
        return bounds


def _ranked(measure: PropertyMeasure, values: sql.Composable) -> sql.Composed:
    """A table `r` of the values that are the first, the last or the most frequent one of their person."""
    if measure is not PropertyMeasure.MOST_FREQUENT:
        return SQL(
            "(SELECT o.profile_id, o.v FROM (SELECT n.*, rank() OVER (PARTITION BY n.profile_id "
            "ORDER BY n.occurred_at {direction}) AS place FROM ({values}) n) o WHERE o.place = 1) r"
        ).format(values=values, direction=SQL("ASC" if measure is PropertyMeasure.FIRST else "DESC"))
    return SQL(
        "(SELECT o.profile_id, o.v FROM (SELECT c.*, rank() OVER (PARTITION BY c.profile_id "
        "ORDER BY c.times DESC, c.last_at DESC) AS place FROM (SELECT n.profile_id, n.v, count(*) OVER alike AS times, "
        "max(n.occurred_at) OVER alike AS last_at FROM ({values}) n "
        "WINDOW alike AS (PARTITION BY n.profile_id, {key})) c) o WHERE o.place = 1) r"
    ).format(values=values, key=key_of(JsonValue.of(SQL("n.v"))))
