"""Addresses of the login and of one's own account. Some names are those by which django-allauth finds its pages."""

from collections.abc import Callable

from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.webauthn.views import LoginWebAuthnView
from allauth.socialaccount.providers.openid_connect.views import callback
from django.db import transaction
from django.http import HttpResponseBase
from django.urls import path
from django.views import View
from django.views.decorators.cache import never_cache

from cdp_site.core.access import public, requires
from cdp_site.core.login import company, views, views_account, views_forgotten
from cdp_site.core.login.fresh import fresh_login


def own(view: type[View], template: str) -> Callable[..., HttpResponseBase]:
    """A view of django-allauth on one's own second factors: after a fresh login, and with its audit in one
    transaction."""
    return requires()(fresh_login(never_cache(transaction.atomic(view.as_view(template_name=template)))))


def entrance(view: type[View], **options: str) -> Callable[..., HttpResponseBase]:
    """One of django-allauth on the way in."""
    return public(never_cache(view.as_view(**options)))


by_company = {"provider_id": company.provider_id()}

urlpatterns = [
    path("login/", views.log_in, name="login"),
    path("login/", views.log_in, name="account_login"),
    path("login/code/", entrance(AuthenticateView, template_name="core/login_code.html"), name="mfa_authenticate"),
    path("login/passkey/", entrance(LoginWebAuthnView), name="mfa_login_webauthn"),
    path("login/again/", views.log_in_again, name="login_again"),
    path("login/forgotten/", views_forgotten.ask, name="forgotten"),
    path("login/new-password/<uidb64>/<token>/", entrance(views_forgotten.NewPassword), name="new_password"),
    path("login/company/", views.by_company, name="login_company"),
    path("login/company/back/", public(never_cache(callback)), by_company, name="openid_connect_callback"),
    path("logout/", views.log_out, name="logout"),
    path("account/", views_account.show, name="account"),
    path("account/", views_account.show, name="mfa_index"),
    path("account/", views_account.show, name="mfa_deactivate_totp"),  # where allauth sends who has a code app already
    path("account/password/", views_account.change_password, name="account_password"),
    path("account/elsewhere/", views_account.leave_elsewhere, name="account_elsewhere"),
    path("account/codes/", own(ActivateTOTPView, "core/account_codes.html"), name="mfa_activate_totp"),
    path("account/passkeys/", own(views_account.AddPasskey, "core/account_passkey.html"), name="mfa_add_webauthn"),
    path("account/factors/<int:factor_id>/remove/", views_account.remove_factor, name="account_remove_factor"),
    path(
        "account/recovery-codes/",
        own(ViewRecoveryCodesView, "core/account_recovery.html"),
        name="mfa_view_recovery_codes",
    ),
    path(
        "account/recovery-codes/new/",
        own(GenerateRecoveryCodesView, "core/account_recovery_new.html"),
        name="mfa_generate_recovery_codes",
    ),
]
