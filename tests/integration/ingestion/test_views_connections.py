"""The screens of connections: what is shown, tried and saved, and by whom."""

from html import unescape

import pytest
from django.urls import reverse

from cdp_site.core.models import AuditEvent
from ingestion import mappings
from ingestion.connections import databases, pulls, watched_folders
from ingestion.connections.databases import PullProblem
from ingestion.connections.wording_pulls import PullCode
from ingestion.models import Pull, WatchedFolder

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
ADDRESS = "postgresql://reader:secret-word@crm.example.com:5432/crm"
PEOPLE = {
    "version": 1,
    "rows": "people",
    "fields": [{"from": "id", "to": "record_id"}, {"from": "name", "to": "trait", "name": "name"}],
}


@pytest.fixture(autouse=True)
def _allowed(settings, tmp_path, pos):
    settings.PULL_HOSTS = ["crm.example.com"]
    settings.WATCHED_FOLDERS_ROOTS = [str(tmp_path)]
    settings.CDP_DATA = tmp_path / "data"
    (tmp_path / "pos").mkdir()
    mappings.save(name="members", definition=PEOPLE, source=pos, by="system:test")


@pytest.fixture
def browser(login, steward):
    client = login(steward)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def form(pos) -> dict[str, object]:
    return {
        "name": "Members", "source": pos.pk, "address": ADDRESS, "relation": "members", "cursor_column": "updated_at",
        "mapping_name": "members", "every_minutes": 15, "is_active": "on",
    }  # fmt: skip


@pytest.fixture
def pull(browser, form) -> Pull:
    browser.post(reverse("ingestion:new_pull"), form)
    return Pull.objects.get()


def text(response) -> str:
    return unescape(response.content.decode())


def test_a_database_is_connected_and_its_password_never_shown(browser, pull, steward):
    page = text(browser.get(reverse("ingestion:connections")))
    edited = text(browser.get(reverse("ingestion:pull", args=[pull.pk])))

    assert "Members" in page
    assert "postgresql://crm.example.com:5432/crm" in page
    assert "secret-word" not in page + edited
    assert AuditEvent.objects.get(action="pull.create").actor == f"user:{steward.pk}"


def test_a_change_keeps_the_address(browser, pull, form):
    browser.post(reverse("ingestion:pull", args=[pull.pk]), form | {"address": "", "every_minutes": 30})

    held = Pull.objects.get()
    assert (held.every_minutes, bytes(held.address)) == (30, bytes(pull.address))
    assert AuditEvent.objects.get(action="pull.change").fields == ["every_minutes"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"address": "postgresql://a:b@other.example.com/x"}, "This host is not allowed"),
        ({"address": "what"}, "Write the address as"),
        ({"relation": "DROP TABLE members"}, "Write a table's name, or one SELECT"),
        ({"mapping_name": ""}, "required"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(browser, form, change, words):
    response = browser.post(reverse("ingestion:new_pull"), form | change)

    assert response.status_code == 422
    assert words in text(response)
    assert not Pull.objects.exists()


def test_the_connection_is_tried_without_being_saved(browser, form, pull, monkeypatch):
    asked = []
    monkeypatch.setattr(databases, "first_row", lambda one: asked.append(one) or {"id": 1, "updated_at": 2})
    address = reverse("ingestion:test_pull", args=[pull.pk])

    works = text(browser.post(address, form | {"address": ""}, headers=HTMX))
    assert "The connection works" in works
    assert "updated_at" in works
    assert asked[0].address == ADDRESS

    def fails(_asked):
        raise PullProblem(PullCode.LOGIN)

    monkeypatch.setattr(databases, "first_row", fails)
    assert "does not know this user" in text(browser.post(reverse("ingestion:test_new_pull"), form, headers=HTMX))
    page = text(browser.post(reverse("ingestion:test_new_pull"), form))
    assert "<html" in page
    assert "secret-word" not in page.replace(f'value="{ADDRESS}"', "")


def test_it_can_be_asked_at_once(browser, pull, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        browser.post(reverse("ingestion:run_pull", args=[pull.pk]))
    assert len(callbacks) == 1
    assert AuditEvent.objects.filter(action="pull.run").exists()


def test_what_went_wrong_is_shown(browser, pull):
    Pull.objects.update(problem=PullCode.TIMEOUT)

    assert "took too long" in text(browser.get(reverse("ingestion:connections")))


def test_a_folder_is_watched_and_changed(browser, pos, tmp_path):
    sent = {"source": pos.pk, "path": str(tmp_path / "pos"), "pattern": "*.csv", "mapping_name": "members"}

    assert browser.post(reverse("ingestion:new_folder"), sent | {"is_active": "on"}).status_code == 302
    folder = WatchedFolder.objects.get()
    browser.post(reverse("ingestion:folder", args=[folder.pk]), sent)
    refused = browser.post(reverse("ingestion:new_folder"), sent | {"path": "/etc"})

    page = text(browser.get(reverse("ingestion:connections")))
    assert str(tmp_path / "pos") in page
    assert "switched off" in page
    assert refused.status_code == 422
    assert "WATCHED_FOLDERS_ROOTS" in text(refused)


def test_without_allowed_places_it_says_who_can_allow_them(browser, settings):
    settings.PULL_HOSTS = settings.WATCHED_FOLDERS_ROOTS = []
    page = text(browser.get(reverse("ingestion:connections")))

    assert "PULL_HOSTS" in page
    assert "WATCHED_FOLDERS_ROOTS" in page


class TestWhoMay:
    @pytest.fixture
    def folder(self, pos, tmp_path) -> WatchedFolder:
        return watched_folders.save(
            folder=None, source=pos, path=str(tmp_path / "pos"), pattern="*", mapping_name="members", is_active=True,
            by="system:test",
        )  # fmt: skip

    @pytest.mark.parametrize("who", ["agent", "marketer", "analyst", "compliance", "outsider"])
    def test_who_manages_no_sources_finds_nothing(self, request, login, who, pull, folder):
        client = login(request.getfixturevalue(who))

        for name, args in (("connections", []), ("new_pull", []), ("pull", [pull.pk]), ("new_folder", []),
                           ("folder", [folder.pk])):  # fmt: skip
            assert client.get(reverse(f"ingestion:{name}", args=args)).status_code == 404
        for name, args in (("test_new_pull", []), ("test_pull", [pull.pk]), ("run_pull", [pull.pk])):
            assert client.post(reverse(f"ingestion:{name}", args=args)).status_code == 404

    def test_without_a_login_it_goes_to_the_login(self, client):
        assert "/login/" in client.get(reverse("ingestion:connections")).headers["Location"]


def test_a_pull_of_nothing_is_not_saved_by_the_service_either(pos):
    with pytest.raises(PullProblem):
        pulls.save(
            pull=None, source=pos, name="x", address=ADDRESS, relation="a b c", cursor_column="id",
            mapping_name="members", every_minutes=1, is_active=True, by="system:test",
        )  # fmt: skip
