"""How numbers of people that come from a sample are written."""

from django import template
from django.utils.translation import gettext as _

from segments.intervals import Range

register = template.Library()

DIGITS = 3
"""A sample is good for so many; further ones would say what nobody knows."""


@register.filter
def people(value: Range | None) -> str:
    """`{{ range|people }}`: "12,345" if everybody was counted, "~12,300" from a sample, "< 480" if it met nobody."""
    if value is None:
        return ""
    if value.is_exact:
        return f"{value.value:,}"
    if value.value == 0:
        return f"< {_rounded(value.high):,}"
    return f"~{_rounded(value.value):,}"


@register.filter
def bounds(value: Range) -> str:
    """`{{ range|bounds }}`: "11,900 to 12,700"."""
    return _("%(low)s to %(high)s") % {"low": f"{_rounded(value.low):,}", "high": f"{_rounded(value.high):,}"}


def _rounded(n: int) -> int:
    return round(n, DIGITS - len(str(n))) if n >= 10**DIGITS else n
