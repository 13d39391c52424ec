"""The way in, in a real browser."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from cdp_site.core.models import User
from tests.browser.conftest import Console


def test_login_page_is_accessible_in_every_look(
    page: Page, look: tuple[str, str], assert_accessible: Callable[[Page], None]
) -> None:
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", look[0])
    expect(page.locator("input[name=username]")).to_be_visible()
    assert_accessible(page)


def test_a_wrong_password_stays_at_the_form_and_the_right_one_gets_in(
    page: Page, marketer: User, console: Console
) -> None:
    console.allow("status of 422")
    marketer.set_password("a-good-one-2569")
    marketer.save()
    page.goto("/")
    page.locator("input[name=username]").fill(marketer.username)
    page.locator("input[name=password]").fill("wrong")
    page.locator("input[name=password]").press("Enter")
    expect(page.locator("input[name=password]")).to_be_visible()
    page.locator("input[name=username]").fill(marketer.username)
    page.locator("input[name=password]").fill("a-good-one-2569")
    page.locator("input[name=password]").press("Enter")
    expect(page.locator("input[name=password]")).to_have_count(0)
    expect(page).to_have_url(page.url.split("?")[0])


def test_an_outsider_of_the_session_is_sent_to_the_login(
    page: Page, log_in: Callable[[User], None], agent: User
) -> None:
    page.goto("/")
    expect(page.locator("input[name=password]")).to_be_visible()
    log_in(agent)
    page.goto("/")
    expect(page.locator("input[name=password]")).to_have_count(0)
