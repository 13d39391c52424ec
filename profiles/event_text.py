"""What a touchpoint says about itself, for the timeline: an icon, the thing it is about, facts and a quotation.

Pure. Property names are Segment's (e-commerce, e-mail and page specs) and those of calls and surveys that our own
doors use. What is not named here is shown only among "all details", to readers who may see identifiers.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

LONGEST_TEXT = 300
LONGEST_QUOTE = 1000

ICONS: Mapping[str, str] = {
    "Page Viewed": "world",
    "Screen Viewed": "device-mobile",
    "Product Viewed": "eye",
    "Products Searched": "search",
    "Product Added": "shopping-cart",
    "Product Removed": "shopping-cart",
    "Checkout Started": "credit-card",
    "Order Placed": "shopping-bag",
    "Order Completed": "shopping-bag",
    "Order Updated": "shopping-bag",
    "Order Paid": "credit-card",
    "Order Fulfilled": "send",
    "Order Delivered": "circle-check",
    "Order Refunded": "receipt",
    "Order Cancelled": "receipt",
    "Email Delivered": "mail",
    "Email Opened": "mail",
    "Email Link Clicked": "click",
    "Call Ended": "phone",
    "Message Received": "message-circle",
    "Survey Answered": "clipboard-list",
    "Consent Granted": "shield-check",
    "Consent Refused": "ban",
    "Consent Withdrawn": "ban",
    "Segment Exported": "file-text",
    "Segment Held Out": "file-text",
    "Application Opened": "device-mobile",
    "Application Installed": "device-mobile",
    "Signed Up": "user-check",
}
# By what the name begins with, for events that a source invented.
ICON_PREFIXES: tuple[tuple[str, str], ...] = (
    ("Email", "mail"),
    ("Push", "bell"),
    ("LINE", "message-circle"),
    ("Message", "message-circle"),
    ("Call", "phone"),
    ("Order", "shopping-bag"),
    ("Product", "tag"),
    ("Application", "device-mobile"),
    ("Consent", "shield"),
)
ANY_ICON = "bolt"

# The first of these that is there is what the touchpoint is about.
SUBJECTS = ("name", "title", "subject", "topic", "reason", "survey", "campaign", "screen", "page")
# Shown as they are, in this order.
FACTS = (
    "category",
    "color",
    "variant",
    "outcome",
    "disposition",
    "agent",
    "purpose",
    "channel",
    "coupon",
    "method",
    "path",
)
AMOUNTS = ("price", "value", "total", "amount")
QUOTES = ("notes", "note", "comment", "text", "message", "answer", "query", "transcript")


@dataclass(frozen=True, slots=True)
class Amount:
    value: Decimal
    currency: str | None


@dataclass(frozen=True, slots=True)
class EventText:
    """`subject` and `facts` are plain text of the source; `score` is a survey's answer; `minutes` of a call."""

    icon: str
    subject: str = ""
    facts: tuple[str, ...] = ()
    amount: Amount | None = None
    quote: str = ""
    score: str = ""
    minutes: int | None = None


def describe(event: str, properties: Mapping[str, Any]) -> EventText:
    """What to show of a touchpoint.

    >>> describe("Product Viewed", {"name": "Oak chair", "color": "Red", "price": 3990}).facts
    ('Red',)
    """
    subject = next((text for name in SUBJECTS if (text := _text(properties.get(name)))), "")
    facts = [text for name in FACTS if (text := _text(properties.get(name))) and text != subject]
    return EventText(
        icon=icon_of(event),
        subject=subject,
        facts=tuple(facts),
        amount=_amount(properties),
        quote=next((text for name in QUOTES if (text := _text(properties.get(name), LONGEST_QUOTE))), ""),
        score=_text(properties.get("score") or properties.get("rating")),
        minutes=_minutes(properties),
    )


def icon_of(event: str) -> str:
    """Id of the sprite's symbol for an event name."""
    if event in ICONS:
        return ICONS[event]
    return next((icon for prefix, icon in ICON_PREFIXES if event.startswith(prefix)), ANY_ICON)


def _text(value: Any, longest: int = LONGEST_TEXT) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = str(value).strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _amount(properties: Mapping[str, Any]) -> Amount | None:
    for name in AMOUNTS:
        value = properties.get(name)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            continue
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            continue
        if number.is_finite():
            currency = properties.get("currency")
            return Amount(number, currency if isinstance(currency, str) else None)
    return None


def _minutes(properties: Mapping[str, Any]) -> int | None:
    """A call's length in minutes, rounded up; sources send seconds as `duration_seconds` or `duration`."""
    seconds = properties.get("duration_seconds", properties.get("duration"))
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 86_400:
        return None
    return math.ceil(seconds / 60)
