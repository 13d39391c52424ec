"""How many people each thing is about that a definition may name: what the choices of the builder say beside it.

Learnt from a sample within the viewer's scope, kept for ten minutes, and rounded: it tells what is common from what is
rare, and is no number to plan with. What too few have is not counted: it may say who they are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any as Json

from psycopg import sql

from cdp_site.core.access import Scope
from segments import catalogue
from segments.definition.fields import Fields
from segments.definition.products import said_of_its_product
from segments.estimate import Sample, sample_of

SQL = sql.SQL

PEOPLE = 2_048
"""Profile ids in the sample: what one in a hundred did is met twenty times."""
TOUCHPOINTS = 1_000
"""The newest of a type that are read to learn how often its properties are filled in."""
MOST = 50
"""So many event types stand first, the most common on top; the others follow by name."""


@dataclass(frozen=True)
class Popularity:
    """Ready to be shown: traits and events by name as numbers of people, properties by event and name as shares."""

    traits: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def ranked(self, labels: Mapping[str, str]) -> dict[str, str]:
        """Event types with the most common ones first."""
        first = [name for name in list(self.events)[:MOST] if name in labels]
        others = sorted(labels.keys() - set(first), key=lambda name: labels[name].casefold())
        return {name: labels[name] for name in (*first, *others)}


NOTHING_KNOWN = Popularity()

_EVENTS = SQL("""
SELECT e.name, count(DISTINCT p.id)
  FROM profiles_profile p JOIN profiles_touchpoint t ON t.profile_id = p.id
  JOIN profiles_eventtype e ON e.id = t.type_id
 WHERE {sampled} AND p.state = 'live' AND p.kind = 'identified'{sources}
 GROUP BY e.name HAVING count(DISTINCT p.id) >= {fewest} ORDER BY 2 DESC, 1""")
_TRAITS = SQL("""
SELECT k.trait, count(DISTINCT p.id)
  FROM profiles_profile p JOIN profiles_membership m ON m.profile_id = p.id AND m.valid_to IS NULL
  JOIN profiles_sourcerecord r ON r.id = m.record_id CROSS JOIN LATERAL jsonb_object_keys(r.attributes) AS k(trait)
 WHERE {sampled} AND p.state = 'live' AND p.kind = 'identified'{sources}
   AND r.attributes -> k.trait NOT IN ('null', '""', '[]', '{{}}')
 GROUP BY k.trait HAVING count(DISTINCT p.id) >= {fewest} ORDER BY 2 DESC, 1""")
_PROPERTIES = SQL("""
SELECT e.key, (100.0 * count(*) / max(t.n))::int
  FROM (SELECT s.*, count(*) OVER () AS n FROM ({newest}) s) t CROSS JOIN LATERAL (
       SELECT DISTINCT one.key FROM (VALUES (t.properties), ({told})) said (properties), jsonb_each(said.properties) one
        WHERE one.value NOT IN ('null', '""', '[]', '{{}}')) e
 GROUP BY e.key""")


def popularity(fields: Fields, scope: Scope, *, events: Iterable[str] = ()) -> Popularity:
    """What the choices say. Two queries, and one for each of the events, unless they are remembered.

    Args:
        fields: what the viewer may name; nothing else is counted.
        events: those whose properties are asked for.
    """
    sample = sample_of(PEOPLE)

    def people(key: str, query: sql.SQL, row: str) -> dict[str, str]:
        asked = query.format(
            sampled=sample.holds(), sources=catalogue.in_sources(row, scope), fewest=catalogue.FEWEST_PEOPLE
        )
        found = catalogue.remembered(("people", key), scope, lambda: catalogue.read_rows(asked))
        return {name: about(n * sample.stride, sample) for name, n in found}

    traits, happened = people("traits", _TRAITS, "r"), people("events", _EVENTS, "t")
    return Popularity(
        traits={name: text for name, text in traits.items() if name in fields.traits},
        events={name: text for name, text in happened.items() if name in fields.events},
        properties={event: _filled(event, fields, scope) for event in events if event in fields.events},
    )


def events_named(tree: Json) -> set[str]:
    """Every event that a draft names, finished or not."""
    if isinstance(tree, dict):
        own = {tree["event"]} if isinstance(tree.get("event"), str) else set()
        return own.union(*map(events_named, tree.values()))
    return set().union(*map(events_named, tree)) if isinstance(tree, list) else set()


def _filled(event: str, fields: Fields, scope: Scope) -> dict[str, str]:
    """Property → share of the event's newest touchpoints of which it is known, by themselves or by the catalogue."""
    newest = catalogue.newest_touchpoints(event, scope, TOUCHPOINTS)
    if newest is None:
        return {}
    asked = _PROPERTIES.format(newest=newest, told=said_of_its_product())
    found = catalogue.remembered(("filled", event), scope, lambda: catalogue.read_rows(asked))
    known = fields.events[event].properties or {}
    return {name: f"{percent} %" for name, percent in found if name in known}


def about(n: int, sample: Sample) -> str:
    """A number of people as a choice says it: two digits of it, unless everybody was counted."""
    if sample.is_everybody or n < 100:
        return f"{n:,}"
    digits = len(str(n)) - 2
    return f"~{round(n, -digits):,}"
