"""Web origins as browsers send them: scheme, host and port. Pure but for Django's error of a form field."""

import re
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# As in RFC 6454, 6.2: lower case, no path, no default port. A host may be a name, an IPv4 or a bracketed IPv6 address.
_ORIGIN: Final = re.compile(r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?")
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def check_origin(value: str) -> None:
    """Raises ValidationError unless a browser could send it as an Origin header."""
    found = _ORIGIN.fullmatch(value)
    if found is None or found["port"] == _DEFAULT_PORTS[found["scheme"]]:
        raise ValidationError(
            _("“%(value)s” is no origin. Write scheme and host in small letters and nothing behind: %(example)s."),
            params={"value": value, "example": "https://shop.example.com"},
            code="origin",
        )
