"""How long a login lasts: an idle time, an absolute time, and no longer than role, department and password stay."""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from cdp_site.core.access import login_response
from cdp_site.core.login import devices, fresh
from cdp_site.core.models import User

# Secret of a personal data platform: pages are never kept by a browser or a proxy.
NO_STORE = "no-store, private"
# What a page asks by itself, again and again, is no sign of a person (static/js/login.js sets it on htmx's polls).
BACKGROUND = "CDP-Background"
_EPOCH = "login_epoch"  # in the session: User.session_epoch that it was made under


class Ended(StrEnum):
    """Why a session is over; the login page says it."""

    IDLE = "idle"
    ABSOLUTE = "absolute"
    CHANGED = "changed"  # role, department, password or activity
    GUESSED = "guessed"  # could not say again who they are


@receiver(user_logged_in, dispatch_uid="core.login.begin")
def begin(sender: object, request: HttpRequest, user: User, **kwargs: Any) -> None:
    """A login is complete: its session lasts from now, and knows what it was made under."""
    now = timezone.now().isoformat()
    request.session["started_at"] = request.session["seen_at"] = now
    fresh.mark(request)
    go_on(request, user)


def go_on(request: HttpRequest, user: User) -> None:
    """This session outlives the change that ends the user's others. One query: the row in memory may be old."""
    request.session[_EPOCH] = current_epoch(user)


def current_epoch(user: User) -> int:
    return User.objects.values_list("session_epoch", flat=True).get(pk=user.pk)


def end_all(user: User) -> None:
    """End every session of the user, of whatever browser."""
    User.objects.filter(pk=user.pk).update(session_epoch=current_epoch(user) + 1)


class SessionLimitsMiddleware:
    """Ends a login after an idle time and after an absolute time (settings SESSION_IDLE_MINUTES, _ABSOLUTE_HOURS), and
    when the user is no longer the one who logged in: another role, department or password, or inactive meanwhile."""

    # A write per request would double the cost of each page; once a minute is exact enough for minutes.
    _touch_every = timedelta(minutes=1)

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.idle = timedelta(minutes=settings.SESSION_IDLE_MINUTES)
        self.absolute = timedelta(hours=settings.SESSION_ABSOLUTE_HOURS)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and (ended := self._ended(request)):
            logout(request)
            if not request.path.startswith(("/login", "/logout", "/static/")):
                return login_response(request, ended=ended)
        response = self.get_response(request)
        if request.user.is_authenticated:
            if SESSION_KEY in request.session:  # a program that shows its key has none
                self._touch(request)
            response.headers.setdefault("Cache-Control", NO_STORE)
        devices.keep(request, response)
        return response

    def _touch(self, request: HttpRequest) -> None:
        now = timezone.now()
        seen = datetime.fromisoformat(request.session.setdefault("seen_at", now.isoformat()))
        if now - seen > self._touch_every and BACKGROUND not in request.headers:
            request.session["seen_at"] = now.isoformat()

    def _ended(self, request: HttpRequest) -> Ended | None:
        now = timezone.now()
        started = datetime.fromisoformat(request.session.setdefault("started_at", now.isoformat()))
        seen = datetime.fromisoformat(request.session.setdefault("seen_at", now.isoformat()))
        if request.session.get(_EPOCH) != getattr(request.user, "session_epoch", None):
            return Ended.CHANGED
        if now - started > self.absolute:
            return Ended.ABSOLUTE
        return Ended.IDLE if now - seen > self.idle else None
