"""Conditions on products' properties ask for every spelling of a word: Red is แดง, by the catalogue.

A definition is stored and shown as it was written; it is widened when it is asked, so that a word that is explained
tomorrow is found tomorrow.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from profiles import catalogue
from segments.definition import nodes
from segments.definition.nodes import Comparison, Operator

# What a comparison with one text becomes when the text has several spellings.
_WIDENED: Mapping[Operator, Operator] = {
    Operator.IS: Operator.IN,
    Operator.IN: Operator.IN,
    Operator.IS_NOT: Operator.NOT_IN,
    Operator.NOT_IN: Operator.NOT_IN,
}
Known = Mapping[tuple[str, str], Sequence[str]]


def widened(definitions: Sequence[nodes.Definition]) -> list[nodes.Definition]:
    """The definitions as they are asked. One query, none when no condition names a property's text."""
    wanted = {key for definition in definitions for key in _texts(definition.where)}
    known = catalogue.spellings_of(wanted) if wanted else {}
    if not known:
        return list(definitions)
    return [replace(definition, where=_group(definition.where, known)) for definition in definitions]


def _texts(group: nodes.Node) -> Iterator[tuple[str, str]]:
    for condition in nodes.conditions(group):
        if isinstance(condition, nodes.TouchpointCondition):
            for one in condition.filters:
                yield from ((one.property, text) for text in _asked(one.comparison))


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
    if isinstance(node, nodes.TouchpointCondition):
        return replace(node, filters=tuple(_filter(one, known) for one in node.filters))
    return node


def _filter(one: nodes.PropertyFilter, known: Known) -> nodes.PropertyFilter:
    asked = _asked(one.comparison)
    spellings = [spelling for text in asked for spelling in known.get((one.property, text), ())]
    choices = tuple(dict.fromkeys([*asked, *spellings]))[: nodes.MAX_CHOICES]
    if len(choices) == len(asked):
        return one
    return replace(one, comparison=Comparison(_WIDENED[one.comparison.operator], choices))
