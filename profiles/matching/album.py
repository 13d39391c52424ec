"""The records that a run compares, kept small in memory: reading one again costs more than all its comparisons."""

import marshal
from collections.abc import Collection, Mapping
from typing import Final

from profiles.matching import records
from profiles.matching.comparable import FIELDS
from profiles.matching.matcher import Comparable

# About half a KB each.
MOST_KEPT: Final = 2_000_000
READ_AT_ONCE: Final = 5_000


class Album:
    """Comparable records by id, each read once as long as there is room."""

    def __init__(self, *, most: int = MOST_KEPT) -> None:
        self._most = most
        self._kept: dict[int, bytes | None] = {}

    def keep(self, found: Mapping[int, Comparable]) -> None:
        for number, record in found.items():
            if len(self._kept) >= self._most:
                self._kept.pop(next(iter(self._kept)))
            self._kept[number] = marshal.dumps([record[field] for field in FIELDS])

    def of(self, wanted: Collection[int]) -> dict[int, Comparable]:
        """Those of the records that can be compared: identified ones that are still there."""
        unread = sorted(number for number in set(wanted) if number not in self._kept)
        fresh: dict[int, Comparable] = {}
        for place in range(0, len(unread), READ_AT_ONCE):
            fresh |= records.read(unread[place : place + READ_AT_ONCE])
        found = {
            number: dict(zip(FIELDS, marshal.loads(kept), strict=True))  # of our own  # noqa: S302  # nosec B302
            for number in wanted
            if (kept := self._kept.get(number)) is not None
        }
        self.keep(fresh)
        return found | fresh
