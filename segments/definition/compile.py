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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, singledispatchmethod
from uuid import UUID

from psycopg import sql

from consent import state_sql as consents
from consent.models import Channel
from consent.reach_sql import reachable_sql
from profiles import survivorship
from profiles.models import DAY_FACETS, FACETS
from segments.definition import nodes
from segments.definition.compare import JsonValue, matches, of_list, unless_list
from segments.definition.counting import Counted, CountedCondition, Counting, told_by_index
from segments.definition.evaluate import COMPUTED, Moment
from segments.definition.viewer import Span, Strategy, Viewer

SQL = sql.SQL


PROFILES = SQL("profiles_profile p")
IS_LIVE = SQL("p.state = 'live' AND p.kind = 'identified'")
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
    nodes.SegmentCondition: 0,  # its own conditions are asked for
    nodes.AttributeCondition: 0,
    nodes.ListCondition: 1,
    nodes.ConsentCondition: 2,
    nodes.ReachableCondition: 3,
    nodes.OrderTotalCondition: 4,
    nodes.OrderLineCondition: 5,
    nodes.TouchpointCondition: 6,
    nodes.MeasureCondition: 7,
    nodes.SequenceCondition: 8,
}


def joined_to(driver: sql.Composable) -> sql.Composable:
    """The profiles `p` of a set."""
    return SQL("({}) d JOIN profiles_profile p ON p.id = d.profile_id").format(driver)


def asks_golden(node: nodes.Node) -> bool:
    """Whether a golden record is looked at for a condition below the node."""
    asking = nodes.AttributeCondition | nodes.ReachableCondition
    return any(isinstance(one, asking) for one in nodes.conditions(node))


def _cost(node: nodes.Node) -> int:
    """Rank of what the dearest condition below a node costs; PostgreSQL tests members of AND and OR as they stand."""
    return max(_COSTS[_kind(condition)] for condition in nodes.conditions(node))


def _kind(condition: nodes.Condition) -> type:
    """A computed trait is written as an attribute and costs what it is computed of."""
    is_computed = isinstance(condition, nodes.AttributeCondition) and condition.trait.startswith(COMPUTED)
    return nodes.MeasureCondition if is_computed else type(condition)


@dataclass
class Compiler:
    """One compilation. `sets`: name and query of each set of profiles by its text, so that equal ones are shared.

    `crowd`: SELECT of the ids of the only profiles that are asked; what is dear to ask of one is then asked of all of
    them at once. `span`: the people of whom anything is asked, where it is not everybody. `sieves`: of many who are
    asked one by one, first those are left out of whom an index tells all at once that they need not be asked.
    """

    viewer: Viewer
    moment: Moment
    strategy: Strategy
    sets: dict[str, tuple[sql.SQL, sql.Composable]] = field(default_factory=dict)
    under_not: bool = False
    crowd: sql.Composable | None = None
    span: Span | None = None
    sieves: bool = False

    def with_sets(self) -> sql.Composable:
        """The clause that brings the sets. To be called last."""
        sets = [SQL("{} AS ({})").format(name, query) for name, query in self.sets.values()]
        return SQL("WITH {} ").format(SQL(", ").join(sets)) if sets else SQL("")

    def asked(self, where: nodes.Group, also: Sequence[sql.Composable] = ()) -> sql.Composed:
        """The statement that asks one group; `also`: further conditions on `p`."""
        driver = self.driver(where)
        said, others = ([], []) if also or driver is not None else self.parted(where)
        if said:
            source, left = self.narrowed(said, with_golden=any(map(asks_golden, others)))
            return self.select([*left, *map(self.predicate, others)] or [SQL("true")], source)
        source, asked = (PROFILES, [where]) if driver is None else (joined_to(driver[0]), sorted(driver[1], key=_cost))
        conditions = [self.predicate(one) for one in asked]
        of_span = [] if self.span is None else [self.span.holds(SQL("p.id"))]
        return self.select([IS_LIVE, *of_span, *self.visibility(), *also, *conditions], source)

    def select(self, conditions: Sequence[sql.Composable], source: sql.Composable) -> sql.Composed:
        """The whole statement, of the profiles `p` of a source. To be called last: the conditions bring the sets."""
        return SQL("{sets}SELECT p.id FROM {source} WHERE {conditions}").format(
            sets=self.with_sets(), source=source, conditions=SQL(" AND ").join(conditions)
        )

    def parted(self, where: nodes.Group) -> tuple[list[nodes.AttributeCondition], list[nodes.Node]]:
        """Of what must hold for all: values of the golden record, which one look at a profile tells; and the rest, the
        cheap ones first."""
        said: list[nodes.AttributeCondition] = []
        others: list[nodes.Node] = []
        for member in where.of if isinstance(where, nodes.All) else (where,):
            if isinstance(member, nodes.AttributeCondition) and self.is_golden(member.trait):
                said.append(member)
            elif isinstance(member, nodes.All):
                of_member = self.parted(member)
                said += of_member[0]
                others += of_member[1]
            else:
                others.append(member)
        return said, sorted(others, key=_cost)

    def narrowed(
        self, said: Sequence[nodes.AttributeCondition], *, with_golden: bool
    ) -> tuple[sql.Composable, list[sql.Composable]]:
        """The live, known profiles `p` of which the conditions hold, as far as no list has to be looked into; and what
        is left to be asked. `with_golden`: the golden records are wanted as well as the ids.

        OFFSET 0 keeps the planner from mixing that with what comes after it: it reckons the look into lists for every
        profile, which is more than everything else, and then takes whichever way through the profiles."""
        columns = SQL("p.id, p.golden" if with_golden else "p.id")
        if all(one.trait in FACETS for one in said):
            return SQL("({} OFFSET 0) p").format(self._by_facets(said, columns)), []
        conditions = [unless_list(self._golden(one.trait), one.comparison, self.moment) for one in said]
        # CASE keeps it from the index of people, which is in the order of their names: all are looked at, as they lie.
        is_live = SQL("CASE WHEN p.state = 'live' THEN p.kind = 'identified' END")
        source = SQL("(SELECT p.id, p.golden FROM profiles_profile p WHERE {} OFFSET 0) p").format(
            SQL(" AND ").join([is_live, *conditions])
        )
        values = [(self._golden(one.trait), one.comparison) for one in said]
        return source, [of_list(value, comparison, self.moment) for value, comparison in values if value.may_be_list]

    def _by_facets(self, said: Sequence[nodes.AttributeCondition], columns: sql.Composable) -> sql.Composable:
        """The same by the columns that an index holds; of the few whose value is in none, by the golden record."""
        facets = [(self._facet(one.trait), one) for one in said]
        golden = [(self._golden(one.trait), one) for one in said]
        beside, told = (
            SQL(" AND ").join(matches(value, one.comparison, self.moment) for value, one in asked)
            for asked in (golden, facets)
        )
        return SQL(
            "SELECT {columns} FROM profiles_profile p WHERE {live} AND p.facets_tell AND {told} UNION ALL "
            "SELECT {columns} FROM profiles_profile p WHERE {live} AND NOT p.facets_tell AND {beside}"
        ).format(columns=columns, live=IS_LIVE, told=told, beside=beside)

    def driver(self, where: nodes.Group) -> tuple[sql.Composable, list[nodes.Node]] | None:
        """The set whose profiles the statement may start from, if one condition must hold for all and brings one; and
        the other conditions. This one join is safe: a profile is looked up by its key, however wrong the guess was."""
        if self.strategy is Strategy.SWEEP and isinstance(where, nodes.All):
            for place, member in enumerate(where.of):
                if isinstance(member, CountedCondition):
                    counted = self._counting.of(member)
                    if not counted.holds_for_none:
                        return counted.set(), [*where.of[:place], *where.of[place + 1 :]]
        return None

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
        if node.trait.startswith(COMPUTED) and node.trait in self.viewer.computed:
            return self._counted(self._counting.of_computed(self.viewer.computed[node.trait], node.comparison))
        predicate = self._attribute(node)
        return SQL("({}) IS TRUE").format(predicate) if self.under_not else predicate

    @predicate.register(nodes.TouchpointCondition)
    @predicate.register(nodes.MeasureCondition)
    @predicate.register(nodes.SequenceCondition)
    @predicate.register(nodes.OrderTotalCondition)
    @predicate.register(nodes.OrderLineCondition)
    def _(self, node: CountedCondition) -> sql.Composable:
        counted = self._counted(self._counting.of(node))
        sieve = told_by_index(node, self.viewer) if self.sieves else None
        if sieve is None:
            return counted
        of_all = self._counting_all.of(sieve)
        passes = SQL("((p.id IN ({})) IS {})").format(of_all.set(), not of_all.holds_for_none)
        return passes if sieve == node else SQL("({} AND {})").format(passes, counted)

    def _counted(self, counted: Counted) -> sql.Composable:
        if self.strategy is Strategy.PROBE:
            return counted.of_profile()
        those = self._in_set(counted.set())
        return SQL("NOT {}").format(those) if counted.holds_for_none else those

    @predicate.register
    def _(self, node: nodes.ConsentCondition) -> sql.Composable:
        purpose_id = self.viewer.purposes.get(node.purpose)
        if purpose_id is None:
            return sql.Literal(node.state is nodes.ConsentState.NEVER)
        if self._asks_one_by_one:
            states = consents.state_sql(purpose_id, node.channel, among=SQL("SELECT p.id"))
            return SQL("coalesce((SELECT c.state FROM ({}) c), 'never') = {}").format(states, node.state.value)
        states = consents.state_sql(purpose_id, node.channel, among=self.crowd)
        if node.state is nodes.ConsentState.NEVER:
            return SQL("NOT {}").format(self._in_set(states, SQL("s.state <> 'never'")))
        return self._in_set(states, SQL("s.state = {}").format(node.state.value))

    @predicate.register
    def _(self, node: nodes.ReachableCondition) -> sql.Composable:
        purpose_id = self.viewer.purposes.get(node.purpose)
        if purpose_id is None or node.channel not in Channel.values:
            return SQL("false")
        has_address: sql.Composable = SQL("true")
        if node.channel == Channel.POST:  # who has no postal address is not reached, whatever was said
            known = nodes.AttributeCondition("address", nodes.Comparison(nodes.Operator.KNOWN))
            has_address = SQL("({}) IS TRUE").format(self._attribute(known))
        reached = reachable_sql(
            purpose_id,
            Channel(node.channel),
            people=SQL("SELECT p.id") if self._asks_one_by_one else self.crowd,
            sources=self.viewer.sources,
            hidden_traits=self.viewer.hidden_traits,
        )
        if self._asks_one_by_one:
            return SQL("({} AND EXISTS ({}))").format(has_address, reached)
        return SQL("({} AND {})").format(has_address, self._in_set(reached))

    @predicate.register
    def _(self, node: nodes.SegmentCondition) -> sql.Composable:
        if node.is_in:
            return self.predicate(node.meaning)
        return self.predicate(nodes.Not((node.meaning,)))

    @predicate.register
    def _(self, node: nodes.ListCondition) -> sql.Composable:
        seen: sql.Composable = SQL("")
        if self.viewer.sources is not None:
            seen = SQL(" JOIN profiles_sourcerecord r ON r.id = m.record_id AND r.source_id = ANY({})").format(
                self.viewer.visible_sources
            )
        listed = SQL(
            "SELECT m.profile_id FROM segments_staticlistmember i JOIN profiles_membership m "
            "ON m.record_id = i.record_id AND m.valid_to IS NULL{} WHERE i.list_id = {}"
        ).format(seen, UUID(node.list))
        if self.strategy is Strategy.PROBE:
            is_listed: sql.Composable = SQL("EXISTS ({} AND m.profile_id = p.id)").format(listed)
        else:
            is_listed = self._in_set(listed)
        return is_listed if node.is_in else SQL("NOT {}").format(is_listed)

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
        ).format(self.viewer.visible_sources)
        return SQL("NOT {}").format(self._in_set(hidden))

    def _has_record(self, condition: str) -> sql.Composable:
        return SQL(
            "EXISTS (SELECT FROM profiles_membership m JOIN profiles_sourcerecord r ON r.id = m.record_id "
            "WHERE m.profile_id = p.id AND m.valid_to IS NULL AND {})"
        ).format(SQL(condition).format(self.viewer.visible_sources))

    def _attribute(self, node: nodes.AttributeCondition) -> sql.Composable:
        """The condition on what survives among the records and traits that the viewer sees."""
        hidden, unit = self.viewer.hidden_traits, survivorship.unit_of(node.trait)
        value = self._golden(node.trait)
        golden = matches(value, node.comparison, self.moment)
        if self.is_golden(node.trait):
            return golden
        if node.trait in hidden:
            return matches(JsonValue.of(SQL("NULL::jsonb")), node.comparison, self.moment)
        own = matches(JsonValue.of(SQL("x.v"), may_be_list=value.may_be_list), node.comparison, self.moment)
        # OFFSET 0 keeps the planner from writing the survivor's subquery out at each mention.
        survivor = SQL("(SELECT {} FROM (SELECT ({}) AS v OFFSET 0) x)").format(own, self._survivor(node.trait))
        if not hidden.isdisjoint(unit):
            return survivor
        # Who has no hidden record has the golden value, and most people have none.
        return SQL("CASE WHEN {} THEN {} ELSE {} END").format(self._sees_all_records(), golden, survivor)

    def is_golden(self, trait: str) -> bool:
        """Whether everybody's value of a trait is, for the viewer, that of the golden record."""
        is_stated = not (trait.startswith(COMPUTED) and trait in self.viewer.computed)
        hides_part = not self.viewer.hidden_traits.isdisjoint(survivorship.unit_of(trait))
        return is_stated and self.viewer.sources is None and not hides_part

    def _golden(self, trait: str) -> JsonValue:
        # A golden record keeps the first of several addresses or names, so that there is no list to look into.
        return JsonValue.of_key("p.golden", trait, may_be_list=trait not in survivorship.SINGULAR)

    def _facet(self, trait: str) -> JsonValue:
        return JsonValue.of_text(SQL("p.{}").format(sql.Identifier(f"facet_{trait}")), is_day=trait in DAY_FACETS)

    def _survivor(self, trait: str) -> sql.Composable:
        sources: sql.Composable = SQL("")
        if self.viewer.sources is not None:
            sources = SQL("AND r.source_id = ANY({})").format(self.viewer.visible_sources)
        return _SURVIVOR.format(
            survives=_FIRST_OF_LIST if trait in survivorship.SINGULAR else SQL("w.v"),
            trait=trait,
            unit=sorted(set(survivorship.unit_of(trait)) - self.viewer.hidden_traits),
            is_whole=_IS_WHOLE_NAME if trait in survivorship.NAME_PARTS else SQL("true"),
            sources=sources,
        )

    # -- pieces -----------------------------------------------------------------------------------------------

    @property
    def _asks_one_by_one(self) -> bool:
        return self.strategy is Strategy.PROBE and self.crowd is None

    @cached_property
    def _counting_all(self) -> Counting:
        return Counting(self.viewer, self.moment, Strategy.SWEEP)

    @cached_property
    def _counting(self) -> Counting:
        return Counting(self.viewer, self.moment, self.strategy, self.span)

    def _in_set(self, query: sql.Composable, condition: sql.Composable | None = None) -> sql.Composable:
        """That `p` is among the profiles of a query, a set read once; of those `s` for which `condition` holds.

        IS TRUE keeps the planner from making a join of it.
        """
        key = query.as_string(None)
        name, _query = self.sets.setdefault(key, (SQL(f"s{len(self.sets)}"), query))
        where = SQL("") if condition is None else SQL(" WHERE {}").format(condition)
        return SQL("((p.id IN (SELECT s.profile_id FROM {} s{})) IS TRUE)").format(name, where)
