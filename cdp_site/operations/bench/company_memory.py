"""The memory of everything that works on something: this process, its children, and the database's processes."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from django.db import connection

EVERY_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Held:
    """Bytes: `own` of the processes, and `shared` among them, counted once: the database's buffers, which fill up to
    what its settings allow, whatever the size of the company."""

    own: int = 0
    shared: int = 0

    def __add__(self, other: "Held") -> "Held":
        return Held(self.own + other.own, self.shared + other.shared)

    def most(self, other: "Held") -> "Held":
        """Of each kind the greater one."""
        return Held(max(self.own, other.own), max(self.shared, other.shared))

    @property
    def together(self) -> int:
        return self.own + self.shared


class Watch:
    """For as long as the block runs: `greatest` is the most that they held of each kind, `seconds` how long it took. A
    database on another machine is not seen."""

    def __init__(self) -> None:
        self.greatest = Held()
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
            self.greatest = self.greatest.most(held_by({own, self._server}))
            if self._over.wait(EVERY_SECONDS):
                return


def most_shared() -> int:
    """Bytes that the database shares among its processes when its buffers are full."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_size_bytes(current_setting('shared_memory_size'))")
        return int(cursor.fetchone()[0])


def held_by(roots: set[int]) -> Held:
    """What these processes hold and all below them."""
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
    return sum(map(_held, seen), Held())


def _parent(number: int) -> int:
    """0 for a process that is gone, or on another machine."""
    with suppress(OSError):
        return int(Path(f"/proc/{number}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[1])
    return 0


def _held(number: int) -> Held:
    """Its share of memory: pages that several have in common count in parts."""
    with suppress(OSError):
        lines = Path(f"/proc/{number}/smaps_rollup").read_text("ascii", "replace").splitlines()
        kilobytes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines[1:])}
        shared = kilobytes["Pss_Shmem"]
        return Held(own=(kilobytes["Pss"] - shared) * 1024, shared=shared * 1024)
    return Held()
