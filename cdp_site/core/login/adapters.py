"""What django-allauth asks us: who may come in, where to go then, how secrets are kept, what is said."""

from typing import Any, NoReturn

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cdp_site.core import hashing
from cdp_site.core.actors import name_of
from cdp_site.core.context import remember
from cdp_site.core.login import company, devices, notes, passkeys, sessions
from cdp_site.core.login.addresses import client_address, safe_path
from cdp_site.core.models import User

_PENDING_EPOCH = "login_pending_epoch"  # in the session between the password and the second factor
_SAID = {
    "mfa/messages/totp_activated.txt": gettext_lazy("The code app is set up."),
    "mfa/messages/totp_deactivated.txt": gettext_lazy("The code app is removed."),
    "mfa/messages/webauthn_added.txt": gettext_lazy("The passkey is added."),
    "mfa/messages/webauthn_removed.txt": gettext_lazy("The passkey is removed."),
    "mfa/messages/recovery_codes_generated.txt": gettext_lazy("Recovery codes are made. Keep them in a safe place."),
}
COMPANY = "socialaccount"  # allauth's word for a login by way of another system


class AccountAdapter(DefaultAccountAdapter):
    """Logins end here, whichever way they came."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        return safe_path(url) is not None

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return resolve_url(settings.LOGIN_REDIRECT_URL)

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def is_reauthentication_required(self, *, app: str) -> bool:
        """`@fresh_login` stands before each of allauth's views that would ask."""
        return False

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        refused: HttpResponse | None = super().pre_login(request, user, **kwargs)
        if refused is None:
            request.session[_PENDING_EPOCH] = sessions.current_epoch(user)
        return refused

    @transaction.atomic
    def login(self, request: HttpRequest, user: User) -> None:
        """Everything that was asked has been shown. Who lost role, password or activity meanwhile begins again."""
        if request.session.pop(_PENDING_EPOCH, None) != sessions.current_epoch(user):
            raise ImmediateHttpResponse(redirect(settings.LOGIN_URL))
        shown = [one.get("type") or one["method"] for one in get_authentication_records(request, user)]
        said_at = company.said_at(request)
        super().login(request, user)
        if COMPANY in shown:
            company.mark(request, said_at, by_second_factor=len(shown) > 1)
        is_new = devices.learn(request, user)
        how = [{COMPANY: "company"}.get(name, name) for name in shown]
        notes.logged_in(user, how=how, on_new_device=is_new)

    def post_login(self, request: HttpRequest, user: User, *, redirect_url: str | None, **kwargs: Any) -> HttpResponse:
        response = redirect(safe_path(redirect_url) or self.get_login_redirect_url(request))
        if user.language:
            remember(response, settings.LANGUAGE_COOKIE_NAME, user.language)
        return response

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            notes.logged_out(request.user)
        super().logout(request)

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        messages.error(request, _("This account is not in use. Ask an administrator."))
        return redirect(settings.LOGIN_URL)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        """In our own words; what we have none for is not said."""
        text = _SAID.get(message_template or "") or kwargs.get("message")
        if text:
            messages.add_message(request, level, str(text))


class MFAAdapter(DefaultMFAAdapter):
    """Second factors: secrets sealed at rest, passkeys for the public address."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code or key was not accepted. Try again."),
        "cannot_delete_authenticator": gettext_lazy("Your role needs a second factor: add another one first."),
    }

    def get_totp_issuer(self) -> str:
        return str(settings.COMPANY_NAME)

    def get_totp_label(self, user: User) -> str:
        return user.get_username()

    def encrypt(self, text: str) -> str:
        return hashing.seal(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return hashing.unseal(encrypted_text.encode()).decode()

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """`notes` tells of it."""

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": passkeys.site(context.request), "name": settings.COMPANY_NAME}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return entity | {"name": user.get_username(), "display_name": name_of(user)}


class CompanyLoginAdapter(DefaultSocialAccountAdapter):
    """The company's own login provider: opens accounts that exist, and makes none."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        company.arrive(request, sociallogin)

    def on_authentication_error(self, request: HttpRequest, provider: Any, **kwargs: Any) -> NoReturn:
        messages.error(request, _("The company login did not let you in. Try again, or log in in another way."))
        raise ImmediateHttpResponse(redirect(settings.LOGIN_URL))

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """`notes` tells of it."""
