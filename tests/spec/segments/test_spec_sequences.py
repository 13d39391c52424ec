"""A then B: what follows what, how soon, without what in between, and of the same thing."""

import datetime as dt
from typing import Any

import pytest

from tests.generative.segments.populations import RawPerson, RawRecord, RawTouchpoint
from tests.spec.segments.asking import NOW, who

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
MICROSECOND = dt.timedelta(microseconds=1)
EVER = {"kind": "ever"}
ADDED, BOUGHT, REMOVED = "Product Added", "Order Completed", "Product Removed"


def doing(*deeds: tuple[str, dt.timedelta], **properties: Any) -> RawPerson:
    """Somebody who did things so long ago."""
    return RawPerson(
        (RawRecord("site", NOW),), tuple(RawTouchpoint("site", event, NOW - ago, properties) for event, ago in deeds)
    )


def of_things(*deeds: tuple[str, dt.timedelta, Any]) -> RawPerson:
    """The same, each with the number of a product."""
    return RawPerson(
        (RawRecord("site", NOW),),
        tuple(
            RawTouchpoint("site", event, NOW - ago, {} if thing is None else {"product_id": thing})
            for event, ago, thing in deeds
        ),
    )


def follows(**more: Any) -> dict[str, Any]:
    return {
        "kind": "sequence",
        "first": {"event": ADDED},
        "then": {"event": BOUGHT},
        "within": {"n": 2, "unit": "days"},
        "window": EVER,
        **more,
    }


def test_then_is_strictly_later_and_within_includes_its_end() -> None:
    crowd = {
        "an hour later": doing((ADDED, 2 * HOUR), (BOUGHT, HOUR)),
        "the least later": doing((ADDED, HOUR), (BOUGHT, HOUR - MICROSECOND)),
        "at once": doing((ADDED, HOUR), (BOUGHT, HOUR)),
        "the other way round": doing((BOUGHT, 2 * HOUR), (ADDED, HOUR)),
        "exactly two days later": doing((ADDED, 3 * DAY), (BOUGHT, DAY)),
        "the least too late": doing((ADDED, 3 * DAY), (BOUGHT, DAY - MICROSECOND)),
        "only the first": doing((ADDED, DAY)),
        "only the second": doing((BOUGHT, DAY)),
        "neither": doing(),
        "too late after the first, soon after the second": doing((ADDED, 9 * DAY), (ADDED, 2 * DAY), (BOUGHT, DAY)),
        "in the future": doing((ADDED, HOUR), (BOUGHT, -HOUR)),
    }

    assert who(crowd, follows()) == {
        "an hour later",
        "the least later",
        "exactly two days later",
        "too late after the first, soon after the second",
    }
    assert who(crowd, {"kind": "not", "of": [follows()]}) == set(crowd) - who(crowd, follows())


def test_without_is_about_what_lies_strictly_between() -> None:
    crowd = {
        "nothing between": doing((ADDED, 3 * HOUR), (BOUGHT, HOUR)),
        "removed between": doing((ADDED, 3 * HOUR), (REMOVED, 2 * HOUR), (BOUGHT, HOUR)),
        "removed at the instant of the first": doing((ADDED, 3 * HOUR), (REMOVED, 3 * HOUR), (BOUGHT, HOUR)),
        "removed at the instant of the second": doing((ADDED, 3 * HOUR), (REMOVED, HOUR), (BOUGHT, HOUR)),
        "removed before": doing((REMOVED, 4 * HOUR), (ADDED, 3 * HOUR), (BOUGHT, HOUR)),
        "removed after": doing((ADDED, 3 * HOUR), (BOUGHT, HOUR), (REMOVED, HOUR / 2)),
        "added again after it": doing((ADDED, 3 * HOUR), (REMOVED, 2 * HOUR), (ADDED, 1.5 * HOUR), (BOUGHT, HOUR)),
        "bought before it as well": doing((ADDED, 3 * HOUR), (BOUGHT, 2.5 * HOUR), (REMOVED, 2 * HOUR), (BOUGHT, HOUR)),
    }

    assert who(crowd, follows(without={"event": REMOVED})) == set(crowd) - {"removed between"}


def test_the_same_property_binds_all_three() -> None:
    crowd = {
        "the same": of_things((ADDED, 3 * HOUR, "A"), (BOUGHT, HOUR, "a")),
        "another": of_things((ADDED, 3 * HOUR, "A"), (BOUGHT, HOUR, "B")),
        "unknown twice": of_things((ADDED, 3 * HOUR, None), (BOUGHT, HOUR, None)),
        "one of a list": of_things((ADDED, 3 * HOUR, "A"), (BOUGHT, HOUR, ["B", "A"])),
        "a number and its text": of_things((ADDED, 3 * HOUR, 5), (BOUGHT, HOUR, "5")),
        "the same removed": of_things((ADDED, 3 * HOUR, "A"), (REMOVED, 2 * HOUR, "A"), (BOUGHT, HOUR, "A")),
        "another removed": of_things((ADDED, 3 * HOUR, "A"), (REMOVED, 2 * HOUR, "B"), (BOUGHT, HOUR, "A")),
        "an unknown one removed": of_things((ADDED, 3 * HOUR, "A"), (REMOVED, 2 * HOUR, None), (BOUGHT, HOUR, "A")),
    }
    condition = follows(same="product_id", without={"event": REMOVED})

    assert who(crowd, condition) == set(crowd) - {"another", "unknown twice", "the same removed"}


def test_both_lie_in_the_window() -> None:
    """What was begun before the window does not count, however it ended."""
    crowd = {
        "both today": doing((ADDED, 2 * HOUR), (BOUGHT, HOUR)),
        "begun yesterday": doing((ADDED, DAY), (BOUGHT, HOUR)),
        "long ago": doing((ADDED, 40 * DAY), (BOUGHT, 39 * DAY)),
    }

    assert who(crowd, follows(window={"kind": "calendar_days", "n": 1})) == {"both today"}
    assert who(crowd, follows(window={"kind": "rolling", "n": 7, "unit": "days"})) == {"both today", "begun yesterday"}
    assert who(crowd, follows()) == set(crowd)
    none_in_a_week = {"kind": "not", "of": [follows(window={"kind": "rolling", "n": 7, "unit": "days"})]}
    assert who(crowd, none_in_a_week) == {"long ago"}


def test_one_event_type_may_be_both_steps() -> None:
    crowd = {
        "once": doing((ADDED, HOUR)),
        "twice": doing((ADDED, 2 * HOUR), (ADDED, HOUR)),
        "twice at once": doing((ADDED, HOUR), (ADDED, HOUR)),
    }

    assert who(crowd, follows(then={"event": ADDED})) == {"twice"}


def test_each_step_has_its_filters_and_sources() -> None:
    def visit(source: str, colour: str) -> RawPerson:
        record = (RawRecord("site", NOW),)
        return RawPerson(
            record,
            (
                RawTouchpoint("site", ADDED, NOW - 2 * HOUR, {"color": "red"}),
                RawTouchpoint(source, BOUGHT, NOW - HOUR, {"color": colour}),
            ),
        )

    crowd = {"red at the till": visit("till", "red"), "red": visit("site", "red"), "blue": visit("till", "blue")}
    red = [{"property": "color", "operator": "is", "value": "red"}]
    condition = follows(
        first={"event": ADDED, "filters": red}, then={"event": BOUGHT, "filters": red, "sources": ["till"]}
    )

    assert who(crowd, condition) == {"red at the till"}
