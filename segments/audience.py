"""Who is in a segment now: how many, which ones, and which segments one person is in."""

import datetime as dt
import zoneinfo
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any as Json
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from psycopg import errors, sql

from cdp_site.core.access import Scope
from cdp_site.core.errors import MendableError
from profiles import survivorship
from profiles.models import Profile
from segments import catalogue, lens, persons, references, spellings
from segments.definition import nodes
from segments.definition.describe import describe
from segments.definition.evaluate import Moment, holds
from segments.definition.fields import Fields
from segments.definition.parse import DefinitionProblem
from segments.definition.people import asks_at_once, can_be_shared, everybody, people
from segments.definition.problems import StoredProblem
from segments.definition.viewer import Span, Strategy, Viewer
from segments.lens import Lens
from segments.membership import reading
from segments.membership.reading import Page
from segments.models import Segment

SQL = sql.SQL

LIMIT_SECONDS = 10
"""A question that takes longer is given up: ten times the slowest standard definition at a million profiles."""
HELPERS = 1
"""Processes that an exact count may use beside its own: somebody waits, and the smallest machine has two cores."""
SHARES, SHARERS, WORTH_SHARING = 4, 2, 50_000
"""Into how many spans of ids people are parted where that can be; how many processes count them, for which their own
only waits; and from how many profiles on. More spans than processes, because some take longer than others."""
PAGE_SIZE = 50
EVERYBODY_SECONDS = 60
"""How long the number of all customers is remembered; it only says what share a segment is."""


class TooSlowProblem(MendableError):
    """The database was stopped: the definition asks for more than it can read in time."""

    code = "too_slow"

    def __init__(self, seconds: int = LIMIT_SECONDS) -> None:
        super().__init__(
            _("Counting was stopped after %(n)d seconds: the definition reads too much.") % {"n": seconds},
            hint=_("Shorten the time windows, or add a condition on an attribute that leaves fewer people."),
        )


class HiddenProblem(MendableError):
    """A segment names what the reader's department does not see, or what is gone."""

    code = "hidden_fields"

    def __init__(self) -> None:
        super().__init__(
            _("This segment uses data that your department does not see, or that no longer exists."),
            hint=_("Ask the department that wrote it."),
        )


@dataclass(frozen=True)
class Question:
    """A definition as one viewer asks it at one moment.

    `segment`: whose definition of now it is. For who sees all that it rests on, what is stored of it answers.
    """

    definition: nodes.Definition
    scope: Scope
    viewer: Viewer
    now: dt.datetime
    segment: Segment | None = None

    @classmethod
    def of(cls, definition: nodes.Definition, scope: Scope, viewer: Viewer | None = None) -> "Question":
        """`viewer`: the scope's, where it is known already. Four queries otherwise, two more for words, and those of
        `references.resolved`. Raises DefinitionProblem where segments ask for each other in a circle, HiddenProblem
        where one of them is gone."""
        (resolved,) = references.resolved([definition])
        if not references.is_resolved(resolved):
            references.check(None, definition)
            raise HiddenProblem
        (asked,) = spellings.widened([resolved])
        return cls(asked, scope, viewer or catalogue.viewer(scope), timezone.now())

    @classmethod
    def of_segment(cls, segment: Segment, scope: Scope) -> "Question":
        """Raises what `shown` and `of` do."""
        return replace(cls.of_stored(segment.definition, scope), segment=segment)

    @classmethod
    def of_stored(cls, stored: Json, scope: Scope) -> "Question":
        """The same for a definition as it is stored, of whatever version of a segment."""
        return cls.of(shown(stored, scope)[0], scope)

    def select(
        self,
        strategy: Strategy = Strategy.SWEEP,
        among: sql.Composable | None = None,
        span: Span | None = None,
    ) -> sql.Composed:
        """SELECT of the members' profile ids as `id`."""
        return people(
            self.definition,
            self.viewer,
            now=self.now,
            time_zone=company_time_zone(),
            strategy=strategy,
            among=among,
            span=span,
        )

    def shares(self) -> list[sql.Composed]:
        """The same in parts, each of other people, that processes can work at side by side; one part where it is not
        worth it. One query where it can be."""
        spans = _spans() if can_be_shared(self.definition, self.viewer) else []
        return [self.select(span=span) for span in spans] or [self.select()]

    @property
    def sees_whole(self) -> bool:
        """Whether what is stored of it is what the viewer would count."""
        return sees_whole(self.definition, self.viewer)

    @cached_property
    def stored(self) -> Segment | None:
        """The segment whose stored members are the answer. Four queries once, none where they cannot be."""
        if self.segment is None or not self.sees_whole:
            return None
        return self.segment if reading.is_relied_on(self.segment) else None


def shown(stored: Json, scope: Scope) -> tuple[nodes.Definition, Lens]:
    """A stored definition of which the scope sees all that it names, with its lens. Raises StoredProblem for one that
    this program does not read or that names what is gone, HiddenProblem for one of what the scope does not see."""
    definition = references.parsed(stored)
    through = lens.on([definition], scope)
    if not through.shows(definition.where):
        if gone := through.gone(definition.where):
            raise StoredProblem(gone)
        raise HiddenProblem
    return definition, through


def sees_whole(definition: nodes.Definition, viewer: Viewer) -> bool:
    """Whether nothing of what a definition rests on is hidden from the viewer: what is stored is of all data."""
    if viewer.sources is not None:
        return False
    conditions = list(nodes.conditions(definition.where))
    if viewer.hidden_traits and any(isinstance(one, nodes.ReachableCondition) for one in conditions):
        return False
    traits = (one.trait for one in conditions if isinstance(one, nodes.AttributeCondition))
    return viewer.hidden_traits.isdisjoint(part for trait in traits for part in survivorship.unit_of(trait))


def readable(segment: Segment, found: Fields) -> nodes.Definition | None:
    """The segment's definition; None if it names what `found` does not have, or cannot be read at all."""
    definition = read(segment.definition)
    return definition if definition is not None and found.shows(definition.where) else None


def company_time_zone() -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(settings.COMPANY_TIME_ZONE)


def count(question: Question) -> int:
    """How many people are in it. Raises TooSlowProblem."""
    stored = question.stored
    if stored is not None and (n := reading.size(stored)) is not None:
        return n
    counts = [SQL("SELECT count(*) AS n FROM ({}) q").format(share) for share in question.shares()]
    query = SQL("SELECT sum(n) FROM ({}) q").format(SQL(" UNION ALL ").join(counts))
    return int(_answer(query, helpers=SHARERS if len(counts) > 1 else HELPERS)[0][0])


def _spans() -> list[Span]:
    """All profiles in parts with about as many ids each; none where they are few."""
    last = Profile.objects.aggregate(last=Max("pk"))["last"] or 0
    if last < WORTH_SHARING:
        return []
    ends = [last * share // SHARES for share in range(1, SHARES)]
    return [Span(first, end) for first, end in pairwise([0, *ends, last + 1])]


def count_everybody(scope: Scope) -> int:
    """How many people the scope sees at all, to the minute."""

    def read() -> int:
        query = everybody(catalogue.viewer(scope), now=timezone.now(), time_zone=company_time_zone())
        return int(_answer(SQL("SELECT count(*) FROM ({}) q").format(query))[0][0])

    sources = "all" if scope.source_ids is None else "-".join(map(str, sorted(scope.source_ids)))
    return int(cache.get_or_set(f"segments-everybody-{sources}", read, EVERYBODY_SECONDS) or 0)


def member_ids(question: Question) -> list[int]:
    """Profile ids of all members, ascending. Raises TooSlowProblem."""
    if (stored := question.stored) is not None:
        return reading.member_ids(stored)
    return [profile_id for (profile_id,) in _answer(SQL("{} ORDER BY p.id").format(question.select()))]


def page(question: Question, *, after: UUID | None = None, size: int = PAGE_SIZE) -> Page:
    """Members behind `after` (a public id, because keys stand in addresses). Raises TooSlowProblem."""
    if (stored := question.stored) is not None:
        return reading.members(stored, after=after, size=size)
    beyond: sql.Composable = SQL("true")  # of a page only as many are looked for as it takes
    if after is not None:
        beyond = SQL("p.id > (SELECT k.id FROM profiles_profile k WHERE k.public_id = {})").format(after)
    if asks_at_once(question.definition):
        members = SQL("SELECT p.id FROM ({}) p WHERE {}").format(question.select(), beyond)
    else:
        members = question.select(among=beyond)
    query = SQL("{} ORDER BY p.id LIMIT {}").format(members, size + 1)
    ids = [profile_id for (profile_id,) in _answer(query)]
    found = Profile.objects.in_bulk(ids[:size])
    profiles = [found[profile_id] for profile_id in ids[:size] if profile_id in found]
    return Page(profiles, profiles[-1].public_id if profiles and len(ids) > size else None)


@dataclass(frozen=True)
class Standing:
    """The segments that one customer is in, in the order in which they were asked about."""

    segments: Sequence[Segment]
    definitions: Mapping[UUID, nodes.Definition]
    lens: Lens

    def sentence(self, segment: Segment) -> str:
        """Who is in it, in the current language."""
        language = "th" if (get_language() or "").startswith("th") else "en"
        return describe(self.definitions[segment.pk], language, self.lens.names)


def standing(profile: Profile, segments: Iterable[Segment], scope: Scope) -> Standing:
    """Those of the segments that the profile is in. One query of what is stored, and for all that it does not answer
    one statement, or those that read the customer (`persons.now`); beside three for what the segments name.

    A segment that names what the scope does not see is left out. Raises TooSlowProblem.
    """
    written = references.of_segments(segments)
    through = lens.on(written.values(), scope)
    seen = {segment: definition for segment, definition in written.items() if through.shows(definition.where)}
    whole = [segment for segment, definition in seen.items() if sees_whole(definition, through.viewer)]
    known = reading.known_of(profile, whole) if whole else {}
    unknown = [segment for segment in seen if segment.pk not in known]
    asked = dict(zip(unknown, spellings.widened([seen[segment] for segment in unknown]), strict=True))
    holding = {segment.pk for segment in _holding(profile, asked, scope, through.viewer)}
    holding |= {segment_id for segment_id, is_member in known.items() if is_member}
    of_these = [segment for segment in seen if segment.pk in holding]
    return Standing(of_these, {segment.pk: seen[segment] for segment in of_these}, through)


WORTH_READING = 8
"""Definitions about one customer from which on the customer is read once and asked in memory: the database needs more
time to plan a question about one person than to answer it."""


def _holding(
    profile: Profile, asked: Mapping[Segment, nodes.Definition], scope: Scope, viewer: Viewer
) -> Iterator[Segment]:
    """The segments whose definitions hold for the profile now."""
    moment = Moment(timezone.now(), company_time_zone())
    readable = {segment: definition for segment, definition in asked.items() if persons.tells(definition)}
    told: dict[Segment, bool] = {}
    if len(readable) >= WORTH_READING:
        with suppress(persons.TooManyRows):
            person = persons.now(profile, viewer, moment, asked=list(readable.values()))
            told = {
                segment: person is not None and holds(definition.where, person, moment)
                for segment, definition in readable.items()
                if person is None or persons.tells_soon(definition, person)
            }
    yield from (segment for segment, is_in in told.items() if is_in)
    left = [segment for segment in asked if segment not in told]
    only_this = SQL("p.id = {}").format(profile.pk)
    questions: list[sql.Composable] = [
        SQL("SELECT {} WHERE EXISTS ({})").format(
            place, Question(asked[segment], scope, viewer, moment.now).select(Strategy.PROBE, only_this)
        )
        for place, segment in enumerate(left)
    ]
    if questions:
        yield from (left[place] for (place,) in _answer(SQL(" UNION ALL ").join(questions)))


def read(stored: Json) -> nodes.Definition | None:
    """A stored definition; None for one that this program does not read."""
    try:
        return references.parsed(stored)
    except DefinitionProblem:
        return None


def _answer(query: sql.Composable, *, helpers: int = 0) -> list[tuple[int]]:
    with time_limit(helpers=helpers), connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


@contextmanager
def time_limit(seconds: int = LIMIT_SECONDS, *, helpers: int = 0) -> Generator[None]:
    """Statements inside are stopped by the database after so many seconds each, and may use so many processes beside
    their own, or as many as the server allows. Raises TooSlowProblem when they are stopped."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_LIMITS, [f"{seconds}s", helpers])
            yield
            cursor.execute(_NO_LIMITS)
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise TooSlowProblem(seconds) from error
        raise


_LIMITS = """
SELECT set_config('statement_timeout', %s, true), set_config('max_parallel_workers_per_gather',
       greatest(current_setting('max_parallel_workers_per_gather')::int, %s)::text, true)
"""
_NO_LIMITS = "SET LOCAL statement_timeout TO DEFAULT; SET LOCAL max_parallel_workers_per_gather TO DEFAULT"
