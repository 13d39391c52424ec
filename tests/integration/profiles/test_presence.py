"""Colleagues who have one customer open see each other, and what the other changed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.models import AccessLogEntry, Department, User
from profiles import merging, presence
from profiles.editing import changing, fields, undoing
from profiles.models import AgentEdit, Presence, Profile, Trait, TraitGroup

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def look(client: Client, profile: Profile, **said: str) -> str:
    response = client.post(reverse("profiles:look", args=[profile.public_id]), said, headers=HTMX)
    assert response.status_code == 200
    return response.content.decode()


def change(profile: Profile, *, by: User, **said: str) -> AgentEdit:
    (trait,) = said
    seen = fields.load(profile, trait, by=by)
    assert seen is not None
    done = changing.change(profile=profile, trait=trait, said=said, version=seen.version, by=by)
    assert done.edit is not None
    return done.edit


def test_two_see_each_other(somchai: Profile, login: Login, agent: User, steward: User) -> None:
    assert "steward" not in look(login(agent), somchai)
    assert "agent is here, too" in look(login(steward), somchai)
    assert "steward is here, too" in look(login(agent), somchai)


def test_and_what_the_other_is_changing(somchai: Profile, login: Login, agent: User, steward: User) -> None:
    look(login(steward), somchai, trait="occupation")
    assert "steward is changing: Occupation" in look(login(agent), somchai)


def test_without_the_name_of_a_trait_that_is_not_theirs_to_see(
    somchai: Profile, login: Login, agent: User, steward: User, marketing: Department
) -> None:
    hidden = TraitGroup.objects.create(slug="secret", name="Secret", kind_of_data="descriptive", department=marketing)
    Trait.objects.filter(name="occupation").update(group=hidden)
    look(login(steward), somchai, trait="occupation")
    html = look(login(agent), somchai, since=(timezone.now() - timedelta(hours=1)).isoformat())
    assert "steward is here, too" in html
    assert "Occupation" not in html
    change(somchai, by=steward, occupation="ครู")
    html = look(login(agent), somchai, since=(timezone.now() - timedelta(hours=1)).isoformat())
    assert "Changed by" not in html


def test_whoever_left_is_gone_and_forgotten(somchai: Profile, agent: User, steward: User) -> None:
    presence.look(somchai, by=steward)
    Presence.objects.update(seen_at=timezone.now() - presence.GONE_AFTER)
    assert presence.look(somchai, by=agent) == []
    Presence.objects.update(seen_at=timezone.now() - presence.FORGOTTEN_AFTER)
    presence.look(somchai, by=agent)
    assert Presence.objects.get().user == agent


def test_changes_of_colleagues_are_news_until_undone(
    somchai: Profile, login: Login, agent: User, steward: User
) -> None:
    since = timezone.now().isoformat()
    edit = change(somchai, by=steward, occupation="ครู")
    html = look(login(agent), somchai, since=since)
    assert "Changed by steward:" in html
    assert "Occupation" in html
    assert "ครู" not in html  # the value comes with the page's own masks
    assert "Changed by" not in look(login(steward), somchai, since=since)
    assert "Changed by" not in look(login(agent), somchai, since=timezone.now().isoformat())
    undoing.undo(profile=somchai, edit_id=edit.pk, by=steward)
    assert "Changed by" not in look(login(agent), somchai, since=since)


@pytest.mark.parametrize("since", ["", "yesterday", "2026-13-45", "2026-11-22T10:00:00", "9" * 5000])
def test_a_time_that_is_none_is_now(since: str, somchai: Profile, login: Login, agent: User, steward: User) -> None:
    change(somchai, by=steward, occupation="ครู")
    assert "Changed by" not in look(login(agent), somchai, since=since)


def test_of_a_customer_who_was_merged_away_the_page_asks_no_more(
    somchai: Profile, manee: Profile, login: Login, steward: User
) -> None:
    (kept,) = merging.merge(profiles=[somchai, manee], by=steward, reason="").profiles
    (gone,) = {somchai, manee} - {kept}
    response = login(steward).post(reverse("profiles:look", args=[gone.public_id]), headers=HTMX)
    assert response.status_code == 286
    assert reverse("profiles:customer", args=[kept.public_id]) in response.content.decode()


def test_is_nothing_to_others(somchai: Profile, manee: Profile, login: Login, agent: User, outsider: User) -> None:
    for client, profile in ((login(outsider), somchai), (login(agent), manee)):
        assert client.post(reverse("profiles:look", args=[profile.public_id])).status_code == 404
        assert client.get(reverse("profiles:presence", args=[profile.public_id])).status_code == 404
    assert not Presence.objects.exists()


def test_is_no_look_at_the_customer(somchai: Profile, login: Login, agent: User) -> None:
    """The page has been logged; its questions say nothing of the customer."""
    client = login(agent)
    client.get(reverse("profiles:presence", args=[somchai.public_id]))
    look(client, somchai)
    assert not AccessLogEntry.objects.exists()


def test_costs_few_queries(
    somchai: Profile,
    login: Login,
    agent: User,
    steward: User,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    change(somchai, by=steward, occupation="ครู")
    look(login(steward), somchai, trait="phone")
    since = (timezone.now() - timedelta(hours=1)).isoformat()
    agent = User.objects.get(pk=agent.pk)
    presence.look(somchai, by=agent)  # the scope is remembered
    with django_assert_max_num_queries(6):
        presence.look(somchai, by=agent)
        presence.news(somchai, since=timezone.now() - timedelta(hours=1), by=agent)
    assert "Changed by" in look(login(agent), somchai, since=since)
