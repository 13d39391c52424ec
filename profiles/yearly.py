"""Twelve months of a customer: what was spent and how often there was contact, month by month, as a drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django.db.models import Count, DecimalField, F, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from cdp_site.core.access import Scope
from cdp_site.core.templatetags.formats import month_text
from profiles import overview
from profiles.models import Profile, Touchpoint
from profiles.past import Past

MONTHS = 12
# Of the drawing, in its own units: a column for each month, money above the line and contacts below it.
STEP, BAR, TOP, LINE, BOTTOM = 24, 14, 4, 64, 92


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle; without height there is nothing to draw."""

    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Month:
    """`spent` in the company's currency, each order at the rate of its day, after refunds."""

    first: date
    spent: Decimal
    contacts: int
    money: Bar
    touches: Bar
    is_labelled: bool

    @property
    def label(self) -> str:
        return month_text(self.first)

    @property
    def short_label(self) -> str:
        return month_text(self.first, with_year=False)

    @property
    def middle(self) -> int:
        return self.money.x + BAR // 2


@dataclass(frozen=True, slots=True)
class Year:
    months: Sequence[Month]

    width = MONTHS * STEP
    height = 112
    bar = BAR
    line = LINE

    @property
    def spent(self) -> Decimal:
        return sum((month.spent for month in self.months), Decimal(0))

    @property
    def contacts(self) -> int:
        return sum(month.contacts for month in self.months)


def of(profile: Profile, *, scope: Scope, past: Past | None = None) -> Year:
    """The twelve months that end with this one, or with that of the day looked back to. Two queries."""
    firsts = _firsts(past.day if past else timezone.localdate())
    since = timezone.make_aware(datetime.combine(firsts[0], time()))
    everything = past.touchpoints(scope) if past else Touchpoint.objects.filter(profile=profile).within(scope)
    contacts = _by_month(everything.filter(occurred_at__gte=since), "occurred_at", Count("*"))
    orders = overview.paid_orders(overview.orders_of(profile, scope, past=past), past).filter(placed_at__gte=since)
    spent = _by_month(orders, "placed_at", Sum(F("paid") * F("rate"), output_field=DecimalField()))
    return Year(_drawn(firsts, spent, contacts))


def _firsts(today: date) -> list[date]:
    last = today.year * 12 + today.month - 1
    return [date(number // 12, number % 12 + 1, 1) for number in range(last - MONTHS + 1, last + 1)]


def _by_month(rows: Any, moment: str, measure: Any) -> dict[date, Any]:
    months = rows.order_by().annotate(month=TruncMonth(moment)).values("month").annotate(measured=measure)
    return {timezone.localdate(row["month"]): row["measured"] for row in months}


def _drawn(firsts: Sequence[date], spent: dict[date, Any], contacts: dict[date, Any]) -> list[Month]:
    most_spent = max((spent.get(first) or 0 for first in firsts), default=0)
    most_contacts = max((contacts.get(first, 0) for first in firsts), default=0)
    months = []
    for number, first in enumerate(firsts):
        amount, times, x = spent.get(first) or Decimal(0), contacts.get(first, 0), number * STEP + (STEP - BAR) // 2
        high, deep = _share(amount, most_spent, LINE - TOP), _share(times, most_contacts, BOTTOM - LINE - 2)
        months.append(
            Month(
                first=first,
                spent=amount,
                contacts=times,
                money=Bar(x, round(LINE - high, 1), high),
                touches=Bar(x, LINE + 2, deep),
                is_labelled=(MONTHS - 1 - number) % 3 == 0,
            )
        )
    return months


def _share(value: Decimal | int, most: Decimal | int, length: int) -> float:
    """A length in proportion; the least that there is can still be seen."""
    if value <= 0 or most <= 0:
        return 0
    return max(1.5, round(float(value) / float(most) * length, 1))
