"""A customer at their own preference page, on a phone, without a login."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from cdp_site.core.models import User
from consent import gate, notices
from consent.models import Channel
from consent.preferences import links
from profiles.models import Profile
from tests.factories.consent import marketing

pytestmark = pytest.mark.django_db(transaction=True)


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def test_one_press_a_choice_and_everything_off(
    page: Page, somchai: Profile, compliance: User, assert_accessible: Callable[[Page], None]
) -> None:
    notices.publish(
        purpose=marketing(), version="2026-11", text="Offers by mail.", text_th="เราส่งข้อเสนอให้คุณ", by=compliance
    )
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/privacy/preferences/{links.issue(somchai.public_id)}/")
    offers = page.get_by_role("region", name="การตลาด")
    page.get_by_role("button", name=re.compile("^เปิด ?: การตลาด, อีเมล")).click()
    expect(offers.get_by_role("button", name=re.compile("^ปิด ?: การตลาด, อีเมล"))).to_be_visible()
    assert gate.may_use(somchai, marketing(), Channel.EMAIL).is_given
    assert fits(page)
    assert_accessible(page)
    page.get_by_role("button", name="ปิดทั้งหมด").click()
    expect(page.get_by_role("button", name=re.compile("^ปิด ?:")).first).to_be_hidden()
    assert not gate.may_use(somchai, marketing(), Channel.EMAIL).is_given

    page.get_by_role("link", name="เขียนคำขอ").click()
    assert fits(page)
    assert_accessible(page)
    page.get_by_label("ขอสำเนาข้อมูลของฉัน").check()
    page.get_by_label("ชื่อของคุณ", exact=True).fill("สมชาย ใจดี")
    page.get_by_label("อีเมลของคุณ").fill("somchai@baansabai.co.th")
    page.get_by_role("button", name="ส่งคำขอ").click()
    expect(page.get_by_text("เราได้รับคำขอของคุณแล้ว")).to_be_visible()


def test_compliance_publishes_a_notice(
    page: Page,
    compliance: User,
    log_in: Callable[[User], None],
    look: tuple[str, str],
    assert_accessible: Callable[[Page], None],
) -> None:
    log_in(compliance)
    page.goto("/purposes/")
    page.get_by_role("link", name="Marketing" if look[0] == "en" else "การตลาด").click()
    page.locator("[name=version]").fill("2026-11")
    page.locator("[name=text_th]").fill("เราส่งข้อเสนอให้คุณ")
    page.locator("[name=text]").fill("We send you offers.")
    page.get_by_role("button", name="Publish" if look[0] == "en" else "ประกาศ", exact=True).click()
    expect(page.locator("details.notice-text")).to_contain_text("2026-11")
    assert fits(page)
    assert_accessible(page)
