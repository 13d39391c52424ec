"""Alias calls: an earlier id, of a visitor or of a user, and a later one are the same person."""

import itertools
from typing import Any

import pytest

from profiles import rebuild
from profiles.models import Profile, Touchpoint
from tests.customers import profile_of
from tests.factories.arrivals import arrive, identify, on_day, track

pytestmark = pytest.mark.django_db


def alias(previous: Any, user: str, *, day: float = 1, **more: Any) -> dict[str, Any]:
    return {"type": "alias", "previousId": previous, "userId": user, "timestamp": on_day(day)} | more


MESSAGES = {
    "visitor": [track("Page Viewed", device="a1"), alias("a1", "u1"), identify("u1", city="Phuket")],
    "user": [track("Page Viewed", "old"), alias("old", "u1"), identify("u1", city="Phuket")],
    "number": [track("Page Viewed", "17"), alias(17, "u1"), identify("u1", city="Phuket")],
}


@pytest.mark.parametrize("former", MESSAGES)
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_both_ids_are_one_person_in_any_order(web_shop, former, order):
    for place in order:
        assert arrive(web_shop, MESSAGES[former][place]) == {"stored": 1}

    person = profile_of(web_shop, "u1")
    assert Touchpoint.objects.get().profile == person
    assert person.golden["city"] == "Phuket"
    assert Profile.objects.people().count() == 1
    assert rebuild.check() == []


def test_a_chain_of_names_is_one_person(web_shop):
    arrive(web_shop, track("Page Viewed", device="a1"), alias("a1", "mail@example.com"))
    arrive(web_shop, alias("mail@example.com", "u1"), identify("u1", city="Phuket"))

    assert Touchpoint.objects.get().profile == profile_of(web_shop, "u1")
    assert profile_of(web_shop, "mail@example.com") == profile_of(web_shop, "u1")


def test_an_alias_holds_within_its_source(web_shop, pos):
    arrive(pos, identify("old"))
    arrive(web_shop, alias("old", "u1"))

    assert profile_of(pos, "old") != profile_of(web_shop, "u1")


@pytest.mark.parametrize("placeholder", ["null", "guest", "anonymous"])
def test_a_placeholder_joins_nobody(web_shop, placeholder):
    arrive(web_shop, alias(placeholder, "u1"), alias(placeholder, "u2"))

    assert profile_of(web_shop, "u1") != profile_of(web_shop, "u2")


def test_an_alias_to_itself_changes_nothing(web_shop):
    assert arrive(web_shop, identify("u1"), alias("u1", "u1")) == {"stored": 2}
    assert Profile.objects.people().count() == 1


def test_analytics_js_names_the_visitor_twice(web_shop):
    """Its previousId is the anonymous id of the message itself: a device, and no user id of anybody."""
    arrive(web_shop, track("Page Viewed", device="a1"), alias("a1", "u1", anonymousId="a1"))

    assert Touchpoint.objects.get().profile == profile_of(web_shop, "u1")
    kinds = profile_of(web_shop, "u1").identifiers.values_list("kind", "value")
    assert ("user", "a1") not in set(kinds)
