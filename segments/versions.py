"""The definitions that a segment had: what each said, how two differ, who enters and leaves between them, and back."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import zip_longest

from django.db import transaction

from cdp_site.core import audit
from cdp_site.core.access import Scope, scope_of
from cdp_site.core.actors import names_of
from cdp_site.core.errors import MendableError
from cdp_site.core.marking import Piece
from cdp_site.core.models import User
from profiles.models import Profile
from segments import audience, authoring, catalogue, comparing, evidence, lens, presenting, references
from segments.audience import Question
from segments.comparing import Sides
from segments.definition import nodes
from segments.definition.describe import clause
from segments.definition.fields import Fields
from segments.definition.problems import DefinitionProblem, StoredProblem
from segments.definition.serialise import node as written
from segments.lens import Lens
from segments.models import Segment, SegmentVersion


@dataclass(frozen=True, slots=True)
class Version:
    """A version as the list shows it. `sentence` is empty for what the reader does not see, and for what this program
    does not read: `problem` says why."""

    number: int
    at: datetime
    by: str
    sentence: str
    is_current: bool
    problem: MendableError | None = None


def history(segment: Segment, scope: Scope) -> list[Version]:
    """All versions, the latest first. Some eight queries, however many versions."""
    fields = catalogue.fields(scope)
    stored = list(segment.versions.order_by("-version"))
    actors = names_of({one.actor for one in stored})
    return [
        Version(one.version, one.at, actors[one.actor], text, one.version == segment.version, problem)
        for one in stored
        for text, problem in (_told(one, fields),)
    ]


def _told(stored: SegmentVersion, fields: Fields) -> tuple[str, MendableError | None]:
    definition = references.tried(stored.definition)
    if isinstance(definition, StoredProblem):
        return "", definition
    return presenting.sentence(definition, fields) if fields.shows(definition.where) else "", None


# --- how two differ ---------------------------------------------------------------------------------------------------


class Change(StrEnum):
    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Line:
    """A group's heading or a condition, so many groups deep. What differs from the other side is marked."""

    depth: int
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Row:
    """What stands beside each other; one of the two may be missing."""

    change: Change
    before: Line | None
    after: Line | None


@dataclass(frozen=True, slots=True)
class _Written:
    depth: int
    text: str
    key: str  # equal where the meaning is equal, whatever the words


def difference(before: SegmentVersion, after: SegmentVersion, scope: Scope) -> list[Row]:
    """Both definitions line by line, beside each other. A condition on what the reader does not see is told as hidden,
    one on what is gone names it; a definition that cannot be read (`unread`) has no lines. Some seven queries."""
    fields = catalogue.fields(scope)
    read = [audience.read(one.definition) for one in (before, after)]
    through = lens.on([one for one in read if one is not None], scope)
    old, new = ([] if one is None else list(_below(one.where, fields, through, 0)) for one in read)
    matcher = SequenceMatcher(None, [one.key for one in old], [one.key for one in new], autojunk=False)
    return [
        row
        for how, a, b, c, d in matcher.get_opcodes()
        for row in (_same(old[a:b], new[c:d]) if how == "equal" else _changed(old[a:b], new[c:d]))
    ]


def unread(*stored: SegmentVersion) -> list[tuple[int, StoredProblem]]:
    """Those of the versions that this program does not read, by number, with the reason."""
    read = ((one.version, references.tried(one.definition)) for one in stored)
    return [(version, problem) for version, problem in read if isinstance(problem, StoredProblem)]


def _below(node: nodes.Node, fields: Fields, through: Lens, depth: int) -> Iterator[_Written]:
    words = catalogue.words()
    if isinstance(node, nodes.All | nodes.Any | nodes.Not):
        kind = written(node)["kind"]
        yield _Written(depth, _capital(words.groups[kind]), f"{depth} {kind}")
        for member in node.of:
            yield from _below(member, fields, through, depth + 1)
    elif fields.shows(node):
        yield _Written(depth, _capital(clause(node, words, catalogue.names(fields))), f"{depth} {written(node)}")
    else:
        yield _Written(depth, evidence.unseen(node, through), f"{depth} {written(node)}")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _same(old: Sequence[_Written], new: Sequence[_Written]) -> Iterator[Row]:
    for before, after in zip(old, new, strict=True):
        yield Row(Change.SAME, _plain(before), _plain(after))


def _changed(old: Sequence[_Written], new: Sequence[_Written]) -> Iterator[Row]:
    for before, after in zip_longest(old, new):
        if before is None:
            yield Row(Change.ADDED, None, _plain(after))
        elif after is None:
            yield Row(Change.REMOVED, _plain(before), None)
        else:
            yield Row(Change.CHANGED, *_marked(before, after))


def _plain(one: _Written) -> Line:
    return Line(one.depth, [Piece(one.text, False)])


_TOKENS = re.compile(r"“[^”]*”|[\d][\d,.]*|\s+|[^\s“\d]+")


def _marked(before: _Written, after: _Written) -> tuple[Line, Line]:
    """Both with the words marked that the other does not have."""
    old, new = _TOKENS.findall(before.text), _TOKENS.findall(after.text)
    left: list[Piece] = []
    right: list[Piece] = []
    for how, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if a < b:
            left.append(Piece("".join(old[a:b]), how != "equal"))
        if c < d:
            right.append(Piece("".join(new[c:d]), how != "equal"))
    return Line(before.depth, left), Line(after.depth, right)


# --- what the difference does -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effect:
    """Who is in both, who leaves (`sides.only_first`) and who enters (`sides.only_second`), and some of them."""

    sides: Sides
    leaving: Sequence[Profile]
    entering: Sequence[Profile]

    @property
    def more_leaving(self) -> int:
        """Beside those who are named."""
        return self.sides.only_first - len(self.leaving)

    @property
    def more_entering(self) -> int:
        return self.sides.only_second - len(self.entering)


def effect(before: SegmentVersion, after: SegmentVersion, scope: Scope, *, with_people: bool) -> Effect:
    """Counted now, as both definitions would have it at this moment. Raises TooSlowProblem, HiddenProblem and
    DefinitionProblem."""
    old = Question.of_stored(before.definition, scope)
    new = replace(Question.of_stored(after.definition, scope), now=old.now)
    sides = comparing.sides(old, new)
    leaving = comparing.some_of(old, not_of=new) if with_people and sides.only_first else ()
    entering = comparing.some_of(new, not_of=old) if with_people and sides.only_second else ()
    return Effect(sides, leaving, entering)


@transaction.atomic
def restore(*, segment: Segment, version: SegmentVersion, by: User) -> Segment:
    """The definition of an earlier version, as a new one. Raises what `authoring.change` does; for a definition that
    cannot be written again StoredProblem, and HiddenProblem where it names what the user does not see."""
    try:
        restored = authoring.change(
            segment=segment,
            name=segment.name,
            description=segment.description,
            department=segment.department,
            definition=version.definition,
            by=by,
        )
    except DefinitionProblem as problem:
        audience.shown(version.definition, scope_of(by))
        raise StoredProblem(problem.problems) from problem
    if restored.version != segment.version:
        audit.record(action="segment.restore", target=restored, by=by, fields=[f"version:{version.version}"])
    return restored
