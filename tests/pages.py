"""Every address of the URLconf, filled in for the company of `tests/company.py` and opened by somebody who may."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter, UUIDConverter
from django.utils.encoding import iri_to_uri

from cdp_site.core.access import ROLE_PERMISSIONS
from cdp_site.core.models import Role
from tests.company import Company

# Doors of machines and Django's own administration, which has its own tests: not pages of people at their desks.
MACHINES = ("v1/", "^v1/", "api/", "webhooks/<str:token>", "healthz", "cdp.js", "admin/")
# Somebody of the first of these roles that holds all permissions of an address opens it.
ROLES = (Role.AGENT, Role.STEWARD, Role.MARKETER, Role.COMPLIANCE, Role.ANALYST, Role.ADMIN)


@dataclass(frozen=True, slots=True)
class Route:
    """An address of the URLconf, with its namespace."""

    name: str
    path: str
    pattern: URLPattern

    @property
    def part(self) -> str:
        """Its app; the pages of matching, which are many, are a part of their own."""
        app, _colon, _rest = self.name.rpartition(":")
        return "matching" if self.path.startswith("matching/") else app or "frame"

    @property
    def role(self) -> str | None:
        """Who opens it; None: somebody who is not logged in."""
        guard = self.pattern.callback.access  # type: ignore[attr-defined]
        if guard == "public":
            return None
        return next(role for role in ROLES if set(guard) <= ROLE_PERMISSIONS[role])

    def address(self, company: Company) -> str:
        """With something plausible for a parameter that the company has nothing for."""
        named = {
            one: company.of.get(f"{self.name}.{one}", company.of.get(one, _plausible(converter)))
            for one, converter in self.pattern.pattern.converters.items()
        }
        query = company.queries.get(self.name, "")
        return reverse(self.name, kwargs=named) + (f"?{quote(query, safe='=&')}" if query else "")


@dataclass(frozen=True, slots=True)
class Visit:
    """What an address answered to somebody who opens it in a browser."""

    route: Route
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


def routes() -> list[Route]:
    return list(_walk(get_resolver(), "", ""))


def _walk(resolver: URLResolver, prefix: str, space: str) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if path.startswith(MACHINES):
            continue
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, path, f"{space}{pattern.namespace}:" if pattern.namespace else space)
        else:
            yield Route(f"{space}{pattern.name}", path, pattern)


def visits(company: Company, language: str, part: str = "") -> Iterator[Visit]:
    """Open every address once, with GET; or those of one part of the product."""
    clients: dict[str | None, Client] = {}
    for route in routes():
        if part and route.part != part:
            continue
        client = clients.get(route.role)
        if client is None:
            client = clients[route.role] = Client()
            client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
            if route.role is not None:
                client.force_login(company.users[route.role])
        url = iri_to_uri(route.address(company))
        yield Visit(route, url, client.get(url))
