"""Where a person comes from, and where a login may lead to: a path of this site, never another host."""

from urllib.parse import urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import Resolver404, resolve
from django.utils.http import url_has_allowed_host_and_scheme

# Pages that are no place to come back to: their work is done when somebody is in.
_NO_DESTINATION = frozenset(
    {"login", "account_login", "logout", "login_again", "login_company", "mfa_authenticate", "mfa_login_webauthn"}
)
_LONGEST = 2000


def safe_path(target: str | None) -> str | None:
    """`target` when it is a path of this site that can be opened after a login, else None."""
    if not target or len(target) > _LONGEST or not target.startswith("/"):
        return None
    if not url_has_allowed_host_and_scheme(target, allowed_hosts=None):
        return None
    try:
        match = resolve(urlsplit(target).path)
    except Resolver404:
        return None
    return None if match.url_name in _NO_DESTINATION else target


def wanted(request: HttpRequest) -> str:
    """Where `next` of the request leads, if that is here; else home."""
    target = request.POST.get("next") or request.GET.get("next")
    return safe_path(target) or resolve_url(settings.LOGIN_REDIRECT_URL)


def where_they_are(request: HttpRequest) -> str | None:
    """The page that the browser shows: of an htmx request or a sent form the page that it came from."""
    htmx = getattr(request, "htmx", None)
    if htmx and not htmx.boosted and htmx.current_url_abs_path:
        return safe_path(htmx.current_url_abs_path)
    if request.method in ("GET", "HEAD") and not htmx:
        return safe_path(request.get_full_path())
    referrer = urlsplit(request.headers.get("Referer", ""))
    if referrer.netloc != request.get_host():
        return None
    return safe_path(urlunsplit(("", "", referrer.path, referrer.query, "")))


def login_address(request: HttpRequest, **also: str) -> str:
    """The login page, which leads back to where the browser is now."""
    query = {**also, "next": where_they_are(request)}
    kept = urlencode({name: value for name, value in query.items() if value}, safe="/")
    address = resolve_url(settings.LOGIN_URL)
    return f"{address}?{kept}" if kept else address


def client_address(request: HttpRequest) -> str:
    """The browser's network address. Behind proxies: what the outermost of ours wrote, never what the browser says."""
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    trusted: int = settings.TRUSTED_PROXIES
    if trusted and len(hops) >= trusted:
        return hops[-trusted]
    return str(request.META.get("REMOTE_ADDR", ""))
