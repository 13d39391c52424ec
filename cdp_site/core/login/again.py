"""Saying once more who one is: by password, by a code of the app, by a passkey; see `fresh`."""

from typing import Any, cast

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django import forms
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from cdp_site.core.access import login_response
from cdp_site.core.login import company, fresh, limits, notes, passkeys
from cdp_site.core.login.forms import LONGEST_PASSWORD, PasskeyForm, as_code, too_many
from cdp_site.core.login.sessions import Ended
from cdp_site.core.models import User

PREFIX = "again"  # of the fields' names: they travel with those of other forms
_FAILURES = "login_again_failures"  # in the session
_MOST_FAILURES = 5  # then the session is over: somebody else may sit there


class AgainForm(forms.Form):
    """One of the ways that the user has; recovery codes are for the day when the others are lost."""

    password = forms.CharField(
        label=_("Password"),
        required=False,
        max_length=LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = forms.CharField(label=_("Code from your app"), required=False, max_length=20)
    credential = forms.CharField(required=False, max_length=20_000, widget=forms.HiddenInput)

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(data, prefix=PREFIX)
        self.user = user
        self.how = ""
        as_code(self.fields["code"], self.fields["code"].label)
        kinds = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
        self.has_passkey = Authenticator.Type.WEBAUTHN in kinds
        if not user.has_usable_password():
            del self.fields["password"]
        if Authenticator.Type.TOTP not in kinds:
            del self.fields["code"]
        if not self.has_passkey:
            del self.fields["credential"]

    def clean(self) -> dict[str, Any]:
        given = [name for name in ("credential", "code", "password") if self.cleaned_data.get(name)]
        if not given:
            raise ValidationError(_("Say who you are in one of these ways."), code="required")
        against = limits.of_step_up(self.user)
        if (wait := limits.take(against)) is not None:
            raise too_many(wait)
        if not getattr(self, f"_{given[0]}_is_right")(self.cleaned_data[given[0]]):
            raise ValidationError(_("That was not right. Try again."), code="wrong")
        limits.give_back(against)
        self.how = given[0]
        return self.cleaned_data

    def _password_is_right(self, password: str) -> bool:
        return self.user.check_password(password)

    def _code_is_right(self, code: str) -> bool:
        app = Authenticator.objects.get(user=self.user, type=Authenticator.Type.TOTP)
        return bool(app.wrap().validate_code(code))

    def _credential_is_right(self, credential: str) -> bool:
        return bool(PasskeyForm({"credential": credential}, user=self.user).is_valid())


def context_of(request: HttpRequest, form: AgainForm) -> dict[str, Any]:
    """What a template needs to ask: the form, the passkey's challenge, the company's provider."""
    user: User = form.user
    offers_passkey = form.has_passkey and passkeys.are_possible(request)
    return {
        "form": form,
        "passkey_options": begin_authentication(user) if offers_passkey else None,
        "by_company": company.is_linked(user),
    }


def judge(request: HttpRequest, form: AgainForm) -> HttpResponseBase | None:
    """Whether the form says who it is. A wrong one is noted, the fifth ends the session, by the answer."""
    user = form.user
    if form.is_valid():
        request.session.pop(_FAILURES, None)
        fresh.mark(request)
        notes.said_again(user, how=form.how)
        return None
    if form.has_error("__all__", "wrong") or form.has_error("__all__", "too_many"):
        notes.failed_again(user)
        failures = request.session.get(_FAILURES, 0) + 1
        request.session[_FAILURES] = failures
        if failures >= _MOST_FAILURES:
            answer = login_response(request, ended=Ended.GUESSED)
            logout(request)
            return answer
    return None


@fresh.asks_in_forms
def on_the_way(request: HttpRequest, go_on: fresh.Answer) -> HttpResponseBase:
    """A form that was sent: shown again as hidden fields below the question, until its answer comes with them."""
    user = cast("User", request.user)  # behind @requires
    is_answer = any(name.startswith(f"{PREFIX}-") for name in request.POST)
    form = AgainForm(user, request.POST if is_answer else None)
    if is_answer:
        over = judge(request, form)
        if over is not None:
            return over
        if form.is_valid():
            return go_on()
    left_out = {"csrfmiddlewaretoken", *(form.add_prefix(name) for name in AgainForm.base_fields)}
    sent = [(name, value) for name in request.POST if name not in left_out for value in request.POST.getlist(name)]
    shown = context_of(request, form) | {"sent": sent, "address": request.get_full_path()}
    return render(request, "core/login_again.html", shown, status=422 if is_answer else 403)
