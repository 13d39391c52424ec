"""What is to be said of a draft: what is wrong, what is still open, and the definition when neither is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any as Json
from uuid import UUID

from django.utils import translation

from cdp_site.core.access import Scope
from segments import catalogue, lens, references
from segments.builder import draft
from segments.definition import nodes
from segments.definition.describe import describe
from segments.definition.fields import Fields
from segments.definition.parse import DefinitionProblem, Problem

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


def review(written: dict[str, Json], fields: Fields, segment: UUID | None = None) -> Review:
    """Read a fitted draft as it would be stored, as the next version of a segment or as a new one."""
    try:
        return Review(references.checked(draft.finished(written), fields, segment))
    except DefinitionProblem as problem:
        return Review(
            None,
            wrong=[one for one in problem.problems if one.code not in OPEN],
            open=[one for one in problem.problems if one.code in OPEN],
        )


def sentences(definition: nodes.Definition, scope: Scope) -> list[tuple[str, str]]:
    """(language, sentence), the reader's own language first. A query for each."""
    own = next(code for code, known in catalogue.LANGUAGES.items() if known is catalogue.words())
    found = []
    for language in (own, *(code for code in catalogue.LANGUAGES if code != own)):
        with translation.override(language):
            found.append((language, describe(definition, language, lens.on([definition], scope).names)))
    return found
