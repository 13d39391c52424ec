"""Keys for programs: made, shown once, rotated, revoked; and their pages."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cdp_site.core import actors
from cdp_site.core.access import Permission, may
from cdp_site.core.errors import AuthenticationProblem, ConflictProblem, InternalError, MendableError
from cdp_site.core.machines import acting, keys
from cdp_site.core.machines.keys import State
from cdp_site.core.machines.scopes import PERMISSIONS, KeyScope
from cdp_site.core.models import AuditEvent, Department, MachineKey, User

pytestmark = pytest.mark.django_db

Login = Callable[[User], Client]
READ = [KeyScope.PROFILES_READ]
NOON = "2026-11-22T05:00:00+00:00"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def in_english(settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"


def make(by: User | str = "system:test", **more: Any) -> tuple[MachineKey, str]:
    return keys.make(**{"name": "Website", "scopes": READ, "department": None, "days": 30, "by": by} | more)


class TestKey:
    def test_is_kept_as_a_hash_only(self, admin: User) -> None:
        row, text = make(admin)
        row.refresh_from_db()
        assert text.startswith(row.prefix)
        assert text.startswith("key_")
        assert text.encode() not in bytes(row.secret_hash)
        assert keys.verify(text) == row
        event = AuditEvent.objects.get(action="machine_key.make")
        assert (event.actor, event.target_id, event.fields) == (f"user:{admin.pk}", str(row.pk), ["profiles:read"])

    @pytest.mark.parametrize("text", ["", "key_wrong", "k" * 5_000, "key_\x00", "กุญแจ"])
    def test_what_is_none_is_refused(self, text: str) -> None:
        make()
        with pytest.raises(AuthenticationProblem):
            keys.verify(text)

    @pytest.mark.parametrize(
        ("said", "field"),
        [
            ({"scopes": []}, "scopes"),
            ({"scopes": ["profiles:read", "everything"]}, "scopes"),
            ({"scopes": ["identifiers:read"]}, "scopes"),
            ({"days": 0}, "days"),
            ({"days": keys.LONGEST_DAYS + 1}, "days"),
            ({"rate_per_second": 0}, "rate_per_second"),
        ],
    )
    def test_what_makes_no_sense_is_said(self, said: dict[str, Any], field: str) -> None:
        with pytest.raises(MendableError) as caught:
            make(**said)
        assert caught.value.field == field
        assert not MachineKey.objects.exists()

    def test_who_merges_has_the_eyes_of_all_departments(self, care: Department) -> None:
        with pytest.raises(MendableError) as caught:
            make(scopes=[KeyScope.CUSTOMERS_MERGE], department=care)
        assert caught.value.field == "department"

    def test_ends(self, clock: time_machine.Traveller) -> None:
        row, text = make(days=10)
        clock.shift(timedelta(days=10, seconds=-1))
        keys.verify(text)
        clock.shift(1)
        with pytest.raises(AuthenticationProblem, match="expired"):
            keys.verify(text)
        assert keys.state_of(row, timezone.now()) is State.ENDED

    def test_is_refused_from_the_next_request_on_when_revoked(self, admin: User) -> None:
        row, text = make()
        keys.verify(text)
        for _time in range(2):
            keys.revoke(key=row, by=admin)
        with pytest.raises(AuthenticationProblem, match="revoked"):
            keys.verify(text)
        assert AuditEvent.objects.filter(action="machine_key.revoke").count() == 1

    def test_its_use_is_noted_to_the_minute(
        self, clock: time_machine.Traveller, django_assert_num_queries: Any
    ) -> None:
        row, text = make()
        assert row.last_used_at is None
        keys.verify(text)
        row.refresh_from_db()
        first = row.last_used_at
        assert first == timezone.now()
        clock.shift(59)
        with django_assert_num_queries(1):
            keys.verify(text)
        clock.shift(1)
        keys.verify(text)
        row.refresh_from_db()
        assert first is not None
        assert row.last_used_at == first + timedelta(minutes=1)


class TestRotation:
    def test_gives_a_new_secret_and_lets_the_former_end_a_day_later(
        self, admin: User, care: Department, clock: time_machine.Traveller
    ) -> None:
        former, old = make(department=care, days=90, rate_per_second=7)
        clock.shift(timedelta(days=80))
        row, text = keys.rotate(key=former, by=admin)
        assert (row.name, row.scopes, row.department, row.rate_per_second, row.replaces) == (
            *(former.name, former.scopes, care, 7, former),
        )
        assert row.expires_at == timezone.now() + timedelta(days=90)
        listed = {key.pk: key for key in MachineKey.objects.newest_first()}
        assert keys.state_of(listed[former.pk], timezone.now()) is State.REPLACED
        clock.shift(keys.OVERLAP - timedelta(seconds=1))
        assert (keys.verify(old), keys.verify(text)) == (former, row)
        clock.shift(1)
        with pytest.raises(AuthenticationProblem):
            keys.verify(old)
        assert keys.verify(text) == row
        assert AuditEvent.objects.get(action="machine_key.rotate").target_id == str(row.pk)

    def test_never_makes_the_former_last_longer(self, clock: time_machine.Traveller) -> None:
        former, _text = make(days=1)
        clock.shift(timedelta(hours=23))
        keys.rotate(key=former, by="system:test")
        former.refresh_from_db()
        assert former.expires_at == timezone.now() + timedelta(hours=1)

    def test_a_chain_of_rotations_lasts_as_the_first_key_did(self, clock: time_machine.Traveller) -> None:
        first, _text = make(days=90)
        second, _text = keys.rotate(key=first, by="system:test")
        clock.shift(timedelta(hours=1))
        third, _text = keys.rotate(key=second, by="system:test")
        assert third.expires_at == timezone.now() + timedelta(days=90)

    def test_what_has_ended_or_was_rotated_is_not_rotated(self) -> None:
        former, _text = make()
        row, _text = keys.rotate(key=former, by="system:test")
        keys.revoke(key=row, by="system:test")
        for key in (former, row):
            with pytest.raises(ConflictProblem):
                keys.rotate(key=key, by="system:test")
        assert MachineKey.objects.count() == 2


class TestActing:
    def test_each_scope_allows_its_own_and_no_more(self) -> None:
        for scope, allowed in PERMISSIONS.items():
            row = MachineKey(scopes=[scope], department=Department(pk=1))
            user = acting.user_of(row)
            assert {permission for permission in Permission if may(user, permission)} == allowed

    def test_an_unknown_scope_allows_nothing(self) -> None:
        user = acting.user_of(MachineKey(scopes=["profiles:write"]))
        assert not any(may(user, permission) for permission in Permission)

    def test_is_no_user(self) -> None:
        user = acting.user_of(MachineKey(scopes=READ))
        for act in (user.save, user.refresh_from_db):
            with pytest.raises(InternalError):
                act()
        assert not User.objects.exists()

    def test_is_called_by_the_programs_name(self) -> None:
        row, _text = make()
        assert actors.names_of({f"key:{row.pk}"}) == {f"key:{row.pk}": "Program: Website"}
        assert actors.names_of({"key:999"})


FORM = {
    "name": "Chatbot",
    "scopes": ["profiles:read", "segments:read"],
    "department": "all",
    "days": "90",
    "rate_per_second": "5",
}


class TestPages:
    def test_an_administrator_makes_one_and_sees_it_this_once(self, login: Login, admin: User) -> None:
        desk = login(admin)
        assert b"No program reads yet" in desk.get("/access/keys/").content
        assert desk.get("/access/keys/new/").status_code == 200
        answer = desk.post("/access/keys/new/", FORM)
        row = MachineKey.objects.get()
        text = answer.context["new_key"]
        assert (row.name, row.scopes, row.department, row.rate_per_second) == (
            *("Chatbot", ["profiles:read", "segments:read"], None, 5),
        )
        assert keys.verify(text) == row
        assert text in answer.content.decode()
        assert "no-store" in answer["Cache-Control"]
        page = desk.get("/access/keys/").content.decode()
        assert row.prefix in page
        assert text not in page

    def test_a_department_is_chosen_and_never_assumed(self, login: Login, admin: User, care: Department) -> None:
        desk = login(admin)
        answer = desk.post("/access/keys/new/", FORM | {"department": ""})
        assert answer.status_code == 422
        assert not MachineKey.objects.exists()
        answer = desk.post("/access/keys/new/", FORM | {"department": str(care.pk), "scopes": ["customers:merge"]})
        assert answer.status_code == 422
        assert "Who merges decides for every department." in answer.content.decode()
        desk.post("/access/keys/new/", FORM | {"department": str(care.pk)})
        assert MachineKey.objects.get().department == care

    def test_rotates_and_revokes(self, login: Login, admin: User) -> None:
        desk = login(admin)
        former, _text = make(admin)
        answer = desk.post(reverse("rotate_machine_key", args=[former.pk]))
        row = MachineKey.objects.get(replaces=former)
        assert answer.context["new_key"].startswith(row.prefix)
        assert desk.post(reverse("revoke_machine_key", args=[row.pk])).status_code == 302
        row.refresh_from_db()
        assert row.revoked_at is not None
        page = desk.get("/access/keys/").content.decode()
        assert "Revoked" in page
        assert "Rotated" in page

    def test_takes_a_fresh_login(self, login: Login, admin: User, clock: time_machine.Traveller) -> None:
        desk = login(admin)
        clock.shift(timedelta(minutes=6))
        assert desk.get("/access/keys/new/").status_code == 302
        desk.post("/access/keys/new/", FORM)
        assert not MachineKey.objects.exists()

    def test_compliance_reads_the_list_and_changes_nothing(self, login: Login, compliance: User) -> None:
        row, _text = make()
        desk = login(compliance)
        page = desk.get("/access/keys/").content.decode()
        assert row.prefix in page
        assert 'data-dialog="revoke' not in page
        assert desk.post("/access/keys/new/", FORM).status_code == 404
        assert desk.post(reverse("revoke_machine_key", args=[row.pk])).status_code == 404

    @pytest.mark.parametrize("role", ["agent", "marketer", "steward", "analyst", ""])
    def test_others_find_nothing(self, login: Login, make_user: Callable[..., User], role: str) -> None:
        row, text = make()
        browser = login(make_user(role, None, "somebody"))
        assert browser.get("/access/keys/").status_code == 404
        for name in ("rotate_machine_key", "revoke_machine_key"):
            assert browser.post(reverse(name, args=[row.pk])).status_code == 404
        assert browser.post("/access/keys/new/", FORM).status_code == 404
        assert keys.verify(text) == row

    def test_a_key_that_is_not_there_is_not_found(self, login: Login, admin: User) -> None:
        for name in ("rotate_machine_key", "revoke_machine_key"):
            assert login(admin).post(reverse(name, args=[999])).status_code == 404
