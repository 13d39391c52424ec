"""Taking back an operation as a whole: who asks for it, e.g. the page of an import, need not know who can do it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from cdp_site.core.errors import InternalError, Text
from cdp_site.core.models import User


@dataclass(frozen=True, slots=True)
class Line:
    """One line of what would be done, or was: "Records that vanish", 120. `is_warning` marks what needs attention."""

    text: Text
    number: int
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What taking back would do. `protected`: how many people stay who refused by it; lifting that opens a permission,
    so that it is asked for."""

    lines: tuple[Line, ...]
    protected: int = 0
    refusal: Text = ""  # why it cannot be taken back; empty when it can


@dataclass(frozen=True, slots=True)
class State:
    """How far a revert is. `total` and `done` are in things looked at."""

    status: str  # ready, running, done, failed
    status_text: Text
    total: int
    done: int
    at: datetime
    finished_at: datetime | None = None
    lines: tuple[Line, ...] = field(default=())

    @property
    def is_under_way(self) -> bool:
        return self.status in ("ready", "running")


class Reverter(Protocol):
    def foresee(self, operation_id: UUID) -> Foreseen: ...

    def start(self, operation_id: UUID, *, lifts_denials: bool, by: User | str) -> None: ...

    def states(self, operation_ids: Iterable[UUID]) -> Mapping[UUID, State]: ...


_reverters: list[Reverter] = []


def register(reverter: Reverter) -> None:
    if _reverters:
        raise InternalError("a reverter is registered twice")
    _reverters.append(reverter)


def reverter() -> Reverter:
    if not _reverters:
        raise InternalError("nobody can take operations back")
    return _reverters[0]
