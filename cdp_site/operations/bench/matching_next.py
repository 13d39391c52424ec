"""`bench match`, the next pair: a steward decides one pair after the other, and the server takes each verdict and
answers with a pair to come, beside a view that does nothing on the same database in the same run.

The browser holds some pairs ahead and shows the next one at the key; who is quicker than the server for long would wait
for it. What is measured here is the server's share: from the verdict to the answer that brings another pair.
"""

import logging
import re
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from rich.table import Table

from cdp_site.core.models import Role, User
from cdp_site.operations.bench import child, database, matching_online, matching_world
from cdp_site.operations.bench.matching_online import Arrival
from cdp_site.operations.bench.matching_people import World
from cdp_site.operations.bench.measure import Result, cost, percentile
from ingestion.models import Source
from profiles.matching import model_files, online
from profiles.models import MatchModel, ReviewPair

PEOPLE = 20_000  # where nothing else is asked for: made in a minute or two
GOAL = 100.0  # milliseconds
ARRIVALS = 4_000  # records of people who are there, which nobody but a person may join
STEP = 100
DECISIONS = 300
WARM_UP = 20
LOOKS = 20  # at the whole queue, with all pairs that the browser holds
BY = "system:bench"
# As people decide: some merges, each with all that it does, many pairs that are kept apart.
VERDICTS: Final = ("same", "different", "same", "different", "related", "unsure")

_NEVER_BY_ITSELF: Final = 1.01
_REVIEW: Final = 0.5
_PAIR: Final = re.compile(r'data-pair="(\d+)"')


def run(people: int) -> list[Result]:
    """Median, 95th percentile and longest of the answers to verdicts; and the page with all pairs ahead."""
    matching_world.use(people)
    name = f"cdp_bench_match_next_{people}"
    with tempfile.TemporaryDirectory() as folder:  # the model's file: not among those of an installation
        environment = {"DATABASE_URL": database.copy(matching_world.name_of(people), name), "CDP_DATA": folder}
        try:
            done = child.measured(f"{__name__}.review", str(people), environment=environment)
        finally:
            database.drop(name)
    return results(done.value, people)


def results(measured: Mapping[str, Any], people: int) -> list[Result]:
    """What the process of the steward found, as lines."""
    decided, looks = sorted(measured["decided"]), measured["looks"]
    nothing = ("a view that does nothing", statistics.median(measured["nothing"]))
    goal = (f"{GOAL:g} ms", GOAL)
    waited = (
        f"{people:,} people, {measured['waiting']:,} pairs waiting; {len(decided)} verdicts,"
        f" {statistics.median(measured['cpu']):.0f} ms of this process's CPU each"
    )
    p95, longest, n = percentile(decided, 95), decided[-1], len(decided)
    ahead = "the queue with all pairs ahead"
    return [
        cost("match.next.p50", statistics.median(decided), "ms", nothing, goal=None, rounds=n, note=waited),
        cost("match.next.p95", p95, "ms", goal, goal=1.0, rounds=n, note=_times(p95, nothing)),
        cost("match.next.max", longest, "ms", goal, goal=None, rounds=n, note=_times(longest, nothing)),
        cost("match.next.page", statistics.median(looks), "ms", nothing, goal=None, rounds=len(looks), note=ahead),
    ]


def table(lines: Sequence[Result]) -> Table:
    """For people."""
    return matching_online.table(lines, title="A pair is decided: the next one is there")


def _times(value: float, nothing: tuple[str, float]) -> str:
    name, least = nothing
    return f"{value / least:.1f}× {name}"


# --- in a process of its own ------------------------------------------------------------------------------------------


def review(people: str) -> dict[str, Any]:
    """Fill the queue as matching does, and decide as a steward's browser does. Milliseconds of each answer."""
    settings.ROOT_URLCONF = "cdp_site.operations.bench.served_urls"
    logging.disable(logging.INFO)  # a line a request would be all that is seen of this
    _fill(int(people))
    waiting = ReviewPair.objects.filter(state=ReviewPair.State.WAITING).count()
    steward = User.objects.create(username="bench", role=Role.STEWARD)
    browser = Browser(steward)
    decided, nothing, cpu = [], [], []
    looks = [browser.look() for _time in range(LOOKS)]
    for verdict in islice(cycle(VERDICTS), DECISIONS + WARM_UP):
        nothing.append(browser.do_nothing())
        before = time.process_time()
        decided.append(browser.decide(verdict))
        cpu.append((time.process_time() - before) * 1000)
    found = {"decided": decided, "nothing": nothing, "cpu": cpu}
    return {name: times[WARM_UP:] for name, times in found.items()} | {"looks": looks, "waiting": waiting}


class Browser:
    """What review.js sends: each verdict with the pairs that it still holds. Each step returns its milliseconds."""

    def __init__(self, user: User) -> None:
        self._client = Client(headers={"host": "localhost"})
        self._client.force_login(user)
        self._held: deque[str] = deque()

    def look(self) -> float:
        """Open the queue."""
        answer, took = self._timed("get", reverse("profiles:review"))
        self._held = deque(_pairs(answer))
        return took

    def decide(self, verdict: str) -> float:
        """Say it of the first pair; the answer brings another one."""
        pair = self._held.popleft()
        said = {"verdict": verdict, "held": list(self._held), "decided": [pair]}
        address = reverse("profiles:review_decide", args=[pair])
        answer, took = self._timed("post", address, said, headers={"hx-request": "true"})
        arrived = [number for number in _pairs(answer) if number not in self._held]
        if not arrived:
            raise RuntimeError("the queue is empty: too few pairs for so many verdicts")
        self._held.extend(arrived)
        return took

    def do_nothing(self) -> float:
        _answer, took = self._timed("get", "/nothing")
        return took

    def _timed(self, method: str, *asked: Any, **more: Any) -> tuple[HttpResponse, float]:
        started = time.perf_counter()
        answer: HttpResponse = getattr(self._client, method)(*asked, **more)
        took = (time.perf_counter() - started) * 1000
        if answer.status_code != 200:
            raise RuntimeError(f"{asked[0]} was answered {answer.status_code}")
        return answer, took


def _pairs(answer: HttpResponse) -> list[str]:
    return list(dict.fromkeys(_PAIR.findall(answer.content.decode())))


def _fill(people: int) -> None:
    """Records of people who are there arrive, and the model asks about all that it would join or doubts."""
    matcher = matching_world.matcher()
    MatchModel.objects.all().delete()
    model = MatchModel.objects.create(
        version=1,
        status=MatchModel.Status.ACTIVE,
        attach_threshold=_NEVER_BY_ITSELF,
        review_threshold=_REVIEW,
        created_by=BY,
    )
    model_files.save(model, matcher)
    source = Source.objects.get(slug=matching_world.SOURCE)
    world = World()
    numbers = range(0, people, max(1, people // ARRIVALS))
    for start in range(0, len(numbers), STEP):
        with transaction.atomic():
            arrivals = [Arrival(world.at_the_till(number), number + 1) for number in numbers[start : start + STEP]]
            born = set(matching_online.store(source, arrivals))
            online.match(born, born=born, by=BY)
