"""What upper apps add to the copy: who received what, and what was worked out about the person."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cdp_site.core.errors import Text
from cdp_site.core.personal_data import Subject


@dataclass(frozen=True, slots=True)
class Handover:
    """Values of the person left the platform. `what`: names of traits; the recipient in the current language."""

    at: datetime
    recipient: str
    purpose: str
    what: frozenset[str]


@dataclass(frozen=True, slots=True)
class Column:
    key: str
    title: Text


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the copy. `is_given`: the person gave it or it was observed, so that it is portable; what was worked
    out is not (WP 242 on GDPR Art. 20)."""

    key: str
    title: Text
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]
    is_given: bool = True


Handovers = Callable[[Subject], Iterable[Handover]]
Sections = Callable[[Subject], Iterable[Section]]

_handovers: list[Handovers] = []
_sections: list[Sections] = []


def register(*, handovers: Handovers | None = None, sections: Sections | None = None) -> None:
    """Both answer in the current language."""
    if handovers is not None:
        _handovers.append(handovers)
    if sections is not None:
        _sections.append(sections)


def handovers_of(subject: Subject) -> list[Handover]:
    """The latest first."""
    found = [one for read in _handovers for one in read(subject)]
    return sorted(found, key=lambda one: one.at, reverse=True)


def sections_of(subject: Subject) -> list[Section]:
    return [section for read in _sections for section in read(subject)]
