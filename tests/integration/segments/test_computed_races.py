"""Computed traits when two things happen at once, and when something fails."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError, connection, transaction
from psycopg import sql

from cdp_site.core.models import User
from cdp_site.core.personal_data import Subject, holders
from ingestion.models import Source
from profiles.models import Profile
from profiles.signals import Aspect, Touch, tell_touched
from segments import keeper
from segments.membership import following, reading
from segments.models import ComputedTrait, ComputedValue, PendingValues, Segment
from segments.traits import authoring, keeping
from tests.customers import LATELY, Tell, track
from tests.integration.segments.computed import (
    Make,
    asks,
    definition,
    fresh_samples,
    group,
    make_trait,
    pick,
    rolling,
    shopper,
    value_of,
)

__all__ = ["fresh_samples", "group", "make_trait", "shopper"]

pytestmark = pytest.mark.django_db

MakeSegment = Callable[..., Segment]


def test_what_is_asked_for_while_a_chunk_is_computed_is_computed_again(
    shopper: Profile, make_trait: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = make_trait("Views", definition("count"))
    keeping.ask_everybody(views)
    whole = keeping.difference

    def meanwhile(*arguments: Any) -> sql.Composed:
        keeping.ask_everybody(views)  # a word means another thing
        return whole(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(keeping, "difference", meanwhile)
        assert keeping.refresh()
    assert keeping.refresh()
    assert not keeping.refresh()


def test_one_that_fails_before_it_is_asked_does_not_hold_up_the_others(
    shopper: Profile, make_trait: Make, tell: Tell, web_shop: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, views = make_trait("Broken", definition("sum", "price")), make_trait("Views", definition("count"))
    whole = keeping.difference

    def failing(trait_id: int, *arguments: Any) -> sql.Composed:
        if trait_id == broken.pk:
            raise ValueError("what a formula may run into")
        return whole(trait_id, *arguments)

    monkeypatch.setattr(keeping, "difference", failing)
    tell(web_shop, track("s1", "Product Viewed", hours=1, price=1))
    keeper.catch_up()
    broken.refresh_from_db()
    assert not broken.is_complete
    assert value_of(views, shopper) == 5
    assert not PendingValues.objects.exists()


def test_a_round_that_takes_too_long_leaves_traits_to_a_computation_of_everybody(
    shopper: Profile, make_trait: Make, tell: Tell, web_shop: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    views = make_trait("Views", definition("count"))
    tell(web_shop, track("s1", "Product Viewed", hours=1))
    monkeypatch.setattr(keeper, "ROUND_SECONDS", 0)
    assert keeping.follow()
    assert not ComputedTrait.objects.get(pk=views.pk).is_complete
    keeper.catch_up()
    assert value_of(views, shopper) == 5


def test_segments_are_asked_anew_when_everybodys_values_are_there_again(
    shopper: Profile, make_trait: Make, make_segment: MakeSegment
) -> None:
    with time_machine.travel(LATELY + timedelta(hours=1), tick=False):
        lately = make_trait("Lately", definition("count", "", pick(window=rolling(24))))
        keeping._postpone(lately, until=LATELY + timedelta(hours=2))  # it has failed
        ComputedValue.objects.all().delete()
        segment = make_segment(asks("computed.lately", "at_least", 3))
        keeper.catch_up()
        assert reading.size(segment) == 1  # computed live
    with time_machine.travel(LATELY + timedelta(hours=5), tick=False):
        keeper.catch_up()
        assert value_of(lately, shopper) == 2
        assert reading.size(segment) == 0


def test_who_asks_through_another_segment_is_asked_anew_with_it(
    shopper: Profile, make_trait: Make, make_segment: MakeSegment, marketer: User
) -> None:
    trait = make_trait("Views", definition("count"))
    inner = make_segment(asks("computed.views", "is", 4), name="Inner")
    outer = make_segment({"kind": "segment", "segment": str(inner.pk), "is_in": True}, name="Outer")
    keeper.catch_up()
    assert (reading.size(inner), reading.size(outer)) == (1, 1)
    bags = [{"property": "category", "operator": "is", "value": "bags"}]
    authoring.change(
        trait=trait,
        name="Views",
        name_th="",
        description="",
        group=trait.group,
        definition=definition("count", "", pick(filters=bags)),
        by=marketer,
    )
    keeper.catch_up()
    assert (reading.size(inner), reading.size(outer)) == (0, 0)


def test_nothing_waiting_for_a_customers_values_is_passed_over(
    shopper: Profile, make_trait: Make, make_segment: MakeSegment, tell: Tell, web_shop: Source
) -> None:
    make_trait("Views", definition("count"))
    segment = make_segment(asks("computed.views", "at_least", 5))
    keeper.catch_up()
    assert reading.known_of(shopper, [segment]) == {segment.pk: False}
    tell(web_shop, track("s1", "Product Viewed", hours=1))
    following.follow()  # its own queue is empty now, the values are not there yet
    assert reading.known_of(shopper, [segment]) == {}


def test_values_of_who_is_no_longer_there_go(shopper: Profile, make_trait: Make) -> None:
    views = make_trait("Views", definition("count"))
    gone = shopper.pk + 10 * keeping.PEOPLE_AT_ONCE  # an import that was taken back had brought the last ones
    ComputedValue.objects.create(trait=views, profile_id=gone, value=1)
    tell_touched(Touch(Aspect.PERSON, [gone]))
    keeper.catch_up()
    assert not ComputedValue.objects.filter(profile_id=gone).exists()


@contextmanager
def computed_elsewhere() -> Iterator[None]:
    """Another process has computed values and has not written them down yet."""
    begun, over = threading.Event(), threading.Event()

    def compute() -> None:
        with transaction.atomic():
            keeping.hold()
            begun.set()
            over.wait(30)
        connection.close()

    other = threading.Thread(target=compute)
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
def test_an_erasure_waits_for_who_may_still_write_values_down(shopper: Profile, make_trait: Make) -> None:
    make_trait("Views", definition("count"))
    (holder,) = (one for one in holders() if one.name == "segments.computed_traits")
    with pytest.raises(OperationalError, match="lock timeout"), computed_elsewhere():
        holder.erase(Subject((shopper.pk,), (), (shopper.public_id,)))
