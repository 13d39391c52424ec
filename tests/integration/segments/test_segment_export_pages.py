"""The dialog, the page of a list and the list of lists; who may see which."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.models import Department, Role, User
from consent.models import Channel, Purpose
from ingestion.models import Source
from segments.exports import comparison, lift
from segments.exports.comparison import Comparison
from segments.exports.lift import Group
from segments.models import Segment, SegmentExport
from tests.customers import Tell, track
from tests.factories import exports
from tests.integration.segments.conftest import Login

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def purpose(db: None) -> Purpose:
    return Purpose.objects.get(slug="marketing")


@pytest.fixture
def listed(viewers: None, make_segment: Make, marketer: User, purpose: Purpose) -> SegmentExport:
    return exports.exported(make_segment(), purpose, Channel.EMAIL, marketer)


def given(purpose: Purpose, /, **said: object) -> dict[str, object]:
    """The form as a browser sends it."""
    return {
        "purpose": purpose.pk,
        "format": "csv",
        "channel": "email",
        "columns": ["customer_id", "name"],
        "holdout_percent": 10,
        "outcome": "orders",
    } | said


def page(export: SegmentExport, name: str = "exported") -> str:
    return reverse(f"segments:{name}", args=[export.pk])


class TestAsking:
    def test_the_dialog_offers_forms_columns_and_a_holdout_of_ten_percent(
        self, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        address = reverse("segments:export", args=[make_segment().pk])
        dialog = login(marketer).get(address, headers=HTMX).content.decode()
        assert "dialog-title" in dialog
        for text in ("Google Ads: customer list", "TikTok: customer file", "Excel workbook", 'value="10"', "Province"):
            assert text in dialog

    def test_the_preview_tells_who_stays_out_and_why_and_warns_of_few(
        self, purpose: Purpose, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        address = reverse("segments:export_preview", args=[make_segment().pk])
        told = login(marketer).post(address, given(purpose)).content.decode()
        assert "<strong>1</strong> of 3 members may be reached" in told
        assert "The customer refused" in told
        assert "So few people can be recognised" in told
        assert not SegmentExport.objects.exists()

    @pytest.mark.parametrize("missing", ["purpose", "channel"])
    def test_nothing_is_previewed_before_purpose_and_channel_are_chosen(
        self, missing: str, purpose: Purpose, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        address = reverse("segments:export_preview", args=[make_segment().pk])
        told = login(marketer).post(address, given(purpose, **{missing: ""}))
        assert told.content.decode().strip() == ""

    def test_a_platform_needs_no_channel(
        self, purpose: Purpose, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        address = reverse("segments:export_start", args=[make_segment().pk])
        answer = login(marketer).post(address, given(purpose, format="meta", channel=""))
        export = SegmentExport.objects.get()
        assert answer.headers["Location"] == page(export)
        assert (export.format, export.channel, export.columns, export.status) == ("meta", "", [], "waiting")

    @pytest.mark.parametrize(
        "said", [{"purpose": ""}, {"channel": ""}, {"holdout_percent": 51}, {"columns": ["birth_date"]}]
    )
    def test_an_invalid_form_comes_back(
        self, said: dict[str, object], purpose: Purpose, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        address = reverse("segments:export_start", args=[make_segment().pk])
        answer = login(marketer).post(address, given(purpose, **said))
        assert answer.status_code == 422
        assert not SegmentExport.objects.exists()

    def test_hidden_data_is_told_and_not_exported(
        self, purpose: Purpose, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        segment = make_segment()
        definition = {**segment.definition}
        definition["where"]["of"][0]["event"] = "Ticket Opened"
        Segment.objects.filter(pk=segment.pk).update(definition=definition)
        client = login(marketer)
        start = client.post(reverse("segments:export_start", args=[segment.pk]), given(purpose))
        preview = client.post(reverse("segments:export_preview", args=[segment.pk]), given(purpose))
        assert start.status_code == 422
        assert "does not see" in preview.content.decode()
        assert not SegmentExport.objects.exists()


class TestPage:
    def test_it_follows_the_job_and_then_stops_asking(
        self, purpose: Purpose, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        export, client = exports.ask(make_segment(), purpose, Channel.EMAIL, marketer), login(marketer)
        waiting = client.get(page(export, "export_progress"), headers=HTMX).content.decode()
        assert 'hx-trigger="every 1s"' in waiting
        assert "Fetch the file" not in waiting

        exports.make(export)
        ready = client.get(page(export, "export_progress"), headers=HTMX).content.decode()
        assert "every 1s" not in ready
        assert "Fetch the file" in ready
        assert "The customer refused" in ready
        assert "<html" in client.get(page(export)).content.decode()

    def test_the_file_is_a_download_of_the_form_that_was_asked_for(
        self, listed: SegmentExport, login: Login, marketer: User
    ) -> None:
        answer = login(marketer).post(page(listed, "export_file"))
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        assert answer.headers["Content-Disposition"] == (
            f'attachment; filename="segment-{listed.segment_id}-{timezone.localdate(listed.at).isoformat()}.csv"'
        )
        assert answer.headers["Cache-Control"] == "no-store"
        body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        assert b"v1@baansabai.co.th" in body
        assert len(body) == int(answer.headers["Content-Length"])

    def test_fetching_takes_a_fresh_login(self, listed: SegmentExport, login: Login, marketer: User) -> None:
        client = login(marketer)
        with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=False):
            answer = client.post(page(listed, "export_file"))
        assert "baansabai" not in answer.content.decode()
        listed.refresh_from_db()
        assert listed.n_fetched == 0

    def test_a_file_that_is_gone_is_told(self, listed: SegmentExport, login: Login, marketer: User) -> None:
        client = login(marketer)
        client.post(page(listed, "export_remove"))
        answer = client.post(page(listed, "export_file"), follow=True)
        told = answer.content.decode()
        assert "The file is no longer there" in told
        assert "who asked for it removed it" in told
        assert "Fetch the file" not in told

    def test_a_withdrawal_is_told_and_takes_the_file(
        self, listed: SegmentExport, login: Login, marketer: User, tell: Tell, web_shop: Source
    ) -> None:
        said = track("v1", "Consent Withdrawn", purpose="marketing", channel="email")
        tell(web_shop, said | {"timestamp": timezone.now().isoformat()})
        told = login(marketer).post(page(listed, "export_file"), follow=True).content.decode()
        assert "1 customer on the list may no longer be contacted" in told

    def test_why_it_failed_is_told(
        self, purpose: Purpose, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        export = exports.ask(make_segment(), purpose, Channel.EMAIL, marketer)
        SegmentExport.objects.filter(pk=export.pk).update(attempts=5)
        exports.make(export)
        told = login(marketer).get(page(export)).content.decode()
        assert "The list could not be made." in told
        assert "What the list brought" not in told

    def test_all_lists_stand_together_and_below_their_segment(
        self, listed: SegmentExport, login: Login, marketer: User
    ) -> None:
        client = login(marketer)
        for address in (reverse("segments:exports"), reverse("segments:segment", args=[listed.segment_id])):
            assert page(listed) in client.get(address).content.decode()

    def test_few_queries(
        self, listed: SegmentExport, login: Login, marketer: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = login(marketer)
        client.get(page(listed))
        with django_assert_max_num_queries(8):
            client.get(page(listed, "export_progress"), headers=HTMX)


class TestResult:
    def result(self, export: SegmentExport, client: object) -> str:
        return client.get(page(export, "export_result"), headers=HTMX).content.decode()  # type: ignore[attr-defined]

    def test_without_a_holdout_it_says_why_there_is_none(
        self, listed: SegmentExport, login: Login, marketer: User
    ) -> None:
        assert "Nobody was held out" in self.result(listed, login(marketer))

    def test_before_the_days_are_over_it_says_when(self, listed: SegmentExport, login: Login, marketer: User) -> None:
        SegmentExport.objects.filter(pk=listed.pk).update(n_held_out=12)
        told = self.result(listed, login(marketer))
        assert "in 14 days" in told
        assert "%" not in told

    @pytest.mark.parametrize(
        ("groups", "texts"),
        [
            ((Group(9_000, 540), Group(1_000, 30)), ("The list brought something", "+3.0", "because of it")),
            ((Group(9_000, 540), Group(1_000, 58)), ("Not proven", "+0.2")),
            ((Group(9_000, 180), Group(1_000, 60)), ("The list did harm", "\N{MINUS SIGN}4.0")),
            ((Group(9_000, 540), Group(500, 15)), ("The groups are not those that were drawn",)),
        ],
    )
    def test_verdicts_with_their_numbers(
        self,
        groups: tuple[Group, Group],
        texts: tuple[str, ...],
        listed: SegmentExport,
        login: Login,
        marketer: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        found = Comparison(lift.compare(*groups, percent=10), listed.at, listed.at, crossed=0)
        monkeypatch.setattr(comparison, "compare", lambda *_given: found)
        SegmentExport.objects.filter(pk=listed.pk).update(n_held_out=12)
        told = self.result(listed, login(marketer))
        for text in (*texts, "Newcombe", "<svg viewBox"):
            assert text in told
        assert ("because of it" in told) == ("because of it" in texts)

    def test_a_list_that_nobody_fetched_has_no_result(
        self, listed: SegmentExport, login: Login, marketer: User
    ) -> None:
        SegmentExport.objects.filter(pk=listed.pk).update(n_held_out=12, stored_as="", removed_because="withdrawn")
        assert "Nobody fetched the file" in self.result(listed, login(marketer))

    def test_whom_another_list_reached_is_told(
        self, listed: SegmentExport, login: Login, marketer: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        groups = lift.compare(Group(9_000, 540), Group(1_000, 58), percent=10)
        found = Comparison(groups, listed.at, listed.at, crossed=0, elsewhere=812)
        monkeypatch.setattr(comparison, "compare", lambda *_given: found)
        SegmentExport.objects.filter(pk=listed.pk).update(n_held_out=1_000)
        assert "812 of those held out were on another list" in self.result(listed, login(marketer))

    def test_of_single_persons_nothing_is_told(
        self, listed: SegmentExport, login: Login, marketer: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = Comparison(lift.compare(Group(81, 7), Group(9, 3), percent=10), listed.at, listed.at, crossed=0)
        monkeypatch.setattr(comparison, "compare", lambda *_given: found)
        SegmentExport.objects.filter(pk=listed.pk).update(n_held_out=9)
        told = self.result(listed, login(marketer))
        assert "Too few to say" in told
        assert "33.3" not in told
        assert "<svg viewBox" not in told


class TestWhoMay:
    ADDRESSES = ("exported", "export_progress", "export_result")

    @pytest.mark.parametrize("name", ["outsider", "agent", "steward", "compliance", "admin"])
    def test_others_find_nothing(
        self, name: str, listed: SegmentExport, login: Login, request: pytest.FixtureRequest
    ) -> None:
        client = login(request.getfixturevalue(name))
        for address in self.ADDRESSES:
            assert client.get(page(listed, address)).status_code == 404
        for address in ("export_file", "export_remove"):
            assert client.post(page(listed, address)).status_code == 404
        assert client.get(reverse("segments:exports")).status_code == 404

    def test_another_departments_lists_do_not_exist(
        self, listed: SegmentExport, login: Login, make_user: Callable[..., User], care: Department
    ) -> None:
        client = login(make_user(Role.MARKETER, care, "other"))
        for address in self.ADDRESSES:
            assert client.get(page(listed, address)).status_code == 404
        assert page(listed) not in client.get(reverse("segments:exports")).content.decode()

    def test_a_colleague_reads_the_page_and_does_not_get_the_file(
        self, listed: SegmentExport, login: Login, make_user: Callable[..., User], marketing: Department
    ) -> None:
        client = login(make_user(Role.MARKETER, marketing, "colleague"))
        told = client.get(page(listed)).content.decode()
        assert "Only who asked for it can fetch it." in told
        assert "Fetch the file" not in told
        for address in ("export_file", "export_remove"):
            assert client.post(page(listed, address)).status_code == 404
        listed.refresh_from_db()
        assert (listed.n_fetched, bool(listed.stored_as)) == (0, True)

    def test_who_moved_to_another_department_gets_no_file_of_the_former(
        self, viewers: None, make_segment: Make, login: Login, marketer: User, care: Department, purpose: Purpose
    ) -> None:
        """The segment is everybody's; the web shop, whose customers are in the file, is marketing's."""
        export = exports.exported(make_segment(department=None), purpose, Channel.EMAIL, marketer)
        User.objects.filter(pk=marketer.pk).update(department=care)
        answer = login(User.objects.get(pk=marketer.pk)).post(page(export, "export_file"), follow=True)
        told = answer.content.decode()
        assert "You may no longer see everything that is in this file" in told
        assert "baansabai" not in told
        export.refresh_from_db()
        assert export.n_fetched == 0

    def test_who_lost_the_right_or_left_gets_no_file(self, listed: SegmentExport, login: Login, marketer: User) -> None:
        client = login(marketer)
        User.objects.filter(pk=marketer.pk).update(role=Role.ANALYST)
        assert client.post(page(listed, "export_file")).status_code == 302, "the session ends with the role"
        assert login(User.objects.get(pk=marketer.pk)).post(page(listed, "export_file")).status_code == 404
        User.objects.filter(pk=marketer.pk).update(role=Role.MARKETER)
        client = login(User.objects.get(pk=marketer.pk))
        User.objects.filter(pk=marketer.pk).update(is_active=False)
        assert client.post(page(listed, "export_file")).status_code == 302
        listed.refresh_from_db()
        assert listed.n_fetched == 0

    def test_an_analyst_reads_what_it_brought(self, listed: SegmentExport, login: Login, analyst: User) -> None:
        client = login(analyst)
        assert client.get(page(listed, "export_result")).status_code == 200
        assert client.post(page(listed, "export_file")).status_code == 404

    def test_the_list_of_a_deleted_segment_stays_with_who_asked_for_it(
        self, listed: SegmentExport, login: Login, marketer: User, analyst: User
    ) -> None:
        Segment.objects.filter(exports=listed).delete()
        assert login(marketer).get(page(listed)).status_code == 200
        assert login(analyst).get(page(listed)).status_code == 404

    def test_what_is_not_there(self, login: Login, marketer: User) -> None:
        assert login(marketer).get(reverse("segments:exported", args=[uuid4()])).status_code == 404
