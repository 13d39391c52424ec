"""Stored memberships when two things happen at once, and when something fails or takes too long."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from cdp_site.core.models import User
from cdp_site.core.personal_data import Subject, holders
from ingestion.models import Source
from segments import audience, authoring, keeper
from segments.membership import arrivals, following, reading, refreshing, writing
from segments.models import Segment, SegmentFreshness, SegmentState
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.integration.segments.membership import ORDERED, VIEWED, WEEK, Make, did, names

pytestmark = pytest.mark.django_db


def change(segment: Segment, *conditions: dict[str, Any], by: User) -> Segment:
    return authoring.change(
        segment=segment,
        name=segment.name,
        description="",
        department=segment.department,
        definition={"version": 2, "where": {"kind": "all", "of": list(conditions)}},
        by=by,
    )


# --- what is asked for meanwhile --------------------------------------------------------------------------------------


def test_what_changes_while_everybody_is_asked_is_asked_again(
    viewers: None, make_segment: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = make_segment()
    write = writing.write

    def meanwhile(*arguments: Any, **more: Any) -> writing.Moved:
        moved = write(*arguments, **more)  # it has read what was there before
        refreshing.ask([segment.pk])
        return moved

    for evaluation in ("the first", "a later one"):
        with monkeypatch.context() as patch:
            patch.setattr("segments.membership.refreshing.writing.write", meanwhile)
            assert refreshing.refresh(), evaluation
        assert reading.size(segment) is None, evaluation
        assert refreshing.refresh(), evaluation
        assert reading.size(segment) == 3, evaluation
        refreshing.ask([segment.pk])


def test_who_asks_for_a_segment_is_asked_anew_whenever_its_definition_changes(
    viewers: None, make_segment: Make, marketer: User
) -> None:
    inner = make_segment(name="Inner")
    outer = make_segment({"kind": "segment", "segment": str(inner.pk), "is_in": False}, name="Outer")
    keeper.catch_up()
    refreshing.ask([inner.pk])  # what it leans on has changed as well, a moment before
    inner = change(inner, VIEWED, by=marketer)
    assert reading.size(outer) is None  # at once: what is stored is by the definition that the inner one had
    keeper.catch_up()
    assert (reading.size(inner), reading.size(outer)) == (6, 0)


# --- what fails -------------------------------------------------------------------------------------------------------


def test_filters_that_fail_keep_nobody_waiting(
    viewers: None, tell: Tell, web_shop: Source, make_segment: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewed = make_segment(did("Product Viewed", "at_least", 2, {"kind": "ever"}), name="Viewed")
    ordered = make_segment(ORDERED, name="Ordered")
    keeper.catch_up()

    def fails(*_arguments: object) -> None:
        raise ValueError("what a filter may run into")

    monkeypatch.setattr(arrivals, "_passing", fails)
    tell(web_shop, track("v1", "Product Viewed", hours=1), track("v2", "Order Completed", order_id="o", total=1))
    keeper.catch_up()
    assert (reading.size(viewed), reading.size(ordered)) == (1, 1)


def test_a_definition_that_can_no_longer_be_read_is_not_tried_for_ever(
    clock: Any, tell: Tell, web_shop: Source, make_segment: Make
) -> None:
    tell(web_shop, identify("v1", firstName="มานี"), track("v1", "Product Viewed"))
    segment = make_segment(did("Product Viewed", "at_least", 1, WEEK))
    keeper.catch_up()
    Segment.objects.filter(pk=segment.pk).update(definition={"version": 99})  # an older program than wrote it
    clock.move_to(LATELY + timedelta(days=7))
    SegmentFreshness.objects.update(due_at=LATELY + timedelta(days=8))
    assert following.turn()
    assert not following.turn()
    assert SegmentFreshness.objects.get().problem == "unreadable"


def test_what_always_fails_is_tried_less_and_less_often(
    clock: Any, viewers: None, make_segment: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = make_segment()

    def stopped(*_arguments: object, **_more: object) -> None:
        raise audience.TooSlowProblem

    monkeypatch.setattr("segments.membership.refreshing.writing.write", stopped)
    pauses, tried_at = [], LATELY
    for _time in range(3):
        keeper.catch_up()
        due_at = SegmentFreshness.objects.get(segment=segment).due_at
        pauses.append(due_at - tried_at)
        tried_at = due_at
        clock.move_to(due_at)
    assert pauses == [timedelta(minutes=10), timedelta(hours=1), timedelta(hours=1)]


# --- what takes long --------------------------------------------------------------------------------------------------


def test_a_round_that_takes_too_long_leaves_segments_to_an_evaluation_of_everybody(
    viewers: None, tell: Tell, web_shop: Source, make_segment: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = make_segment()
    keeper.catch_up()
    tell(web_shop, track("v4", "Product Viewed", hours=1, color="red"))
    monkeypatch.setattr(keeper, "ROUND_SECONDS", 0)
    assert following.follow()
    assert reading.size(segment) is None  # nobody relies on what may miss somebody
    keeper.catch_up()
    assert (reading.size(segment), names(profile_of(web_shop, "v4"))) == (4, ["Red"])


def test_the_keeper_gives_a_sign_of_life_before_each_round(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def round_of(name: str) -> Callable[[], bool]:
        def take() -> bool:
            said.append(name)
            return False

        return take

    monkeypatch.setattr(keeper, "_parts", [])
    keeper.register("slow", round_of("follow"), round_of("refresh"), order=1)
    keeper.register("other", round_of("turn"), order=2)
    assert not keeper.go_round(lambda: said.append("alive"))
    assert said == ["alive", "follow", "alive", "refresh", "alive", "turn"]


def test_a_new_definition_does_not_wait_for_what_is_asked_each_night(
    clock: Any, viewers: None, make_segment: Make, marketer: User
) -> None:
    nightly, changed = make_segment(name="Nightly"), make_segment(name="Changed")
    keeper.catch_up()
    SegmentFreshness.objects.filter(segment=nightly).update(due_at=LATELY)
    changed = change(changed, VIEWED, by=marketer)
    assert refreshing.refresh()
    assert reading.size(changed) == 6
    assert SegmentFreshness.objects.get(segment=nightly).due_at == LATELY


# --- who goes while they are being looked at --------------------------------------------------------------------------


@contextmanager
def evaluated_elsewhere(segment: Segment) -> Iterator[None]:
    """Another process has read who is in the segment and has not written it down yet."""
    begun, over = threading.Event(), threading.Event()

    def evaluate() -> None:
        with transaction.atomic():
            writing.hold(segment.pk)
            begun.set()
            over.wait(30)
        connection.close()

    other = threading.Thread(target=evaluate)
    other.start()
    assert begun.wait(30)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout TO '300ms'")
            yield
    finally:
        over.set()
        other.join()


@pytest.mark.django_db(transaction=True)
def test_an_erasure_waits_for_who_may_still_write_the_person_down(
    viewers: None, web_shop: Source, make_segment: Make
) -> None:
    segment = make_segment()
    person = profile_of(web_shop, "v1")
    subject = Subject((person.pk,), (), (person.public_id,))
    (holder,) = (one for one in holders() if one.name == "segments.membership")
    with pytest.raises(OperationalError, match="lock timeout"), evaluated_elsewhere(segment):
        holder.erase(subject)
    keeper.catch_up()
    holder.erase(subject)
    assert not SegmentState.objects.filter(profile=person).exists()


@pytest.mark.django_db(transaction=True)
def test_a_segment_is_deleted_after_who_may_still_write_its_members_down(
    viewers: None, make_segment: Make, marketer: User
) -> None:
    segment = make_segment()
    keeper.catch_up()
    with pytest.raises(OperationalError, match="lock timeout"), evaluated_elsewhere(segment):
        authoring.delete(segment=segment, by=marketer)
    authoring.delete(segment=segment, by=marketer)
    assert not SegmentState.objects.exists()
    assert not SegmentFreshness.objects.exists()
