"""The administrator names traits and event types and gives them to departments; customers stay out of the admin."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import AuditEvent, Department, User
from profiles.models import EventType, Trait, TraitGroup

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


def test_an_event_type_is_given_to_a_department(login: Login, admin: User, care: Department) -> None:
    calls = EventType.objects.get(name="Call Ended")
    page = reverse("admin:profiles_eventtype_change", args=[calls.pk])
    answer = login(admin).post(page, {"name_th": "โทรเข้า", "kind_of_data": "qualitative", "department": care.pk})
    assert answer.status_code == 302
    calls.refresh_from_db()
    assert (calls.name, calls.name_th, calls.department) == ("Call Ended", "โทรเข้า", care)
    assert sorted(AuditEvent.objects.get(action="eventtype.change").fields) == ["department", "name_th"]


def test_what_is_discovered_is_neither_made_nor_deleted_here(login: Login, admin: User) -> None:
    browser = login(admin)
    trait = Trait.objects.get(name="city")
    assert browser.get(reverse("admin:profiles_trait_add")).status_code == 403
    assert browser.get(reverse("admin:profiles_trait_delete", args=[trait.pk])).status_code == 403
    assert browser.get(reverse("admin:profiles_trait_changelist")).status_code == 200


def test_a_group_with_traits_is_not_deleted(login: Login, admin: User) -> None:
    browser = login(admin)
    full = TraitGroup.objects.get(slug="contact")
    empty = TraitGroup.objects.create(slug="pets", name="Pets", kind_of_data="descriptive")
    assert browser.get(reverse("admin:profiles_traitgroup_delete", args=[full.pk])).status_code == 403
    assert browser.get(reverse("admin:profiles_traitgroup_delete", args=[empty.pk])).status_code == 200


def test_others_do_not_find_it(login: Login, steward: User, outsider: User) -> None:
    for user in (steward, outsider):
        assert login(user).get(reverse("admin:profiles_trait_changelist")).status_code in {302, 404}
