"""Who may send to a source, the script for a web page, and whom a customer acts for, in a browser and every look."""

from collections.abc import Callable

from django.urls import reverse
from playwright.sync_api import Page, expect

from cdp_site.core.models import User
from ingestion.models import Source
from tests.browser.conftest import Console
from tests.customers import profile_of
from tests.factories.arrivals import arrive, identify

LogIn = Callable[[User], None]
Check = Callable[[Page], None]
SHOP = "https://shop.example.com"


def fits(page: Page) -> bool:
    """Whether nothing is wider than the window."""
    wide: bool = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return not wide


def test_a_steward_opens_a_source_to_a_web_page(
    page: Page,
    look: tuple[str, str],
    log_in: LogIn,
    steward: User,
    web_shop: Source,
    assert_accessible: Check,
) -> None:
    log_in(steward)
    page.goto(reverse("ingestion:source_doors", args=[web_shop.pk]))
    assert_accessible(page)
    page.locator("[name=allowed_origins]").fill(SHOP)
    page.locator("[name=rate_per_second]").fill("200")
    page.locator("main form button.btn-primary").click()
    expect(page.locator("#write-keys")).to_contain_text(SHOP)

    page.locator("#write-keys input[value=public]").check()
    page.locator("#write-keys form:has([name=access]) button").click()
    expect(page.locator("#guide pre").first).to_contain_text('data-key="pub_')
    assert_accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert fits(page)


def test_the_customer_page_says_whom_somebody_acts_for(
    page: Page,
    look: tuple[str, str],
    log_in: LogIn,
    steward: User,
    web_shop: Source,
    assert_accessible: Check,
) -> None:
    group = {"type": "group", "groupId": "acme-1", "userId": "u1", "traits": {"name": "Acme Siam", "industry": "Food"}}
    arrive(web_shop, identify("u1", firstName="สุดา", lastName="ใจดี"), group)
    arrive(web_shop, group | {"groupId": "kiosk-7", "traits": {}}, is_public_key=True)
    log_in(steward)

    page.goto(reverse("profiles:customer", args=[profile_of(web_shop, "u1").public_id]))

    card = page.locator("#panel-accounts")
    expect(card).to_contain_text("Acme Siam")
    expect(card).to_contain_text("Food")
    assert_accessible(page)
    page.set_viewport_size({"width": 390, "height": 844})
    assert fits(page)


def test_what_is_no_address_is_said_beside_the_field(
    page: Page, log_in: LogIn, steward: User, web_shop: Source, console: Console
) -> None:
    console.allow("status of 422")
    log_in(steward)
    page.goto(reverse("ingestion:source_doors", args=[web_shop.pk]))
    page.locator("[name=allowed_origins]").fill("shop.example.com/")
    page.locator("main form button.btn-primary").click()

    expect(page.locator("[name=allowed_origins]")).to_have_attribute("aria-invalid", "true")
