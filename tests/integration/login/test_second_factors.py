"""Code apps and recovery codes: set up, asked for, lost; and the roles that need a second factor."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core.checks import roles_of_settings_exist
from cdp_site.core.login import mails
from cdp_site.core.models import AuditEvent, Role, User
from tests.integration.login.conftest import SECRET, code, factors_of, is_in

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
Try = Callable[..., HttpResponse]
SECOND = "/login/code/"


class TestSettingUp:
    def test_an_app_is_set_up_by_its_first_code_and_brings_recovery_codes_shown_once(
        self, login: Login, nok: User
    ) -> None:
        client = login(nok)
        page = client.get(reverse("mfa_activate_totp"))
        secret = page.context["form"].secret
        assert "data:image/svg+xml" in page.content.decode()
        assert client.post(reverse("mfa_activate_totp"), {"code": "000000"}).status_code == 200
        assert not factors_of(nok)
        assert client.post(reverse("mfa_activate_totp"), {"code": code(secret)}).url == "/account/recovery-codes/"
        assert factors_of(nok) == {"totp", "recovery_codes"}
        first, second = (client.get("/account/recovery-codes/").content.decode() for _time in range(2))
        assert len(set(re.findall(r"<code>(\d{8})</code>", first))) == 10
        assert not re.findall(r"\d{8}", re.sub(r"csrf\S+|value=\S+", "", second.partition("<main")[2]))
        actions = list(AuditEvent.objects.filter(target_id=str(nok.pk)).values_list("action", "fields", "actor"))
        assert ("second_factor.add", ["totp"], f"user:{nok.pk}") in actions

    def test_secrets_are_sealed_in_the_database(self, with_code_app: User) -> None:
        RecoveryCodes.activate(with_code_app)
        for factor in Authenticator.objects.filter(user=with_code_app):
            assert SECRET not in str(factor.data)
            assert str(factor.data.get("secret") or factor.data["seed"]).startswith("gAAAA")

    def test_it_takes_a_fresh_login(self, login: Login, nok: User) -> None:
        client = login(nok)
        with time_machine.travel(timezone.now() + timedelta(minutes=6)):
            assert client.get(reverse("mfa_activate_totp")).url.startswith("/login/again/")

    def test_an_app_of_somebody_else_cannot_be_removed(self, login: Login, with_code_app: User, marketer: User) -> None:
        factor = Authenticator.objects.get(user=with_code_app)
        address = reverse("account_remove_factor", args=[factor.pk])
        assert login(marketer).post(address).status_code == 404
        assert login(with_code_app).post(address).url == reverse("account")
        assert not factors_of(with_code_app)
        assert AuditEvent.objects.filter(action="second_factor.remove", actor=f"user:{with_code_app.pk}").exists()

    def test_new_recovery_codes_take_the_old_ones_place(self, login: Login, with_code_app: User) -> None:
        old = RecoveryCodes.activate(with_code_app).get_unused_codes()
        client = login(with_code_app)
        assert client.get(reverse("mfa_generate_recovery_codes")).status_code == 200
        assert client.post(reverse("mfa_generate_recovery_codes")).url == "/account/recovery-codes/"
        shown = client.get("/account/recovery-codes/").content.decode()
        assert not any(one in shown for one in old)


class TestLogin:
    def test_the_password_alone_lets_nobody_in(self, with_code_app: User, try_password: Try) -> None:
        client = Client()
        assert try_password(client, with_code_app.username, next="/customers/").url == SECOND
        for address in ("/", "/customers/", "/account/", "/login/again/"):
            assert client.get(address).headers["Location"].partition("?")[0] == "/login/"
        assert client.get(SECOND).status_code == 200
        assert client.post(SECOND, {"code": code()}).url == "/customers/"
        assert is_in(client)
        said = AuditEvent.objects.get(action="login")
        assert said.fields == ["password", "totp"]

    def test_the_second_step_needs_the_first(self, with_code_app: User) -> None:
        assert Client().get(SECOND).url == "/login/"
        assert Client().post(SECOND, {"code": code()}).url == "/login/"

    def test_the_first_step_is_forgotten_after_ten_minutes(self, with_code_app: User, try_password: Try) -> None:
        client = Client()
        try_password(client, with_code_app.username)
        with time_machine.travel(timezone.now() + timedelta(minutes=11)):
            assert client.post(SECOND, {"code": code()}).url == "/login/"

    def test_a_code_is_good_once(self, with_code_app: User, try_password: Try) -> None:
        first, second = Client(), Client()
        for client in (first, second):
            try_password(client, with_code_app.username)
        shown = code()
        assert first.post(SECOND, {"code": shown}).status_code == 302
        assert second.post(SECOND, {"code": shown}).status_code == 200
        assert not is_in(second)

    def test_guessing_codes_is_limited_and_noted(self, with_code_app: User, try_password: Try) -> None:
        client = Client()
        try_password(client, with_code_app.username)
        for _time in range(5):
            client.post(SECOND, {"code": "000000"})
        assert client.post(SECOND, {"code": code()}).status_code == 200
        assert not is_in(client)
        assert AuditEvent.objects.filter(action="login.failed", fields=["code"]).count() == 5

    def test_a_recovery_code_is_good_once(
        self, with_code_app: User, try_password: Try, django_capture_on_commit_callbacks: Callable[..., Any]
    ) -> None:
        recovery = RecoveryCodes.activate(with_code_app).get_unused_codes()[0]
        first, second = Client(), Client()
        for client in (first, second):
            try_password(client, with_code_app.username)
        assert first.post(SECOND, {"code": recovery}).status_code == 302
        assert second.post(SECOND, {"code": recovery}).status_code == 200
        assert not is_in(second)


class TestRoles:
    @pytest.fixture(autouse=True)
    def _agents_need_one(self, settings: Settings) -> None:
        settings.SECOND_FACTOR_ROLES = [Role.AGENT]

    def test_who_has_none_sets_one_up_first(self, login: Login, nok: User, marketer: User) -> None:
        client = login(nok)
        assert client.get("/customers/").url == reverse("account")
        assert client.get("/api/v1/profiles/018f0000-0000-7000-8000-000000000000").status_code == 403
        assert client.get("/customers/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == reverse("account")
        for name in ("account", "mfa_activate_totp", "mfa_add_webauthn", "login_again"):
            assert client.get(reverse(name)).status_code == 200
        assert client.post(reverse("logout")).status_code == 302
        assert login(marketer).get("/customers/").status_code == 200

    def test_who_has_one_works(self, login: Login, with_code_app: User) -> None:
        client = login(with_code_app)
        assert client.get("/customers/").status_code == 200

    def test_the_last_one_stays(self, login: Login, with_code_app: User) -> None:
        factor = Authenticator.objects.get(user=with_code_app)
        login(with_code_app).post(reverse("account_remove_factor", args=[factor.pk]))
        assert factors_of(with_code_app) == {"totp"}


def test_a_role_that_is_none_keeps_the_platform_from_starting(settings: Settings) -> None:
    settings.SECOND_FACTOR_ROLES = ["admin", "boss"]
    assert [one.id for one in roles_of_settings_exist(None)] == ["core.E002"]


class TestLost:
    def test_an_administrator_removes_them_and_the_sessions(
        self, login: Login, admin: User, with_code_app: User
    ) -> None:
        RecoveryCodes.activate(with_code_app)
        browser = login(with_code_app)
        form = {"action": "remove_second_factors", "_selected_action": [with_code_app.pk]}
        assert login(admin).post("/admin/core/user/", form).status_code == 302
        assert not factors_of(with_code_app)
        assert not is_in(browser)
        said = AuditEvent.objects.filter(action="second_factor.remove", target_id=str(with_code_app.pk))
        assert {event.actor for event in said} == {f"user:{admin.pk}"}


class TestMails:
    def test_each_comes_in_the_readers_language_and_says_when(self, nok: User) -> None:
        for news in mails.News:
            mails.send(nok.pk, news)
        User.objects.filter(pk=nok.pk).update(language="th")
        mails.send(nok.pk, mails.News.PASSWORD)
        assert len(mail.outbox) == len(mails.News) + 1
        assert all(one.to == ["nok@baansabai.co.th"] for one in mail.outbox)
        english, thai = mail.outbox[1], mail.outbox[-1]
        assert "Your password was changed" in english.subject
        assert str(timezone.localdate().year) in english.body
        assert "รหัสผ่านของคุณถูกเปลี่ยน" in thai.subject
        assert str(timezone.localdate().year + 543) in thai.body

    def test_whoever_has_no_address_or_left_gets_none(self, nok: User) -> None:
        User.objects.filter(pk=nok.pk).update(is_active=False)
        mails.send(nok.pk, mails.News.PASSWORD)
        User.objects.filter(pk=nok.pk).update(is_active=True, email="")
        mails.send(nok.pk, mails.News.PASSWORD)
        assert mail.outbox == []

    def test_a_mail_server_that_is_down_breaks_nothing(self, nok: User, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*args: object) -> None:
            raise OSError

        monkeypatch.setattr("cdp_site.core.login.mails.EmailMessage.send", refuse)
        mails.send(nok.pk, mails.News.PASSWORD)

    def test_a_login_from_a_new_browser_is_told_and_one_from_a_known_one_is_not(
        self, nok: User, try_password: Try, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told: list[str] = []
        monkeypatch.setattr("cdp_site.core.login.notes.mails.tell", lambda user, news: told.append(news))
        client = Client()
        try_password(client, nok.username)
        client.post(reverse("logout"))
        try_password(client, nok.username)
        assert told == [mails.News.NEW_DEVICE]
