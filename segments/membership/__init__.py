"""Memberships as they are stored: who is in which segment, since when, and until when if time alone goes on.

`reading` answers questions, `touches` is told what changed about people, `keeping` follows: it evaluates the segments
that what changed may move, for those people alone, and everybody when a definition changes and each night.

Stored memberships are of all data. Who sees a part of it asks `segments.audience`, which evaluates for that viewer.
"""

from segments.membership.reading import Page, fresh_as_of, members, of, passages_of, size
from segments.membership.touches import Aspect, Touch, people_touched, tell

__all__ = [
    "Aspect",
    "Page",
    "Touch",
    "fresh_as_of",
    "members",
    "of",
    "passages_of",
    "people_touched",
    "size",
    "tell",
]
