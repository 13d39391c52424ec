"""Who can be a member at all: groups, consent states, and what a viewer's department makes of it."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.generative.segments.populations import Eyes, RawConsent, RawOrder, RawPerson, RawRecord, RawTouchpoint
from tests.spec.segments.asking import NOW, knowing, who

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)
IN_BANGKOK = {"kind": "attribute", "trait": "city", "operator": "is", "value": "Bangkok"}
ADULT = {"kind": "attribute", "trait": "age", "operator": "at_least", "value": 20}
ANYBODY = {"kind": "any", "of": [IN_BANGKOK, {"kind": "not", "of": [IN_BANGKOK]}]}

CROWD = {
    "both": knowing(city="Bangkok", age=30),
    "city": knowing(city="Bangkok", age=10),
    "age": knowing(city="Trang", age=30),
    "neither": knowing(city="Trang", age=10),
    "unknown": knowing(),
}


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ({"kind": "all", "of": [IN_BANGKOK, ADULT]}, {"both"}),
        ({"kind": "any", "of": [IN_BANGKOK, ADULT]}, {"both", "city", "age"}),
        # "None of" is exactly the rest, whoever they are and whatever is not known of them.
        ({"kind": "not", "of": [IN_BANGKOK, ADULT]}, {"neither", "unknown"}),
        ({"kind": "not", "of": [{"kind": "all", "of": [IN_BANGKOK, ADULT]}]}, set(CROWD) - {"both"}),
        ({"kind": "not", "of": [{"kind": "not", "of": [IN_BANGKOK]}]}, {"both", "city"}),
    ],
)
def test_groups(group: dict[str, Any], expected: set[str]) -> None:
    assert who(CROWD, group) == expected


def test_only_live_known_people_are_members() -> None:
    crowd = {
        "live": knowing(city="Bangkok"),
        "anonymous visitor": replace(knowing(city="Bangkok"), kind="anonymous"),
        "being erased": replace(knowing(city="Bangkok"), state="erasing"),
    }

    assert who(crowd, ANYBODY) == {"live"}


def saying(*entries: tuple[str, dt.timedelta], **details: Any) -> RawRecord:
    consents = tuple(RawConsent("marketing", "email", state, NOW - age, **details) for state, age in entries)
    return RawRecord("site", NOW, consents=consents)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("granted", {"granted", "again", "for one address"}),
        ("refused", {"refused", "two records"}),
        ("withdrawn", {"withdrawn"}),
        ("never", {"never asked", "other channel"}),
    ],
)
def test_consent_states(state: str, expected: set[str]) -> None:
    """Who was never asked has said nothing: neither granted nor refused. The rules are those of `consent.states`."""
    crowd = {
        "never asked": RawPerson((saying(),)),
        "other channel": RawPerson(
            (RawRecord("site", NOW, consents=(RawConsent("marketing", "sms", "granted", NOW),)),)
        ),
        "granted": RawPerson((saying(("granted", HOUR)),)),
        "refused": RawPerson((saying(("refused", HOUR)),)),
        "withdrawn": RawPerson((saying(("granted", 2 * HOUR), ("withdrawn", HOUR)),)),
        "again": RawPerson((saying(("refused", 2 * HOUR), ("granted", HOUR)),)),
        "two records": RawPerson((saying(("granted", HOUR)), saying(("refused", 2 * HOUR)))),
        "for one address": RawPerson((saying(("granted", HOUR), address="a@example.com"),)),
    }

    assert who(crowd, {"kind": "consent", "purpose": "marketing", "channel": "email", "state": state}) == expected


MARKETING = Eyes(sources=frozenset({"till", "site"}), hidden_traits=frozenset({"income"}))


@pytest.mark.parametrize(
    ("condition", "everybody_sees", "marketing_sees"),
    [
        # Values: the best of what one may know. The call centre's word is the least trusted, but in "calls only"
        # it is the only one, and that person does not exist for marketing.
        (IN_BANGKOK, {"till wins", "calls only"}, {"till wins"}),
        ({**IN_BANGKOK, "value": "Trang"}, {"calls differs"}, {"calls differs"}),
        ({"kind": "attribute", "trait": "tier", "operator": "known"}, {"calls differs"}, set()),
        # A trait of a hidden group is unknown, not absent: nobody is left out for it.
        ({"kind": "attribute", "trait": "income", "operator": "known"}, {"till wins"}, set()),
        (
            {"kind": "attribute", "trait": "income", "operator": "unknown"},
            {"calls differs", "calls only"},
            {"till wins", "calls differs"},
        ),
        # Touchpoints and orders of a hidden source did not happen.
        (
            {
                "kind": "touchpoint",
                "event": "Call Ended",
                "count": {"bound": "exactly", "n": 0},
                "window": {"kind": "ever"},
            },
            {"till wins", "calls only"},
            {"till wins", "calls differs"},
        ),
        (
            {
                "kind": "order_total",
                "measure": "count",
                "operator": "at_least",
                "value": 1,
                "currency": "THB",
                "window": {"kind": "ever"},
            },
            {"calls differs"},
            set(),
        ),
    ],
)
def test_a_viewer_meets_only_what_the_department_may_see(
    condition: dict[str, Any], everybody_sees: set[str], marketing_sees: set[str]
) -> None:
    crowd = {
        "till wins": RawPerson(
            (RawRecord("till", NOW, {"city": "Bangkok", "income": 5}), RawRecord("calls", NOW, {"city": "Trang"}))
        ),
        "calls differs": RawPerson(
            (RawRecord("site", NOW, {"city": "Trang"}), RawRecord("calls", NOW, {"city": "Bangkok", "tier": "gold"})),
            touchpoints=(RawTouchpoint("calls", "Call Ended", NOW),),
            orders=(RawOrder("calls", total=Decimal(1), placed_at=NOW),),
        ),
        "calls only": RawPerson((RawRecord("calls", NOW, {"city": "Bangkok"}),)),
    }

    assert who(crowd, condition) == everybody_sees
    assert who(crowd, condition, eyes=MARKETING) == marketing_sees
