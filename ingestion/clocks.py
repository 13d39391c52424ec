"""The four clocks of a message (Segment's HTTP Tracking API): pure.

`originalTimestamp` is the client's clock when it happened, `sentAt` the client's when it was sent, `receivedAt` ours.
The client's clock may be wrong, but its distance between the two is right:
`timestamp = receivedAt − (sentAt − originalTimestamp)`.
https://segment.com/docs/connections/spec/common/#timestamps
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

# Further in the future than any error of time zones (+14 h … −12 h) and of clocks: flagged, shown at its time.
FUTURE: Final = timedelta(hours=23)
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Clocks(msgspec.Struct, frozen=True, gc=False):
    """`occurred_at` drives timeline, windows and segments; `received_at` retention and lag. All in UTC."""

    occurred_at: datetime
    received_at: datetime
    original_at: datetime | None
    sent_at: datetime | None
    is_future: bool


class UnreadableTime(ValueError):
    """A clock that is no ISO 8601 instant; `field` names it."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def parse(text: str, field: str = "timestamp") -> datetime:
    """An ISO 8601 instant in UTC; without a zone it is UTC, as Segment reads it. Raises UnreadableTime."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is UTC:
            return moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UnreadableTime(field) from error


def parse_or_none(text: str) -> datetime | None:
    try:
        return parse(text)
    except UnreadableTime:
        return None


def read(
    *,
    received_at: datetime,
    timestamp: str | None,
    original_timestamp: str | None = None,
    sent_at: datetime | None = None,
) -> Clocks:
    """The clocks of one message.

    Args:
        received_at: ours, in UTC.
        timestamp: what the client calls `timestamp`: its own clock, unless `original_timestamp` is there as well.
        sent_at: the client's, from the message or its envelope.

    Without `sent_at` nothing can be corrected and the client's time stands; without any time, `received_at` does.
    Raises UnreadableTime.
    """
    stated = original_timestamp or timestamp
    if not stated:
        return Clocks(received_at, received_at, None, sent_at, is_future=False)
    original = parse(stated, "originalTimestamp" if original_timestamp else "timestamp")
    occurred = original
    if sent_at is not None:
        try:
            occurred = received_at - (sent_at - original)
        except OverflowError as error:
            raise UnreadableTime("timestamp") from error
    if occurred < EARLIEST:
        raise UnreadableTime("originalTimestamp" if original_timestamp else "timestamp")
    return Clocks(occurred, received_at, original, sent_at, is_future=occurred - received_at > FUTURE)
