"""How touchpoints are counted: windows, their edges, and what "not" means of somebody who never did a thing."""

import datetime as dt
from typing import Any

import pytest

from tests.generative.segments.populations import RawPerson, RawRecord, RawTouchpoint
from tests.spec.segments.asking import NOW, bangkok, who

pytestmark = pytest.mark.django_db

VIEWED = {"kind": "touchpoint", "event": "Product Viewed"}
EVER = {"kind": "ever"}


def doing(*moments: dt.datetime, event: str = "Product Viewed", **properties: Any) -> RawPerson:
    return RawPerson(
        (RawRecord("site", NOW),), tuple(RawTouchpoint("site", event, moment, properties) for moment in moments)
    )


def at_least(n: int) -> dict[str, Any]:
    return {"bound": "at_least", "n": n}


SECOND = dt.timedelta(seconds=1)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        # Rolling: the last 7 × 24 hours. What happened exactly then is just out; now itself is in.
        (
            {"kind": "rolling", "n": 7, "unit": "days"},
            [NOW, NOW - 7 * DAY + SECOND],
            [NOW - 7 * DAY, NOW + SECOND],
        ),
        (
            {"kind": "rolling", "n": 90, "unit": "minutes"},
            [NOW - dt.timedelta(minutes=89)],
            [NOW - dt.timedelta(minutes=90)],
        ),
        # Calendar days: from midnight in Bangkok, today included.
        (
            {"kind": "calendar_days", "n": 1},
            [bangkok("2026-11-22 00:00"), NOW],
            [bangkok("2026-11-21 23:59:59"), NOW + SECOND],
        ),
        (
            {"kind": "calendar_days", "n": 7},
            [bangkok("2026-11-16 00:00")],
            [bangkok("2026-11-15 23:59:59")],
        ),
        # Between two days: both whole, but never later than now.
        (
            {"kind": "between", "first": "2026-11-01", "last": "2026-11-10"},
            [bangkok("2026-11-01 00:00"), bangkok("2026-11-10 23:59:59")],
            [bangkok("2026-10-31 23:59:59"), bangkok("2026-11-11 00:00")],
        ),
        (
            {"kind": "between", "first": "2026-11-22", "last": "2026-12-31"},
            [NOW],
            [NOW + SECOND],
        ),
        # Ever: up to now.
        (EVER, [bangkok("1999-01-01 00:00"), NOW], [NOW + SECOND]),
    ],
)
def test_windows(window: dict[str, Any], inside: list[dt.datetime], outside: list[dt.datetime]) -> None:
    crowd = {str(moment): doing(moment) for moment in [*inside, *outside]}

    assert who(crowd, {**VIEWED, "count": at_least(1), "window": window}) == {str(moment) for moment in inside}
    for bound in ("exactly", "at_most"):
        never = {**VIEWED, "count": {"bound": bound, "n": 0}, "window": window}
        assert who(crowd, never) == {str(moment) for moment in outside}


CROWD = {
    "never": doing(),
    "something else": doing(NOW, event="Order Completed"),
    "once": doing(NOW),
    "twice": doing(NOW, NOW - DAY),
    "thrice": doing(NOW, NOW - DAY, NOW - 2 * DAY),
    "long ago": doing(NOW - 100 * DAY),
}
TWO_DAYS = {"kind": "between", "first": "2026-11-20", "last": "2026-11-21"}


@pytest.mark.parametrize(
    ("bound", "n", "window", "expected"),
    [
        ("at_least", 1, EVER, {"once", "twice", "thrice", "long ago"}),
        ("at_least", 2, EVER, {"twice", "thrice"}),
        ("exactly", 2, EVER, {"twice"}),
        # Who never did it did it 0 times: at most 1 and exactly 0 hold.
        ("at_most", 1, EVER, {"never", "something else", "once", "long ago"}),
        ("exactly", 0, EVER, {"never", "something else"}),
        ("at_most", 0, EVER, {"never", "something else"}),
        # In a window, the negative is about the window only: long ago is not in the last 7 days.
        ("exactly", 0, {"kind": "rolling", "n": 7, "unit": "days"}, {"never", "something else", "long ago"}),
        ("at_most", 2, {"kind": "rolling", "n": 7, "unit": "days"}, set(CROWD) - {"thrice"}),
        # Yesterday and today.
        ("exactly", 0, {"kind": "calendar_days", "n": 2}, {"never", "something else", "long ago"}),
        ("at_most", 1, {"kind": "calendar_days", "n": 2}, {"never", "something else", "once", "long ago"}),
        ("at_most", 2, {"kind": "calendar_days", "n": 3}, set(CROWD) - {"thrice"}),
        # Between two days that are over: today does not count.
        ("exactly", 0, TWO_DAYS, {"never", "something else", "once", "long ago"}),
        ("at_most", 1, TWO_DAYS, set(CROWD) - {"thrice"}),
        ("exactly", 0, {"kind": "between", "first": "2026-08-14", "last": "2026-08-14"}, set(CROWD) - {"long ago"}),
    ],
)
def test_counts(bound: str, n: int, window: dict[str, Any], expected: set[str]) -> None:
    assert who(CROWD, {**VIEWED, "count": {"bound": bound, "n": n}, "window": window}) == expected


def test_none_of_at_least_one_is_exactly_zero() -> None:
    never = {**VIEWED, "count": {"bound": "exactly", "n": 0}, "window": EVER}
    none_of = {"kind": "not", "of": [{**VIEWED, "count": at_least(1), "window": EVER}]}

    assert who(CROWD, never) == who(CROWD, none_of)


def test_every_filter_must_hold_for_the_same_touchpoint() -> None:
    red = RawTouchpoint("site", "Product Viewed", NOW, {"color": "red", "price": 900})
    cheap = RawTouchpoint("site", "Product Viewed", NOW, {"color": "blue", "price": 90})
    both = RawTouchpoint("site", "Product Viewed", NOW, {"color": ["blue", "Red"], "price": "90"})
    crowd = {
        "one of each": RawPerson((RawRecord("site", NOW),), (red, cheap)),
        "both at once": RawPerson((RawRecord("site", NOW),), (both,)),
    }
    filters = [
        {"property": "color", "operator": "is", "value": "red"},
        {"property": "price", "operator": "less_than", "value": 100},
    ]

    assert who(crowd, {**VIEWED, "count": at_least(1), "window": EVER, "filters": filters}) == {"both at once"}


def test_four_is_not_more_than_four_views_of_red_shoes_in_7_days() -> None:
    """The example that the product was asked for: "more than 4" is "at least 5"."""
    red: dict[str, Any] = {"category": "shoes", "color": "red"}
    crowd = {
        "four": doing(*[NOW - n * DAY for n in range(4)], **red),
        "five": doing(*[NOW - n * DAY for n in range(5)], **red),
        "five of which one is too old": doing(*[NOW - n * DAY for n in (0, 1, 2, 3, 7)], **red),
        "five blue ones": doing(*[NOW - n * DAY for n in range(5)], category="shoes", color="blue"),
    }
    condition = {
        **VIEWED,
        "count": at_least(5),
        "window": {"kind": "rolling", "n": 7, "unit": "days"},
        "filters": [
            {"property": "category", "operator": "is", "value": "shoes"},
            {"property": "color", "operator": "is", "value": "red"},
        ],
    }

    assert who(crowd, condition) == {"five"}
