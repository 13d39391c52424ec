"""How large segments were, day by day: written down each night, so that the chart of a year is one short query.

For whoever sees all that a segment rests on, a day's end is counted back from the stored membership by the passages
since, so that nights on which the machine stood still are filled in. A department that sees a part has a number of its
own: what the segments that it may use had, to its eyes, when the night's count came by.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

import structlog
from django.db.models import Count, Max, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from cdp_site.core import stand_in
from cdp_site.core.access import Scope, scope_of
from cdp_site.core.errors import MendableError
from cdp_site.core.models import Department, Role
from segments import audience
from segments.audience import Question
from segments.membership import reading
from segments.models import Segment, SegmentPassage, SegmentSize

log = structlog.get_logger("sizes")

LONGEST = 400
"""Days that are filled in at most: a year and a month of leave."""


def write_down() -> None:
    """The sizes at the end of yesterday, and of the days before it that are missing. A chore; doing it again changes
    nothing."""
    yesterday = timezone.localdate() - timedelta(days=1)
    segments = list(Segment.objects.living())
    _of_everybody(segments, yesterday)
    for department in Department.objects.order_by("pk"):
        _of_department(department, segments, yesterday)


# --- to whoever sees it all -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Moves:
    entered: int = 0
    left: int = 0


def _of_everybody(segments: list[Segment], yesterday: date) -> None:
    latest = SegmentSize.objects.seen_by(None).order_by().values("segment").annotate(last=Max("day"))
    known: dict[UUID, date] = dict(latest.values_list("segment", "last"))
    for segment in segments:
        first = known[segment.pk] + timedelta(days=1) if segment.pk in known else timezone.localdate(segment.created_at)
        first = max(first, yesterday - timedelta(days=LONGEST))
        members = reading.size(segment) if first <= yesterday else None
        if members is not None:
            _keep(_counted_back(segment, members, first, yesterday))


def _counted_back(segment: Segment, members: int, first: date, last: date) -> Iterator[SegmentSize]:
    """From the members of now back to the first day."""
    moves = moves_of(segment, since=first)
    today = moves.get(last + timedelta(days=1), Moves())
    size = members - today.entered + today.left
    versions = list(segment.versions.order_by("-version").values_list("version", "at"))
    day = last
    while day >= first:
        of_day = moves.get(day, Moves())
        ended = _midnight(day + timedelta(days=1))
        yield SegmentSize(
            segment=segment,
            day=day,
            version=next((version for version, at in versions if at < ended), 1),
            members=max(size, 0),
            entered=of_day.entered,
            left=of_day.left,
        )
        size += of_day.left - of_day.entered
        day -= timedelta(days=1)


def moves_of(segment: Segment, *, since: date) -> Mapping[date, Moves]:
    """How many entered and left on each day from `since` on. One query, by the index on (segment, at)."""
    rows = (
        SegmentPassage.objects.of_segment(segment.pk)
        .between(_midnight(since), timezone.now() + timedelta(days=1))
        .order_by()
        .annotate(day=TruncDate("at"))
        .values("day")
        .annotate(entering=Count("pk", filter=Q(entered=True)), leaving=Count("pk", filter=Q(entered=False)))
    )
    return {row["day"]: Moves(row["entering"], row["leaving"]) for row in rows}


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


# --- to a department --------------------------------------------------------------------------------------------------


def _of_department(department: Department, segments: list[Segment], day: date) -> None:
    """What the segments that the department may use have to its eyes. One count for each that has none of the day."""
    somebody = stand_in.example(role=Role.MARKETER, department=department)
    counted = SegmentSize.objects.seen_by(department.pk).of_day(day).values_list("segment", flat=True)
    usable = set(Segment.objects.visible_to(somebody).living().values_list("pk", flat=True)) - set(counted)
    for segment in segments:
        if segment.pk in usable:
            _count(segment, scope_of(somebody), department, day)


def _count(segment: Segment, scope: Scope, department: Department, day: date) -> None:
    try:
        question = Question.of_segment(segment, scope)
        members = None if question.sees_whole else audience.count(question)
    except MendableError as problem:  # hidden from the department, unreadable, too slow: a gap in its chart
        log.info("no size of a segment", segment=str(segment.pk), department=department.pk, problem=problem.code)
        return
    if members is not None:
        _keep([SegmentSize(segment=segment, day=day, department=department, version=segment.version, members=members)])


def _keep(sizes: Iterable[SegmentSize]) -> None:
    SegmentSize.objects.bulk_create(sizes, batch_size=500, ignore_conflicts=True)
