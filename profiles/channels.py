"""By which channel something happened: what a touchpoint's type says, else what its source is.

A web shop sends page views, orders and mails with one key: its mails are e-mail all the same.
"""

from collections.abc import Mapping

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ingestion.models import Source
from profiles.models import EventType


class TouchChannel(models.TextChoices):
    """In the order of the chips."""

    WEB = "web", _("Web")
    APP = "app", _("App")
    STORE = "store", _("Store")
    PHONE = "phone", _("Calls")
    EMAIL = "email", _("E-mail")
    CHAT = "chat", _("Chat and messages")
    NOTE = "note", _("Notes")
    OTHER = "other", _("Other systems")


ICONS: Mapping[str, str] = {
    TouchChannel.WEB: "world",
    TouchChannel.APP: "device-mobile",
    TouchChannel.STORE: "building-store",
    TouchChannel.PHONE: "phone",
    TouchChannel.EMAIL: "mail",
    TouchChannel.CHAT: "message-circle",
    TouchChannel.NOTE: "note",
    TouchChannel.OTHER: "database",
}
# By what a type's name begins with; the first that fits.
_OF_EVENT: tuple[tuple[str, TouchChannel], ...] = (
    ("Email", TouchChannel.EMAIL),
    ("Call", TouchChannel.PHONE),
    ("Message", TouchChannel.CHAT),
    ("LINE", TouchChannel.CHAT),
    ("SMS", TouchChannel.CHAT),
    ("Push", TouchChannel.APP),
    ("Application", TouchChannel.APP),
    ("Screen Viewed", TouchChannel.APP),
    ("Page Viewed", TouchChannel.WEB),
    ("Case", TouchChannel.NOTE),
)
_OF_SOURCE: Mapping[str, TouchChannel] = {
    Source.Kind.SHOP: TouchChannel.WEB,
    Source.Kind.APP: TouchChannel.APP,
    Source.Kind.POS: TouchChannel.STORE,
    Source.Kind.CALL_CENTRE: TouchChannel.PHONE,
    Source.Kind.LINE: TouchChannel.CHAT,
}


def channel_of(event: str, source_kind: str) -> TouchChannel:
    """The channel of a touchpoint by the name of its type and the kind of its source."""
    return _of_event(event) or _OF_SOURCE.get(source_kind, TouchChannel.OTHER)


def condition(channel: str) -> Q:
    """Touchpoints of a channel, by the ids that their table is indexed by. Two small queries."""
    named = {key: _of_event(name) for key, name in EventType.objects.values_list("pk", "name")}
    sources = Source.objects.values_list("pk", "kind")
    return Q(type__in=[key for key, of in named.items() if of == channel]) | Q(
        type__in=[key for key, of in named.items() if of is None],
        source__in=[key for key, kind in sources if channel_of("", kind) == channel],
    )


def _of_event(name: str) -> TouchChannel | None:
    return next((channel for prefix, channel in _OF_EVENT if name.startswith(prefix)), None)
