"""Who is in a segment now: how many, which ones, and which segments one person is in."""

import datetime as dt
import zoneinfo
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any as Json
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from psycopg import errors, sql

from cdp_site.core.access import Scope
from cdp_site.core.errors import MendableError
from profiles.models import Profile
from segments import catalogue, lens, spellings
from segments.definition import nodes
from segments.definition.compile import Strategy, Viewer, everybody, people
from segments.definition.describe import describe
from segments.definition.fields import Fields
from segments.definition.parse import DefinitionProblem, parse
from segments.lens import Lens
from segments.models import Segment

SQL = sql.SQL

LIMIT_SECONDS = 10
"""A question that takes longer is given up: ten times the slowest standard definition at a million profiles."""
PAGE_SIZE = 50
EVERYBODY_SECONDS = 60
"""How long the number of all customers is remembered; it only says what share a segment is."""


class TooSlowProblem(MendableError):
    """The database was stopped: the definition asks for more than it can read in time."""

    code = "too_slow"

    def __init__(self) -> None:
        super().__init__(
            _("Counting was stopped after %(n)d seconds: the definition reads too much.") % {"n": LIMIT_SECONDS},
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
    """A definition as one viewer asks it at one moment."""

    definition: nodes.Definition
    scope: Scope
    viewer: Viewer
    now: dt.datetime

    @classmethod
    def of(cls, definition: nodes.Definition, scope: Scope, viewer: Viewer | None = None) -> "Question":
        """`viewer`: the scope's, where it is known already. Four queries otherwise, one more for words."""
        (asked,) = spellings.widened([definition])
        return cls(asked, scope, viewer or catalogue.viewer(scope), timezone.now())

    @classmethod
    def of_segment(cls, segment: Segment, scope: Scope) -> "Question":
        """Raises HiddenProblem, and DefinitionProblem for a definition that this program does not read."""
        definition = parse(segment.definition)
        if not catalogue.fields(scope).shows(definition.where):
            raise HiddenProblem
        return cls.of(definition, scope)

    def select(self, strategy: Strategy = Strategy.SWEEP, among: sql.Composable | None = None) -> sql.Composed:
        """SELECT of the members' profile ids as `id`."""
        return people(
            self.definition,
            self.viewer,
            now=self.now,
            time_zone=company_time_zone(),
            strategy=strategy,
            among=among,
        )


def readable(segment: Segment, found: Fields) -> nodes.Definition | None:
    """The segment's definition; None if it names what `found` does not have, or cannot be read at all."""
    definition = read(segment.definition)
    return definition if definition is not None and found.shows(definition.where) else None


def company_time_zone() -> zoneinfo.ZoneInfo:
    return zoneinfo.ZoneInfo(settings.COMPANY_TIME_ZONE)


def count(question: Question) -> int:
    """How many people are in it. Raises TooSlowProblem."""
    return int(_answer(SQL("SELECT count(*) FROM ({}) q").format(question.select()))[0][0])


def count_everybody(scope: Scope) -> int:
    """How many people the scope sees at all, to the minute."""

    def read() -> int:
        query = everybody(catalogue.viewer(scope), now=timezone.now(), time_zone=company_time_zone())
        return int(_answer(SQL("SELECT count(*) FROM ({}) q").format(query))[0][0])

    sources = "all" if scope.source_ids is None else "-".join(map(str, sorted(scope.source_ids)))
    return int(cache.get_or_set(f"segments-everybody-{sources}", read, EVERYBODY_SECONDS) or 0)


def member_ids(question: Question) -> list[int]:
    """Profile ids of all members, ascending. Raises TooSlowProblem."""
    return [profile_id for (profile_id,) in _answer(SQL("{} ORDER BY p.id").format(question.select()))]


@dataclass(frozen=True, slots=True)
class Page:
    """Members in the order of their intake; `next` is the key behind which the next page begins."""

    profiles: Sequence[Profile]
    next: UUID | None


def page(question: Question, *, after: UUID | None = None, size: int = PAGE_SIZE) -> Page:
    """Members behind `after` (a public id, because keys stand in addresses). Raises TooSlowProblem."""
    beyond = None
    if after is not None:
        beyond = SQL("p.id > (SELECT k.id FROM profiles_profile k WHERE k.public_id = {})").format(after)
    query = SQL("{} ORDER BY p.id LIMIT {}").format(question.select(among=beyond), size + 1)
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
    """Those of the segments that the profile is in. One statement for all of them, beside two for what they name.

    A segment that names what the scope does not see is left out. Raises TooSlowProblem.
    """
    written = {segment: found for segment in segments if (found := read(segment.definition)) is not None}
    through = lens.on(written.values(), scope)
    seen = {segment: definition for segment, definition in written.items() if through.shows(definition.where)}
    asked = zip(seen, spellings.widened(list(seen.values())), strict=True)
    only_this, now = SQL("p.id = {}").format(profile.pk), timezone.now()
    questions: list[sql.Composable] = [
        SQL("SELECT {} WHERE EXISTS ({})").format(
            place, Question(definition, scope, through.viewer, now).select(Strategy.PROBE, only_this)
        )
        for place, (_segment, definition) in enumerate(asked)
    ]
    places = {place for (place,) in _answer(SQL(" UNION ALL ").join(questions))} if questions else set()
    of_these = [segment for place, segment in enumerate(seen) if place in places]
    return Standing(of_these, {segment.pk: seen[segment] for segment in of_these}, through)


def read(stored: Json) -> nodes.Definition | None:
    """A stored definition; None for one that this program does not read."""
    try:
        return parse(stored)
    except DefinitionProblem:
        return None


def _answer(query: sql.Composable) -> list[tuple[int]]:
    with time_limit(), connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


@contextmanager
def time_limit(seconds: int = LIMIT_SECONDS) -> Generator[None]:
    """Statements inside are stopped by the database after so many seconds each. Raises TooSlowProblem then."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{seconds}s"])
            yield
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if isinstance(error.__cause__, errors.QueryCanceled):
            raise TooSlowProblem from error
        raise
