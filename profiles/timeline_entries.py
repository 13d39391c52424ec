"""What stands on a timeline: touchpoints told as visits, mails and orders, and the notes between them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.utils import timezone

from cdp_site.core.timeline_links import TimelineLink
from profiles import mails, masking, order_cards, visits
from profiles.channels import ICONS, TouchChannel, channel_of
from profiles.event_text import EventText, describe
from profiles.mails import Journey, MailKey
from profiles.models import Note, Touchpoint
from profiles.order_cards import Card
from profiles.orders import BIRTH_EVENTS
from profiles.visits import Act, Visit

_TALK = frozenset({TouchChannel.PHONE, TouchChannel.CHAT, TouchChannel.NOTE})
Read = Callable[[Touchpoint], EventText]
Part = tuple[datetime, dict[str, Any]]
Links = Callable[[Touchpoint], Sequence[TimelineLink]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. Of `card`, `visit`, `mail` and `note` at most one is set; without any it is the touchpoint alone."""

    at: datetime
    day: date
    opens_day: bool
    touchpoint: Touchpoint | None = None
    text: EventText | None = None
    card: Card | None = None
    visit: Visit | None = None
    mail: Journey | None = None
    note: Note | None = None
    links: Sequence[TimelineLink] = ()
    quote: str = ""  # what the note says, as the viewer may read it

    @property
    def channel(self) -> TouchChannel:
        if self.touchpoint is None:
            return TouchChannel.NOTE
        return channel_of(self.touchpoint.type.name, self.touchpoint.source.kind)

    @property
    def icon(self) -> str:
        if self.visit is not None or self.text is None:
            return ICONS[self.channel]
        return self.text.icon

    @property
    def is_talk(self) -> bool:
        """Whether people spoke or wrote to each other: what a caller will refer to."""
        return self.channel in _TALK


def told(
    touchpoints: Sequence[Touchpoint],
    *,
    notes: Sequence[Note],
    among: Any,
    follows: datetime | None,
    tells_apart: bool,
    shows_identifiers: bool,
    links: Links,
    until: datetime | None = None,
) -> list[Entry]:
    """Entries, the newest first. Up to five queries: one for mails, four for orders.

    Args:
        among: all touchpoints that the viewer may see, for the steps of mails that are not on this page.
        follows: when the page before ended; None on the first.
        tells_apart: one type was asked for, each touchpoint stands for itself.
        shows_identifiers: whether addresses and numbers in what people wrote are readable.
        links: what can be asked about a touchpoint.
        until: nothing that happened later is told.
    """
    parts: list[Part] = [
        (note.at, {"note": note, "quote": masking.readable(note.text, shows=shows_identifiers)}) for note in notes
    ]
    read = partial(_read, shows=shows_identifiers)
    if tells_apart:
        parts += [(row.occurred_at, {"touchpoint": row, "text": read(row)}) for row in touchpoints]
    else:
        journeys = _readable(mails.load(touchpoints, among), shows=shows_identifiers)
        parts += _told_together(touchpoints, journeys, until, read)
    day = timezone.localdate(follows) if follows else None
    entries = []
    for at, part in sorted(parts, key=lambda pair: pair[0], reverse=True):
        previous, day = day, timezone.localdate(at)
        asked = links(part["touchpoint"]) if "text" in part else ()
        entries.append(Entry(at, day, opens_day=day != previous, links=asked, **part))
    return entries


def _read(touchpoint: Touchpoint, *, shows: bool) -> EventText:
    text = describe(touchpoint.type.name, touchpoint.properties)
    if shows:
        return text
    return replace(
        text,
        subject=masking.concealed(text.subject),
        facts=tuple(masking.concealed(fact) for fact in text.facts),
        quote=masking.concealed(text.quote),
    )


def _readable(journeys: Mapping[MailKey, Journey], *, shows: bool) -> dict[MailKey, Journey]:
    return {
        key: replace(
            journey,
            subject=masking.readable(journey.subject, shows=shows),
            steps=[replace(step, link=masking.readable(step.link, shows=shows)) for step in journey.steps],
        )
        for key, journey in journeys.items()
    }


def _told_together(
    touchpoints: Sequence[Touchpoint], journeys: Mapping[MailKey, Journey], until: datetime | None, read: Read
) -> list[Part]:
    births = [row.order_id for row in touchpoints if row.order_id and row.type.name in BIRTH_EVENTS]
    cards = order_cards.load(births, until=until)
    found, in_visits = _visits(touchpoints, read)
    parts: list[Part] = []
    for row in touchpoints:
        if row.pk in found:
            parts.append((row.occurred_at, {"touchpoint": row, "visit": found[row.pk]}))
        elif row.pk not in in_visits:
            told = {"touchpoint": row, "text": read(row)}
            journey = _journey(row, journeys)
            if journey is None:
                card = cards.pop(row.order_id or 0, None) if row.type.name in BIRTH_EVENTS else None
                parts.append((row.occurred_at, told | {"card": card}))
            elif journey.latest == row.pk:
                parts.append((row.occurred_at, told | {"mail": journey}))
    return parts


def _journey(row: Touchpoint, journeys: Mapping[MailKey, Journey]) -> Journey | None:
    key = mails.key_of(row.type.name, row.source_id, row.properties)
    return journeys.get(key) if key is not None else None


def _visits(touchpoints: Sequence[Touchpoint], read: Read) -> tuple[dict[UUID, Visit], set[UUID]]:
    """Visits by their latest touchpoint, and all touchpoints that are told in one."""
    found: dict[UUID, Visit] = {}
    members: set[UUID] = set()
    for rows in visits.find(touchpoints):
        if len(rows) > 1:
            found[rows[0].pk] = Visit([Act(row, read(row)) for row in reversed(rows)])
            members.update(row.pk for row in rows)
    return found, members
