"""Statements of people: whom a definition holds for, everybody, what a sample answers. `compile` says each condition.

Where attributes of the golden record must hold, one look through the profiles tells whom they leave, and how many those
are decides how the rest is asked. So it is where consents are asked of people who did something.
"""

import datetime as dt
import zoneinfo
from collections.abc import Sequence

from psycopg import sql

from segments.definition import nodes
from segments.definition.compile import IS_LIVE, PROFILES, Compiler, asks_golden, joined_to
from segments.definition.counting import told_by_index
from segments.definition.evaluate import Moment
from segments.definition.viewer import Span, Strategy, Viewer

SQL = sql.SQL


def people(
    definition: nodes.Definition,
    viewer: Viewer,
    *,
    now: dt.datetime,
    time_zone: zoneinfo.ZoneInfo,
    strategy: Strategy = Strategy.SWEEP,
    among: sql.Composable | None = None,
    span: Span | None = None,
) -> sql.Composed:
    """SELECT of one column `id`: live, known people whom the viewer sees and for whom the definition holds at `now`.

    `among`, a further condition on the profile `p`, narrows it, e.g. to one person or past a keyset's last id. With a
    `span`, only what these people did is read at all; for definitions that can be shared.
    """
    moment = Moment(now, time_zone)
    compiler = Compiler(viewer, moment, strategy, span=span)
    if strategy is Strategy.PROBE or among is not None:
        return compiler.asked(definition.where, [] if among is None else [among])
    said, others = compiler.parted(definition.where)
    is_driven = not said and viewer.sources is None and asks_at_once(definition)
    driver = compiler.driver(definition.where) if is_driven else None
    if driver is not None:
        others = driver[1]
    elif not (said and others):
        return compiler.asked(definition.where)
    wants_golden = any(map(asks_golden, others))
    if driver is None:
        source, left = Compiler(viewer, moment, strategy).narrowed(said, with_golden=wants_golden)
    else:
        source, left = joined_to(driver[0]), [IS_LIVE]
    of_some, of_many = (_one_by_one(others, viewer, moment, sieves=sieves) for sieves in (False, True))
    ways = [(["some"], of_some), (["many"], of_many), (["most"], compiler.asked(definition.where))]
    if of_some.as_string() == of_many.as_string():
        ways[:2] = [(["some", "many"], of_some)]
    return _LEFT_OVER.format(
        golden=SQL(", p.golden") if wants_golden else SQL(""),
        source=source,
        left=SQL(" AND ").join(left or [SQL("true")]),
        some=SOME,
        most=MOST,
        ways=SQL(" UNION ALL ").join(_WAY.format(people=query, these=these) for these, query in ways),
    )


def can_be_shared(definition: nodes.Definition, viewer: Viewer) -> bool:
    """Whether several processes can each ask about a span of the people, because indexes in the order of people tell
    it all. What lies in the order of time, consents and profiles are read for all of them together."""
    of_people = [one for one in nodes.conditions(definition.where) if not isinstance(one, nodes.SegmentCondition)]
    return viewer.sources is None and all(_is_total(one) or told_by_index(one, viewer) == one for one in of_people)


def _is_total(condition: nodes.Condition) -> bool:
    return isinstance(condition, nodes.OrderTotalCondition) and condition.measure is not nodes.Measure.FULL_PRICE


SOME = SQL("50000")
"""People whom the attributes leave of whom everything else is asked one by one."""
MOST = SQL(
    "(SELECT greatest(1000, c.reltuples / 4)::bigint FROM pg_class c WHERE c.oid = 'profiles_profile'::regclass)"
)
"""Those of whom it is, too, behind a sieve: of more it is quicker asked by sets."""
# Who is left is counted first, no further than that, and all but one of the ways are never gone: what nobody can know
# when the statement is planned decides between them while it runs.
_LEFT_OVER = SQL("""
WITH few AS MATERIALIZED (
    SELECT p.id{golden} FROM {source} WHERE {left} LIMIT {most} + 1
),
left_over AS MATERIALIZED (
    SELECT CASE WHEN count(*) <= {some} THEN 'some' WHEN count(*) <= {most} THEN 'many' ELSE 'most' END AS are FROM few
)
SELECT p.id FROM ({ways}) p""")
_WAY = SQL("SELECT w.id FROM ({people}) w WHERE (SELECT l.are FROM left_over l) = ANY({these})")
# The planner takes subscripts for a thousand, and of what it cannot count it expects one: then it joins by trying every
# row against every other. OFFSET 0 lets go of the array where an element is taken out; else it is carried along with
# each.
_CROWD = SQL(
    "SELECT c.id FROM (SELECT (a.ids)[n] AS id FROM (SELECT ARRAY(SELECT f.id FROM {} f) AS ids OFFSET 0) a, "
    "generate_subscripts(a.ids, 1) n OFFSET 0) c"
)
_THEN = SQL("WITH fewer AS MATERIALIZED (SELECT p.* FROM few p WHERE {first}) {then}")


def asks_at_once(definition: nodes.Definition) -> bool:
    """Whether it asks what is dear to ask of one person, and not much dearer of thousands."""
    return any(isinstance(one, _AT_ONCE) for one in nodes.conditions(definition.where))


def _one_by_one(members: Sequence[nodes.Node], viewer: Viewer, moment: Moment, *, sieves: bool) -> sql.Composable:
    """What is asked of each of the `few`; then what is asked of all at once who are left."""
    at_once = [one for one in members if any(isinstance(c, _AT_ONCE) for c in nodes.conditions(one))]
    by_person = [one for one in members if one not in at_once]
    source = SQL("few" if not (at_once and by_person) else "fewer")
    asking = Compiler(viewer, moment, Strategy.PROBE, crowd=_CROWD.format(source), sieves=sieves)
    last = asking.select([asking.predicate(nodes.All(tuple(at_once or by_person)))], SQL("{} p").format(source))
    if not (at_once and by_person):
        return last
    return _THEN.format(
        first=asking.predicate(nodes.All(tuple(by_person))), then=SQL("SELECT o.id FROM ({}) o").format(last)
    )


_AT_ONCE = nodes.ConsentCondition | nodes.ReachableCondition


def everybody(viewer: Viewer, *, now: dt.datetime, time_zone: zoneinfo.ZoneInfo) -> sql.Composed:
    """SELECT of one column `id`: all live, known people whom the viewer sees."""
    compiler = Compiler(viewer, Moment(now, time_zone), Strategy.SWEEP)
    return compiler.select([IS_LIVE, *compiler.visibility()], PROFILES)


def answers(
    conditions: Sequence[nodes.Condition],
    viewer: Viewer,
    *,
    now: dt.datetime,
    time_zone: zoneinfo.ZoneInfo,
    crowd: sql.Composable,
) -> sql.Composed:
    """SELECT of `kind`, `answers` and `n`: how many of the crowd's live profiles, known or not, whom the viewer sees
    answer so. `answers` is a text with a character for each condition: 1 where it holds, else 0.

    Args:
        crowd: SELECT of the profile ids of a sample; some thousands.
    """
    compiler = Compiler(viewer, Moment(now, time_zone), Strategy.PROBE, crowd=crowd)
    seen = [SQL("p.state = 'live'"), SQL("p.id = ANY(ARRAY({}))").format(crowd), *compiler.visibility()]
    answered = [SQL("(({}) IS TRUE)::int").format(compiler.predicate(condition)) for condition in conditions]
    return SQL("{sets}SELECT p.kind, concat({answered}) AS answers, count(*) AS n {people} GROUP BY 1, 2").format(
        sets=compiler.with_sets(),
        answered=SQL(", ").join(answered),
        people=SQL("FROM profiles_profile p WHERE {}").format(SQL(" AND ").join(seen)),
    )
