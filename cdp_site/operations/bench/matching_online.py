"""`bench match`, online: a record arrives among a million people and is matched before its batch commits, against the
bare look-up of its blocking keys in the same run."""

import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from rich.table import Table

from cdp_site.core.ids import uuid7
from cdp_site.operations.bench import matching_people, matching_world
from cdp_site.operations.bench.matching_people import Stated, World
from cdp_site.operations.bench.measure import Result, cost, milliseconds, percentile
from ingestion.models import Source
from profiles.matching import block_keys, model_files, online
from profiles.matching.learned import LearnedMatcher
from profiles.models import LinkDecision, MatchModel, ReviewPair

GOAL = 12.0  # of the median match, in look-ups
GOAL_P95 = 20.0  # milliseconds
ARRIVALS = 600  # half of them of people who are there
WARM_UP = 50
STEP = 100  # records that arrive in one step of the digest
ATTACH, REVIEW = 0.95, 0.5


@dataclass(frozen=True)
class Arrival:
    """A record that is not there yet; `of`: the record of the same person that is, None for a newcomer."""

    stated: Stated
    of: int | None


@dataclass
class Found:
    """What became of arrivals: joined to or asked about their own person, joined to somebody else."""

    joined: int = 0
    asked: int = 0
    wrong: int = 0


def run(people: int) -> list[Result]:
    """Milliseconds a record: median against the look-up, 95th percentile against its goal; and in a step of many."""
    matcher = matching_world.use(people)
    with tempfile.TemporaryDirectory() as folder:
        settings.CDP_DATA = Path(folder)  # the model's file: not among those of an installation
        _activate(matcher)
        _read_into_memory()
        return _measure(matcher, people)


def table(results: Sequence[Result], title: str = "A record arrives: matched before its batch commits") -> Table:
    """For people."""
    shown = Table(title=title)
    for heading in ("figure", "value", "limit", "ratio", "goal", ""):
        shown.add_column(heading, justify="left" if heading == "figure" else "right")
    for result in results:
        shown.add_row(
            f"{result.name}\n[dim]{result.note}; limit: {result.limit_name}[/dim]",
            f"{result.value} {result.unit}",
            f"{result.limit}",
            f"{result.ratio}",
            "reported" if result.goal is None else f"≤ {result.goal:g}",
            {True: "ok", False: "falls short", None: ""}[result.ok],
        )
    return shown


def _read_into_memory() -> None:
    """Our database server may have been started for this alone; one that takes in a company's records all day has a
    database of this size in its memory. With PostgreSQL's own extension, into a database of the benchmarks' own."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
        cursor.execute(
            "SELECT sum(pg_prewarm(oid)) FROM pg_class"
            " WHERE relkind IN ('r', 'i') AND relnamespace = 'public'::regnamespace"
        )


def _activate(matcher: LearnedMatcher) -> None:
    MatchModel.objects.all().delete()
    model = MatchModel.objects.create(
        version=1,
        status=MatchModel.Status.ACTIVE,
        attach_threshold=ATTACH,
        review_threshold=REVIEW,
        created_by="system:bench",
    )
    model_files.save(model, matcher)


def _measure(matcher: LearnedMatcher, people: int) -> list[Result]:
    source = Source.objects.get(slug=matching_world.SOURCE)
    arrivals = _arrivals(people)
    found = Found()
    matches: list[float] = []
    lookups: list[float] = []
    for place, arrival in enumerate(arrivals):
        # Of another person than the one before: neither finds what the other has just brought into memory.
        if place % 2:
            keys_of = {0: matcher.keys(matching_people.comparable_of(arrival.stated))}
            lookups.append(milliseconds(partial(block_keys.candidates, keys_of)))
        else:
            matches.append(_match_one(source, arrival, found))
    del matches[:WARM_UP], lookups[:WARM_UP]
    in_steps = _match_in_steps(source, [one for place, one in enumerate(arrivals) if place % 2])
    known = sum(arrival.of is not None for place, arrival in enumerate(arrivals) if not place % 2)
    became = (
        f"{people:,} people; of {known} records of theirs {found.joined} joined, {found.asked} asked about;"
        f" {found.wrong} of {len(arrivals) // 2} joined to somebody else"
    )
    lookup = ("look-up of its blocking keys", statistics.median(lookups))
    slowest = f"look-up p95 {percentile(lookups, 95):.2f} ms"
    n = ARRIVALS // 2
    return [
        cost("match.online.p50", statistics.median(matches), "ms", lookup, goal=GOAL, rounds=n, note=became),
        cost("match.online.p95", percentile(matches, 95), "ms", ("20 ms", GOAL_P95), goal=1.0, rounds=n, note=slowest),
        cost("match.online.in steps of 100", in_steps, "ms", lookup, goal=None, rounds=n, note="a record of a hundred"),
    ]


def _arrivals(people: int) -> list[Arrival]:
    """Newcomers and people who are there by turns, in pairs, so that both kinds are matched and looked up."""
    world = World()
    found = []
    for place in range(2 * (ARRIVALS + WARM_UP)):
        number = place * people // (2 * (ARRIVALS + WARM_UP))
        if place // 2 % 2:
            found.append(Arrival(world.at_the_till(number), number + 1))
        else:
            found.append(Arrival(world.at_the_till(people + place), None))
    return found


def _match_one(source: Source, arrival: Arrival, found: Found) -> float:
    """Store one record as intake does, match it, look at what became of it, and undo it all."""
    with transaction.atomic():
        (number,) = store(source, [arrival])
        took = milliseconds(partial(online.match, {number}, born={number}, by="system:bench"))
        linked = set(LinkDecision.objects.filter(record_b_id=number).values_list("record_a_id", flat=True))
        asked = set(ReviewPair.objects.filter(record_b_id=number).values_list("record_a_id", flat=True))
        found.joined += arrival.of in linked
        found.asked += arrival.of in asked
        found.wrong += bool(linked - {arrival.of})
        transaction.set_rollback(True)
    return took


def _match_in_steps(source: Source, arrivals: Sequence[Arrival]) -> float:
    """Milliseconds a record."""
    took = []
    for start in range(0, len(arrivals) - STEP + 1, STEP):
        with transaction.atomic():
            numbers = set(store(source, arrivals[start : start + STEP]))
            took.append(milliseconds(partial(online.match, numbers, born=numbers, by="system:bench")) / STEP)
            transaction.set_rollback(True)
    return statistics.median(took)


def store(source: Source, arrivals: Sequence[Arrival]) -> list[int]:
    """Records with profiles of their own; returns their ids."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO profiles_profile (public_id, kind, state, golden, sort_name, created_at, changed_at)"
            " SELECT public_id, 'identified', 'live', '{}', '', now(), now() FROM unnest(%s::uuid[]) AS t(public_id)"
            " RETURNING id",
            [[uuid7() for _ in arrivals]],
        )
        profiles = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence('profiles_sourcerecord', 'id')) FROM unnest(%s)", [profiles]
        )
        numbers = [row[0] for row in cursor.fetchall()]
        for number, profile, arrival in zip(numbers, profiles, arrivals, strict=True):
            cursor.execute(_RECORD, matching_world.record_row(number, arrival.stated, source.pk, profile, now))
            cursor.execute(_MEMBERSHIP, [number, profile, now])
    return numbers


_RECORD = """
INSERT INTO profiles_sourcerecord (id, source_id, kind, external_id, birth_profile_id, attributes, attribute_times,
                                   content_hash, first_seen_at, last_seen_at, received_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_MEMBERSHIP = "INSERT INTO profiles_membership (record_id, profile_id, valid_from) VALUES (%s, %s, %s)"
