"""Whom a customer is related to: seen by evidence, said by people, within what the reader may see."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.access import Permission
from cdp_site.core.models import User
from cdp_site.core.panels import panels_for
from ingestion.models import Source
from profiles import merging, relatives
from profiles.models import Profile
from profiles.reasons import Own
from tests.customers import Tell, identify, open_for_call, profile_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]


@pytest.fixture
def wife(tell: Tell, pos: Source, somchai: Profile) -> Profile:
    """Another name on the same phone."""
    tell(pos, identify("P7", firstName="สุดา", lastName="ใจดี", phone="0863451972"))
    return profile_of(pos, "P7")


def page(client: Client, profile: Profile) -> str:
    return client.get(reverse("profiles:household", args=[profile.public_id])).content.decode()


def test_the_same_phone_under_another_name_is_a_household(
    somchai: Profile, wife: Profile, login: Login, agent: User
) -> None:
    (found,) = relatives.household(somchai, by=agent)
    assert (found.customer.profile, found.customer.name) == (wife, "สุดา ใจดี")
    assert (found.key, found.value, found.by) == ("Phone", "•••• 1972", "")
    open_for_call(somchai, to=agent)
    (found,) = relatives.household(somchai, by=agent)
    assert (found.value, found.customer.phone) == ("086 345 1972", "•••• 1972"), "the wife is not on the phone"
    (back,) = relatives.household(wife, by=agent)
    assert back.customer.profile == somchai
    shown = page(login(agent), somchai)
    assert reverse("profiles:customer", args=[wife.public_id]) in shown
    assert "same Phone, another name" in shown


def test_what_a_steward_said_comes_first_and_with_the_reason(
    somchai: Profile, wife: Profile, manee: Profile, as_steward: Client, steward: User
) -> None:
    records = (somchai.birth_record.pk, manee.birth_record.pk)
    said = merging.relate(records=records, by=steward, reason="her daughter")
    first, second = relatives.household(somchai, by=steward)
    assert (first.customer.profile, first.by, first.reason, first.value) == (manee, "steward", "her daughter", "")
    assert second.customer.profile == wife
    assert "her daughter" in page(as_steward, somchai)
    merging.revert(operation=said.operation, by=steward, reason="no")
    assert [one.customer.profile for one in relatives.household(somchai, by=steward)] == [wife]


def test_numbers_are_masked_for_who_works_with_groups(somchai: Profile, wife: Profile, marketer: User) -> None:
    (found,) = relatives.household(somchai, by=marketer)
    assert found.value == "•••• 1972"


def test_relatives_of_other_departments_are_not_there(
    somchai: Profile, tell: Tell, call_centre: Source, web_shop: Source, login: Login, marketer: User, agent: User
) -> None:
    tell(call_centre, identify("C7", firstName="สุดา", lastName="ใจดี", phone="0863451972"))
    assert relatives.household(somchai, by=marketer) == []
    assert "สุดา" not in page(login(marketer), somchai)
    assert len(relatives.household(somchai, by=agent)) == 1


def test_who_has_merged_since_is_one_relative(somchai: Profile, wife: Profile, manee: Profile, steward: User) -> None:
    merging.relate(records=(somchai.birth_record.pk, manee.birth_record.pk), by=steward, reason="")
    (one,) = merging.merge(profiles=[wife, manee], by=steward, reason="the same").profiles
    (found,) = relatives.household(somchai, by=steward)
    assert found.customer.profile == one


def test_without_relatives_the_panel_says_so_and_outsiders_see_none(
    manee: Profile, as_steward: Client, login: Login, agent: User, outsider: User
) -> None:
    assert "Nobody shares" in page(as_steward, manee)
    for user in (agent, outsider):  # manee is marketing's
        assert login(user).get(reverse("profiles:household", args=[manee.public_id])).status_code == 404
    assert "household" in {panel.key for panel in panels_for(agent)}
    assert all(panel.permission == Permission.VIEW_CUSTOMERS for panel in panels_for(agent) if panel.key == "household")


def test_a_reason_of_the_product_is_read_in_the_language_of_the_reader(
    somchai: Profile, manee: Profile, as_steward: Client, steward: User
) -> None:
    merging.relate(records=(somchai.birth_record.pk, manee.birth_record.pk), by=steward, reason=Own.REVIEWED)
    assert "Decided in review." in page(as_steward, somchai)
    as_steward.cookies["django_language"] = "th"
    shown = page(as_steward, somchai)
    assert "Decided in review." not in shown
    assert "ตัดสินในการตรวจสอบ" in shown
