"""What a viewer has to build segments of: traits, events with their properties, values that occur, purposes.

All of it within a scope: what a department may not see is absent from lists, suggestions and counts.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from typing import Any as Json
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import get_language
from psycopg import sql

from cdp_site.core.access import Scope
from cdp_site.core.models import User
from consent.models import Channel, Purpose
from ingestion.models import Source
from profiles import masking
from profiles.masking import DIRECT_IDENTIFIERS
from profiles.models import EventType, Trait
from segments.definition import nodes
from segments.definition.evaluate import Moment
from segments.definition.fields import Event, Field, Fields, FieldType
from segments.definition.products import SAID_OF_PRODUCT, touchpoint_value
from segments.definition.values import DATE_PATTERN, LOCAL_MOMENT_PATTERN, MOMENT_PATTERN, NUMBER_PATTERN
from segments.definition.viewer import Viewer
from segments.definition.words import LANGUAGES, Names, Words
from segments.later import Later
from segments.models import Segment, StaticList
from segments.traits import reading as computed
from segments.traits.formula import slug_of

SQL = sql.SQL

PROPERTY_SAMPLE = 1_000
"""Touchpoints of a type that are read to learn its properties, the newest ones."""
VALUE_SAMPLE = 20_000
"""Touchpoints or records that are read to learn which values are common."""
MOST_VALUES = 50
FEWEST_PEOPLE = 5
"""A value that fewer people have is not suggested: it may say who they are."""
CACHE_SECONDS = 600
REMEMBERED = "segments:"  # how the keys of the cache begin under which values of customers lie

IDENTIFIERS = DIRECT_IDENTIFIERS - {"birth_date"}
"""What no definition compares. A day of birth is what age and birthday are asked of."""

T = TypeVar("T")


def viewer(scope: Scope) -> Viewer:
    """The scope as the compiler needs it. A scope that sees every source is unlimited, which is the fast case.

    Three queries at most, and one more when a definition names a source, six when it names a computed trait.
    """
    sources = scope.source_ids
    if sources is not None and not Source.objects.exclude(pk__in=sources).exists():
        sources = None
    return Viewer(
        event_types=dict(_event_types(scope).values_list("name", "pk")),
        purposes=dict(Purpose.objects.values_list("slug", "pk")),
        hidden_traits=scope.hidden_traits,
        sources=sources,
        source_ids=Later(lambda: dict(_of_scope(scope).values_list("slug", "pk"))),
        computed=Later(lambda: computed.seen(scope).columns(sources=sources)),
    )


def _of_scope(scope: Scope) -> QuerySet[Source]:
    sources = Source.objects.all()
    return sources if scope.source_ids is None else sources.filter(pk__in=scope.source_ids)


def _event_types(scope: Scope) -> QuerySet[EventType]:
    types = EventType.objects.all()
    return types if scope.event_type_ids is None else types.filter(pk__in=scope.event_type_ids)


def _traits(scope: Scope) -> QuerySet[Trait]:
    traits = Trait.objects.select_related("group").order_by("group__position", "position", "name")
    return traits if scope.trait_groups is None else traits.filter(group__slug__in=scope.trait_groups)


def fields(scope: Scope, *, events: Iterable[str] = (), by: User | None = None, kept: Collection[str] = ()) -> Fields:
    """Everything that a definition may name, labelled in the current language. Sources, segments, lists and properties
    of lines are read when they are first asked for.

    Args:
        events: event types whose properties are looked up; of the others every property passes.
        by: whose segments and lists they are; None, for reading a stored definition: all that there are.
        kept: ids of segments and lists that are among them in any case.
    """
    wanted = frozenset(events)
    return Fields(
        traits={trait.name: _trait(trait) for trait in _traits(scope)} | computed.seen(scope).fields(),
        events={
            one.name: Event(one.name, str(one), properties(one, scope) if one.name in wanted else None)
            for one in _event_types(scope)
        },
        purposes={purpose.slug: str(purpose) for purpose in Purpose.objects.filter(is_active=True)},
        channels={channel.value: str(channel.label) for channel in Channel},
        currencies=_currencies(),
        hidden_traits=scope.hidden_traits,
        hides_sensitive=scope.hides_sensitive,
        sources=Later(lambda: {one.slug: str(one) for one in _of_scope(scope)}),
        segments=Later(lambda: _segments(by, kept)),
        lists=Later(lambda: _lists(by, kept)),
        line_properties=Later(lambda: line_properties(scope)),
    )


def _segments(by: User | None, kept: Collection[str]) -> dict[str, str]:
    found = Segment.objects.all()
    if by is not None:
        found = found.filter(Q(pk__in=Segment.objects.visible_to(by).living().values("pk")) | Q(pk__in=kept))
    return {str(pk): name for pk, name in found.order_by("name").values_list("pk", "name")}


def _lists(by: User | None, kept: Collection[str]) -> dict[str, str]:
    found = StaticList.objects.all()
    if by is not None:
        found = found.filter(Q(pk__in=StaticList.objects.visible_to(by).values("pk")) | Q(pk__in=kept))
    return {str(pk): name for pk, name in found.order_by("name").values_list("pk", "name")}


def without_sensitive(found: Fields) -> Fields:
    """The fields without sensitive ones, for who asks for nobody in particular. Two queries."""
    sensitive = frozenset(Trait.objects.filter(group__is_sensitive=True).values_list("name", flat=True))
    hidden = sensitive | computed.sensitive_names()
    traits = {name: one for name, one in found.traits.items() if name not in hidden}
    return replace(found, traits=traits, hidden_traits=sensitive, hides_sensitive=True)


def fields_of(scope: Scope, *written: Json, kept: Json = None, by: User | None = None) -> Fields:
    """The fields with the properties of the events that the definitions name, valid or not.

    What `kept`, a stored definition, names is among them even where the sample has not met it: what was saved once
    stays valid. Five queries and two for each event, unless they are remembered.
    """
    named: dict[str, set[str]] = {}
    for definition in (*written, kept):
        for event, own in _properties_named(definition):
            named.setdefault(event, set()).update(own if definition is kept else ())
    found = fields(scope, events=named, by=by, kept=frozenset(_ids_named(kept)))
    known = {name: _with(found.events[name], own) for name, own in named.items() if name in found.events}
    return replace(found, events={**found.events, **known})


def _properties_named(tree: Json) -> Iterator[tuple[str, list[str]]]:
    """Every event named anywhere in a JSON definition, with the properties that are named of it."""
    if isinstance(tree, dict):
        if isinstance(tree.get("event"), str):
            filters = tree.get("filters")
            listed = [one for one in filters if isinstance(one, dict)] if isinstance(filters, list) else []
            own = [one["property"] for one in (*listed, tree) if isinstance(one.get("property"), str)]
            yield tree["event"], own
        for step in (tree.get("first"), tree.get("then")):
            if isinstance(tree.get("same"), str) and isinstance(step, dict) and isinstance(step.get("event"), str):
                yield step["event"], [tree["same"]]
        for part in tree.values():
            yield from _properties_named(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _properties_named(part)


def _ids_named(tree: Json) -> Iterator[str]:
    """Ids of the segments and lists that are named anywhere in a JSON definition."""
    if isinstance(tree, dict):
        yield from (tree[key] for key in ("segment", "list") if isinstance(tree.get(key), str))
    for part in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _ids_named(part)


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
        sources=found.sources,
        segments=found.segments,
        lists=found.lists,
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
SELECT t.profile_id, t.properties, t.source_id FROM profiles_touchpoint t WHERE t.type_id = {type_id}{sources}
 ORDER BY t.occurred_at DESC LIMIT {n}""")


def properties(event: EventType, scope: Scope) -> dict[str, Field]:
    """Properties of the newest touchpoints of a type, by name, with the type that all their values have; where these
    name products, those that the catalogue says of products as well."""
    own = _sampled_types(("properties", event.pk), scope, _sample(event.pk, scope, PROPERTY_SAMPLE))
    told = {} if own.keys().isdisjoint(nodes.PRODUCT_NUMBERS) else _of_products(scope)
    return _fields({**told, **{name: _common_type(kind, told.get(name, kind)) for name, kind in own.items()}}, scope)


def _common_type(one: FieldType, other: FieldType) -> FieldType:
    return one if one is other else FieldType.ANY


# Of touchpoints and orders, what they say themselves comes first.
_OF_PRODUCTS = SQL("SELECT {} AS properties FROM profiles_product c ORDER BY c.id DESC LIMIT {}")


def _of_products(scope: Scope) -> dict[str, FieldType]:
    """What the newest products of the catalogue say and nobody else knows better; {} without a catalogue."""
    found = _sampled_types(("product attributes",), scope, _OF_PRODUCTS.format(SAID_OF_PRODUCT, PROPERTY_SAMPLE))
    return found | dict.fromkeys(found.keys() & {"name", "category"}, FieldType.TEXT)


def _sampled_types(key: tuple[object, ...], scope: Scope, sample: sql.Composable) -> dict[str, FieldType]:
    """The type that all values of each property of a sample have."""

    def read() -> list[tuple[str, str]]:
        rows = read_rows(_PROPERTIES.format(number=NUMBER_PATTERN, date=_DATES, sample=sample))
        return [(name, _type_of(*marks).value) for name, *marks in rows]

    return {name: FieldType(kind) for name, kind in remembered(key, scope, read)}


def _fields(types: Mapping[str, FieldType], scope: Scope) -> dict[str, Field]:
    return {
        name: Field(name, FieldType.IDENTIFIER if name in IDENTIFIERS else kind, property_label(name))
        for name, kind in sorted(types.items())
        if not masking.hides_name(name, scope)
    }


_ON_LINES: Mapping[str, FieldType] = {
    **dict.fromkeys(("product_id", "sku", "name", "category", "color", "coupon"), FieldType.TEXT),
    **dict.fromkeys(("price", "list_price", "quantity"), FieldType.NUMBER),
}


def line_properties(scope: Scope) -> dict[str, Field]:
    """What is known of the products on lines of orders: by the line itself, or by the catalogue's newest products."""
    return _fields({**_of_products(scope), **_ON_LINES}, scope)


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
    """The values of a property that most people of the newest touchpoints have, by themselves or by the catalogue; none
    for what the scope hides."""
    event = _event_types(scope).filter(name=event_name).first()
    if event is None or name in IDENTIFIERS or masking.hides_name(name, scope):
        return ()
    sample = SQL("SELECT t.profile_id AS owner, {} AS value FROM ({}) t").format(
        touchpoint_value(name).json, _sample(event.pk, scope, VALUE_SAMPLE)
    )
    return _common(("property values", event.pk, name), scope, sample)


def common_attributes(name: str, scope: Scope) -> Sequence[CommonValue]:
    """The values of a trait that most of the newest records have; none for what the scope hides, and none of
    identifiers, dates and numbers. Of a computed trait those of the sample of its values, for who sees every source."""
    if slug_of(name) is not None:
        return _common_computed(name, scope)
    trait = _traits(scope).filter(name=name).first()
    if trait is None or _trait(trait).type is not FieldType.TEXT:
        return ()
    sample = SQL(
        "SELECT r.id AS owner, r.attributes -> {} AS value FROM profiles_sourcerecord r WHERE true{} "
        "ORDER BY r.id DESC LIMIT {}"
    ).format(name, in_sources("r", scope), VALUE_SAMPLE)
    return _common(("attribute values", name), scope, sample)


def _common_computed(name: str, scope: Scope) -> Sequence[CommonValue]:
    seen = viewer(scope)
    found, column = computed.seen_of([name], scope).fields().get(name), seen.computed.get(name)
    if found is None or found.type is not FieldType.TEXT or column is None or not column.is_stored:
        return ()
    moment = Moment(timezone.now(), ZoneInfo(settings.COMPANY_TIME_ZONE))
    sample = SQL("SELECT c.profile_id AS owner, c.value FROM ({}) c LIMIT {}").format(
        column.select(seen, moment), VALUE_SAMPLE
    )
    return _common(("computed values", name), scope, sample)


_OF_LINES: Mapping[str, str] = {
    "product_id": "sku",
    **{name: name for name in ("sku", "name", "category", "color", "coupon")},
}
"""Properties of lines of orders whose values are texts, with the column that holds them."""
_LINES = SQL("""
SELECT o.profile_id AS owner, to_jsonb(l.{column}) AS value
  FROM (SELECT o.id, o.profile_id FROM profiles_order o WHERE o.profile_id IS NOT NULL{sources}
         ORDER BY o.id DESC LIMIT {n}) o
  JOIN profiles_orderline l ON l.order_id = o.id""")


def common_of_lines(name: str, scope: Scope) -> Sequence[CommonValue]:
    """The values of a property of lines that most people of the newest orders have."""
    if name not in _OF_LINES or masking.hides_name(name, scope):
        return ()
    sample = _LINES.format(column=sql.Identifier(_OF_LINES[name]), sources=in_sources("o", scope), n=VALUE_SAMPLE)
    return _common(("line values", name), scope, sample)


def _common(key: tuple[object, ...], scope: Scope, sample: sql.Composable) -> Sequence[CommonValue]:
    query = _COMMON.format(sample=sample, longest=nodes.MAX_TEXT, fewest=FEWEST_PEOPLE, most=MOST_VALUES)
    return [CommonValue(*row) for row in remembered(key, scope, lambda: read_rows(query))]


def _currencies() -> tuple[str, ...]:
    """The company's currency first, then the others of the newest orders."""

    def read() -> list[str]:
        newest = SQL("SELECT currency FROM profiles_order ORDER BY id DESC LIMIT {}").format(VALUE_SAMPLE)
        rows = read_rows(SQL("SELECT DISTINCT o.currency FROM ({}) o").format(newest))
        return sorted(currency for (currency,) in rows if re.fullmatch("[A-Z]{3}", currency))

    home: str = settings.COMPANY_CURRENCY
    found = cache.get_or_set("segments-currencies", read, CACHE_SECONDS) or []
    return (home, *(currency for currency in found if currency != home))


def newest_touchpoints(event_name: str, scope: Scope, n: int) -> sql.Composed | None:
    """SELECT of `profile_id`, `properties` and `source_id` of the newest touchpoints of a type; None for what the scope
    hides."""
    event = _event_types(scope).filter(name=event_name).first()
    return None if event is None else _sample(event.pk, scope, n)


def _sample(type_id: int, scope: Scope, n: int) -> sql.Composed:
    return _SAMPLE.format(type_id=type_id, sources=in_sources("t", scope), n=n)


def in_sources(row: str, scope: Scope) -> sql.Composable:
    """Further condition on a row with a source: the scope sees it."""
    if scope.source_ids is None:
        return SQL("")
    return SQL(" AND {}.source_id = ANY({})").format(SQL(row), sorted(scope.source_ids))


def remembered(key: tuple[object, ...], scope: Scope, read: Callable[[], list[T]]) -> list[T]:
    """What `read` finds, kept for ten minutes for everybody with the same scope."""
    sources = "all" if scope.source_ids is None else sorted(scope.source_ids)
    digest = hashlib.blake2b(repr((key, sources)).encode(), digest_size=16).hexdigest()
    return cache.get_or_set(f"{REMEMBERED}{digest}", read, CACHE_SECONDS) or []


def read_rows(query: sql.Composed) -> list[tuple[Any, ...]]:
    """All rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()
