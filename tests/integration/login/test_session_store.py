"""A session's row is of no use to who reads it: the cookie cannot be told from it."""

import asyncio

import pytest
from django.contrib.sessions.backends.base import CreateError
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from cdp_site.core.login.session_store import SessionStore, stored_key
from cdp_site.core.models import User

pytestmark = pytest.mark.django_db


def cookie_of(client: Client) -> str:
    return client.cookies["sessionid"].value


def opens(cookie: str) -> bool:
    thief = Client()
    thief.cookies["sessionid"] = cookie
    return thief.get(reverse("account")).status_code == 200


def test_what_stands_in_the_table_opens_nothing(agent: User) -> None:
    client = Client()
    client.force_login(agent)
    row = Session.objects.get()
    assert opens(cookie_of(client))
    assert row.session_key != cookie_of(client)
    assert cookie_of(client) not in row.session_data
    assert not opens(row.session_key)


def test_under_another_secret_nothing_is_found(agent: User, settings: Settings) -> None:
    client = Client()
    client.force_login(agent)
    settings.SECRET_KEY = "another-secret-of-the-platform-that-is-long-enough"
    assert not opens(cookie_of(client))


def test_a_row_that_a_stranger_wrote_under_a_known_key_is_empty(agent: User) -> None:
    """Who may write to the table, without SECRET_KEY, makes no session of somebody's."""
    client = Client()
    client.force_login(agent)
    row = Session.objects.get()
    row.session_data = "e30:1:forged"
    row.save()
    assert not opens(cookie_of(client))


def test_a_key_that_was_cycled_and_one_that_was_flushed_are_gone() -> None:
    store = SessionStore()
    store["a"] = 1
    store.save()
    before = store.session_key
    assert before
    store.cycle_key()
    assert SessionStore(before).load() == {}
    assert SessionStore(store.session_key).load() == {"a": 1}
    now = store.session_key
    assert now
    assert store.exists(now)
    store.flush()
    assert not store.exists(now)
    assert not Session.objects.exists()


def test_a_key_is_taken_once() -> None:
    store = SessionStore()
    store.create()
    again = SessionStore(store.session_key)
    with pytest.raises(CreateError):
        again.save(must_create=True)
    assert SessionStore(None).load() == {}


@pytest.mark.django_db(transaction=True)
def test_the_asynchronous_ways_find_the_same_row() -> None:
    async def story() -> None:
        store = SessionStore()
        await store.aset("a", 1)
        await store.asave()
        key = store.session_key
        assert key
        assert await store.aexists(key)
        assert await SessionStore(key).aload() == {"a": 1}
        assert await SessionStore("unknown-key-of-nobody").aload() == {}
        await store.adelete(key)
        assert not await store.aexists(key)

    asyncio.run(story())


def test_stored_keys_fit_the_column() -> None:
    column = Session._meta.get_field("session_key").max_length
    assert len(stored_key("x")) == column == 40
