"""Messages as sources send them, landed and digested."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from ingestion import landing
from ingestion.models import Source
from profiles import digest

DAY_ZERO = datetime(2026, 10, 1, 12, tzinfo=UTC)
_numbers = itertools.count(1)


def on_day(day: float) -> str:
    return (DAY_ZERO + timedelta(days=day)).isoformat()


def tomorrow() -> float:
    """The day after the one on which the suite runs: later than whatever comes in without a time of its own."""
    return (datetime.now(UTC) - DAY_ZERO) / timedelta(days=1) + 1


def identify(user: str | None = None, *, day: float = 0, device: str | None = None, **traits: Any) -> dict[str, Any]:
    """What a source says about a user, or about the person behind a device."""
    return _message("identify", user, device, day) | {"traits": traits}


def track(event: str, user: str | None = None, *, day: float = 0, device: str | None = None, **properties: Any) -> Any:
    return _message("track", user, device, day) | {"event": event, "properties": properties}


def row(external_id: str, *, day: float = 0, identifiers: tuple[dict[str, str], ...] = (), **traits: Any) -> Any:
    """A row of an imported file: its number is no user's id."""
    said = {"record": {"external_id": external_id}, "identifiers": list(identifiers)}
    return _message("identify", None, None, day) | {"traits": traits, "cdp": said}


def _message(kind: str, user: str | None, device: str | None, day: float) -> dict[str, Any]:
    return {
        "type": kind,
        "messageId": f"m{next(_numbers)}",
        "userId": user,
        "anonymousId": device,
        "timestamp": on_day(day),
    }


def arrive(source: Source, *messages: dict[str, Any], **more: Any) -> dict[str, int]:
    """Land the messages as one batch and digest it; returns the counts."""
    door = "file" if any("cdp" in message for message in messages) else "api"
    landing.land(source=source, messages_raw=list(messages), **({"door": door} | more))
    return dict(+digest.drain().counts)
