"""What is needed to ask a few stored definitions about one customer: only of the things that they name, in one query.

`segments.catalogue` knows everything that a viewer may name; a panel of a customer's page has no time for that.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BigIntegerField, CharField, F, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, NullIf, Replace
from django.utils.translation import get_language

from cdp_site.core.access import Scope
from consent.models import Channel, Purpose
from ingestion.models import Source
from profiles import masking
from profiles.models import EventType, Trait
from segments.definition import nodes
from segments.definition.fields import shows
from segments.definition.viewer import Viewer
from segments.definition.words import Names
from segments.models import Segment, StaticList
from segments.traits import reading as computed


@dataclass(frozen=True)
class Lens:
    """Definitions as one viewer sees them: whom to ask about (`viewer`), how things are called (`names`)."""

    viewer: Viewer
    names: Names
    scope: Scope

    def shows(self, node: nodes.Node) -> bool:
        """Whether the viewer sees all that is named, and all that the segments rest on that it asks for."""
        return shows(
            node,
            traits=self.names.traits,
            events=self.names.events,
            sources=self.names.sources,
            lists=self.names.lists,
            hides=lambda name: masking.hides_name(name, self.scope),
        )


def on(definitions: Iterable[nodes.Definition], scope: Scope) -> Lens:
    """The lens for these definitions. One query, none without any; five more where they name computed traits."""
    named = _Named.of(definitions)
    rows = list(_rows(named)) if named else []

    def of(kind: str) -> dict[str, tuple[int, str, str]]:
        return {name: (number, label, group) for is_of, name, number, label, group in rows if is_of == kind}

    traits = {name: label for name, (_id, label, group) in of("trait").items() if scope.sees_trait_group(group)}
    events = {name: (pk, label) for name, (pk, label, _) in of("event").items() if scope.sees_event_type(pk)}
    sources = {name: (pk, label) for name, (pk, label, _) in of("source").items() if scope.sees_source(pk)}
    purposes = of("purpose")
    worked_out = computed.seen_of(named.traits, scope)
    traits |= {name: one.label for name, one in worked_out.fields().items() if name in named.traits}
    return Lens(
        viewer=Viewer(
            event_types={name: number for name, (number, _label) in events.items()},
            purposes={name: number for name, (number, _label, _group) in purposes.items()},
            hidden_traits=frozenset(scope.hidden_traits | (named.traits - traits.keys())),
            sources=scope.source_ids,
            source_ids={name: number for name, (number, _label) in sources.items()},
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


def _rows(named: _Named) -> "QuerySet[Any, Any]":
    """(kind, name, id, label in the current language, group of a trait) of what exists of these names."""
    is_thai = (get_language() or "").startswith("th")
    spoken = Replace(F("name"), Value("_"), Value(" "))

    def rows(
        found: "QuerySet[Any, Any]", kind: str, name: str, label: Any, *, number: Any, group: Any
    ) -> "QuerySet[Any, Any]":
        return found.order_by().values_list(
            Value(kind, output_field=CharField()),
            Cast(name, CharField()),
            Cast(number, BigIntegerField()),
            Cast(label, CharField()),
            Cast(group, CharField()),
        )

    def in_thai(column: str, otherwise: Any) -> Any:
        return Coalesce(NullIf(F(column), Value("")), otherwise) if is_thai else otherwise

    plain, translated = F("name"), in_thai("name_th", F("name"))
    of_trait = in_thai("label_th", Coalesce(NullIf(F("label"), Value("")), spoken))
    of_itself: dict[str, Any] = {"number": F("pk"), "group": Value("")}
    by_name: dict[str, Any] = {"number": Value(0), "group": Value("")}
    traits = Trait.objects.filter(name__in=named.traits)
    return rows(traits, "trait", "name", of_trait, number=F("pk"), group=F("group__slug")).union(
        rows(EventType.objects.filter(name__in=named.events), "event", "name", translated, **of_itself),
        rows(Purpose.objects.filter(slug__in=named.purposes), "purpose", "slug", translated, **of_itself),
        rows(Source.objects.filter(slug__in=named.sources), "source", "slug", plain, **of_itself),
        rows(Segment.objects.filter(pk__in=named.segments), "segment", "pk", plain, **by_name),
        rows(StaticList.objects.filter(pk__in=named.lists), "list", "pk", plain, **by_name),
        all=True,
    )
