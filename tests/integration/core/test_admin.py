"""Configuration: what is changed in the admin is in the audit, without customers in it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from cdp_site.core.models import AuditEvent, Department, User
from consent.models import Purpose

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(login: Callable[[User], Client], admin: User) -> Client:
    return login(admin)


def last_audit() -> tuple[str, list[str]]:
    event = AuditEvent.objects.latest("pk")
    return event.action, event.fields


def fields_of(desk: Client, path: str) -> dict[str, Any]:
    """What the page's form would send back unchanged."""
    form = desk.get(path).context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    return {name: value for name, value in values.items() if value not in (None, False, "")}


def test_a_user_is_made_changed_and_never_deleted(desk: Client, care: Department) -> None:
    made = {
        "username": "nok",
        "role": "agent",
        "department": care.pk,
        "password1": "correct horse 9",
        "password2": "correct horse 9",
        "usable_password": "true",
    }
    answer = desk.post("/admin/core/user/add/", made)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    user = User.objects.get(username="nok")
    assert last_audit()[0] == "user.create"
    path = f"/admin/core/user/{user.pk}/change/"
    values = {name: value for name, value in fields_of(desk, path).items() if name != "password"}
    assert desk.post(path, {**values, "role": "steward"}).status_code == 302
    assert last_audit() == ("user.change", ["role"])
    assert desk.post(f"/admin/core/user/{user.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_new_password_is_audited_without_it(desk: Client, agent: User) -> None:
    new = {"password1": "correct horse 9", "password2": "correct horse 9", "usable_password": "true"}
    assert desk.post(f"/admin/core/user/{agent.pk}/password/", new).status_code == 302
    assert last_audit() == ("user.change", ["password"])
    before = AuditEvent.objects.count()
    assert desk.post(f"/admin/core/user/{agent.pk}/password/", {**new, "password2": "other"}).status_code == 200
    assert AuditEvent.objects.count() == before


def test_a_new_department_can_be_made(desk: Client) -> None:
    assert desk.post("/admin/core/department/add/", {"slug": "shop", "name": "Shop"}).status_code == 302
    assert Department.objects.get(slug="shop").group.name == "department:shop"


def test_a_purpose_keeps_its_short_name_and_is_never_deleted(desk: Client) -> None:
    purpose = Purpose.objects.get(slug="marketing")
    path = f"/admin/consent/purpose/{purpose.pk}/change/"
    desk.post(path, {**fields_of(desk, path), "slug": "other", "name": "Offers"})
    purpose.refresh_from_db()
    assert (purpose.slug, purpose.name) == ("marketing", "Offers")
    assert last_audit() == ("purpose.change", ["name"])
    assert desk.post(f"/admin/consent/purpose/{purpose.pk}/delete/", {"post": "yes"}).status_code == 403
