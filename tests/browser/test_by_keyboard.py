"""Each persona's path by keyboard alone. The agent's stands in `test_agent.py` and `test_calls.py`, the steward's in
`test_review.py` and `test_mapping.py`."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from cdp_site.core.models import Role, User
from consent.models import DataSubjectRequest
from ingestion.models import Source
from profiles.models import Profile
from segments.models import Segment, SegmentExport
from tests.customers import Tell, identify, track
from tests.factories import exports

pytestmark = pytest.mark.django_db(transaction=True)
LogIn = Callable[[User], None]
FARTHEST = 120  # presses of Tab from one end of a page to the other
IS_FOCUSED = "element => element === document.activeElement"
IS_OUTLINED = "element => getComputedStyle(element).outlineStyle !== 'none'"


def reach(page: Page, wanted: Locator) -> None:
    """Press Tab until the element has the focus, and see that it shows."""
    expect(wanted).to_be_visible()
    for _press in range(FARTHEST):
        if wanted.evaluate(IS_FOCUSED):
            assert wanted.evaluate(IS_OUTLINED), "the focus cannot be seen"
            return
        page.keyboard.press("Tab")
    pytest.fail(f"not reached by Tab: {wanted}")


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    reach(page, wanted)
    page.keyboard.press(key)


def choose(page: Page, select: Locator, value: str) -> None:
    """Choose in a list with the arrows."""
    reach(page, select)
    for _press in range(FARTHEST):
        if select.input_value() == value:
            return
        page.keyboard.press("ArrowDown")
    pytest.fail(f"not in the list: {value}")


def test_the_marketer_builds_a_segment_and_exports_it(
    page: Page, tell: Tell, web_shop: Source, log_in: LogIn, marketer: User, *, tmp_path: Path, settings: Any
) -> None:
    settings.CDP_DATA = tmp_path
    tell(web_shop, identify("v1", firstName="มานี", email="v1@baansabai.co.th"), track("v1", "Product Viewed", price=5))
    tell(web_shop, track("v1", "Consent Granted", purpose="marketing", channel="email"))
    log_in(marketer)
    page.goto(reverse("segments:segments"))
    page.keyboard.press("KeyN")
    page.wait_for_url(f"**{reverse('segments:create')}")
    reach(page, page.locator("#id_name"))
    page.keyboard.type("ดูสินค้า")
    press(page, page.locator("button[value='add-touchpoint /where']"))
    event = page.locator("[name='/where/of/0/event']")
    expect(event).to_be_focused()
    choose(page, event, "Product Viewed")
    expect(page.locator("#summary .size")).to_contain_text("1")
    press(page, page.get_by_role("button", name="บันทึกเซกเมนต์"))
    expect(page.locator("h1")).to_have_text("ดูสินค้า")
    assert Segment.objects.get().name == "ดูสินค้า"

    press(page, page.locator(".page-head .actions .btn-primary"))
    expect(page.locator("#dialog")).to_be_visible()
    marketing = page.locator("#dialog select[name=purpose] option", has_text="การตลาด").first.get_attribute("value")
    choose(page, page.locator("#dialog select[name=purpose]"), marketing or "")
    choose(page, page.locator("#dialog select[name=channel]"), "email")
    expect(page.locator("#export-preview .size")).to_contain_text("1")
    reach(page, page.locator("#dialog .btn-primary"))
    page.keyboard.press("Enter")
    page.wait_for_url("**/exports/*/")
    exports.make(SegmentExport.objects.get())
    fetch = page.get_by_role("button", name="ดาวน์โหลดไฟล์")
    reach(page, fetch)
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.endswith(".csv")


def test_compliance_takes_a_request_in_and_a_second_person_approves_it(
    page: Page, manee: Profile, make_user: Callable[..., User], *, log_in: LogIn, compliance: User
) -> None:
    log_in(compliance)
    page.goto("/")
    press(page, page.locator(f".side-nav a[href='{reverse('consent:requests')}']"))
    page.wait_for_url(f"**{reverse('consent:requests')}")
    press(page, page.locator(".page-head .btn-primary"))
    page.wait_for_url(f"**{reverse('consent:intake')}")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("manee@baansabai.co.th")
    press(page, page.locator("#matches a").first)
    page.wait_for_url("**/requests/new/?profile=*")
    press(page, page.locator("[name=identity_checked]").first, "Space")
    press(page, page.locator("main form .btn-primary"))
    expect(page).to_have_url(re.compile(r"/requests/[0-9a-f-]{36}/$"))
    request = DataSubjectRequest.objects.get()

    log_in(make_user(Role.COMPLIANCE, compliance.department, "colleague"))
    page.goto(reverse("consent:request", args=[request.pk]))
    press(page, page.locator("[data-dialog=approve]"))
    press(page, page.locator("#approve .btn-danger"))
    expect(page.locator("#progress [role=status]")).to_contain_text("อนุมัติ")
    request.refresh_from_db()
    assert request.approved_by is not None


def test_menus_and_dialogs_close_with_escape_and_give_the_focus_back(page: Page, log_in: LogIn, agent: User) -> None:
    log_in(agent)
    page.goto(reverse("style"))
    account = page.locator(".top-bar details.menu summary")
    press(page, account)
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(account).to_be_focused()

    opener = page.locator(".page-head [data-dialog=keys]")
    press(page, opener)
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    expect(opener).to_be_focused()

    press(page, account)
    press(page, page.locator(".top-bar .panel [data-dialog=keys]"))
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator(".top-bar details.menu[open]")).to_have_count(0)  # it would stand behind the dialog


def test_rows_become_roomy_and_stay_so(page: Page, log_in: LogIn, agent: User) -> None:
    log_in(agent)
    page.goto(reverse("style"))
    row = page.locator("main table tbody tr").last
    compact = row.bounding_box()
    press(page, page.locator(".top-bar details.menu summary"))
    with page.expect_response("**/display/"):
        press(page, page.locator("button[name=density]"))
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-density", "roomy")
    roomy = row.bounding_box()
    assert compact is not None
    assert roomy is not None
    assert (compact["height"], roomy["height"]) == (32, 40)


@pytest.mark.intercepts
def test_toasts_stand_in_one_list_and_wait_for_who_reads_them(page: Page, log_in: LogIn, agent: User) -> None:
    """An answer of htmx brings a message along: it joins the others, in the one region that is read out."""
    log_in(agent)
    page.goto(reverse("style"))
    toast = '<div class="toast-line" data-toast><p>บันทึกแล้ว</p><button data-dismiss>x</button></div>'
    body = f'<p>ok</p><div id="toasts" role="status" hx-swap-oob="beforeend">{toast}</div>'
    page.route("**/an-answer/", lambda route: route.fulfill(body=body, content_type="text/html"))
    for number in (1, 2):
        page.evaluate("htmx.ajax('GET', '/an-answer/', {target: '#status', swap: 'innerHTML'})")
        expect(page.locator("#toasts > [data-toast]")).to_have_count(number)
        page.locator("#toasts > [data-toast]").last.hover()
    assert page.locator("#toasts").count() == 1
    page.locator("#toasts [data-dismiss]").first.click()
    expect(page.locator("#toasts > [data-toast]")).to_have_count(1)
