"""`bench timeline`: the timeline of a customer with ten thousand touchpoints: its first screen, the next fifty at any
depth, and what both cost beside the bare SQL of fifty rows in the same run."""

import re
import statistics
import time
from collections.abc import Sequence
from html import unescape
from typing import Final

from django.db import connection
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import User
from cdp_site.operations.bench import pages
from cdp_site.operations.bench.measure import Result, cost, percentile
from ingestion.models import Source
from profiles.models import Profile, SourceRecord, Touchpoint

TOUCHPOINTS: Final = 10_000
NEXT: Final = 200.0  # milliseconds, 95th percentile
DEEP: Final = 1.2  # page 200 ÷ page 1
RAW: Final = 26.0  # a page over its SQL
ROUNDS: Final = 30
_OLDER: Final = re.compile(r'id="timeline-older"><a class="btn" href="([^"]+)"')

_FILL = """
INSERT INTO profiles_touchpoint (occurred_at, received_at, profile_id, record_id, id, type_id, source_id, properties)
SELECT t.at, t.at, %(profile)s, %(record)s, md5('busiest ' || t.n)::uuid, t.type_id, t.source_id, t.properties
  FROM (SELECT row_number() OVER () AS n, type_id, source_id, properties,
               now() - row_number() OVER () * interval '13 minutes' AS at
          FROM (SELECT type_id, source_id, properties FROM profiles_touchpoint
                 WHERE source_id = ANY(%(sources)s) AND order_id IS NULL LIMIT %(wanted)s) AS taken) AS t
ON CONFLICT (id) DO NOTHING
"""
_RAW = """
SELECT t.*, e.name, e.name_th, s.name, s.kind FROM profiles_touchpoint t
  JOIN profiles_eventtype e ON e.id = t.type_id JOIN ingestion_source s ON s.id = t.source_id
 WHERE t.profile_id = %s ORDER BY t.occurred_at DESC, t.id DESC LIMIT 51
"""


def run(url: str) -> list[Result]:
    with pages.browser() as agent:
        profile = _busiest(pages.agent(), pages.customers(50))
        path = reverse("profiles:timeline", args=[profile.public_id])
        first = pages.costs(agent, [path] * (ROUNDS + pages.WARM_UP), htmx=True)
        links = _walk(agent, path)
        # From before the newest on: the first fifty without what stands above them.
        top = f"{path}?after=2999-01-01T00:00:00%2B00:00~{profile.public_id}"
        shallow, deep, raw = [], [], []
        for _round in range(ROUNDS):
            shallow.append(_milliseconds(agent, top))
            deep.append(_milliseconds(agent, links[-1]))
            raw.append(_raw_milliseconds(profile))
        p95 = percentile([_milliseconds(agent, link) for link in links], 95)
    return [
        pages.line("timeline.first.p95", first.p95, "ms", pages.FIRST_SCREEN, rounds=ROUNDS, note="with its chips"),
        pages.line(
            "timeline.first.queries", first.own_queries, "queries", 9, rounds=ROUNDS, note="own ones", wanted=None
        ),
        pages.line("timeline.next.p95", p95, "ms", NEXT, rounds=len(links), note=f"{len(links)} pages of fifty"),
        _against("timeline.deep", deep, ("the first fifty", shallow), goal=DEEP, note=f"page {len(links) + 1}"),
        _against("timeline.raw", shallow, ("the SQL of fifty rows", raw), goal=RAW, note="the first fifty"),
    ]


def _against(
    name: str, values: Sequence[float], limits: tuple[str, Sequence[float]], *, goal: float, note: str
) -> Result:
    limit = (limits[0], statistics.median(limits[1]))
    return cost(name, statistics.median(values), "ms", limit, goal=goal, rounds=len(values), note=note)


def _busiest(agent: User, candidates: Sequence[Profile]) -> Profile:
    """A customer who has ten thousand touchpoints that the agent sees; made so once, out of what others did."""
    profile = candidates[0]
    record = SourceRecord.objects.filter(memberships__profile=profile, memberships__valid_to=None).order_by("pk")[0]
    if Touchpoint.objects.filter(profile=profile).count() < TOUCHPOINTS:
        sources = list(Source.objects.visible_to(agent).values_list("pk", flat=True))
        with connection.cursor() as cursor:
            cursor.execute(
                _FILL, {"profile": profile.pk, "record": record.pk, "sources": sources, "wanted": TOUCHPOINTS}
            )
            cursor.execute("ANALYZE profiles_touchpoint")
    return profile


def _walk(agent: Client, path: str) -> list[str]:
    """The addresses of all older pages, in order."""
    links: list[str] = []
    page = agent.get(path, headers={"HX-Request": "true"}).content.decode()
    while link := _OLDER.search(page):
        links.append(unescape(link[1]))
        page = agent.get(links[-1], headers={"HX-Request": "true"}).content.decode()
    return links


def _milliseconds(agent: Client, path: str) -> float:
    started = time.perf_counter()
    answer = agent.get(path, headers={"HX-Request": "true"})
    taken = (time.perf_counter() - started) * 1000
    if answer.status_code != 200:
        raise AssertionError(f"{path} answered {answer.status_code}")
    return taken


def _raw_milliseconds(profile: Profile) -> float:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(_RAW, [profile.pk])
        cursor.fetchall()
    return (time.perf_counter() - started) * 1000
