"""Conditions on products' properties ask for every spelling of a word: Red is แดง, by the catalogue.

A definition is stored and shown as it was written; it is widened when it is asked, so that a word that is explained
tomorrow is found tomorrow.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from profiles import catalogue
from segments.definition import nodes
from segments.definition.nodes import Comparison, Operator
from segments.models import ComputedTrait
from segments.traits.formula import OF_VALUES, slug_of

# What a comparison with one text becomes when the text has several spellings.
_WIDENED: Mapping[Operator, Operator] = {
    Operator.IS: Operator.IN,
    Operator.IN: Operator.IN,
    Operator.IS_NOT: Operator.NOT_IN,
    Operator.NOT_IN: Operator.NOT_IN,
}
Known = Mapping[tuple[str, str], Sequence[str]]


def widened(definitions: Sequence[nodes.Definition]) -> list[nodes.Definition]:
    """The definitions as they are asked. One query, none when no condition names a property's text; before it one more
    where a computed trait is compared with a text: of which property it is."""
    computed = _of_computed(definitions)
    wanted = {(computed.get(name, name), text) for definition in definitions for name, text in _texts(definition.where)}
    known = catalogue.spellings_of(wanted) if wanted else {}
    if not known:
        return list(definitions)
    known |= {(trait, text): known[name, text] for trait, name in computed.items() for of, text in known if of == name}
    return [replace(definition, where=_group(definition.where, known)) for definition in definitions]


def is_worded(condition: nodes.Node) -> TypeGuard[nodes.AttributeCondition]:
    """Whether a condition compares a computed trait with a text, which may be a word of products."""
    return (
        isinstance(condition, nodes.AttributeCondition)
        and slug_of(condition.trait) is not None
        and bool(_asked(condition.comparison))
    )


def _of_computed(definitions: Sequence[nodes.Definition]) -> dict[str, str]:
    """What definitions call computed traits that have values of a property → the property. One query, none when no
    computed trait is compared with a text."""
    conditions = (one for definition in definitions for one in nodes.conditions(definition.where))
    slugs = {one.trait: slug for one in conditions if is_worded(one) and (slug := slug_of(one.trait))}
    if not slugs:
        return {}
    traits = ComputedTrait.objects.called(set(slugs.values())).filter(definition__calculation__in=OF_VALUES)
    properties = dict(traits.values_list("slug", "definition__property"))
    return {trait: properties[slug] for trait, slug in slugs.items() if slug in properties}


def _texts(group: nodes.Node) -> Iterator[tuple[str, str]]:
    for condition in nodes.conditions(group):
        for name, comparison in _compared(condition):
            yield from ((name, text) for text in _asked(comparison))


def _compared(condition: nodes.Condition) -> Iterator[tuple[str, Comparison]]:
    """The properties whose values a condition compares; a computed trait by its own name."""
    filters = [each for one in nodes.picks(condition) for each in one.filters]
    if isinstance(condition, nodes.OrderLineCondition):
        filters += condition.filters
    yield from ((one.property, one.comparison) for one in filters)
    if isinstance(condition, nodes.MeasureCondition):
        yield condition.property, condition.comparison
    if is_worded(condition):
        yield condition.trait, condition.comparison


def _asked(comparison: Comparison) -> list[str]:
    """The texts that a comparison names whole."""
    if comparison.operator not in _WIDENED:
        return []
    values = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    return [value for value in values if isinstance(value, str)]


def _group(group: nodes.Group, known: Known) -> nodes.Group:
    return replace(group, of=tuple(_node(member, known) for member in group.of))


def _node(node: nodes.Node, known: Known) -> nodes.Node:
    if isinstance(node, nodes.All | nodes.Any | nodes.Not):
        return _group(node, known)
    match node:
        case nodes.TouchpointCondition() | nodes.OrderLineCondition():
            return replace(node, filters=_filters(node.filters, known))
        case nodes.MeasureCondition():
            compared = _comparison(node.property, node.comparison, known)
            return replace(node, comparison=compared, filters=_filters(node.filters, known))
        case nodes.SequenceCondition():
            steps = {key: replace(step, filters=_filters(step.filters, known)) for key, step in node.steps.items()}
            return node.with_steps(steps)
        case nodes.SegmentCondition() if node.where is not None:
            return replace(node, where=_group(node.where, known))
    return replace(node, comparison=_comparison(node.trait, node.comparison, known)) if is_worded(node) else node


def _filters(filters: Sequence[nodes.PropertyFilter], known: Known) -> tuple[nodes.PropertyFilter, ...]:
    return tuple(replace(one, comparison=_comparison(one.property, one.comparison, known)) for one in filters)


def _comparison(name: str, comparison: Comparison, known: Known) -> Comparison:
    asked = _asked(comparison)
    spellings = [spelling for text in asked for spelling in known.get((name, text), ())]
    choices = tuple(dict.fromkeys([*asked, *spellings]))[: nodes.MAX_CHOICES]
    if len(choices) == len(asked):
        return comparison
    return Comparison(_WIDENED[comparison.operator], choices)
