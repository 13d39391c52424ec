"""What somebody does on a page or in an app in one go is told as one visit."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from ingestion.models import Source
from profiles import visits
from profiles.event_text import describe
from profiles.models import EventType, Touchpoint
from profiles.visits import Act, Visit

NOON = datetime(2026, 11, 1, 5, 0, tzinfo=UTC)
SHOP, TILL = Source(pk=1, kind=Source.Kind.SHOP), Source(pk=2, kind=Source.Kind.POS)
TYPES = {name: EventType(pk=number, name=name) for number, name in enumerate(("Page Viewed", "Product Viewed", "X"), 1)}


def touch(
    number: int, minutes: float, event: str = "Page Viewed", *, source: Source = SHOP, **more: object
) -> Touchpoint:
    """`minutes` before noon."""
    return Touchpoint(
        pk=UUID(int=number),
        occurred_at=NOON - timedelta(minutes=minutes),
        type=TYPES[event],
        source=source,
        properties={"name": "Chair"} if event == "Product Viewed" else {},
        **more,
    )


def test_a_silence_of_more_than_half_an_hour_ends_a_visit() -> None:
    rows = [touch(1, 0), touch(2, 30), touch(3, 61)]
    assert visits.find(rows) == [rows[:2], rows[2:]]


def test_visits_to_two_shops_at_once_are_two() -> None:
    other = Source(pk=3, kind=Source.Kind.APP)
    rows = [touch(1, 0), touch(2, 1, source=other), touch(3, 2), touch(4, 3, source=other)]
    assert visits.find(rows) == [[rows[0], rows[2]], [rows[1], rows[3]]]


def test_what_happens_at_the_till_or_is_an_order_is_no_part_of_a_visit() -> None:
    assert visits.find([touch(1, 0, "X", source=TILL), touch(2, 1, order_id=7)]) == []


def test_the_highlights_leave_plain_pages_out_and_count_what_repeats() -> None:
    rows = [touch(1, 5), touch(2, 4, "Product Viewed"), touch(3, 3, "Product Viewed"), touch(4, 2), touch(5, 0)]
    visit = Visit([Act(row, describe(row.type.name, row.properties)) for row in rows])
    assert [(one.act.text.subject, one.times) for one in visit.highlights] == [("Chair", 2)]
    assert (visit.looks, visit.minutes, visit.is_told_in_full) == (3, 5, False)


def test_a_page_ends_before_a_visit_that_it_would_cut() -> None:
    calls = [touch(number, number, "X", source=TILL) for number in range(6)]
    visit = [touch(10 + number, 10 + number) for number in range(5)]
    assert visits.whole([*calls, *visit], 8) == calls
    assert visits.whole([*calls, *visit], 20) == [*calls, *visit]


def test_a_visit_longer_than_half_a_page_is_cut() -> None:
    visit = [touch(number, number) for number in range(9)]
    assert visits.whole(visit, 8) == visit[:8]
