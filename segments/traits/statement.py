"""A formula as SQL: one SELECT of (profile_id, value), and one of the next moment at which time alone changes it.

The meaning is that of `reference`. Readings are those of `segments.definition.values`: each scalar of a property's
value, of a list each of its scalars; two are the same when they are compared as equal texts, or as equal numbers.
All values travel as `psycopg.sql.Literal`; nothing is pasted into a string.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any as Json

from psycopg import sql

from ingestion.models import Source
from profiles.channels import TouchChannel, channel_of
from segments.definition import nodes
from segments.definition.compare import JsonValue, elements, is_reading, key_of, matches, number_of
from segments.definition.evaluate import Moment
from segments.definition.products import OF_CATALOGUE, line_value, passes, touchpoint_value
from segments.definition.viewer import Those, Viewer
from segments.traits.formula import MAX_LISTED, OF_A_PROPERTY, PLACES, Calculation, Formula, Pick

SQL = sql.SQL
C = Calculation
_FAR = datetime(2300, 1, 1, tzinfo=UTC)  # a window that ends on a day ends before this one


# ── calculations: aggregates over the rows `d` of one person and channel ─────────────────────────────────────────────


def _stamp(at: str) -> sql.SQL:
    return SQL(f"""to_jsonb(to_char({at} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))""")


_OF_ROWS: Mapping[Calculation, sql.SQL] = {
    C.COUNT: SQL("to_jsonb(count(*))"),
    C.FIRST_TIME: _stamp("min(d.at)"),
    C.LAST_TIME: _stamp("max(d.at)"),
    C.DAYS_SINCE: _stamp("max(d.at)"),  # the days are counted when it is read
}
_OF_NUMBERS: Mapping[Calculation, sql.SQL] = {
    C.SUM: SQL("to_jsonb(trim_scale(sum(d.number)))"),
    C.AVERAGE: SQL(f"to_jsonb(trim_scale(round(sum(d.number) * 1.{'0' * 16} / count(*), {PLACES})))"),
    C.SMALLEST: SQL("to_jsonb(trim_scale(min(d.number)))"),
    C.LARGEST: SQL("to_jsonb(trim_scale(max(d.number)))"),
}
_ONE_OR_ALL = SQL(
    "CASE count(*) WHEN 1 THEN (array_agg(d.v))[1] "
    'ELSE to_jsonb(array_agg(d.v ORDER BY d.text COLLATE "C", jsonb_typeof(d.v))) END'
)
_OF_DIFFERENT: Mapping[Calculation, sql.SQL] = {
    C.DISTINCT: SQL("to_jsonb(count(*))"),
    C.UNIQUE_LIST: SQL(
        f'to_jsonb((array_agg(d.v ORDER BY d.last_at DESC, d.text COLLATE "C", jsonb_typeof(d.v)))[1:{MAX_LISTED}])'
    ),
    C.MOST_FREQUENT: _ONE_OR_ALL,
    C.FIRST: _ONE_OR_ALL,
    C.LAST: _ONE_OR_ALL,
}
_ONE = JsonValue.of(SQL("e.v"), may_be_list=False)
_READINGS = SQL(
    "SELECT r.profile_id, r.channel, r.at, e.v, {text} AS text, {number} AS number, {key} AS key "
    "FROM ({rows}) r CROSS JOIN LATERAL {elements} WHERE {is_reading}"
)
# Values that are the same as one: how often, when first and last, and as it was written then.
_DIFFERENT = SQL("""
SELECT q.profile_id, q.channel, count(*) AS n, min(q.at) AS first_at, max(q.at) AS last_at,
       (array_agg(q.v ORDER BY q.at {newest}, q.text COLLATE "C", jsonb_typeof(q.v)))[1] AS v,
       (array_agg(q.text ORDER BY q.at {newest}, q.text COLLATE "C"))[1] AS text
  FROM ({readings}) q
 GROUP BY q.profile_id, q.channel, q.key
""")
_FOREMOST = SQL("""
SELECT f.profile_id, f.channel, f.v, f.text
  FROM (SELECT g.profile_id, g.channel, g.v, g.text,
               rank() OVER (PARTITION BY g.profile_id, g.channel ORDER BY {order}) AS place
          FROM ({different}) g) f
 WHERE f.place = 1
""")
_ORDERS: Mapping[Calculation, sql.SQL] = {
    C.MOST_FREQUENT: SQL("g.n DESC, g.last_at DESC"),
    C.FIRST: SQL("g.first_at"),
    C.LAST: SQL("g.last_at DESC"),
}


@dataclass(frozen=True)
class Ground:
    """A formula over the rows that a viewer sees at a moment. `kinds`: id of each source → its kind."""

    formula: Formula
    viewer: Viewer
    moment: Moment
    kinds: Mapping[int, str]

    def values(self, those: Those | None = None) -> sql.Composed:
        """SELECT of `profile_id` and `value` (jsonb), one row for each profile that has a value."""
        per_person = self._per_channel_values(those)
        if not self.formula.per_channel:
            return SQL("SELECT c.profile_id, c.value FROM ({}) c WHERE c.value IS NOT NULL").format(per_person)
        return SQL(
            "SELECT c.profile_id, jsonb_object_agg(c.channel, c.value) AS value FROM ({}) c "
            "WHERE c.value IS NOT NULL GROUP BY c.profile_id"
        ).format(per_person)

    def next_changes(self, those: Those | None = None) -> sql.Composed:
        """SELECT of `profile_id` and `at`: when the first row that is picked leaves its window, or the first one that
        is dated in the future comes into it."""
        selects = [select for pick in self.formula.picks for select in self._changes_of(pick, those)]
        return SQL("SELECT k.profile_id, min(k.at) AS at FROM ({}) k GROUP BY k.profile_id").format(
            SQL(" UNION ALL ").join(selects)
        )

    # -- rows -------------------------------------------------------------------------------------------------

    def _rows(self, those: Those | None) -> sql.Composed:
        """SELECT of (profile_id, at, channel, what): what is calculated with, `what` a property or an amount."""
        orders = self.formula.orders
        if orders is not None:
            return SQL(
                "SELECT o.profile_id, o.placed_at AS at, {channel} AS channel, o.total - o.refunded AS what "
                "FROM profiles_order o WHERE {where}"
            ).format(
                channel=self._channel("o", [""]),
                where=_all(
                    [
                        *self._order_rows(orders),
                        *self._of("o", those),
                        *self._in_window(SQL("o.placed_at"), orders.window),
                    ]
                ),
            )
        lines = self.formula.lines
        if lines is not None:
            return SQL(
                "SELECT o.profile_id, o.placed_at AS at, {channel} AS channel, {what} AS what FROM profiles_order o "
                "JOIN profiles_orderline l ON l.order_id = o.id{catalogue} WHERE {where}"
            ).format(
                channel=self._channel("o", [""]),
                what=line_value(self.formula.property_name).json if self._reads_property else SQL("NULL::jsonb"),
                catalogue=OF_CATALOGUE,
                where=_all(
                    [
                        *self._order_rows(lines),
                        *self._of("o", those),
                        *self._in_window(SQL("o.placed_at"), lines.window),
                        *(
                            SQL("({}) IS TRUE").format(matches(line_value(one.property), one.comparison, self.moment))
                            for one in lines.filters
                        ),
                    ]
                ),
            )
        picks = self.formula.touchpoints
        type_ids = sorted({self.viewer.event_types[one.event] for one in picks if one.event in self.viewer.event_types})
        each = [
            _all([*self._touchpoint_rows(pick), *self._in_window(SQL("t.occurred_at"), pick.window)]) for pick in picks
        ]
        # The types are named apart, so that the index on (type, profile, time) is found beneath the OR.
        where = [SQL("t.type_id = ANY({})").format(type_ids), *self._of("t", those), SQL("({})").format(_any(each))]
        return SQL(
            "SELECT t.profile_id, t.occurred_at AS at, {channel} AS channel, {what} AS what "
            "FROM profiles_touchpoint t WHERE {where}"
        ).format(
            channel=self._channel("t", sorted(self.formula.events)),
            what=touchpoint_value(self.formula.property_name).json if self._reads_property else SQL("NULL::jsonb"),
            where=_all(where),
        )

    @property
    def _reads_property(self) -> bool:
        return self.formula.calculation in OF_A_PROPERTY

    def _touchpoint_rows(self, pick: nodes.TouchpointCondition) -> list[sql.Composable]:
        """Conditions on `t` but for the window."""
        type_id = self.viewer.event_types.get(pick.event)
        rows: list[sql.Composable] = [SQL("t.type_id = {}").format(type_id) if type_id else SQL("false")]
        if pick.sources:
            named = [self.viewer.source_ids[slug] for slug in pick.sources if slug in self.viewer.source_ids]
            rows.append(SQL("t.source_id = ANY({}::bigint[])").format(named))
        rows += self._seen("t")
        return [*rows, *(SQL("({}) IS TRUE").format(passes(one, self.moment)) for one in pick.filters)]

    def _order_rows(self, pick: nodes.OrderTotalCondition | nodes.OrderLineCondition) -> list[sql.Composable]:
        """Conditions on `o` but for the window."""
        rows: list[sql.Composable] = [
            SQL("o.status <> 'cancelled' AND (o.refunded = 0 OR o.refunded < o.total) AND o.profile_id IS NOT NULL"),
            *self._seen("o"),
        ]
        return [SQL("o.currency = {}").format(pick.currency), *rows] if pick.currency else rows

    def _seen(self, row: str) -> list[sql.Composable]:
        if self.viewer.sources is None:
            return []
        return [SQL("{}.source_id = ANY({}::bigint[])").format(SQL(row), sorted(self.viewer.sources))]

    def _of(self, row: str, those: Those | None) -> list[sql.Composable]:
        return [] if those is None else [those(SQL("{}.profile_id").format(SQL(row)))]

    def _in_window(self, column: sql.Composable, window: nodes.Window) -> list[sql.Composable]:
        span = window.span(self.moment.now, self.moment.time_zone)
        bounds: list[sql.Composable] = [SQL("{} < {}").format(column, span.end)]
        if span.start is not None:
            bounds.append(SQL("{} >= {}").format(column, span.start))
        return bounds

    def _channel(self, row: str, events: list[str]) -> sql.Composable:
        """The channel of a row: by its type, else by its source."""
        if not self.formula.per_channel:
            return SQL("''")
        cases: list[sql.Composable] = [
            SQL("WHEN {}.type_id = {} THEN {}").format(SQL(row), type_id, channel)
            for type_id, channel in self._channels_of_types(events)
        ]
        by_source = [
            SQL("WHEN {}.source_id = {} THEN {}").format(SQL(row), source_id, channel_of("", kind).value)
            for source_id, kind in sorted(self.kinds.items())
        ]
        return SQL("CASE {} ELSE {} END").format(
            SQL(" ").join([*cases, *by_source] or [SQL("WHEN false THEN ''")]), TouchChannel.OTHER.value
        )

    def _channels_of_types(self, events: list[str]) -> list[tuple[int, str]]:
        """Types whose touchpoints have one channel, whatever source they come by."""
        named = [(self.viewer.event_types.get(event), own_channel(event)) for event in events]
        return [(type_id, channel) for type_id, channel in named if type_id is not None and channel is not None]

    # -- calculations -----------------------------------------------------------------------------------------

    def _per_channel_values(self, those: Those | None) -> sql.Composed:
        """SELECT of (profile_id, channel, value); without channels, of one that has no name."""
        rows, calculation = self._rows(those), self.formula.calculation
        source: sql.Composable
        if calculation in _OF_ROWS:
            source, value = rows, _OF_ROWS[calculation]
        elif calculation in _OF_NUMBERS:
            source, value = self._numbers(rows), _OF_NUMBERS[calculation]
        else:
            source, value = self._different(rows), _OF_DIFFERENT[calculation]
        return SQL("SELECT d.profile_id, d.channel, {} AS value FROM ({}) d GROUP BY d.profile_id, d.channel").format(
            value, source
        )

    def _numbers(self, rows: sql.Composable) -> sql.Composed:
        if self.formula.orders is not None:
            return SQL("SELECT r.profile_id, r.channel, r.what AS number FROM ({}) r").format(rows)
        return SQL("SELECT q.profile_id, q.channel, q.number FROM ({}) q WHERE q.number IS NOT NULL").format(
            self._readings(rows)
        )

    def _different(self, rows: sql.Composable) -> sql.Composed:
        calculation = self.formula.calculation
        different = _DIFFERENT.format(
            newest=SQL("ASC" if calculation is C.FIRST else "DESC"), readings=self._readings(rows)
        )
        if calculation not in _ORDERS:
            return different
        return _FOREMOST.format(order=_ORDERS[calculation], different=different)

    def _readings(self, rows: sql.Composable) -> sql.Composed:
        return _READINGS.format(
            text=_ONE.text,
            number=number_of(_ONE),
            key=key_of(_ONE),
            rows=rows,
            elements=elements(JsonValue.of(SQL("r.what")), SQL("e")),
            is_reading=is_reading(_ONE),
        )

    # -- time -------------------------------------------------------------------------------------------------

    def _changes_of(self, pick: Pick, those: Those | None) -> list[sql.Composed]:
        if not isinstance(pick, nodes.TouchpointCondition):
            # Of all orders, also of those without a line that is picked: early rather than late.
            rows = [*self._order_rows(pick), *self._of("o", those)]
            table, column, owner = SQL("profiles_order o"), SQL("o.placed_at"), SQL("o.profile_id")
        else:
            rows = [*self._touchpoint_rows(pick), *self._of("t", those)]
            table, column, owner = SQL("profiles_touchpoint t"), SQL("t.occurred_at"), SQL("t.profile_id")
        select = SQL("SELECT {owner} AS profile_id, {at} AS at FROM {table} WHERE {where} GROUP BY {owner}")
        first = SQL("min({})").format(column)
        comes = [SQL("{} > {}").format(column, self.moment.now)]
        if isinstance(pick.window, nodes.Between):
            end = pick.window.span(_FAR, self.moment.time_zone).end  # now does not end it
            comes.append(SQL("{} < {}").format(column, end))
        found = [select.format(owner=owner, at=first, table=table, where=_all([*rows, *comes]))]
        leaves = self._leaving(first, pick.window)
        if leaves is not None:
            inside = self._in_window(column, pick.window)
            found.append(select.format(owner=owner, at=leaves, table=table, where=_all([*rows, *inside])))
        return found

    def _leaving(self, at: sql.Composable, window: nodes.Window) -> sql.Composable | None:
        """When what happened `at` leaves a window; None for one that it never leaves."""
        match window:
            case nodes.Rolling(n=n, unit=unit):
                return SQL("{} + {}::interval").format(at, timedelta(**{unit.value: n}))
            case nodes.CalendarDays(n=n):
                return SQL("((({at} AT TIME ZONE {zone})::date + {n})::timestamp AT TIME ZONE {zone})").format(
                    at=at, zone=self.moment.time_zone.key, n=n
                )
        return None


def own_channel(event: str) -> str | None:
    """The channel of an event type by its name; None where the source says it."""
    channels = {channel_of(event, kind).value for kind in Source.Kind}
    return channels.pop() if len(channels) == 1 else None


def stored(trait_id: int, those: Those | None = None) -> sql.Composed:
    """SELECT of the stored (profile_id, value) of a computed trait."""
    where = [SQL("v.trait_id = {}").format(trait_id), SQL("v.value IS NOT NULL")]
    if those is not None:
        where.append(those(SQL("v.profile_id")))
    return SQL("SELECT v.profile_id, v.value FROM segments_computedvalue v WHERE {}").format(_all(where))


def compared(values: sql.Composable, formula: Formula, channel: str, moment: Moment) -> sql.Composed:
    """SELECT of (profile_id, value) as definitions compare them: of one channel, days as a number."""
    value = SQL("(c.value -> {})").format(channel) if formula.per_channel else SQL("c.value")
    if formula.calculation is C.DAYS_SINCE:
        value = SQL("to_jsonb({today}::date - (({value} #>> '{{}}')::timestamptz AT TIME ZONE {zone})::date)").format(
            today=moment.today, value=value, zone=moment.time_zone.key
        )
    return SQL(
        "SELECT w.profile_id, w.value FROM (SELECT c.profile_id, {} AS value FROM ({}) c) w WHERE w.value IS NOT NULL"
    ).format(value, values)


def _all(conditions: Collection[sql.Composable]) -> sql.Composed:
    return SQL(" AND ").join(conditions)


def _any(conditions: Collection[sql.Composable]) -> sql.Composed:
    return SQL(" OR ").join([SQL("({})").format(one) for one in conditions])


@dataclass(frozen=True)
class Column:
    """A computed trait, or what it is of one channel, as definitions compare it.

    `is_stored`: the stored values are the viewer's; otherwise they are computed from what the viewer sees.
    """

    trait_id: int
    formula: Formula
    channel: str
    is_stored: bool
    kinds: Mapping[int, str]

    @property
    def of_none(self) -> Json:
        """What somebody without a row is compared by; None: unknown."""
        return self.formula.of_none

    def select(self, viewer: Viewer, moment: Moment, those: Those | None = None) -> sql.Composed:
        """SELECT of (profile_id, value) of those who have one."""
        if self.is_stored:
            values = stored(self.trait_id, those)
        else:
            values = Ground(self.formula, viewer, moment, self.kinds).values(those)
        return compared(values, self.formula, self.channel, moment)


_DIFF = SQL("""
WITH fresh AS MATERIALIZED (
  SELECT p.id AS profile_id, f.value, n.at AS next_change_at
    FROM ({values}) f FULL JOIN ({changes}) n ON n.profile_id = f.profile_id
    JOIN profiles_profile p ON p.id = coalesce(f.profile_id, n.profile_id)
   WHERE p.state = 'live' AND p.kind = 'identified'
), gone AS (
  DELETE FROM segments_computedvalue v
   WHERE v.trait_id = {trait_id} AND {those} AND NOT EXISTS (SELECT FROM fresh f WHERE f.profile_id = v.profile_id)
  RETURNING v.profile_id
), put AS (
  INSERT INTO segments_computedvalue AS v (trait_id, profile_id, value, next_change_at)
  SELECT {trait_id}, f.profile_id, f.value, f.next_change_at FROM fresh f
      ON CONFLICT (trait_id, profile_id) DO UPDATE
     SET value = EXCLUDED.value, next_change_at = EXCLUDED.next_change_at
   WHERE (v.value, v.next_change_at) IS DISTINCT FROM (EXCLUDED.value, EXCLUDED.next_change_at)
  RETURNING v.profile_id
)
SELECT profile_id FROM gone UNION ALL SELECT profile_id FROM put
""")


def difference(trait_id: int, ground: Ground, those: Those) -> sql.Composed:
    """The statement that brings the stored values of those people up to date; its rows are who had another one."""
    return _DIFF.format(
        values=ground.values(those),
        changes=ground.next_changes(those),
        trait_id=trait_id,
        those=those(SQL("v.profile_id")),
    )
