"""Segments as pages show them: with their sentence, or with the reason why it cannot be read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from cdp_site.core.access import Scope
from cdp_site.core.errors import MendableError
from cdp_site.core.models import User
from segments import audience, catalogue
from segments.definition.describe import describe
from segments.definition.fields import Fields
from segments.definition.nodes import Definition
from segments.membership import reading
from segments.models import Segment

NO_TRENDS: Mapping[UUID, str] = MappingProxyType({})


@dataclass(frozen=True)
class Shown:
    """A segment with its sentence in the current language; without one when the scope does not see all it names, nor a
    trend then (corners of `history.trends`)."""

    segment: Segment
    sentence: str
    trend: str = ""


def shown(segments: Iterable[Segment], scope: Scope, *, trends: Mapping[UUID, str] = NO_TRENDS) -> list[Shown]:
    """Each segment with its sentence. Four queries, however many segments."""
    fields = catalogue.fields(scope)
    told = [(segment, _sentence_of(segment, fields)) for segment in segments]
    return [Shown(segment, text, trends.get(segment.pk, "") if text else "") for segment, text in told]


def _sentence_of(segment: Segment, fields: Fields) -> str:
    definition = audience.readable(segment, fields)
    return "" if definition is None else sentence(definition, fields)


def sentence(definition: Definition, fields: Fields) -> str:
    """The definition in the current language, with the company's names of things."""
    words = catalogue.words()
    language = next(code for code, known in catalogue.LANGUAGES.items() if known is words)
    return describe(definition, language, catalogue.names(fields))


@dataclass(frozen=True, slots=True)
class Rights:
    """What a reader may do with a segment beside using it. `changes`: its definition and its script; `keeps`: its
    owner, folder, sharing, archive and end."""

    changes: bool
    keeps: bool


def rights(segment: Segment, user: User) -> Rights:
    """Two queries."""
    one = Segment.objects.only_this(segment.pk)
    return Rights(changes=one.changeable_by(user).exists(), keeps=one.kept_by(user).exists())


@dataclass(frozen=True)
class Size:
    """How many people a definition selects of all whom the viewer sees; or the problem that kept it from being said.
    `as_of`: up to when everything is in it, of a stored number; None: counted now."""

    members: int | None
    everybody: int = 0
    problem: MendableError | None = None
    as_of: datetime | None = None

    @property
    def percent(self) -> float | None:
        return 100 * self.members / self.everybody if self.members is not None and self.everybody else None


def size(question: audience.Question) -> Size:
    """Counted now."""
    try:
        return Size(audience.count(question), audience.count_everybody(question.scope))
    except audience.TooSlowProblem as problem:
        return Size(None, problem=problem)


def size_of(segment: Segment, scope: Scope) -> Size:
    """The same for a stored segment, which may also be unreadable for this reader."""
    try:
        question = audience.Question.of_segment(segment, scope)
    except MendableError as problem:
        return Size(None, problem=problem)
    return replace(size(question), as_of=reading.fresh_as_of(segment) if question.stored else None)
