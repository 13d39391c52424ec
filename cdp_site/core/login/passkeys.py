"""Passkeys answer to one site alone: which that is, and whether an answer was given there.

Behind a proxy the site is what PUBLIC_URL says, whatever the request's headers are; without it, the host that the
request was let in for (ALLOWED_HOSTS).
"""

import ipaddress
import json
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from fido2.utils import websafe_decode


def site(request: HttpRequest) -> str:
    """The domain that passkeys are made for (the WebAuthn "RP id")."""
    return urlsplit(origin(request)).hostname or ""


def origin(request: HttpRequest) -> str:
    """Scheme, host and port of the site, as browsers write it."""
    if settings.PUBLIC_URL:
        public = urlsplit(settings.PUBLIC_URL)
        return f"{public.scheme}://{public.netloc}".lower()
    scheme = "https" if settings.HTTPS or request.is_secure() else "http"
    return f"{scheme}://{request.get_host()}".lower()


def are_possible(request: HttpRequest) -> bool:
    """Browsers make passkeys for names over TLS, and for localhost; never for a bare address."""
    name = site(request)
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" or origin(request).startswith("https://")
    return False


def is_from_here(request: HttpRequest, credential: Any) -> bool:
    """Whether the browser says that it gave this answer on our own pages, and not in a frame of another site.

    The library takes every subdomain of the site; another service may run there.
    """
    try:
        said = json.loads(websafe_decode(credential["response"]["clientDataJSON"]))
        return said["origin"].lower() == origin(request) and not said.get("crossOrigin", False)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
