"""A customer's timeline as one viewer may see it: a page by key, and the counts of its filters.

Two queries for a page (six with orders), one for the counts; a page costs the same at any depth, because it
follows the index `touchpoint_timeline` from a key and never skips rows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core.access import Scope
from cdp_site.core.errors import MendableError
from profiles import order_cards
from profiles.event_text import EventText, describe
from profiles.models import EventType, KindOfData, Profile, Touchpoint
from profiles.order_cards import Card
from profiles.orders import BIRTH_EVENTS

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Filters:
    """What the reader wants to see; None or "" is everything."""

    kind: str = ""
    type_id: int | None = None
    source_id: int | None = None

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Filters":
        """From a query string; what is not understood filters nothing."""
        kind = query.get("kind", "")
        return cls(
            kind=kind if kind in KindOfData.values else "",
            type_id=_number(query.get("type")),
            source_id=_number(query.get("source")),
        )

    @property
    def is_empty(self) -> bool:
        return self == Filters()


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
class Item:
    """One line: a touchpoint; `card` is set on the line that bears an order's card; `opens_day` on a day's first."""

    touchpoint: Touchpoint
    text: EventText
    day: date
    opens_day: bool
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class Page:
    items: Sequence[Item]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter that can be chosen, with how many touchpoints it would leave."""

    value: str
    label: str
    count: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Choices:
    total: int
    kinds: Sequence[Choice]
    types: Sequence[Choice]
    sources: Sequence[Choice]


def page(profile: Profile, *, scope: Scope, filters: Filters, after: Cursor | None, size: int = PAGE_SIZE) -> Page:
    """The newest touchpoints behind `after`, newest first. Two queries, four more when orders are among them."""
    rows = Touchpoint.objects.filter(profile=profile).within(scope)
    if filters.kind:
        rows = rows.filter(type__kind_of_data=filters.kind)
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
    found = list(rows.select_related("type", "source").order_by("-occurred_at", "-id")[: size + 1])
    shown = found[:size]
    last = shown[-1] if len(found) > size else None
    return Page(
        items=_items(shown, after),
        next=Cursor(last.occurred_at, last.pk) if last is not None else None,
    )


def _items(touchpoints: Sequence[Touchpoint], after: Cursor | None) -> list[Item]:
    births = [row.order_id for row in touchpoints if row.order_id and row.type.name in BIRTH_EVENTS]
    cards = order_cards.load(births)
    day = timezone.localdate(after.occurred_at) if after else None
    items = []
    for touchpoint in touchpoints:
        previous, day = day, timezone.localdate(touchpoint.occurred_at)
        card = cards.pop(touchpoint.order_id or 0, None) if touchpoint.type.name in BIRTH_EVENTS else None
        text = describe(touchpoint.type.name, touchpoint.properties)
        items.append(Item(touchpoint, text, day, opens_day=day != previous, card=card))
    return items


def choices(profile: Profile, *, scope: Scope, filters: Filters) -> Choices:
    """Kinds, types and sources that this customer's touchpoints have, with counts. One query.

    Each list counts under the other two filters, so that a number is what a click would show.
    """
    groups = list(
        Touchpoint.objects.filter(profile=profile)
        .within(scope)
        .values("type_id", "type__name", "type__name_th", "type__kind_of_data", "source_id", "source__name")
        .annotate(n=Count("*"))
    )
    kinds: Counter[str] = Counter()
    types: Counter[int] = Counter()
    sources: Counter[int] = Counter()
    labels: dict[int, str] = {}
    source_labels: dict[int, str] = {}
    for group in groups:
        of_kind = filters.kind in ("", group["type__kind_of_data"])
        of_type = filters.type_id in (None, group["type_id"])
        of_source = filters.source_id in (None, group["source_id"])
        labels[group["type_id"]] = str(EventType(name=group["type__name"], name_th=group["type__name_th"]))
        source_labels[group["source_id"]] = group["source__name"]
        kinds[group["type__kind_of_data"]] += group["n"] if of_type and of_source else 0
        types[group["type_id"]] += group["n"] if of_kind and of_source else 0
        sources[group["source_id"]] += group["n"] if of_kind and of_type else 0
    return Choices(
        total=sum(group["n"] for group in groups),
        kinds=[
            Choice(value, str(label), kinds[value], value == filters.kind)
            for value, label in KindOfData.choices
            if kinds[value] or value == filters.kind
        ],
        types=_ranked(types, labels, filters.type_id),
        sources=_ranked(sources, source_labels, filters.source_id),
    )


def _ranked(counts: Counter[int], labels: Mapping[int, str], chosen: int | None) -> list[Choice]:
    """Most frequent first; those that the other filters leave empty are left out."""
    return [
        Choice(str(key), labels[key], count, key == chosen)
        for key, count in sorted(counts.items(), key=lambda pair: (-pair[1], labels[pair[0]]))
        if count or key == chosen
    ]
