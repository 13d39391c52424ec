"""Saved mappings: the list, versions, what changed, what used them."""

from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import User
from ingestion import imports, mappings
from ingestion.mapping_screen import mapping_diff
from ingestion.models import FieldMapping

pytestmark = pytest.mark.django_db

BY = "system:test"
FIRST = {
    "version": 2,
    "rows": "people",
    "fields": [
        {"from": "รหัส", "to": "record_id"},
        {"from": "ชื่อ", "to": "trait", "name": "name"},
        {"from": "เพศ", "to": "trait", "name": "gender"},
    ],
}
SECOND = {
    **FIRST,
    "date_order": "mdy",
    "fields": [
        {"from": "รหัส", "to": "record_id"},
        {"from": "ชื่อ", "to": "trait", "name": "name", "steps": [{"do": "split_name"}]},
        {"from": "News", "to": "consent", "purpose": "marketing", "channel": "email", "when": {"value": "2024-05-01"}},
    ],
}


@pytest.fixture(autouse=True)
def _own_store(tmp_path, settings):
    settings.CDP_DATA = tmp_path
    settings.LANGUAGE_CODE = "th"


@pytest.fixture
def browser(login: Callable[[User], Client], steward: User) -> Client:
    client = login(steward)
    client.cookies["django_language"] = "en"
    return client


def text_of(client: Client, name: str, *args: str, **query: str) -> str:
    response = client.get(reverse(f"ingestion:{name}", args=args), query)
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_the_list_counts_versions_and_imports(browser, pos, django_assert_max_num_queries):
    file_import = imports.receive(source=pos, file_name="a.csv", chunks=["รหัส,ชื่อ,เพศ\n1,ก,ช\n".encode()], by=BY)
    imports.start(file_import=file_import, definition=FIRST, mapping_name="members", by=BY)
    mappings.save(name="members", definition=SECOND, source=pos, by=BY)
    mappings.save(name="receipts", definition=FIRST, source=pos, by=BY)

    with django_assert_max_num_queries(6):
        text = text_of(browser, "mappings")

    assert text.count('href="/imports/mappings/members/"') == 1
    assert "receipts" in text
    assert "shopee-orders" in text  # what ships stands beside it
    assert "No mapping is saved yet" not in text


def test_without_any_it_says_where_they_come_from(browser):
    assert "No mapping is saved yet" in text_of(browser, "mappings")


def test_two_versions_are_compared(browser, pos):
    file_import = imports.receive(source=pos, file_name="a.csv", chunks=["รหัส,ชื่อ,เพศ\n1,ก,ช\n".encode()], by=BY)
    imports.start(file_import=file_import, definition=FIRST, mapping_name="members", by=BY)
    mappings.save(name="members", definition=SECOND, source=pos, by=BY)

    text = text_of(browser, "mapping", "members")

    assert "Month, day, year" in text
    assert "Split a full name" in text
    assert "removed" in text  # the gender
    assert "said on 2024-05-01" in text
    assert "a.csv" in text  # used by
    assert "The two versions say the same." in text_of(browser, "mapping", "members", **{"from": "2", "to": "2"})


def test_what_changed_is_told_field_by_field():
    told = [(one.kind, str(one.label), one.before, one.after) for one in mapping_diff.changes(FIRST, SECOND)]

    assert [kind for kind, *_rest in told] == ["changed", "changed", "added", "removed"]
    assert (told[1][2].column, told[1][2].details, len(told[1][3].details)) == ("ชื่อ", (), 1)
    assert mapping_diff.changes(FIRST, {**FIRST, "version": 1}) == []


def test_a_version_that_says_the_same_is_not_saved_again(pos):
    first = mappings.save(name="pos", definition={**FIRST, "version": 1}, source=pos, by=BY)

    assert mappings.save(name="pos", definition=FIRST, source=pos, by=BY) == first


def test_a_file_begins_with_the_mapping_that_the_source_used_last(browser, pos, web_shop):
    mappings.save(name="members", definition=FIRST, source=pos, by=BY)
    columns = ["รหัส", "ชื่อ", "เพศ", "อื่น"]

    assert mappings.fitting(pos, columns) == "members"
    assert mappings.fitting(pos, columns[:2]) is None
    assert mappings.fitting(web_shop, columns) is None
    file_import = imports.receive(source=pos, file_name="a.csv", chunks=["รหัส,ชื่อ,เพศ\n1,ก,ช\n".encode()], by=BY)
    text = text_of(browser, "import", str(file_import.pk))
    assert '<option value="members" selected>' in text
    assert 'name="mapping_name" value="members"' in text


def test_mappings_of_a_source_are_seen_by_who_sees_the_source(pos, web_shop, agent, marketer):
    mappings.save(name="tills", definition=FIRST, source=pos, by=BY)  # common to all departments
    mappings.save(name="shop", definition=FIRST, source=web_shop, by=BY)  # marketing's

    def seen_by(user: User) -> set[str]:
        return set(FieldMapping.objects.visible_to(user).values_list("name", flat=True))

    assert seen_by(agent) == {"tills"}
    assert seen_by(marketer) == {"tills", "shop"}


@pytest.mark.parametrize("who", ["agent", "marketer", "analyst", "compliance", "admin", "outsider"])
def test_who_imports_no_files_finds_nothing(request, login, pos, who):
    mappings.save(name="members", definition=FIRST, source=pos, by=BY)
    client = login(request.getfixturevalue(who))

    assert client.get(reverse("ingestion:mappings")).status_code == 404
    assert client.get(reverse("ingestion:mapping", args=["members"])).status_code == 404
