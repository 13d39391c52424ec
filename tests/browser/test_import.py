"""The steward imports a file in a real browser: upload, mapping, preview, progress, account."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings

from cdp_site.core.models import User
from ingestion import imports
from ingestion.files import importer
from ingestion.models import FileImport, Source
from profiles import digest
from profiles.models import Profile
from tests.browser.conftest import Console

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = "".join(f"P{n},นายสมชาย{n} ใจดี,08945512{n:02d},27/9/25{n:02d},{'YN'[n % 2]}\n" for n in range(20, 60))
TEXT = f"รหัส,ชื่อ-สกุล,เบอร์โทร,วันเกิด,MarketingEmail\n{ROWS},ไม่มีรหัส,,,\nP99,สุดา,0999999999,1/2/47,\n"


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, settings: Settings) -> None:
    settings.CDP_DATA = tmp_path / "data"


@pytest.fixture
def at_work(page: Page, log_in: Callable[[User], None], steward: User) -> Page:
    log_in(steward)
    return page


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """As a Thai till exports it."""
    path = tmp_path / "members.csv"
    path.write_bytes(TEXT.encode("cp874"))
    return path


def test_imports_a_file_from_upload_to_profiles(at_work: Page, pos: Source, file: Path) -> None:
    page = at_work
    page.goto(reverse("ingestion:imports"))
    page.locator("a.btn-primary").click()
    page.locator("#id_source").select_option(str(pos.pk))
    page.locator("#id_file").set_input_files(file)
    page.locator("form .btn-primary").click()

    expect(page.locator("#preview")).to_contain_text("+66894551220")
    expect(page.locator(".preview .left-out")).to_have_count(1)  # the row without an id, beside its place
    page.locator("select[name=target-2]").select_option("")
    expect(page.locator("#preview")).not_to_contain_text("+66894551220")
    page.locator("select[name=target-2]").select_option("trait:phone")
    expect(page.locator("#preview")).to_contain_text("+66894551220")
    page.locator("#mapping .btn-primary").click()

    file_import = FileImport.objects.get()
    importer.run(str(file_import.pk))
    digest.drain()
    expect(page.locator("#progress .equation")).to_contain_text("41")
    expect(page.locator("#progress table")).to_contain_text("42")
    assert Profile.objects.filter(kind="identified").count() == 41


def test_a_file_that_is_refused_says_why(at_work: Page, pos: Source, tmp_path: Path, console: Console) -> None:
    console.allow("status of 422")
    page = at_work
    path = tmp_path / "book.xlsx"
    path.write_bytes(b"PK\x03\x04 xl/workbook.xml")
    page.goto(f"{reverse('ingestion:new_import')}?source={pos.pk}")
    page.locator("#id_file").set_input_files(path)
    page.locator("form .btn-primary").click()

    expect(page.locator(".problem")).to_contain_text("เสียหาย")
    assert not FileImport.objects.exists()


@pytest.mark.usefixtures("look")
def test_pages_are_accessible_in_every_look(
    at_work: Page, pos: Source, assert_accessible: Callable[[Page], None]
) -> None:
    page = at_work
    page.goto(reverse("ingestion:new_import"))
    assert_accessible(page)
    file_import = imports.receive(source=pos, file_name="members.csv", chunks=[TEXT.encode()], by="system:test")
    page.goto(reverse("ingestion:import", args=[file_import.pk]))
    page.locator("select[name=target-4]").select_option("trait")
    expect(page.locator("[name=name-4]")).to_be_visible()
    assert_accessible(page)
    page.locator("select[name=target-4]").select_option("consent")
    page.locator("select[name=purpose-4]").select_option("marketing")
    page.locator("select[name=channel-4]").select_option("email")
    expect(page.locator("#mapping .btn-primary")).to_be_enabled()
    page.locator("#mapping .btn-primary").click()
    expect(page.locator("#progress")).to_be_visible()
    assert_accessible(page)
    importer.run(str(file_import.pk))
    expect(page.locator("#progress table")).to_be_visible()
    assert_accessible(page)
    page.goto(reverse("ingestion:imports"))
    assert_accessible(page)


def test_the_mapping_follows_what_is_chosen(at_work: Page, pos: Source) -> None:
    page = at_work
    file_import = imports.receive(source=pos, file_name="members.csv", chunks=[TEXT.encode()], by="system:test")
    page.goto(reverse("ingestion:import", args=[file_import.pk]))

    page.locator("#rows").select_option("events")
    expect(page.locator("#preview")).to_contain_text("ค่าคงที่")  # the event needs a name
    expect(page.locator("#try")).to_be_disabled()
    page.locator("[name=value-0]").fill("Card Shown")
    page.locator("[name=value-0]").press("Tab")
    expect(page.locator("#preview table")).to_contain_text("Card Shown")
    expect(page.locator("#try")).to_be_enabled()
    expect(page.locator("#target-1")).to_have_value("record_id")
    page.locator("#row-1 button").click()
    expect(page.locator("#target-2")).to_have_value("")
    page.locator("#target-2").focus()
    page.locator("#target-2").select_option("row_id")
    expect(page.locator("#start")).to_be_enabled()
    expect(page.locator("#target-2")).to_be_focused()
    expect(page.locator("#start")).to_be_enabled()
    page.locator("#base").select_option("pos")
    expect(page.locator("#rows")).to_have_value("people")
