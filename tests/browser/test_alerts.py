"""Alerts, what is watched and what is kept, in a real browser."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from cdp_site.core.models import User
from ingestion import landing
from ingestion.models import Alert, AlertKind, AlertRecipient, QuarantinedItem, RejectedHour, Source

LogIn = Callable[[User], None]
Check = Callable[[Page], None]


@pytest.fixture
def troubled_shop(web_shop: Source) -> Source:
    """A source with alerts, refused requests and something to draw."""
    now = timezone.now()
    for kind, closed_at in ((AlertKind.SILENT, None), (AlertKind.CLOCK, None), (AlertKind.BACKLOG, now)):
        Alert.objects.create(source=web_shop, kind=kind, opened_at=now, closed_at=closed_at, value=40.0, threshold=10.0)
    RejectedHour.objects.create(source=web_shop, hour=now, status=429, n=3, last_at=now)
    AlertRecipient.objects.create(channel="email", address="ops@example.com", department=web_shop.department)
    landing.land(source=web_shop, messages_raw=[{}] * 3, door="api")
    return web_shop


@pytest.mark.usefixtures("look")
def test_every_page_is_accessible_in_every_look(
    page: Page, log_in: LogIn, steward: User, troubled_shop: Source, assert_accessible: Check
) -> None:
    log_in(steward)
    page.goto("/")
    expect(page.locator(".alert-list > li")).to_have_count(2)
    expect(page.locator(".nav-badge .badge")).to_have_text("2")
    assert_accessible(page)
    for name, arguments in (
        ("sources", []),
        ("source", [troubled_shop.pk]),
        ("source_watch", [troubled_shop.pk]),
        ("source_retention", [troubled_shop.pk]),
        ("retention", []),
        ("alerts", []),
        ("alert_recipients", []),
    ):
        page.goto(reverse(f"ingestion:{name}", args=arguments))
        assert_accessible(page)


def test_nothing_is_wider_than_a_phone(page: Page, log_in: LogIn, steward: User, troubled_shop: Source) -> None:
    log_in(steward)
    page.set_viewport_size({"width": 390, "height": 844})
    for path in (
        reverse("ingestion:source", args=[troubled_shop.pk]),
        reverse("ingestion:source_watch", args=[troubled_shop.pk]),
        reverse("ingestion:alerts"),
        reverse("ingestion:alert_recipients"),
        reverse("ingestion:retention"),
    ):
        page.goto(path)
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), path


def test_a_steward_takes_care_and_the_chart_changes_in_place(
    page: Page, log_in: LogIn, steward: User, troubled_shop: Source
) -> None:
    log_in(steward)
    page.goto(reverse("ingestion:source", args=[troubled_shop.pk]))
    page.locator("#rates a.chip").first.click()
    expect(page.locator("#rates a.chip").first).to_have_attribute("aria-current", "true")
    expect(page.locator("#rates-title")).to_be_focused()
    page.locator("#rates details summary").click()
    expect(page.locator("#rates tbody tr")).to_have_count(60)
    page.locator(".alert-list form button").first.click()
    expect(page.locator(".alert-list form button")).to_have_count(1)
    expect(page.locator(".nav-badge .badge")).to_have_text("1")


def test_days_show_what_they_would_remove_before_they_are_saved(
    page: Page, log_in: LogIn, steward: User, web_shop: Source
) -> None:
    at = timezone.now() - timedelta(days=20)
    QuarantinedItem.objects.bulk_create(
        QuarantinedItem(at=at, source=web_shop, batch_id=0, position=n, reason="malformed", payload=b"x")
        for n in range(7)
    )
    log_in(steward)
    page.goto(reverse("ingestion:source_retention", args=[web_shop.pk]))
    page.locator("#id_quarantine_days").fill("14")
    expect(page.locator("#would-remove strong").first).to_have_text("7")
    page.locator("#id_quarantine_days").fill("30")
    expect(page.locator("#would-remove strong")).to_have_count(0)
    assert QuarantinedItem.objects.count() == 7
