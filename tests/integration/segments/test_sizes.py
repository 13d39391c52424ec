"""The size of each day: written down at night, drawn for whoever may read it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from cdp_site.core.models import Department, User
from ingestion.models import Source
from profiles.models import EventType
from segments import history, sizes
from segments.history import Reach
from segments.models import Segment, SegmentFreshness, SegmentPassage, SegmentSize
from tests.integration.segments.conftest import Login

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]


def ago(days: int) -> date:
    return timezone.localdate() - timedelta(days=days)


def evaluated(segment: Segment, members: int) -> Segment:
    """As if the stored membership had so many, of a segment that is four days old."""
    now = timezone.now()
    SegmentFreshness.objects.update_or_create(
        segment=segment,
        defaults={"version": segment.version, "n_members": members, "evaluated_at": now, "due_at": now},
    )
    born = now - timedelta(days=4)
    Segment.objects.filter(pk=segment.pk).update(created_at=born)
    segment.versions.update(at=born)
    return segment


def moved(segment: Segment, days: int, *, entered: int = 0, left: int = 0) -> None:
    at = timezone.now() - timedelta(days=days)
    SegmentPassage.objects.bulk_create(
        SegmentPassage(segment=segment, at=at, entered=number < entered, cause=SegmentPassage.Cause.EVENT)
        for number in range(entered + left)
    )


def written(segment: Segment, department: Department | None = None) -> list[tuple[date, int, int | None, int | None]]:
    rows = segment.sizes.seen_by(department.pk if department else None).order_by("day")
    return list(rows.values_list("day", "members", "entered", "left"))


@pytest.fixture
def segment(viewers: None, make_segment: Make) -> Segment:
    return make_segment()


class TestWritingDown:
    def test_counts_back_from_the_members_of_now(self, segment: Segment) -> None:
        evaluated(segment, 7)
        moved(segment, 3, entered=4), moved(segment, 1, entered=3, left=1), moved(segment, 0, entered=1)

        sizes.write_down()

        assert written(segment) == [(ago(4), 0, 0, 0), (ago(3), 4, 4, 0), (ago(2), 4, 0, 0), (ago(1), 6, 3, 1)]

    def test_fills_the_nights_that_are_missing_and_repeats_nothing(self, segment: Segment) -> None:
        evaluated(segment, 7)
        SegmentSize.objects.create(segment=segment, day=ago(3), version=1, members=5, entered=0, left=0)
        moved(segment, 1, entered=2)

        sizes.write_down()
        sizes.write_down()

        assert written(segment) == [(ago(3), 5, 0, 0), (ago(2), 5, 0, 0), (ago(1), 7, 2, 0)]

    def test_says_nothing_of_what_is_not_evaluated_or_archived(self, segment: Segment, make_segment: Make) -> None:
        archived = evaluated(make_segment(name="Archived"), 3)
        Segment.objects.filter(pk=archived.pk).update(archived_at=timezone.now())

        sizes.write_down()

        assert not SegmentSize.objects.seen_by(None).exists()

    def test_a_department_that_does_not_see_every_source_has_its_own(
        self, segment: Segment, marketing: Department, care: Department, call_centre: Source, make_segment: Make
    ) -> None:
        """Marketing sees the web shop, where three viewed something red; care does not, and sees common segments."""
        common = make_segment(name="Common", department=None)

        sizes.write_down()
        sizes.write_down()

        assert written(segment, marketing) == [(ago(1), 3, None, None)]
        assert written(segment, care) == []
        assert written(common, care) == [(ago(1), 0, None, None)]

    def test_the_version_is_the_one_of_the_day(self, segment: Segment) -> None:
        evaluated(segment, 3)
        segment.versions.create(version=2, definition=segment.definition, actor="system:test")
        segment.versions.filter(version=2).update(at=timezone.now() - timedelta(days=2))

        sizes.write_down()

        assert list(segment.sizes.order_by("day").values_list("version", flat=True)) == [1, 1, 2, 2]


class TestHistory:
    def test_is_drawn_with_comings_and_goings(self, segment: Segment, marketer: User) -> None:
        evaluated(segment, 7)
        moved(segment, 3, entered=4), moved(segment, 1, entered=3, left=1), moved(segment, 0, entered=1)
        sizes.write_down()

        drawn = history.of(segment, reach=Reach.MONTH, by=marketer)

        assert (drawn.most, drawn.change, drawn.entered, drawn.left, drawn.knows_moves) == (6, 6, 7, 1, True)
        assert [day.net for day in drawn.days] == [None, 4, 0, 2]
        assert drawn.days[-1].y == 0  # the most stands at the top
        assert drawn.days[0].coming.height == 0
        assert drawn.days[1].coming.height > drawn.days[3].coming.height > drawn.days[3].going.height > 0
        assert drawn.ticks[0].day == ago(30)
        assert drawn.ticks[-1].day == ago(1)

    def test_of_a_department_tells_what_remained(
        self, segment: Segment, marketer: User, marketing: Department, call_centre: Source
    ) -> None:
        for days, members in ((3, 5), (2, 8), (1, 6)):
            SegmentSize.objects.create(segment=segment, department=marketing, day=ago(days), version=1, members=members)
        SegmentSize.objects.create(segment=segment, day=ago(1), version=1, members=999)

        drawn = history.of(segment, reach=Reach.MONTH, by=marketer)

        assert [(day.members, day.net) for day in drawn.days] == [(5, None), (8, 3), (6, -2)]
        assert not drawn.knows_moves
        assert drawn.days[2].going.height > 0

    def test_who_has_no_department_and_sees_a_part_has_none(
        self, segment: Segment, make_user: Callable[..., User], call_centre: Source, make_segment: Make
    ) -> None:
        common = evaluated(make_segment(name="Common", department=None), 3)
        sizes.write_down()

        assert history.of(common, reach=Reach.MONTH, by=make_user("marketer", None, "nowhere")).days == []

    def test_keeps_the_numbers_of_a_definition_that_the_reader_does_not_see(
        self, segment: Segment, marketer: User, care: Department
    ) -> None:
        """Version 1 named what is care's today."""
        hidden = {"kind": "touchpoint", "event": "Call Ended", "count": {"bound": "at_least", "n": 1}}
        hidden |= {"window": {"kind": "ever"}, "filters": []}
        EventType.objects.update_or_create(name="Call Ended", defaults={"department": care})
        segment.versions.create(
            version=2, definition={"version": 1, "where": {"kind": "all", "of": [hidden]}}, actor="system:test"
        )
        for days, version in ((2, 2), (1, 1)):
            SegmentSize.objects.create(segment=segment, day=ago(days), version=version, members=10 * version)

        drawn = history.of(segment, reach=Reach.MONTH, by=User.objects.get(pk=marketer.pk))

        assert [day.members for day in drawn.days] == [10]

    def test_the_card_has_its_table_and_replaces_itself(self, segment: Segment, login: Login, marketer: User) -> None:
        path, client = reverse("segments:history", args=[segment.pk]), login(marketer)
        assert "written down each night" in text(client.get(path))
        evaluated(segment, 7)
        moved(segment, 1, entered=3, left=1)
        sizes.write_down()

        card = text(client.get(path, {"days": "365"}, headers={"HX-Request": "true"}))

        assert card.startswith('<section class="card" id="history"')
        assert "In this time 3 came in and 1 went out." in card
        assert "<polyline" in card
        assert 'aria-current="true">a year' in card
        assert client.get(path, {"days": "7; DROP"}).status_code == 200

    def test_the_library_has_a_small_line_of_the_present_definition(
        self, segment: Segment, login: Login, marketer: User
    ) -> None:
        for days, version in ((3, 0), (2, 1), (1, 1)):
            SegmentSize.objects.create(segment=segment, day=ago(days), version=version, members=10 + days)

        page = text(login(marketer).get(reverse("segments:segments")))

        assert page.count("<polyline") == 1
        assert len(page.split('<polyline points="')[1].split('"')[0].split()) == 2

    def test_data_that_the_reader_does_not_see_has_no_chart(
        self, segment: Segment, login: Login, marketer: User, care: Department
    ) -> None:
        EventType.objects.filter(name="Product Viewed").update(department=care)

        page = text(login(marketer).get(reverse("segments:history", args=[segment.pk])))

        assert "your department does not see" in page


def text(response: Any) -> str:
    return str(response.content.decode()).strip()
