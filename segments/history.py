"""How a segment's size went: the numbers of each day, and a drawing of them with the days' comings and goings."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import TextChoices
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core.access import scope_of
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import day_text
from segments import audience, catalogue
from segments.models import Segment, SegmentSize, SegmentVersion
from segments.querysets import SegmentSizeQuerySet

# Of the drawing, in its own units: sizes from TOP down to BASE, comings above MIDDLE and goings below it.
WIDTH, TOP, BASE, MIDDLE, REACH, TICKS = 720, 0, 120, 168, 30, 216
LABELS = 5  # dates below the drawing
TREND_WIDTH, TREND_HEIGHT = 96, 24


class Reach(TextChoices):
    """How far a chart looks back."""

    MONTH = "30", _("30 days")
    QUARTER = "90", _("90 days")
    YEAR = "365", _("a year")

    @property
    def days(self) -> int:
        return int(self.value)


def reach_of(text: str) -> Reach:
    """What an address asks for; a quarter for what is nothing of that."""
    return Reach(text) if text in Reach.values else Reach.QUARTER


@dataclass(frozen=True, slots=True)
class Bar:
    """Without height there is nothing to draw."""

    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Day:
    """`entered` and `left` are None where only sizes are known; then `net` is what remained of them.

    `net` is None on the first day, and where the day before is missing. `is_new_version`: another definition counts
    from this day on, so that a step is no doing of people's.
    """

    day: date
    members: int
    version: int
    entered: int | None
    left: int | None
    net: int | None
    is_new_version: bool
    x: float
    y: float
    bar_x: float
    coming: Bar
    going: Bar

    @property
    def label(self) -> str:
        return day_text(self.day)


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    day: date
    anchor: str  # of the text, so that the outermost stay in the drawing

    @property
    def label(self) -> str:
        return day_text(self.day)


@dataclass(frozen=True, slots=True)
class History:
    """`knows_moves`: comings and goings are known, and not only what remained of them."""

    days: Sequence[Day]
    reach: Reach
    knows_moves: bool

    base = BASE
    width = WIDTH
    middle = MIDDLE
    ticks_at = TICKS

    @property
    def most(self) -> int:
        return max((day.members for day in self.days), default=0)

    @property
    def change(self) -> int:
        return self.days[-1].members - self.days[0].members if self.days else 0

    @property
    def entered(self) -> int:
        return sum(day.entered or 0 for day in self.days)

    @property
    def left(self) -> int:
        return sum(day.left or 0 for day in self.days)

    @property
    def bar(self) -> float:
        return _bar(self.reach.days)

    @property
    def line(self) -> str:
        """Corners of the line of sizes."""
        return " ".join(f"{day.x},{day.y}" for day in self.days)

    @property
    def area(self) -> str:
        """The same down to the ground."""
        return f"{self.days[0].x},{BASE} {self.line} {self.days[-1].x},{BASE}" if self.days else ""

    @property
    def ticks(self) -> list[Tick]:
        first = timezone.localdate() - timedelta(days=self.reach.days)
        step = (self.reach.days - 1) / (LABELS - 1)
        places = [round(number * step) for number in range(LABELS)]
        anchors = ["start", *["middle"] * (LABELS - 2), "end"]
        return [
            Tick(_x(place, self.reach.days), first + timedelta(days=place), anchor)
            for place, anchor in zip(places, anchors, strict=True)
        ]


def of(segment: Segment, *, reach: Reach, by: User) -> History:
    """The days until yesterday, as this viewer's numbers are; none of definitions that name what they do not see.

    Raises HiddenProblem for a segment whose number they do not get. Some ten queries.
    """
    scope = scope_of(by)
    question = audience.Question.of_segment(segment, scope)
    fields, first = catalogue.fields(scope), timezone.localdate() - timedelta(days=reach.days)

    def is_seen(stored: SegmentVersion) -> bool:
        read = audience.read(stored.definition)
        if read is None or not fields.shows(read.where):
            return False
        return not question.sees_whole or audience.sees_whole(read, question.viewer)

    seen = {stored.version for stored in segment.versions.all() if is_seen(stored)}
    rows = _rows_of([segment.pk], by, sees_whole=question.sees_whole).since(first)
    found = {row.day: row for row in rows if row.version in seen}
    return History(_drawn(found, first, reach.days), reach, question.sees_whole)


def trends(segments: Sequence[Segment], *, by: User) -> Mapping[UUID, str]:
    """Corners of a small line for each segment, TREND_WIDTH by TREND_HEIGHT: the sizes of thirty days by its present
    definition. Two queries at most. For segments whose definitions the user sees."""
    viewer = catalogue.viewer(scope_of(by))
    versions = {segment.pk: segment.version for segment in segments}
    read = {segment.pk: audience.read(segment.definition) for segment in segments}
    whole = {key for key, definition in read.items() if definition and audience.sees_whole(definition, viewer)}
    first = timezone.localdate() - timedelta(days=Reach.MONTH.days)
    found: dict[UUID, list[SegmentSize]] = defaultdict(list)
    for keys, sees_whole in ((whole, True), (versions.keys() - whole, False)):
        for row in _rows_of(keys, by, sees_whole=sees_whole).since(first):
            if row.version == versions[row.segment_id]:
                found[row.segment_id].append(row)
    return {key: _corners(rows, first) for key, rows in found.items() if len(rows) > 1}


def _corners(rows: Sequence[SegmentSize], first: date) -> str:
    most = max(row.members for row in rows)
    return " ".join(
        f"{round((row.day - first).days / Reach.MONTH.days * TREND_WIDTH, 1)},"
        f"{round(TREND_HEIGHT - 1 - _share(row.members, most, TREND_HEIGHT - 2), 1)}"
        for row in rows
    )


def _rows_of(segments: Collection[UUID], by: User, *, sees_whole: bool) -> SegmentSizeQuerySet:
    """As this viewer's numbers are."""
    rows: SegmentSizeQuerySet = SegmentSize.objects.of_segments(segments)
    if sees_whole:
        return rows.seen_by(None)
    return rows.seen_by(by.department_id) if by.department_id is not None else rows.none()


def _drawn(found: Mapping[date, SegmentSize], first: date, days: int) -> list[Day]:
    most = max((row.members for row in found.values()), default=0)
    before: SegmentSize | None = None
    drafts: list[tuple[SegmentSize, int | None, bool]] = []
    for row in sorted(found.values(), key=lambda one: one.day):
        follows = before is not None and row.day - before.day == timedelta(days=1)
        net = row.members - before.members if before is not None and follows else None
        drafts.append((row, net, before is not None and row.version != before.version))
        before = row
    moved = [_moved(row, net) for row, net, _is_new in drafts]
    busiest = max((max(up, down) for up, down in moved), default=0)
    return [
        Day(
            day=row.day,
            members=row.members,
            version=row.version,
            entered=row.entered,
            left=row.left,
            net=net,
            is_new_version=is_new,
            x=_x((row.day - first).days, days),
            y=round(BASE - _share(row.members, most, BASE - TOP), 1),
            bar_x=round(_x((row.day - first).days, days) - _bar(days) / 2, 1),
            coming=Bar(round(MIDDLE - _share(up, busiest, REACH), 1), _share(up, busiest, REACH)),
            going=Bar(MIDDLE, _share(down, busiest, REACH)),
        )
        for (row, net, is_new), (up, down) in zip(drafts, moved, strict=True)
    ]


def _moved(row: SegmentSize, net: int | None) -> tuple[int, int]:
    """Up and down on a day: comings and goings, or what remained of them."""
    if row.entered is not None and row.left is not None:
        return row.entered, row.left
    return max(net or 0, 0), max(-(net or 0), 0)


def _x(place: int, days: int) -> float:
    """The middle of a day's column."""
    return round((place + 0.5) / days * WIDTH, 1)


def _bar(days: int) -> float:
    """The width of a day's bar."""
    return round(max(1.2, WIDTH / days * 0.7), 1)


def _share(value: int, most: int, length: int) -> float:
    """A length in proportion; the least that there is can still be seen."""
    return max(1.0, round(value / most * length, 1)) if value > 0 and most > 0 else 0
