"""What a viewer has to build segments of: traits, events with their properties, values that occur, purposes.

All of it within a scope: what a department may not see is absent from lists, suggestions and counts.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from typing import Any as Json

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import get_language
from psycopg import sql

from cdp_site.core.access import Scope
from consent.models import Channel, Purpose
from ingestion.models import Source
from profiles import masking
from profiles.masking import DIRECT_IDENTIFIERS
from profiles.models import EventType, Trait
from segments.definition import nodes
from segments.definition.compile import Viewer
from segments.definition.fields import Event, Field, Fields, FieldType
from segments.definition.values import DATE_PATTERN, LOCAL_MOMENT_PATTERN, MOMENT_PATTERN, NUMBER_PATTERN
from segments.definition.words import LANGUAGES, Names, Words

SQL = sql.SQL

PROPERTY_SAMPLE = 1_000
"""Touchpoints of a type that are read to learn its properties, the newest ones."""
VALUE_SAMPLE = 20_000
"""Touchpoints or records that are read to learn which values are common."""
MOST_VALUES = 50
FEWEST_PEOPLE = 5
"""A value that fewer people have is not suggested: it may say who they are."""
CACHE_SECONDS = 600

IDENTIFIERS = DIRECT_IDENTIFIERS - {"birth_date"}
"""What no definition compares. A day of birth is what age and birthday are asked of."""

T = TypeVar("T")


def viewer(scope: Scope) -> Viewer:
    """The scope as the compiler needs it. A scope that sees every source is unlimited, which is the fast case.

    Three queries at most.
    """
    sources = scope.source_ids
    if sources is not None and not Source.objects.exclude(pk__in=sources).exists():
        sources = None
    return Viewer(
        event_types=dict(_event_types(scope).values_list("name", "pk")),
        purposes=dict(Purpose.objects.values_list("slug", "pk")),
        hidden_traits=scope.hidden_traits,
        sources=sources,
    )


def _event_types(scope: Scope) -> QuerySet[EventType]:
    types = EventType.objects.all()
    return types if scope.event_type_ids is None else types.filter(pk__in=scope.event_type_ids)


def _traits(scope: Scope) -> QuerySet[Trait]:
    traits = Trait.objects.select_related("group").order_by("group__position", "position", "name")
    return traits if scope.trait_groups is None else traits.filter(group__slug__in=scope.trait_groups)


def fields(scope: Scope, *, events: Iterable[str] = ()) -> Fields:
    """Everything that a definition may name, labelled in the current language.

    Args:
        events: event types whose properties are looked up; of the others every property passes.
    """
    wanted = frozenset(events)
    return Fields(
        traits={trait.name: _trait(trait) for trait in _traits(scope)},
        events={
            one.name: Event(one.name, str(one), properties(one, scope) if one.name in wanted else None)
            for one in _event_types(scope)
        },
        purposes={purpose.slug: str(purpose) for purpose in Purpose.objects.filter(is_active=True)},
        channels={channel.value: str(channel.label) for channel in Channel},
        currencies=_currencies(),
        hidden_traits=scope.hidden_traits,
        hides_sensitive=scope.hides_sensitive,
    )


def without_sensitive(found: Fields) -> Fields:
    """The fields without sensitive ones, for who asks for nobody in particular. One query."""
    sensitive = frozenset(Trait.objects.filter(group__is_sensitive=True).values_list("name", flat=True))
    traits = {name: one for name, one in found.traits.items() if name not in sensitive}
    return replace(found, traits=traits, hidden_traits=sensitive, hides_sensitive=True)


def fields_of(scope: Scope, *written: Json, kept: Json = None) -> Fields:
    """The fields with the properties of the events that the definitions name, valid or not.

    The properties of `kept`, a stored definition, are among them even where the sample has not met them: what was
    saved once stays valid. Five queries and two for each event, unless they are remembered.
    """
    named: dict[str, set[str]] = {}
    for definition in (*written, kept):
        for event, own in _properties_named(definition):
            named.setdefault(event, set()).update(own if definition is kept else ())
    found = fields(scope, events=named)
    known = {name: _with(found.events[name], own) for name, own in named.items() if name in found.events}
    return replace(found, events={**found.events, **known})


def _properties_named(tree: Json) -> Iterator[tuple[str, list[str]]]:
    """Every event named anywhere in a JSON definition, with the properties that its filters name."""
    if isinstance(tree, dict):
        if isinstance(tree.get("event"), str):
            filters = tree.get("filters")
            listed = [one for one in filters if isinstance(one, dict)] if isinstance(filters, list) else []
            yield tree["event"], [one["property"] for one in listed if isinstance(one.get("property"), str)]
        for part in tree.values():
            yield from _properties_named(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _properties_named(part)


def _with(event: Event, names: Iterable[str]) -> Event:
    own = {name: Field(name, FieldType.ANY, property_label(name)) for name in names}
    return replace(event, properties=own | dict(event.properties or {}))


def words() -> Words:
    """The words of the current language."""
    return LANGUAGES["th" if (get_language() or "").startswith("th") else "en"]


def names(found: Fields) -> Names:
    """The labels of the fields, for sentences."""
    return Names(
        traits={name: one.label for name, one in found.traits.items()},
        events={name: one.label for name, one in found.events.items()},
        purposes=found.purposes,
        channels=found.channels,
    )


_TYPES: Mapping[str, FieldType] = {
    Trait.DataType.TEXT: FieldType.TEXT,
    Trait.DataType.NUMBER: FieldType.NUMBER,
    Trait.DataType.DATE: FieldType.DATE,
    Trait.DataType.BOOLEAN: FieldType.BOOLEAN,
    Trait.DataType.LIST: FieldType.TEXT,
}


def _trait(trait: Trait) -> Field:
    kind = FieldType.IDENTIFIER if trait.name in IDENTIFIERS else _TYPES[trait.data_type]
    return Field(trait.name, kind, str(trait))


def property_label(name: str) -> str:
    """A standard property's name in the current language; another is called as its source calls it."""
    return words().properties.get(name, name)


# ── what is learnt from samples ──────────────────────────────────────────────────────────────────────────────────────

_PROPERTIES = SQL("""
SELECT e.key,
       bool_and(jsonb_typeof(e.value) = 'number'
                OR (jsonb_typeof(e.value) = 'string' AND e.value #>> '{{}}' ~ {number})) AS are_numbers,
       bool_and(jsonb_typeof(e.value) = 'string' AND e.value #>> '{{}}' ~ {date}) AS are_dates,
       bool_and(jsonb_typeof(e.value) = 'boolean') AS are_booleans,
       bool_and(jsonb_typeof(e.value) IN ('string', 'array')) AS are_texts
  FROM ({sample}) t CROSS JOIN LATERAL jsonb_each(t.properties) e
 WHERE e.value NOT IN ('null', '""', '[]', '{{}}')
   AND jsonb_typeof(e.value) <> 'object' AND NOT jsonb_path_exists(e.value, '$[*] ? (@.type() == "object")')
 GROUP BY e.key
""")
_DATES = "|".join(f"({pattern})" for pattern in (DATE_PATTERN, MOMENT_PATTERN, LOCAL_MOMENT_PATTERN))
_SAMPLE = SQL("""
SELECT t.profile_id, t.properties FROM profiles_touchpoint t WHERE t.type_id = {type_id}{sources}
 ORDER BY t.occurred_at DESC LIMIT {n}""")


def properties(event: EventType, scope: Scope) -> dict[str, Field]:
    """Properties of the newest touchpoints of a type, by name, with the type that all their values have."""

    def read() -> list[tuple[str, str]]:
        rows = _rows(
            _PROPERTIES.format(number=NUMBER_PATTERN, date=_DATES, sample=_sample(event.pk, scope, PROPERTY_SAMPLE))
        )
        return [(name, _type_of(*marks).value) for name, *marks in rows]

    found = _remembered(("properties", event.pk), scope, read)
    return {
        name: Field(name, FieldType.IDENTIFIER if name in IDENTIFIERS else FieldType(kind), property_label(name))
        for name, kind in sorted(found)
        if not masking.hides_name(name, scope)
    }


def _type_of(are_numbers: bool, are_dates: bool, are_booleans: bool, are_texts: bool) -> FieldType:
    if are_numbers:
        return FieldType.NUMBER
    if are_dates:
        return FieldType.DATE
    if are_booleans:
        return FieldType.BOOLEAN
    return FieldType.TEXT if are_texts else FieldType.ANY


@dataclass(frozen=True, slots=True)
class CommonValue:
    """A value and how many people of the sample have it."""

    value: str
    people: int


_COMMON = SQL("""
SELECT v.text, count(DISTINCT s.owner) AS people
  FROM ({sample}) s CROSS JOIN LATERAL (
       SELECT e.value #>> '{{}}' AS text
         FROM jsonb_array_elements(
              CASE jsonb_typeof(s.value) WHEN 'array' THEN s.value ELSE jsonb_build_array(s.value) END) e
        WHERE jsonb_typeof(e.value) IN ('string', 'number')) v
 WHERE v.text <> '' AND length(v.text) <= {longest}
 GROUP BY v.text HAVING count(DISTINCT s.owner) >= {fewest}
 ORDER BY people DESC, v.text LIMIT {most}
""")


def common_properties(event_name: str, name: str, scope: Scope) -> Sequence[CommonValue]:
    """The values of a property that most people of the newest touchpoints have; none for what the scope hides."""
    event = _event_types(scope).filter(name=event_name).first()
    if event is None or name in IDENTIFIERS or masking.hides_name(name, scope):
        return ()
    sample = SQL("SELECT q.profile_id AS owner, q.properties -> {} AS value FROM ({}) q").format(
        name, _sample(event.pk, scope, VALUE_SAMPLE)
    )
    return _common(("property values", event.pk, name), scope, sample)


def common_attributes(name: str, scope: Scope) -> Sequence[CommonValue]:
    """The values of a trait that most of the newest records have; none for what the scope hides, and none of
    identifiers, dates and numbers."""
    trait = _traits(scope).filter(name=name).first()
    if trait is None or _trait(trait).type is not FieldType.TEXT:
        return ()
    sample = SQL(
        "SELECT r.id AS owner, r.attributes -> {} AS value FROM profiles_sourcerecord r WHERE true{} "
        "ORDER BY r.id DESC LIMIT {}"
    ).format(name, _sources("r", scope), VALUE_SAMPLE)
    return _common(("attribute values", name), scope, sample)


def _common(key: tuple[object, ...], scope: Scope, sample: sql.Composable) -> Sequence[CommonValue]:
    query = _COMMON.format(sample=sample, longest=nodes.MAX_TEXT, fewest=FEWEST_PEOPLE, most=MOST_VALUES)
    return [CommonValue(*row) for row in _remembered(key, scope, lambda: _rows(query))]


def _currencies() -> tuple[str, ...]:
    """The company's currency first, then the others of the newest orders."""

    def read() -> list[str]:
        newest = SQL("SELECT currency FROM profiles_order ORDER BY id DESC LIMIT {}").format(VALUE_SAMPLE)
        rows = _rows(SQL("SELECT DISTINCT o.currency FROM ({}) o").format(newest))
        return sorted(currency for (currency,) in rows if re.fullmatch("[A-Z]{3}", currency))

    home: str = settings.COMPANY_CURRENCY
    found = cache.get_or_set("segments-currencies", read, CACHE_SECONDS) or []
    return (home, *(currency for currency in found if currency != home))


def _sample(type_id: int, scope: Scope, n: int) -> sql.Composed:
    return _SAMPLE.format(type_id=type_id, sources=_sources("t", scope), n=n)


def _sources(row: str, scope: Scope) -> sql.Composable:
    if scope.source_ids is None:
        return SQL("")
    return SQL(" AND {}.source_id = ANY({})").format(SQL(row), sorted(scope.source_ids))


def _remembered(key: tuple[object, ...], scope: Scope, read: Callable[[], list[T]]) -> list[T]:
    """What `read` finds, kept for ten minutes for everybody with the same scope."""
    sources = "all" if scope.source_ids is None else sorted(scope.source_ids)
    digest = hashlib.blake2b(repr((key, sources)).encode(), digest_size=16).hexdigest()
    return cache.get_or_set(f"segments:{digest}", read, CACHE_SECONDS) or []


def _rows(query: sql.Composed) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()
