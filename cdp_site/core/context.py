"""What every template knows: company, theme, language, navigation; and the cookies that remember a choice."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from cdp_site.core.models import User
from cdp_site.core.navigation import entries_for

THEMES = ("light", "dark")
THEME_COOKIE = "theme"
COOKIE_SECONDS = 365 * 24 * 3600


def remember(response: HttpResponse, name: str, value: str) -> None:
    """A choice of how things are shown, kept in the browser for a year."""
    response.set_cookie(
        name, value, max_age=COOKIE_SECONDS, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE, httponly=True
    )


def interface(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    theme = request.COOKIES.get(THEME_COOKIE, "light")
    return {
        "company_name": settings.COMPANY_NAME,
        "theme": theme if theme in THEMES else "light",
        "navigation": entries_for(user) if isinstance(user, User) else [],
    }
