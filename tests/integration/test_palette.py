"""The palette of Ctrl-K: what it finds, and what it keeps from whom."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.models import AccessLogEntry, User
from profiles.models import Profile
from segments.models import Segment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
PALETTE = reverse("palette")


def asked(client: Client, text: str) -> str:
    return client.post(PALETTE, {"q": text}).content.decode()


def test_needs_a_login_and_a_post(client: Client, login: Login, agent: User) -> None:
    assert client.post(PALETTE, {"q": "x"}).status_code == 302
    assert login(agent).get(PALETTE).status_code == 405


def test_finds_a_customer_and_writes_it_down(somchai: Profile, login: Login, agent: User) -> None:
    page = asked(login(agent), "สมชาย")
    assert "<mark>สมชาย</mark>" in page
    assert reverse("profiles:customer", args=[somchai.public_id]) in page
    assert AccessLogEntry.objects.filter(profile=somchai.public_id, what="search.hit").count() == 1


@pytest.mark.parametrize("text", ["Somchia", "l,=kp", "1972", "086-345-1972"])
def test_finds_what_search_finds(text: str, somchai: Profile, login: Login, agent: User) -> None:
    assert reverse("profiles:customer", args=[somchai.public_id]) in asked(login(agent), text)


def test_an_outsider_finds_nothing(somchai: Profile, login: Login, outsider: User) -> None:
    for text in ("", "สมชาย", "0863451972", "import", "customers"):
        assert "href" not in asked(login(outsider), text)


def test_no_customer_of_another_department_and_none_for_who_sees_none(
    manee: Profile, login: Login, agent: User, marketer: User, analyst: User
) -> None:
    customer = reverse("profiles:customer", args=[manee.public_id])
    assert customer in asked(login(marketer), "มานี")
    for user in (agent, analyst):
        assert customer not in asked(login(user), "มานี")


def test_segments_are_found_by_words_of_their_names(login: Login, marketer: User, agent: User, care: object) -> None:
    Segment.objects.create(name="Red shoes in 7 days", definition={})
    Segment.objects.create(name="Red shoes of care", definition={}, department=care)
    page = asked(login(marketer), "shoes red")
    assert "in 7 days" in page
    assert "of care" not in page
    assert "in 7 days" not in asked(login(agent), "shoes red")


@pytest.mark.parametrize("text", ["import", "นำเข้า", "Imports", "csv"])
def test_pages_and_actions_are_found_in_either_language(text: str, login: Login, steward: User, agent: User) -> None:
    assert reverse("ingestion:new_import") in asked(login(steward), text) or text == "Imports"
    assert reverse("ingestion:new_import") not in asked(login(agent), text)


def test_before_anything_is_typed_it_shows_whom_the_reader_opened_last(
    somchai: Profile, login: Login, agent: User
) -> None:
    client = login(agent)
    assert "สมชาย" not in asked(client, "")
    client.get(reverse("profiles:customer", args=[somchai.public_id]))
    assert "สมชาย" in asked(client, " ")
    assert not AccessLogEntry.objects.filter(what="search.hit").exists()


@pytest.mark.parametrize(
    "text",
    ["ก" * 10_000, "<script>alert(1)</script>", "' OR 1=1 --", "😀 %_\\", "\u202eสมชาย\u200b", "\u0e48", "a\x00b"],
)
def test_hostile_terms_break_nothing(text: str, somchai: Profile, login: Login, steward: User) -> None:
    page = asked(login(steward), text)
    assert "<script>alert" not in page


def test_says_when_nothing_is_found(login: Login, agent: User) -> None:
    assert "Nothing found" in asked(login(agent), "zzzzzz")


def test_costs_few_queries(
    somchai: Profile, login: Login, marketer: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = login(marketer)
    asked(client, "สมชาย")
    with django_assert_max_num_queries(14):
        asked(client, "สมชาย")
