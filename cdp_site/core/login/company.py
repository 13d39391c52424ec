"""The company's own login provider (OpenID Connect): it vouches for people who have an account here already.

The first time, the account is found by the address that the provider says it has verified; from then on by the
provider's subject alone. A login counts as fresh from when the provider saw the person, which it says by `auth_time`:
an open session there is no sign that the person sits here.
"""

import time
from typing import Any, cast

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from cdp_site.core.login import fresh, notes
from cdp_site.core.login.addresses import safe_path
from cdp_site.core.models import User

_SAID_AT = "_company_said_at"  # on the request: auth_time of the provider's token, or None


def is_offered() -> bool:
    return bool(settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"])


def provider_id() -> str:
    """The provider's id; of an installation without one, the id that it would have."""
    apps = cast("list[dict[str, str]]", settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"])
    return apps[0]["provider_id"] if apps else "oidc"


def is_linked(user: User) -> bool:
    return is_offered() and SocialAccount.objects.filter(user=user, provider=provider_id()).exists()


def start(request: HttpRequest, *, next_path: str, again: bool) -> HttpResponseBase:
    """Send the browser to the provider. `again`: it shall ask the person even if it knows them."""
    provider: Any = get_adapter(request).get_provider(request, provider_id())
    asked = {"prompt": "login", "max_age": "0"} if again else {}
    answer: HttpResponseBase = provider.redirect(request, "login", next_url=next_path, auth_params=asked)
    return answer


def arrive(request: HttpRequest, sociallogin: SocialLogin) -> None:
    """Back from the provider: whose account is it? Raises allauth's ImmediateHttpResponse where it is nobody's, and
    where the person only said again who they are."""
    said: dict[str, Any] = sociallogin.account.extra_data
    token, profile = said.get("id_token") or {}, said.get("userinfo") or {}
    if not token.get("sub") or (profile and profile.get("sub") != token["sub"]):
        raise _refused(request, _("The company login did not let you in. Try again, or log in in another way."))
    setattr(request, _SAID_AT, token.get("auth_time"))
    sociallogin.account.extra_data = {}  # nothing of it is needed again
    if sociallogin.is_existing:
        SocialAccount.objects.filter(pk=sociallogin.account.pk).update(extra_data={})
    else:
        _link(request, sociallogin, profile or token)
    if request.user.is_authenticated and request.user == sociallogin.user:
        if _is_recent(said_at(request)):
            fresh.mark(request, said_at(request))
            notes.said_again(sociallogin.user, how="company")
        else:
            messages.error(request, _("The company login did not ask you again. Use your password, code or passkey."))
        raise ImmediateHttpResponse(redirect(safe_path(sociallogin.state.get("next")) or settings.LOGIN_REDIRECT_URL))


def _link(request: HttpRequest, sociallogin: SocialLogin, claims: dict[str, Any]) -> None:
    """The one active user with the verified address; whoever is linked to another subject already is not linked."""
    address = str(claims.get("email") or "")
    vouched = claims.get("email_verified") is True or (
        address and get_adapter(request).is_email_verified(sociallogin.provider, address)
    )
    owners = list(User.objects.filter(email__iexact=address, is_active=True)[:2]) if address and vouched else []
    if len(owners) != 1 or is_linked(owners[0]):
        raise _refused(request, _("No account here belongs to your company login. Ask an administrator for one."))
    with transaction.atomic():
        sociallogin.connect(request, owners[0])
        notes.linked(owners[0])


def _refused(request: HttpRequest, text: str) -> ImmediateHttpResponse:
    messages.error(request, text)
    return ImmediateHttpResponse(redirect(settings.LOGIN_URL))


def said_at(request: HttpRequest) -> float | None:
    """When the provider saw the person, in seconds since 1970; None where it did not say."""
    at = getattr(request, _SAID_AT, None)
    return float(at) if isinstance(at, int | float) else None


def _is_recent(at: float | None) -> bool:
    return at is not None and time.time() - at < settings.LOGIN_FRESH_MINUTES * 60


def mark(request: HttpRequest, at: float | None, *, by_second_factor: bool) -> None:
    """After a login this way: fresh only since the provider saw the person, or with a second factor of ours."""
    if by_second_factor:
        return
    if at is None:
        fresh.forget(request)
    else:
        fresh.mark(request, at)
