"""Two audiences side by side: whom both have, and whom one of them alone has. Of two segments, that is their overlap;
of two versions of one, who enters and who leaves."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from psycopg import sql

from profiles.models import Profile
from segments import audience
from segments.audience import Question
from segments.models import SegmentState

SQL = sql.SQL

SHOWN = 10  # people of a side


@dataclass(frozen=True, slots=True)
class Part:
    name: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Sides:
    """Numbers of people."""

    only_first: int
    both: int
    only_second: int

    @property
    def first(self) -> int:
        return self.only_first + self.both

    @property
    def second(self) -> int:
        return self.only_second + self.both

    @property
    def either(self) -> int:
        return self.only_first + self.both + self.only_second

    @property
    def of_first(self) -> float | None:
        """Per cent of the first who are in the second as well."""
        return 100 * self.both / self.first if self.first else None

    @property
    def of_second(self) -> float | None:
        return 100 * self.both / self.second if self.second else None

    @property
    def parts(self) -> list[Part]:
        """Beside each other, in a drawing 100 wide."""
        numbers = {"first": self.only_first, "both": self.both, "second": self.only_second}
        drawn: list[Part] = []
        x = 0.0
        for name, number in numbers.items():
            width = 100 * number / self.either if self.either else 0.0
            drawn.append(Part(name, round(x, 2), round(width, 2)))
            x += width
        return drawn


# Full joins and EXCEPT are hashed or sorted whatever the planner guesses: from a guess of one row it would otherwise
# read one side again for each person of the other.
_SIDES = SQL("""
SELECT count(*) FILTER (WHERE b.id IS NULL), count(*) FILTER (WHERE a.id = b.id), count(*) FILTER (WHERE a.id IS NULL)
  FROM ({first}) a FULL JOIN ({second}) b ON b.id = a.id
""")
_ONLY = SQL("SELECT a.id FROM ({first}) a EXCEPT SELECT b.id FROM ({second}) b ORDER BY id LIMIT {n}")


_STORED = SQL("""
SELECT s.profile_id AS id FROM {states} s JOIN {profiles} p ON p.id = s.profile_id
 WHERE s.segment_id = {segment} AND s.is_member AND p.state = 'live' AND p.kind = 'identified'
""")


def _people(question: Question) -> sql.Composed:
    """SELECT of the members' ids: the stored ones where the number on the segment's page is of them, too."""
    stored = question.stored
    if stored is None:
        return question.select()
    return _STORED.format(
        states=sql.Identifier(SegmentState._meta.db_table),
        profiles=sql.Identifier(Profile._meta.db_table),
        segment=stored.pk,
    )


def sides(first: Question, second: Question) -> Sides:
    """Both in one statement. Raises TooSlowProblem."""
    (row,) = _rows(_SIDES.format(first=_people(first), second=_people(second)))
    return Sides(*row)


def some_of(first: Question, *, not_of: Question, n: int = SHOWN) -> Sequence[Profile]:
    """The first few people of the one who are not of the other, in the order of their intake. Raises TooSlowProblem."""
    ids = [key for (key,) in _rows(_ONLY.format(first=_people(first), second=_people(not_of), n=n))]
    found = Profile.objects.in_bulk(ids)
    return [found[key] for key in ids if key in found]


def _rows(query: sql.Composable) -> list[tuple[int, ...]]:
    with audience.time_limit(), connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()
