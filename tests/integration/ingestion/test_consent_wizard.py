"""Consents of earlier days, from the wizard on the mapping screen to the ledger."""

from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import User
from consent.models import ConsentEntry
from ingestion import imports
from ingestion.files import importer
from ingestion.models import FieldMapping, FileImport, Source
from profiles import digest

pytestmark = pytest.mark.django_db(transaction=True)

HEAD = "รหัส,ชื่อ,MarketingEmail,MarketingSMS,วันที่\n"
TEXT = HEAD + "P1,สมชาย ใจดี,Y,N,1/5/2567\nP2,สุดา รักไทย,-,,1/5/2567\nP3,มาลี มีสุข,N,X,\nP4,วิชัย กล้าหาญ,Y,Y,\n"
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


def upload(source: Source, text: str) -> FileImport:
    return imports.receive(source=source, file_name="members.csv", chunks=[text.encode()], by="system:test")


def form(**changes: str) -> dict[str, str]:
    sent = {"rows": "people", "rows_were": "people", "base": "suggestion", "base_was": "suggestion",
            "date_order": "dmy", "years": "", "empty": "unchanged", "mapping_name": "members"}  # fmt: skip
    targets = ["record_id", "trait:name", "consent", "consent", ""]
    for number, (column, target) in enumerate(zip(HEAD.strip().split(","), targets, strict=True)):
        sent |= {f"column-{number}": column, f"target-{number}": target}
    return {**sent, **changes}


def answered(number: int, channel: str, answers: dict[str, str], **more: str) -> dict[str, str]:
    """What the wizard of a row sends."""
    sent = {"consent": "1", "purpose": "marketing", "channel": channel, **more}
    for place, (value, state) in enumerate(answers.items()):
        sent |= {f"answer{place}-value": value, f"answer{place}": state}
    return {f"{name}-{number}": value for name, value in sent.items()}


ASKED = {
    **answered(
        2,
        "email",
        {"Y": "granted", "-": "never", "N": "withdrawn"},
        **{"when-column": "วันที่", "when": "2020-01-02", "notice-version": "2567-05", "notice": "รับข่าวสาร",
           "language": "th", "how": "form", "where": "สาขาสยาม"},
    ),
    **answered(3, "sms", {"N": "refused", "X": "never", "Y": "granted"}),
}  # fmt: skip


def run(client: Client, file_import: FileImport, sent: dict[str, str]) -> FileImport:
    assert client.post(reverse("ingestion:import_start", args=[file_import.pk]), sent).status_code == 302
    importer.run(str(file_import.pk))
    digest.drain()
    file_import.refresh_from_db()
    return file_import


def ledger() -> list[tuple[str, str, str, str]]:
    entries = ConsentEntry.objects.order_by("record__external_id", "channel", "occurred_at")
    return [(one.record.external_id, one.channel, one.state, one.occurred_at.date().isoformat()) for one in entries]


def test_what_was_asked_when_and_with_what_evidence_reaches_the_ledger(browser, pos):
    file_import = run(browser, upload(pos, TEXT), form(**ASKED))

    assert (file_import.rows_read, file_import.rows_broken) == (4, 0)
    today = file_import.created_at.date().isoformat()
    assert ledger() == [
        ("P1", "email", "granted", "2024-04-30"),  # in Bangkok the first of May
        ("P1", "sms", "refused", today),
        ("P3", "email", "withdrawn", "2020-01-02"),
        ("P4", "email", "granted", "2020-01-01"),
        ("P4", "sms", "granted", today),
    ]
    entry = ConsentEntry.objects.get(record__external_id="P1", channel="email")
    assert (entry.notice_version, entry.language, entry.origin) == ("2567-05", "th", "cell")
    assert entry.evidence == {"notice": "รับข่าวสาร", "how": "form", "where": "สาขาสยาม", "column": "MarketingEmail"}
    saved = FieldMapping.objects.get(name="members").definition["fields"]
    assert saved[2]["values"] == {"Y": "granted", "-": "never", "N": "withdrawn"}
    assert saved[2]["when"] == {"from": "วันที่", "value": "2020-01-02"}


def test_unchanged_cells_of_the_next_file_are_no_consents(browser, pos):
    run(browser, upload(pos, TEXT), form(**ASKED))
    before = ledger()

    run(browser, upload(pos, TEXT), form(**ASKED))
    changed_names = TEXT.replace("ใจดี", "ใจดีมาก").replace("กล้าหาญ", "กล้า")
    run(browser, upload(pos, changed_names), form(**ASKED))
    assert ledger() == before

    run(browser, upload(pos, TEXT.replace("P4,วิชัย กล้าหาญ,Y,Y", "P4,วิชัย กล้าหาญ,Y,N")), form(**ASKED))
    assert [state for who, channel, state, _at in ledger() if (who, channel) == ("P4", "sms")] == ["granted", "refused"]


def test_the_wizard_asks_about_each_value_of_the_file(browser, pos):
    file_import = upload(pos, TEXT)
    address = reverse("ingestion:import_mapping", args=[file_import.pk])

    text = unescape(browser.post(address, form(), headers=HTMX).content.decode())

    assert "What was asked?" in text
    assert 'name="answer0-value-2" value="Y"' in text
    assert 'name="answer1-value-3" value="X"' in text
    assert "Say which purpose and which channel the consent is for." in text
    assert '<option value="sms" selected>' in text  # the column's name speaks of it


def test_the_second_column_is_asked_like_the_first(browser, pos):
    file_import = upload(pos, TEXT)
    first = {name: value for name, value in ASKED.items() if name.endswith("-2")}
    address = reverse("ingestion:import_mapping", args=[file_import.pk])

    text = unescape(browser.post(address, form(**first), headers=HTMX).content.decode())

    assert text.count('value="2567-05"') == 2
    assert text.count('value="2020-01-02"') == 2


def test_a_value_that_nobody_explained_leaves_its_row_out(browser, pos):
    sent = form(**answered(2, "email", {"Y": "granted", "-": "", "N": "refused"}), **answered(3, "sms", {}))
    file_import = run(browser, upload(pos, TEXT), {**sent, "target-3": ""})

    assert [(row["line"], row["column"]) for row in file_import.broken_rows] == []
    strange = HEAD + "P5,ก ข,perhaps,,\nP6,ค ง,Y,,\n"
    file_import = run(browser, upload(pos, strange), {**sent, "target-3": ""})
    assert [(row["line"], row["code"], row["column"]) for row in file_import.broken_rows] == [
        (2, "consent", "MarketingEmail")
    ]
