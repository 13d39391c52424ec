"""The agent's path in a real browser, by keyboard alone: find the caller, see what happened, write it down."""

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from cdp_site.core.models import User
from ingestion.models import Source
from profiles.models import Note, Profile
from tests.browser.conftest import Console
from tests.customers import Tell, identify, profile_of, track

pytestmark = pytest.mark.django_db(transaction=True)
LogIn = Callable[[User], None]


def address(name: str, profile: Profile) -> str:
    return reverse(f"profiles:{name}", args=[profile.public_id])


def test_finds_the_caller_and_writes_a_note_without_a_mouse(
    page: Page, somchai: Profile, log_in: LogIn, agent: User
) -> None:
    log_in(agent)
    page.goto("/")
    page.keyboard.press("Slash")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("086-345 19 72", delay=20)
    expect(page.locator("#search-results a")).to_have_count(1)
    expect(page.locator("#search-results mark")).to_have_text("•••• 1972")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(address("customer", somchai))))
    expect(page.locator("h1")).to_have_text("นายสมชาย ใจดี")
    expect(page.locator("#timeline .order")).to_have_count(1)

    expect(page.locator("#notes textarea")).to_be_visible()
    page.keyboard.press("KeyN")
    expect(page.locator("#notes textarea")).to_be_focused()
    page.keyboard.type("ขอให้ส่งช่วงเย็น")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".note-list")).to_contain_text("ขอให้ส่งช่วงเย็น")
    assert Note.objects.get().author == agent


def test_keys_work_on_a_thai_layout_are_listed_and_can_be_switched_off(page: Page, log_in: LogIn, agent: User) -> None:
    log_in(agent)
    page.goto("/")
    page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {code: 'Slash', key: 'ฝ', bubbles: true}))")
    expect(page.locator("#search")).to_be_focused()
    page.locator("h1").click()
    page.keyboard.press("Shift+Slash")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#key-list")).to_contain_text("ค้นหาลูกค้า")
    page.locator("#keys form button").click()
    expect(page.locator("html")).to_have_attribute("data-keys", "off")
    page.keyboard.press("Slash")
    expect(page.locator("#search")).not_to_be_focused()
    page.keyboard.press("Control+KeyK")
    expect(page.locator("#palette-text")).to_be_focused()


def test_theme_and_language_keep_the_page(page: Page, somchai: Profile, log_in: LogIn, agent: User) -> None:
    log_in(agent)
    page.goto(address("customer", somchai) + "?kind=qualitative")
    with page.expect_response("**/display/"):
        page.locator("button[name=theme]").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.locator("button[name=language]").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page).to_have_url(re.compile(r"\?kind=qualitative$"))
    expect(page.locator("#timeline")).to_contain_text("Call Ended")
    expect(page.locator("#timeline .order")).to_have_count(0)


def test_filters_and_older_rows_come_in_place_and_the_focus_follows(
    page: Page, tell: Tell, pos: Source, log_in: LogIn, agent: User
) -> None:
    views = [track("P1", "Product Viewed", hours=hour, name=f"item {hour}") for hour in range(1, 70)]
    tell(pos, identify("P1", firstName="มานะ"), track("P1", "Call Ended", hours=3, notes="ถามราคา"), *views)
    log_in(agent)
    page.goto(address("customer", profile_of(pos, "P1")))
    rows = page.locator("#timeline .timeline-item")
    expect(rows).to_have_count(50)
    page.locator("#timeline-older a").click()
    expect(rows).to_have_count(70)
    expect(page.locator("#timeline-older")).to_have_count(0)
    page.locator("#timeline .chip", has_text="ความคิดเห็น").click()
    expect(rows).to_have_count(1)
    expect(page.locator("#timeline-title")).to_be_focused()


def test_narrow_screens_have_tabs(page: Page, somchai: Profile, log_in: LogIn, agent: User) -> None:
    log_in(agent)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(address("customer", somchai))
    expect(page.locator("#timeline")).to_be_visible()
    expect(page.locator("#part-about")).to_be_hidden()
    page.locator("#tab-timeline").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-about")).to_be_focused()
    expect(page.locator("#part-about")).to_be_visible()
    expect(page.locator("#part-timeline")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.usefixtures("look")
def test_pages_are_accessible_in_every_look(
    page: Page, somchai: Profile, log_in: LogIn, assert_accessible: Callable[[Page], None], agent: User
) -> None:
    log_in(agent)
    for path in ("/", reverse("profiles:customers"), reverse("style")):
        page.goto(path)
        expect(page.locator(".skeleton[hx-get]")).to_have_count(0)
        assert_accessible(page)
    page.goto(address("customer", somchai))
    expect(page.locator("#timeline .order")).to_have_count(1)
    expect(page.locator("#records")).to_be_visible()
    page.locator(".lineage summary").first.click()
    assert_accessible(page)
    page.locator("#search").fill("สมชาย")
    expect(page.locator("#search-results a")).to_have_count(1)
    assert_accessible(page)
    page.locator("#search").fill("nobody-of-this-name")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_be_visible()
    assert_accessible(page)


def test_a_failure_is_said_and_not_swallowed(
    page: Page, somchai: Profile, log_in: LogIn, agent: User, console: Console
) -> None:
    console.allow("status of 404")
    console.allow("Response Status Error Code 404")
    log_in(agent)
    page.goto(address("customer", somchai))
    expect(page.locator("#timeline .chip").first).to_be_visible()
    Profile.objects.filter(pk=somchai.pk).update(state=Profile.State.ERASING)
    page.locator("#timeline .chip").last.click()
    expect(page.locator("[data-toast]")).to_contain_text("ไม่มีรายการนี้แล้ว")
