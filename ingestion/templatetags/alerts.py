"""Filters for alerts: what one says, in the reader's language."""

from collections.abc import Mapping

from django import template
from django.conf import settings

from cdp_site.core.errors import Text
from ingestion.health import alert_text, recipients
from ingestion.health import standing as standings
from ingestion.models import Alert, AlertRecipient

register = template.Library()


@register.filter
def standing(alert: Alert) -> standings.Standing:
    """What the alert makes of its source, as a badge."""
    return standings.OF_ALERTS[alert.kind]


@register.filter
def described(alert: Alert) -> str:
    """`{{ alert|described }}`: what was found, and the limit."""
    return alert_text.describe(alert)


@register.filter
def next_step(alert: Alert) -> str:
    """`{{ alert|next_step }}`: what to look at first."""
    return alert_text.next_step(alert)


@register.filter
def problem(code: str) -> Text:
    """`{{ code|problem }}`: why a message did not arrive."""
    return recipients.problem_text(code)


@register.filter
def of(found: Mapping[int, str], key: int) -> str:
    """`{{ mapping|of:key }}`; empty when it is not there."""
    return found.get(key, "")


@register.filter
def channel_icon(channel: str) -> str:
    return "mail" if channel == AlertRecipient.Channel.EMAIL else "world"


@register.filter
def language_name(code: str) -> str:
    """In the reader's language."""
    return str(dict(settings.LANGUAGES).get(code, code))
