"""Name and password: where they lead, what they tell, and how often one may try."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core.login import limits
from cdp_site.core.models import AuditEvent, FailedLogins, KnownDevice, User
from tests.integration.login.conftest import PASSWORD, is_in

pytestmark = pytest.mark.django_db
Try = Callable[..., HttpResponse]


def wrong(try_password: Try, client: Client, name: str, times: int, **how: str) -> HttpResponse:
    for _time in range(times):
        answer = try_password(client, name, "wrong", **how)
    return answer


class TestWhereItLeads:
    def test_to_the_page_that_was_asked_for(self, nok: User, try_password: Try) -> None:
        client = Client()
        asked = client.get("/customers/?after=")
        assert asked.headers["Location"] == "/login/?next=/customers/%3Fafter%3D"
        page = client.get(asked.headers["Location"])
        assert try_password(client, nok.username, next=page.context["next"]).url == "/customers/?after="

    @pytest.mark.parametrize(
        "target",
        [
            "https://elsewhere.example/",
            "//elsewhere.example/",
            "/\\elsewhere.example",
            "/%5Celsewhere.example",
            "///elsewhere.example",
            "javascript:alert(1)",
            "http:/elsewhere.example",
            "/customers/\r\nSet-Cookie: a=b",
            "customers/",
            "/nothing/here/",
            "/login/",
            "/login/again/",
            "/logout/",
            "/customers/" + "a" * 3000,
        ],
    )
    def test_to_no_other_site_and_to_no_dead_end(self, nok: User, try_password: Try, target: str) -> None:
        assert try_password(Client(), nok.username, next=target).url == "/"

    def test_back_to_the_page_from_which_htmx_asked(self, nok: User) -> None:
        page = "http://testserver/customers/?kind=a"
        answer = Client().get("/segments/", headers={"HX-Request": "true", "HX-Current-URL": page})
        assert answer.headers["HX-Redirect"] == "/login/?next=/customers/%3Fkind%3Da"
        foreign = {"HX-Request": "true", "HX-Current-URL": "https://elsewhere.example/customers/"}
        assert Client().get("/segments/", headers=foreign).headers["HX-Redirect"] == "/login/"

    def test_back_to_the_page_of_a_form_and_not_to_where_it_was_sent(self) -> None:
        answer = Client().post("/language/", {"language": "en"})
        assert answer.status_code == 302
        sent = Client().post(reverse("account_elsewhere"), headers={"Referer": "http://testserver/account/"})
        assert sent.headers["Location"] == "/login/?next=/account/"
        elsewhere = Client().post(reverse("account_elsewhere"), headers={"Referer": "https://e.example/account/"})
        assert elsewhere.headers["Location"] == "/login/"


class TestSession:
    def test_one_that_was_planted_before_is_not_the_one_after(self, nok: User, try_password: Try) -> None:
        client = Client()
        client.get(reverse("login"))
        session = client.session
        session["planted"] = True
        session.save()
        client.cookies["sessionid"] = session.session_key or ""
        planted = session.session_key
        try_password(client, nok.username)
        assert is_in(client)
        assert client.cookies["sessionid"].value != planted
        old = Client()
        old.cookies["sessionid"] = planted or ""
        assert not is_in(old)


class TestWhatItTells:
    def test_a_name_that_nobody_has_costs_the_same(
        self, nok: User, try_password: Try, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashed: list[str] = []
        encode = MD5PasswordHasher.encode
        monkeypatch.setattr(
            MD5PasswordHasher, "encode", lambda self, *given: (hashed.append(given[0]), encode(self, *given))[1]
        )
        costs = []
        for name in (nok.username, "nobody"):
            hashed.clear()
            with CaptureQueriesContext(connection) as queries:
                try_password(Client(), name, "wrong")
            costs.append((hashed.count("wrong"), len(queries)))
        assert costs[0] == costs[1]
        assert costs[0][0] == 1

    def test_a_name_that_nobody_has_is_limited_with_the_same_words(self, nok: User, try_password: Try) -> None:
        texts = set()
        for name in (nok.username, "nobody"):
            answer = wrong(try_password, Client(), name, 6, address="192.0.2.1" if name == "nobody" else "192.0.2.2")
            assert answer.status_code == 429
            texts.add(answer.context["form"].non_field_errors().as_text())
        assert len(texts) == 1

    def test_no_password_of_a_length_that_costs_time_is_hashed(self, nok: User, try_password: Try) -> None:
        assert try_password(Client(), nok.username, "x" * 100_000).status_code == 422
        assert not FailedLogins.objects.exists()


class TestLimits:
    def test_the_sixth_try_from_one_place_waits_even_with_the_right_password(
        self, nok: User, try_password: Try
    ) -> None:
        client = Client()
        assert wrong(try_password, client, nok.username, 5).status_code == 422
        assert try_password(client, nok.username).status_code == 429
        assert not is_in(client)
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            assert try_password(client, nok.username).status_code == 302

    def test_waiting_grows_no_longer_by_trying_on(self, nok: User, try_password: Try) -> None:
        wrong(try_password, Client(), nok.username, 30)
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            assert try_password(Client(), nok.username).status_code == 302

    def test_guessing_from_everywhere_shuts_out_everywhere_but_the_owners_desk(
        self, nok: User, try_password: Try
    ) -> None:
        desk = Client()
        try_password(desk, nok.username)
        desk.post(reverse("logout"))
        for attacker in range(60):
            try_password(Client(), nok.username, "wrong", address=f"198.51.100.{attacker}")
        assert try_password(Client(), nok.username, address="192.0.2.1").status_code == 429
        assert wrong(try_password, desk, nok.username, 1).status_code == 422
        assert try_password(desk, nok.username).status_code == 302

    def test_a_device_of_one_person_is_no_device_of_another(self, nok: User, marketer: User, try_password: Try) -> None:
        desk = Client()
        try_password(desk, nok.username)
        desk.post(reverse("logout"))
        wrong(try_password, desk, marketer.username, 5)
        assert wrong(try_password, desk, marketer.username, 1).status_code == 429
        assert try_password(desk, nok.username).status_code == 302

    def test_a_made_up_device_is_none(self, nok: User, try_password: Try) -> None:
        for number in range(8):
            client = Client()
            client.cookies["device"] = f"{number:064x}"
            answer = try_password(client, nok.username, "wrong")
        assert answer.status_code == 429

    def test_many_names_from_one_address_are_limited(self, nok: User, try_password: Try) -> None:
        for number in range(100):
            try_password(Client(), f"name{number}", "wrong")
        assert try_password(Client(), nok.username).status_code == 429
        assert try_password(Client(), nok.username, address="192.0.2.1").status_code == 302

    def test_one_who_has_an_ipv6_address_has_a_network(self, nok: User, try_password: Try) -> None:
        for number in range(6):
            answer = try_password(Client(), nok.username, "wrong", address=f"2001:db8:1:2::{number:x}")
        assert answer.status_code == 429

    def test_a_header_of_the_browser_is_no_address(self, nok: User, try_password: Try) -> None:
        for number in range(6):
            client = Client(headers={"X-Forwarded-For": f"198.51.100.{number}"})
            answer = try_password(client, nok.username, "wrong")
        assert answer.status_code == 429

    def test_behind_a_proxy_the_proxy_says_the_address(self, settings: Settings, rf: RequestFactory) -> None:
        settings.TRUSTED_PROXIES = 1
        request = rf.get("/", headers={"X-Forwarded-For": "1.2.3.4, 198.51.100.9"})
        assert limits.client_address(request) == "198.51.100.9"

    def test_the_right_password_forgets_ones_own_mistakes_and_not_those_of_others(
        self, nok: User, try_password: Try
    ) -> None:
        client = Client()
        for _round in range(4):
            wrong(try_password, client, nok.username, 3)
            client = Client()
            assert try_password(client, nok.username).status_code == 302
            client.cookies.pop("device")
            client.cookies.pop("sessionid")
        shared = FailedLogins.objects.order_by("-count").values_list("count", flat=True)
        assert list(shared)[:2] == [12, 12]

    def test_what_limits_nobody_any_more_is_forgotten(self, nok: User, try_password: Try) -> None:
        wrong(try_password, Client(), nok.username, 1)
        assert limits.forget_old() == 0
        with time_machine.travel(timezone.now() + timedelta(hours=2)):
            assert limits.forget_old() == 3
        assert not FailedLogins.objects.exists()

    def test_nothing_that_was_typed_is_kept(self, nok: User, try_password: Try) -> None:
        try_password(Client(), "สมชาย 0812345678", "wrong")
        said = [(event.target_id, event.fields) for event in AuditEvent.objects.filter(action="login.failed")]
        assert said == [("", ["password"])]


class TestAudit:
    def test_logins_failures_and_logouts_are_in_it(self, nok: User, try_password: Try) -> None:
        client = Client()
        try_password(client, nok.username, "wrong")
        try_password(client, nok.username)
        client.post(reverse("logout"))
        me = f"user:{nok.pk}"
        said = AuditEvent.objects.filter(action__startswith="log").values_list("action", "actor", "target_id", "fields")
        assert list(said.order_by("pk")) == [
            ("login.failed", "system:login", str(nok.pk), ["password"]),
            ("login", me, str(nok.pk), ["password"]),
            ("logout", me, str(nok.pk), []),
        ]

    def test_a_login_that_cannot_be_audited_is_none(
        self, nok: User, try_password: Try, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*args: object, **kwargs: object) -> None:
            raise RuntimeError("no audit")

        monkeypatch.setattr("cdp_site.core.login.notes.audit.record", refuse)
        client = Client(raise_request_exception=False)
        assert try_password(client, nok.username).status_code == 500
        assert not is_in(client)


def test_at_most_ten_browsers_of_a_person_are_known(nok: User, try_password: Try) -> None:
    for _browser in range(12):
        try_password(Client(), nok.username)
    assert KnownDevice.objects.filter(user=nok).count() == 10


def test_the_password_is_in_no_answer(nok: User, try_password: Try) -> None:
    assert PASSWORD not in try_password(Client(), "nobody", PASSWORD).content.decode()


@pytest.mark.django_db(transaction=True)
def test_guessing_in_parallel_brings_no_more_tries() -> None:
    limit = [limits.Limit(bytes(32), 5, timedelta(minutes=15), is_own=True), limits.Limit(b"\1" * 32, 50, timedelta(1))]

    def guess(_number: int) -> bool:
        try:
            return limits.take(limit) is None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(guess, range(24))) == 5
