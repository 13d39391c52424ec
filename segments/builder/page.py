"""What the builder shows: a fitted draft as rows, what is wrong with it, and where each of its parts is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any as Json

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from segments import catalogue
from segments.builder import fitting, popularity
from segments.builder.controls import Row
from segments.builder.review import Review, review
from segments.builder.rows import Painter
from segments.definition import nodes
from segments.definition.fields import Fields
from segments.definition.problems import Problem
from segments.models import Segment


@dataclass(frozen=True)
class Sheet:
    """A definition as one user writes it. `kept`: the segment whose next version it is.

    Open points are told only when somebody saves: until then they are still writing.
    """

    written: Mapping[str, Json]
    user: User
    kept: Segment | None = None
    is_saving: bool = False

    @cached_property
    def scope(self) -> Scope:
        return scope_of(self.user)

    @cached_property
    def fields(self) -> Fields:
        kept = self.kept.definition if self.kept else None
        return catalogue.fields_of(self.scope, self.written, kept=kept, by=self.user)

    @cached_property
    def fitted(self) -> dict[str, Json]:
        """With what follows from its choices."""
        return fitting.fit(dict(self.written), self.fields)

    @cached_property
    def review(self) -> Review:
        return review(self.fitted, self.fields, self.kept.pk if self.kept else None)

    @property
    def definition(self) -> nodes.Definition | None:
        """As it would be stored; None while it has gaps or mistakes."""
        return self.review.definition

    @property
    def told(self) -> Sequence[Problem]:
        return self.review.problems if self.is_saving else self.review.wrong

    @cached_property
    def row(self) -> Row:
        named = popularity.events_named(self.fitted)
        known = popularity.popularity(self.fields, self.scope, events=named)
        own = str(self.kept.pk) if self.kept else ""
        return Painter(self.fields, catalogue.words(), self.told, known, own).rows(self.fitted)

    def focus(self, place: str) -> str:
        """Id of the element at a place: the first control below it, else the group whose members it lists."""
        for row in self.row.flat():
            for line in row.lines:
                for control in line.controls:
                    if control.kind != "word" and (control.name == place or control.name.startswith(f"{place}/")):
                        return control.id
            if row.mode is not None and row.place == place:
                return row.mode.id
        above = place.rsplit("/", 1)[0]
        return next((row.id for row in self.row.flat() if row.place in {place, above}), self.row.id)
