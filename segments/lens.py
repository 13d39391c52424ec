"""What is needed to ask a few stored definitions about one customer: only of the things that they name, in one query.

`segments.catalogue` knows everything that a viewer may name; a panel of a customer's page has no time for that.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, CharField, F, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, NullIf, Replace
from django.utils.translation import get_language

from cdp_site.core.access import Scope
from consent.models import Channel, Purpose
from profiles import masking
from profiles.models import EventType, Trait
from segments.definition import nodes
from segments.definition.compile import Viewer
from segments.definition.words import Names


@dataclass(frozen=True)
class Lens:
    """Definitions as one viewer sees them: whom to ask about (`viewer`), how things are called (`names`)."""

    viewer: Viewer
    names: Names
    scope: Scope

    def shows(self, node: nodes.Node) -> bool:
        """Whether the viewer sees every trait, event and property that is named."""
        for condition in nodes.conditions(node):
            match condition:
                case nodes.AttributeCondition() if condition.trait not in self.names.traits:
                    return False
                case nodes.TouchpointCondition() if condition.event not in self.names.events or any(
                    masking.hides_name(one.property, self.scope) for one in condition.filters
                ):
                    return False
        return True


def on(definitions: Iterable[nodes.Definition], scope: Scope) -> Lens:
    """The lens for these definitions. One query, none without any."""
    traits: set[str] = set()
    events: set[str] = set()
    purposes: set[str] = set()
    for condition in _conditions(definitions):
        match condition:
            case nodes.AttributeCondition():
                traits.add(condition.trait)
            case nodes.TouchpointCondition():
                events.add(condition.event)
            case nodes.ConsentCondition():
                purposes.add(condition.purpose)
    rows = list(_named(traits, events, purposes)) if traits or events or purposes else []
    seen_traits = {name: label for kind, name, _id, label, group in rows if kind == "trait" and _sees(scope, group)}
    seen_events = {
        name: (number, label)
        for kind, name, number, label, _group in rows
        if kind == "event" and _happens(scope, number)
    }
    known = {name: (number, label) for kind, name, number, label, _group in rows if kind == "purpose"}
    return Lens(
        viewer=Viewer(
            event_types={name: number for name, (number, _label) in seen_events.items()},
            purposes={name: number for name, (number, _label) in known.items()},
            hidden_traits=frozenset(traits - seen_traits.keys()),
            sources=scope.source_ids,
        ),
        names=Names(
            traits=seen_traits,
            events={name: label for name, (_number, label) in seen_events.items()},
            purposes={name: label for name, (_number, label) in known.items()},
            channels={channel.value: str(channel.label) for channel in Channel},
        ),
        scope=scope,
    )


def _conditions(definitions: Iterable[nodes.Definition]) -> Iterator[nodes.Condition]:
    for definition in definitions:
        yield from nodes.conditions(definition.where)


def _sees(scope: Scope, group: str) -> bool:
    return scope.sees_trait_group(group)


def _happens(scope: Scope, event_type_id: int) -> bool:
    return scope.sees_event_type(event_type_id)


def _named(traits: set[str], events: set[str], purposes: set[str]) -> "QuerySet[Any, Any]":
    """(kind, name, id, label in the current language, group of a trait) of what exists of these names."""
    is_thai = (get_language() or "").startswith("th")
    spoken = Replace(F("name"), Value("_"), Value(" "))

    def rows(found: "QuerySet[Any, Any]", kind: str, name: str, label: Any, group: Any) -> "QuerySet[Any, Any]":
        return found.order_by().values_list(
            Value(kind, output_field=CharField()),
            name,
            Cast("pk", BigIntegerField()),
            Cast(label, CharField()),
            Cast(group, CharField()),
        )

    def in_thai(column: str, otherwise: Any) -> Any:
        return Coalesce(NullIf(F(column), Value("")), otherwise) if is_thai else otherwise

    trait_label = in_thai("label_th", Coalesce(NullIf(F("label"), Value("")), spoken))
    return rows(Trait.objects.filter(name__in=traits), "trait", "name", trait_label, F("group__slug")).union(
        rows(EventType.objects.filter(name__in=events), "event", "name", in_thai("name_th", F("name")), Value("")),
        rows(Purpose.objects.filter(slug__in=purposes), "purpose", "slug", in_thai("name_th", F("name")), Value("")),
        all=True,
    )
