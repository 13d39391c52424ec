"""Which rule keeps how many people out: a definition worked out over the answers of a sample. Pure.

Answers are sets of people written as whole numbers, one bit a person: AND, OR and NOT of thousands of people are one
operation each, so that every row of a long definition can be left out in turn.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from segments.definition import nodes


@dataclass(frozen=True, slots=True)
class Answered:
    """`holds[n]`: of whom the definition's n-th condition holds, in reading order, among `everybody`."""

    holds: Sequence[int]
    everybody: int

    @classmethod
    def of(cls, tallies: Iterable[tuple[str, int]], n_conditions: int) -> "Answered":
        """From the answers as texts of 0 and 1, one character a condition, each with the number of its people."""
        people = [answers for answers, n in tallies for _person in range(n)]
        if not people:
            return cls([0] * n_conditions, 0)
        holds = [int("".join(column), 2) for column in zip(*people, strict=True)]
        return cls(holds, (1 << len(people)) - 1)


@dataclass(frozen=True, slots=True)
class RowCounts:
    """How many people of the sample meet a row alone, and how many the whole definition without it."""

    place: str
    alone: int
    without: int


def members(where: nodes.Group, answered: Answered) -> int:
    """How many people of the sample the definition holds for."""
    return _holding(where, answered).bit_count()


def by_row(where: nodes.Group, answered: Answered) -> Iterator[RowCounts]:
    """For each condition and group below the outermost one, by its place in the definition's JSON."""
    for place, node, at in _placed(where, "/where", 0):
        alone = _reckoned(node, answered, at, None)
        yield RowCounts(
            place,
            alone=0 if alone is None else alone.bit_count(),
            without=_holding(where, answered, but=node).bit_count(),
        )


def _placed(group: nodes.Group, place: str, at: int) -> Iterator[tuple[str, nodes.Node, int]]:
    """Place, node, and the number of its first condition."""
    for number, member in enumerate(group.of):
        here = f"{place}/of/{number}"
        yield here, member, at
        if isinstance(member, nodes.All | nodes.Any | nodes.Not):
            yield from _placed(member, here, at)
        at += _length(member)


def _holding(where: nodes.Group, answered: Answered, but: nodes.Node | None = None) -> int:
    found = _reckoned(where, answered, 0, but)
    return answered.everybody if found is None else found  # no rule is left: it holds for everybody


def _reckoned(node: nodes.Node, answered: Answered, at: int, but: nodes.Node | None) -> int | None:
    """The people for whom a node holds whose first condition is number `at`; None when nothing is left of it.

    `but`: a node that is thought away. With the last member of a group the group itself goes.
    """
    if node is but:
        return None
    if not isinstance(node, nodes.All | nodes.Any | nodes.Not):
        return answered.holds[at]
    found = answered.everybody if isinstance(node, nodes.All) else 0
    is_empty = True
    for member in node.of:
        of_member = _reckoned(member, answered, at, but)
        at += _length(member)
        if of_member is not None:
            is_empty = False
            found = found & of_member if isinstance(node, nodes.All) else found | of_member
    if is_empty:
        return None
    return answered.everybody & ~found if isinstance(node, nodes.Not) else found


def _length(node: nodes.Node) -> int:
    return sum(1 for _condition in nodes.own_conditions(node))
