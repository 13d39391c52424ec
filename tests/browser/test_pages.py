"""Every page of the URLconf in a real browser, in both languages and both themes: nothing that axe objects to, nothing
said to the console, nothing wider than a phone."""

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from cdp_site.core.models import User
from tests import pages
from tests.browser.conftest import violations
from tests.company import Company, open_company

pytestmark = pytest.mark.django_db(transaction=True)

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
# What a theme changes: everything else was looked at in the first one.
COLOURS = ["color-contrast", "link-in-text-block"]
# Everything that the page loads by itself has come, and for a moment nothing further was asked for.
SETTLED = """() => {
    const now = performance.now();
    const isBusy = document.readyState !== "complete" || document.querySelector(".htmx-request, .htmx-settling");
    if (isBusy || window.quietSince === undefined) window.quietSince = now;
    return now - window.quietSince > 150;
}"""
IN_DARK = "document.documentElement.setAttribute('data-bs-theme', 'dark')"
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def company(request: pytest.FixtureRequest) -> Company:
    return open_company(request)


def _enter(context: BrowserContext, live_server: LiveServer, user: User) -> None:
    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])


def _look(page: Page, url: str) -> list[str]:
    """Load the page once; it changes theme and width as it stands."""
    page.set_viewport_size(DESK)
    page.goto(url)
    page.wait_for_function(SETTLED)
    wrong = violations(page)
    page.evaluate(IN_DARK)
    wrong += [f"dark: {one}" for one in violations(page, COLOURS)]
    page.set_viewport_size(PHONE)
    if page.evaluate(WIDER):
        wrong.append("wider than a phone")
    return wrong


# Each part has its own company, so that workers share the pages among them.
@pytest.mark.parametrize("part", ["frame", "ingestion", "profiles", "matching", "consent", "segments"])
@pytest.mark.parametrize("language", ["th", "en"])
def test_every_page_is_accessible_quiet_and_fits(
    page: Page, context: BrowserContext, live_server: LiveServer, company: Company, language: str, part: str
) -> None:
    context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": live_server.url}])
    page.emulate_media(reduced_motion="reduce")
    wrong: dict[str, list[str]] = {}
    entered = None
    for visit in pages.visits(company, language, part):
        if not visit.is_page:
            continue
        if visit.role != entered:
            entered = visit.role
            context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
            if entered is not None:
                _enter(context, live_server, company.users[entered])
        if found := _look(page, visit.url):
            wrong[visit.route.name] = found
    assert wrong == {}
