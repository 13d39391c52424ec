"""Views of REST framework that people open by their session and programs by their key."""

from collections.abc import Callable, Mapping
from typing import Any

from django.views.decorators.cache import never_cache
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from cdp_site.core.machines.scopes import KeyScope
from cdp_site.core.models import User
from cdp_site.core.rest_shapes import PROBLEM

KEY_SCHEME = "machineKey"

_REFUSALS = {
    401: OpenApiResponse(PROBLEM, "Nobody is logged in, or the key is not known, revoked or expired."),
    403: OpenApiResponse(PROBLEM, "The key lacks the scope; of a session, the CSRF token is missing."),
    404: OpenApiResponse(PROBLEM, "It is not there, or not yours to see."),
    413: OpenApiResponse(PROBLEM, "The request is larger than any wish."),
    415: OpenApiResponse(PROBLEM, "The request is something else than JSON."),
    429: OpenApiResponse(PROBLEM, "The key is used too often: come again after `Retry-After` seconds."),
}
_OF_BODIES = {413, 415}


class MachineAuthentication(BaseAuthentication):
    """Who came in with a key (`doors.open_to_keys`) is known already and needs no CSRF token: a browser sends no key by
    itself."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        user = request._request.user
        return (user, None) if isinstance(user, User) and user.machine_key is not None else None


class MachineKeyScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document speaks of keys. drf-spectacular finds it by itself."""

    target_class = MachineAuthentication
    name = KEY_SCHEME

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A key of Access → Keys for programs."}


def for_programs(method: str) -> Callable[[Callable[..., Response]], Any]:
    """A view of REST framework: a key, or a login by session with the CSRF token where it writes. Kept by no cache."""

    def decorate(view: Callable[..., Response]) -> Any:
        view = authentication_classes([MachineAuthentication, SessionAuthentication])(view)
        return never_cache(api_view([method])(permission_classes([IsAuthenticated])(view)))

    return decorate


def described(
    summary: str,
    answer: Any,
    *,
    scope: KeyScope,
    refusals: Mapping[int, str | OpenApiResponse] | None = None,
    **more: Any,
) -> Callable[[Any], Any]:
    """What the OpenAPI document says of a view. `refusals`: further statuses, by what they mean."""
    told = {
        status: OpenApiResponse(PROBLEM, meant) if isinstance(meant, str) else meant
        for status, meant in (refusals or {}).items()
    }
    text = f"Scope of a key: `{scope.value}`."
    description = f"{more.pop('description')} {text}" if "description" in more else text
    always = {status: meant for status, meant in _REFUSALS.items() if "request" in more or status not in _OF_BODIES}
    return extend_schema(summary=summary, description=description, responses={200: answer, **told, **always}, **more)


def read(serializer: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body as the serializer reads it. Raises REST framework's ValidationError."""
    asked = serializer(data=request.data)
    asked.is_valid(raise_exception=True)
    found: dict[str, Any] = asked.validated_data
    return found
