"""What a webhook's report says, in our own terms. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

Json = Mapping[str, Any]

# How a part of a report that cannot be used goes through the landing into quarantine (`messages.parse`).
PROBLEM: Final = "problem"


class RequestKind(StrEnum):
    """What is asked for under the law."""

    ACCESS = "access"
    ERASURE = "erasure"
    ERASURE_OF_SOURCE = "erasure_of_source"  # of all whom the source ever reported


@dataclass(frozen=True, slots=True)
class SubjectRequest:
    """A request of a data subject that a system passes on.

    Args:
        external_id: the same whenever the request is reported again.
        record_id: the person's id in that system; empty when it names nobody.
        evidence: ids and codes of how it was reported, nothing personal.
    """

    kind: RequestKind
    external_id: str
    record_id: str
    received_at: datetime
    evidence: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """A report, understood. `ignored`: events in it that say nothing of a customer."""

    messages: tuple[dict[str, Any], ...] = ()
    ignored: int = 0
    request: SubjectRequest | None = None


class Unreadable(ValueError):
    """A report that cannot be translated: `place` is a path in it, `expected` what should be there, in English."""

    def __init__(self, place: str, expected: str) -> None:
        super().__init__(f"{place}: {expected}")
        self.place = place
        self.expected = expected


def held_back(body: Any, problem: Unreadable, message_id: str) -> dict[str, Any]:
    """A message that the digest quarantines with this reason, with the report as its payload."""
    return {"type": "track", "messageId": message_id, "received": body, "cdp": {PROBLEM: str(problem)}}


def as_dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """A JSON text or number as text; empty for everything else."""
    return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def present(values: Json) -> dict[str, Any]:
    """Without what says nothing."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
