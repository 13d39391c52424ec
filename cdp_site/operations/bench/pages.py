"""`bench page`: the first screen of a customer's page and its panels as an agent gets them, in server time, with the
queries that each costs.

Measured through the whole of Django, middleware included, without the network; each customer once, so that nothing is
remembered of them.
"""

import logging
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import brotli  # type: ignore[import-untyped]  # it brings no types
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cdp_site.core.models import Department, Role, User
from cdp_site.operations.bench.measure import Result, cost, percentile
from profiles import arrangement
from profiles.models import Profile

FIRST_SCREEN: Final = 300.0  # milliseconds, 95th percentile
PANEL: Final = 200.0
FIRST_QUERIES: Final = 12
PANEL_QUERIES: Final = 6
WEIGHT: Final = 150 * 1024
CUSTOMERS: Final = 200
OF_PANELS: Final = 40
WARM_UP: Final = 5
SEED: Final = 7
# What every request about a customer costs: who asks, what they may see, the customer, the note that they looked.
_FRAME: Final = re.compile(
    r'FROM "django_session"|FROM "core_user"|^\s*WITH grants AS|'
    r'FROM "profiles_profile"|INSERT INTO "core_accesslogentry"|FROM "profiles_customeropening"'
)
# Opens, closes and limits a transaction.
_BRACKET: Final = re.compile(r"(BEGIN|COMMIT|SAVEPOINT|RELEASE|SET)\b|SELECT set_config")
_FONTS: Final = ("thai-400-normal", "thai-600-normal", "latin-400-normal", "latin-600-normal")
_LINKED: Final = re.compile(r'(?:href|src)="/static/([^"#?]+)')


@dataclass(frozen=True)
class Costs:
    """Of one address, over many customers: milliseconds sorted, and the most queries of all and of its own."""

    milliseconds: Sequence[float]
    queries: int
    own_queries: int

    @property
    def p95(self) -> float:
        return percentile(self.milliseconds, 95)

    @property
    def p50(self) -> float:
        return statistics.median(self.milliseconds)


def run(url: str) -> list[Result]:
    """The first screen, the slowest panel, the hungriest panel, the weight."""
    with browser() as client:
        profiles = customers(CUSTOMERS + WARM_UP)
        first = costs(client, [reverse("profiles:customer", args=[one.public_id]) for one in profiles])
        panels = {
            panel.key: costs(
                client,
                [reverse(panel.url_name, args=[one.public_id]) for one in profiles[: OF_PANELS + WARM_UP]],
                htmx=True,
            )
            for panel in arrangement.panels_of(agent())
            if panel.url_name
        }
        weight = _weight(client, reverse("profiles:customer", args=[profiles[0].public_id]))
    slowest = max(panels, key=lambda key: panels[key].p95)
    hungriest = max(panels, key=lambda key: panels[key].own_queries)
    told = ", ".join(f"{key} {one.p50:.0f} ms/{one.own_queries}" for key, one in panels.items())
    return [
        line("page.first.p50", first.p50, "ms", FIRST_SCREEN, rounds=CUSTOMERS, note="reported", wanted=None),
        line("page.first.p95", first.p95, "ms", FIRST_SCREEN, rounds=CUSTOMERS, note=f"{CUSTOMERS} customers"),
        line("page.first.queries", first.queries, "queries", FIRST_QUERIES, rounds=CUSTOMERS, note="the most"),
        line("page.panel.p95", panels[slowest].p95, "ms", PANEL, rounds=OF_PANELS, note=f"the slowest: {slowest}"),
        line(
            "page.panel.queries",
            panels[hungriest].own_queries,
            "queries",
            PANEL_QUERIES,
            rounds=OF_PANELS,
            note=f"beside those of every request; the most: {hungriest}. Medians and most queries: {told}",
        ),
        line(
            "page.weight", round(weight / 1024, 1), "KB", WEIGHT / 1024, rounds=1, note="packed by brotli, with fonts"
        ),
    ]


def costs(client: Client, paths: Sequence[str], *, htmx: bool = False) -> Costs:
    """The first few addresses warm up and do not count."""
    headers = {"HX-Request": "true"} if htmx else {}
    times, most, most_own = [], 0, 0
    for number, path in enumerate(paths):
        with CaptureQueriesContext(connection) as told:
            started = time.perf_counter()
            answer = client.get(path, headers=headers)
            taken = (time.perf_counter() - started) * 1000
        if answer.status_code != 200:
            raise AssertionError(f"{path} answered {answer.status_code}")
        if number >= WARM_UP:
            asked = [one["sql"] for one in told.captured_queries if not _BRACKET.match(one["sql"])]
            times.append(taken)
            most = max(most, len(asked))
            most_own = max(most_own, sum(not _FRAME.search(query) for query in asked))
    return Costs(sorted(times), most, most_own)


def line(
    name: str, value: float, unit: str, most: float, *, rounds: int, note: str, wanted: float | None = 1.0
) -> Result:
    return cost(name, value, unit, (f"{most:g} {unit}", most), goal=wanted, rounds=rounds, note=note)


@contextmanager
def browser() -> Iterator[Client]:
    """Logged in as an agent of a department, who sees a part and whose scope is asked for."""
    logging.disable(logging.INFO)  # a line a request would be all that is seen of this
    client = Client(SERVER_NAME="localhost")
    client.force_login(agent())
    try:
        yield client
    finally:
        logging.disable(logging.NOTSET)


def agent() -> User:
    department = Department.objects.order_by("pk").first()
    user, _made = User.objects.get_or_create(
        username="bench-agent", defaults={"role": Role.AGENT, "department": department}
    )
    return user


def customers(wanted: int) -> list[Profile]:
    """People whom the agent sees, drawn from all over the table, the same in each run."""
    seen: Callable[[], object] = Profile.objects.visible_to(agent()).people
    last = Profile.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    draw = random.Random(SEED)
    places = draw.sample(range(1, last + 1), min(last, wanted * 8))
    found: list[Profile] = list(seen().filter(pk__in=places).order_by("public_id")[:wanted])  # type: ignore[attr-defined]
    draw.shuffle(found)
    return found


def _weight(client: Client, path: str) -> int:
    """Bytes of the page, packed, and of the sheets, scripts, signs and fonts that it is drawn with."""
    html = client.get(path).content
    files = [finders.find(name) for name in dict.fromkeys(_LINKED.findall(html.decode()))]
    texts = [html, *(Path(file).read_bytes() for file in files if isinstance(file, str))]
    fonts = [Path(str(finders.find(f"vendor/ibm-plex-sans-thai/ibm-plex-sans-thai-{name}.woff2"))) for name in _FONTS]
    return sum(len(brotli.compress(text)) for text in texts) + sum(font.stat().st_size for font in fonts)
