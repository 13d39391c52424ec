"""A customer's timeline as one viewer may see it: a page by key, and the counts of its filters.

A page costs the same at any depth, because it follows the index `touchpoint_timeline` from a key and never skips rows.
Two queries, one for mails and four for orders when they are among the rows; one for the counts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core.access import Scope
from cdp_site.core.errors import MendableError
from ingestion.models import Source
from profiles import channels, masking, order_cards, timeline_entries, visits
from profiles.channels import TouchChannel, channel_of
from profiles.models import EventType, KindOfData, Note, Profile, Touchpoint
from profiles.orders import BIRTH_EVENTS
from profiles.past import Past
from profiles.timeline_entries import Entry, Links

PAGE_SIZE = 50
_OF_TYPE = ("type_id", "type__name", "type__name_th", "type__kind_of_data")
_OF_SOURCE = ("source_id", "source__name", "source__kind")


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader wants to see; None or "" is everything."""

    kind: str = ""
    channel: str = ""
    type_id: int | None = None
    source_id: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        """From a query string; what is not understood filters nothing."""
        kind, channel = query.get("kind", ""), query.get("channel", "")
        return cls(
            kind=kind if kind in KindOfData.values else "",
            channel=channel if channel in TouchChannel.values else "",
            type_id=_number(query.get("type")),
            source_id=_number(query.get("source")),
        )

    @property
    def is_empty(self) -> bool:
        return self == Filters()

    @property
    def shows_notes(self) -> bool:
        """Notes are of no type and of no source."""
        fits = self.kind in ("", KindOfData.QUALITATIVE) and self.channel in ("", TouchChannel.NOTE)
        return fits and self.type_id is None and self.source_id is None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last touchpoint that was shown; the next page begins behind it."""

    occurred_at: datetime
    id: UUID

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """From the address; None for none. Raises MendableError for one that we did not make."""
        if not text:
            return None
        at, _tilde, key = text.partition("~")
        try:
            moment = datetime.fromisoformat(at)
            return cls(moment if timezone.is_aware(moment) else timezone.make_aware(moment), UUID(key))
        except ValueError as error:
            raise MendableError(
                _("This link to older touchpoints is broken."), hint=_("Open the customer again.")
            ) from error

    def __str__(self) -> str:
        return f"{self.occurred_at.isoformat()}~{self.id}"


@dataclass(frozen=True, slots=True)
class Page:
    entries: Sequence[Entry]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter that can be chosen, with how many touchpoints it would leave."""

    value: str
    label: str
    count: int
    is_chosen: bool
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    total: int
    channels: Sequence[Choice]
    kinds: Sequence[Choice]
    types: Sequence[Choice]
    sources: Sequence[Choice]


def page(
    profile: Profile,
    *,
    scope: Scope,
    filters: Filters,
    after: Cursor | None,
    size: int = PAGE_SIZE,
    notes: Sequence[Note] = (),
    past: Past | None = None,
    shows_identifiers: bool = False,
    links: Links = lambda _touchpoint: (),
) -> Page:
    """The newest touchpoints and notes behind `after`, newest first, told as visits, mails and orders.

    Args:
        notes: those that the viewer may read.
        past: as the page was then.
        shows_identifiers: whether addresses and numbers in what people wrote are readable.
        links: what can be asked about a touchpoint.
    """
    everything = _everything(profile, scope, past)
    found = list(
        _filtered(everything, scope, filters, after)
        .select_related("type", "source")
        .order_by("-occurred_at", "-id")[: size + 1]
    )
    for touchpoint in found:
        touchpoint.properties = masking.without_hidden(touchpoint.properties, scope)
    shown = visits.whole(found, size)
    last = shown[-1] if len(shown) < len(found) else None
    return Page(
        entries=timeline_entries.told(
            shown,
            notes=_between(notes, filters, after, last),
            among=everything,
            follows=after.occurred_at if after else None,
            tells_apart=filters.type_id is not None,
            shows_identifiers=shows_identifiers,
            links=links,
            until=past.at if past else None,
        ),
        next=Cursor(last.occurred_at, last.pk) if last is not None else None,
    )


def _everything(profile: Profile, scope: Scope, past: Past | None) -> "QuerySet[Touchpoint]":
    if past is not None:
        return past.touchpoints(scope)
    rows: QuerySet[Touchpoint] = Touchpoint.objects.filter(profile=profile).within(scope)
    return rows


def _filtered(
    rows: "QuerySet[Touchpoint]", scope: Scope, filters: Filters, after: Cursor | None
) -> "QuerySet[Touchpoint]":
    if filters.kind:
        rows = rows.filter(type__kind_of_data=filters.kind)
    if filters.channel:
        rows = rows.filter(channels.condition(filters.channel))
    if filters.type_id is not None:
        rows = rows.filter(type_id=filters.type_id)
    elif filters.kind in ("", KindOfData.BEHAVIOURAL) and order_cards.are_shown_to(scope):
        # What happened to an order later stands on its card, where the order came to be.
        rows = rows.exclude(Q(order__is_born=True) & ~Q(type__name__in=BIRTH_EVENTS))
    if filters.source_id is not None:
        rows = rows.filter(source_id=filters.source_id)
    if after is not None:
        # Said in this way the index is entered at the key; OR would make it read from the newest on.
        rows = rows.filter(Q(occurred_at__lte=after.occurred_at) & ~Q(occurred_at=after.occurred_at, id__gte=after.id))
    return rows


def _between(notes: Sequence[Note], filters: Filters, after: Cursor | None, last: Touchpoint | None) -> list[Note]:
    """The notes that belong on a page: not those of the page before, nor those of the next one."""
    if not filters.shows_notes:
        return []
    return [
        note
        for note in notes
        if (after is None or note.at < after.occurred_at) and (last is None or note.at >= last.occurred_at)
    ]


@dataclass(frozen=True, slots=True)
class _Group:
    """Touchpoints that no filter tells apart; notes are one without type and source."""

    kind: str
    channel: str
    type_id: int | None
    source_id: int | None
    size: int

    def value(self, name: str) -> str:
        return str({"kind": self.kind, "channel": self.channel, "type": self.type_id, "source": self.source_id}[name])

    def fits(self, filters: Filters, *, but: str) -> bool:
        """Whether the filters leave it, apart from the one named."""
        wanted = {
            "kind": filters.kind in ("", self.kind),
            "channel": filters.channel in ("", self.channel),
            "type": filters.type_id in (None, self.type_id),
            "source": filters.source_id in (None, self.source_id),
        }
        return all(fits for name, fits in wanted.items() if name != but)


def choices(
    profile: Profile, *, scope: Scope, filters: Filters, notes: Sequence[Note] = (), past: Past | None = None
) -> Choices:
    """Channels, kinds, types and sources that this customer's touchpoints have, with counts. One query.

    Each list counts under the other filters, so that a number is what a click would show.
    """
    types: dict[str, str] = {}
    sources: dict[str, str] = {}
    groups: list[_Group] = []
    for row in _everything(profile, scope, past).values(*_OF_TYPE, *_OF_SOURCE).annotate(n=Count("*")):
        types[str(row["type_id"])] = str(EventType(name=row["type__name"], name_th=row["type__name_th"]))
        sources[str(row["source_id"])] = str(Source(name=row["source__name"], kind=row["source__kind"]))
        channel = channel_of(row["type__name"], row["source__kind"])
        groups.append(_Group(row["type__kind_of_data"], channel, row["type_id"], row["source_id"], row["n"]))
    groups.append(_Group(KindOfData.QUALITATIVE, TouchChannel.NOTE, None, None, len(notes)))

    def counted(name: str) -> Counter[str]:
        counts: Counter[str] = Counter()
        for group in groups:
            counts[group.value(name)] += group.size if group.fits(filters, but=name) else 0
        return counts

    return Choices(
        total=sum(group.size for group in groups),
        channels=_in_order(TouchChannel.choices, counted("channel"), filters.channel, icons=channels.ICONS),
        kinds=_in_order(KindOfData.choices, counted("kind"), filters.kind),
        types=_ranked(types, counted("type"), filters.type_id),
        sources=_ranked(sources, counted("source"), filters.source_id),
    )


def _in_order(
    labels: Sequence[tuple[Any, Any]], counts: Counter[str], chosen: str, *, icons: Mapping[str, str] | None = None
) -> list[Choice]:
    """As they are listed; what the other filters leave empty is left out."""
    return [
        Choice(value, str(label), counts[value], value == chosen, icon=(icons or {}).get(value, ""))
        for value, label in labels
        if counts[value] or value == chosen
    ]


def _ranked(labels: Mapping[str, str], counts: Counter[str], chosen: int | None) -> list[Choice]:
    """Most frequent first; what the other filters leave empty is left out."""
    return [
        Choice(key, label, counts[key], key == str(chosen))
        for key, label in sorted(labels.items(), key=lambda pair: (-counts[pair[0]], pair[1]))
        if counts[key] or key == str(chosen)
    ]
