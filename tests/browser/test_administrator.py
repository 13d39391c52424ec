"""The administrator's path in a real browser: configuration is reached, changed, and works under the page's policy."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cdp_site.core.access import scope_of
from cdp_site.core.models import Department, User
from ingestion.models import Source
from tests.browser.conftest import Console

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_department_is_let_see_a_source_of_another(
    page: Page, log_in: Callable[[User], None], *, admin: User, agent: User, care: Department, web_shop: Source
) -> None:
    log_in(admin)
    page.goto("/access/")
    cell = page.locator(f"form[action$='/{web_shop.pk}/{care.pk}/'] button")
    expect(cell).to_have_attribute("aria-pressed", "false")
    cell.focus()
    page.keyboard.press("Enter")
    expect(cell).to_have_attribute("aria-pressed", "true")
    expect(cell).to_be_focused()
    assert scope_of(User.objects.get(pk=agent.pk)).sees_source(web_shop.pk)


@pytest.mark.parametrize(
    "path", ["/access/", "/access/?of=groups", "/admin/", "/admin/core/user/add/", "/admin/consent/purpose/", "/audit/"]
)
def test_the_administrators_pages_say_nothing_to_the_console(
    page: Page, console: Console, log_in: Callable[[User], None], admin: User, path: str
) -> None:
    # Django's page gives a second field the focus when the first has it already; Chromium mentions that at times.
    console.allow("Autofocus processing was blocked")
    log_in(admin)
    page.goto(path)
    expect(page.locator("h1").first).to_be_visible()
