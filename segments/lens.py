"""What is needed to ask a few stored definitions about one customer: only of the things that they name, in one query.

`segments.catalogue` knows everything that a viewer may name; a panel of a customer's page has no time for that.
"""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field, replace

from django.db import connection
from django.utils.translation import get_language

from cdp_site.core.access import Scope
from consent.models import Channel
from profiles import masking
from segments.definition import nodes
from segments.definition.checked import Flaw
from segments.definition.fields import shows
from segments.definition.problems import Problem, problem
from segments.definition.viewer import Viewer
from segments.definition.words import Names
from segments.traits import reading as computed


@dataclass(frozen=True)
class Lens:
    """Definitions as one viewer sees them: whom to ask about (`viewer`), how things are called (`names`). Sources and
    lists that they name and that are there for nobody any more are `gone_sources` and `gone_lists`."""

    viewer: Viewer
    names: Names
    scope: Scope
    gone_sources: frozenset[str] = frozenset()
    gone_lists: frozenset[str] = frozenset()

    def shows(self, node: nodes.Node) -> bool:
        """Whether the viewer sees all that is named, and all that the segments rest on that it asks for."""
        return self._shows(node, sources=self.names.sources.keys(), lists=self.names.lists.keys())

    def gone(self, node: nodes.Node) -> tuple[Problem, ...]:
        """What is gone, each at its place, where nothing else keeps the node from the viewer; nothing otherwise."""
        sources, lists = self.names.sources.keys() | self.gone_sources, self.names.lists.keys() | self.gone_lists
        return tuple(self._gone(node)) if self._shows(node, sources=sources, lists=lists) else ()

    def _shows(self, node: nodes.Node, *, sources: Set[str], lists: Set[str]) -> bool:
        return shows(
            node,
            traits=self.names.traits,
            events=self.names.events,
            sources=sources,
            lists=lists,
            hides=lambda name: masking.hides_name(name, self.scope),
        )

    def _gone(self, node: nodes.Node) -> Iterator[Problem]:
        for place, condition in nodes.placed(node):
            match condition:
                case nodes.SegmentCondition() if condition.where is not None:
                    yield from (replace(one, place=f"{place}/segment") for one in self._gone(condition.where))
                case nodes.ListCondition() if condition.list in self.gone_lists:
                    yield problem(place, Flaw("list", "list-unknown", {"name": condition.list}))
                case nodes.SequenceCondition():
                    for key, step in condition.steps.items():
                        yield from self._gone_of(step, f"{place}/{key}")
                case nodes.TouchpointCondition() | nodes.MeasureCondition():
                    yield from self._gone_of(condition, place)

    def _gone_of(self, one: nodes.OnTouchpoints, place: str) -> Iterator[Problem]:
        for number, name in enumerate(one.sources):
            if name in self.gone_sources:
                yield problem(place, Flaw(f"sources/{number}", "source-unknown", {"name": name}))


def on(definitions: Iterable[nodes.Definition], scope: Scope) -> Lens:
    """The lens for these definitions. One query, none without any; five more where they name computed traits."""
    named = _Named.of(definitions)
    rows = _rows(named) if named else []

    def of(kind: str) -> dict[str, tuple[int, str, str]]:
        return {name: (number, label, group) for is_of, name, number, label, group in rows if is_of == kind}

    def gone(kind: str, wanted: set[str]) -> frozenset[str]:
        return frozenset(wanted - of(kind).keys())

    traits = {name: label for name, (_id, label, group) in of("trait").items() if scope.sees_trait_group(group)}
    events = {name: (pk, label) for name, (pk, label, _) in of("event").items() if scope.sees_event_type(pk)}
    sources = {name: (pk, label) for name, (pk, label, _) in of("source").items() if scope.sees_source(pk)}
    purposes = of("purpose")
    worked_out = computed.seen_of(named.traits, scope)
    traits |= {name: one.label for name, one in worked_out.fields().items() if name in named.traits}
    event_types = {name: number for name, (number, _label) in events.items()}
    source_ids = {name: number for name, (number, _label) in sources.items()}
    if worked_out.is_asked_live(sources=scope.source_ids):
        event_types |= worked_out.event_types
        source_ids |= worked_out.source_ids
    return Lens(
        viewer=Viewer(
            event_types=event_types,
            purposes={name: number for name, (number, _label, _group) in purposes.items()},
            hidden_traits=frozenset(scope.hidden_traits | (named.traits - traits.keys())),
            sources=scope.source_ids,
            source_ids=source_ids,
            computed=worked_out.columns(sources=scope.source_ids),
        ),
        names=Names(
            traits=traits,
            events={name: label for name, (_number, label) in events.items()},
            purposes={name: label for name, (_number, label, _group) in purposes.items()},
            channels={channel.value: str(channel.label) for channel in Channel},
            sources={name: label for name, (_number, label) in sources.items()},
            segments={name: label for name, (_number, label, _group) in of("segment").items()},
            lists={name: label for name, (_number, label, _group) in of("list").items()},
        ),
        scope=scope,
        gone_sources=gone("source", named.sources),
        gone_lists=gone("list", named.lists),
    )


@dataclass(frozen=True)
class _Named:
    """Everything that definitions name."""

    traits: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    purposes: set[str] = field(default_factory=set)
    sources: set[str] = field(default_factory=set)
    segments: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, definitions: Iterable[nodes.Definition]) -> "_Named":
        found = cls()
        for definition in definitions:
            for condition in nodes.conditions(definition.where):
                found._add(condition)
        return found

    def _add(self, condition: nodes.Condition) -> None:
        for one in nodes.picks(condition):
            self.events.add(one.event)
            self.sources.update(one.sources)
        match condition:
            case nodes.AttributeCondition():
                self.traits.add(condition.trait)
            case nodes.ConsentCondition() | nodes.ReachableCondition():
                self.purposes.add(condition.purpose)
            case nodes.SegmentCondition():
                self.segments.add(condition.segment)
            case nodes.ListCondition():
                self.lists.add(condition.list)

    def __bool__(self) -> bool:
        return any((self.traits, self.events, self.purposes, self.sources, self.segments, self.lists))


# Written out: to put it together from querysets took ten times as long as to answer it.
_ROWS = """
SELECT 'trait', t.name, t.id, coalesce({label}nullif(t.label, ''), replace(t.name, '_', ' ')), g.slug
  FROM profiles_trait t JOIN profiles_traitgroup g ON g.id = t.group_id WHERE t.name = ANY(%(traits)s)
UNION ALL
SELECT 'event', name, id, {name}, '' FROM profiles_eventtype WHERE name = ANY(%(events)s)
UNION ALL
SELECT 'purpose', slug, id, {name}, '' FROM consent_purpose WHERE slug = ANY(%(purposes)s)
UNION ALL
SELECT 'source', slug, id, name, '' FROM ingestion_source WHERE slug = ANY(%(sources)s)
UNION ALL
SELECT 'segment', id::text, 0, name, '' FROM segments_segment WHERE id = ANY(%(segments)s::uuid[])
UNION ALL
SELECT 'list', id::text, 0, name, '' FROM segments_staticlist WHERE id = ANY(%(lists)s::uuid[])
"""
_IN_ENGLISH = _ROWS.format(label="", name="name")
_IN_THAI = _ROWS.format(label="nullif(t.label_th, ''), ", name="coalesce(nullif(name_th, ''), name)")


def _rows(named: _Named) -> list[tuple[str, str, int, str, str]]:
    """(kind, name, id, label in the current language, group of a trait) of what exists of these names."""
    is_thai = (get_language() or "").startswith("th")
    with connection.cursor() as cursor:
        cursor.execute(_IN_THAI if is_thai else _IN_ENGLISH, {of: sorted(names) for of, names in vars(named).items()})
        found: list[tuple[str, str, int, str, str]] = cursor.fetchall()
    return found
