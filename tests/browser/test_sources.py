"""Sources and quarantine in a real browser: a steward's paths, and every page in every look."""

import re
from collections.abc import Callable

import pytest
from django.db import transaction
from django.urls import reverse
from playwright.sync_api import Page, expect

from cdp_site.core.models import User
from ingestion import keys, landing
from ingestion.landing import Tally
from ingestion.models import QuarantinedItem, Source, WriteKey
from tests.factories.held import hold

LogIn = Callable[[User], None]
Check = Callable[[Page], None]
MESSAGE = '{"type": "identify", "userId": 7, "traits": {"email": "somchai@example.com"}}'


@pytest.fixture
def busy_shop(web_shop: Source) -> Source:
    """A source with all that its page can show."""
    hold(web_shop, MESSAGE, MESSAGE, detail="Expected `str`, got `int` - at `$.userId`")
    with transaction.atomic():
        batch = landing.land(source=web_shop, messages_raw=[{}] * 3, door="api")
        landing.settle(batch.pk, Tally(stored=1, duplicate=1, suppressed=1))
    landing.land(source=web_shop, messages_raw=[{}], door="file")
    keys.make(source=web_shop, by="system:test")
    return web_shop


@pytest.mark.usefixtures("look")
def test_every_page_is_accessible_in_every_look(
    page: Page, log_in: LogIn, steward: User, busy_shop: Source, assert_accessible: Check
) -> None:
    log_in(steward)
    item = QuarantinedItem.objects.first()
    for name, arguments in (
        ("sources", []),
        ("new_source", []),
        ("source", [busy_shop.pk]),
        ("edit_source", [busy_shop.pk]),
        ("keys", [busy_shop.pk]),
        ("quarantine", []),
        ("quarantine_group", [busy_shop.pk, "malformed"]),
        ("discard", [item.pk]),
    ):
        page.goto(reverse(f"ingestion:{name}", args=arguments))
        assert_accessible(page)


def test_nothing_is_wider_than_a_phone(page: Page, log_in: LogIn, steward: User, busy_shop: Source) -> None:
    log_in(steward)
    page.set_viewport_size({"width": 390, "height": 844})
    for path in (
        reverse("ingestion:sources"),
        reverse("ingestion:source", args=[busy_shop.pk]),
        reverse("ingestion:quarantine_group", args=[busy_shop.pk, "malformed"]),
    ):
        page.goto(path)
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), path


def test_a_new_source_gets_a_key_which_is_then_revoked(page: Page, log_in: LogIn, steward: User, pos: Source) -> None:
    log_in(steward)
    page.goto(reverse("ingestion:sources"))
    page.locator(f"a[href='{reverse('ingestion:new_source')}']").first.click()
    page.locator("#id_name").fill("ร้านใหม่")
    page.locator("#id_name").press("Enter")
    source = Source.objects.exclude(pk=pos.pk).external().get()
    expect(page).to_have_url(re.compile(reverse("ingestion:source", args=[source.pk])))

    page.locator("input[value=public]").check()
    page.locator("#write-keys form[hx-post] button").click()
    shown = page.locator(".whole-key")
    expect(shown).to_have_text(re.compile("pub_.{43}"))
    expect(page.locator(".new-key h3")).to_be_focused()
    key = shown.inner_text()
    assert keys.verify(key).source_id == source.pk
    expect(page.locator("#guide pre").first).to_contain_text(key)
    page.reload()
    expect(page.locator("#write-keys")).not_to_contain_text(key)

    page.locator(".key-list summary").click()
    page.locator(".key-list .item.danger").click()
    page.locator("dialog[open] .btn-danger").click()
    expect(page.locator(".key-list summary")).to_have_count(0)
    assert WriteKey.objects.get().revoked_at is not None


def test_another_period_comes_in_place_and_stays_in_the_address(
    page: Page, log_in: LogIn, steward: User, busy_shop: Source
) -> None:
    log_in(steward)
    page.goto(reverse("ingestion:source", args=[busy_shop.pk]))
    page.locator("#account a.chip").first.click()
    expect(page).to_have_url(re.compile(r"\?period=today$"))
    expect(page.locator("#account a.chip").first).to_have_attribute("aria-current", "true")
    expect(page.locator("#account-title")).to_be_focused()
    expect(page.locator(".equation dd")).to_have_text(["6", "1", "1", "2", "1", "1"])


def test_a_steward_looks_into_a_message_and_discards_it(
    page: Page, log_in: LogIn, steward: User, busy_shop: Source
) -> None:
    log_in(steward)
    page.goto(reverse("ingestion:quarantine"))
    page.locator("tbody th a").click()
    page.locator(".held form button").first.click()
    expect(page.locator(".held-content pre")).to_contain_text("somchai@example.com")
    page.locator(".held summary").first.click()
    page.locator(".held details[open] .item.danger").click()
    page.locator("#dialog[open] .btn-danger").click()
    expect(page.locator(".held > li")).to_have_count(1)
    assert QuarantinedItem.objects.open().count() == 1

    page.locator(".page-head summary").click()
    page.locator(".page-head .item.danger").click()
    page.locator("#dialog[open] .btn-danger").click()
    expect(page).to_have_url(re.compile(f"{reverse('ingestion:quarantine')}$"))
    assert not QuarantinedItem.objects.open().exists()
    page.goto(reverse("ingestion:source", args=[busy_shop.pk]))
    expect(page.locator(".equation dd")).to_have_text(["6", "1", "1", "2", "1", "1"])
