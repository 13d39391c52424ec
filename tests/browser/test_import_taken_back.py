"""The steward counts a file first, imports it, reads what was found, and takes it back, in a real browser."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings

from cdp_site.core.models import User
from ingestion import imports, rehearsal
from ingestion.files import importer
from ingestion.models import FileImport, ImportTrial, Source
from profiles import digest
from profiles.models import Profile, Revert
from profiles.reverting import job
from tests.factories.files import bring_in

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = "รหัส,ชื่อ-สกุล,เบอร์โทร\nP1,สุดา รักดี,0863451972\nP2,มานะ อดทน,0899999991\nP3,มานะ อดทน,0899999991\n,ไม่มีรหัส,\n"
PEOPLE = "id,name,phone,email,city\nP1,สุดา รักดี,0863451972,,\n,ไม่มีรหัส,,,\n"


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, settings: Settings) -> None:
    settings.CDP_DATA = tmp_path / "data"


@pytest.fixture
def at_work(page: Page, log_in: Callable[[User], None], steward: User) -> Page:
    log_in(steward)
    return page


def test_counts_imports_and_takes_back(at_work: Page, pos: Source) -> None:
    page = at_work
    file_import = imports.receive(source=pos, file_name="members.csv", chunks=[TEXT.encode()], by="system:test")
    page.goto(reverse("ingestion:import", args=[file_import.pk]))
    page.locator("#try").click()
    expect(page.locator("#trial progress")).to_be_visible()
    rehearsal.run(str(ImportTrial.objects.get().pk))
    expect(page.locator("#trial .equation")).to_contain_text("4")
    expect(page.locator("#trial .facts")).to_contain_text("2")  # three records, two customers
    assert not Profile.objects.exists()

    page.locator("#start").click()
    importer.run(str(file_import.pk))
    digest.drain()
    expect(page.locator("#progress .equation")).to_contain_text("3")
    page.reload()
    expect(page.locator("#found-title")).to_be_visible()
    page.locator("a[href$='/revert/']").click()
    page.locator("#revert .btn-danger").click()
    expect(page.locator("#revert progress")).to_be_visible()
    job.run(str(Revert.objects.get().pk))
    expect(page.locator("#revert progress")).to_have_count(0)
    assert not Profile.objects.exists()


@pytest.mark.usefixtures("look")
def test_pages_are_accessible_in_every_look(
    at_work: Page, pos: Source, assert_accessible: Callable[[Page], None]
) -> None:
    page = at_work
    file_import: FileImport = bring_in(pos, PEOPLE)
    page.goto(reverse("ingestion:import", args=[file_import.pk]))
    expect(page.locator("#found-title")).to_be_visible()
    assert_accessible(page)
    page.goto(reverse("profiles:found"))
    assert_accessible(page)
    page.goto(reverse("ingestion:import_revert", args=[file_import.pk]))
    assert_accessible(page)
    page.locator("#revert .btn-danger").click()
    expect(page.locator("#revert progress")).to_be_visible()
    assert_accessible(page)
