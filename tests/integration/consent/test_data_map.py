"""The data map: every table and column of the database is on it, with purpose, ground and how long it is kept."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from cdp_site.core import anchors, personal_data
from cdp_site.core.models import User
from consent.data_map import document, drift, files, stores, tables
from consent.data_map.activities import ACTIVITIES, Whose
from consent.models import KeepingRule
from consent.package import making as packaged
from ingestion.files import store
from profiles.matching import model_files
from profiles.models import EventType
from segments.exports import files as exported

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(login: Callable[[User], Client], compliance: User) -> Client:
    client = login(compliance)
    client.cookies["django_language"] = "en"
    return client


def test_every_table_is_described() -> None:
    found = document.build()
    assert [table.label for table in found.undescribed] == [], "say in consent/data_map/tables.py what it is kept for"
    known = {table.label for table in found.tables}
    assert set(tables.TABLES) - known == set(tables.BARE) - known == set(), (
        "they are gone: take them out of data_map/tables.py"
    )


def test_the_map_agrees_with_the_schema() -> None:
    assert drift.compare(document.build()) == drift.Drift((), ())


def test_a_table_that_nobody_knows_is_told(desk: Client) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE somebody_elses (id int, phone text)")
        cursor.execute("ALTER TABLE profiles_note ADD COLUMN mood text")
    found = drift.compare(document.build())
    assert found.unmapped == ("profiles_note.mood", "somebody_elses.id", "somebody_elses.phone")
    page = desk.get("/data-map/").content.decode()
    assert "they differ" in page
    assert "profiles_note.mood" in page


def test_a_column_that_is_gone_is_told() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE profiles_note DROP COLUMN disposition")
    assert drift.compare(document.build()).missing == ("profiles_note.disposition",)


def test_whatever_is_personal_has_a_purpose_and_an_end() -> None:
    found = document.build()
    for part in found.parts:
        for table in part.tables:
            if table.personal_fields:
                assert part.activity.whose == Whose.CUSTOMERS, table.label
                assert part.activity.law != "–", table.label
            assert all(str(field.kept) for field in table.fields), table.label


def test_classes_and_holders_come_from_the_registry() -> None:
    by_label = {table.label: table for table in document.build().tables}
    for model in personal_data.own_models():
        if not model._meta.managed:  # a view of the database: its rows are those of others
            continue
        said = {field.name: field.kind for field in by_label[model._meta.label].fields}
        assert said == personal_data.classification_of(model)
    for holder in personal_data.holders():
        for label in holder.tables:
            assert holder.name in by_label[label].holders


def test_rules_of_retention_stand_there() -> None:
    viewed, _is_new = EventType.objects.get_or_create(name="Product Viewed")
    KeepingRule.objects.create(kind="touchpoints", event_type=viewed, days=400)
    KeepingRule.objects.create(kind="customers", days=1826)
    with translation.override("en"):
        by_label = {table.label: str(table.kept) for table in document.build().tables}
    assert "Product Viewed: 400 days" in by_label["profiles.Touchpoint"]
    assert "customers at most 1826 days after their last sign of life" in by_label["profiles.Profile"]


def test_files_belong_to_activities() -> None:
    assert {one.activity for one in stores.STORES} <= ACTIVITIES.keys()
    assert all(str(document.store_kept(one)) for one in stores.STORES)


def test_every_folder_that_the_code_writes_is_there(settings: Settings) -> None:
    places = {one.place for one in stores.STORES}
    rooms = {store.IMPORTS, exported.ROOM, packaged.ROOM, model_files.folder().name, anchors.file().parent.name}
    rooms.add(Path(settings.BACKUPS).name)
    assert {f"{room}/" for room in rooms} - places == set()


def test_the_page_and_the_fields_of_a_table(desk: Client) -> None:
    page = desk.get("/data-map/?table=profiles.Note").content.decode()
    assert "they agree" in page
    assert "An erasure goes through it by: profiles.notes" in page
    assert desk.get("/data-map/?table=nothing").status_code == 200


def test_csv_has_a_line_for_each_column(desk: Client) -> None:
    answer = desk.get("/data-map/file/?form=csv")
    text = b"".join(answer).decode("utf-8-sig")  # type: ignore[call-overload]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == sum(len(table.fields) for table in document.build().tables)
    (note,) = [row for row in rows if (row["table"], row["column"]) == ("profiles_note", "text")]
    assert (note["class"], note["erased_by"], note["activity"]) == ("personal", "profiles.notes", "Serving customers")


def test_json_is_the_record_of_processing(desk: Client) -> None:
    said = json.loads(desk.get("/data-map/file/?form=json").content)
    assert said["type"] == "record-of-processing"
    assert {one["key"] for one in said["activities"]} == set(ACTIVITIES)
    assert all(one["purpose"] and one["ground"] and one["recipients"] for one in said["activities"])


@pytest.mark.parametrize("language", ["th", "en"])
def test_the_paper(language: str) -> None:
    with translation.override(language):
        assert files.as_pdf(document.build()).startswith(b"%PDF-")


def test_no_form_shows_the_page(desk: Client) -> None:
    assert desk.get("/data-map/file/").status_code == 302


@pytest.mark.parametrize("role", ["agent", "marketer", "steward", "analyst", ""])
def test_it_is_for_compliance_and_administrators(
    login: Callable[[User], Client], make_user: Callable[..., User], role: str
) -> None:
    client = login(make_user(role))
    assert (client.get("/data-map/").status_code, client.get("/data-map/file/?form=csv").status_code) == (404, 404)
