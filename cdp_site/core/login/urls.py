"""Addresses of the login and of one's own account. Some names are those by which django-allauth finds its pages."""

from collections.abc import Callable

from allauth.mfa.base.views import authenticate
from allauth.mfa.recovery_codes.views import generate_recovery_codes, view_recovery_codes
from allauth.mfa.totp.views import activate_totp
from allauth.mfa.webauthn.views import login_webauthn
from allauth.socialaccount.providers.openid_connect.views import callback
from django.db import transaction
from django.http import HttpResponseBase
from django.urls import path
from django.views.decorators.cache import never_cache

from cdp_site.core.access import public, requires
from cdp_site.core.login import company, views, views_account
from cdp_site.core.login.fresh import fresh_login


def own(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view of django-allauth on one's own second factors: after a fresh login, and with its audit in one
    transaction."""
    return requires()(fresh_login(never_cache(transaction.atomic(view))))


by_company = {"provider_id": company.provider_id()}

urlpatterns = [
    path("login/", views.log_in, name="login"),
    path("login/", views.log_in, name="account_login"),
    path("login/code/", public(authenticate), name="mfa_authenticate"),
    path("login/passkey/", public(never_cache(login_webauthn)), name="mfa_login_webauthn"),
    path("login/again/", views.log_in_again, name="login_again"),
    path("login/company/", views.by_company, name="login_company"),
    path("login/company/back/", public(never_cache(callback)), by_company, name="openid_connect_callback"),
    path("logout/", views.log_out, name="logout"),
    path("account/", views_account.show, name="account"),
    path("account/", views_account.show, name="mfa_index"),
    path("account/password/", views_account.change_password, name="account_password"),
    path("account/elsewhere/", views_account.leave_elsewhere, name="account_elsewhere"),
    path("account/codes/", own(activate_totp), name="mfa_activate_totp"),
    path("account/passkeys/", own(views_account.AddPasskey.as_view()), name="mfa_add_webauthn"),
    path("account/factors/<int:factor_id>/remove/", views_account.remove_factor, name="account_remove_factor"),
    path("account/recovery-codes/", own(view_recovery_codes), name="mfa_view_recovery_codes"),
    path("account/recovery-codes/new/", own(generate_recovery_codes), name="mfa_generate_recovery_codes"),
]
