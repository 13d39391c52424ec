"""The frame: home, login, language, display switches, and the pages of an error."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse

from cdp_site import views
from cdp_site.core import home
from cdp_site.core.access import Permission
from cdp_site.core.models import User
from cdp_site.core.registry import Registry

pytestmark = pytest.mark.django_db
Login = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def with_password(agent: User) -> User:
    agent.set_password("a-good-one-2569")
    agent.language = "en"
    agent.save()
    return agent


class TestHome:
    def test_shows_the_areas_of_the_role(self, login: Login, agent: User, analyst: User) -> None:
        assert reverse("profiles:customers") in login(agent).get("/").content.decode()
        assert reverse("profiles:customers") not in login(analyst).get("/").content.decode()

    def test_loads_the_panels_of_the_role(self, login: Login, agent: User, monkeypatch: pytest.MonkeyPatch) -> None:
        mine = home.HomePanel("mine", "For agents", "profiles:recent", "users", 1, Permission.VIEW_CUSTOMERS)
        others = home.HomePanel("others", "For compliance", "profiles:recent", "users", 2, Permission.VIEW_AUDIT)
        monkeypatch.setattr(home._panels, "_added", {"mine": mine, "others": others})
        page = login(agent).get("/").content.decode()
        assert "For agents" in page
        assert "For compliance" not in page

    def test_a_panel_is_registered_once(self) -> None:
        found = Registry[home.HomePanel]("home panel")
        panel = home.HomePanel("one", "One", "profiles:recent", "users", 1, Permission.VIEW_CUSTOMERS)
        found.register(panel)
        with pytest.raises(ValueError, match="home panel 'one' is registered twice"):
            found.register(panel)

    def test_says_so_to_somebody_without_a_role(self, login: Login, outsider: User) -> None:
        client = login(outsider)
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
        assert "No role yet" in client.get("/").content.decode()

    def test_strangers_are_sent_to_the_login_and_back(self, with_password: User) -> None:
        client = Client()
        target = reverse("profiles:customers")
        asked = client.get(target, follow=True)
        assert asked.templates[0].name == "core/login.html"
        form = {"username": with_password.username, "password": "a-good-one-2569", "next": asked.context["next"]}
        assert client.post(reverse("login"), form).url == target


class TestLogin:
    def test_brings_the_users_language(self, with_password: User) -> None:
        client = Client()
        client.post(reverse("login"), {"username": with_password.username, "password": "a-good-one-2569"})
        assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "en"
        assert 'lang="en"' in client.get("/").content.decode()

    def test_never_says_which_of_the_two_was_wrong(self, with_password: User) -> None:
        with_password.is_active = False
        with_password.save()
        answers = set()
        for form in (
            {"username": with_password.username, "password": "a-good-one-2569"},
            {"username": with_password.username, "password": "wrong"},
            {"username": "nobody", "password": "wrong"},
        ):
            response = Client().post(reverse("login"), form)
            assert response.status_code == 422
            answers.add(response.context["form"].non_field_errors().as_text())
        assert len(answers) == 1

    @pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
    def test_leads_to_no_other_host(self, target: str, login: Login, agent: User) -> None:
        assert login(agent).get(reverse("login"), {"next": target}).url == "/"
        assert login(agent).post(reverse("set_language"), {"next": target, "language": "en"}).url == "/"

    def test_logout_takes_a_post(self, login: Login, agent: User) -> None:
        client = login(agent)
        assert client.get(reverse("logout")).status_code == 405
        client.post(reverse("logout"))
        assert client.get("/").status_code == 302


class TestSwitches:
    def test_language_is_kept_with_the_user(self, login: Login, agent: User) -> None:
        client = login(agent)
        client.post(reverse("set_language"), {"language": "en", "next": "/"})
        agent.refresh_from_db()
        assert agent.language == "en"
        assert 'lang="en"' in client.get("/").content.decode()

    def test_a_language_that_is_none_changes_nothing(self, login: Login, agent: User) -> None:
        client = login(agent)
        client.post(reverse("set_language"), {"language": "xx", "next": "/"})
        assert settings.LANGUAGE_COOKIE_NAME not in client.cookies

    def test_display_is_rendered_by_the_server(self, login: Login, agent: User) -> None:
        client = login(agent)
        form = {"theme": "dark", "nav": "collapsed", "keys": "off"}
        assert client.post(reverse("set_display"), form, headers=HTMX).status_code == 204
        page = client.get("/").content.decode()
        assert 'data-bs-theme="dark"' in page
        assert 'data-nav="collapsed"' in page
        assert 'data-keys="off"' in page

    def test_cookies_take_no_other_value(self, login: Login, agent: User) -> None:
        client = login(agent)
        response = client.post(reverse("set_display"), {"theme": "<b>", "nav": "x", "sessionid": "y", "next": "/"})
        assert response.url == "/"
        assert not {"theme", "nav"} & set(response.cookies)
        assert client.cookies["sessionid"].value != "y"


class TestErrors:
    def test_not_found_has_a_way_on(self, login: Login, agent: User) -> None:
        response = login(agent).get("/nothing/here/")
        assert response.status_code == 404
        assert b'href="/"' in response.content
        assert response.templates[0].name == "core/404.html"

    @pytest.mark.parametrize(
        ("view", "status", "code"),
        [
            (views.page_not_found, 404, "not_found"),
            (views.permission_denied, 403, "forbidden"),
            (views.server_error, 500, "internal"),
            (views.csrf_failure, 403, "forbidden"),
        ],
    )
    def test_machines_get_the_one_shape(self, view: Callable[..., object], status: int, code: str) -> None:
        response = view(RequestFactory().get("/v1/batch"))
        assert response.status_code == status  # type: ignore[attr-defined]
        assert f'"code": "{code}"'.encode() in response.content  # type: ignore[attr-defined]

    def test_our_own_fault_is_shown_without_the_database(self) -> None:
        request = RequestFactory().get("/customers/")
        request.COOKIES[settings.LANGUAGE_COOKIE_NAME] = "en"

        def refuse(*args: object) -> None:
            raise AssertionError("the page of an error asked the database")

        with connection.execute_wrapper(refuse):
            response = views.server_error(request)
        assert response.status_code == 500
        assert b"Something broke on our side" in response.content

    def test_an_old_form_is_explained(self, with_password: User) -> None:
        response = Client(enforce_csrf_checks=True).post(reverse("login"), {"username": "x"})
        assert response.status_code == 403
        assert response.templates[0].name == "core/csrf.html"


def test_the_policy_allows_nothing_inline(login: Login, agent: User) -> None:
    response = login(agent).get("/")
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert response.headers["Cache-Control"] == "no-store, private"


def test_every_component_is_on_the_style_page(login: Login, agent: User, outsider: User) -> None:
    assert login(agent).get(reverse("style")).status_code == 200
    assert Client().get(reverse("style")).status_code == 302
