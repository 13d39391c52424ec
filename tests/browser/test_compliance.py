"""Compliance in a real browser: a consent is recorded; a request is taken in, approved, carried out and proved."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from cdp_site.core import audit
from cdp_site.core.models import Role, User
from consent import certificate, erasure, gate, requests
from consent.models import Channel, DataSubjectRequest
from ingestion.models import Source
from profiles.models import Profile
from tests.customers import Tell, open_for_call, track
from tests.factories.consent import ask, marketing

pytestmark = pytest.mark.django_db(transaction=True)
LogIn = Callable[[User], None]


@pytest.fixture
def colleague(make_user: Callable[..., User]) -> User:
    return make_user(Role.COMPLIANCE, name="colleague")


@pytest.fixture
def asked(somchai: Profile, tell: Tell, pos: Source, call_centre: Source) -> Profile:
    """Somchai has granted, refused and withdrawn."""
    spoken = [("Granted", "sms", 50), ("Granted", "phone", 40), ("Withdrawn", "phone", 30)]
    for word, channel, hours in spoken:
        tell(pos, track("P1", f"Consent {word}", hours=hours, purpose="marketing", channel=channel))
    tell(call_centre, track("C1", "Consent Refused", hours=20, purpose="analytics", channel="email"))
    return somchai


def customer_page(profile: Profile) -> str:
    return reverse("profiles:customer", args=[profile.public_id])


def open_panel(page: Page, profile: Profile) -> None:
    page.goto(customer_page(profile))
    expect(page.locator("#panel-consent-body .matrix")).to_be_visible()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_an_agent_records_what_the_caller_says(page: Page, asked: Profile, log_in: LogIn, agent: User) -> None:
    open_for_call(asked, to=agent)
    log_in(agent)
    open_panel(page, asked)
    panel = page.locator("#panel-consent-body")
    panel.locator(".purposes a", has_text="การตลาด").click()
    expect(panel.locator(".purposes [aria-current=true]")).to_have_text("การตลาด")
    expect(panel.locator("a[href^='tel:']")).to_have_count(0)

    panel.locator("td a", has_text="การตลาด, โทรศัพท์").focus()
    page.keyboard.press("Enter")
    dialog = page.locator("#dialog")
    expect(dialog).to_be_visible()
    expect(dialog.locator(".history li")).to_have_count(2)
    dialog.locator("select").select_option("call")
    dialog.locator("button[value=grant]").click()
    expect(dialog).not_to_be_visible()
    expect(panel.locator("[role=status]")).to_contain_text("บันทึกความยินยอมแล้ว")
    expect(panel.locator("a[href='tel:+66863451972']")).to_have_count(1)
    assert gate.may_use(asked, marketing(), Channel.PHONE).is_given


def test_a_request_from_the_intake_to_the_certificate(
    page: Page, asked: Profile, log_in: LogIn, *, compliance: User, colleague: User, tmp_path: Path
) -> None:
    log_in(compliance)
    page.goto("/requests/new/")
    page.locator("#find").type("0863451972", delay=20)
    page.locator("#matches a").first.click()
    page.locator("[name=identity_checked][value=in_person]").check()
    page.locator("textarea[name=note]").fill("ลูกค้ามาที่สาขา")
    page.locator("main form button.btn-primary").click()
    expect(page).to_have_url(re.compile(r"/requests/[0-9a-f-]{36}/$"))
    expect(page.locator("[data-dialog=approve]")).to_have_count(0)
    expect(page.locator("#preview-title")).to_be_visible()

    request = DataSubjectRequest.objects.get()
    log_in(colleague)
    page.goto(reverse("consent:request", args=[request.pk]))
    page.locator("[data-dialog=approve]").click()
    page.locator("#approve .btn-danger").click()
    expect(page.locator("#progress [role=status]")).to_contain_text("อนุมัติ")
    erasure.run(request.pk)  # the job cluster's part
    expect(page.locator("#progress [role=status]")).to_contain_text("สำเร็จ")  # the page asks for itself
    page.reload()
    page.locator("a[href$='/certificate/show/']").click()
    with page.expect_download() as download:
        page.locator("a[href$='/certificate/']").click()
    file = tmp_path / "certificate.json"
    download.value.save_as(file)
    assert certificate.verify(json.loads(file.read_text(encoding="utf-8")))


def test_a_refusal_asks_for_its_reason(page: Page, asked: Profile, log_in: LogIn, compliance: User) -> None:
    request = ask(asked, compliance)
    log_in(compliance)
    page.goto(reverse("consent:request", args=[request.pk]))
    page.locator("[data-dialog=refuse]").click()
    page.locator("#refuse [value=legal_claim]").check()
    page.locator("#refuse .btn-danger").click()
    expect(page.locator("#progress [role=status]")).to_contain_text("ปฏิเสธ")


def test_the_audit_is_filtered_and_pages(page: Page, log_in: LogIn, compliance: User, agent: User) -> None:
    with transaction.atomic():
        for number in range(60):
            audit.record(action="note.add", target=("profiles.Note", number), by=agent, fields=["text"])
    audit.check_chain()
    log_in(compliance)
    page.goto("/audit/")
    rows = page.locator("#audit tbody tr")
    expect(rows).to_have_count(50)
    page.locator(".pager a").click()
    expect(rows).to_have_count(10)
    page.goto("/audit/?target=7")
    expect(rows).to_have_count(1)


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_accessible_in_every_look(
    page: Page,
    asked: Profile,
    manee: Profile,
    log_in: LogIn,
    *,
    compliance: User,
    colleague: User,
    look: tuple[str, str],
    width: int,
    assert_accessible: Callable[[Page], None],
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    waiting = ask(manee, compliance, received_at=timezone.now() - timedelta(days=86))
    done = ask(asked, compliance)
    log_in(compliance)
    if width == 1280:
        open_panel(page, asked)
    else:
        page.goto(reverse("consent:panel", args=[asked.public_id]))
    assert_accessible(page)
    page.goto(reverse("consent:cell", args=[asked.public_id, "marketing", "phone"]))
    assert_accessible(page)
    requests.approve(request_id=done.pk, by=colleague)
    erasure.run(done.pk)
    audit.check_chain()
    pages = {
        "queue": "/requests/",
        "ended": "/requests/?show=ended",
        "intake": f"/requests/new/?profile={manee.public_id}",
        "request": reverse("consent:request", args=[waiting.pk]),
        "completed": reverse("consent:request", args=[done.pk]),
        "audit": "/audit/",
        "home": "/",
    }
    for name, path in pages.items():
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert_accessible(page)
        assert fits(page), name
