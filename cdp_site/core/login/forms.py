"""Forms of the login: each try counts against its limits before it is judged (`login.limits`)."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, AuthenticateWebAuthnForm, LoginWebAuthnForm
from cryptography.exceptions import InvalidSignature
from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from cdp_site.core.login import limits, notes, passkeys
from cdp_site.core.models import User

LONGEST_PASSWORD = 1000  # characters: hashing takes time for each


def too_many(wait: Any) -> ValidationError:
    """The same words for every account, also for one that does not exist."""
    minutes = limits.minutes(wait)
    text = ngettext(
        "Too many attempts from here. Try again in %(count)s minute, or log in in another way.",
        "Too many attempts from here. Try again in %(count)s minutes, or log in in another way.",
        minutes,
    ) % {"count": minutes}
    return ValidationError(text, code="too_many")


class LoginForm(AuthenticationForm):
    """Name and password; it never says which of the two was wrong."""

    request: HttpRequest

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        mismatch = _("User name and password do not match. Check both, also for capital letters.")
        self.error_messages = {"invalid_login": mismatch, "inactive": mismatch}
        self.fields["username"].label = _("User name")
        self.fields["username"].widget.attrs |= {"autocomplete": "username", "spellcheck": "false"}
        self.fields["password"].label = _("Password")

    def clean(self) -> dict[str, Any]:
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password", "")
        if name is None or len(password) > LONGEST_PASSWORD:
            raise self.get_invalid_login_error()
        against = limits.of_passwords(self.request, name)
        if (wait := limits.take(against)) is not None:
            raise too_many(wait)
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            notes.failed(name)
            raise
        limits.give_back(against)
        return cleaned


class CodeForm(AuthenticateForm):
    """The code of the app, or a recovery code, after the password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        as_code(self.fields["code"], _("Code from your app, or a recovery code"))

    def clean_code(self) -> str:
        against = limits.of_codes(context.request, self.user)
        if (wait := limits.take(against)) is not None:
            raise too_many(wait)
        try:
            code: str = super().clean_code()
        except ValidationError:
            notes.failed_second(self.user)
            raise
        limits.give_back(against)
        if self.authenticator.type == Authenticator.Type.RECOVERY_CODES:
            notes.used_recovery_code(self.user)
        return code


def as_code(field: forms.Field, label: Any) -> None:
    field.label = label
    field.widget.attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "spellcheck": "false"}


@contextmanager
def _answer_of_a_key() -> Iterator[None]:
    """What is written to look like a key's answer, and is none, is a wrong one; the library lets that through."""
    try:
        yield
    except (AttributeError, InvalidSignature, KeyError, TypeError, ValueError, struct.error) as error:
        raise ValidationError(_("This key was not accepted. Try again."), code="incorrect_code") from error


class _FromHere:
    """A passkey's answer is taken from our own pages only."""

    def clean_credential(self) -> Any:
        credential = self.cleaned_data["credential"]  # type: ignore[attr-defined]
        if not passkeys.is_from_here(context.request, credential):
            raise ValidationError(_("This key's answer did not come from this site."), code="origin")
        parent: Any = super()
        with _answer_of_a_key():
            return parent.clean_credential() if hasattr(parent, "clean_credential") else credential


class PasskeyForm(_FromHere, AuthenticateWebAuthnForm):
    """A passkey after the password."""


class PasskeyLoginForm(_FromHere, LoginWebAuthnForm):
    """A passkey instead of the password."""


class AddPasskeyForm(_FromHere, AddWebAuthnForm):
    """A new passkey, with a name by which its owner knows it."""

    passwordless = None  # always: the browser is asked for nothing less

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"name": ""} | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        name = self.fields["name"]
        name.label, name.required, name.max_length = _("What do you call this key?"), False, 60
        name.widget.attrs = {"autocomplete": "off", "maxlength": "60"}
        name.help_text = _("For example: office laptop, phone.")

    def clean(self) -> dict[str, Any]:
        if self.errors:  # allauth would read the answer that was refused
            return self.cleaned_data
        with _answer_of_a_key():
            cleaned: dict[str, Any] = super().clean()
        return cleaned


class ActivateCodesForm(ActivateTOTPForm):
    """The first code of the app proves that it is set up."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        as_code(self.fields["code"], _("The code that the app shows now"))


class PasswordForm(PasswordChangeForm):
    """A new password of one's own; guessing the old one is limited as at the login."""

    def __init__(self, request: HttpRequest, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.request = request
        self.fields["old_password"].label = _("Password until now")
        _name_new(self.fields)

    def clean_old_password(self) -> str:
        against = limits.of_step_up(self.user)
        if (wait := limits.take(against)) is not None:
            raise too_many(wait)
        password: str = super().clean_old_password()
        limits.give_back(against)
        return password


class ForgottenForm(forms.Form):
    """Whose password is forgotten."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "spellcheck": "false", "autofocus": True}),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean(self) -> dict[str, Any]:
        name = self.cleaned_data.get("username")
        if name is not None and (wait := limits.take(limits.of_forgotten(self.request, name))) is not None:
            raise too_many(wait)
        return self.cleaned_data


class NewPasswordForm(SetPasswordForm):
    """The new password of somebody who came by a link in a mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _name_new(self.fields)


def _name_new(fields: dict[str, forms.Field]) -> None:
    fields["new_password1"].label = _("New password")
    fields["new_password2"].label = _("New password again")
