"""The marketer's path in a real browser: describe a group of customers, read the number, save, export under consent."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Locator, Page, Route, expect
from pytest_django import Settings

from cdp_site.core.models import User
from ingestion.models import Source
from segments import authoring
from segments.models import Segment, SegmentExport
from tests.browser.conftest import Console, first_held
from tests.customers import Tell, identify, profile_of, track
from tests.factories import exports

LogIn = Callable[[User], None]
Check = Callable[[Page], None]
VIEWED = {
    "kind": "touchpoint",
    "event": "Product Viewed",
    "count": {"bound": "at_least", "n": 1},
    "window": {"kind": "ever"},
    "filters": [{"property": "color", "operator": "in", "value": ["red", "แดง"]}],
}


@pytest.fixture
def viewers(tell: Tell, web_shop: Source) -> None:
    """Six people looked at something, three of them at something red; one agreed to be written to."""
    for number in range(1, 7):
        user, colour = f"v{number}", "แดง" if number <= 3 else "ดำ"
        tell(web_shop, identify(user, firstName=f"มานี{number}", email=f"{user}@baansabai.co.th", province="ตรัง"))
        tell(web_shop, track(user, "Product Viewed", color=colour, price=number * 100))
    tell(web_shop, track("v1", "Consent Granted", purpose="marketing", channel="email"))


@pytest.fixture
def segment(viewers: None, marketer: User) -> Segment:
    group = {"kind": "any", "of": [VIEWED, {"kind": "not", "of": [{**VIEWED, "count": {"bound": "exactly", "n": 0}}]}]}
    return authoring.create(
        name="ดูของสีแดง",
        description="ลองดู",
        department=marketer.department,
        definition={"version": 1, "where": {"kind": "all", "of": [VIEWED, group]}},
        by=marketer,
    )


def address(name: str, *args: object) -> str:
    return reverse(f"segments:{name}", args=args)


def control(page: Page, name: str) -> Locator:
    return page.locator(f"[name='/where/{name}']")


def test_builds_a_segment_reads_its_number_and_exports_it(
    page: Page, viewers: None, log_in: LogIn, marketer: User, tmp_path: Path, settings: Settings
) -> None:
    settings.CDP_DATA = tmp_path
    log_in(marketer)
    page.goto(address("segments"))
    page.keyboard.press("KeyN")
    expect(page).to_have_url(re.compile(re.escape(address("create"))))
    page.locator("#id_name").fill("ดูของสีแดง")

    page.locator("button[value='add-touchpoint /where']").click()
    expect(control(page, "of/0/event")).to_be_focused()
    control(page, "of/0/event").select_option("Product Viewed")
    page.locator("button[value='add-filter /where/of/0']").click()
    expect(control(page, "of/0/filters/0/property")).to_be_focused()
    control(page, "of/0/filters/0/property").select_option("color")
    control(page, "of/0/filters/0/value").fill("แดง")
    expect(page.locator("#summary .size")).to_contain_text("3")
    expect(page.locator("#summary .sentence").first).to_have_text("ลูกค้าที่ดูสินค้า (สีเป็น “แดง”)")

    page.get_by_role("button", name="บันทึกเซกเมนต์").click()
    expect(page.locator("h1")).to_have_text("ดูของสีแดง")
    expect(page.locator("#members tbody tr")).to_have_count(3)
    expect(page.locator("#members")).to_contain_text("v••••@baansabai.co.th")

    page.get_by_role("link", name="ส่งออก").click()
    page.locator("#dialog select[name=purpose]").select_option(label="การตลาด")
    page.locator("#dialog select[name=channel]").select_option("email")
    expect(page.locator("#export-preview .size")).to_contain_text("1")
    page.locator("#dialog input[name=holdout_percent]").fill("0")
    page.locator("#dialog .btn-primary").click()
    expect(page.locator("#export-state progress")).to_be_visible()
    exports.make(SegmentExport.objects.get())
    with page.expect_download() as download:
        page.get_by_role("button", name="ดาวน์โหลดไฟล์").click()
    download.value.save_as(tmp_path / "list.csv")
    assert "v1@baansabai.co.th" in (tmp_path / "list.csv").read_text(encoding="utf-8-sig")


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_a_page_without_scripts_shows_where_one_was(
    page: Page, viewers: None, log_in: LogIn, marketer: User, console: Console
) -> None:
    console.allow("status of 422")
    log_in(marketer)
    page.goto(address("create"))
    page.locator("button[value='add-touchpoint /where']").click()
    expect(control(page, "of/0/event")).to_be_focused()
    page.get_by_role("button", name="บันทึกเซกเมนต์").click()
    expect(page.locator(".notice-danger")).to_be_focused()


@pytest.mark.intercepts
def test_what_is_written_while_an_answer_is_under_way_stays(
    page: Page, viewers: None, log_in: LogIn, marketer: User
) -> None:
    log_in(marketer)
    page.goto(address("create"))
    page.locator("button[value='add-touchpoint /where']").click()
    control(page, "of/0/event").select_option("Product Viewed")
    control(page, "of/0/window/kind").select_option("rolling")
    expect(control(page, "of/0/window/n")).to_be_visible()

    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        held.append(route)
        if len(held) > 1:
            route.continue_()

    page.route("**/segments/draft/", hold_the_first)
    control(page, "of/0/count/n").fill("2")
    control(page, "of/0/window/n").focus()  # leaves the first field: an answer is asked for
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("45")
    page.locator("#id_name").focus()
    with page.expect_response("**/segments/draft/"):
        first_held(page, held).continue_()

    said = "ลูกค้าที่ดูสินค้า อย่างน้อย 2 ครั้งใน 45 วันที่ผ่านมา"
    expect(page.locator("#summary .sentence").first).to_have_text(said)
    expect(control(page, "of/0/window/n")).to_have_value("45")
    expect(control(page, "of/0/count/n")).to_have_value("2")


def test_problems_are_told_at_their_place_and_by_keyboard_alone(
    page: Page, viewers: None, log_in: LogIn, marketer: User, console: Console
) -> None:
    console.allow("status of 422")
    log_in(marketer)
    page.goto(address("create"))
    page.locator("button[value='add-touchpoint /where']").focus()
    page.keyboard.press("Enter")
    expect(control(page, "of/0/event")).to_be_focused()
    control(page, "of/0/event").select_option("Product Viewed")
    control(page, "of/0/count/n").fill("many")
    page.keyboard.press("Tab")
    expect(page.locator("#r-where-of-0-problems")).to_contain_text("จำนวนเต็ม")

    page.get_by_role("button", name="บันทึกเซกเมนต์").press("Enter")
    expect(page.locator(".notice-danger")).to_be_focused()
    expect(page.locator(".notice-danger li")).to_have_count(2)  # the name, and the number
    expect(control(page, "of/0/count/n")).to_have_attribute("aria-invalid", "true")

    # Enter in a field never removes or saves.
    control(page, "of/0/count/n").fill("3")
    control(page, "of/0/count/n").press("Enter")
    expect(page.locator("#r-where-of-0-problems")).to_be_empty()
    expect(control(page, "of/0/count/n")).to_have_value("3")


def test_conditions_are_moved_and_removed(page: Page, segment: Segment, log_in: LogIn, marketer: User) -> None:
    log_in(marketer)
    page.goto(address("change", segment.pk))
    page.locator("button[value='down /where/of/0']").click()
    expect(control(page, "of/1/event")).to_have_value("Product Viewed")
    expect(control(page, "of/0/kind")).to_have_value("any")
    page.locator("button[value='remove /where/of/0']").click()
    expect(control(page, "of/1/event")).to_have_count(0)
    expect(page.locator("#summary .size")).to_contain_text("3")


def test_a_segment_is_deleted_after_a_question(page: Page, segment: Segment, log_in: LogIn, marketer: User) -> None:
    log_in(marketer)
    page.goto(address("segment", segment.pk))
    page.locator(".page-head .menu summary").click()
    page.locator("[data-dialog=delete-segment]").click()
    page.locator("#delete-segment .btn-danger").click()
    expect(page).to_have_url(re.compile(re.escape(address("segments")) + "$"))
    assert not Segment.objects.exists()


@pytest.mark.usefixtures("look")
def test_every_page_is_accessible_in_every_look(
    page: Page, segment: Segment, log_in: LogIn, marketer: User, web_shop: Source, assert_accessible: Check
) -> None:
    log_in(marketer)
    for path, sign in (
        (address("segments"), "td.number:has-text('3')"),
        (address("create"), "#summary p"),
        (address("change", segment.pk), "#summary .sentence"),
        (address("segment", segment.pk), "#members tbody tr"),
        (address("members", segment.pk), "#members tbody tr"),
        (address("export", segment.pk), "form select"),
    ):
        page.goto(path)
        expect(page.locator(sign).first).to_be_visible()
        assert_accessible(page)
    page.goto(address("segment", segment.pk))
    page.locator(".page-head .btn-primary").click()
    expect(page.locator("#dialog")).to_be_visible()
    assert_accessible(page)
    page.goto(reverse("profiles:customer", args=[profile_of(web_shop, "v1").public_id]))
    expect(page.locator("#panel-segments-body")).to_contain_text("ดูของสีแดง")


def test_nothing_is_wider_than_a_phone(page: Page, segment: Segment, log_in: LogIn, marketer: User) -> None:
    log_in(marketer)
    page.set_viewport_size({"width": 390, "height": 844})
    for path in (address("segments"), address("change", segment.pk), address("segment", segment.pk)):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
