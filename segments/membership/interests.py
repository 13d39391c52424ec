"""What a definition listens to: which changes of people can change its answer."""

from collections.abc import Mapping
from dataclasses import dataclass

from consent.models import Channel
from segments import spellings
from segments.definition import nodes
from segments.definition.fields import property_names
from segments.membership.touches import Aspect

COMPUTED_TRAITS = "computed."  # how computed traits are called in definitions


@dataclass(frozen=True, slots=True)
class Interests:
    """`events`: event types by name; `aspects`: everything else of a person that the definition rests on."""

    events: frozenset[str]
    aspects: frozenset[Aspect]

    def listens(self, aspect: Aspect, subject: int | None, event_names: Mapping[int, str]) -> bool:
        """Whether a change of the aspect concerns the definition. `event_names`: of all event types, by id."""
        if aspect is Aspect.EVENT:
            return bool(self.events) if subject is None else event_names.get(subject) in self.events
        return aspect in self.aspects


def interests_of(definition: nodes.Definition) -> Interests:
    """Conditions on segments have to be resolved: a definition listens to what those segments listen to."""
    aspects = {Aspect.PERSON}
    for condition in nodes.conditions(definition.where):
        named = set(property_names(condition))
        if named:
            aspects.add(Aspect.WORDS)
        if not named <= nodes.NOT_OF_CATALOGUE:
            aspects.add(Aspect.PRODUCTS)
        match condition:
            case nodes.AttributeCondition():
                is_computed = condition.trait.startswith(COMPUTED_TRAITS)
                aspects.add(Aspect.COMPUTED if is_computed else Aspect.ATTRIBUTES)
                if spellings.is_worded(condition):
                    aspects.add(Aspect.WORDS)
            case nodes.OrderTotalCondition() | nodes.OrderLineCondition():
                aspects.add(Aspect.ORDERS)
            case nodes.ConsentCondition():
                aspects.add(Aspect.CONSENT)
            case nodes.ReachableCondition():
                aspects |= {Aspect.CONSENT, Aspect.ADDRESSES}
                if condition.channel == Channel.POST:  # the address of the golden record
                    aspects.add(Aspect.ATTRIBUTES)
    return Interests(frozenset(nodes.events(definition.where)), frozenset(aspects))
