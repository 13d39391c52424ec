"""A workbook on its way through the screens: the sheet can be chosen, and its rows have the workbook's numbers."""

import io
import json
from html import unescape

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from ingestion import imports
from ingestion.files import importer, store
from ingestion.models import FileImport, InboundBatch

pytestmark = pytest.mark.django_db

PEOPLE = {
    "version": 1,
    "rows": "people",
    "fields": [{"from": "รหัส", "to": "record_id"}, {"from": "เบอร์โทร", "to": "trait", "name": "phone"}],
}


@pytest.fixture(autouse=True)
def _own_store(tmp_path, settings):
    settings.CDP_DATA = tmp_path


@pytest.fixture
def browser(login, steward):
    client = login(steward)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def uploaded(browser, pos) -> FileImport:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    shown_with_zeros = book.add_format({"num_format": "0000000000"})
    for name, first in (("Members", 1), ("สมาชิกเก่า", 7)):
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, ["รหัส", "เบอร์โทร"])
        for number in range(3):
            sheet.write(number + 1, 0, first + number)
            sheet.write(number + 1, 1, 812345670 + number, shown_with_zeros)
    book.close()
    file = SimpleUploadedFile("members.xlsx", buffer.getvalue())
    browser.post(reverse("ingestion:new_import"), {"source": pos.pk, "file": file})
    return FileImport.objects.get()


def page(browser, file_import: FileImport) -> str:
    return unescape(browser.get(reverse("ingestion:import", args=[file_import.pk])).content.decode())


def test_another_sheet_is_chosen_on_the_page(browser, uploaded):
    assert "Read from the sheet “Members”" in page(browser, uploaded)

    sent = {"sheet": "สมาชิกเก่า", "encoding": "utf-8", "delimiter": ",", "has_header": "on"}
    browser.post(reverse("ingestion:import_format", args=[uploaded.pk]), sent)

    shown = page(browser, uploaded)
    assert "Read from the sheet “สมาชิกเก่า”" in shown
    uploaded.refresh_from_db()
    assert (uploaded.sheet, uploaded.arrived_as, uploaded.columns) == ("สมาชิกเก่า", "xlsx", ["รหัส", "เบอร์โทร"])


def test_it_is_landed_with_its_zeros_and_the_workbook_goes(uploaded, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        started = imports.start(file_import=uploaded, definition=PEOPLE, by="system:test")
    importer.run(str(started.pk))

    messages = [one for batch in InboundBatch.objects.all() for one in json.loads(bytes(batch.raw))]
    assert [one["traits"]["phone"] for one in messages] == ["0812345670", "0812345671", "0812345672"]
    assert [(one["cdp"]["record"]["external_id"], one["cdp"]["line"]) for one in messages] == [
        ("1", 2), ("2", 3), ("3", 4),
    ]  # fmt: skip
    started.refresh_from_db()
    assert [path.stem for path in store.folder().iterdir()] == [started.stored_as]
    assert started.original_as == ""


def test_giving_it_up_removes_both_files(uploaded, django_capture_on_commit_callbacks):
    assert len(list(store.folder().iterdir())) == 2

    with django_capture_on_commit_callbacks(execute=True):
        imports.cancel(file_import=uploaded, by="system:test")

    assert list(store.folder().iterdir()) == []
