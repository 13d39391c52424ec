"""When time alone turns a condition on a computed trait."""

import datetime as dt
import zoneinfo
from decimal import Decimal
from typing import Any

import pytest

from segments.definition import nodes
from segments.definition.evaluate import Moment, Person, Touchpoint, holds
from segments.definition.next_change import looks_at_days, next_change
from segments.traits import reference
from segments.traits.formula import Calculation, Formula, channel_in, moment_of, slug_of, stamp
from segments.traits.reader import ANY_NUMBER_OF_TIMES

BANGKOK = zoneinfo.ZoneInfo("Asia/Bangkok")
NOW = dt.datetime(2026, 11, 22, 3, 30, tzinfo=dt.UTC)  # 10:30 in Bangkok
HOUR = dt.timedelta(hours=1)


def pick(window: nodes.Window) -> nodes.TouchpointCondition:
    return nodes.TouchpointCondition("Product Viewed", ANY_NUMBER_OF_TIMES, window)


def asks(name: str, operator: str, value: Any) -> nodes.AttributeCondition:
    return nodes.AttributeCondition(name, nodes.Comparison(nodes.Operator(operator), value))


def viewer(formula: Formula, *ago: dt.timedelta) -> Person:
    """Somebody who viewed a product so long ago, with the trait "views"."""
    touchpoints = tuple(Touchpoint("Product Viewed", NOW - one, {}, "site") for one in ago)
    person = Person(1, touchpoints=touchpoints)
    return reference.knowing(person, {"views": formula}, ["web", "store"], Moment(NOW, BANGKOK), lambda _e, _s: "web")


LATELY = Formula(Calculation.COUNT, (pick(nodes.Rolling(24, nodes.Unit.HOURS)),))
SINCE = Formula(Calculation.DAYS_SINCE, (pick(nodes.Ever()),))


@pytest.mark.parametrize(
    ("formula", "condition", "expected"),
    [
        # The second of three views leaves the window: then there is one left.
        (LATELY, asks("computed.views", "at_least", Decimal(2)), NOW + 14 * HOUR),
        (LATELY, asks("computed.views", "at_least", Decimal(1)), NOW + 23 * HOUR),
        (LATELY, asks("computed.views", "at_least", Decimal(4)), None),
        # The midnight that makes it three days since yesterday's … the last view was today.
        (SINCE, asks("computed.views.days", "at_least", Decimal(3)), dt.datetime(2026, 11, 24, 17, tzinfo=dt.UTC)),
        (SINCE, asks("computed.views.days", "is", Decimal(0)), dt.datetime(2026, 11, 22, 17, tzinfo=dt.UTC)),
        (SINCE, asks("computed.other.days", "is", Decimal(0)), None),
    ],
)
def test_says_the_moment(formula: Formula, condition: nodes.AttributeCondition, expected: dt.datetime | None) -> None:
    person = viewer(formula, HOUR, 10 * HOUR, 20 * HOUR)

    assert next_change(condition, person, NOW, BANGKOK) == expected
    if expected is not None:
        before = holds(condition, person, Moment(expected - nodes.TICK, BANGKOK))
        assert (
            before
            == holds(condition, person, Moment(NOW, BANGKOK))
            != holds(condition, person, Moment(expected, BANGKOK))
        )


def test_days_change_at_midnight_for_everybody() -> None:
    assert looks_at_days(asks("computed.views.days", "at_least", Decimal(3)))
    assert not looks_at_days(asks("computed.views", "at_least", Decimal(3)))


def test_what_names_say() -> None:
    assert (slug_of("computed.views.web"), slug_of("city")) == ("views", None)
    assert [channel_in(f"computed.views{end}") for end in ("", ".web", ".days", ".web.days")] == ["", "web", "", "web"]
    assert moment_of("computed.views", stamp(NOW)) == NOW
    assert moment_of("computed.views", "2026-11-22") is None
    assert moment_of("seen_at", stamp(NOW)) is None
