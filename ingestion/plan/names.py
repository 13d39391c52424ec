"""Names of events and of their properties. Pure."""

from typing import Any, Final

from ingestion.messages import Message

PAGE: Final = "Page Viewed"
SCREEN: Final = "Screen Viewed"
EVENT_OF_CALL: Final = {"page": PAGE, "screen": SCREEN}

OTHER: Final = "…"  # what is not shown by its name
MAX_EVENT: Final = 100
MAX_PROPERTY: Final = 80
_MANY_DIGITS: Final = 5


def shown(name: str, longest: int = MAX_PROPERTY) -> str:
    """The name, or OTHER for what looks like somebody's address or number, or like no name at all: a sender may have
    written data where a name belongs, and names are kept where data must not be."""
    is_name = 0 < len(name) <= longest and name.isprintable() and "@" not in name
    return name if is_name and sum(map(str.isdecimal, name)) < _MANY_DIGITS else OTHER


def event_of(message: Message) -> str | None:
    """The event that a message tells of, as its touchpoint is called; None when it only says who somebody is."""
    return message.event if message.type == "track" else EVENT_OF_CALL.get(message.type)


def properties_of(message: Message) -> dict[str, Any]:
    """What the message says of its event; a page's name and category count as properties."""
    properties = message.properties or {}
    if message.type not in EVENT_OF_CALL:
        return properties
    named = {"name": message.name, "category": message.category}
    return {key: value for key, value in named.items() if value} | properties


def event_in(message: Any) -> str:
    """The event in a decoded message of whatever form, or its call where it tells of none, for lists and for the
    scope of rules; empty when it cannot be told."""
    if not isinstance(message, dict):
        return ""
    kind, event = message.get("type"), message.get("event")
    if kind == "track" or (kind is None and event is not None):
        return shown(event, MAX_EVENT) if isinstance(event, str) and event.strip() else ""
    if not isinstance(kind, str):
        return ""
    return EVENT_OF_CALL.get(kind, kind if kind in ("identify", "alias", "group") else "")
