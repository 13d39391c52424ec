"""How many people a definition means, from a sample of everybody: fast enough for each keystroke, honest about itself.

The sample is one profile id out of each `stride` consecutive ones, chosen by a hash: everybody is in it with the same
chance, whatever the ids, and the people are the same from one edit to the next, so that numbers can be compared. (A
TABLESAMPLE of pages is biased: pages hold people of one time.) Each condition is asked of each of them, which answers
for every row of the builder at once: how many meet it alone, and how many there would be without it.

The first sample takes some thousand people. As long as the number is vague and there is time, one of four times as
many follows. Where a sample would be everybody, it is, and the numbers are exact. What cannot be read in time, since
nobody has looked at these people for long, is asked of a quarter as many instead: the interval says how much wider
that is.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection
from psycopg import sql

from profiles.models import Profile
from segments import audience, cuts
from segments.audience import Question, TooSlowProblem
from segments.cuts import Answered
from segments.definition import nodes
from segments.definition.people import answers
from segments.definition.viewer import Strategy
from segments.intervals import Range, of_sample

SQL = sql.SQL

FIRST_SAMPLE = 8_192
"""Profile ids: ± 1.1 % of everybody at worst (1.96 × √(.25 ÷ 8,192)), in some tens of milliseconds."""
LAST_SAMPLE = 131_072
GROWTH = 4
MANY_CONDITIONS = 16
"""Each condition is asked of each person: of more conditions than this the first sample is the smaller for it."""
VAGUE = 0.05
"""Half the width of the interval, as a share of the number, above which a larger sample is worth its time."""
SECONDS = 0.35
"""For all samples together; the next one is taken if, at the pace of the last, it ends before."""
LIMIT_SECONDS = 1
"""A single sample that takes longer is given up, for a smaller one if there is none yet."""
LEAST_SAMPLE = 512
"""± 4.3 % of everybody at worst. Where even that takes too long, only the exact count can answer."""


@dataclass(frozen=True, slots=True)
class Part:
    """A row of the builder: how many people meet it alone, and how many the segment would have without it."""

    alone: Range
    without: Range
    cut: int
    """`without` less the segment: whom this row keeps out."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """`members` are known people; `visitors`, of whom only a device is known, are counted apart. `parts` by place."""

    members: Range
    visitors: Range
    everybody: int
    parts: Mapping[str, Part]
    sampled: int

    @property
    def is_exact(self) -> bool:
        return self.members.is_exact

    @property
    def percent(self) -> float | None:
        return 100 * self.members.value / self.everybody if self.everybody else None

    @property
    def cuts_most(self) -> str:
        """Place of the row that keeps most people out; "" when there is nothing to compare or none does."""
        if len(self.parts) < 2:
            return ""
        place, part = max(self.parts.items(), key=lambda item: item[1].cut)
        return place if part.cut > 0 else ""


def estimate(question: Question) -> Estimate:
    """From samples, within half a second. Raises TooSlowProblem. Two statements, and one a sample."""
    everybody = audience.count_everybody(question.scope)
    began = time.monotonic()
    wanted, found = _first_wanted(question), None
    while True:
        started = time.monotonic()
        sample = sample_of(wanted)
        try:
            found = _from(sample, question, everybody)
        except TooSlowProblem:
            if found is not None:
                return found
            if wanted <= LEAST_SAMPLE:
                raise
            wanted = max(wanted // GROWTH, LEAST_SAMPLE)
            continue
        now = time.monotonic()
        has_time = (now - began) + GROWTH * (now - started) <= SECONDS
        wanted *= GROWTH
        if sample.is_everybody or _is_sharp(found) or not has_time or wanted > LAST_SAMPLE:
            return found


def some_members(question: Question, n: int) -> list[int]:
    """Profile ids of up to `n` members, chosen by a hash of their id: everybody with the same chance. Raises
    TooSlowProblem. Where the first sample holds too few, everybody is asked."""
    if not (sample := sample_of(FIRST_SAMPLE)).is_everybody:
        found = _ids(question, sample, n)
        if len(found) == n:
            return found
    return _ids(question, None, n)


# ── samples ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Sample:
    """One id out of each `stride` up to `last`."""

    stride: int
    last: int

    @property
    def is_everybody(self) -> bool:
        return self.stride == 1

    def crowd(self) -> sql.Composable:
        """SELECT of its profile ids, of those that exist and those that do not."""
        if self.is_everybody:
            return SQL("SELECT i.id FROM profiles_profile i WHERE i.state = 'live'")
        return SQL(
            "SELECT {stride} * i + 1 + (hashint8extended(i, 0) & ({stride} - 1)) "
            "FROM generate_series(0, {last}::bigint) i"
        ).format(stride=self.stride, last=self.last // self.stride)

    def holds(self) -> sql.Composable:
        """Condition on `p`: it is in the sample."""
        # An array and not a join: each id is looked up by its key, whatever the planner thinks of the conditions.
        return SQL("p.id = ANY(ARRAY({}))").format(self.crowd())


_HOW_MANY = SQL("""
SELECT (SELECT count(*) FROM (SELECT FROM profiles_profile p WHERE p.state = 'live' LIMIT {most}) few),
       (SELECT coalesce(max(p.id), 0) FROM profiles_profile p)""")


def sample_of(wanted: int) -> Sample:
    """About so many profile ids; everybody where there are no more. One query, which counts no further than that."""
    with connection.cursor() as cursor:
        cursor.execute(_HOW_MANY.format(most=wanted + 1))
        n, newest = cursor.fetchone()
    stride = 1
    while n > wanted and newest > stride * wanted:
        stride *= 2
    return Sample(stride, newest)


def _first_wanted(question: Question) -> int:
    n_conditions = sum(1 for _condition in nodes.own_conditions(question.definition.where))
    return FIRST_SAMPLE * MANY_CONDITIONS // max(n_conditions, MANY_CONDITIONS)


def _is_sharp(found: Estimate) -> bool:
    members = found.members
    return members.is_exact or members.high - members.low <= 2 * VAGUE * members.value


# ── asking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _from(sample: Sample, question: Question, everybody: int) -> Estimate:
    where = question.definition.where
    known, unknown = _asked(sample, question)
    sampled, seen = known.everybody.bit_count(), unknown.everybody.bit_count()
    # Where the sample is everybody it is so this moment; the count of all may be a minute old.
    total = sampled if sample.is_everybody else everybody
    part = 1 / sample.stride

    def people(n: int) -> Range:
        return of_sample(n, sampled, total, part=part)

    members = people(cuts.members(where, known))
    parts = {
        row.place: Part(people(row.alone), people(row.without), people(row.without).value - members.value)
        for row in cuts.by_row(where, known)
    }
    visitors = of_sample(cuts.members(where, unknown), seen, seen * sample.stride, part=part)
    return Estimate(members, visitors, total, parts, sampled)


def _asked(sample: Sample, question: Question) -> tuple[Answered, Answered]:
    """The answers of the sample to each condition: of known people, of visitors."""
    conditions = list(nodes.own_conditions(question.definition.where))
    query = answers(
        conditions,
        question.viewer,
        now=question.now,
        time_zone=audience.company_time_zone(),
        crowd=sample.crowd(),
    )
    with audience.time_limit(LIMIT_SECONDS), connection.cursor() as cursor:
        cursor.execute(query)
        rows = cursor.fetchall()

    def of(*kinds: str) -> Answered:
        return Answered.of([(text, n) for kind, text, n in rows if kind in kinds], len(conditions))

    return of(Profile.Kind.IDENTIFIED), of(Profile.Kind.ANONYMOUS)


def _ids(question: Question, sample: Sample | None, n: int) -> list[int]:
    select = question.select() if sample is None else question.select(Strategy.PROBE, sample.holds())
    query = SQL("SELECT m.id FROM ({}) m ORDER BY hashint8extended(m.id, 1), m.id LIMIT {}").format(select, n)
    with audience.time_limit(), connection.cursor() as cursor:
        cursor.execute(query)
        return [profile_id for (profile_id,) in cursor.fetchall()]
