"""`bench match`, batch: a run over 100,000 people, from the database to links in it, against dedupe's own partitioning
of the same records with the same model. Each in a process of its own; its share of PostgreSQL counts as its own."""

import os
import statistics
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec
from django.db import connection
from psycopg import sql
from rich.table import Table

from cdp_site.core.ids import uuid7
from cdp_site.operations.bench import child, database, matching_people, matching_world
from cdp_site.operations.bench.matching_people import World
from cdp_site.operations.bench.measure import Result
from ingestion.models import Source
from profiles.matching import model_files, records, runs
from profiles.matching.keys import MOST_IN_BLOCK
from profiles.matching.learned import LearnedMatcher
from profiles.models import LinkDecision, MatchModel

GOAL: Final = 1.1
ROUNDS: Final = 3
ATTACH: Final = 0.95
REVIEW: Final = 0.5
# So many of a hundred people are also at the till, where nothing but matching can tell who they are.
TWICE_EVERY: Final = 4
BY: Final = "system:bench"
SOURCE: Final = "bench"
_AT_ONCE: Final = 5_000

_TABLES: Final[Mapping[str, str]] = {
    "profiles_profile": "id, public_id, kind, state, golden, sort_name, created_at, changed_at",
    "profiles_sourcerecord": "id, source_id, kind, external_id, birth_profile_id, attributes, attribute_times,"
    " content_hash, first_seen_at, last_seen_at, received_at",
    "profiles_membership": "record_id, profile_id, valid_from",
    "profiles_identifier": "kind, namespace, value, raw, record_id, profile_id, is_evidence, problem, is_current,"
    " valid_from, last_stated_at",
}


def run(people: int) -> list[Result]:
    """CPU seconds and the greatest memory, a round after the other; and the same run once the keys are there."""
    name = f"cdp_bench_match_batch_{people}"
    database.keep(name, lambda now: _fill(people, now))
    rounds = [_round(name, people) for _round_number in range(ROUNDS)]
    wanted = f"{people:,} people in {people + people // TWICE_EVERY:,} records"
    first, told = rounds[-1]["batch"], rounds[-1]["batch"]["told"]
    note = f"{wanted}; {first['found']} of {people // TWICE_EVERY:,} found, {first['wrong']} wrong"
    note += f"; {told['pairs']:,} pairs, {told.get('links', 0):,} links, {told.get('reviews', 0):,} questions"
    return [
        _line("cpu", "s", [(one["batch"]["cpu"], one["dedupe"]["cpu"]) for one in rounds], note),
        _line("memory", "MB", [(one["batch"]["memory"], one["dedupe"]["memory"]) for one in rounds], wanted),
        _line(
            "again",
            "s",
            [(one["again"]["cpu"], one["dedupe"]["cpu"]) for one in rounds],
            "everything once more: keys and links are there",
            goal=None,
        ),
    ]


def _line(
    name: str, unit: str, figures: Sequence[tuple[float, float]], note: str, *, goal: float | None = GOAL
) -> Result:
    return Result(
        name=f"match.batch.{name}",
        value=round(statistics.median(value for value, _limit in figures), 1),
        unit=unit,
        limit=round(statistics.median(limit for _value, limit in figures), 1),
        limit_name="dedupe's partition of the same records with the same model",
        ratio=round(statistics.median(value / limit for value, limit in figures), 3),
        goal=goal,
        lower_is_better=True,
        rounds=len(figures),
        note=note,
    )


def _round(template: str, people: int) -> dict[str, dict[str, Any]]:
    """Both on a fresh copy."""
    name = f"{template}_run"
    with tempfile.TemporaryDirectory() as folder:
        environment = {"DATABASE_URL": database.copy(template, name), "CDP_DATA": folder}
        try:
            return {part: _measured(part, people, environment) for part in ("dedupe", "batch", "again")}
        finally:
            database.drop(name)


def _measured(part: str, people: int, environment: Mapping[str, str]) -> dict[str, Any]:
    function = {"dedupe": "partition", "batch": "match", "again": "match"}[part]
    done = child.measured(f"{__name__}.{function}", str(people), environment=environment)
    return {**done.value, "memory": done.memory / 1024**2}


# --- in a process of its own ------------------------------------------------------------------------------------------


def match(people: str) -> dict[str, Any]:
    """The product: a run over everything."""
    if not MatchModel.objects.exists():
        model = MatchModel.objects.create(
            version=1,
            status=MatchModel.Status.ACTIVE,
            attach_threshold=ATTACH,
            review_threshold=REVIEW,
            created_by=BY,
        )
        model_files.save(model, _model())
    begun = runs.start(by=BY, everything=True, in_job=False)
    runs.carry_on(begun.pk)
    begun.refresh_from_db()
    if begun.status != "done":
        raise RuntimeError(f"the run ended as {begun.status} {begun.problem}")
    links = LinkDecision.objects.filter(kind="model", action="link").values_list("record_a", "record_b")
    return {"cpu": _cpu(), "told": begun.report, **_judged(links, int(people))}


def partition(people: str) -> dict[str, Any]:
    """The limit: dedupe's own code, in memory, with the same records and the same model. Keys that too many share are
    left out here as well (finding them is not counted): among all who meet by them dedupe would not come to an end."""
    from dedupe.blocking import Fingerprinter  # one or two seconds: only where something is matched

    matcher = _model()
    data = {number: dict(record) for portion in records.stream() for number, record in portion.items()}
    before = _cpu()
    shared = Counter(hash(key) for record in data.values() for key in matcher.keys(record))
    crowded = frozenset(key for key, number in shared.items() if number > MOST_IN_BLOCK)
    shared.clear()
    uncounted = _cpu() - before
    dedupe: Any = matcher.as_dedupe(num_cores=1)
    dedupe.predicates = (_Capped(dedupe.predicates[0], crowded),)
    dedupe._fingerprinter = Fingerprinter(dedupe.predicates)
    clusters = dedupe.partition(data, ATTACH)
    pairs = ((min(group), other) for group, _scores in clusters for other in group if other != min(group))
    return {"cpu": _cpu() - uncounted, **_judged(pairs, int(people))}


class _Capped:
    """The model's keys as a rule of dedupe's, without the crowded ones."""

    type = "Capped"
    __name__ = "(capped)"

    def __init__(self, rule: Any, crowded: frozenset[int]) -> None:
        self._rule = rule
        self._crowded = crowded

    def __iter__(self) -> Iterator["_Capped"]:
        yield self

    def __len__(self) -> int:
        return 1

    def __call__(self, record: Any, **target: Any) -> frozenset[str]:
        return frozenset(key for key in self._rule(record, **target) if hash(key) not in self._crowded)


def _judged(pairs: Iterable[tuple[int, int]], people: int) -> dict[str, int]:
    """Records beyond the people's own number are those of the till, of every n-th person."""
    are_one = [_person(a, people) == _person(b, people) for a, b in pairs]
    return {"found": int(sum(are_one)), "wrong": int(len(are_one) - sum(are_one))}


def _person(number: int, people: int) -> int:
    return number if number <= people else (number - people - 1) * TWICE_EVERY + 1


def _model() -> LearnedMatcher:
    with connection.cursor() as cursor:
        cursor.execute("SELECT document FROM bench_model")
        return LearnedMatcher.from_json(msgspec.json.decode(cursor.fetchone()[0]))


def _cpu() -> float:
    """Seconds of this process, its children and its connection's server process so far."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system + _of_server()


def _of_server() -> float:
    """0 when PostgreSQL runs on another machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- the database -----------------------------------------------------------------------------------------------------


def _fill(people: int, now: datetime) -> None:
    """Everybody at the web shop, every n-th also at the till: record and profile of one number each."""
    source = Source.objects.create(slug=SOURCE, name=SOURCE)
    with connection.cursor() as cursor:
        document = msgspec.json.encode(matching_people.learn().to_json()).decode()
        cursor.execute("CREATE TABLE bench_model AS SELECT %s::text AS document", [document])
    world = World()
    at_the_till = (world.at_the_till(number) for number in range(0, people, TWICE_EVERY))
    stated = enumerate(chain(map(world.at_the_web_shop, range(people)), at_the_till), start=1)
    while portion := [one for one, _place in zip(stated, range(_AT_ONCE), strict=False)]:
        _write(
            {
                "profiles_profile": ((n, uuid7(), "identified", "live", "{}", "", now, now) for n, _stated in portion),
                "profiles_sourcerecord": (
                    matching_world.record_row(n, stated_by, source.pk, n, now) for n, stated_by in portion
                ),
                "profiles_membership": ((n, n, now) for n, _stated in portion),
                "profiles_identifier": chain.from_iterable(
                    matching_world.identifier_rows(n, stated_by, n, now) for n, stated_by in portion
                ),
            }
        )
    with connection.cursor() as cursor:
        for table in ("profiles_profile", "profiles_sourcerecord"):
            cursor.execute(
                sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), max(id)) FROM {}").format(
                    sql.Literal(table), sql.Identifier(table)
                )
            )


def _write(rows: Mapping[str, Iterable[Sequence[Any]]]) -> None:
    with connection.cursor() as cursor:
        for table, of_table in rows.items():
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), sql.SQL(_TABLES[table]))
            with cursor.copy(statement) as copy:
                for row in of_table:
                    copy.write_row(row)


def table(results: Sequence[Result]) -> Table:
    shown = Table(title=f"a run over everything beside dedupe, medians of {results[0].rounds} rounds")
    for heading in ("figure", "value", "dedupe", "ratio", "goal", ""):
        shown.add_column(heading, justify="left" if heading == "figure" else "right")
    for result in results:
        goal = "reported" if result.goal is None else f"≤ {result.goal}"
        verdict = {True: "ok", False: "falls short", None: ""}[result.ok]
        figure = f"{result.name}\n[dim]{result.note}[/dim]"
        shown.add_row(figure, f"{result.value:,} {result.unit}", f"{result.limit:,}", f"{result.ratio}", goal, verdict)
    return shown
