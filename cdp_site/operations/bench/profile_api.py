"""`bench profile-api`: how long a program waits for a customer with traits, segments and consents, over HTTP from a web
server of two processes, beside a view that does nothing on the same server."""

import json
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from django.db import connection
from django.urls import reverse

from cdp_site.core.machines import keys
from cdp_site.core.machines.scopes import KeyScope
from cdp_site.core.models import Department, MachineKey
from cdp_site.operations.bench import membership, pages
from cdp_site.operations.bench.measure import Result, cost
from cdp_site.operations.bench.reporting import Report, Reporter
from cdp_site.operations.bench.serving import keeper, web_server
from segments.membership import refreshing
from segments.models import PendingMembership, Segment

GOAL_MS: Final = 50.0
A_SECOND: Final = 20.0
REQUESTS: Final = 400
PAGE: Final = 100
_WARM_UP: Final = 40
BY: Final = "system:bench"
NAME: Final = "bench"

_IDENTIFIERS = """
(SELECT kind, value FROM profiles_identifier WHERE kind = 'email' AND is_evidence AND is_current AND valid_to IS NULL
  ORDER BY md5(id::text) LIMIT %(n)s)
UNION ALL
(SELECT kind, value FROM profiles_identifier WHERE kind = 'phone' AND is_evidence AND is_current AND valid_to IS NULL
  ORDER BY md5(id::text) LIMIT %(n)s)
"""


def run(url: str) -> list[Result]:
    """95th percentiles of whole answers, against 50 ms: with every department's eyes and with one's, by an identifier,
    and pages of a segment's members."""
    MachineKey.objects.filter(name=NAME).delete()  # of an earlier run
    # What waits since the company was loaded moves nobody: these segments are asked of everybody after it.
    PendingMembership.objects.all().delete()
    with membership.standing() as segments:
        while refreshing.refresh():
            pass
        with keeper(url):
            return _of_answers(url, segments)


def _of_answers(url: str, segments: Sequence[Segment]) -> list[Result]:
    everybodys, of_one = _key(None), _key(Department.objects.order_by("pk").first())
    customers = [profile.public_id for profile in pages.customers(REQUESTS)]  # whom that department sees, too
    with web_server(url) as port, Reporter(port=port) as sender:

        def p95(reports: Sequence[Report], *, may_be: Iterable[int] = (200,)) -> float:
            sender.send(reports[:_WARM_UP], a_second=A_SECOND)
            answers = sender.send(reports, a_second=A_SECOND)
            if not answers.statuses <= set(may_be):
                raise RuntimeError(f"the interface answered {sorted(answers.statuses)}")
            return answers.milliseconds[len(answers.milliseconds) * 95 // 100]

        nothing = p95([Report("GET", "/nothing", b"", {})] * REQUESTS)
        figures = {
            "get": (p95(_gets(customers, everybodys)), "by public id; traits, records, segments, consents"),
            "department": (p95(_gets(customers, of_one)), "the same with the eyes of one department"),
            "traits": (p95(_gets(customers, everybodys, include="")), "traits alone"),
            # 409: a phone that several share, or a customer whom a merge has just moved.
            "lookup": (p95(_lookups(everybodys), may_be=(200, 409)), "by e-mail and phone, in the body"),
            "members": (p95(_pages(segments, everybodys)), f"first pages of {PAGE} members, each of them logged"),
        }
    limit = (f"{GOAL_MS:.0f} ms; a view that does nothing takes {nothing:.1f}", GOAL_MS)
    asked = f"{len(segments)} segments, {REQUESTS} requests, {A_SECOND:.0f} a second"
    return [
        cost(f"profile-api.{name}.p95", value, "ms", limit, goal=1.0, rounds=1, note=f"{note}; {asked}")
        for name, (value, note) in figures.items()
    ]


def _gets(customers: Sequence[UUID], headers: dict[str, str], *, include: str | None = None) -> list[Report]:
    query = "" if include is None else f"?include={include}"
    return [
        Report("GET", reverse("profiles:api_profile", args=[public_id]) + query, b"", headers)
        for public_id in customers
    ]


def _lookups(headers: dict[str, str]) -> list[Report]:
    with connection.cursor() as cursor:
        cursor.execute(_IDENTIFIERS, {"n": REQUESTS // 2})
        held = cursor.fetchall()
    path = reverse("profiles:api_lookup")
    return [Report("POST", path, json.dumps({"kind": kind, "value": value}).encode(), headers) for kind, value in held]


def _pages(segments: Sequence[Segment], headers: dict[str, str]) -> list[Report]:
    paths = [reverse("segments:api_members", args=[segment.pk]) for segment in segments]
    return [Report("GET", f"{paths[number % len(paths)]}?size={PAGE}", b"", headers) for number in range(REQUESTS // 2)]


def _key(department: Department | None) -> dict[str, str]:
    """The headers of a program with a key of this department, else of all."""
    scopes = [KeyScope.PROFILES_READ, KeyScope.IDENTIFIERS_READ, KeyScope.SEGMENTS_READ]
    _row, text = keys.make(name=NAME, scopes=scopes, department=department, days=1, rate_per_second=keys.FASTEST, by=BY)
    return {"Authorization": f"Bearer {text}", "Content-Type": "application/json"}
