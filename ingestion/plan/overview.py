"""The tracking plan as a person sees it: events with their counts, one event with its properties, two versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from cdp_site.core.errors import NotFoundProblem, Text
from cdp_site.core.models import User
from ingestion.models import PlanObservation, PlanSchema, PlanViolation
from ingestion.plan import names, samples
from ingestion.querysets_plan import PlanObservationQuerySet, PlanViolationQuerySet

DAYS: Final = 30  # that counts go over
TYPES: Final = dict(PlanObservation.JsonType.choices)


@dataclass(frozen=True, slots=True)
class EventLine:
    """An event in the list. `version` of its pinned schema, None when it is not pinned; `violations` of 24 hours."""

    event: str
    label: Text
    total: int
    n_sources: int
    last_at: datetime | None
    version: int | None
    violations: int
    is_named: bool


def observed(*, by: User) -> PlanObservationQuerySet:
    """What the user may see of the last DAYS: of sources and event types of the department."""
    since = timezone.localdate() - timedelta(days=DAYS - 1)
    found = PlanObservation.objects.visible_to(by).without_events(samples.touchpoints().hidden(by))
    return found.since(since)


def violations(*, by: User) -> PlanViolationQuerySet:
    return PlanViolation.objects.visible_to(by).without_events(samples.touchpoints().hidden(by))


_NEVER: Final[dict[str, Any]] = {"total": 0, "sources": 0, "last": None}


def events(*, by: User) -> list[EventLine]:
    """Events that came within DAYS, and pinned ones that are refused altogether. Six queries at most."""
    rows = {row["event"]: row for row in observed(by=by).by_event()}
    broken = {
        row["event"]: row["total"] for row in violations(by=by).since(timezone.now() - timedelta(days=1)).by_event()
    }
    hidden = samples.touchpoints().hidden(by)
    pinned = dict(PlanSchema.objects.pinned().values_list("event", "version"))
    rows |= {event: _NEVER for event in pinned if event not in rows and event not in hidden}
    labels = samples.touchpoints().labels(list(rows))
    return [
        EventLine(
            event=event,
            label=labels.get(event, event),
            total=rows[event]["total"],
            n_sources=rows[event]["sources"],
            last_at=rows[event]["last"],
            version=pinned.get(event),
            violations=broken.get(event, 0),
            is_named=event != names.OTHER,
        )
        for event in sorted(rows, key=lambda event: (-rows[event]["total"], event))
    ]


@dataclass(frozen=True, slots=True)
class TypeShare:
    name: Text
    n: int


@dataclass(frozen=True, slots=True)
class PropertyLine:
    """A property: its JSON types with their counts, in how many of a hundred messages it was, from which sources, when
    last, and some values that the reader may see."""

    name: str
    types: tuple[TypeShare, ...]
    share: int
    sources: tuple[str, ...]
    last_at: datetime
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventPage:
    event: str
    label: Text
    total: int
    sampled: int
    sources: tuple[Mapping[str, Any], ...]
    properties: tuple[PropertyLine, ...]
    sees_values: bool


def event_page(event: str, *, by: User) -> EventPage:
    """One event. Raises NotFoundProblem for one that never came, or that the user's department does not see."""
    found = observed(by=by).of_event(event)
    sources = tuple(found.by_source())
    is_pinned = PlanSchema.objects.of_event(event).pinned().exists()
    if not (sources or (is_pinned and event not in samples.touchpoints().hidden(by))) or event == names.OTHER:
        raise NotFoundProblem("No such event.")
    sampled = sum(row["sampled"] for row in sources)
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for row in found.by_property():
        by_name.setdefault(row["property"], []).append(row)
    values = samples.values(event, by=by)
    return EventPage(
        event=event,
        label=samples.touchpoints().labels([event]).get(event, event),
        total=sum(row["total"] for row in sources),
        sampled=sampled,
        sources=sources,
        properties=tuple(_property(name, rows, sampled, values.get(name, ())) for name, rows in by_name.items()),
        sees_values=samples.sees_values(by),
    )


def _property(name: str, rows: list[Mapping[str, Any]], sampled: int, values: tuple[str, ...]) -> PropertyLine:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["json_type"]] = counts.get(row["json_type"], 0) + row["total"]
    ranked = sorted(counts.items(), key=lambda pair: -pair[1])
    return PropertyLine(
        name=name,
        types=tuple(TypeShare(TYPES[kind], n) for kind, n in ranked),
        share=min(100, round(100 * sum(counts.values()) / sampled)) if sampled else 0,
        sources=tuple(sorted({row["source__name"] for row in rows})),
        last_at=max(row["last"] for row in rows),
        values=values,
    )
