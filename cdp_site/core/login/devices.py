"""Browsers from which a user has logged in before. The cookie is a random word; the table holds its keyed hash only."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from cdp_site.core import hashing
from cdp_site.core.models import KnownDevice, User

COOKIE = "device"
KEPT = timedelta(days=180)
_MOST = 10  # of one user; the longest unseen goes
_WORD_BYTES = 32


def key_of(request: HttpRequest) -> bytes | None:
    """The keyed hash under which this browser would be known."""
    word = request.COOKIES.get(COOKIE, "")
    return hashing.keyed(word, purpose="login.device") if len(word) == 2 * _WORD_BYTES else None


def known_to(request: HttpRequest, name: str) -> bytes | None:
    """The browser's key when the user of this name has logged in from it. One query, whether or not there is one."""
    key = key_of(request)
    owned = KnownDevice.objects.filter(user__username=name, key=key or bytes(32), seen_at__gt=timezone.now() - KEPT)
    return key if owned.exists() and key else None


def learn(request: HttpRequest, user: User) -> bool:
    """The user has logged in here; returns whether for the first time. `keep` gives the browser its word."""
    word = request.COOKIES.get(COOKIE, "")
    if len(word) != 2 * _WORD_BYTES:
        word = secrets.token_hex(_WORD_BYTES)
    request.device_word = word  # type: ignore[attr-defined]
    key = hashing.keyed(word, purpose="login.device")
    _device, is_new = KnownDevice.objects.update_or_create(user=user, key=key, defaults={"seen_at": timezone.now()})
    kept = KnownDevice.objects.filter(user=user).order_by(F("seen_at").desc()).values("pk")[:_MOST]
    KnownDevice.objects.filter(user=user).exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()
    return is_new


def keep(request: HttpRequest, response: HttpResponse) -> None:
    """Give the browser the word by which it is known, after a login."""
    word = getattr(request, "device_word", None)
    if word is not None:
        response.set_cookie(
            COOKIE,
            word,
            max_age=KEPT,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )


def forget_others(request: HttpRequest, user: User) -> None:
    """Know no browser of the user but this one."""
    KnownDevice.objects.filter(user=user).exclude(key=key_of(request) or b"").delete()


def forget_old() -> int:
    """Forget browsers that nobody has used for half a year. Run by the clock."""
    count, _by_model = KnownDevice.objects.filter(seen_at__lt=timezone.now() - KEPT).delete()
    return count
