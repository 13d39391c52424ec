"""How values are shown: dates in the reader's calendar with ISO beside them, money, masked identifiers.

Thai dates show the Buddhist year (พ.ศ. = CE + 543); `<time datetime>` always holds ISO 8601.
"""

import json
from datetime import date, datetime
from decimal import Decimal

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

register = template.Library()

BUDDHIST_ERA = 543
THAI_MONTHS = ["ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค."]
ENGLISH_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
THAI_WEEKDAYS = ["จันทร์", "อังคาร", "พุธ", "พฤหัสบดี", "ศุกร์", "เสาร์", "อาทิตย์"]
ENGLISH_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
CURRENCY_SIGNS = {"THB": "฿", "USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
CURRENCIES_WITHOUT_CENTS = frozenset({"JPY", "KRW", "VND"})
NO_BREAK = "\u00a0"


def _is_thai() -> bool:
    return (get_language() or "").startswith("th")


def day_text(value: date) -> str:
    """ "22 พ.ย. 2569" or "22 Nov 2026"."""
    if _is_thai():
        return f"{value.day} {THAI_MONTHS[value.month - 1]} {value.year + BUDDHIST_ERA}"
    return f"{value.day} {ENGLISH_MONTHS[value.month - 1]} {value.year}"


def month_text(value: date, *, with_year: bool = True) -> str:
    """ "พ.ย. 2569" or "Nov 2026"."""
    name = (THAI_MONTHS if _is_thai() else ENGLISH_MONTHS)[value.month - 1]
    return f"{name} {value.year + (BUDDHIST_ERA if _is_thai() else 0)}" if with_year else name


def _local(value: datetime) -> datetime:
    return timezone.localtime(value) if timezone.is_aware(value) else value


def moment_text(value: datetime | None) -> str:
    """ "22 พ.ย. 2569 14:05" in the company's time zone, for what is no page."""
    return "" if value is None else f"{day_text(_local(value))} {_local(value):%H:%M}"


@register.filter
def day(value: date | datetime | str | None) -> SafeString | str:
    """`{{ when|day }}`: the date in the company's time zone. ISO text works too, other text stays as it is."""
    if not value:
        return ""
    if isinstance(value, str):
        try:
            return day(date.fromisoformat(value[:10]))
        except ValueError:
            return value
    shown = _local(value).date() if isinstance(value, datetime) else value
    return format_html('<time datetime="{}">{}</time>', shown.isoformat(), day_text(shown))


@register.filter
def day_heading(value: date) -> SafeString:
    """`{{ date|day_heading }}`: today, yesterday, or the weekday with the date."""
    today = timezone.localdate()
    if value == today:
        name = _("Today")
    elif (today - value).days == 1:
        name = _("Yesterday")
    else:
        name = (THAI_WEEKDAYS if _is_thai() else ENGLISH_WEEKDAYS)[value.weekday()]
    return format_html('<time datetime="{}">{} {}</time>', value.isoformat(), name, day_text(value))


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """`{{ at|moment }}`: date and time of day, in the company's time zone."""
    if value is None:
        return ""
    local = _local(value)
    return format_html(
        '<time datetime="{}">{} {}</time>', local.isoformat(timespec="seconds"), day_text(local), f"{local:%H:%M}"
    )


@register.filter
def clock(value: datetime | None) -> SafeString | str:
    """`{{ at|clock }}`: the time of day alone, below a day heading."""
    if value is None:
        return ""
    local = _local(value)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="seconds"), f"{local:%H:%M}")


@register.filter
def ago(value: datetime | None) -> SafeString | str:
    """`{{ at|ago }}`: how long ago within the last 30 days, the date before that; the title has the exact time."""
    if value is None:
        return ""
    local = _local(value)
    seconds = (timezone.now() - value).total_seconds()
    exact = f"{day_text(local)} {local:%H:%M}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(timespec="seconds"),
        exact,
        _distance(seconds, local),
    )


def _distance(seconds: float, local: datetime) -> str:
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if seconds < 0 or days >= 30:
        return day_text(local)
    if minutes < 1:
        return _("just now")
    if hours < 1:
        return ngettext("%(n)d minute ago", "%(n)d minutes ago", minutes) % {"n": minutes}
    if days < 1:
        return ngettext("%(n)d hour ago", "%(n)d hours ago", hours) % {"n": hours}
    return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}


@register.filter
def money(amount: Decimal | int | float | str | None, currency: str | None = None) -> str:
    """`{{ order.total|money:order.currency }}`: "฿3,990.00"; a currency without a sign of its own keeps its code."""
    if amount in (None, ""):
        return ""
    code = currency or settings.COMPANY_CURRENCY
    value = Decimal(str(amount))
    places = 0 if code in CURRENCIES_WITHOUT_CENTS else 2
    digits = number_format(abs(value), decimal_pos=places, use_l10n=True, force_grouping=True)
    sign = "−" if value < 0 else ""
    if code in CURRENCY_SIGNS:
        return f"{sign}{CURRENCY_SIGNS[code]}{digits}"
    return f"{sign}{digits}{NO_BREAK}{code}"


@register.filter
def count(value: int | None) -> str:
    """`{{ n|count }}`: a whole number with thousands separators."""
    return "" if value is None else f"{value:,}"


@register.filter
def last_four(value: str | None) -> str:
    """`{{ value|last_four }}`: all but the last four characters hidden."""
    if not value:
        return ""
    return f"•••• {value[-4:]}" if len(value) > 4 else "••••"


@register.filter
def masked(value: str | None) -> str:
    """`{{ email|masked }}`: enough to recognise, too little to use: "s••••@example.com", "•••• 4567", "ส••••"."""
    if not value:
        return ""
    local, at, domain = value.partition("@")
    if at:
        return f"{local[:1]}••••@{domain}"
    digits = sum(character.isdigit() for character in value)
    if digits >= 6 and 2 * digits > len(value):  # a number, not an address with numbers in it
        return last_four(value)
    return f"{value[:1]}••••"


@register.filter
def plain(value: Decimal | int | None) -> str:
    """`{{ line.quantity|plain }}`: a number without the zeros that its column adds: 2.000 is "2"."""
    if value is None:
        return ""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def as_json(value: object) -> str:
    """`{{ properties|as_json }}`: what a source sent, to be read by a person."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)
