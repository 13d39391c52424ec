"""A call in a real browser, by keyboard alone: the pop, the chooser, two facts, the customer, the end."""

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from cdp_site.core.models import User
from ingestion.models import Source
from profiles.calling import lines
from profiles.models import Profile
from tests.browser.conftest import Console
from tests.customers import Tell, identify, profile_of, track

pytestmark = pytest.mark.django_db(transaction=True)
LogIn = Callable[[User], None]
PHONE = "0813945678"


@pytest.fixture
def pim(tell: Tell, pos: Source) -> Profile:
    tell(
        pos,
        identify(
            "P9", firstName="พิมพ์ชนก", lastName="แสงอรุณ", phone=PHONE, birthday="1991-02-14", zip="10260", language="th"
        ),
        track("P9", "Order Completed", order_id="WB-000123", total=4740, currency="THB"),
    )
    return profile_of(pos, "P9")


@pytest.fixture
def tim(tell: Tell, pos: Source, pim: Profile) -> Profile:
    tell(pos, identify("P10", firstName="ทิม", lastName="แสงอรุณ", phone=PHONE, birthday="1988-07-01"))
    return profile_of(pos, "P10")


def test_a_call_from_its_ringing_to_its_end_without_a_mouse(
    page: Page, pim: Profile, tim: Profile, call_centre: Source, log_in: LogIn, agent: User
) -> None:
    log_in(agent)
    _call, token = lines.announce(number=PHONE, source_id=call_centre.pk)
    page.goto(f"/pop/{token}")
    expect(page).to_have_url(re.compile(r"/call/$"))
    expect(page.locator(".callers li")).to_have_count(2)
    expect(page.locator("main")).not_to_contain_text("แสงอรุณ")

    page.locator(".callers li", has_text="พ••••").locator("button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#caller-title")).to_contain_text("พ•••• ส••••")
    page.locator("[name=birth_date]").focus()
    page.keyboard.type("14/2/2534")
    page.keyboard.press("Enter")
    expect(page.locator(".facts-right")).to_contain_text("วันเกิด")
    page.locator("[name=postcode]").focus()
    page.keyboard.type("10260")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(reverse("profiles:customer", args=[pim.public_id]))))
    expect(page.locator("h1")).to_have_text("พิมพ์ชนก แสงอรุณ")
    expect(page.locator(".strip-call")).to_contain_text("•••• 5678")

    page.locator(".strip-call").focus()
    page.keyboard.press("Enter")
    page.locator(".page-head .actions button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#id_number")).to_be_focused()


def test_the_last_customers_are_one_key_away_on_any_layout(
    page: Page, pim: Profile, tim: Profile, log_in: LogIn, agent: User
) -> None:
    log_in(agent)
    for profile in (pim, tim):
        page.goto(reverse("profiles:customer", args=[profile.public_id]))
    page.goto("/call/")
    expect(page.locator("[data-recent]")).to_have_count(2)
    page.locator("h1").click()
    pressed = "{code: 'Digit2', key: '/', altKey: true, bubbles: true}"
    page.evaluate(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {pressed}))")
    expect(page).to_have_url(re.compile(str(pim.public_id)))
    page.goto("/call/")
    expect(page.locator("[data-recent]").first).to_contain_text("พิมพ์ชนก")
    page.locator("h1").click()
    page.keyboard.press("Shift+Slash")
    expect(page.locator("#key-list")).to_contain_text("Alt 1–8")
    page.keyboard.press("Alt+2")
    expect(page.locator("#keys")).to_be_visible()  # not behind a dialog
    page.keyboard.press("Escape")
    page.locator("#search").focus()
    page.keyboard.press("Alt+2")  # nor while somebody types
    expect(page).to_have_url(re.compile("/call/$"))
    page.locator("#search").blur()
    page.keyboard.press("Alt+2")
    expect(page).to_have_url(re.compile(str(tim.public_id)))


def test_the_pages_of_a_call_are_accessible_in_every_look(
    page: Page,
    pim: Profile,
    tim: Profile,
    log_in: LogIn,
    agent: User,
    look: tuple[str, str],
    assert_accessible: Callable[[Page], None],
    console: Console,
) -> None:
    console.allow("status of 422")
    log_in(agent)
    page.goto("/call/")
    assert_accessible(page)
    page.locator("#id_number").fill("hello")
    page.keyboard.press("Enter")
    expect(page.locator(".problem")).to_be_visible()
    assert_accessible(page)
    page.locator("#id_number").fill(PHONE)
    page.keyboard.press("Enter")
    expect(page.locator(".callers li")).to_have_count(2)
    assert_accessible(page)
    page.locator(".callers li", has_text="พ••••").locator("button").click()
    page.locator("[name=birth_date]").fill("14/2/2534")
    page.locator("[name=postcode]").fill("99999")
    page.keyboard.press("Enter")
    expect(page.locator(".facts-right")).to_be_visible()
    assert_accessible(page)
    page.locator("[name=postcode]").fill("10260")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(str(pim.public_id)))
    page.goto("/call/")
    expect(page.locator(".notice-ok")).to_be_visible()
    assert_accessible(page)


@pytest.mark.intercepts
def test_a_page_does_not_jump_when_the_strip_comes(page: Page, log_in: LogIn, agent: User) -> None:
    log_in(agent)
    page.route("**/customers/strip/", lambda route: None)  # it is on its way
    page.goto("/")
    before = page.locator("h1").bounding_box()
    page.unroute("**/customers/strip/")
    page.reload()
    expect(page.locator(".strip")).to_be_visible()
    assert page.locator("h1").bounding_box() == before
