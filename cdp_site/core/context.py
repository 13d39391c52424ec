"""What every template knows: company, theme, language, navigation."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from cdp_site.core.models import User
from cdp_site.core.navigation import entries_for

THEMES = ("light", "dark")
THEME_COOKIE = "theme"


def interface(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    theme = request.COOKIES.get(THEME_COOKIE, "light")
    return {
        "company_name": settings.COMPANY_NAME,
        "theme": theme if theme in THEMES else "light",
        "navigation": entries_for(user) if isinstance(user, User) else [],
    }
