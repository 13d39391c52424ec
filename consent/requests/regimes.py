"""The laws as data (`regimes.json`, or the file that `REQUEST_REGIMES` names): periods, extensions, sections.

A period of days counts days of 24 hours. A period of months ends on the day with the same number, at the same time of
day in the company's time zone; where the month has no such day, on its last one (Regulation (EEC) 1182/71 Art. 3, which
GDPR Art. 12(3) is counted by). An extension counts from the receipt, not from the first end: 31 January and one month
is 28 February, and two more months is 30 April.
"""

import calendar
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import msgspec
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone
from django.utils.translation import get_language

from consent.models import DataSubjectRequest

_SHIPPED = Path(__file__).with_name("regimes.json")


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    days: int = 0
    months: int = 0

    def __add__(self, other: "Period") -> "Period":
        return Period(self.days + other.days, self.months + other.months)

    def after(self, start: datetime) -> datetime:
        """The end of the period that begins at `start`."""
        if self.months:
            start = _months_later(start, self.months)
        return start + timedelta(days=self.days)


class Right(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a regime says of one kind of request. `extension` None: it knows none."""

    section: str
    days: int = 0
    months: int = 0
    extension: Period | None = None

    @property
    def period(self) -> Period:
        return Period(self.days, self.months)


class Regime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Mapping[str, str]
    authority: Mapping[str, str]  # to whom one may complain
    refusal: str  # the section on refusals
    kinds: Mapping[str, Right]

    def __str__(self) -> str:
        return said(self.name)


def said(texts: Mapping[str, str]) -> str:
    """The text in the language of the reader."""
    return texts.get((get_language() or "en")[:2]) or texts["en"]


def regimes() -> Mapping[str, Regime]:
    """Every regime by its key. Raises ImproperlyConfigured for a file that does not say all of it."""
    return _read(str(settings.REQUEST_REGIMES or _SHIPPED))


def right(regime: str, kind: str) -> Right:
    return regimes()[regime].kinds[kind]


def due_at(regime: str, kind: str, received_at: datetime, *, is_extended: bool = False) -> datetime:
    """When a request has to be answered."""
    found = right(regime, kind)
    period = found.period + found.extension if is_extended and found.extension else found.period
    return period.after(received_at)


@lru_cache(maxsize=2)
def _read(path: str) -> Mapping[str, Regime]:
    try:
        found = msgspec.json.decode(Path(path).read_bytes(), type=dict[str, Regime])
    except (OSError, msgspec.MsgspecError) as error:
        raise ImproperlyConfigured(f"REQUEST_REGIMES: {error}") from error
    for key, regime in found.items():
        for kind in DataSubjectRequest.Kind.values:
            one = regime.kinds.get(kind)
            if one is None or one.days + one.months <= 0:
                raise ImproperlyConfigured(f"REQUEST_REGIMES: {key} says no period for {kind}")
    if settings.REQUEST_HOME_REGIME not in found:
        raise ImproperlyConfigured(f"REQUEST_REGIMES lacks {settings.REQUEST_HOME_REGIME}, the home regime")
    return found


def _months_later(start: datetime, months: int) -> datetime:
    """The same day and time of day, so many months later, in the company's time zone."""
    local = timezone.localtime(start) if timezone.is_aware(start) else start
    years, month = divmod(local.month - 1 + months, 12)
    year, month = local.year + years, month + 1
    day = min(local.day, calendar.monthrange(year, month)[1])
    return local.replace(year=year, month=month, day=day)
