"""The browser of the browser tests: this machine's Chromium, against Django's live server on the test database."""

import os
import random
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest, HttpResponseBase
from django.test import Client
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from cdp_site.core.context import THEME_COOKIE
from cdp_site.core.models import User

# Playwright runs an event loop in this thread, which Django takes for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
HINT = "no Chromium on this machine; Debian and Ubuntu: apt-get install chromium fonts-thai-tlwg"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
LATE_SECONDS = float(os.environ.get("CDP_TEST_LATE_ANSWERS", "0"))
PATIENCE_MS = 30_000  # what does not come fails a test; what is late on a busy machine does not
LOOKS = [("th", "light"), ("th", "dark"), ("en", "light"), ("en", "dark")]

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM is None:
        for item in items:
            if "browser" in item.path.parent.parts:
                item.add_marker(pytest.mark.skip(reason=HINT))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox refuses root
    return browser_type_launch_args | {"executable_path": CHROMIUM, "args": ["--disable-dev-shm-usage", *sandbox]}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return browser_context_args | {"viewport": {"width": 1280, "height": 800}, "locale": "th-TH"}


@pytest.fixture(scope="session")
def base_url(live_server: LiveServer) -> str:
    """`page.goto("/path")` goes to the live server."""
    return str(live_server.url)


class Console:
    """What the browser's console said. Anything that the test did not allow fails it."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self._allowed: list[re.Pattern[str]] = []

    def allow(self, pattern: str) -> None:
        """Say that messages like this belong to the test, such as `status of 422` for a form sent back."""
        self._allowed.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        return [message for message in self.messages if not any(one.search(message) for one in self._allowed)]


@pytest.fixture
def console() -> Console:
    return Console()


@pytest.fixture(autouse=True)
def _late_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a bad line: each answer comes some time after it was asked for, up to the seconds that are asked for by
    CDP_TEST_LATE_ANSWERS, and in another order than the questions. Those of the test's own client come at once."""
    if not LATE_SECONDS:
        return
    at_once = BaseHandler.get_response

    def late(handler: BaseHandler, request: HttpRequest) -> HttpResponseBase:
        if threading.current_thread() is threading.main_thread():
            return at_once(handler, request)
        before, after = sorted(random.uniform(0, LATE_SECONDS) for _part in range(2))
        time.sleep(before)
        answer = at_once(handler, request)
        time.sleep(after - before)
        return answer

    monkeypatch.setattr(BaseHandler, "get_response", late)


INTERCEPTS = "intercepts"
NEVER_ASKED_FOR = re.compile("a^")


def pass_on(route: Route) -> None:
    route.fallback()


def hold(held: list[Route]) -> Callable[[Route], None]:
    """For `page.route`: the request waits until it is let go."""

    def keep(route: Route) -> None:
        held.append(route)

    return keep


def first_held(page: Page, held: list[Route]) -> Route:
    """The request that `hold` keeps. The browser asks about it some moments after its page has sent it."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not held:
        assert time.monotonic() < end, "no request came that could be held"
        page.wait_for_timeout(5)
    return held[0]


def mark_first(*_arguments: object, **_options: object) -> None:
    pytest.fail(f"only a test with the mark `{INTERCEPTS}` may use page.route")


@pytest.fixture
def context(
    transactional_db: None,
    live_server: LiveServer,
    context: BrowserContext,
    console: Console,
    request: pytest.FixtureRequest,
) -> Iterator[Any]:
    """A fresh browser profile. Closed before the database is made anew, so that no request is cut off.

    A test with the mark `intercepts` may hold, answer or lose requests with `page.route`. The browser asks about each
    request from the first page on: told so later, a page that is open may let its next request pass.
    """
    if request.node.get_closest_marker(INTERCEPTS):
        context.route(NEVER_ASKED_FOR, pass_on)
    context.on("console", lambda said: console.messages.append(f"{said.type}: {said.text} ({said.location['url']})"))
    context.on("weberror", lambda error: console.messages.append(f"exception: {error.error}"))
    yield context
    context.close()
    assert console.unexpected() == []


# What comes for a part of the page may take the place of what is pressed, or move it away under the pointer.
ASKED = ".htmx-request"
ASKED_BY_ITSELF = "[hx-trigger=load].htmx-request:not(.strip-place)"


@pytest.fixture
def page(page: Page, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Page:
    """A page whose user waits for its scripts (what is clicked earlier works as without JavaScript) and for what is
    under way to its parts; in a test with the mark `intercepts` for what they ask for when the page opens."""
    page.add_init_script("addEventListener('DOMContentLoaded', () => document.documentElement.dataset.loaded = '')")
    intercepts = request.node.get_closest_marker(INTERCEPTS)
    asking = f"html:has({ASKED_BY_ITSELF if intercepts else ASKED})"

    def wait(_page: Locator) -> None:
        page.wait_for_load_state()

    def wait_for_parts(_page: Locator) -> None:
        page.wait_for_function("selector => !document.querySelector(selector)", arg=asking)

    page.add_locator_handler(page.locator("html:not([data-loaded])"), wait, no_wait_after=True)
    page.add_locator_handler(page.locator(asking), wait_for_parts, no_wait_after=True)
    if not intercepts:
        monkeypatch.setattr(page, "route", mark_first)
    return page


@pytest.fixture
def log_in(context: BrowserContext, live_server: LiveServer) -> Callable[[User], None]:
    """Puts a user's session into the browser."""

    def log_in(user: User) -> None:
        client = Client()
        client.force_login(user)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])

    return log_in


@pytest.fixture(params=LOOKS, ids=["-".join(look) for look in LOOKS])
def look(request: pytest.FixtureRequest, context: BrowserContext, live_server: LiveServer) -> tuple[str, str]:
    """The test runs in both languages and both themes; returns (language, theme)."""
    language, theme = request.param
    names = {settings.LANGUAGE_COOKIE_NAME: language, THEME_COOKIE: theme}
    context.add_cookies([{"name": name, "value": value, "url": live_server.url} for name, value in names.items()])
    return language, theme


AXE = Axe().axe_script
VIOLATIONS = "options => axe.run(document, options).then(found => found.violations)"


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """What axe objects to on the page by WCAG 2.2 AA, or by these rules alone; each with its elements."""
    if page.evaluate("!('axe' in window)"):
        page.evaluate(AXE)
    only = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": WCAG}
    # What passes is not asked for: to describe it takes axe a good part of its time.
    found = page.evaluate(VIOLATIONS, {"runOnly": only, "resultTypes": ["violations"]})
    return [f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes']]}" for one in found]


@pytest.fixture
def assert_accessible() -> Callable[[Page], None]:
    """Fails on any violation of WCAG 2.2 AA that axe finds on the page, and names the elements."""

    def assert_accessible(page: Page) -> None:
        page.evaluate("scrollTo(0, 0)")  # what lies half below the bar at the top is scrolled, and not small
        assert violations(page) == []

    return assert_accessible
