"""What is to be said of a draft: what is wrong, what is still open, and the definition when neither is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any as Json

from segments.builder import draft
from segments.definition import nodes
from segments.definition.fields import Fields
from segments.definition.parse import DefinitionProblem, Problem, parse

OPEN = frozenset({"value-missing", "name-missing", "key-missing", "group-empty"})
"""Codes of what is not wrong but not said yet: told when somebody saves, not while they write."""


@dataclass(frozen=True)
class Review:
    """`definition` is there when there are no problems of either kind."""

    definition: nodes.Definition | None
    wrong: Sequence[Problem] = ()
    open: Sequence[Problem] = ()

    @property
    def problems(self) -> Sequence[Problem]:
        return [*self.wrong, *self.open]


def review(written: dict[str, Json], fields: Fields) -> Review:
    """Read a fitted draft as it would be stored."""
    try:
        return Review(parse(draft.finished(written), fields))
    except DefinitionProblem as problem:
        return Review(
            None,
            wrong=[one for one in problem.problems if one.code not in OPEN],
            open=[one for one in problem.problems if one.code in OPEN],
        )
