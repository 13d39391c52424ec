"""The builder in a real browser: moved by keys, undone, shared, and answered beside each rule."""

import re
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.urls import reverse
from playwright.sync_api import Locator, Page, Route, expect

from cdp_site.core.models import User
from ingestion.models import Source
from segments.models import SegmentDraft
from tests.browser.conftest import first_held, hold
from tests.customers import Tell, identify, track

LogIn = Callable[[User], None]
Check = Callable[[Page], None]


@pytest.fixture
def viewers(tell: Tell, web_shop: Source) -> None:
    """Six people looked at something, three of them at something red; one agreed to be written to."""
    cache.clear()
    for number in range(1, 7):
        user, colour = f"v{number}", "แดง" if number <= 3 else "ดำ"
        tell(web_shop, identify(user, firstName=f"มานี{number}", email=f"{user}@baansabai.co.th", province="ตรัง"))
        tell(web_shop, track(user, "Product Viewed", color=colour, price=number * 100))
    tell(web_shop, track("v1", "Consent Granted", purpose="marketing", channel="email"))


def address(name: str, *args: object) -> str:
    return reverse(f"segments:{name}", args=args)


def control(page: Page, name: str) -> Locator:
    return page.locator(f"[name='/where/{name}']")


def add(page: Page, action: str) -> None:
    page.locator(f"button[value='{action}']").click()


def two_rules(page: Page) -> None:
    """Viewed something red; lives in Trang. All of it is in the draft."""
    add(page, "add-touchpoint /where")
    control(page, "of/0/event").select_option("Product Viewed")
    add(page, "add-filter /where/of/0")
    control(page, "of/0/filters/0/property").select_option("color")
    control(page, "of/0/filters/0/value").fill("แดง")
    add(page, "add-attribute /where")
    control(page, "of/1/trait").select_option("province")
    control(page, "of/1/value").fill("ตรัง")
    control(page, "of/1/value").press("Tab")
    expect(page.locator("#r-where-of-1-count")).to_contain_text("6")


def test_each_rule_says_what_it_keeps_out_and_whom_a_channel_reaches(
    page: Page, viewers: None, log_in: LogIn, marketer: User
) -> None:
    log_in(marketer)
    page.goto(address("create"))
    two_rules(page)

    expect(page.locator("#summary .size")).to_contain_text("3")
    expect(page.locator("#r-where-of-0-count")).to_contain_text("เฉพาะข้อนี้ 3")
    expect(page.locator("#r-where-of-0-count .badge")).to_have_count(1)
    expect(page.locator("#r-where-of-1-count")).to_contain_text("เฉพาะข้อนี้ 6")
    expect(page.locator("#summary .sentence[lang=en]")).to_contain_text("People who viewed a product")
    expect(page.locator(".reach li").first).to_contain_text("33 %")

    page.get_by_role("button", name="สุ่มดู 20 คน").click()
    expect(page.locator("#sample tbody tr")).to_have_count(3)
    expect(page.locator("#sample")).to_contain_text("v••••@baansabai.co.th")


def test_rules_are_moved_by_keys_and_steps_taken_back_also_after_the_page_was_left(
    page: Page, viewers: None, log_in: LogIn, marketer: User
) -> None:
    log_in(marketer)
    page.goto(address("create"))
    two_rules(page)
    expect(page).to_have_url(re.compile(r"/segments/drafts/[0-9a-f-]+/$"))

    control(page, "of/1/trait").focus()
    page.keyboard.press("Alt+ArrowUp")
    expect(control(page, "of/0/trait")).to_be_focused()
    page.keyboard.press("Alt+ArrowRight")
    expect(control(page, "of/0/of/0/trait")).to_be_focused()
    page.keyboard.press("Alt+ArrowLeft")
    expect(control(page, "of/0/trait")).to_be_focused()

    page.reload()
    expect(control(page, "of/0/trait")).to_have_value("province")
    control(page, "of/0/trait").focus()
    for _step in range(3):
        with page.expect_response("**/segments/draft/"):
            page.keyboard.press("ControlOrMeta+z")
    expect(control(page, "of/1/trait")).to_have_value("province")
    with page.expect_response("**/segments/draft/"):
        page.keyboard.press("ControlOrMeta+Shift+z")
    expect(control(page, "of/0/trait")).to_have_value("province")


def test_a_rule_that_is_moved_from_within_its_text_takes_its_own_words_along(
    page: Page, viewers: None, log_in: LogIn, marketer: User
) -> None:
    log_in(marketer)
    page.goto(address("create"))
    for number, province in enumerate(("ตรัง", "ภูเก็ต")):
        add(page, "add-attribute /where")
        control(page, f"of/{number}/trait").select_option("province")
        control(page, f"of/{number}/value").fill(province)
        control(page, f"of/{number}/value").press("Tab")

    with page.expect_response("**/segments/draft/"):
        control(page, "of/1/value").press("Alt+ArrowUp")

    expect(control(page, "of/0/value")).to_have_value("ภูเก็ต")
    expect(control(page, "of/1/value")).to_have_value("ตรัง")


@pytest.mark.intercepts
def test_a_button_pressed_while_what_was_typed_is_on_its_way_is_not_lost(
    page: Page, viewers: None, log_in: LogIn, marketer: User
) -> None:
    log_in(marketer)
    page.goto(address("create"))
    held: list[Route] = []
    page.route("**/segments/draft/", hold(held), times=1)
    page.locator("#id_name").fill("ดูของสีแดง")
    with page.expect_request("**/segments/draft/"):
        add(page, "add-touchpoint /where")
    first_held(page, held).continue_()
    expect(control(page, "of/0/event")).to_be_focused()
    expect(page.locator("#id_name")).to_have_value("ดูของสีแดง")


@pytest.mark.intercepts
def test_counts_of_a_definition_that_is_no_longer_there_are_not_shown(
    page: Page, viewers: None, log_in: LogIn, marketer: User
) -> None:
    log_in(marketer)
    page.goto(address("create"))
    two_rules(page)

    held: list[Route] = []
    page.route("**/segments/summary/", hold(held), times=1)
    with page.expect_request("**/segments/summary/"):
        control(page, "of/1/trait").focus()
        page.keyboard.press("Alt+ArrowUp")
    with page.expect_response("**/segments/draft/"):
        page.keyboard.press("Alt+ArrowRight")
    with page.expect_response("**/segments/summary/"):
        first_held(page, held).continue_()
    expect(page.locator("#r-where-of-0-of-0-count")).to_contain_text("เฉพาะข้อนี้ 6")


def test_people_who_were_shown_go_with_the_definition_that_they_were_of(
    page: Page, viewers: None, log_in: LogIn, marketer: User
) -> None:
    log_in(marketer)
    page.goto(address("create"))
    two_rules(page)
    page.get_by_role("button", name="สุ่มดู 20 คน").click()
    expect(page.locator("#sample tbody tr")).to_have_count(3)

    page.locator("#id_name").fill("ดูของสีแดง")
    with page.expect_response("**/segments/draft/"):
        page.locator("#id_name").press("Tab")
    expect(page.locator("#sample tbody tr")).to_have_count(3)

    control(page, "of/0/filters/0/value").fill("ดำ")
    control(page, "of/0/filters/0/value").press("Tab")
    expect(page.locator("#sample tbody tr")).to_have_count(0)


def test_a_colleague_goes_on_with_the_draft(
    page: Page, viewers: None, log_in: LogIn, marketer: User, make_user: Callable[..., User]
) -> None:
    log_in(marketer)
    page.goto(address("create"))
    page.locator("#id_name").fill("ดูของสีแดง")
    two_rules(page)
    expect(page).to_have_url(re.compile(r"/segments/drafts/"))
    draft = page.url

    log_in(make_user("marketer", marketer.department, "colleague"))
    page.goto(draft)
    expect(page.locator("#id_name")).to_have_value("ดูของสีแดง")
    page.get_by_role("button", name="บันทึกเซกเมนต์").click()
    expect(page.locator("h1")).to_have_text("ดูของสีแดง")
    assert not SegmentDraft.objects.exists()


def test_begins_with_one_of_the_nine(page: Page, viewers: None, log_in: LogIn, marketer: User) -> None:
    log_in(marketer)
    page.goto(address("create"))
    page.get_by_role("link", name="วันเกิดเดือนนี้").click()
    expect(page.locator("#id_name")).to_have_value("วันเกิดเดือนนี้")
    expect(page.locator("#summary .size")).to_contain_text("0")


def test_a_sequence_is_written_as_it_is_spoken(page: Page, viewers: None, log_in: LogIn, marketer: User) -> None:
    log_in(marketer)
    page.goto(address("create"))
    add(page, "add-sequence /where")
    expect(control(page, "of/0/first/event")).to_be_focused()
    control(page, "of/0/first/event").select_option("Product Viewed")
    control(page, "of/0/then/event").select_option("Product Viewed")
    add(page, "add /where/of/0/without")
    expect(control(page, "of/0/without/event")).to_be_focused()
    control(page, "of/0/without/event").select_option("Product Viewed")
    control(page, "of/0/same").select_option("color")
    expect(page.locator("#summary .size")).to_contain_text("0")


def test_a_long_list_is_found_by_typing(page: Page, viewers: None, log_in: LogIn, marketer: User) -> None:
    log_in(marketer)
    page.goto(address("create"))
    add(page, "add-attribute /where")
    expect(control(page, "of/0/trait")).to_be_focused()

    page.keyboard.press("Enter")
    expect(page.locator("#chooser-text")).to_be_focused()
    page.keyboard.type("จังหวัด")
    expect(page.locator("#chooser-list li").first).to_contain_text("จังหวัด")
    expect(page.locator("#chooser-list li").first).to_contain_text("6")
    page.keyboard.press("Enter")
    expect(page.locator("#chooser")).to_be_hidden()
    expect(control(page, "of/0/trait")).to_have_value("province")
    expect(control(page, "of/0/operator")).to_be_visible()

    control(page, "of/0/trait").click()
    expect(page.locator("#chooser-text")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    expect(page.locator("#chooser-text")).to_have_value("x")
    page.keyboard.type(" no such thing")
    expect(page.locator("#chooser-none")).to_be_visible()
    page.keyboard.press("Escape")
    expect(control(page, "of/0/trait")).to_be_focused()
    expect(control(page, "of/0/trait")).to_have_value("province")


@pytest.mark.usefixtures("look")
def test_every_part_is_accessible_in_every_look(
    page: Page, viewers: None, log_in: LogIn, marketer: User, assert_accessible: Check
) -> None:
    log_in(marketer)
    page.goto(address("create"))
    expect(page.locator(".beginnings li")).to_have_count(9)
    assert_accessible(page)
    two_rules(page)
    expect(page.locator(".reach li").first).to_be_visible()
    page.locator(".reach details").first.locator("summary").click()
    page.locator("#r-where-of-0 .tools .menu > summary").click()
    assert_accessible(page)


def test_nothing_is_wider_than_a_phone(page: Page, viewers: None, log_in: LogIn, marketer: User) -> None:
    log_in(marketer)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address("create"))
    two_rules(page)
    add(page, "add-sequence /where")
    expect(control(page, "of/2/first/event")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
