"""Doors that programs may knock at with a key: `Authorization: Bearer key_…`."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from django.db import connection
from django.http import HttpRequest, HttpResponseBase

from cdp_site.core import memory
from cdp_site.core.errors import ForbiddenProblem
from cdp_site.core.machines import acting, keys
from cdp_site.core.machines.scopes import KeyScope
from cdp_site.core.rate_limits import Limiter

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
_SCHEME: Final = "bearer "


def open_to_keys(scope: KeyScope) -> Callable[[View], View]:
    """Above `requires`: people come in by their session as ever, programs by a key that has this scope.

    Raises AuthenticationProblem for what is no key, ForbiddenProblem for a key without the scope, and RateProblem for
    one that knocks too often. A key wins over a session: a request with both is the program's.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            header = request.headers.get("Authorization", "")
            if header[: len(_SCHEME)].lower() == _SCHEME:
                _let_in(request, header[len(_SCHEME) :].strip(), scope)
            return view(request, *args, **kwargs)

        guarded.key_scope = scope  # type: ignore[attr-defined]
        return guarded  # type: ignore[return-value]

    return decorate


def _let_in(request: HttpRequest, text: str, scope: KeyScope) -> None:
    key = keys.verify(text)
    limiter.admit(key.pk, key.rate_per_second)
    limiter.count(key.pk, key.rate_per_second, 1)
    if scope not in key.scopes:
        raise ForbiddenProblem(f"The key lacks the scope {scope.value}.", hint="An administrator can make one with it.")
    request.user = acting.user_of(key)


_CHARGE = """
INSERT INTO core_machinerate AS r (key_id, used_until)
VALUES (%(key)s, clock_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (key_id) DO UPDATE
       SET used_until = greatest(r.used_until, clock_timestamp()) + make_interval(secs => %(seconds)s)
RETURNING extract(epoch FROM used_until - clock_timestamp())::float8
"""


def charge(key_id: int, seconds: float) -> float:
    """Use up that many seconds of the key's rate; returns how far ahead of now it has. One statement, which waits for
    no disk: the table is unlogged."""
    with connection.cursor() as cursor:
        cursor.execute(_CHARGE, {"key": key_id, "seconds": seconds})
        ahead: float = cursor.fetchone()[0]
        return ahead


limiter = Limiter(charge=charge)
memory.forgets(limiter.forget)
