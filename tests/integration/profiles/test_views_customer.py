"""The 360 page and its fragments: what is on them, for whom, and at what price."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from cdp_site.core import panels
from cdp_site.core.access import Permission
from cdp_site.core.models import AccessLogEntry, User
from ingestion.models import Source
from profiles.models import EventType, Profile, TraitGroup
from tests.customers import Tell, identify, profile_of, track

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def url(name: str, profile: Profile) -> str:
    return reverse(f"profiles:{name}", args=[profile.public_id])


def text_of(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


PAGES = ["customer", "timeline", "records", "notes"]


@pytest.mark.parametrize("page", PAGES)
def test_outsiders_and_other_roles_learn_nothing(
    page: str, somchai: Profile, login: Login, outsider: User, analyst: User
) -> None:
    assert login(outsider).get(url(page, somchai)).status_code == 404
    assert login(analyst).get(url(page, somchai)).status_code == 404
    assert Client().get(url(page, somchai)).status_code == 302


@pytest.mark.parametrize("page", PAGES)
def test_a_customer_of_another_department_does_not_exist(
    page: str, manee: Profile, login: Login, agent: User, marketer: User
) -> None:
    assert login(marketer).get(url(page, manee)).status_code == 200
    assert login(agent).get(url(page, manee)).status_code == 404


@pytest.mark.parametrize("page", PAGES)
def test_an_unknown_id_is_404(page: str, login: Login, steward: User) -> None:
    path = reverse(f"profiles:{page}", args=["018f0000-0000-7000-8000-000000000000"])
    assert login(steward).get(path).status_code == 404


class TestPage:
    def test_shows_name_figures_attributes_and_sources(self, somchai: Profile, login: Login, steward: User) -> None:
        page = text_of(login(steward), url("customer", somchai))
        assert "<title>นายสมชาย ใจดี" in page
        assert "฿5,990.00" in page
        assert "086 345 1972" in page
        assert "somchai@baansabai.co.th" in page
        assert "สถาปนิก" in page
        for source in ("Point of sale", "Web shop", "Call centre"):
            assert source in page

    def test_costs_no_more_than_twelve_queries(
        self,
        somchai: Profile,
        login: Login,
        agent: User,
        steward: User,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for user in (agent, steward):
            client = login(user)
            client.get(url("customer", somchai))  # content types and the like are read once a process
            with django_assert_max_num_queries(12):
                client.get(url("customer", somchai))

    def test_says_why_a_value_won_and_what_lost(self, somchai: Profile, login: Login, steward: User) -> None:
        page = text_of(login(steward), url("customer", somchai))
        assert "The most trusted source wins." in page
        assert "ใจดีมาก" in page

    def test_a_department_sees_its_own_part_alone(self, somchai: Profile, login: Login, agent: User) -> None:
        page = text_of(login(agent), url("customer", somchai))
        assert "สถาปนิก" in page
        assert "Web shop" not in page
        assert "somchai@baansabai.co.th" not in page
        assert "ใจดีมาก" not in page
        assert "฿1,250.00" in page
        assert "฿5,990.00" not in page

    def test_the_golden_value_is_the_best_that_the_viewer_may_see(
        self, somchai: Profile, login: Login, marketer: User, pos: Source, care: object
    ) -> None:
        pos.department = care
        pos.save()
        page = text_of(login(marketer), url("customer", somchai))
        assert "สมชาย ใจดีมาก" in page
        assert "Point of sale" not in page
        assert "M-88213" not in page

    def test_a_hidden_group_of_traits_is_absent(
        self, somchai: Profile, login: Login, agent: User, marketing: object
    ) -> None:
        TraitGroup.objects.filter(slug="contact").update(department=marketing)
        assert "086 345 1972" not in text_of(login(agent), url("customer", somchai))

    def test_roles_that_work_with_groups_see_identifiers_masked(
        self, somchai: Profile, login: Login, marketer: User
    ) -> None:
        for name in ("customer", "records", "timeline"):
            page = text_of(login(marketer), url(name, somchai))
            assert "0863451972" not in page.replace(" ", "")
            assert "+66863451972" not in page
            assert "somchai@" not in page
            assert "M-88213" not in page
        assert "s••••@baansabai.co.th" in text_of(login(marketer), url("customer", somchai))

    def test_every_opening_is_written_down(self, somchai: Profile, login: Login, agent: User) -> None:
        text_of(login(agent), url("customer", somchai))
        entry = AccessLogEntry.objects.get()
        assert (entry.actor, entry.profile, entry.what) == (f"user:{agent.pk}", somchai.public_id, "profile.view")

    def test_an_id_that_was_merged_away_leads_to_the_one_that_lives(
        self, somchai: Profile, login: Login, agent: User, web_shop: Source, call_centre: Source
    ) -> None:
        birth = Profile.objects.get(birth_record__source=call_centre)
        response = login(agent).get(url("customer", birth))
        assert response.status_code == 302
        assert response.url == url("customer", somchai)

    def test_a_person_being_erased_is_gone(self, somchai: Profile, login: Login, steward: User) -> None:
        Profile.objects.filter(pk=somchai.pk).update(state=Profile.State.ERASING)
        assert login(steward).get(url("customer", somchai)).status_code == 404

    def test_loads_the_panels_of_the_role(
        self, somchai: Profile, login: Login, agent: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        mine = panels.Panel("mine", "Mine", "profiles:records", 1, Permission.VIEW_CUSTOMERS)
        others = panels.Panel("others", "Not mine", "profiles:notes", 2, Permission.VIEW_AUDIT)
        monkeypatch.setattr(panels._panels, "_added", {"mine": mine, "others": others})
        page = text_of(login(agent), url("customer", somchai))
        assert "panel-mine" in page
        assert "Not mine" not in page

    def test_thai_shows_the_buddhist_year(self, somchai: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        client.cookies["django_language"] = "th"
        page = text_of(client, url("customer", somchai))
        assert 'lang="th"' in page
        assert "2569" in page

    def test_hostile_names_are_text(self, tell: Tell, pos: Source, login: Login, agent: User) -> None:
        hostile = "<script>alert(1)</script>\u202e{{ 7 }}"
        tell(pos, identify("P9", firstName=hostile, lastName="' OR 1=1 --"))
        page = text_of(login(agent), url("customer", profile_of(pos, "P9")))
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page


class TestTimeline:
    def test_shows_orders_as_one_card_and_what_else_happened(
        self, somchai: Profile, login: Login, steward: User
    ) -> None:
        page = text_of(login(steward), url("timeline", somchai), **HTMX)
        assert "<html" not in page
        assert page.count('class="order"') == 2
        assert "เบาะรองนั่ง" in page
        assert "× 2" in page
        assert "฿3,990.00" in page
        assert "2 minutes" in page
        assert "สูง 45 ซม." in page
        assert page.index("Call Ended") < page.index("W-1") < page.index("R-1")

    def test_hides_sources_and_types_of_other_departments_also_in_counts(
        self, somchai: Profile, login: Login, agent: User, marketing: object
    ) -> None:
        EventType.objects.filter(name="Call Ended").update(department=marketing)
        page = text_of(login(agent), url("timeline", somchai), **HTMX)
        assert "W-1" not in page
        assert "Web shop" not in page
        assert "Call Ended" not in page
        assert "Qualitative" not in page
        assert '<span class="badge" id="timeline-count">1</span>' in page

    def test_a_hidden_type_of_order_counts_for_nothing(
        self, somchai: Profile, login: Login, agent: User, marketing: object
    ) -> None:
        EventType.objects.filter(name="Order Completed").update(department=marketing)
        assert "฿1,250.00" not in text_of(login(agent), url("customer", somchai))

    @pytest.mark.parametrize(
        ("query", "there", "not_there"),
        [
            ("kind=qualitative", "Call Ended", "R-1"),
            ("type={view}", "Product Viewed", "ถามขนาด"),
            ("source={pos}", "R-1", "W-1"),
            ("kind=nonsense&type=x&source=99999999999999999999", "W-1", "nothing-of-this"),
        ],
    )
    def test_filters(self, query: str, there: str, not_there: str, somchai: Profile, as_steward: Client) -> None:
        view, pos = EventType.objects.get(name="Product Viewed"), Source.objects.get(slug="pos")
        path = url("timeline", somchai) + "?" + query.format(view=view.pk, pos=pos.pk)
        rows = text_of(as_steward, path, **HTMX).partition('<ol class="timeline">')[2]
        assert there in rows
        assert not_there not in rows

    def test_pages_by_key_without_gap_or_repetition(self, tell: Tell, pos: Source, login: Login, agent: User) -> None:
        # Twenty at one instant around the edge of the page: the key has to tell them apart.
        hours = [*range(1, 41), *[41] * 20, *range(42, 60)]
        messages = [
            track("P1", "Product Viewed", hours=hour, name=f"item-{number:03}") | {"messageId": f"view-{number}"}
            for number, hour in enumerate(hours)
        ]
        tell(pos, identify("P1", firstName="มานะ"), *messages)
        client, path, seen = login(agent), url("timeline", profile_of(pos, "P1")), []
        while path:
            page = text_of(client, path, **HTMX)
            seen += [part[:3] for part in page.split("item-")[1::1] if part[:3].isdigit()]
            link = page.partition('id="timeline-older"')[2].partition('href="')[2].partition('"')[0]
            path = link.replace("&amp;", "&")
        shown = list(dict.fromkeys(seen))
        assert sorted(shown) == [f"{number:03}" for number in range(len(hours))]

    def test_a_broken_key_is_refused_in_words(self, somchai: Profile, login: Login, steward: User) -> None:
        response = login(steward).get(url("timeline", somchai) + "?after=rubbish")
        assert response.status_code == 400
        assert "broken" in response.content.decode()

    def test_without_htmx_it_is_a_page(self, somchai: Profile, login: Login, steward: User) -> None:
        assert "<html" in text_of(login(steward), url("timeline", somchai))

    def test_costs_few_queries(
        self, somchai: Profile, login: Login, agent: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = login(agent)
        client.get(url("timeline", somchai), headers=HTMX)
        with django_assert_max_num_queries(12):
            client.get(url("timeline", somchai), headers=HTMX)

    def test_says_so_when_nothing_has_happened(self, tell: Tell, pos: Source, login: Login, agent: User) -> None:
        tell(pos, identify("P5", firstName="นิ่ง"))
        assert "Nothing has happened yet" in text_of(login(agent), url("timeline", profile_of(pos, "P5")), **HTMX)


class TestRecords:
    def test_says_why_each_record_belongs_here(self, somchai: Profile, login: Login, steward: User) -> None:
        page = text_of(login(steward), url("records", somchai), **HTMX)
        assert "Same Phone as" in page
        assert page.count("<strong>") == 3

    def test_hides_records_of_other_departments_and_their_reasons(
        self, somchai: Profile, login: Login, agent: User
    ) -> None:
        page = text_of(login(agent), url("records", somchai), **HTMX)
        assert "Web shop" not in page
        assert page.count("<strong>") == 2


class TestRecent:
    def test_lists_the_customers_that_the_reader_opened_last(
        self, somchai: Profile, manee: Profile, login: Login, marketer: User, as_steward: Client
    ) -> None:
        client = login(marketer)
        for profile in (somchai, manee, somchai):
            client.get(url("customer", profile))
        page = text_of(client, reverse("profiles:recent"))
        assert page.index("สมชาย") < page.index("มานี")
        assert page.count("row-link") == 2
        assert "Nobody opened yet" in text_of(as_steward, reverse("profiles:recent"))
