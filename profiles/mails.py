"""The way of a mail: delivered, opened, clicked, told as one.

Segment's e-mail spec sends a message for each step. Those that name the same mail of the same source are steps of one
journey, which stands on the timeline where its latest step is: what an agent wants to know is that she clicked today.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from profiles.event_text import SUBJECTS, icon_of
from profiles.models import EventType, Touchpoint

PREFIX = "Email"
# What names a mail, the most exact first.
_NAMES = ("email_id", "message_id", "mail_id", "campaign_id", "campaign", "campaign_name", "email_subject", "subject")
_SUBJECTS = ("email_subject", *SUBJECTS)
_OPENED, _CLICKED = ("Email Opened",), ("Email Link Clicked", "Email Clicked")
_FAILED = ("Email Bounced", "Email Marked as Spam", "Email Failed")
# A mail that is opened again later than this begins a journey of its own.
_LASTS = timedelta(days=60)


class MailKey(NamedTuple):
    """What makes steps one mail."""

    source_id: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Step:
    """A kind of step with when it was taken first and how often."""

    label: str
    icon: str
    at: datetime
    times: int
    link: str

    @property
    def day(self) -> date:
        return timezone.localdate(self.at)


@dataclass(frozen=True, slots=True)
class Journey:
    subject: str
    steps: Sequence[Step]
    state: str  # "clicked", "opened", "failed" or "" while nothing came back
    latest: UUID  # the touchpoint at which it stands


def key_of(event: str, source_id: int, properties: Mapping[str, Any]) -> MailKey | None:
    """Which mail a touchpoint is about; None for what is no mail, or names none."""
    if not event.startswith(PREFIX):
        return None
    for name in _NAMES:
        value = properties.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return MailKey(source_id, name, str(value))
    return None


def load(touchpoints: Iterable[Touchpoint], among: Any) -> dict[MailKey, Journey]:
    """The whole journeys of the mails that these touchpoints are steps of, among the rows that the viewer may see. One
    query, none without mails."""
    values: dict[str, list[Any]] = defaultdict(list)
    times: list[datetime] = []
    for touchpoint in touchpoints:
        key = key_of(touchpoint.type.name, touchpoint.source_id, touchpoint.properties)
        if key is not None:
            values[key.name].append(touchpoint.properties[key.name])
            times.append(touchpoint.occurred_at)
    if not times:
        return {}
    named = Q()
    for name, wanted in values.items():
        named |= Q(**{f"properties__{name}__in": wanted})
    lasting = among.filter(occurred_at__gte=min(times) - _LASTS, occurred_at__lte=max(times) + _LASTS)
    steps: dict[MailKey, list[Touchpoint]] = defaultdict(list)
    mails = lasting.filter(named, type__name__startswith=PREFIX).select_related("type")
    for row in mails.order_by("occurred_at", "id"):
        key = key_of(row.type.name, row.source_id, row.properties)
        if key is not None:
            steps[key].append(row)
    return {key: _journey(taken) for key, taken in steps.items()}


def _journey(taken: Sequence[Touchpoint]) -> Journey:
    kinds: dict[EventType, list[Touchpoint]] = {}
    for step in taken:
        kinds.setdefault(step.type, []).append(step)
    names = {kind.name for kind in kinds}
    return Journey(
        subject=next((text for step in taken if (text := _subject(step.properties))), ""),
        steps=[
            Step(str(kind), icon_of(kind.name), of_kind[0].occurred_at, len(of_kind), _link(of_kind[-1].properties))
            for kind, of_kind in kinds.items()
        ],
        state=_state(names),
        latest=taken[-1].pk,
    )


def _state(names: set[str]) -> str:
    for state, kinds in (("clicked", _CLICKED), ("opened", _OPENED), ("failed", _FAILED)):
        if names.intersection(kinds):
            return state
    return ""


def _subject(properties: Mapping[str, Any]) -> str:
    return next((str(properties[name]) for name in _SUBJECTS if isinstance(properties.get(name), str)), "")


def _link(properties: Mapping[str, Any]) -> str:
    """What was clicked, without what a tracker appended."""
    link = properties.get("link_url") or properties.get("link")
    return link.partition("?")[0][:120] if isinstance(link, str) else ""
