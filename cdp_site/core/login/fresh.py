"""Step-up: what hurts most if somebody else sits at the desk takes a login of the last minutes.

`@fresh_login` goes below `@requires`. Who logged in longer ago says once more who they are, and the action goes on:

- htmx gets 403 with the header `CDP-Login-Again`; `static/js/login.js` opens the dialog of that address and sends the
  request again when it is done;
- a form that was sent is shown again as hidden fields below the question, and its answer comes with them;
- a page is opened after the question.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, overload
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from cdp_site.core.api_errors import error_response, wants_json
from cdp_site.core.errors import MendableError
from cdp_site.core.htmx import wants_fragment

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

HEADER = "CDP-Login-Again"
Answer = Callable[[], HttpResponseBase]
_in_forms: list[Callable[[HttpRequest, Answer], HttpResponseBase]] = []
_FRESH_AT = "login_fresh_at"  # in the session: seconds since 1970


def asks_in_forms(
    function: Callable[[HttpRequest, Answer], HttpResponseBase],
) -> Callable[[HttpRequest, Answer], HttpResponseBase]:
    """Registers who asks where a form was sent: `again`, which shows pages and so stands above this."""
    _in_forms.append(function)
    return function


def mark(request: HttpRequest, at: float | None = None) -> None:
    """The person has just said who they are; `at`: or did so then."""
    request.session[_FRESH_AT] = time.time() if at is None else min(at, time.time())


def forget(request: HttpRequest) -> None:
    request.session.pop(_FRESH_AT, None)


def is_fresh(request: HttpRequest, *, minutes: float | None = None) -> bool:
    """Whether the person behind this session said who they are in the last minutes (settings.LOGIN_FRESH_MINUTES)."""
    at = request.session.get(_FRESH_AT)
    allowed = (settings.LOGIN_FRESH_MINUTES if minutes is None else minutes) * 60
    return isinstance(at, int | float) and 0 <= time.time() - at < allowed


@overload
def fresh_login(view: View) -> View: ...
@overload
def fresh_login(*, minutes: float) -> Callable[[View], View]: ...
def fresh_login(view: Any = None, *, minutes: float | None = None) -> Any:
    """Only after a login of the last minutes. Who has none is asked, and goes on."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if is_fresh(request, minutes=minutes):
                return view(request, *args, **kwargs)
            return _ask(request, view, *args, **kwargs)

        guarded.takes_fresh_login = True  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate if view is None else decorate(view)


def _ask(request: HttpRequest, view: Callable[..., HttpResponseBase], *args: Any, **kwargs: Any) -> HttpResponseBase:
    address = reverse("login_again")
    if wants_json(request):
        problem = MendableError(_("Log in again: this takes a login of the last minutes."), code="login_too_old")
        problem.status = 403
        return error_response(problem)
    if wants_fragment(request):
        return HttpResponse(status=403, headers={HEADER: address})
    if request.method in ("GET", "HEAD"):
        return redirect(f"{address}?{urlencode({'next': request.get_full_path()}, safe='/')}")
    return _in_forms[-1](request, lambda: view(request, *args, **kwargs))
