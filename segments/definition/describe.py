"""A definition as one sentence in English or Thai: what the marketer reads back before trusting the number."""

from functools import singledispatch

from segments.definition import nodes
from segments.definition.words import LANGUAGES, Names, Words

NO_NAMES = Names()


def describe(definition: nodes.Definition, language: str, names: Names = NO_NAMES) -> str:
    """The sentence, e.g. "People who viewed a product (colour is “red”) at least 5 times in the last 7 days."

    Args:
        language: "en" or "th".
        names: what the company calls its things in that language.
    """
    words = LANGUAGES[language]
    return words.sentence(clause(definition.where, words, names, outermost=True))


@singledispatch
def clause(node: nodes.Node, words: Words, names: Names, *, outermost: bool = False) -> str:
    """One node as a part of the sentence. A group with several members stands in brackets, but for the outermost."""
    raise TypeError(f"no words for {type(node).__name__}")


@clause.register(nodes.All)
@clause.register(nodes.Any)
def _(node: nodes.All | nodes.Any, words: Words, names: Names, *, outermost: bool = False) -> str:
    joined = words.joined([clause(member, words, names) for member in node.of], type(node))
    return joined if outermost or len(node.of) == 1 else f"({joined})"


@clause.register
def _(node: nodes.Not, words: Words, names: Names, *, outermost: bool = False) -> str:
    joined = words.joined([clause(member, words, names) for member in node.of], nodes.Any)
    return words.not_among(joined if len(node.of) == 1 else f"({joined})")


@clause.register
def _(node: nodes.AttributeCondition, words: Words, names: Names, *, outermost: bool = False) -> str:
    return words.attribute(node, names)


@clause.register
def _(node: nodes.TouchpointCondition, words: Words, names: Names, *, outermost: bool = False) -> str:
    return words.touchpoint(node, names)


@clause.register
def _(node: nodes.MeasureCondition, words: Words, names: Names, *, outermost: bool = False) -> str:
    return words.measure(node, names)


@clause.register
def _(node: nodes.SequenceCondition, words: Words, names: Names, *, outermost: bool = False) -> str:
    return words.sequence(node, names)


@clause.register
def _(node: nodes.OrderTotalCondition, words: Words, names: Names, *, outermost: bool = False) -> str:
    return words.order_total(node)


@clause.register
def _(node: nodes.OrderLineCondition, words: Words, names: Names, *, outermost: bool = False) -> str:
    return words.order_line(node)


@clause.register
def _(node: nodes.ConsentCondition, words: Words, names: Names, *, outermost: bool = False) -> str:
    return words.consent(node, names)


@clause.register
def _(node: nodes.ReachableCondition, words: Words, names: Names, *, outermost: bool = False) -> str:
    return words.reachable(node, names)


@clause.register
def _(node: nodes.SegmentCondition, words: Words, names: Names, *, outermost: bool = False) -> str:
    return words.segment(node, names)


@clause.register
def _(node: nodes.ListCondition, words: Words, names: Names, *, outermost: bool = False) -> str:
    return words.on_list(node, names)
