"""Who is in which segment, as it is stored: at the minute, and after each thing that happens to people."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cdp_site.core.models import User
from cdp_site.core.personal_data import Subject, holders
from consent import erasure, requests
from ingestion.models import Source
from profiles import merging
from profiles.models import SourceRecord
from profiles.reverting import taking
from segments import keeper
from segments.membership import following, reading, touches
from segments.membership.asked import Asked, World
from segments.membership.touches import Aspect, Touch
from segments.membership.writing import Cause
from segments.models import SegmentFreshness, SegmentPassage, SegmentState
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.integration.segments.membership import (
    IN_TRANG,
    LAPSED,
    ORDERED,
    RED,
    VIEWED,
    WEEK,
    Make,
    did,
    names,
    passages,
)

pytestmark = pytest.mark.django_db


# --- at the minute ----------------------------------------------------------------------------------------------------


def test_four_views_in_seven_days_end_at_their_minute_without_any_event(
    clock: Any, tell: Tell, web_shop: Source, make_segment: Make
) -> None:
    tell(web_shop, identify("v1", firstName="มานี"))
    for hours in (50, 40, 30, 20, 10):
        tell(web_shop, track("v1", "Product Viewed", hours=hours, color="red", category="shoes"))
    segment = make_segment(RED)
    keeper.catch_up()
    somebody = profile_of(web_shop, "v1")
    assert names(somebody) == ["Red"]
    leaves_at = LATELY - timedelta(hours=40) + timedelta(days=7)  # with the second there are four; without it three
    assert SegmentState.objects.get().next_change_at == leaves_at
    clock.move_to(leaves_at - timedelta(microseconds=1))
    keeper.catch_up()
    assert names(somebody) == ["Red"]
    clock.move_to(leaves_at)
    keeper.catch_up()
    assert names(somebody) == []
    left = SegmentPassage.objects.latest("pk")
    assert (left.entered, left.cause, left.at) == (False, "time", leaves_at)
    assert reading.size(segment) == 0


def test_ninety_days_without_an_order_begin_at_their_minute(
    clock: Any, tell: Tell, web_shop: Source, make_segment: Make
) -> None:
    tell(web_shop, identify("v1", firstName="มานี"), track("v1", "Order Completed", order_id="o1", total=1))
    segment = make_segment(LAPSED, ORDERED)
    keeper.catch_up()
    state = SegmentState.objects.get()
    assert (state.is_member, state.next_change_at) == (False, LATELY + timedelta(days=90))
    clock.move_to(LATELY + timedelta(days=90))
    assert following.turn()
    assert not following.turn()
    assert reading.size(segment) == 1
    assert SegmentPassage.objects.get().at == LATELY + timedelta(days=90)
    tell(web_shop, track("v1", "Order Completed", hours=-90 * 24, order_id="o2", total=1))
    keeper.catch_up()
    assert passages(segment) == [(True, "time"), (False, "event")]


def test_a_late_look_tells_the_moment_at_which_it_was_due(
    clock: Any, tell: Tell, web_shop: Source, make_segment: Make
) -> None:
    tell(web_shop, identify("v1", firstName="มานี"), track("v1", "Product Viewed"))
    make_segment(did("Product Viewed", "at_least", 1, WEEK))
    keeper.catch_up()
    clock.move_to(LATELY + timedelta(days=7, hours=3))
    keeper.catch_up()
    assert SegmentPassage.objects.latest("pk").at == LATELY + timedelta(days=7)


def test_what_is_dated_in_the_future_counts_from_its_own_moment(
    clock: Any, tell: Tell, web_shop: Source, make_segment: Make
) -> None:
    tell(web_shop, identify("v1", firstName="มานี"), track("v1", "Product Viewed", hours=-2))
    segment = make_segment(VIEWED)
    keeper.catch_up()
    assert reading.size(segment) == 0
    clock.shift(timedelta(hours=2))
    keeper.catch_up()
    assert reading.size(segment) == 1


def test_calendar_days_turn_at_midnight_for_everybody(
    clock: Any, tell: Tell, web_shop: Source, make_segment: Make
) -> None:
    tell(web_shop, identify("v1", firstName="มานี"), track("v1", "Product Viewed"))
    segment = make_segment(did("Product Viewed", "at_least", 1, {"kind": "calendar_days", "n": 1}))
    keeper.catch_up()
    midnight = datetime(2026, 11, 1, 17, tzinfo=UTC)
    assert (reading.size(segment), segment.freshness.due_at) == (1, midnight)
    clock.move_to(midnight)
    keeper.catch_up()
    assert reading.size(segment) == 0
    assert passages(segment) == [(True, "definition"), (False, "time")]


def test_everybody_is_asked_anew_each_night(clock: Any, viewers: None, make_segment: Make) -> None:
    segment = make_segment()
    keeper.catch_up()
    due = SegmentFreshness.objects.get().due_at
    assert LATELY < due <= LATELY + timedelta(days=1)
    SegmentState.objects.filter(is_member=True).delete()  # as if something had been missed
    clock.move_to(due)
    keeper.catch_up()
    assert segment.states.filter(is_member=True).count() == reading.size(segment) == 3


# --- what happens to people -------------------------------------------------------------------------------------------


def test_only_segments_that_what_arrived_can_move_are_asked(
    tell: Tell, web_shop: Source, viewers: None, make_segment: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_segment(VIEWED, name="Viewed")
    make_segment(IN_TRANG, name="In Trang")
    make_segment(
        {"kind": "segment", "segment": str(make_segment(ORDERED, name="Ordered").pk), "is_in": True},
        name="Through another",
    )
    keeper.catch_up()
    asked: dict[str, set[int]] = {}
    evaluate = following._evaluate

    def noted(one: Asked, people: Mapping[Cause, Collection[int]], around: World) -> None:
        asked.setdefault(one.segment.name, set()).update(*people.values())
        evaluate(one, people, around)

    monkeypatch.setattr(following, "_evaluate", noted)
    fourth, fifth = profile_of(web_shop, "v4").pk, profile_of(web_shop, "v5").pk
    tell(web_shop, track("v4", "Product Viewed", hours=1))
    keeper.catch_up()
    assert asked == {"Viewed": {fourth}}
    asked.clear()
    tell(web_shop, *(track(user, "Order Completed", hours=1, order_id=f"o-{user}", total=5) for user in ("v4", "v5")))
    keeper.catch_up()
    assert asked == {"Ordered": {fourth, fifth}, "Through another": {fourth, fifth}}
    asked.clear()
    tell(web_shop, identify("v4", province="น่าน") | {"messageId": "moved"})
    keeper.catch_up()
    assert asked["In Trang"] == {fourth}
    assert "Viewed" not in asked


def test_a_new_person_is_asked_about_everything(tell: Tell, web_shop: Source, make_segment: Make) -> None:
    never = make_segment(did("Product Viewed", "exactly", 0, {"kind": "ever"}), name="Never viewed")
    keeper.catch_up()
    tell(web_shop, identify("v9", firstName="มานี"))
    keeper.catch_up()
    assert names(profile_of(web_shop, "v9")) == ["Never viewed"]
    tell(web_shop, {"type": "track", "event": "Product Viewed", "messageId": "m", "anonymousId": "device"})
    keeper.catch_up()
    assert reading.size(never) == 1  # a visitor whom nobody knows is in nothing


def test_a_refusal_moves_at_once(tell: Tell, web_shop: Source, viewers: None, make_segment: Make) -> None:
    granted = make_segment(
        {"kind": "consent", "purpose": "marketing", "channel": "email", "state": "granted"}, name="Granted"
    )
    reached = make_segment({"kind": "reachable", "purpose": "marketing", "channel": "email"}, name="Reached")
    keeper.catch_up()
    assert (reading.size(granted), reading.size(reached)) == (1, 1)
    tell(web_shop, track("v1", "Consent Withdrawn", hours=-1, purpose="marketing", channel="email"))
    keeper.catch_up()
    assert (reading.size(granted), reading.size(reached)) == (0, 0)


def test_a_merge_moves_people_and_leaves_their_history(
    viewers: None, web_shop: Source, steward: User, make_segment: Make
) -> None:
    segment = make_segment()
    keeper.catch_up()
    red, blue = profile_of(web_shop, "v1"), profile_of(web_shop, "v4")
    done = merging.merge(profiles=[red, blue], by=steward, reason="")
    keeper.catch_up()
    assert reading.size(segment) == 3
    merging.revert(operation=done.operation, by=steward, reason="")
    keeper.catch_up()
    assert reading.size(segment) == 3
    assert [profile.pk for profile in reading.members(segment).profiles] == [
        profile_of(web_shop, user).pk for user in ("v1", "v2", "v3")
    ]
    causes = set(SegmentPassage.objects.filter(profile__in=[red, blue]).values_list("cause", flat=True))
    assert causes <= {"definition", "merge", "unmerge"}


def test_after_the_merge_of_two_members_one_has_left(
    viewers: None, web_shop: Source, steward: User, make_segment: Make
) -> None:
    segment = make_segment()
    keeper.catch_up()
    merged = merging.merge(
        profiles=[profile_of(web_shop, "v1"), profile_of(web_shop, "v2")], by=steward, reason=""
    ).profiles[0]
    assert reading.members(segment).profiles[0] == merged  # who is gone is not shown, even before it is followed
    keeper.catch_up()
    assert reading.size(segment) == 2
    assert passages(segment)[3:] == [(False, "merge")]
    assert {one.profile_id for one in reading.passages_of(merged)} == {merged.pk}


def test_an_erasure_takes_the_person_out_and_leaves_the_numbers(
    viewers: None, web_shop: Source, steward: User, compliance: User, make_segment: Make
) -> None:
    segment = make_segment()
    keeper.catch_up()
    person = profile_of(web_shop, "v1")
    subject = Subject((person.pk,), (), (person.public_id,))
    (holder,) = (one for one in holders() if one.name == "segments.membership")
    told = holder.export(subject)
    assert [row["segment__name"] for row in told["segments.SegmentState"]] == ["Red"]
    assert [row["entered"] for row in told["segments.SegmentPassage"]] == [True]
    touches.tell([Touch(Aspect.PERSON, [person.pk])])
    assert dict(holder.locate(subject)) == {
        "segments.SegmentState": 1,
        "segments.SegmentPassage": 1,
        "segments.PendingMembership": 1,
    }
    asked = requests.receive(profile=person, received_at=LATELY, identity_checked="in_person", note="", by=steward)
    requests.approve(request_id=asked.pk, by=compliance)
    erasure.run(asked.pk)
    keeper.catch_up()
    assert not any(holder.locate(subject).values())
    assert reading.size(segment) == 2
    nobody = SegmentPassage.objects.filter(profile=None).order_by("pk")
    assert list(nobody.values_list("entered", "cause")) == [(True, "definition"), (False, "erasure")]
    assert all((one.at.hour, one.at.minute) == (17, 0) for one in nobody)  # midnight in Bangkok


def test_records_that_an_import_made_by_mistake_leave_nothing(
    viewers: None, web_shop: Source, make_segment: Make
) -> None:
    segment = make_segment()
    keeper.catch_up()
    gone = profile_of(web_shop, "v1")
    (part,) = (one for one in taking.parts() if type(one).__name__ == "MembershipPart")
    record = SourceRecord.objects.get(birth_profile=gone)
    part.take_back([record.pk], [record.pk], taking.Taking(segment.pk, segment.pk, "system:test", False))
    assert not SegmentPassage.objects.filter(profile=gone).exists()
    assert (names(gone), reading.size(segment)) == ([], 2)
