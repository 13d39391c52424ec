"""Cases, the script and the question "why did you send me this?" in a real browser, by keyboard, in every look."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from cdp_site.core.models import Department, User
from consent.models import Channel, Purpose
from ingestion.models import Source
from profiles.cases import handling
from profiles.cases.handling import Said
from profiles.models import Case, CaseNote, Profile
from segments import authoring
from segments.models import Segment
from segments.scripts import authoring as scripts
from tests.customers import Tell, track
from tests.factories import exports

pytestmark = pytest.mark.django_db(transaction=True)
LogIn = Callable[[User], None]
Check = Callable[[Page], None]


def customer_page(profile: Profile) -> str:
    return reverse("profiles:customer", args=[profile.public_id])


@pytest.fixture
def with_script(somchai: Profile, tell: Tell, pos: Source, marketer: User, tmp_path: Path, settings: Any) -> Profile:
    """In a segment that has a script, on a list that was taken of it."""
    settings.CDP_DATA = tmp_path
    tell(
        pos,
        track("P1", "Product Viewed", hours=1, color="red", name="เก้าอี้แดง", price=990),
        track("P1", "Consent Granted", purpose="marketing", channel="phone"),
    )
    condition = {
        "kind": "touchpoint",
        "event": "Product Viewed",
        "count": {"bound": "at_least", "n": 1},
        "window": {"kind": "ever"},
        "filters": [{"property": "color", "operator": "is", "value": "red"}],
    }
    segment = authoring.create(
        name="Red",
        description="",
        department=marketer.department,
        definition={"version": 1, "where": {"kind": "all", "of": [condition]}},
        by=marketer,
    )
    scripts.write(segment=segment, text="Offer red", text_th="เสนอสีแดง", is_active=True, seen=0, by=marketer)
    purpose = Purpose.objects.get(slug="marketing")
    exports.exported(segment, purpose, Channel.PHONE, marketer)
    return somchai


def test_an_agent_opens_follows_up_and_closes_a_case_without_a_mouse(
    page: Page, somchai: Profile, log_in: LogIn, agent: User
) -> None:
    log_in(agent)
    page.goto(customer_page(somchai))
    panel = page.locator("#panel-cases-body")
    panel.locator("summary.btn").focus()
    page.keyboard.press("Enter")
    panel.locator("[name=case-subject]").focus()
    page.keyboard.type("เปลี่ยนที่อยู่")
    page.keyboard.press("Enter")
    expect(panel.locator(".row-link")).to_contain_text("เปลี่ยนที่อยู่")

    panel.locator(".row-link").focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog")
    expect(dialog.locator("textarea")).to_be_visible()
    dialog.locator("textarea").focus()
    page.keyboard.type("โทรแล้วไม่รับ")
    page.keyboard.press("Control+Enter")
    expect(dialog).to_be_hidden()
    assert CaseNote.objects.latest("at").text == "โทรแล้วไม่รับ"

    panel.locator(".row-link").focus()
    page.keyboard.press("Enter")
    expect(dialog.locator("[formaction$='/close/']")).to_be_visible()
    dialog.locator("[formaction$='/close/']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts form button")).to_be_visible()
    assert not Case.objects.get().is_open
    page.locator("#toasts form button").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel-cases-body .row-link")).to_contain_text("เปลี่ยนที่อยู่")
    assert Case.objects.get().is_open


def test_withdrawing_in_one_click_shows_in_the_panel_of_consent(
    page: Page, with_script: Profile, log_in: LogIn, agent: User
) -> None:
    log_in(agent)
    page.goto(customer_page(with_script))
    page.locator("#timeline a[href*='/sent/']").first.click()
    dialog = page.locator("#dialog")
    expect(dialog).to_contain_text("Red")
    dialog.locator(".proofs button").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#panel-consent-body .cell.is-withdrawn")).to_have_count(1)


def test_every_page_is_accessible(
    page: Page,
    with_script: Profile,
    look: tuple[str, str],
    log_in: LogIn,
    agent: User,
    marketer: User,
    marketing: Department,
    assert_accessible: Check,
) -> None:
    today = timezone.localdate()
    case = handling.open_case(profile=with_script, subject="ที่อยู่", said=Said(follow_up_on=today), by=agent)
    Case.objects.update(follow_up_on=today - timedelta(days=1))
    log_in(agent)
    page.goto(customer_page(with_script))
    for link, shown in (
        ("#panel-cases-body .row-link", ".case-form"),
        ("#panel-script-body a[href*='/why/']", ".evidence"),
        ("#timeline a[href*='/sent/']", ".sent"),
    ):
        page.locator(link).first.click()
        expect(page.locator(f"#dialog {shown}")).to_be_visible()
        assert_accessible(page)
        page.keyboard.press("Escape")
        expect(page.locator("#dialog")).to_be_hidden()
    for path in (
        reverse("profiles:follow_ups"),
        reverse("profiles:follow_ups") + "?whose=unclaimed",
        reverse("profiles:case", args=[with_script.public_id, case.pk]),
        reverse("profiles:cases", args=[with_script.public_id]),
        reverse("segments:script_of_profile", args=[with_script.public_id]),
    ):
        page.goto(path)
        assert_accessible(page)
    log_in(marketer)
    for path in (
        reverse("segments:scripts"),
        reverse("segments:script", args=[Segment.objects.get().pk]),
    ):
        page.goto(path)
        assert_accessible(page)
