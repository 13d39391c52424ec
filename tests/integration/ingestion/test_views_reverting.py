"""The screens of an import around its start and its end: trial, report, broken rows, and taking it back."""

from collections.abc import Callable
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import AuditEvent, User
from ingestion import imports, rehearsal
from ingestion.models import FileImport, ImportTrial
from profiles.models import Revert, SourceRecord
from profiles.reverting import job
from tests.factories.files import PEOPLE, PEOPLE_WITH_CONSENT, bring_in, land

pytestmark = pytest.mark.django_db

HEAD = "id,name,phone,email,city\n"
TEXT = HEAD + "P1,สุดา รักดี,0863451972,suda@baansabai.co.th,\nP2,มานะ,0819876543,,\n,ไม่มีรหัส,,,\n"
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _own_store(tmp_path, settings):
    settings.CDP_DATA = tmp_path


@pytest.fixture
def browser(login: Callable[[User], Client], steward: User) -> Client:
    client = login(steward)
    client.cookies["django_language"] = "en"
    return client


def page(client: Client, name: str, *arguments, **options) -> str:
    response = client.get(reverse(name, args=arguments), **options)
    assert response.status_code == 200
    return unescape(response.content.decode())


class TestTrial:
    @pytest.fixture
    def file_import(self, pos) -> FileImport:
        return imports.receive(source=pos, file_name="members.csv", chunks=[TEXT.encode()], by="system:test")

    def test_counts_the_mapping_on_the_screen(self, browser, file_import):
        shown = page(browser, "ingestion:import", file_import.pk)
        assert reverse("ingestion:try_import", args=[file_import.pk]) in shown
        fields = {"rows": "people", "name": "pos", "mapping_name": "pos", "base": "suggestion", "empty": "unchanged"}

        begun = browser.post(reverse("ingestion:try_import", args=[file_import.pk]), fields, headers=HTMX)

        assert begun.status_code in (200, 422)

    def test_shows_what_would_come(self, browser, file_import, steward):
        trial = rehearsal.start(file_import=file_import, definition=PEOPLE, by=steward)
        address = ("ingestion:import_trial", file_import.pk, trial.pk)
        assert "hx-get" in page(browser, *address, headers=HTMX)

        rehearsal.run(str(trial.pk))

        shown = page(browser, *address, headers=HTMX)
        assert "hx-get" not in shown
        assert "What this import would do" in shown
        assert "Nothing has been imported." in shown
        assert not SourceRecord.objects.exists()
        assert ImportTrial.objects.get().counts["records"] == 2

    def test_says_that_the_import_would_fail(self, browser, pos, steward):
        file_import = imports.receive(source=pos, file_name="f.csv", chunks=[(HEAD + ",x,,,\n").encode()], by=steward)
        trial = rehearsal.start(file_import=file_import, definition=PEOPLE, by=steward)
        rehearsal.run(str(trial.pk))

        assert "This import would fail" in page(browser, "ingestion:import_trial", file_import.pk, trial.pk)

    def test_of_another_import_is_not_found(self, browser, file_import, pos, steward):
        trial = rehearsal.start(file_import=file_import, definition=PEOPLE, by=steward)
        other = imports.receive(source=pos, file_name="f.csv", chunks=[TEXT.encode()], by=steward)

        assert browser.get(reverse("ingestion:import_trial", args=[other.pk, trial.pk])).status_code == 404


class TestTakingBack:
    def test_is_previewed_asked_and_followed(self, browser, pos, steward, django_capture_on_commit_callbacks):
        file_import = bring_in(pos, TEXT)
        address = reverse("ingestion:import_revert", args=[file_import.pk])
        assert address in page(browser, "ingestion:import", file_import.pk)
        preview = page(browser, "ingestion:import_revert", file_import.pk)
        assert "Records that this import created are removed" in preview
        assert "lifts_denials" not in preview

        assert browser.post(address).headers["Location"] == address

        revert = Revert.objects.get()
        assert (revert.actor, revert.lifts_denials) == (f"user:{steward.pk}", False)
        assert "Taking it back" in page(browser, "ingestion:import_revert", file_import.pk, headers=HTMX)
        assert "is being taken back" in page(browser, "ingestion:import_progress", file_import.pk, headers=HTMX)
        job.run(str(revert.pk))
        assert "This import has been taken back" in page(browser, "ingestion:import_revert", file_import.pk)
        assert "has been taken back" in page(browser, "ingestion:import", file_import.pk)
        assert not SourceRecord.objects.exists()
        assert AuditEvent.objects.filter(action__startswith="operation.revert").count() == 2
        assert browser.post(address, follow=True).status_code == 200
        assert Revert.objects.count() == 1

    def test_refusals_are_lifted_only_when_asked(self, browser, pos):
        head = "id,name,phone,email,city,news\n"
        bring_in(pos, head + "P1,สุดา,,suda@baansabai.co.th,,Y\n", PEOPLE_WITH_CONSENT)
        refused = bring_in(pos, head + "P1,สุดา,,suda@baansabai.co.th,,N\n", PEOPLE_WITH_CONSENT)

        assert "1 customer has refused" in page(browser, "ingestion:import_revert", refused.pk)
        browser.post(reverse("ingestion:import_revert", args=[refused.pk]), {"lifts_denials": "yes"})

        assert Revert.objects.get().lifts_denials

    def test_waits_until_the_import_is_settled(self, browser, pos):
        file_import = land(pos, TEXT)

        assert browser.get(reverse("ingestion:import_revert", args=[file_import.pk])).status_code == 404
        assert "import_revert" not in page(browser, "ingestion:import", file_import.pk)

    @pytest.mark.parametrize("who", ["outsider", "marketer", "analyst", "agent", "compliance"])
    def test_is_for_stewards_and_administrators(self, request, login, pos, who):
        file_import = bring_in(pos, TEXT)
        client = login(request.getfixturevalue(who))

        for answer in (
            client.get(reverse("ingestion:import_revert", args=[file_import.pk])),
            client.post(reverse("ingestion:import_revert", args=[file_import.pk])),
        ):
            assert answer.status_code == 404
        assert not Revert.objects.exists()

    def test_another_department_s_import_is_not_found(self, login, make_user, web_shop, care):
        file_import = bring_in(web_shop, TEXT)
        admin = make_user("admin", care)

        assert login(admin).get(reverse("ingestion:import_revert", args=[file_import.pk])).status_code == 200


class TestReport:
    def test_tells_in_one_breath_what_was_found(self, browser, pos, web_shop):
        bring_in(web_shop, HEAD + "U1,สุดา รักดี,0863451972,,\n")
        file_import = bring_in(pos, TEXT + "P3,มานะ,0819876543,,\n")
        assert reverse("profiles:found_by_import", args=[file_import.operation_id]) in page(
            browser, "ingestion:import", file_import.pk
        )

        shown = page(browser, "profiles:found_by_import", file_import.operation_id, headers=HTMX)

        assert "3 records are" in shown
        assert "2 customers" in shown
        assert "1 was held twice" in shown
        assert "1 of them is known elsewhere, too:" in shown
        assert "Web shop" in shown

    def test_the_whole_company(self, browser, pos, web_shop, django_assert_max_num_queries):
        assert "No customers yet" in page(browser, "profiles:found")
        bring_in(web_shop, HEAD + "U1,สุดา รักดี,0863451972,,\nU2,อื่น,0891112223,,\n")
        bring_in(pos, TEXT + "P3,มานะ,0819876543,,\n")

        with django_assert_max_num_queries(20):
            shown = page(browser, "profiles:found")

        assert "Customers whom two sources know" in shown
        assert "Known by several sources" in shown

    def test_counts_of_sources_that_the_reader_does_not_see_are_absent(self, login, analyst, pos, call_centre):
        bring_in(call_centre, HEAD + "C1,สุดา รักดี,0863451972,,\n")
        bring_in(pos, TEXT)

        shown = unescape(login(analyst).get(reverse("profiles:found")).content.decode())

        assert "Point of sale" in shown
        assert "Call centre" not in shown

    @pytest.mark.parametrize("who", ["outsider", "agent"])
    def test_is_not_for_everybody(self, request, login, pos, who):
        file_import = bring_in(pos, TEXT)
        client = login(request.getfixturevalue(who))

        assert client.get(reverse("profiles:found")).status_code == 404
        assert client.get(reverse("profiles:found_by_import", args=[file_import.operation_id])).status_code == 404


def test_broken_rows_as_a_file(browser, pos, login, outsider):
    file_import = bring_in(pos, TEXT)
    address = reverse("ingestion:broken_rows", args=[file_import.pk])
    assert address in page(browser, "ingestion:import", file_import.pk)

    response = browser.get(address)

    assert response["Content-Disposition"].startswith("attachment")
    lines = response.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "Line,Why,Column"
    assert lines[1].startswith("4,")
    assert login(outsider).get(address).status_code == 404
