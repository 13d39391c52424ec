"""The memory of everything that works on something: this process, its children, and the database's processes."""

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from django.db import connection

EVERY_SECONDS: Final = 1.0


class Watch:
    """For as long as the block runs: `greatest` is the most bytes that they held together, shared ones counted once,
    `seconds` how long it took. A database on another machine is not seen."""

    def __init__(self) -> None:
        self.greatest = 0
        self.seconds = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            self._server = _parent(cursor.fetchone()[0])
        self._begun = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.seconds = time.perf_counter() - self._begun
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        own = int(Path("/proc/self").resolve().name)
        while True:
            self.greatest = max(self.greatest, held_by({own, self._server}))
            if self._over.wait(EVERY_SECONDS):
                return


def held_by(roots: set[int]) -> int:
    """Bytes of these processes and all below them."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        number = int(folder.name)
        children.setdefault(_parent(number), []).append(number)
    seen: set[int] = set()
    waiting = [number for number in roots if number > 1]
    while waiting:
        number = waiting.pop()
        if number not in seen:
            seen.add(number)
            waiting += children.get(number, ())
    return sum(map(_held, seen))


def _parent(number: int) -> int:
    """0 for a process that is gone, or on another machine."""
    with suppress(OSError):
        return int(Path(f"/proc/{number}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[1])
    return 0


def _held(number: int) -> int:
    """Its share of memory: pages that several have in common count in parts."""
    with suppress(OSError):
        for line in Path(f"/proc/{number}/smaps_rollup").read_text("ascii", "replace").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
