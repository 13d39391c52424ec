"""Forms of the frame: the login."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class LoginForm(AuthenticationForm):
    """Django's login form in the house's words; it never says which of the two was wrong."""

    def __init__(self, request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        mismatch = _("User name and password do not match. Check both, also for capital letters.")
        self.error_messages = {"invalid_login": mismatch, "inactive": mismatch}
        self.fields["username"].label = _("User name")
        self.fields["password"].label = _("Password")
        self.fields["username"].widget.attrs |= {"autocomplete": "username", "spellcheck": "false"}
