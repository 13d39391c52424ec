"""`bench company`: a company that grows, loaded by the doors that every system uses. At a quarter, a half and the whole
of its size it is matched, each time as for the first time. What grows how is shown, and projected to a company of 1.5
million records and 40 million touchpoints."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from cdp_site.operations.bench import child, database
from cdp_site.operations.bench.company_memory import Held, Watch, most_shared
from cdp_site.operations.bench.measure import Result, cost
from cdp_site.operations.company import loading
from cdp_site.operations.company.generation import Company
from cdp_site.operations.progress import Progress
from profiles.matching import candidates, learning, model_files, records, runs, training
from profiles.matching.learning import Label
from profiles.models import MatchModel, MatchRun, Membership, SourceRecord, Touchpoint

SEED: Final = 1
BY: Final = "system:bench"
PARTS: Final = (4, 2, 1)  # a quarter, a half, all
RECORDS, TOUCHPOINTS = 1_500_000, 40_000_000  # of the company that is projected to
MOST_HOURS: Final = 8.0
MOST_GB: Final = 12.0
_POOL: Final = 1_500
_LABELS: Final = 50  # of each kind
_SAMPLE: Final = 1_000  # people, to see how many records a person has
_GB: Final = 1024**3


@dataclass(frozen=True)
class Step:
    """What a company of one size took, loaded from the beginning on. `records`: of sources, devices that nobody logged
    in on among them; `identified`: the others, which are matched. Memory: the greatest of all processes, PostgreSQL's
    among them."""

    records: int
    identified: int
    touchpoints: int
    people: int
    load_seconds: float
    match_seconds: float
    load_memory: Held
    match_memory: Held
    told: dict[str, Any]


def run(*, records_wanted: int, touchpoints: int) -> list[Result]:
    """One company in a database that goes with it."""
    people = max(_SAMPLE // 10, round(records_wanted / _records_of_a_person()))
    name = f"cdp_bench_company_{people}"
    with tempfile.TemporaryDirectory() as folder:
        settings.CDP_DATA = Path(folder)
        try:
            url = database.begin(name)
            call_command("migrate", verbosity=0)
            steps = _grow(name, url, World(people, touchpoints, timezone.now()))
            buffers = most_shared()
        finally:
            database.drop(name)
    return [*_of_steps(steps), *_projected(steps, buffers=buffers)]


@dataclass(frozen=True)
class World:
    """What the company is made of. `touchpoints`: about; `end`: of its last year."""

    people: int
    touchpoints: int
    end: datetime

    def company(self) -> Company:
        return Company(people=self.people, seed=SEED, end=self.end, touchpoints=self.touchpoints)


def _records_of_a_person() -> float:
    """By a small company of the same kind, held in memory."""
    company = Company(people=_SAMPLE, seed=SEED, end=datetime(2026, 1, 1, tzinfo=UTC))
    for _feeds in company.blocks():
        pass
    return company.counts.records / company.people


# --- a step -----------------------------------------------------------------------------------------------------------


def _grow(name: str, url: str, world: World) -> list[Step]:
    steps: list[Step] = []
    arguments = (str(world.people), str(world.touchpoints), world.end.isoformat())
    first, seconds, memory = 0, 0.0, Held()
    for part in PARTS:
        until = world.people // part
        with Watch() as loaded:
            loading.load(
                people=world.people,
                touchpoints=world.touchpoints,
                seed=SEED,
                end=world.end,
                among=range(first, until),
                progress=Progress(),
            )
        first, seconds, memory = until, seconds + loaded.seconds, memory.most(loaded.greatest)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        records_there = dict(SourceRecord.objects.values_list("kind").annotate(Count("pk")))
        touchpoints_there = Touchpoint.objects.count()
        # What is to grow on is not matched: a copy of it is.
        copied = f"{name}_matched"
        environment = {"DATABASE_URL": url if part == 1 else database.copy(name, copied)}
        environment["CDP_DATA"] = str(settings.CDP_DATA)
        child.measured(f"{__name__}.prepare", *arguments, environment=environment)
        with Watch() as matched:
            done = child.measured(f"{__name__}.match", environment=environment)
        database.drop(copied)
        steps.append(
            Step(
                records=sum(records_there.values()),
                identified=records_there["identified"],
                touchpoints=touchpoints_there,
                people=until,
                load_seconds=seconds,
                match_seconds=done.seconds,
                load_memory=memory,
                match_memory=matched.greatest,
                told=done.value,
            )
        )
    return steps


def prepare(people: str, touchpoints: str, end: str) -> None:
    """In a process of its own: take a model into use, as stewards would have trained it: by a hundred verdicts on the
    first people's records."""
    company = World(int(people), int(touchpoints), datetime.fromisoformat(end)).company()
    person_of = {(source, external_id): person for source, external_id, person in next(company.blocks()).truth}
    rows = SourceRecord.objects.filter(kind="identified", source__slug__in={source for source, _id in person_of})
    known = {
        number: person_of[source, external_id]
        for number, source, external_id in rows.order_by("pk").values_list("pk", "source__slug", "external_id")
        if (source, external_id) in person_of
    }
    pool = records.read(sorted(known)[:_POOL])
    by_person: dict[Any, list[int]] = {}
    for number in sorted(pool):
        by_person.setdefault(known[number], []).append(number)
    draw = Random(SEED)
    same = [pair for numbers in by_person.values() for pair in combinations(numbers, 2)]
    near = sorted(pair for pair in candidates.meeting(pool) if known[pair[0]] != known[pair[1]])
    labels = [
        *(Label(a, b, same=True) for a, b in draw.sample(same, min(len(same), _LABELS))),
        *(Label(a, b, same=False) for a, b in draw.sample(near, min(len(near), _LABELS))),
    ]
    trained = learning.train(pool, labels, seed=SEED)
    thresholds = training.first_choice(trained.report.as_json()["proposals"])
    model = MatchModel.objects.create(
        version=1,
        status=MatchModel.Status.ACTIVE,
        attach_threshold=thresholds["attach"],
        review_threshold=thresholds["review"],
        created_by=BY,
    )
    model_files.save(model, trained.matcher)


def match() -> dict[str, Any]:
    """In a process of its own: the first run."""
    begun = runs.start(by=BY, everything=True, in_job=False)
    runs.carry_on(begun.pk)
    begun.refresh_from_db()
    if begun.status != MatchRun.Status.DONE:
        raise RuntimeError(f"the run ended as {begun.status} {begun.problem}")
    customers = Membership.objects.filter(valid_to=None, record__kind="identified")
    thresholds = MatchModel.objects.values("attach_threshold", "review_threshold").get()
    return {**begun.report, **thresholds, "customers": customers.values("profile").distinct().count()}


# --- what is told -----------------------------------------------------------------------------------------------------


def growth(values: Sequence[float]) -> float:
    """The exponent by which values of a quarter, a half and all of a size grow; what they cost at any size drops out.

    Between 1 and 2: noise is no better law than that.

    >>> growth([7, 12, 22])
    1.0
    """
    early, late = values[1] - values[0], values[2] - values[1]
    return min(2.0, max(1.0, math.log2(late / early))) if early > 0 and late > 0 else 1.0


def projected(values: Sequence[float], *, times: float) -> float:
    """What so many times the whole would take: by its growth, above what it costs at any size.

    >>> projected([7, 12, 22], times=2)
    42.0
    """
    exponent = growth(values)
    growing = max(0.0, values[2] - values[1]) / (1 - 0.5**exponent)
    return values[2] + growing * (times**exponent - 1)


def _of_steps(steps: Sequence[Step]) -> list[Result]:
    return [
        Result(
            name=f"company.{what}",
            value=round(seconds, 1),
            unit="s",
            limit=round(first, 1),
            limit_name="a company of a quarter of the size",
            ratio=round(seconds / first, 2),
            goal=None,
            lower_is_better=True,
            rounds=1,
            note=f"{step.records:,} records ({step.identified:,} identified), {step.touchpoints:,} touchpoints; "
            f"{memory.together / _GB:.2f} GB, of them {memory.shared / _GB:.2f} the database's buffers{told}",
        )
        for step in steps
        for what, seconds, first, memory, told in (
            ("load", step.load_seconds, steps[0].load_seconds, step.load_memory, ""),
            ("match", step.match_seconds, steps[0].match_seconds, step.match_memory, f"; {_told(step)}"),
        )
    ]


def _told(step: Step) -> str:
    names = ("pairs", "links", "reviews", "held_back", "without_key", "customers")
    counts = ", ".join(f"{step.told.get(name, 0):,} {name.replace('_', ' ')}" for name in names)
    return f"{counts}; joined from {step.told['attach_threshold']} on, asked from {step.told['review_threshold']} on"


def _projected(steps: Sequence[Step], *, buffers: int) -> list[Result]:
    """`buffers`: bytes; the database's are taken as full."""
    more_touchpoints, more_records = TOUCHPOINTS / steps[-1].touchpoints, RECORDS / steps[-1].records
    loads, matches = [step.load_seconds for step in steps], [step.match_seconds for step in steps]
    load = projected(loads, times=more_touchpoints) / 3600
    match_ = projected(matches, times=more_records) / 3600
    own = max(
        projected([step.load_memory.own for step in steps], times=more_touchpoints),
        projected([step.match_memory.own for step in steps], times=more_records),
    )
    grows = f"load grows by size^{growth(loads):.2f}, matching by ^{growth(matches):.2f}"
    size = f"projected to {RECORDS:,} records and {TOUCHPOINTS:,} touchpoints"
    shares = f"all processes' own {own / _GB:.2f} GB, and the database's buffers, full, {buffers / _GB:.2f} GB"
    hours, memory = ("the most that is wanted", MOST_HOURS), ("the most that is wanted", MOST_GB)
    parts = f"load {load:.2f} h, match {match_:.2f} h"
    return [
        cost("company.hours", load + match_, "h", hours, goal=1.0, rounds=1, note=f"{size}: {parts}; {grows}"),
        cost("company.memory", (own + buffers) / _GB, "GB", memory, goal=1.0, rounds=1, note=f"{size}: {shares}"),
    ]
