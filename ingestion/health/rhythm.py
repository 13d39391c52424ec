"""How long a source is usually silent: pure.

A shop is silent at night, an office over the weekend, a nightly file all day. So a pause is judged by the pauses that
were there before: by the second longest of two weeks, since what happened once may have been the last outage.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

LOOK_BACK: Final = timedelta(days=14)
FEWEST_PAUSES: Final = 5
FEWEST_DAYS: Final = 3
SHORTEST: Final = timedelta(hours=2)
SLACK: Final = 1.25  # a pause may be that much longer than usual


def longest_pause(active_hours: Sequence[datetime]) -> timedelta | None:
    """How long the source may be silent before that is unusual; None where nothing is usual yet.

    Args:
        active_hours: beginnings of the hours in which anything came, ascending; those within LOOK_BACK of the last
            one count.

    Examples:
        >>> from datetime import UTC
        >>> noons = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in range(1, 9)]
        >>> longest_pause(noons)  # every 24 hours
        datetime.timedelta(days=1, seconds=25200)
    """
    recent = [hour for hour in active_hours if hour >= active_hours[-1] - LOOK_BACK]
    pauses = sorted((later - earlier for earlier, later in pairwise(recent)), reverse=True)
    if len(pauses) < FEWEST_PAUSES or len({hour.date() for hour in recent}) < FEWEST_DAYS:
        return None
    # An hour more: of two messages we know the hours only.
    return max(SHORTEST, pauses[1] * SLACK + timedelta(hours=1))
