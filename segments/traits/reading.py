"""Computed traits as viewers have them: which there are, what definitions call them, and one customer's values.

A viewer has a trait when they see its group, and every event, source and property that it rests on. Its value is that
of what they see: the stored one where they see every source, otherwise computed from the sources that they see.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any as Json
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from psycopg import sql

from cdp_site.core.access import EVERYTHING, Scope
from ingestion.models import Source
from ingestion.normalise.sensitive_names import is_sensitive_name
from profiles import masking
from profiles.channels import TouchChannel, channel_of
from profiles.models import EventType, Profile, Trait
from segments import spellings
from segments.definition import nodes
from segments.definition.evaluate import Moment, Person
from segments.definition.fields import Field, FieldType
from segments.definition.problems import DefinitionProblem
from segments.definition.viewer import Viewer
from segments.definition.words import Names
from segments.models import ComputedTrait
from segments.traits import reference
from segments.traits.formula import Formula, Pick, field_name, slug_of
from segments.traits.reader import parse
from segments.traits.statement import Column, Ground, stored

SQL = sql.SQL


@dataclass(frozen=True)
class Known:
    """A computed trait with its formula."""

    trait: ComputedTrait
    formula: Formula

    @property
    def channels(self) -> Sequence[str]:
        """The channels that it has a value of; one without a name where it has one value."""
        return TouchChannel.values if self.formula.per_channel else [""]

    @property
    def names(self) -> list[str]:
        """What definitions call it, by channel."""
        return [field_name(self.trait.slug, self.formula, channel) for channel in self.channels]

    def label(self, channel: str) -> str:
        return f"{self.trait} ({TouchChannel(channel).label})" if channel else str(self.trait)


def read(trait: ComputedTrait) -> Known | None:
    """The trait with its formula; None for one that this program does not read."""
    try:
        return Known(trait, parse(trait.definition))
    except DefinitionProblem:
        return None


# ── what a viewer has ────────────────────────────────────────────────────────────────────────────────────────────────

_TYPES: Mapping[str, FieldType] = {
    Trait.DataType.TEXT: FieldType.TEXT,
    Trait.DataType.NUMBER: FieldType.NUMBER,
    Trait.DataType.DATE: FieldType.DATE,
    Trait.DataType.BOOLEAN: FieldType.BOOLEAN,
    Trait.DataType.LIST: FieldType.TEXT,
}


class Seen:
    """Some computed traits as a scope has them. What they rest on is looked up when it is needed, once: two queries."""

    def __init__(self, traits: Iterable[ComputedTrait], scope: Scope) -> None:
        self.scope = scope
        self._all = [known for trait in traits if (known := read(trait))]

    @cached_property
    def known(self) -> list[Known]:
        return [known for known in self._all if self._shows(known.formula)]

    def _shows(self, formula: Formula) -> bool:
        if any(masking.hides_name(name, self.scope) for name in formula.properties):
            return False
        if self.scope.event_type_ids is not None and not formula.events <= self.event_types.keys():
            return False
        return self.scope.source_ids is None or formula.sources <= self.source_ids.keys()

    @cached_property
    def _types(self) -> list[EventType]:
        events = {event for known in self._all for event in known.formula.events}
        rows = EventType.objects.filter(name__in=events) if events else ()
        return [one for one in rows if self.scope.sees_event_type(one.pk)]

    @cached_property
    def event_types(self) -> dict[str, int]:
        return {one.name: one.pk for one in self._types}

    @cached_property
    def _visible_sources(self) -> list[Source]:
        return [one for one in Source.objects.all() if self.scope.sees_source(one.pk)]

    @cached_property
    def source_ids(self) -> dict[str, int]:
        return {one.slug: one.pk for one in self._visible_sources}

    @cached_property
    def _kinds(self) -> dict[int, str]:
        return {one.pk: one.kind for one in self._visible_sources}

    @cached_property
    def _asked(self) -> dict[int, Formula]:
        """Trait id → its formula with every spelling of the words that it names. One query for all of them."""
        definitions = [nodes.Definition(nodes.Any(known.formula.picks)) for known in self.known]
        return {
            known.trait.pk: replace(known.formula, picks=_picks_of(asked))
            for known, asked in zip(self.known, spellings.widened(definitions), strict=True)
        }

    @property
    def _viewer(self) -> Viewer:
        return Viewer(
            event_types=self.event_types,
            purposes={},
            sources=self.scope.source_ids,
            source_ids=self.source_ids,
        )

    @cached_property
    def names(self) -> Names:
        """The labels of the events and sources that the formulas name, in the current language."""
        asks_sources = any(known.formula.sources for known in self.known)
        return Names(
            events={one.name: str(one) for one in self._types},
            sources={one.slug: one.name for one in self._visible_sources} if asks_sources else {},
        )

    # -- in definitions -----------------------------------------------------------------------------------------

    def fields(self) -> dict[str, Field]:
        """The traits as definitions may compare them, labelled in the current language."""
        return {
            name: Field(name, _TYPES[known.trait.data_type], known.label(channel))
            for known in self.known
            for name, channel in zip(known.names, known.channels, strict=True)
        }

    def is_asked_live(self, *, sources: frozenset[int] | None) -> bool:
        """Whether any of `columns` is computed when it is asked for: that takes `event_types` and `source_ids`."""
        return any(not _is_stored(known, sources) for known in self.known)

    def columns(self, *, sources: frozenset[int] | None) -> dict[str, Column]:
        """The traits as the compiler compares them, by the names that definitions call them. `sources`: those that the
        viewer sees; None: all. No query where all values are stored."""
        return {
            name: self._column(known, channel, sources)
            for known in self.known
            for name, channel in zip(known.names, known.channels, strict=True)
        }

    def _column(self, known: Known, channel: str, sources: frozenset[int] | None) -> Column:
        is_stored = _is_stored(known, sources)
        formula = known.formula if is_stored else self._asked[known.trait.pk]
        return Column(known.trait.pk, formula, channel, is_stored, {} if is_stored else self._kinds)

    def knowing(self, person: Person, at: datetime) -> Person:
        """A person of the reference engine with the values that these traits had at a moment. They have to bear the
        touchpoints of `needed_events`."""
        if not self.known:
            return person
        formulas = {known.trait.slug: self._asked[known.trait.pk] for known in self.known}
        kinds = {one.slug: one.kind for one in self._visible_sources}

        def channel(event: str, source: str) -> str:
            return channel_of(event, kinds.get(source, "")).value

        return reference.knowing(person, formulas, TouchChannel.values, _moment(at), channel)

    @property
    def needed_events(self) -> set[str]:
        """Event types whose touchpoints decide the values."""
        return reference.needed_events(known.formula for known in self.known)

    @property
    def needs_lines(self) -> bool:
        """Whether the lines of orders decide any value."""
        return any(known.formula.lines is not None for known in self.known)

    # -- values -------------------------------------------------------------------------------------------------

    def values_of(self, profile: Profile, *, now: datetime) -> dict[int, Json]:
        """Trait id → the customer's value as it is stored, through the scope's eyes; those without one are absent. One
        query for all of them."""
        selects = [self._value_of(known, profile, now) for known in self.known]
        if not selects:
            return {}
        with connection.cursor() as cursor:
            cursor.execute(SQL(" UNION ALL ").join(selects))
            return {trait_id: json.loads(value) for trait_id, value in cursor.fetchall()}

    def _value_of(self, known: Known, profile: Profile, now: datetime) -> sql.Composed:
        def only(column: sql.Composable) -> sql.Composable:
            return SQL("{} = {}").format(column, profile.pk)

        is_stored = _is_stored(known, self.scope.source_ids)
        select = stored(known.trait.pk, only) if is_stored else self.ground(known, now).values(only)
        return SQL("SELECT {}::bigint AS trait_id, q.value FROM ({}) q").format(known.trait.pk, select)

    def ground(self, known: Known, now: datetime) -> Ground:
        """A trait's formula over the rows that the scope sees."""
        return Ground(self._asked[known.trait.pk], self._viewer, _moment(now), self._kinds)


def seen(scope: Scope) -> Seen:
    """All in use that the scope has. One query, and what `Seen` looks up."""
    return Seen(ComputedTrait.objects.in_use().within(scope).select_related("group"), scope)


def seen_of(names: Iterable[str], scope: Scope) -> Seen:
    """Those in use among the traits that definitions name, as far as the scope has them. No query where none of the
    names is of a computed trait."""
    slugs = {slug for name in names if (slug := slug_of(name))}
    return Seen(ComputedTrait.objects.in_use().within(scope).called(slugs) if slugs else (), scope)


def seen_in(definitions: Iterable[nodes.Definition], scope: Scope) -> Seen:
    """The same of everything that definitions rest on."""
    conditions = (condition for definition in definitions for condition in nodes.conditions(definition.where))
    return seen_of((one.trait for one in conditions if isinstance(one, nodes.AttributeCondition)), scope)


def one_in_use(trait_id: int) -> Seen:
    """One trait with all departments' eyes; nothing when it is not in use. One query, and what `Seen` looks up."""
    return Seen(ComputedTrait.objects.in_use().filter(pk=trait_id), EVERYTHING)


def sensitive_names() -> set[str]:
    """What definitions call the traits in sensitive groups, and those that rest on sensitive properties. One query."""
    return {
        name
        for trait in ComputedTrait.objects.in_use().select_related("group")
        if (known := read(trait))
        and (trait.group.is_sensitive or any(map(is_sensitive_name, known.formula.properties)))
        for name in known.names
    }


def _picks_of(definition: nodes.Definition) -> tuple[Pick, ...]:
    return tuple(one for one in definition.where.of if isinstance(one, Pick))


def _moment(at: datetime) -> Moment:
    return Moment(at, ZoneInfo(settings.COMPANY_TIME_ZONE))


def _is_stored(known: Known, sources: frozenset[int] | None) -> bool:
    return sources is None and known.trait.is_complete
