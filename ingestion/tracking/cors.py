"""Which web pages may call the event API from a browser: the origins that a source allows (Fetch standard, 3.2).

A preflight carries no key, so it is answered for an origin that any active source allows; the call itself then needs
a public key of a source that does. Secret keys belong on servers: their answers are never readable by a page, and no
Origin header keeps them out. The header proves nothing outside browsers; what guards a public key is what it may do.
"""

import time

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from cdp_site.core import memory
from cdp_site.core.errors import MendableError
from ingestion.keys import Grant
from ingestion.models import Source

log = structlog.get_logger("tracking")

# A page is let in or kept out at most that many seconds after the source was changed, in each process.
CACHE_SECONDS = 5.0
# Chromium's longest; others cap it themselves.
PREFLIGHT_SECONDS = 7_200
_READABLE_HEADERS = "Retry-After, X-RateLimit-Reset"


class OriginProblem(MendableError):
    status = 403
    code = "origin_not_allowed"


class _AllowedSomewhere:
    """The origins of all active sources, looked up once in CACHE_SECONDS."""

    def __init__(self) -> None:
        self._origins: frozenset[str] = frozenset()
        self._read_at = float("-inf")

    def __contains__(self, origin: str) -> bool:
        now = time.monotonic()
        if now - self._read_at >= CACHE_SECONDS:
            try:
                self._origins = Source.objects.active().all_origins()
            except (OperationalError, InterfaceError):
                log.warning("origins.unread")  # pages that were known stay allowed while the database is away
            self._read_at = now
        return origin in self._origins

    def forget(self) -> None:
        self._read_at = float("-inf")


_somewhere = _AllowedSomewhere()
memory.forgets(_somewhere.forget)


def check(request: HttpRequest, grant: Grant) -> None:
    """Raises OriginProblem for a page that the source of a public key does not list; a source that lists none says
    nothing about pages."""
    origin = request.headers.get("Origin")
    if origin and grant.is_public and grant.allowed_origins and origin not in grant.allowed_origins:
        raise OriginProblem(
            "Pages of this origin may not send to this source.",
            field="Origin",
            hint="An administrator can add it to the source's web pages that may send.",
        )


def preflight(request: HttpRequest) -> HttpResponse:
    """The answer to OPTIONS: 204, with permission for origins that some source allows."""
    response = HttpResponse(status=204)
    response["Vary"] = "Origin"
    response["Allow"] = "OPTIONS, POST"
    origin = request.headers.get("Origin")
    if origin and origin in _somewhere:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Methods"] = "POST"
        response["Access-Control-Allow-Headers"] = "authorization, content-encoding, content-type"
        response["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response


def let_read(request: HttpRequest, response: HttpResponse, grant: Grant | None) -> None:
    """Let the page that called read the answer, when its origin is allowed; without a grant (a wrong key, JSON that
    cannot be read) that of any source's page, so that its developer sees why."""
    origin = request.headers.get("Origin")
    if not origin:
        return
    response["Vary"] = "Origin"
    is_allowed = origin in _somewhere if grant is None else grant.is_public and origin in grant.allowed_origins
    if is_allowed:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Expose-Headers"] = _READABLE_HEADERS
