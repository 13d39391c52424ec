"""Who is held out of a list, what becomes of them, and what both groups did afterwards."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from cdp_site.core.access import EVERYTHING, scope_of
from cdp_site.core.models import User
from consent.models import Channel, Purpose
from ingestion.models import Source
from profiles import merging
from profiles.models import Touchpoint
from segments import audience, authoring
from segments.audience import Question
from segments.exports import comparison, drawing
from segments.exports.lift import Group, Verdict
from segments.models import ExportMember, Segment, SegmentExport
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.factories import exports
from tests.integration.segments.conftest import Login, viewed_red, whole

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]
PEOPLE = 60
LISTED_AT = LATELY + timedelta(days=1)
AFTERWARDS = LISTED_AT + timedelta(days=20)


@pytest.fixture
def crowd(tell: Tell, pos: Source) -> list[str]:
    """Customers of the point of sale who viewed something red and agreed to be mailed."""
    users = [f"u{number}" for number in range(PEOPLE)]
    messages = [
        message
        for user in users
        for message in (
            identify(user, firstName="มานี", lastName=user, email=f"{user}@baansabai.co.th"),
            track(user, "Product Viewed", color="red"),
            track(user, "Consent Granted", hours=1, purpose="marketing", channel="email"),
        )
    ]
    with time_machine.travel(LATELY, tick=False):
        tell(pos, *messages)
    return users


@pytest.fixture
def halves(crowd: list[str], make_segment: Make, marketer: User) -> SegmentExport:
    """A list of which half was held out."""
    with time_machine.travel(LISTED_AT, tick=False):
        export = exports.exported(
            make_segment(), Purpose.objects.get(slug="marketing"), Channel.EMAIL, marketer, holdout_percent=50
        )
        return fetched(export, marketer)


def fetched(export: SegmentExport, by: User) -> SegmentExport:
    exports.content(export, by)
    export.refresh_from_db()
    return export


def words(page: str) -> str:
    """What is read, without markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def users_of(export: SegmentExport, *, held_out: bool) -> list[str]:
    members = ExportMember.objects.of(export.pk).filter(is_held_out=held_out)
    return sorted(members.values_list("record__external_id", flat=True))


def order(tell: Tell, source: Source, user: str, *, days: float) -> None:
    """Some days after the list."""
    hours = -24 * days - 24
    with time_machine.travel(LATELY - timedelta(hours=hours), tick=False):
        tell(source, track(user, "Order Completed", hours=hours, order_id=f"O-{user}", total=900, currency="THB"))


def compared(export: SegmentExport, scope: Any = EVERYTHING) -> comparison.Comparison:
    with time_machine.travel(AFTERWARDS, tick=False):
        found = comparison.compare(export, scope)
    assert found is not None
    return found


class TestDrawing:
    def test_the_lot_decides_and_nothing_else(self, halves: SegmentExport, pos: Source, crowd: list[str]) -> None:
        expected = {user: drawing.is_held_out(halves.pk, profile_of(pos, user).public_id, 50) for user in crowd}
        assert users_of(halves, held_out=True) == sorted(user for user, held in expected.items() if held)
        assert (halves.n_exported, halves.n_held_out) == (PEOPLE - sum(expected.values()), sum(expected.values()))
        assert 10 < halves.n_held_out < 50

    def test_who_is_held_out_is_not_in_the_file(self, halves: SegmentExport, marketer: User) -> None:
        with time_machine.travel(LISTED_AT, tick=False):
            text = exports.content(halves, marketer).decode()
        assert not [user for user in users_of(halves, held_out=True) if f'"{user}@' in text]
        assert all(f'"{user}@' in text for user in users_of(halves, held_out=False))

    def test_both_groups_are_traced_and_told_apart(self, halves: SegmentExport) -> None:
        for event, held_out in (("Segment Exported", False), ("Segment Held Out", True)):
            traces = Touchpoint.objects.filter(type__name=event)
            assert sorted(traces.values_list("record__external_id", flat=True)) == users_of(halves, held_out=held_out)
            assert {one.properties["export_id"] for one in traces} == {str(halves.pk)}

    def test_whom_the_gate_leaves_out_is_in_neither_group(
        self, crowd: list[str], tell: Tell, pos: Source, make_segment: Make, marketer: User
    ) -> None:
        with time_machine.travel(LISTED_AT, tick=False):
            tell(pos, track("u0", "Consent Withdrawn", hours=-12, purpose="marketing", channel="email"))
            export = exports.exported(
                make_segment(), Purpose.objects.get(slug="marketing"), Channel.EMAIL, marketer, holdout_percent=50
            )
        assert export.n_left_out == {"withdrawn": 1}
        assert "u0" not in users_of(export, held_out=True) + users_of(export, held_out=False)


class TestComparison:
    def test_nothing_is_told_before_the_days_are_over(self, halves: SegmentExport) -> None:
        for days in (0, 1, 13.9):
            with time_machine.travel(LISTED_AT + timedelta(days=days), tick=False):
                assert comparison.compare(halves, EVERYTHING) is None

    def test_orders_within_the_days_count_once_each(self, halves: SegmentExport, tell: Tell, pos: Source) -> None:
        listed, held_out = users_of(halves, held_out=False), users_of(halves, held_out=True)
        for user in listed[:9]:
            order(tell, pos, user, days=3)
        order(tell, pos, listed[9], days=15)  # too late
        order(tell, pos, held_out[0], days=13)

        found = compared(halves)

        assert (found.lift.listed.n, found.lift.listed.hits) == (len(listed), 9)
        assert (found.lift.held_out.n, found.lift.held_out.hits) == (len(held_out), 1)
        assert found.until - found.since == timedelta(days=14)

    def test_a_cancelled_order_is_no_success(self, halves: SegmentExport, tell: Tell, pos: Source) -> None:
        user = users_of(halves, held_out=False)[0]
        order(tell, pos, user, days=2)
        with time_machine.travel(LISTED_AT + timedelta(days=3), tick=False):
            said = track(user, "Order Cancelled", hours=-96, order_id=f"O-{user}", total=900, currency="THB")
            tell(pos, said)
        assert compared(halves).lift.listed.hits == 0

    def test_visits_are_what_happens_on_the_web_and_in_the_app(
        self, halves: SegmentExport, tell: Tell, pos: Source
    ) -> None:
        SegmentExport.objects.filter(pk=halves.pk).update(outcome=SegmentExport.Outcome.VISITS)
        halves.refresh_from_db()
        one, other, third = users_of(halves, held_out=False)[:3]
        with time_machine.travel(LISTED_AT + timedelta(days=2), tick=False):
            tell(pos, track(one, "Page Viewed", hours=-72, path="/"))
            tell(pos, track(other, "Application Opened", hours=-72))
            tell(pos, track(third, "Call Ended", hours=-72))
        assert compared(halves).lift.listed.hits == 2

    def test_a_clear_difference_is_proven_and_a_small_one_is_not(
        self, halves: SegmentExport, tell: Tell, pos: Source
    ) -> None:
        assert compared(halves).lift.verdict is Verdict.NOT_PROVEN
        for user in users_of(halves, held_out=False):
            order(tell, pos, user, days=5)
        assert compared(halves).lift.verdict is Verdict.MORE

    def test_what_the_reader_does_not_see_is_not_counted(
        self, web_shop: Source, halves: SegmentExport, tell: Tell, agent: User, marketer: User
    ) -> None:
        """The web shop is marketing's."""
        user = users_of(halves, held_out=False)[0]
        with time_machine.travel(LISTED_AT + timedelta(days=2), tick=False):
            tell(web_shop, identify("w", email=f"{user}@baansabai.co.th", firstName="มานี", lastName=user))
        order(tell, web_shop, "w", days=3)
        assert compared(halves, scope_of(marketer)).lift.listed.hits == 1
        assert compared(halves, scope_of(agent)).lift.listed.hits == 0

    def test_who_turns_out_to_be_in_both_groups_counts_in_neither(
        self, halves: SegmentExport, pos: Source, steward: User
    ) -> None:
        one, other = users_of(halves, held_out=False)[0], users_of(halves, held_out=True)[0]
        before = compared(halves)
        merging.merge(profiles=[profile_of(pos, one), profile_of(pos, other)], reason="one person", by=steward)
        after = compared(halves)
        assert after.crossed == 1
        assert after.lift.listed.n == before.lift.listed.n - 1
        assert after.lift.held_out.n == before.lift.held_out.n - 1

    def test_of_a_list_that_nobody_fetched_nothing_is_said(
        self, crowd: list[str], make_segment: Make, marketer: User
    ) -> None:
        purpose = Purpose.objects.get(slug="marketing")
        with time_machine.travel(LISTED_AT, tick=False):
            export = exports.exported(make_segment(), purpose, Channel.EMAIL, marketer, holdout_percent=50)
        with time_machine.travel(AFTERWARDS, tick=False):
            assert comparison.compare(export, EVERYTHING) is None

    def test_those_held_out_whom_another_list_of_the_segment_reached_are_told(
        self, halves: SegmentExport, make_segment: Make, marketer: User
    ) -> None:
        """One campaign leaves as several lists, each of which is drawn anew."""
        assert compared(halves).elsewhere == 0
        purpose, of_other = Purpose.objects.get(slug="marketing"), make_segment(name="Red as well")
        assert halves.segment is not None
        lists = []
        for segment in (halves.segment, of_other):
            with time_machine.travel(LISTED_AT + timedelta(hours=1), tick=False):
                lists.append(exports.exported(segment, purpose, Channel.EMAIL, marketer, holdout_percent=50))
        assert compared(halves).elsewhere == 0, "nobody has their files"
        for one in lists:
            with time_machine.travel(LISTED_AT + timedelta(hours=2), tick=False):
                fetched(one, marketer)
        reached = set(users_of(halves, held_out=True)) & set(users_of(lists[0], held_out=False))
        assert compared(halves).elsewhere == len(reached) > 0

    def test_without_a_holdout_nothing_is_said(self, crowd: list[str], make_segment: Make, marketer: User) -> None:
        with time_machine.travel(LISTED_AT, tick=False):
            export = exports.exported(make_segment(), Purpose.objects.get(slug="marketing"), Channel.EMAIL, marketer)
        with time_machine.travel(AFTERWARDS, tick=False):
            assert comparison.compare(export, EVERYTHING) is None


class TestFrozen:
    def test_both_groups_stay_the_same_people_whatever_becomes_of_the_segment(
        self, halves: SegmentExport, crowd: list[str], tell: Tell, pos: Source, marketer: User
    ) -> None:
        listed, held_out = users_of(halves, held_out=False), users_of(halves, held_out=True)
        for user in (*listed[:7], *held_out[:2]):
            order(tell, pos, user, days=3)
        assert halves.segment is not None
        before = compared(halves)

        with time_machine.travel(LISTED_AT + timedelta(days=4), tick=False):
            for user in (listed[0], held_out[0]):
                tell(pos, track(user, "Product Viewed", hours=-24, color="blue"))
            for user in ("n1", "n2"):  # these come into the segment
                tell(pos, identify(user, firstName="ปิติ", email=f"{user}@baansabai.co.th"))
                tell(pos, track(user, "Product Viewed", hours=-24, color="blue"))
                tell(pos, track(user, "Consent Granted", hours=-24, purpose="marketing", channel="email"))
            blue = {**viewed_red(), "filters": [{"property": "color", "operator": "is", "value": "blue"}]}
            segment = authoring.change(
                segment=halves.segment, name="Blue", description="", department=halves.segment.department,
                definition=whole(blue), by=marketer,
            )  # fmt: skip
            members = audience.member_ids(Question.of_segment(segment, scope_of(marketer)))
            order(tell, pos, "n1", days=5)
        assert set(members) == {profile_of(pos, user).pk for user in (listed[0], held_out[0], "n1", "n2")}

        assert (users_of(halves, held_out=False), users_of(halves, held_out=True)) == (listed, held_out)
        assert compared(halves) == before
        assert (before.lift.listed, before.lift.held_out) == (Group(len(listed), 7), Group(len(held_out), 2))
        authoring.delete(segment=segment, by=marketer)
        halves.refresh_from_db()
        assert compared(halves) == before

    def test_the_page_tells_both_groups_when_the_days_are_over(
        self, halves: SegmentExport, tell: Tell, pos: Source, login: Login, marketer: User
    ) -> None:
        listed, held_out = users_of(halves, held_out=False), users_of(halves, held_out=True)
        for user in (*listed, held_out[0]):
            order(tell, pos, user, days=3)
        page = reverse("segments:export_result", args=[halves.pk])

        with time_machine.travel(LISTED_AT + timedelta(days=13), tick=False):
            early = login(marketer).get(page).content.decode()
        with time_machine.travel(LISTED_AT + timedelta(days=14), tick=False):
            told = login(marketer).get(page).content.decode()

        assert "Both groups are compared in 1 day, on 16 Nov 2026 ." in words(early)
        assert "The list brought something" not in early
        assert "The list brought something" in told
        assert f"On the list {len(listed)} {len(listed)} 100.0 %" in words(told)
        assert f"Held out {len(held_out)} 1 {100 / len(held_out):.1f} %" in words(told)
        assert "From 2 Nov 2026 to 16 Nov 2026" in words(told)


def test_the_time_that_is_measured_begins_when_the_list_is_there(halves: SegmentExport) -> None:
    assert halves.made_at == LISTED_AT
    assert halves.measured_until == LISTED_AT + timedelta(days=14)
    assert halves.is_measured == (timezone.now() >= LISTED_AT + timedelta(days=14))
