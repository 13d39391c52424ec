"""Visits: what somebody did on a web page or in an app in one go. Pure over rows of a timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from ingestion.models import Source
from profiles.channels import TouchChannel, channel_of
from profiles.event_text import EventText
from profiles.models import Touchpoint

#: A longer silence ends a visit (the usual thirty minutes of web analytics).
PAUSE = timedelta(minutes=30)
HIGHLIGHTS = 6
_CHANNELS = frozenset({TouchChannel.WEB, TouchChannel.APP})
_LOOKS = frozenset({"Page Viewed", "Screen Viewed"})


@dataclass(frozen=True, slots=True)
class Act:
    """One touchpoint of a visit with what it says."""

    touchpoint: Touchpoint
    text: EventText


@dataclass(frozen=True, slots=True)
class Highlight:
    """Acts of one kind about one thing that follow each other."""

    act: Act
    times: int


@dataclass(frozen=True, slots=True)
class Visit:
    """`acts` in the order of time."""

    acts: Sequence[Act]

    @property
    def source(self) -> Source:
        return self.acts[0].touchpoint.source

    @property
    def started_at(self) -> datetime:
        return self.acts[0].touchpoint.occurred_at

    @property
    def ended_at(self) -> datetime:
        return self.acts[-1].touchpoint.occurred_at

    @property
    def minutes(self) -> int:
        return round((self.ended_at - self.started_at).total_seconds() / 60)

    @property
    def is_in_app(self) -> bool:
        return self.source.kind == Source.Kind.APP

    @property
    def looks(self) -> int:
        """Pages and screens."""
        return sum(act.touchpoint.type.name in _LOOKS for act in self.acts)

    @property
    def highlights(self) -> list[Highlight]:
        """What is worth telling: all but plain pages, the first few."""
        telling = [act for act in self.acts if act.touchpoint.type.name not in _LOOKS]
        grouped = groupby(telling or self.acts, key=lambda act: (act.touchpoint.type_id, act.text.subject))
        runs = [list(run) for _what, run in grouped]
        return [Highlight(run[0], len(run)) for run in runs[:HIGHLIGHTS]]

    @property
    def is_told_in_full(self) -> bool:
        return sum(one.times for one in self.highlights) == len(self.acts)


def is_of_visit(touchpoint: Touchpoint) -> bool:
    """Whether it is part of what somebody does on a page or in an app; an order stands for itself."""
    if touchpoint.order_id is not None:
        return False
    return channel_of(touchpoint.type.name, touchpoint.source.kind) in _CHANNELS


def find(touchpoints: Sequence[Touchpoint]) -> list[list[Touchpoint]]:
    """The visits among touchpoints, newest first as these are, each its touchpoints in that order."""
    found: list[list[Touchpoint]] = []
    running: dict[int, list[Touchpoint]] = {}
    for touchpoint in filter(is_of_visit, touchpoints):
        visit = running.get(touchpoint.source_id)
        if visit is None or visit[-1].occurred_at - touchpoint.occurred_at > PAUSE:
            visit = running[touchpoint.source_id] = []
            found.append(visit)
        visit.append(touchpoint)
    return found


def whole(touchpoints: Sequence[Touchpoint], size: int) -> Sequence[Touchpoint]:
    """The first `size` touchpoints, and fewer when these would cut a visit that begins in their second half: it then
    stands on the next page in one piece. A longer visit is cut."""
    shown = touchpoints[:size]
    if len(touchpoints) <= size:
        return shown
    place: Mapping[object, int] = {row.pk: number for number, row in enumerate(touchpoints)}
    for visit in find(touchpoints):
        begins, ends = place[visit[0].pk], place[visit[-1].pk]
        if size // 2 <= begins < size <= ends:
            return shown[:begins]
    return shown
