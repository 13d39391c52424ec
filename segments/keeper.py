"""The process that keeps what is derived from people: computed traits, then memberships, which may rest on them.

Each part takes a round when it is its turn and says whether there was anything to do. What waits lies in the database:
whoever is killed in a round leaves it as it was, and the next one takes it up.
"""

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db import close_old_connections

from cdp_site.core import heartbeats

log = structlog.get_logger("keeper")

IDLE_SECONDS = 0.5
RECOVERY_SECONDS = 3.0
HEARTBEAT_SECONDS = 5

ROUND_SECONDS = 60
"""After which a round begins nothing more. With what was begun it stays far below the patience with a keeper."""

SOON = timedelta(minutes=5)
"""In which what comes in pieces (the feed of a catalogue) is followed, once for many of them."""

Round = Callable[[], bool]


class Budget:
    """The time of a round, from its making on."""

    def __init__(self) -> None:
        self._ends_at = time.monotonic() + ROUND_SECONDS

    @property
    def is_spent(self) -> bool:
        return time.monotonic() >= self._ends_at


@dataclass(frozen=True, slots=True)
class _Part:
    order: int
    name: str
    rounds: tuple[Round, ...]


_parts: list[_Part] = []


def register(name: str, *rounds: Round, order: int) -> None:
    """`rounds`: each does as much as a second or a few take, in transactions of its own, and returns False when there
    was nothing to do. None takes longer than `health.PATIENCE`, however slow the database is (`Budget`). They are taken
    in turn, parts by ascending `order`: what others rest on comes first."""
    if any(part.name == name for part in _parts):
        raise ValueError(f"part {name!r} is registered twice")
    _parts.append(_Part(order, name, rounds))
    _parts.sort(key=lambda part: part.order)


def go_round(beat: Callable[[], None] | None = None) -> bool:
    """A round of everything; whether there was anything to do. Must not run inside a transaction.

    A part that fails does not keep the others from their rounds. `beat` is called before each of them: together they
    may take longer than anybody is patient with a process that gives no sign.
    """
    worked = False
    for part in _parts:
        for take_round in part.rounds:
            if beat is not None:
                beat()
            try:
                worked = take_round() or worked
            except Exception:
                log.exception("part_failed", part=part.name)
    return worked


def catch_up(most_rounds: int = 1_000) -> int:
    """Go round until there is nothing to do; returns how often. Errors pass. For commands and tests."""
    for n in range(most_rounds):
        worked = [take_round() for part in _parts for take_round in part.rounds]
        if not any(worked):
            return n
    return most_rounds


def run_forever(*, name: str = "keeper", stop: threading.Event | None = None) -> None:
    """Keep until SIGTERM or SIGINT (or `stop`), with a heartbeat by its name. Finishes its round first."""
    stopping = stop or threading.Event()
    if stop is None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: stopping.set())
    heart = _Heart(name)
    while not stopping.is_set():
        try:
            close_old_connections()
            worked = go_round(heart.beat)
        except Exception:
            log.exception("keeper_failed")  # a database that restarts
            stopping.wait(RECOVERY_SECONDS)
        else:
            stopping.wait(0 if worked else IDLE_SECONDS)


class _Heart:
    """Gives a sign of life every few seconds, however often it is asked to."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._beat_at = float("-inf")

    def beat(self) -> None:
        now = time.monotonic()
        if now - self._beat_at >= HEARTBEAT_SECONDS:
            heartbeats.beat(self._name)
            self._beat_at = now
