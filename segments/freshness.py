"""Which sources a definition leans on, and how long each has been quiet: a number is as fresh as the stalest of them.

Which source brings what is learnt from a sample of people, also of what happened long ago: a source that has fallen
silent would not be met among the newest. Kept for ten minutes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import sql

from cdp_site.core.access import Scope
from ingestion.health import standing
from ingestion.health.standing import Standing
from ingestion.models import AccountRow, Source
from segments import catalogue
from segments.definition import nodes
from segments.estimate import sample_of
from segments.traits.reading import seen_in

SQL = sql.SQL

PEOPLE = 2_048
_TROUBLED = frozenset({"silent", "backlog", "off"})
_ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class Leaning:
    """A source that the definition leans on. `last_heard_at`: of our clock; None before anything came."""

    source: Source
    last_heard_at: datetime | None
    standing: Standing

    @property
    def is_stale(self) -> bool:
        """Silent against its own rhythm, far behind, or switched off."""
        return self.standing.key in _TROUBLED


_SOURCES_OF = {
    "events": SQL(
        "SELECT DISTINCT e.name, t.source_id FROM profiles_profile p JOIN profiles_touchpoint t ON t.profile_id = p.id "
        "JOIN profiles_eventtype e ON e.id = t.type_id WHERE {sampled}"
    ),
    "traits": SQL(
        "SELECT DISTINCT k.trait, r.source_id FROM profiles_profile p JOIN profiles_membership m "
        "ON m.profile_id = p.id AND m.valid_to IS NULL JOIN profiles_sourcerecord r ON r.id = m.record_id "
        "CROSS JOIN LATERAL jsonb_object_keys(r.attributes) AS k(trait) WHERE {sampled}"
    ),
    _ORDERS: SQL(
        "SELECT DISTINCT 'orders', o.source_id FROM profiles_profile p JOIN profiles_order o ON o.profile_id = p.id "
        "WHERE {sampled}"
    ),
}


def leanings(definition: nodes.Definition, scope: Scope) -> list[Leaning]:
    """The sources of the definition that the scope sees, those in trouble first, then the longest quiet. Three queries
    beside those that are remembered. Conditions on segments have to be resolved: it leans on what those lean on."""
    wanted = _source_ids(definition, scope)
    sources = [one for one in Source.objects.external().filter(pk__in=wanted) if scope.sees_source(one.pk)]
    heard = AccountRow.objects.of_sources([one.pk for one in sources]).last_by_source()
    standings = standing.of_sources(sources, heard_of=heard.keys())
    found = [Leaning(one, heard.get(one.pk), standings[one.pk]) for one in sources]
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(found, key=lambda one: (not one.is_stale, one.last_heard_at or never, one.source.pk))


def _source_ids(definition: nodes.Definition, scope: Scope) -> set[int]:
    named: set[str] = set()
    found: set[int] = set()
    # What a computed trait picks it leans on as if it asked by itself.
    worked_out = [pick for known in seen_in([definition], scope).known for pick in known.formula.picks]
    for condition in (*nodes.conditions(definition.where), *worked_out):
        for pick in nodes.picks(condition):
            if pick.sources:
                named.update(pick.sources)
            else:
                found |= _sources_of("events", [pick.event], scope)
        match condition:
            case nodes.AttributeCondition():
                found |= _sources_of("traits", [condition.trait], scope)
            case nodes.OrderTotalCondition() | nodes.OrderLineCondition():
                found |= _sources_of(_ORDERS, [_ORDERS], scope)
    if named:
        found |= set(Source.objects.filter(slug__in=named).values_list("pk", flat=True))
    return found


def _sources_of(what: str, names: Iterable[str], scope: Scope) -> set[int]:
    """Who brings these."""
    query = _SOURCES_OF[what]

    def read() -> Sequence[tuple[str, int]]:
        return catalogue.read_rows(query.format(sampled=sample_of(PEOPLE).holds()))

    wanted = set(names)
    pairs = catalogue.remembered(("sources of", what), scope, lambda: list(read()))
    return {source for name, source in pairs if name in wanted}
