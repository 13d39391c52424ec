"""The steward's merge and its undo in a real browser."""

import re
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from cdp_site.core.models import User
from ingestion.models import Source
from profiles.models import Profile
from tests.customers import Tell, identify, profile_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def twin(tell: Tell, web_shop: Source) -> Profile:
    tell(web_shop, identify("u2", firstName="สมชาย", lastName="ใจดี", email="somchai.jaidee@baansabai.co.th"))
    return profile_of(web_shop, "u2")


@pytest.fixture
def at_work(page: Page, log_in: Callable[[User], None], steward: User) -> Page:
    log_in(steward)
    return page


def test_merges_two_customers_and_takes_it_back(at_work: Page, somchai: Profile, twin: Profile) -> None:
    page = at_work
    page.goto(reverse("profiles:merge_choose", args=[somchai.public_id]))
    page.locator("#other").press_sequentially("somchai.jaidee@baansabai.co.th")
    page.locator("#matches a").click()
    expect(page.locator(".comparison")).to_contain_text("somchai.jaidee@baansabai.co.th")
    page.locator("input[name=reason]").fill("โทรมายืนยัน")
    page.locator("input[name=reason]").press("Enter")
    expect(page).to_have_url(re.compile(re.escape(reverse("profiles:customer", args=[somchai.public_id]))))
    page.locator("[data-toast] form button").click()
    expect(page.locator("[data-toast]")).to_contain_text("เลิกทำแล้ว")
    twin.refresh_from_db()
    assert twin.state == Profile.State.LIVE


@pytest.mark.usefixtures("look")
def test_pages_are_accessible_in_every_look(
    at_work: Page, somchai: Profile, twin: Profile, assert_accessible: Callable[[Page], None]
) -> None:
    page = at_work
    page.goto(reverse("profiles:merge_choose", args=[somchai.public_id]))
    assert_accessible(page)
    page.goto(reverse("profiles:merge", args=[somchai.public_id, twin.public_id]))
    assert_accessible(page)
    page.goto(reverse("profiles:unmerge", args=[somchai.public_id]))
    page.locator("input[type=checkbox]").last.check()
    expect(page.locator(".comparison")).to_be_visible()
    assert_accessible(page)
