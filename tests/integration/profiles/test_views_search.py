"""The list of people, the search page and the suggestions."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from pythainlp.util import collate

from cdp_site.core.marking import Piece, pieces
from cdp_site.core.models import AccessLogEntry, User
from ingestion.models import Source
from profiles import directory
from profiles.models import Profile
from tests.customers import Tell, identify, open_for_call, profile_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
LIST, SEARCH, SUGGEST = (reverse(f"profiles:{name}") for name in ("customers", "search", "suggest"))


@pytest.mark.parametrize("path", [LIST, SEARCH, SUGGEST, reverse("profiles:recent")])
def test_outsiders_find_no_page(path: str, login: Login, outsider: User, analyst: User) -> None:
    for user in (outsider, analyst):
        for ask in (login(user).get, login(user).post):
            assert ask(path, {"q": "สมชาย"}).status_code == 404


class TestList:
    def test_shows_people_in_the_order_of_their_names(self, tell: Tell, pos: Source, login: Login, agent: User) -> None:
        # เ is written before its consonant and sorted behind it: เก้า comes after กมล and before ขวัญ.
        for number, name in enumerate(["ขวัญ", "เก้า", "กมล"]):
            tell(pos, identify(f"P{number}", firstName=name, phone=f"08634519{number}2"))
        tell(pos, identify("P9", phone="0863451999"))
        page = login(agent).get(LIST).content.decode()
        names = ["กมล", "เก้า", "ขวัญ", "Customer without a name"]
        assert sorted(names, key=page.index) == names

    def test_is_in_the_order_of_the_thai_dictionary(self, tell: Tell, pos: Source, agent: User) -> None:
        names = ["ไพโรจน์", "กันต์", "เกษม", "ก้อง", "กอบชัย", "แพรวา", "เพ็ญ", "พร", "ฤทธิ์", "อารีย์", "โอภาส", "เอก", "ใจ"]
        tell(pos, *[identify(f"P{number}", firstName=name) for number, name in enumerate(names)])
        assert [row.name for row in directory.page(by=agent, size=50).rows] == collate(names)

    def test_pages_by_key_and_shows_everybody_once(self, tell: Tell, pos: Source, agent: User) -> None:
        tell(pos, *[identify(f"P{number}", firstName="มานี" if number % 2 else "") for number in range(9)])
        seen, after = [], None
        while True:
            page = directory.page(by=agent, after=after, size=2)
            seen += [row.profile.pk for row in page.rows]
            after = page.next
            if after is None:
                break
        assert len(seen) == len(set(seen)) == 9

    def test_leaves_out_anonymous_visitors_and_other_departments(
        self, somchai: Profile, manee: Profile, tell: Tell, login: Login, agent: User
    ) -> None:
        pos = Source.objects.get(slug="pos")
        tell(pos, {"type": "track", "messageId": "a1", "anonymousId": "d-1", "event": "Product Viewed"})
        page = login(agent).get(LIST).content.decode()
        assert "สมชาย" in page
        assert "มานี" not in page
        assert page.count('<th scope="row">') == 1

    def test_is_empty_with_words(self, login: Login, agent: User) -> None:
        assert "No customers yet" in login(agent).get(LIST).content.decode()

    def test_a_key_that_is_none_starts_at_the_beginning(self, somchai: Profile, login: Login, agent: User) -> None:
        for key in ("rubbish", "018f0000-0000-7000-8000-000000000000"):
            assert "สมชาย" in login(agent).get(LIST, {"after": key}).content.decode()

    def test_costs_few_queries(
        self, somchai: Profile, login: Login, agent: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = login(agent)
        client.get(LIST)
        with django_assert_max_num_queries(12):
            client.get(LIST)


class TestSearch:
    def test_a_number_that_is_one_customers_opens_the_page(self, somchai: Profile, login: Login, agent: User) -> None:
        response = login(agent).post(SEARCH, {"q": "+66 86 345 1972"})
        assert response.status_code == 302
        assert response.url == reverse("profiles:customer", args=[somchai.public_id])

    def test_one_exact_hit_among_others_opens_the_page(
        self, somchai: Profile, tell: Tell, pos: Source, login: Login, agent: User
    ) -> None:
        tell(pos, identify("1972", firstName="มานี", phone="0863459999"))
        response = login(agent).post(SEARCH, {"q": "1972"})  # a number in a source, and the end of somebody's phone
        assert response.url == reverse("profiles:customer", args=[profile_of(pos, "1972").public_id])

    @pytest.mark.parametrize("text", ["Tanagorn", "Somchia", "l,=kp"])
    def test_what_is_meant_is_marked_however_it_is_written(
        self, text: str, somchai: Profile, tell: Tell, pos: Source, login: Login, agent: User
    ) -> None:
        tell(pos, identify("P2", firstName="ธนกร", phone="0863459999"))
        page = login(agent).post(SEARCH, {"q": text}).content.decode()
        assert ("<mark>ธนกร</mark>" if text == "Tanagorn" else "สมชาย</mark>") in page

    def test_a_name_shows_who_it_may_be_with_the_match_marked(
        self, somchai: Profile, tell: Tell, pos: Source, login: Login, agent: User
    ) -> None:
        tell(pos, identify("P2", firstName="สมชาย", lastName="รักไทย", phone="0863459999"))
        page = login(agent).post(SEARCH, {"q": "สมชาย"}).content.decode()
        assert page.count("<mark>สมชาย</mark>") == 2
        assert "Name" in page

    def test_what_a_department_may_not_see_is_not_found_by_it(
        self, somchai: Profile, login: Login, agent: User, marketer: User
    ) -> None:
        term = {"q": "somchai@baansabai.co.th"}
        assert "Nobody found" in login(agent).post(SEARCH, term).content.decode()
        assert login(marketer).post(SEARCH, term).status_code == 302

    def test_hits_are_written_down(self, somchai: Profile, tell: Tell, pos: Source, login: Login, agent: User) -> None:
        tell(pos, identify("P2", firstName="สมชาย", phone="0863459999"))
        login(agent).post(SEARCH, {"q": "สมชาย"})
        assert set(AccessLogEntry.objects.values_list("profile", "what")) == {
            (somchai.public_id, "search.hit"),
            (profile_of(pos, "P2").public_id, "search.hit"),
        }

    @pytest.mark.parametrize("text", ["", "   "])
    def test_an_empty_search_shows_the_list(self, text: str, login: Login, agent: User) -> None:
        response = login(agent).post(SEARCH, {"q": text})
        assert (response.status_code, response.url) == (302, LIST)

    def test_terms_do_not_travel_in_addresses(self, login: Login, agent: User) -> None:
        assert login(agent).get(SEARCH, {"q": "สมชาย"}).url == LIST

    @pytest.mark.parametrize(
        "text",
        [
            "ก" * 10_000,
            "<script>alert(1)</script>",
            "' OR 1=1 --",
            "😀 %_\\",
            "\u202eสมชาย\u200b",
            "\u0e48",
            "a\u0000b",
        ],
    )
    def test_hostile_terms_break_nothing(self, text: str, somchai: Profile, login: Login, agent: User) -> None:
        response = login(agent).post(SEARCH, {"q": text})
        assert response.status_code in (200, 302)
        assert b"<script>alert" not in response.content

    def test_a_page_found_by_search_keeps_its_words_in_the_other_language(
        self, somchai: Profile, login: Login, agent: User
    ) -> None:
        client = login(agent)
        form = {"language": "th", "next": SEARCH, "q": "nobody-of-this-name"}
        response = client.post(reverse("set_language"), form, follow=True)
        page = response.content.decode()
        assert 'lang="th"' in page
        assert "nobody-of-this-name" in page

    def test_costs_few_queries(
        self, somchai: Profile, login: Login, agent: User, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = login(agent)
        client.post(SEARCH, {"q": "สมชาย"})
        with django_assert_max_num_queries(12):
            client.post(SEARCH, {"q": "สมชาย"})


class TestSuggestions:
    def test_show_name_reason_and_contact(self, somchai: Profile, login: Login, agent: User) -> None:
        page = login(agent).post(SUGGEST, {"q": "0863451972"}).content.decode()
        assert "สมชาย" in page
        assert "<mark>•••• 1972</mark>" in page
        assert "086 345" not in page
        assert "<html" not in page

    def test_show_the_number_of_a_customer_who_is_open(self, somchai: Profile, login: Login, agent: User) -> None:
        open_for_call(somchai, to=agent)
        page = login(agent).post(SUGGEST, {"q": "0863451972"}).content.decode()
        assert "<mark>086 345 1972</mark>" in page

    def test_one_letter_asks_for_nothing(self, somchai: Profile, login: Login, agent: User) -> None:
        assert "row-link" not in login(agent).post(SUGGEST, {"q": "ส"}).content.decode()

    def test_say_when_nobody_is_found(self, login: Login, agent: User) -> None:
        assert "Nobody found" in login(agent).post(SUGGEST, {"q": "zzzz"}).content.decode()

    def test_mask_for_roles_that_work_with_groups(self, somchai: Profile, login: Login, marketer: User) -> None:
        page = login(marketer).post(SUGGEST, {"q": "สมชาย"}).content.decode()
        assert "•••• 1972" in page
        assert "086 345" not in page


def test_pieces_mark_every_word_and_nothing_else() -> None:
    assert pieces("Ann (An) Lee", "an ( lee") == [
        Piece("An", True),
        Piece("n ", False),
        Piece("(", True),
        Piece("An", True),
        Piece(") ", False),
        Piece("Lee", True),
    ]
    assert pieces("สมชาย", " ") == [Piece("สมชาย", False)]
