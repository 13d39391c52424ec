"""Saying again who one is: before exports, reveals and changes of what opens an account; and then it goes on."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client, override_settings
from django.urls import get_resolver, include, path, reverse
from django.utils import timezone

from cdp_site.core.access import requires
from cdp_site.core.login.fresh import HEADER, fresh_login
from cdp_site.core.models import AuditEvent, User
from tests.integration.login.conftest import PASSWORD, code, is_in

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]


@requires()
@fresh_login
def guarded(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"sent": request.POST.getlist("name"), "by": request.method})


urlpatterns = [path("guarded/", guarded), path("api/guarded", guarded), path("", include("cdp_site.urls"))]


@pytest.fixture(autouse=True)
def _with_a_guarded_page() -> object:
    with override_settings(ROOT_URLCONF=__name__):
        yield


@pytest.fixture
def ten_minutes_later() -> object:
    with time_machine.travel(timezone.now() + timedelta(minutes=10)) as traveller:
        yield traveller


@pytest.fixture
def desk(login: Login, nok: User, request: pytest.FixtureRequest) -> Client:
    """nok, logged in ten minutes ago."""
    client = login(nok)
    request.getfixturevalue("ten_minutes_later")
    return client


class TestGoingOn:
    def test_right_after_the_login_nothing_is_asked(self, login: Login, nok: User) -> None:
        assert login(nok).get("/guarded/").status_code == 200

    def test_a_page_is_opened_after_the_question(self, desk: Client) -> None:
        asked = desk.get("/guarded/?a=1")
        assert asked.headers["Location"] == "/login/again/?next=/guarded/%3Fa%3D1"
        assert desk.get(asked.headers["Location"]).status_code == 200
        answer = desk.post(reverse("login_again"), {"again-password": PASSWORD, "next": "/guarded/?a=1"})
        assert answer.url == "/guarded/?a=1"
        assert desk.get(answer.url).status_code == 200

    def test_a_form_that_was_sent_comes_with_the_answer(self, desk: Client) -> None:
        sent = {"name": ["<b>ส้ม", "two"]}
        asked = desk.post("/guarded/", sent)
        assert asked.status_code == 403
        assert 'name="name" value="&lt;b&gt;ส้ม"' in asked.content.decode()
        assert desk.post("/guarded/", {**sent, "again-password": "wrong"}).status_code == 422
        done = desk.post("/guarded/", {**sent, "again-password": PASSWORD})
        assert done.json() == {"sent": ["<b>ส้ม", "two"], "by": "POST"}
        assert desk.post("/guarded/", sent).status_code == 200

    def test_htmx_is_told_where_to_ask_and_when_it_is_done(self, desk: Client) -> None:
        htmx = {"HX-Request": "true", "HX-Current-URL": "http://testserver/customers/"}
        asked = desk.post("/guarded/", {"name": "x"}, headers=htmx)
        assert (asked.status_code, asked.headers[HEADER], asked.content) == (403, "/login/again/", b"")
        dialog = desk.get("/login/again/", headers=htmx)
        assert "<html" not in dialog.content.decode()
        assert dialog.context["next"] == "/customers/"
        wrong = desk.post("/login/again/", {"again-password": "wrong"}, headers=htmx)
        assert wrong.status_code == 422
        done = desk.post("/login/again/", {"again-password": PASSWORD}, headers=htmx)
        assert (done.status_code, done.headers["HX-Trigger"]) == (204, "login:again")
        assert desk.post("/guarded/", {"name": "x"}, headers=htmx).status_code == 200

    def test_a_program_gets_the_one_shape(self, desk: Client) -> None:
        answer = desk.post("/api/guarded")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "login_too_old")

    def test_the_way_leads_to_no_other_site(self, desk: Client) -> None:
        form = {"again-password": PASSWORD, "next": "https://elsewhere.example/"}
        assert desk.post(reverse("login_again"), form).url == "/"

    def test_it_lasts_five_minutes(self, login: Login, nok: User) -> None:
        client = login(nok)
        with time_machine.travel(timezone.now() + timedelta(minutes=4, seconds=50)):
            assert client.get("/guarded/").status_code == 200
        with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
            assert client.get("/guarded/").status_code == 302

    def test_who_has_no_login_is_sent_to_it(self) -> None:
        assert Client().get("/guarded/").headers["Location"].startswith("/login/?")


class TestWays:
    def test_a_code_does_and_only_once(self, with_code_app: User, login: Login) -> None:
        client = login(with_code_app)
        with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
            shown = code()
            assert client.post(reverse("login_again"), {"again-code": shown}).status_code == 302
        with time_machine.travel(timezone.now() + timedelta(minutes=20), tick=False):
            assert client.post(reverse("login_again"), {"again-code": shown}).status_code == 422

    def test_a_recovery_code_does_not(self, with_code_app: User, login: Login) -> None:
        from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

        recovery = RecoveryCodes.activate(with_code_app).get_unused_codes()[0]
        client = login(with_code_app)
        assert client.post(reverse("login_again"), {"again-code": recovery}).status_code == 422

    def test_a_way_that_the_user_has_not_is_none(self, desk: Client) -> None:
        for form in ({"again-code": "000000"}, {"again-credential": "{}"}, {}):
            assert desk.post(reverse("login_again"), form).status_code == 422

    def test_an_account_without_any_cannot_pass(self, login: Login, marketer: User) -> None:
        client = login(marketer)
        with time_machine.travel(timezone.now() + timedelta(minutes=10)):
            assert client.post(reverse("login_again"), {"again-password": ""}).status_code == 422
            assert client.get("/guarded/").status_code == 302

    @pytest.mark.parametrize("credential", ["null", "[]", "{}", '{"response":{}}', "x" * 100, '"a"', '{"id": 1}'])
    def test_what_is_no_key_is_refused_and_breaks_nothing(
        self, with_code_app: User, login: Login, credential: str
    ) -> None:
        from allauth.mfa.models import Authenticator

        Authenticator.objects.create(user=with_code_app, type="webauthn", data={"name": "k", "credential": {}})
        client = login(with_code_app)
        assert client.post("/login/passkey/", {"credential": credential}).status_code == 302
        anonymous = Client()
        assert anonymous.post("/login/passkey/", {"credential": credential}).url == "/login/"
        assert not is_in(anonymous)


class TestGuessing:
    def test_the_fifth_wrong_answer_ends_the_session(self, desk: Client, nok: User) -> None:
        for _time in range(4):
            assert desk.post(reverse("login_again"), {"again-password": "wrong"}).status_code == 422
        assert desk.post(reverse("login_again"), {"again-password": "wrong"}).url.startswith("/login/?ended=guessed")
        assert not is_in(desk)
        said = AuditEvent.objects.filter(action="login.again_failed", actor=f"user:{nok.pk}")
        assert said.count() == 5

    def test_by_way_of_another_form_as_well(self, desk: Client) -> None:
        for _time in range(4):
            assert desk.post("/guarded/", {"again-password": "wrong"}).status_code == 422
        assert desk.post("/guarded/", {"again-password": "wrong"}).url.startswith("/login/?ended=guessed")

    def test_a_right_answer_is_in_the_audit(self, desk: Client, nok: User) -> None:
        desk.post(reverse("login_again"), {"again-password": PASSWORD})
        said = AuditEvent.objects.get(action="login.again")
        assert (said.actor, said.fields) == (f"user:{nok.pk}", ["password"])


class TestWhatTakesIt:
    ROUTES = (
        "segments:export",
        "segments:export_start",
        "segments:export_file",
        "account_elsewhere",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_view_recovery_codes",
        "mfa_generate_recovery_codes",
    )

    @pytest.mark.parametrize("name", ROUTES)
    def test_each_is_behind_it(self, name: str) -> None:
        address = reverse(name, args=[UUID(int=7)] if name.startswith("segments") else [])
        view = get_resolver("cdp_site.urls").resolve(address).func
        while not hasattr(view, "takes_fresh_login"):
            view = view.__wrapped__
        assert view.takes_fresh_login

    def test_the_configuration_asks_after_a_quarter_of_an_hour(self, login: Login, admin: User) -> None:
        client = login(admin)
        with time_machine.travel(timezone.now() + timedelta(minutes=14)):
            assert client.get("/admin/core/user/").status_code == 200
        with time_machine.travel(timezone.now() + timedelta(minutes=16)):
            assert client.get("/admin/core/user/").url.startswith("/login/again/?next=/admin/")
            assert client.post("/admin/core/user/add/", {"username": "x"}).status_code == 403
        assert not User.objects.filter(username="x").exists()


def test_nothing_is_said_twice(desk: Client) -> None:
    answer = desk.post(reverse("login_again"), {"again-password": PASSWORD})
    assert not list(get_messages(answer.wsgi_request))
