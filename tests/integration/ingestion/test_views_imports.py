"""The import's screens: upload, mapping with preview, start, progress, cancel."""

from collections.abc import Callable
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import AuditEvent, User
from ingestion import imports
from ingestion.files import importer, store
from ingestion.models import FieldMapping, FileImport, Source
from profiles import digest

pytestmark = pytest.mark.django_db

TEXT = "รหัส,ชื่อ-สกุล,เบอร์โทร,รับข่าวสารทางอีเมล\nP1,นายสมชาย ใจดี,๐๘๙-๔๕๕-๑๒๐๓,Y\nP2,สุดา,0999999999,N\n,ไม่มีรหัส,,\n"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _own_store(tmp_path, settings):
    settings.CDP_DATA = tmp_path
    settings.LANGUAGE_CODE = "th"


@pytest.fixture
def browser(login: Callable[[User], Client], steward: User) -> Client:
    client = login(steward)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def file_import(pos: Source) -> FileImport:
    return imports.receive(source=pos, file_name="members.csv", chunks=[TEXT.encode()], by="system:test")


def send(client: Client, source: Source, content: bytes, name: str = "members.csv"):
    file = SimpleUploadedFile(name, content, "text/csv")
    return client.post(reverse("ingestion:new_import"), {"source": source.pk, "file": file})


def page(client: Client, name: str, file_import: FileImport, **options) -> str:
    return unescape(client.get(reverse(f"ingestion:{name}", args=[file_import.pk]), **options).content.decode())


class TestUpload:
    def test_a_file_is_sealed_and_waits_for_its_mapping(self, browser, pos, steward):
        response = send(browser, pos, TEXT.encode("cp874"))

        file_import = FileImport.objects.get()
        assert response.headers["Location"] == reverse("ingestion:import", args=[file_import.pk])
        assert (file_import.source, file_import.encoding, file_import.created_by) == (pos, "cp874", steward)
        assert [path.suffix for path in store.folder().iterdir()] == [".sealed"]
        assert AuditEvent.objects.get(action="import.upload").actor == f"user:{steward.pk}"

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"", "empty"),
            (b"x" * 1_100_000, "longer than 1 MB"),
            (b"PK\x03\x04 xl/workbook.xml", "damaged"),
            ("name\nMüller é\n".encode("cp1252"), "TIS-620"),
        ],
    )
    def test_a_file_that_cannot_be_taken_says_why_and_leaves_nothing(self, browser, pos, content, words):
        response = send(browser, pos, content)

        assert response.status_code == 422
        assert words in unescape(response.content.decode())
        assert not FileImport.objects.exists()
        assert list(store.folder().iterdir()) == []

    def test_a_form_without_its_source_leaves_nothing(self, browser):
        response = browser.post(reverse("ingestion:new_import"), {"file": SimpleUploadedFile("a.csv", TEXT.encode())})

        assert response.status_code == 422
        assert list(store.folder().iterdir()) == []

    def test_the_token_is_asked_for(self, pos, steward):
        client = Client(enforce_csrf_checks=True)
        client.force_login(steward)

        assert send(client, pos, TEXT.encode()).status_code == 403
        assert not FileImport.objects.exists()
        assert list(store.folder().iterdir()) == []


class TestMapping:
    def test_the_columns_are_suggested_and_the_first_rows_shown(self, browser, file_import):
        text = page(browser, "import", file_import)

        assert '<option value="trait:name" selected>' in text
        assert '<option value="record_id" selected>' in text
        assert "+66894551203" in text
        assert "A placeholder, not a real value" in text
        assert "The record id is empty" in text
        assert "Start the import" in text

    def test_changing_a_field_shows_the_new_preview_and_saves_nothing(self, browser, file_import):
        response = remap(browser, file_import, **{"target-1": "", "target-2": "trait", "name-2": "Shoe size"})
        text = unescape(response.content.decode())

        assert "<html" not in text
        assert "Give a name; in small Latin letters" in text
        assert "The preview appears as soon as the mapping is complete." in text
        assert not FieldMapping.objects.exists()

    def test_a_preset_fills_the_form_and_columns_it_does_not_know_are_left_out(self, browser, file_import):
        text = unescape(remap(browser, file_import, base="pos", base_was="suggestion").content.decode())

        assert '<input type="hidden" name="years" value="buddhist">' in text
        assert text.count('<option value="trait:name" selected>') == 1
        assert 'trait:phone" selected' not in text  # the preset calls that column differently

    def test_what_a_row_is_may_be_changed(self, browser, file_import):
        text = unescape(remap(browser, file_import, rows="events", rows_were="people").content.decode())

        assert '<option value="event" selected>' in text
        assert "Give either a column or a fixed value." in text

    def test_a_column_may_have_a_second_use(self, browser, file_import):
        text = unescape(remap(browser, file_import, add="0").content.decode())

        assert text.count('value="รหัส"') == 2

    def test_what_was_detected_wrongly_is_corrected(self, browser, file_import):
        browser.post(reverse("ingestion:import_format", args=[file_import.pk]), {"encoding": "utf-8", "delimiter": ";"})

        file_import.refresh_from_db()
        assert file_import.columns == ["column 1"]


def form_of(file_import: FileImport) -> dict[str, str]:
    """What the browser would send of the form as it is first shown."""
    targets = ["record_id", "trait:name", "trait:phone", "consent"]
    sent = {"rows": "people", "rows_were": "people", "base": "suggestion", "base_was": "suggestion",
            "date_order": "dmy", "years": "", "empty": "unchanged", "mapping_name": "members"}  # fmt: skip
    for number, (column, target) in enumerate(zip(file_import.columns, targets, strict=True)):
        sent |= {f"column-{number}": column, f"target-{number}": target}
    return {**sent, "purpose-3": "marketing", "channel-3": "email"}


def remap(client: Client, file_import: FileImport, **changes: str):
    address = reverse("ingestion:import_mapping", args=[file_import.pk])
    return client.post(address, {**form_of(file_import), **changes}, headers=HTMX)


class TestStart:
    def test_the_import_runs_and_its_page_accounts_for_every_row(self, browser, file_import):
        address = reverse("ingestion:import_start", args=[file_import.pk])
        assert browser.post(address, form_of(file_import)).status_code == 302

        assert 'hx-trigger="every 1s"' in page(browser, "import", file_import)
        importer.run(str(file_import.pk))
        waiting = page(browser, "import_progress", file_import, headers=HTMX)
        assert "<html" not in waiting
        assert "Making profiles" in waiting
        digest.drain()
        done = page(browser, "import", file_import)
        assert "hx-trigger" not in done.partition('id="progress"')[2].partition(">")[0]
        assert "The record id is empty" in done
        assert FieldMapping.objects.get().name == "members"

    def test_an_incomplete_mapping_comes_back(self, browser, file_import):
        address = reverse("ingestion:import_start", args=[file_import.pk])
        response = browser.post(address, {**form_of(file_import), "purpose-3": ""})

        assert response.status_code == 422
        assert "Say which purpose" in unescape(response.content.decode())
        file_import.refresh_from_db()
        assert file_import.status == FileImport.Status.UPLOADED

    def test_a_second_start_is_refused(self, browser, file_import):
        address = reverse("ingestion:import_start", args=[file_import.pk])
        browser.post(address, form_of(file_import))

        assert browser.post(address, form_of(file_import)).status_code == 409

    def test_it_can_be_cancelled(self, browser, file_import):
        browser.post(reverse("ingestion:import_cancel", args=[file_import.pk]))

        assert "cancelled" in page(browser, "import", file_import)


class TestWhoMay:
    @pytest.mark.parametrize("who", ["agent", "marketer", "analyst", "compliance", "admin", "outsider"])
    def test_who_imports_no_files_finds_nothing(self, request, login, file_import, pos, who):
        client = login(request.getfixturevalue(who))

        for name in ("import", "import_progress"):
            assert client.get(reverse(f"ingestion:{name}", args=[file_import.pk])).status_code == 404
        for name in ("import_mapping", "import_start", "import_cancel", "import_format"):
            assert client.post(reverse(f"ingestion:{name}", args=[file_import.pk])).status_code == 404
        for name in ("imports", "new_import"):
            assert client.get(reverse(f"ingestion:{name}")).status_code == 404
        assert send(client, pos, TEXT.encode()).status_code == 404
        assert len(list(store.folder().iterdir())) == 1

    def test_without_a_login_it_goes_to_the_login(self, client, file_import):
        assert "/login/" in client.get(reverse("ingestion:import", args=[file_import.pk])).headers["Location"]


def test_the_list_names_every_import(browser, file_import, django_assert_max_num_queries):
    for number in range(3):
        imports.receive(source=file_import.source, file_name=f"{number}.csv", chunks=[TEXT.encode()], by="system:test")
    with django_assert_max_num_queries(6):
        text = browser.get(reverse("ingestion:imports")).content.decode()

    assert "members.csv" in text
    assert "2.csv" in text
