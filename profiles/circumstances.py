"""What of a message's `context` is kept with its touchpoint: where it happened and which campaign led there.

Segment's context holds much about the device: IP address, user agent, advertising ids, screen, network, position. None
of it is needed to know what a customer did, so none of it is kept (data minimisation, PDPA s.22). What is kept stands
among the event's properties under names of its own, so that a segment can ask for it as for any property.
"""

from collections.abc import Mapping
from typing import Final

from ingestion.messages import Message

# context.<part>.<name> → property; https://segment.com/docs/connections/spec/common/#context
KEPT: Final[Mapping[str, Mapping[str, str]]] = {
    "campaign": {
        "name": "campaign_name",
        "source": "campaign_source",
        "medium": "campaign_medium",
        "term": "campaign_term",
        "content": "campaign_content",
    },
    "page": {"path": "page_path", "referrer": "page_referrer"},
    "app": {"name": "app_name", "version": "app_version"},
    "device": {"type": "device_type"},
    "os": {"name": "os_name"},
}
_PAGE: Final = "page"
LONGEST: Final = 500  # characters; a referrer may carry a whole query


def of(message: Message) -> dict[str, str]:
    """Properties out of the context; of a page call not where it happened, which its own properties say."""
    context = message.context
    if not context:
        return {}
    found: dict[str, str] = {}
    for part, told in context.items():
        names = KEPT.get(part)
        if names is None or not isinstance(told, dict) or (part == _PAGE and message.type == _PAGE):
            continue
        for name, kept_as in names.items():
            value = told.get(name)
            if isinstance(value, str) and value:
                found[kept_as] = value[:LONGEST]
    return found
