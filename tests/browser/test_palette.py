"""Ctrl-K in a real browser, by keyboard alone."""

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from cdp_site.core.models import User
from profiles.models import Profile

pytestmark = pytest.mark.django_db(transaction=True)
LogIn = Callable[[User], None]


def test_opens_a_customer_by_a_name_of_the_wrong_keyboard_layout(
    page: Page, somchai: Profile, log_in: LogIn, agent: User
) -> None:
    log_in(agent)
    page.goto("/")
    page.keyboard.press("Control+KeyK")
    expect(page.locator("#palette-text")).to_be_focused()
    expect(page.locator("#palette-results a").first).to_be_visible()
    page.keyboard.type("l,=kp")
    expect(page.locator("#palette-results mark")).to_have_text(re.compile("สมชาย"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(re.escape(reverse("profiles:customer", args=[somchai.public_id]))))


def test_enter_waits_for_the_results_of_what_was_typed(
    page: Page, somchai: Profile, log_in: LogIn, agent: User
) -> None:
    log_in(agent)
    page.goto("/")
    page.keyboard.press("Control+KeyK")
    page.keyboard.type("0863451972")
    page.keyboard.press("Enter")  # before the answer
    expect(page).to_have_url(re.compile(re.escape(reverse("profiles:customer", args=[somchai.public_id]))))


def test_arrows_move_and_escape_closes(page: Page, log_in: LogIn, steward: User) -> None:
    log_in(steward)
    page.goto("/")
    page.keyboard.press("Control+KeyK")
    page.keyboard.type("import")
    links = page.locator("#palette-results a")
    expect(links.first).to_have_attribute("href", reverse("ingestion:new_import"))
    page.keyboard.press("ArrowDown")
    expect(links.first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#palette-text")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).not_to_be_visible()
    page.keyboard.press("Control+KeyK")
    expect(page.locator("#palette-text")).to_have_value("")


def test_is_accessible(
    page: Page,
    somchai: Profile,
    log_in: LogIn,
    agent: User,
    look: tuple[str, str],
    assert_accessible: Callable[[Page], None],
) -> None:
    log_in(agent)
    page.goto("/")
    page.keyboard.press("Control+KeyK")
    page.keyboard.type("สมชาย")
    expect(page.locator("#palette-results mark")).to_have_count(1)
    assert_accessible(page)
