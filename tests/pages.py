"""Every address of the URLconf, filled in for the company of `tests/company.py` and opened by somebody who may."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.urls.converters import IntConverter, UUIDConverter
from django.utils.encoding import iri_to_uri

from cdp_site.core.access import ROLE_PERMISSIONS
from cdp_site.core.models import Role
from tests.company import Company
from tests.routes import Route, routes

# Doors of machines and Django's own administration, which has its own tests: not pages of people at their desks.
MACHINES = ("v1/", "^v1/", "api/", "webhooks/<str:token>", "healthz", "cdp.js", "admin/")
# Somebody of the first of these roles that holds all permissions of an address opens it.
ROLES = (Role.AGENT, Role.STEWARD, Role.MARKETER, Role.COMPLIANCE, Role.ANALYST, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Visit:
    """What an address answered to somebody who opens it in a browser."""

    route: Route
    role: str | None
    url: str
    response: HttpResponse

    @property
    def html(self) -> str:
        is_html = self.response.headers.get("Content-Type", "").startswith("text/html")
        return self.response.content.decode() if is_html and not self.response.streaming else ""

    @property
    def is_page(self) -> bool:
        return self.response.status_code == 200 and "<html" in self.html


def _plausible(converter: object) -> object:
    return {UUIDConverter: UUID(int=7), IntConverter: 7}.get(type(converter), "x")


def part_of(route: Route) -> str:
    """Its app; the pages of matching, which are many, are a part of their own."""
    app, _colon, _rest = route.name.rpartition(":")
    return "matching" if route.path.startswith("matching/") else app or "frame"


def role_of(route: Route) -> str | None:
    """Who opens it; None: somebody who is not logged in."""
    if route.guard == "public":
        return None
    return next(role for role in ROLES if set(route.guard) <= ROLE_PERMISSIONS[role])


def address(route: Route, company: Company) -> str:
    """With something plausible for a parameter that the company has nothing for."""
    named = {
        one: company.of.get(f"{route.name}.{one}", company.of.get(one, _plausible(converter)))
        for one, converter in route.pattern.pattern.converters.items()
    }
    query = company.queries.get(route.name, "")
    return reverse(route.name, kwargs=named) + (f"?{quote(query, safe='=&')}" if query else "")


def visits(company: Company, language: str, part: str = "") -> Iterator[Visit]:
    """Open every address once, with GET; or those of one part of the product."""
    clients: dict[str | None, Client] = {}
    for route in routes():
        if route.path.startswith(MACHINES) or (part and part_of(route) != part):
            continue
        role = role_of(route)
        client = clients.get(role)
        if client is None:
            client = clients[role] = Client()
            client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
            if role is not None:
                client.force_login(company.users[role])
        url = iri_to_uri(address(route, company))
        yield Visit(route, role, url, client.get(url))
