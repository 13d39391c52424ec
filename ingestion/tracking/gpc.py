"""`Sec-GPC: 1` on a browser's request (Global Privacy Control): an opt-out of sale and sharing (CCPA).

The door adds to the batch what the visitor refuses by it, for the purposes that are a sale or sharing of data. It is
said once for a visitor: the message's id is made of who and what, and a message that was seen is not taken again. So a
consent that the person gives later in words stands.
"""

from collections.abc import Iterable
from uuid import UUID, uuid5

import msgspec
from django.http import HttpRequest

from ingestion import vocabulary

HEADER, ON = "Sec-GPC", "1"
_NAMESPACE = UUID("7f1c3a52-6a5e-5c0e-9a44-0d9c1b5f2a11")


class _Visitor(msgspec.Struct, rename="camel", gc=False):
    user_id: str | None = None
    anonymous_id: str | None = None


_visitors = msgspec.json.Decoder(_Visitor)


def refusals(request: HttpRequest, items: Iterable[bytes]) -> list[bytes]:
    """Messages that say what the visitors of these calls refuse; none without the header, or where nothing is shared.
    No query within a minute of the last."""
    if request.headers.get(HEADER) != ON:
        return []
    purposes, channels = vocabulary.shared()
    if not purposes:
        return []
    visitors = {(one.user_id, one.anonymous_id) for one in map(_visitor, items) if one is not None}
    return [
        msgspec.json.encode(_refusal(user, anonymous, purpose, channel))
        for user, anonymous in sorted(visitors, key=str)
        for purpose in purposes
        for channel in channels
    ]


def _visitor(item: bytes) -> _Visitor | None:
    """None for what names nobody; the digest says what is wrong with it."""
    try:
        visitor = _visitors.decode(item)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return visitor if visitor.user_id or visitor.anonymous_id else None


def _refusal(user: str | None, anonymous: str | None, purpose: str, channel: str) -> dict[str, object]:
    named = {"userId": user, "anonymousId": anonymous}
    who = "\0".join((user or "", anonymous or ""))
    return {
        "type": "track",
        "event": "Consent Refused",
        "messageId": f"gpc-{uuid5(_NAMESPACE, chr(0).join((who, purpose, channel)))}",
        **{name: value for name, value in named.items() if value},
        "properties": {"purpose": purpose, "channel": channel, "how": "gpc"},
    }
