"""The company's own login provider: whom it lets in, and whom not."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import time_machine
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from requests import ConnectionError as NoConnection

from cdp_site.core.login.adapters import CompanyLoginAdapter
from cdp_site.core.login.company import provider_id
from cdp_site.core.models import AuditEvent, User
from tests.integration.login.conftest import code, is_in

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
SERVER = "https://login.baansabai.example"
CLIENT_ID = "cdp"


class Answer:
    status_code = 200
    headers = {"content-type": "application/json"}  # noqa: RUF012
    text = "{}"
    content = b""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def json(self) -> dict[str, Any]:
        return self._document

    def raise_for_status(self) -> None:
        """It is 200."""


class Provider:
    """The provider as far as we talk with it. `claims`: what it says of the person."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {"sub": "s-1", "email": "NOK@baansabai.co.th", "email_verified": True}
        self.is_up = True
        self.asked: list[dict[str, Any]] = []

    def __enter__(self) -> "Provider":
        return self

    def __exit__(self, *args: object) -> None:
        """Nothing is open."""

    def get(self, url: str, **kwargs: Any) -> Answer:
        if not self.is_up:
            raise NoConnection
        return Answer(
            {
                "issuer": SERVER,
                "authorization_endpoint": f"{SERVER}/authorize",
                "token_endpoint": f"{SERVER}/token",
                "jwks_uri": f"{SERVER}/keys",
            }
        )

    def request(self, method: str, url: str, *, data: dict[str, Any], **kwargs: Any) -> Answer:
        self.asked.append(data)
        now = int(time.time())
        token = {"iss": SERVER, "aud": CLIENT_ID, "iat": now, "exp": now + 60} | self.claims
        token = {name: value for name, value in token.items() if value is not None}
        return Answer({"access_token": "a", "id_token": jwt.encode(token, "k" * 32, algorithm="HS256")})


@pytest.fixture
def provider(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Provider:
    one = Provider()
    app = {
        "provider_id": provider_id(),
        "name": "Baan Sabai",
        "client_id": CLIENT_ID,
        "secret": "secret",
        "settings": {"server_url": SERVER, "oauth_pkce_enabled": True, "fetch_userinfo": False, "verified_email": []},
    }
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    monkeypatch.setattr(CompanyLoginAdapter, "get_requests_session", lambda self: one)
    return one


def go(client: Client, address: str = "/login/company/", **headers: str) -> dict[str, str]:
    """To the provider; returns what it is asked."""
    answer = client.get(address, headers=headers)
    assert answer.headers["Location"].startswith(f"{SERVER}/authorize?"), answer.headers["Location"]
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def come_back(client: Client, asked: dict[str, str]) -> HttpResponse:
    return client.get("/login/company/back/", {"state": asked["state"], "code": "c"})


def log_in(client: Client, address: str = "/login/company/") -> HttpResponse:
    return come_back(client, go(client, address))


class TestWhoIsLetIn:
    def test_the_one_user_of_the_verified_address_and_then_the_subject(self, nok: User, provider: Provider) -> None:
        client = Client()
        assert log_in(client, "/login/company/?next=/customers/").url == "/customers/"
        assert is_in(client)
        account = SocialAccount.objects.get()
        assert (account.user, account.uid, account.extra_data) == (nok, "s-1", {})
        assert not SocialToken.objects.exists()
        said = AuditEvent.objects.filter(target_id=str(nok.pk)).order_by("pk").values_list("action", "fields")
        assert list(said) == [("login.linked", []), ("login", ["company"])]
        User.objects.filter(pk=nok.pk).update(email="")
        provider.claims |= {"email": "other@baansabai.co.th", "email_verified": False}
        again = Client()
        log_in(again)
        assert is_in(again)

    @pytest.mark.parametrize(
        "claims",
        [
            {"email_verified": False},
            {"email_verified": None},
            {"email_verified": "true"},
            {"email": None},
            {"email": ""},
            {"email": "nobody@baansabai.co.th"},
        ],
        ids=str,
    )
    def test_nobody_else_and_nobody_is_made(self, nok: User, provider: Provider, claims: dict[str, Any]) -> None:
        provider.claims |= claims
        client, users = Client(), User.objects.count()
        assert log_in(client).url == "/login/"
        assert not is_in(client)
        assert User.objects.count() == users
        assert not SocialAccount.objects.exists()
        assert "company" in client.get("/login/", headers={"Cookie": ""}).content.decode()

    def test_a_domain_that_the_settings_vouch_for_counts_as_verified(
        self, nok: User, provider: Provider, settings: Settings
    ) -> None:
        settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]["verified_email"] = [
            "baansabai.co.th"
        ]
        provider.claims |= {"email_verified": None}
        client = Client()
        log_in(client)
        assert is_in(client)

    def test_an_address_of_two_users_is_nobodys(self, nok: User, marketer: User, provider: Provider) -> None:
        User.objects.filter(pk=marketer.pk).update(email=nok.email)
        client = Client()
        log_in(client)
        assert not is_in(client)

    def test_a_second_subject_with_the_same_address_is_not_the_user(self, nok: User, provider: Provider) -> None:
        log_in(Client())
        provider.claims["sub"] = "s-2"
        client = Client()
        log_in(client)
        assert not is_in(client)

    def test_whoever_left_stays_out(self, nok: User, provider: Provider) -> None:
        log_in(Client())
        User.objects.filter(pk=nok.pk).update(is_active=False)
        client = Client()
        log_in(client)
        assert not is_in(client)

    @pytest.mark.parametrize("claims", [{"aud": "another"}, {"iss": "https://e.example"}, {"exp": 1}], ids=str)
    def test_a_token_for_another_or_of_another_or_old_is_none(
        self, nok: User, provider: Provider, claims: dict[str, Any]
    ) -> None:
        provider.claims |= claims
        client = Client()
        assert log_in(client).url == "/login/"
        assert not is_in(client)

    def test_a_second_factor_of_ours_is_still_asked_for(self, with_code_app: User, provider: Provider) -> None:
        client = Client()
        assert log_in(client, "/login/company/?next=/customers/").url == "/login/code/"
        assert not is_in(client)
        assert client.post("/login/code/", {"code": code()}).url == "/customers/"


class TestTheWay:
    def test_it_is_asked_with_a_state_and_a_challenge(self, nok: User, provider: Provider) -> None:
        client = Client()
        asked = go(client)
        assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == ("code", "S256", "cdp")
        assert asked["redirect_uri"] == "http://testserver/login/company/back/"
        come_back(client, asked)
        assert provider.asked[0]["code_verifier"]

    def test_an_answer_that_this_browser_did_not_ask_for_is_none(self, nok: User, provider: Provider) -> None:
        asked = go(Client())
        victim = Client()
        assert come_back(victim, asked).url == "/login/"
        assert not is_in(victim)

    def test_an_answer_is_good_once(self, nok: User, provider: Provider) -> None:
        client = Client()
        asked = go(client)
        come_back(client, asked)
        client.post("/logout/")
        assert come_back(client, asked).url == "/login/"

    def test_another_site_cannot_start_it(self, nok: User, provider: Provider) -> None:
        answer = Client().get("/login/company/", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.url.startswith("/login/")

    @pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example/", "/login/company/"])
    def test_it_leads_to_no_other_site(self, nok: User, provider: Provider, target: str) -> None:
        assert log_in(Client(), f"/login/company/?next={target}").url == "/"

    def test_the_browser_cannot_add_to_what_is_asked(self, nok: User, provider: Provider) -> None:
        asked = go(Client(), "/login/company/?auth_params=prompt%3Dnone&scope=admin&process=connect")
        assert "prompt" not in asked
        assert set(asked["scope"].split()) == {"openid", "profile", "email"}

    def test_who_broke_off_there_is_told_here(self, nok: User, provider: Provider) -> None:
        client = Client()
        asked = go(client)
        answer = client.get("/login/company/back/", {"state": asked["state"], "error": "access_denied"})
        assert answer.url == "/login/"

    def test_a_provider_that_is_down_is_said(self, provider: Provider) -> None:
        provider.is_up = False
        assert Client().get("/login/company/").url == "/login/"

    def test_without_a_provider_there_is_no_way(self) -> None:
        assert Client().get("/login/company/").url.startswith("/login/")
        assert "/login/company/" not in Client().get("/login/").content.decode()
        assert Client().get("/login/company/back/", {"state": "s", "code": "c"}).status_code == 404


class TestAgain:
    def test_a_login_there_hours_ago_is_not_fresh_here(self, nok: User, provider: Provider) -> None:
        for auth_time in (None, int(time.time()) - 3600, "now"):
            provider.claims["auth_time"] = auth_time
            client = Client()
            log_in(client)
            assert client.get("/account/codes/").url.startswith("/login/again/")

    def test_one_just_now_is(self, nok: User, provider: Provider) -> None:
        provider.claims["auth_time"] = int(time.time())
        client = Client()
        log_in(client)
        assert client.get("/account/codes/").status_code == 200

    def test_who_is_in_is_asked_there_again_and_goes_on_in_the_same_session(
        self, nok: User, provider: Provider
    ) -> None:
        client = Client()
        log_in(client)
        session = client.cookies["sessionid"].value
        assert "/login/company/?again=1" in client.get("/login/again/").content.decode()
        asked = go(client, "/login/company/?again=1&next=/account/codes/")
        assert (asked["prompt"], asked["max_age"]) == ("login", "0")
        provider.claims["auth_time"] = None
        assert come_back(client, asked).url == "/account/codes/"
        assert client.get("/account/codes/").status_code == 302  # it did not say when it asked
        provider.claims["auth_time"] = int(time.time())
        come_back(client, go(client, "/login/company/?again=1&next=/account/codes/"))
        assert client.get("/account/codes/").status_code == 200
        assert client.cookies["sessionid"].value == session

    def test_a_time_to_come_is_now_at_most(self, nok: User, provider: Provider) -> None:
        provider.claims["auth_time"] = int(time.time()) + 86_400
        client = Client()
        log_in(client)
        with time_machine.travel(timezone.now() + timedelta(minutes=6)):
            assert client.get("/account/codes/").status_code == 302
