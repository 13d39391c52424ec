"""Choosing a value by hand on the 360 page."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import User
from profiles.models import Pin, Profile, SourceRecord, TraitGroup

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


def url(name: str, profile: Profile) -> str:
    return reverse(f"profiles:{name}", args=[profile.public_id])


def chosen(external_id: str, trait: str = "last_name") -> dict[str, object]:
    return {"record": SourceRecord.objects.get(external_id=external_id).pk, "trait": trait}


def test_another_value_is_chosen_and_given_back(somchai: Profile, as_steward: Client) -> None:
    assert as_steward.post(url("pin", somchai), chosen("u1")).url == url("customer", somchai)
    somchai.refresh_from_db()
    assert somchai.golden["last_name"] == "ใจดีมาก"
    page = as_steward.get(url("customer", somchai)).content.decode()
    assert "<title>สมชาย ใจดีมาก" in page
    assert url("unpin", somchai) in page

    as_steward.post(url("unpin", somchai), chosen("u1"))
    somchai.refresh_from_db()
    assert somchai.golden["last_name"] == "ใจดี"


def test_nobody_chooses_what_is_not_theirs_to_see(
    somchai: Profile, login: Login, agent: User, marketing: object
) -> None:
    client = login(agent)
    assert client.post(url("pin", somchai), chosen("u1")).status_code == 404
    TraitGroup.objects.filter(slug="identity").update(department=marketing)
    assert client.post(url("pin", somchai), chosen("C1")).status_code == 404
    assert not Pin.objects.exists()


@pytest.mark.parametrize("form", [{}, {"record": "x", "trait": "last_name"}, {"record": 1, "trait": "<b>"}])
def test_a_form_that_no_button_made_is_404(form: dict[str, object], somchai: Profile, as_steward: Client) -> None:
    assert as_steward.post(url("pin", somchai), form).status_code == 404


def test_roles_that_do_not_edit_have_no_button(somchai: Profile, login: Login, marketer: User, outsider: User) -> None:
    for user in (marketer, outsider):
        for name in ("pin", "unpin"):
            assert login(user).post(url(name, somchai), chosen("u1")).status_code == 404
    assert url("pin", somchai) not in login(marketer).get(url("customer", somchai)).content.decode()
