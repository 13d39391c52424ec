"""One's own account: password, second factors, where one is logged in. What weakens or opens it takes a fresh login."""

from typing import Any, cast

from allauth.mfa.base.internal.flows import delete_and_cleanup
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import begin_registration
from allauth.mfa.webauthn.views import AddWebAuthnView
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cdp_site.core import audit
from cdp_site.core.access import requires
from cdp_site.core.login import company, devices, mails, passkeys, second_factors, sessions
from cdp_site.core.login.forms import PasswordForm
from cdp_site.core.login.fresh import fresh_login
from cdp_site.core.login.mails import News
from cdp_site.core.models import User


@requires()
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """What opens the account, and how it is kept."""
    user = cast("User", request.user)
    factors = second_factors.of(user)
    recovery = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    context = {
        "code_app": next((one for one in factors if one.type == Authenticator.Type.TOTP), None),
        "keys": [one for one in factors if one.type == Authenticator.Type.WEBAUTHN],
        "has_factor": bool(factors),
        "recovery_left": len(recovery.wrap().get_unused_codes()) if recovery else 0,
        "keys_are_possible": passkeys.are_possible(request),
        "must_have_factor": second_factors.must_have(user),
        "by_company": company.is_linked(user),
        "has_password": user.has_usable_password(),
        "devices": user.known_devices.count(),
    }
    return render(request, "core/account.html", context)


@requires()
@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
def change_password(request: HttpRequest) -> HttpResponse:
    """A new password; every other session of the user ends."""
    user = cast("User", request.user)
    if not user.has_usable_password():
        raise Http404
    form = PasswordForm(request, user, request.POST if request.method == "POST" else None)
    if not form.is_bound or not form.is_valid():
        return render(request, "core/account_password.html", {"form": form}, status=422 if form.is_bound else 200)
    with transaction.atomic():
        form.save()
        audit.record(action="user.change", target=user, by=user, fields=["password"])
        devices.forget_others(request, user)
        mails.tell(user, News.PASSWORD)
    update_session_auth_hash(request, user)
    sessions.go_on(request, user)
    messages.success(request, _("Your password is changed. You are logged out everywhere else."))
    return redirect("account")


@requires()
@fresh_login
@require_POST
def leave_elsewhere(request: HttpRequest) -> HttpResponse:
    """End the user's sessions in every other browser, and know no other browser."""
    user = cast("User", request.user)
    with transaction.atomic():
        sessions.end_all(user)
        devices.forget_others(request, user)
        audit.record(action="login.elsewhere_ended", target=user, by=user)
    sessions.go_on(request, user)
    messages.success(request, _("You are logged out everywhere else."))
    return redirect("account")


@requires()
@fresh_login
@require_POST
def remove_factor(request: HttpRequest, factor_id: int) -> HttpResponse:
    """Take the code app or a passkey away; not the last one of somebody whose role needs one."""
    user = cast("User", request.user)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two removals at once are not both the last but one
        factors = second_factors.of(user)
        factor = next((one for one in factors if one.pk == factor_id), None)
        if factor is None:
            raise Http404
        if len(factors) == 1 and second_factors.must_have(user):
            messages.error(request, _("Your role needs a second factor: add another one first."))
            return redirect("account")
        delete_and_cleanup(request, factor)
    messages.success(request, _("Removed."))
    return redirect("account")


class AddPasskey(AddWebAuthnView):
    """allauth's view, asking the browser for a key that finds its owner by itself and checks who holds it."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        context["js_data"] = {"creation_options": begin_registration(self.request.user, passwordless=True)}
        return context
