"""Who needs a second factor: roles that the settings name. Who has none sets one up before anything else."""

from collections.abc import Callable
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, resolve_url
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from cdp_site.core.api_errors import error_response, wants_json
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User

_SEEN = "login_second_factor"  # in the session: there was one
# Where somebody without one may go: to set one up.
SETTING_UP = frozenset(
    {"account", "mfa_activate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes", "login_again", "account_password"}
)


def of(user: User) -> list[Authenticator]:
    """The user's code app and passkeys, not the recovery codes that come with them. One query."""
    factors = Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return list(factors.order_by("pk"))


def must_have(user: User) -> bool:
    return user.role in settings.SECOND_FACTOR_ROLES


class SecondFactorMiddleware:
    """Lets nobody work whose role needs a second factor and who has none. The company's login provider asks for its
    own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> HttpResponseBase | None:
        user = request.user
        if not isinstance(user, User) or not must_have(user) or request.session.get(_SEEN):
            return None
        if getattr(view, "access", None) == "public" or _name(request) in SETTING_UP:
            return None
        by_company = any(one.get("method") == "socialaccount" for one in get_authentication_records(request, user))
        if by_company or of(user):
            request.session[_SEEN] = True
            return None
        return _first_this(request)


def _name(request: HttpRequest) -> str | None:
    return request.resolver_match.url_name if request.resolver_match else None


def _first_this(request: HttpRequest) -> HttpResponseBase:
    text = _("Your role needs a second factor. Set up a code app or a passkey first.")
    if wants_json(request):
        problem = MendableError(text, code="second_factor_missing")
        problem.status = 403
        return error_response(problem)
    messages.warning(request, text)
    address = resolve_url("account")
    return HttpResponseClientRedirect(address) if getattr(request, "htmx", False) else redirect(address)
