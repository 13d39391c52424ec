"""The mapping screen in a browser: steps, questions, the wizard for consents, saved mappings."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect
from pytest_django import Settings

from cdp_site.core.models import User
from ingestion import imports, mappings
from ingestion.models import FileImport, Source
from tests.browser.conftest import first_held, hold

pytestmark = pytest.mark.django_db(transaction=True)


def _day(n: int) -> str:
    """One that may be read in either order, of an era that nothing tells."""
    return f"{n % 9 + 1}/{n % 11 + 1}/{n % 40 + 10}"


ROWS = "\n".join(
    f"P{n},นายสมชาย ใจดี,08945512{n:02d},{_day(n)},{'YN-'[n % 3]},{'ชญ'[n % 2]},{n},{n % 24}:00" for n in range(20, 50)
)
TEXT = f"รหัส,ชื่อ-สกุล,เบอร์โทร,วันเกิด,MarketingEmail,เพศ,แต้ม,เวลา\n{ROWS}\n"
DEFINITION = {
    "version": 2,
    "rows": "people",
    "fields": [{"from": "รหัส", "to": "record_id"}, {"from": "เบอร์โทร", "to": "trait", "name": "phone"}],
}


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, settings: Settings) -> None:
    settings.CDP_DATA = tmp_path / "data"


@pytest.fixture
def at_work(page: Page, log_in: Callable[[User], None], steward: User) -> Page:
    log_in(steward)
    return page


@pytest.fixture
def file_import(pos: Source) -> FileImport:
    return imports.receive(source=pos, file_name="members.csv", chunks=[TEXT.encode()], by="system:test")


def test_questions_and_steps_change_the_preview(at_work: Page, file_import: FileImport) -> None:
    page = at_work
    page.goto(reverse("ingestion:import", args=[file_import.pk]))

    # two questions, since nothing in the file decides them
    expect(page.locator(".question")).to_have_count(2)
    page.locator("#years-2").check()
    expect(page.locator("#preview")).to_contain_text("1987-10-03")
    page.locator("#date_order-2").check()
    expect(page.locator("#preview")).to_contain_text("1987-03-10")

    page.locator("#step0-5").select_option("map")
    values = page.locator("[name=step0-values-5]")
    expect(values).to_have_value("ช = ช\nญ = ญ")
    values.fill("ช = male")
    values.press("Tab")
    expect(page.locator("#preview .doubtful").first).to_contain_text("ค่านี้ไม่อยู่ในรายการ")
    page.locator("[name=step0-other-5]").select_option("problem")
    expect(page.locator("#preview .left-out").first).to_contain_text("ญ")
    page.locator("#step0-5").select_option("")
    expect(page.locator("#preview .left-out")).to_have_count(0)


def test_the_whole_mapping_is_done_by_keyboard(at_work: Page, file_import: FileImport) -> None:
    page = at_work
    page.goto(reverse("ingestion:import", args=[file_import.pk]))

    page.locator("#target-6").focus()
    page.keyboard.press("End")  # the last choice: a consent
    expect(page.locator("#row-6 .consent-wizard")).to_be_visible()
    expect(page.locator("#target-6")).to_be_focused()
    page.keyboard.press("Home")
    expect(page.locator("#row-6 .consent-wizard")).to_have_count(0)
    page.locator("#years-1").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#years-2")).to_be_checked()
    expect(page.locator("#years-2")).to_be_focused()
    page.locator("#mapping_name").focus()
    page.keyboard.press("Tab")
    expect(page.locator("#start")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_be_visible()


@pytest.mark.intercepts
def test_what_is_pressed_while_an_answer_comes_begins_the_import(at_work: Page, file_import: FileImport) -> None:
    page = at_work
    page.goto(reverse("ingestion:import", args=[file_import.pk]))
    held: list[Route] = []
    page.route("**/mapping/", hold(held))
    page.locator("#preview").evaluate("preview => preview.dataset.before = ''")
    page.locator("#empty").select_option(index=1)

    page.locator("#start").hover()
    page.mouse.down()
    first_held(page, held).continue_()
    expect(page.locator("#preview:not([data-before])")).to_be_visible()
    page.mouse.up()
    expect(page.locator("#progress")).to_be_visible()


@pytest.mark.usefixtures("look")
def test_every_state_is_accessible_in_every_look(
    at_work: Page, pos: Source, file_import: FileImport, assert_accessible: Callable[[Page], None]
) -> None:
    page = at_work
    page.goto(reverse("ingestion:import", args=[file_import.pk]))
    page.locator("#target-4").select_option("consent")
    expect(page.locator("#row-4 .consent-wizard")).to_be_visible()
    for number, step in enumerate(["trim", "join", "map", "number", "date"]):
        page.locator(f"#step{number}-6").select_option(step) if number else _first_step(page, step)
        expect(page.locator(f"#step{number + 1}-6")).to_be_visible()
    assert_accessible(page)

    page.goto(reverse("ingestion:mappings"))
    assert_accessible(page)
    mappings.save(name="members", definition=DEFINITION, source=pos, by="system:test")
    changed = {**DEFINITION, "fields": [*DEFINITION["fields"], {"from": "เพศ", "to": "trait", "name": "gender"}]}
    mappings.save(name="members", definition={**changed, "empty": "cleared"}, source=pos, by="system:test")
    page.goto(reverse("ingestion:mappings"))
    assert_accessible(page)
    page.locator("th a").first.click()
    expect(page.locator(".changes").first).to_be_visible()
    assert_accessible(page)


def _first_step(page: Page, step: str) -> None:
    page.locator("#target-6").select_option("trait")
    expect(page.locator("#step0-6")).to_be_visible()
    page.locator("#step0-6").select_option(step)


def test_nothing_is_wider_than_a_telephone(at_work: Page, file_import: FileImport) -> None:
    page = at_work
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(reverse("ingestion:import", args=[file_import.pk]))
    page.locator("#target-4").select_option("consent")
    expect(page.locator("#row-4 .consent-wizard")).to_be_visible()

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    mapping = page.locator("table.mapping")
    assert mapping.evaluate("table => table.scrollWidth <= table.parentElement.clientWidth")
