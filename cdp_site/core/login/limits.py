"""Limits against guessing passwords and codes: counted before each try, given back after a right one.

From a browser that the user has logged in from before, only that browser's own mistakes count. From anywhere else the
account and the address are counted together, the account alone (many addresses, one account) and the address alone
(one address, many accounts). So whoever guesses elsewhere shuts out everybody elsewhere, and never the owner at the
own desk; keys and the company's login provider stay open as well, since there is nothing to guess.

An account that does not exist is counted like one that does.
"""

import ipaddress
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest
from django.http import HttpRequest
from django.utils import timezone

from cdp_site.core import hashing
from cdp_site.core.login import devices
from cdp_site.core.login.addresses import client_address
from cdp_site.core.models import FailedLogins, User


@dataclass(frozen=True)
class Limit:
    """At most `most` tries in `window`, then wait until it is over. `is_own`: nobody else's tries count in it."""

    key: bytes
    most: int
    window: timedelta
    is_own: bool = False


def of_passwords(request: HttpRequest, name: str) -> list[Limit]:
    """What a try of this user name's password counts against."""
    return _limits(request, "password", name, of_account=50, of_address=100)


def of_codes(request: HttpRequest, user: User) -> list[Limit]:
    """What a try of the user's one-time or recovery codes counts against, after the right password."""
    return _limits(request, "code", user.get_username(), of_account=20, of_address=60)


def of_forgotten(request: HttpRequest, name: str) -> list[Limit]:
    """What asking for a new password counts against: nobody's mailbox is filled, and no list of names is tried."""
    account, address = _folded(name), _network(client_address(request))
    return [
        Limit(_key("forgotten", "account", account), 3, timedelta(hours=1)),
        Limit(_key("forgotten", "address", address), 20, timedelta(hours=1)),
    ]


def of_public(request: HttpRequest, what: str, *, most: int, window: timedelta, whom: str = "") -> list[Limit]:
    """What a try at a page that is open to everybody counts against: who asks, or `whom` it is about."""
    counted = ("whom", _folded(whom)) if whom else ("address", _network(client_address(request)))
    return [Limit(_key("public", what, *counted), most, window)]


def of_step_up(user: User) -> list[Limit]:
    """What a try to say again who one is counts against: who sits at an open session may guess no longer."""
    key = _key("step-up", str(user.pk))
    return [Limit(key, 5, timedelta(minutes=15), is_own=True)]


def _limits(request: HttpRequest, what: str, name: str, *, of_account: int, of_address: int) -> list[Limit]:
    account = _folded(name)
    device = devices.known_to(request, name)
    if device is not None:
        return [Limit(_key(what, "device", device.hex(), account), 10, timedelta(minutes=5), is_own=True)]
    address = _network(client_address(request))
    return [
        Limit(_key(what, "both", account, address), 5, timedelta(minutes=15), is_own=True),
        Limit(_key(what, "account", account), of_account, timedelta(hours=1)),
        Limit(_key(what, "address", address), of_address, timedelta(minutes=15)),
    ]


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _network(address: str) -> str:
    """Who has one IPv6 address has all of its /64."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)


def _key(*parts: str) -> bytes:
    return hashing.keyed("\0".join(parts), purpose="login.limit")


# Rows are locked in one order. A window begins with the first try in it, and more tries make it no longer.
_COUNT = """
INSERT INTO core_failedlogins AS f (key, until, count)
SELECT t.key, t.until, 1 FROM unnest(%(keys)s::bytea[], %(untils)s::timestamptz[]) AS t(key, until) ORDER BY t.key
ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN f.until > %(now)s THEN f.count + 1 ELSE 1 END,
    until = CASE WHEN f.until > %(now)s THEN f.until ELSE EXCLUDED.until END
RETURNING key, until, count
"""


def take(limits: Sequence[Limit]) -> timedelta | None:
    """Count a try against each limit, all at once for all processes. How long to wait when one is reached, else None:
    then the try may be made."""
    now = timezone.now()
    counting: dict[str, Any] = {
        "now": now,
        "keys": [one.key for one in limits],
        "untils": [now + one.window for one in limits],
    }
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, counting)
        counted = {bytes(key): (until, count) for key, until, count in cursor.fetchall()}
    return max((counted[one.key][0] - now for one in limits if counted[one.key][1] > one.most), default=None)


def give_back(limits: Sequence[Limit]) -> None:
    """The try was right: one's own mistakes are forgotten, in what is shared just this try was none."""
    FailedLogins.objects.filter(key__in=[one.key for one in limits if one.is_own]).delete()
    shared = FailedLogins.objects.filter(key__in=[one.key for one in limits if not one.is_own])
    shared.update(count=Greatest(F("count") - 1, 0))


def minutes(wait: timedelta) -> int:
    """In whole minutes, as people are told."""
    return max(1, -(-int(wait.total_seconds()) // 60))


def forget_old() -> int:
    """Forget what no longer limits anybody. Run by the clock."""
    count, _by_model = FailedLogins.objects.filter(until__lt=timezone.now()).delete()
    return count
