"""How often a row was seen before in one file, for files of any length."""

import sqlite3
import struct
from types import TracebackType
from typing import Final, Self

IN_MEMORY: Final = 500_000  # about 50 MB
DIGEST_BYTES: Final = 8
_KEY: Final = struct.Struct(">q")


class Ordinals:
    """Counts digests: 0 for the first of its kind, then 1, 2 …

    The first half million in memory, what comes later in SQLite's own temporary database, which spills to disk. Goes
    with the object; `since` says what was counted, for an import that resumes elsewhere to `count` it again. Digests
    are told apart by 64 bits: among 20 million rows two differing ones meet with a chance of 1 : 90,000, and would
    then still be two rows.
    """

    def __init__(self, *, in_memory: int = IN_MEMORY) -> None:
        self._in_memory = in_memory
        self._counts: dict[int, int] = {}
        self._database: sqlite3.Connection | None = None
        self._since = bytearray()

    def __call__(self, digest: bytes) -> int:
        self._since += digest[:DIGEST_BYTES]
        return self._count(int.from_bytes(digest[:DIGEST_BYTES], "big", signed=True))

    def since(self) -> bytes:
        """Digests that were counted since this was last asked, eight bytes each."""
        counted = bytes(self._since)
        self._since.clear()
        return counted

    def count(self, digests: bytes) -> None:
        """Count what `since` has said."""
        for (key,) in _KEY.iter_unpack(digests):
            self._count(key)

    def _count(self, key: int) -> int:
        counts = self._counts
        known = counts.get(key)
        if known is not None:
            counts[key] = known + 1
            return known + 1
        if len(counts) < self._in_memory:
            counts[key] = 0
            return 0
        return self._on_disk(key)

    def _on_disk(self, key: int) -> int:
        if self._database is None:
            self._database = sqlite3.connect("", isolation_level=None)
            for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -10000"):
                self._database.execute(f"PRAGMA {setting}")
            self._database.execute("CREATE TABLE seen (key INTEGER PRIMARY KEY, n INTEGER)")
        row = self._database.execute(
            "INSERT INTO seen VALUES (?, 0) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n", [key]
        ).fetchone()
        number: int = row[0]
        return number

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._database is not None:
            self._database.close()
