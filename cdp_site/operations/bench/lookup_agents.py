"""Forty agents who are logged in and search, each every four seconds, on the benchmarks' web server."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from django.db.models import Count
from django.middleware.csrf import CSRF_SECRET_LENGTH
from django.test import Client
from django.urls import reverse
from django.utils.crypto import get_random_string

from cdp_site.core.models import Department, Role, User
from cdp_site.operations.bench.measure import percentile
from cdp_site.operations.bench.reporting import Report, Reporter

AGENTS: Final = 40
A_SECOND: Final = 10.0
SEARCHES: Final = 1_000
_WARM_UP: Final = 100


class Agents:
    """They search at a set pace, whatever they are answered.

    Args:
        sessions: the headers of each, see `log_in`.
    """

    def __init__(self, sessions: Sequence[Mapping[str, str]], *, port: int) -> None:
        self._reporter = Reporter(port=port)
        self._sessions = sessions

    def p95(self, url_name: str, typed: Sequence[str], *, warm_up: int = _WARM_UP) -> float:
        """Milliseconds from when a search was due to its whole answer, after so many that are not counted."""
        self._send(url_name, typed[:warm_up])
        step = max(1, len(typed) // SEARCHES)
        return percentile(self._send(url_name, typed[::step][:SEARCHES]), 95)

    def _send(self, url_name: str, typed: Sequence[str]) -> Sequence[float]:
        reports = [
            Report("POST", reverse(url_name), urlencode({"q": text}).encode(), self._sessions[place % AGENTS])
            for place, text in enumerate(typed)
        ]
        answers = self._reporter.send(reports, a_second=A_SECOND)
        if answers.statuses != {200}:
            raise RuntimeError(f"searches were answered {sorted(answers.statuses)}")
        return answers.milliseconds

    def __enter__(self) -> "Agents":
        self._reporter.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._reporter.__exit__(*error)


def log_in() -> list[dict[str, str]]:
    """Agents of the department that has the most sources: they see its customers, and what another department has must
    be left out of every answer."""
    department = Department.objects.annotate(n=Count("source")).order_by("-n", "pk").first()
    return [_headers(number, department) for number in range(AGENTS)]


def _headers(number: int, department: Department | None) -> dict[str, str]:
    agent, _created = User.objects.get_or_create(
        username=f"bench-agent-{number}", defaults={"role": Role.AGENT, "department": department}
    )
    browser = Client()
    browser.force_login(agent)
    secret = get_random_string(CSRF_SECRET_LENGTH)
    cookies = {name: cookie.value for name, cookie in browser.cookies.items()} | {"csrftoken": secret}
    return {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRFToken": secret,
        "HX-Request": "true",
        "Content-Type": "application/x-www-form-urlencoded",
    }
