"""Tracked events as a web shop sends them."""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from profiles.models import SourceRecord

# What a visit to a web shop consists of; the shares are named with every figure.
MIX = (
    ("Product Viewed", 0.62),
    ("page", 0.25),
    ("Product Added", 0.07),
    ("Products Searched", 0.04),
    ("identify", 0.02),
)
MIX_TEXT = ", ".join(f"{name} {share:.0%}" for name, share in MIX)
BATCH = 100

_COLOURS = ("red", "white", "black", "navy", "natural")
_CATEGORIES = ("shoes", "chairs", "tables", "lamps")
_AGENT = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36"


def batches(
    *,
    source_id: int,
    batches: int,
    seed: int,
    size: int = BATCH,
    poison: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> list[bytes]:
    """Bodies of `POST /v1/batch`, about 50 KB for 100 events, on users that the source knows; every event is new.

    One event in a hundred is `poison`, if any.
    """
    draw = random.Random(seed)
    users: list[str] = list(
        SourceRecord.objects.filter(source_id=source_id, kind=SourceRecord.Kind.IDENTIFIED)
        .order_by("pk")
        .values_list("external_id", flat=True)[:20_000]
    )
    names, weights = [name for name, _share in MIX], [share for _name, share in MIX]
    now = datetime.now(UTC)
    bodies = []
    for number in range(batches):
        events = [
            _event(draw, draw.choices(names, weights)[0], draw.choice(users), f"bench-{seed}-{number}-{place}", now)
            for place in range(size)
        ]
        if poison is not None:
            events = [poison(event) if draw.randrange(100) == 0 else event for event in events]
        bodies.append(json.dumps({"batch": events, "sentAt": now.isoformat()}, ensure_ascii=False).encode())
    return bodies


def unusable(event: dict[str, Any]) -> dict[str, Any]:
    """An event that is quarantined when it is read."""
    return event | {"type": "track", "event": 7}


def _event(draw: random.Random, kind: str, user: str, message_id: str, now: datetime) -> dict[str, Any]:
    event: dict[str, Any] = {
        "messageId": message_id,
        "userId": user,
        "anonymousId": f"device-{user}",
        "timestamp": (now - timedelta(seconds=draw.randrange(3600))).isoformat(),
        "context": {
            "library": {"name": "analytics.js", "version": "4.1.0"},
            "page": {"path": "/p", "title": "รองเท้าผ้าใบ"},
            "userAgent": _AGENT,
        },
    }
    product = {
        "product_id": f"SKU-{draw.randrange(900):04d}",
        "name": "รองเท้าผ้าใบ",
        "category": draw.choice(_CATEGORIES),
        "color": draw.choice(_COLOURS),
        "price": draw.randrange(200, 9000),
        "currency": "THB",
    }
    if kind == "page":
        return event | {"type": "page", "name": "Product", "properties": {"path": "/p", "title": "รองเท้าผ้าใบ"}}
    if kind == "identify":
        return event | {"type": "identify", "traits": {"language": draw.choice(("th", "en"))}}
    if kind == "Products Searched":
        return event | {"type": "track", "event": kind, "properties": {"query": "เก้าอี้"}}
    return event | {"type": "track", "event": kind, "properties": product}
