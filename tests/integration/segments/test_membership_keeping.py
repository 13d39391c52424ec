"""How stored memberships are kept and read: changed definitions, the queue, the keeper, and whom they answer."""

import signal
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from cdp_site.core.access import EVERYTHING
from cdp_site.core.models import User
from consent.models import Purpose
from ingestion.models import Source
from profiles import catalogue
from profiles.models import EventType, Term
from segments import audience, authoring, keeper, shelving, sizes
from segments.membership import forgetting, queue, reading, refreshing, touches
from segments.membership.touches import Aspect, Touch
from segments.models import (
    PendingMembership,
    Segment,
    SegmentFreshness,
    SegmentPassage,
    SegmentState,
    SegmentVersion,
)
from tests import processes
from tests.customers import LATELY, Tell, identify, profile_of, track
from tests.integration.segments.membership import ORDERED, VIEWED, Make, did, names, passages

pytestmark = pytest.mark.django_db


# --- definitions ------------------------------------------------------------------------------------------------------


def change(segment: Segment, *conditions: dict[str, Any], by: User) -> Segment:
    return authoring.change(
        segment=segment,
        name=segment.name,
        description="",
        department=segment.department,
        definition={"version": 2, "where": {"kind": "all", "of": list(conditions)}},
        by=by,
    )


def test_a_new_definition_is_asked_of_everybody_and_of_those_who_ask_for_it(
    viewers: None, make_segment: Make, marketer: User
) -> None:
    inner = make_segment(name="Inner")
    outer = make_segment({"kind": "segment", "segment": str(inner.pk), "is_in": False}, name="Outer")
    keeper.catch_up()
    assert (reading.size(inner), reading.size(outer)) == (3, 3)
    inner = change(inner, VIEWED, by=marketer)
    assert (reading.size(inner), reading.fresh_as_of(inner)) == (None, None)  # not by the definition of now
    keeper.catch_up()
    assert (reading.size(inner), reading.size(outer)) == (6, 0)
    assert passages(inner)[3:] == [(True, "definition")] * 3
    assert passages(outer)[3:] == [(False, "definition")] * 3


def test_what_a_definition_leans_on_changes(viewers: None, make_segment: Make, web_shop: Source, steward: User) -> None:
    reached = make_segment({"kind": "reachable", "purpose": "marketing", "channel": "email"}, name="Reached")
    german = make_segment(did("Product Viewed", "at_least", 1, {"kind": "ever"}, color="rot"), name="Rot")
    keeper.catch_up()
    assert (reading.size(reached), reading.size(german)) == (1, 0)
    purpose = Purpose.objects.get(slug="marketing")
    purpose.is_active = False
    purpose.save()
    red = Term.objects.get(attribute="color", label="Red")
    spellings = [*red.synonyms.values_list("text", flat=True), "rot"]
    catalogue.save_term(
        term=red, attribute="color", label=red.label, label_th=red.label_th, spellings=spellings, by=steward
    )
    keeper.catch_up()
    assert (reading.size(reached), reading.size(german)) == (0, 3)


def test_a_definition_that_cannot_be_read_keeps_nobody_else_waiting(viewers: None, make_segment: Make) -> None:
    broken, well = make_segment(name="Broken"), make_segment(name="Well")
    Segment.objects.filter(pk=broken.pk).update(definition={"version": 99})
    keeper.catch_up()
    assert SegmentFreshness.objects.get(segment=broken).problem == "unreadable"
    assert (reading.size(broken), reading.size(well)) == (None, 3)


def test_too_slow_an_evaluation_is_told_and_tried_again(
    clock: Any, viewers: None, make_segment: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = make_segment()

    def stopped(*_arguments: object, **_more: object) -> None:
        raise audience.TooSlowProblem

    with monkeypatch.context() as patch:
        patch.setattr("segments.membership.refreshing.writing.write", stopped)
        keeper.catch_up()
    freshness = SegmentFreshness.objects.get(segment=segment)
    assert (freshness.problem, reading.size(segment)) == ("too_slow", None)
    clock.move_to(freshness.due_at)
    keeper.catch_up()
    assert reading.size(segment) == 3


def test_an_archived_segment_is_not_followed(
    viewers: None, tell: Tell, web_shop: Source, make_segment: Make, marketer: User
) -> None:
    segment = make_segment()
    keeper.catch_up()
    shelving.archive(segment=segment, by=marketer)
    tell(web_shop, track("v4", "Product Viewed", hours=1, color="red"))
    keeper.catch_up()
    assert names(profile_of(web_shop, "v1")) == []
    assert segment.states.count() == 3


def test_a_deleted_segment_takes_its_states_along(viewers: None, make_segment: Make, marketer: User) -> None:
    segment = make_segment()
    keeper.catch_up()
    authoring.delete(segment=segment, by=marketer)
    assert not SegmentState.objects.exists()
    assert not SegmentPassage.objects.exists()
    assert not SegmentFreshness.objects.exists()
    assert not SegmentVersion.objects.exists()


def test_passages_go_when_no_chart_counts_them_any_more(
    clock: Any, viewers: None, make_segment: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    segment = make_segment()
    keeper.catch_up()
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    assert forgetting.KEPT.days > sizes.LONGEST
    clock.shift(forgetting.KEPT)
    assert forgetting.forget_old() == 0
    clock.shift(timedelta(seconds=1))
    assert forgetting.forget_old() == 3
    assert (passages(segment), reading.size(segment)) == ([], 3)  # who is in it stays


# --- the queue --------------------------------------------------------------------------------------------------------


def test_a_round_takes_as_many_people_as_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "AT_ONCE", 2)
    touches.tell([Touch(Aspect.PERSON, [3, 1, 2]), Touch(Aspect.ORDERS, []), Touch(Aspect.ORDERS, [9])])
    assert [list(one.profile_ids) for one in queue.take()] == [[1, 2]]
    assert [(one.aspect, list(one.profile_ids)) for one in queue.take()] == [(Aspect.PERSON, [3]), (Aspect.ORDERS, [9])]
    assert queue.take() == []


def test_staleness_is_what_waits_longest(clock: Any, viewers: None, make_segment: Make) -> None:
    segment = make_segment()
    assert reading.fresh_as_of(segment) is None
    keeper.catch_up()
    assert reading.fresh_as_of(segment) == LATELY
    touches.tell([Touch(Aspect.PERSON, [1])])
    clock.shift(timedelta(seconds=30))
    assert reading.fresh_as_of(segment) == LATELY
    assert reading.is_relied_on(segment)
    clock.shift(timedelta(minutes=1))
    assert not reading.is_relied_on(segment)


KILLED_HALF_WAY = """
from segments import keeper
from segments.membership import writing

written = []
write = writing.write

def killer(*arguments, **more):
    if written:
        os.kill(os.getpid(), signal.SIGKILL)
    written.append(write(*arguments, **more))
    return written[-1]

writing.write = killer
keeper.catch_up()
"""


@pytest.mark.django_db(transaction=True)
def test_who_is_killed_half_way_loses_nothing(viewers: None, tell: Tell, web_shop: Source, make_segment: Make) -> None:
    one, two = make_segment(name="One"), make_segment(name="Two")
    keeper.catch_up()
    tell(web_shop, track("v4", "Product Viewed", hours=1, color="red"))
    assert processes.run(KILLED_HALF_WAY) == -signal.SIGKILL
    assert PendingMembership.objects.exists()
    assert (reading.size(one), reading.size(two)) == (3, 3)
    keeper.catch_up()
    assert (reading.size(one), reading.size(two)) == (4, 4)


@pytest.mark.django_db(transaction=True)  # it closes its connection between two rounds
def test_the_keeper_goes_on_when_a_part_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    stop, rounds = threading.Event(), []

    def fails() -> bool:
        raise ValueError("what a part may run into")

    def ends() -> bool:
        rounds.append(1)
        stop.set()
        return False

    monkeypatch.setattr(keeper, "_parts", [])
    keeper.register("fails", fails, order=1)
    keeper.register("ends", ends, order=2)
    with pytest.raises(ValueError, match="twice"):
        keeper.register("ends", ends, order=3)
    keeper.run_forever(name="keeper", stop=stop)
    assert rounds == [1]
    with pytest.raises(ValueError, match="may run into"):
        keeper.catch_up()


# --- who reads it -----------------------------------------------------------------------------------------------------


def test_who_sees_everything_reads_what_is_stored(
    viewers: None, make_segment: Make, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    segment = make_segment()
    keeper.catch_up()
    question = audience.Question.of_segment(segment, EVERYTHING)
    assert question.stored == segment
    with django_assert_max_num_queries(8):
        assert audience.count(question) == 3
    first = audience.page(question, size=2)
    rest = audience.page(question, after=first.next, size=2)
    assert [one.pk for one in (*first.profiles, *rest.profiles)] == audience.member_ids(question)
    assert rest.next is None
    SegmentState.objects.all().delete()  # only what is stored is asked
    assert audience.member_ids(question) == []
    assert len(audience.member_ids(replace(question, segment=None))) == 3


def test_who_sees_a_part_is_answered_from_that_part(
    viewers: None, make_segment: Make, web_shop: Source, pos: Source
) -> None:
    segment = make_segment()
    keeper.catch_up()
    scope = replace(EVERYTHING, source_ids=frozenset([pos.pk]))
    question = audience.Question.of_segment(segment, scope)
    assert question.stored is None
    assert audience.count(question) == 0


def test_hidden_parts_of_a_trait_keep_what_is_stored_away(viewers: None, make_segment: Make, web_shop: Source) -> None:
    named = make_segment({"kind": "attribute", "trait": "first_name", "operator": "known"}, name="Named")
    keeper.catch_up()
    question = audience.Question.of_segment(named, EVERYTHING)
    assert question.stored == named
    limited = replace(question.viewer, hidden_traits=frozenset({"last_name"}))
    assert replace(question, viewer=limited).stored is None


def test_the_panel_of_a_customer_reads_what_is_stored(
    viewers: None, make_segment: Make, web_shop: Source, tell: Tell
) -> None:
    segments = [make_segment(), make_segment(VIEWED, name="Viewed"), make_segment(ORDERED, name="Ordered")]
    keeper.catch_up()
    person = profile_of(web_shop, "v4")
    assert set(reading.known_of(person, segments).values()) == {True, False}
    assert [one.name for one in audience.standing(person, segments, EVERYTHING).segments] == ["Viewed"]
    tell(web_shop, track("v4", "Order Completed", hours=1, order_id="o1", total=5))
    assert reading.known_of(person, segments) == {}  # something waits: the customer is asked about
    assert [one.name for one in audience.standing(person, segments, EVERYTHING).segments] == ["Viewed", "Ordered"]


def test_refreshing_writes_only_what_differs(viewers: None, make_segment: Make) -> None:
    segment = make_segment(did("Product Viewed", "at_least", 1, {"kind": "rolling", "n": 3650, "unit": "days"}))
    keeper.catch_up()
    with connection.cursor() as cursor:
        cursor.execute("SELECT profile_id, xmin::text FROM segments_segmentstate ORDER BY 1")
        before = cursor.fetchall()
        refreshing.ask([segment.pk])
        keeper.catch_up()
        cursor.execute("SELECT profile_id, xmin::text FROM segments_segmentstate ORDER BY 1")
        assert cursor.fetchall() == before
    assert len(before) == reading.size(segment) == 6


def test_a_new_kind_of_event_is_known_when_it_comes(tell: Tell, web_shop: Source, make_segment: Make) -> None:
    EventType.objects.get_or_create(name="Chair Sat")
    segment = make_segment(did("Chair Sat", "at_least", 1, {"kind": "ever"}))
    keeper.catch_up()
    tell(web_shop, identify("v1", firstName="มานี"), track("v1", "Chair Sat"))
    keeper.catch_up()
    assert reading.size(segment) == 1
