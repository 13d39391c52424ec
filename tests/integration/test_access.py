"""Deny by default: every address of the product names who may open it, and lets nobody else in."""

from collections.abc import Callable

import pytest
from django.contrib import admin
from django.http import Http404, HttpResponse
from django.test import Client, RequestFactory

from cdp_site.core.access import ROLE_PERMISSIONS, Permission, may, requires
from cdp_site.core.models import Role, User
from tests.routes import Route, routes

# Addresses that need no login, by name: adding one here is a decision.
PUBLIC = {
    "login": "the way in",
    "account_login": "the same, by the library's name",
    "mfa_authenticate": "the second step of the way in: only after the first, in the same session",
    "mfa_login_webauthn": "the way in with a passkey",
    "login_company": "the way in by the company's login provider",
    "openid_connect_callback": "back from the company's login provider; takes the state of the same session",
    "forgotten": "who cannot log in asks for a link by mail; the answer says nothing of anybody",
    "new_password": "behind that link: its token is good once and for an hour",
    "logout": "the way out",
    "set_language": "a cookie",
    "set_display": "a cookie",
    "healthz": "for load balancers; says nothing of anybody",
    "tracking_call": "has its own write keys",
    "tracking_batch": "has its own write keys",
    "tracking_import": "has its own write keys",
    "receive_webhook": "each report is signed with the webhook's secret",
    "line_link_nonce": "has its own write keys",
    "api_calls": "has its own write keys; says nothing of anybody",
    "ask_preference_link": "customers: mails a link to an address that is known; the answer says nothing of anybody",
    "preferences": "customers: behind that link, which is signed and ends",
    "choose_preference": "the same page's form",
    "privacy_request": "customers: a form; the answer says nothing of anybody",
    "copy": "customers: behind a link that ends, with a code; counted",
    "prove_public": "customers: where a one-time code is given back; counted, one answer for every id",
    "schema": "how to call the machine interfaces; says nothing of anybody",
    "snippet": "a script for other companies' pages; says nothing of anybody",
}


ROUTES = routes()
GUARDED = [route for route in ROUTES if route.guard not in (None, "public")]


def test_the_walk_reaches_everything() -> None:
    paths = {route.path for route in ROUTES}
    assert {"", "login/", "admin/", "admin/login/", "admin/core/user/"} <= paths
    assert len(ROUTES) > 20


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path or "home")
def test_every_view_says_who_may_open_it(route: Route) -> None:
    assert route.guard is not None, f"/{route.path} has neither @requires nor @public"


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.guard == "public"], ids=lambda route: route.path or "home"
)
def test_public_addresses_are_decided_one_by_one(route: Route) -> None:
    assert route.pattern.name in PUBLIC


@pytest.mark.django_db
@pytest.mark.parametrize("route", GUARDED, ids=lambda route: route.path or "home")
def test_nobody_gets_in_without_a_login(client: Client, route: Route) -> None:
    for answer in (client.get(route.example), client.post(route.example)):
        if route.example.startswith(("/v1/", "/api/")):
            assert answer.status_code == 401
        else:
            assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (302, "/login/")


@pytest.mark.django_db
@pytest.mark.parametrize("route", [route for route in GUARDED if route.guard], ids=lambda route: route.path)
def test_an_outsider_finds_nothing(login: Callable[[User], Client], outsider: User, route: Route) -> None:
    browser = login(outsider)
    assert {browser.get(route.example).status_code, browser.post(route.example).status_code} == {404}


@pytest.mark.django_db
@pytest.mark.parametrize("role", [role for role in Role.values if role != Role.ADMIN])
def test_configuration_is_the_administrators_alone(
    login: Callable[[User], Client], make_user: Callable[..., User], role: str
) -> None:
    browser = login(make_user(role))
    assert {browser.get(path).status_code for path in ("/admin/", "/admin/login/", "/admin/core/user/")} == {404}


@pytest.mark.django_db
def test_the_administrator_reaches_configuration_and_no_customer(login: Callable[[User], Client], admin: User) -> None:
    browser = login(admin)
    assert browser.get("/admin/").status_code == 200
    assert browser.get("/admin/login/").headers["Location"] == "/admin/"
    assert browser.get("/admin/core/user/").status_code == 200
    assert not may(admin, Permission.VIEW_CUSTOMERS)


def test_customers_ledgers_and_the_audit_are_not_in_the_admin() -> None:
    configuration = {
        "core.User",
        "core.Department",
        "consent.Purpose",
        "ingestion.Source",
        "profiles.EventType",
        "profiles.ExchangeRate",
        "profiles.TraitGroup",
        "profiles.Trait",
    }
    assert {model._meta.label for model in admin.site._registry} <= configuration


def test_a_role_that_nobody_has_defined_may_nothing() -> None:
    assert set(ROLE_PERMISSIONS) == set(Role.values)
    assert not any(may(User(role="manager"), permission) for permission in Permission)


def test_who_is_inactive_may_nothing() -> None:
    assert not any(may(User(role=Role.ADMIN, is_active=False), permission) for permission in Permission)


def test_a_superuser_gets_no_more_than_the_role() -> None:
    assert not may(User(role=Role.AGENT, is_superuser=True), Permission.MANAGE_CONFIGURATION)


@pytest.mark.django_db
def test_all_of_several_permissions_are_asked(rf: RequestFactory, agent: User, compliance: User) -> None:
    view = requires(Permission.RECORD_CONSENT, Permission.VIEW_REQUESTS)(lambda request: HttpResponse("in"))
    request = rf.get("/")
    request.user = compliance
    assert view(request).content == b"in"
    request.user = agent
    with pytest.raises(Http404):
        view(request)


@pytest.mark.django_db
def test_a_machine_and_htmx_are_told_in_their_own_way(client: Client) -> None:
    answer = client.get("/", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].startswith("/login/")


@pytest.mark.django_db
def test_a_permission_that_is_taken_away_bites_on_the_next_request(
    login: Callable[[User], Client], admin: User
) -> None:
    browser = login(admin)
    assert browser.get("/admin/").status_code == 200
    User.objects.filter(pk=admin.pk).update(role=Role.AGENT)
    assert browser.get("/admin/").headers["Location"].startswith("/login/")  # the session of the other role is over
    assert login(User.objects.get(pk=admin.pk)).get("/admin/").status_code == 404
