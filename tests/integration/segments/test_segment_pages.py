"""The list, a segment with its members, the panel of a customer, and who may see what of them."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.models import AccessLogEntry, AuditEvent, User
from ingestion.models import Source
from profiles.models import EventType, Profile, Trait, TraitGroup
from segments import audience, keeper
from segments.models import Segment
from tests.customers import LATELY, Tell, profile_of, track
from tests.integration.segments.conftest import Login, viewed_red

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]

CALLED = {
    "kind": "touchpoint",
    "event": "Call Ended",
    "count": {"bound": "at_least", "n": 1},
    "window": {"kind": "ever"},
}


def address(name: str, *args: object) -> str:
    return reverse(f"segments:{name}", args=args)


def text(response: Any) -> str:
    return str(response.content.decode())


def helpers_allowed() -> int:
    """Processes that a statement may use beside its own."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW max_parallel_workers_per_gather")
        return int(cursor.fetchone()[0])


@pytest.fixture
def carer(make_user: Callable[..., User], care: Any) -> User:
    """Builds segments for customer care."""
    return make_user("marketer", care, "carer")


@pytest.fixture
def as_marketer(login: Login, marketer: User) -> Client:
    return login(marketer)


class TestList:
    def test_shows_each_segment_with_its_sentence(
        self, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        make_segment()

        page = text(login(marketer).get(address("segments")))

        assert "People who viewed a product (colour is “red”)." in page

    def test_costs_as_many_queries_for_many_as_for_one(
        self,
        viewers: None,
        make_segment: Make,
        login: Login,
        marketer: User,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in range(5):
            make_segment(name=f"Red {number}")
        client = login(marketer)
        with django_assert_max_num_queries(14):
            client.get(address("segments"))

    def test_is_empty_at_first_with_the_next_step(self, login: Login, marketer: User) -> None:
        assert address("create") in text(login(marketer).get(address("segments")))

    def test_another_department_sees_common_ones_only(
        self, viewers: None, make_segment: Make, make_user: Callable[..., User], login: Login, care: Any
    ) -> None:
        own, common = make_segment(name="Ours"), make_segment(name="Common", department=None)
        other = make_user("marketer", care, "other")

        page = text(login(other).get(address("segments")))

        assert "Common" in page
        assert "Ours" not in page
        assert login(other).get(address("segment", own.pk)).status_code == 404
        assert login(other).get(address("segment", common.pk)).status_code == 200

    def test_outsiders_find_no_page(
        self, viewers: None, make_segment: Make, login: Login, outsider: User, steward: User
    ) -> None:
        pk = make_segment().pk
        asked = [address(name) for name in ("segments", "recent", "create", "draft", "summary", "values")]
        asked += [address(name) for name in ("exact", "reach", "sample")]
        asked += [address(name, pk) for name in ("segment", "size", "members", "change", "delete", "export")]
        asked += [address(name, pk) for name in ("export_preview", "export_start")]
        for user in (outsider, steward):
            for ask in (login(user).get, login(user).post):
                assert {ask(path).status_code for path in asked} == {404}


class TestOne:
    def test_says_how_many_and_who(self, viewers: None, make_segment: Make, login: Login, marketer: User) -> None:
        segment, client = make_segment(), login(marketer)

        assert "<strong>3</strong> of 6 customers" in text(client.get(address("size", segment.pk)))
        members = text(client.get(address("members", segment.pk), headers={"HX-Request": "true"}))
        assert [f"มีนา{number}" in members for number in range(1, 7)] == [True] * 3 + [False] * 3

    def test_says_up_to_when_the_stored_number_holds_and_counts_now_where_it_is_too_old(
        self,
        clock: Any,
        viewers: None,
        make_segment: Make,
        login: Login,
        marketer: User,
        tell: Tell,
        web_shop: Source,
    ) -> None:
        segment, client = make_segment(), login(marketer)
        keeper.catch_up()

        def page(seconds: int) -> str:
            clock.shift(timedelta(seconds=seconds))
            return text(client.get(address("size", segment.pk)))

        assert "as of" in page(90)  # nothing waits: it is of this moment
        tell(web_shop, track("v4", "Product Viewed", hours=-1 / 40, color="red"))
        stale, heard_at = page(30), LATELY + timedelta(seconds=90)
        assert "<strong>3</strong> of 6 customers" in stale
        assert f'as of <time datetime="{timezone.localtime(heard_at).isoformat()}"' in stale
        too_old = page(31)
        assert "<strong>4</strong> of 6 customers" in too_old
        assert "as of" not in too_old

    def test_masks_addresses_and_logs_who_was_shown(
        self, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        segment = make_segment()

        members = text(login(marketer).get(address("members", segment.pk)))

        assert "v1@baansabai.co.th" not in members
        assert AccessLogEntry.objects.filter(what="segment.members").count() == 3

    def test_pages_by_key(self, viewers: None, make_segment: Make, marketer: User) -> None:
        from cdp_site.core.access import scope_of

        question = audience.Question.of_segment(make_segment(), scope_of(marketer))
        seen, after = [], None
        while True:
            page = audience.page(question, after=after, size=2)
            seen += [profile.pk for profile in page.profiles]
            after = page.next
            if after is None:
                break

        assert len(seen) == len(set(seen)) == 3
        assert seen == audience.member_ids(question)

    def test_an_analyst_counts_and_meets_nobody(
        self, viewers: None, make_segment: Make, login: Login, analyst: User
    ) -> None:
        segment, client = make_segment(), login(analyst)

        assert "<strong>3</strong>" in text(client.get(address("size", segment.pk)))
        assert client.get(address("members", segment.pk)).status_code == 404
        assert client.get(address("export", segment.pk)).status_code == 404
        assert "members/" not in text(client.get(address("segment", segment.pk)))

    def test_what_is_too_slow_says_so(
        self, viewers: None, make_segment: Make, login: Login, marketer: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        segment = make_segment()

        def stop(query: object, *, helpers: int) -> None:
            with audience.time_limit(), audience.connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout TO '5ms'; SELECT pg_sleep(1)")

        monkeypatch.setattr(audience, "_answer", stop)

        page = text(login(marketer).get(address("size", segment.pk)))

        assert "Counting was stopped after 10 seconds" in page
        assert "Shorten the time windows" in page

    def test_a_count_may_use_a_second_processor_and_nothing_after_it(self) -> None:
        """The rest of the transaction is as the server is set up."""
        usual = helpers_allowed()
        with audience.time_limit(helpers=usual + 1):
            assert helpers_allowed() == usual + 1
        assert helpers_allowed() == usual
        with audience.time_limit():
            assert helpers_allowed() == usual

    def test_a_shared_segment_of_hidden_data_gives_no_number(
        self,
        somchai: Profile,
        make_segment: Make,
        carer: User,
        login: Login,
        marketer: User,
    ) -> None:
        EventType.objects.filter(name="Call Ended").update(department=carer.department)
        segment = make_segment(CALLED, by=carer, department=None)

        assert "<strong>1</strong>" in text(login(carer).get(address("size", segment.pk)))
        client = login(marketer)
        assert "your department does not see" in text(client.get(address("size", segment.pk)))
        assert "your department does not see" in text(client.get(address("members", segment.pk)))
        assert "Call" not in text(client.get(address("segments")))

    def test_an_older_version_of_the_language_is_told_and_not_guessed(
        self, viewers: None, make_segment: Make, as_marketer: Client, web_shop: Source
    ) -> None:
        segment = make_segment()
        Segment.objects.filter(pk=segment.pk).update(definition={"version": 7, "where": {}})

        for name in ("size", "members"):
            page = text(as_marketer.get(address(name, segment.pk)))
            assert "It reads version 2" in page
        for path in (address("segments"), address("segment", segment.pk), address("change", segment.pk)):
            assert as_marketer.get(path).status_code == 200
        assert as_marketer.get(address("of_profile", profile_of(web_shop, "v1").public_id)).status_code == 200

    def test_is_deleted_with_its_versions(
        self, viewers: None, make_segment: Make, login: Login, marketer: User
    ) -> None:
        segment = make_segment()

        answer = login(marketer).post(address("delete", segment.pk))

        assert answer.status_code == 302
        assert not Segment.objects.exists()
        assert AuditEvent.objects.filter(action="segment.delete", target_id=str(segment.pk)).count() == 1


class TestPanel:
    def test_names_the_segments_of_a_customer(
        self, viewers: None, make_segment: Make, login: Login, marketer: User, web_shop: Source
    ) -> None:
        make_segment(name="Once"), make_segment(viewed_red(2), name="Twice")

        page = text(login(marketer).get(address("of_profile", profile_of(web_shop, "v1").public_id)))

        assert "Once" in page
        assert "Twice" not in page

    def test_an_agent_reads_the_names_of_common_ones(
        self, somchai: Profile, make_segment: Make, login: Login, agent: User
    ) -> None:
        bought = {**CALLED, "event": "Order Completed"}
        make_segment(bought, name="Buyers", department=None), make_segment(bought, name="Marketing's")

        page = text(login(agent).get(address("of_profile", somchai.public_id)))

        assert "Buyers" in page
        assert "Marketing" not in page
        assert f'="{address("segment", Segment.objects.get(name="Buyers").pk)}"' not in page

    def test_a_merged_customer_is_seen_with_the_eyes_of_the_reader(
        self, somchai: Profile, make_segment: Make, login: Login, agent: User, as_steward: Client
    ) -> None:
        """The shop's order is marketing's: for the agent only the receipt of the till counts."""
        twice = {**CALLED, "event": "Order Completed", "count": {"bound": "at_least", "n": 2}}
        make_segment(twice, name="Regulars", department=None)
        panel = address("of_profile", somchai.public_id)

        assert "Regulars" in text(as_steward.get(panel))
        assert "Regulars" not in text(login(agent).get(panel))

    def test_another_departments_customer_is_not_there(self, manee: Profile, login: Login, agent: User) -> None:
        assert login(agent).get(address("of_profile", manee.public_id)).status_code == 404

    def test_takes_one_statement_for_all_segments(
        self,
        viewers: None,
        make_segment: Make,
        as_marketer: Client,
        web_shop: Source,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in range(8):
            make_segment(name=f"Red {number}")
        client, panel = as_marketer, address("of_profile", profile_of(web_shop, "v1").public_id)
        with django_assert_max_num_queries(24):
            client.get(panel)


def test_a_trait_of_a_hidden_group_is_no_choice(viewers: None, login: Login, marketer: User, carer: User) -> None:
    income = TraitGroup.objects.create(
        slug="income", name="Income", kind_of_data="descriptive", department=carer.department
    )
    Trait.objects.create(name="salary", label="Salary", group=income, data_type="number")
    form = {"/where/kind": "all", "/where/of/0/kind": "attribute"}

    assert "Salary" not in text(login(marketer).post(address("draft"), form))
    assert "Salary" in text(login(carer).post(address("draft"), form))
