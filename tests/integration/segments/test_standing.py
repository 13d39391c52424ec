"""Which segments one customer is in, where nothing that is stored answers: read once, or asked of the database."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from ingestion.models import Source
from profiles.models import Profile
from segments import audience, persons
from segments.models import Segment
from tests.customers import Tell, identify, profile_of, track
from tests.integration.segments.conftest import viewed_red

pytestmark = pytest.mark.django_db

IN_TRANG = {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}
GRANTED = {"kind": "consent", "purpose": "marketing", "channel": "email", "state": "granted"}
REACHED = {"kind": "reachable", "purpose": "marketing", "channel": "email"}
SEEN_AND_SEEN = {
    "kind": "sequence",
    "first": {"event": "Product Viewed"},
    "then": {"event": "Product Viewed"},
    "within": {"n": 7, "unit": "days"},
    "window": {"kind": "ever"},
}


@pytest.fixture
def segments(make_segment: Callable[..., Segment]) -> list[Segment]:
    conditions: list[list[dict[str, Any]]] = [
        *([viewed_red(n)] for n in range(1, 7)),
        [IN_TRANG],
        [GRANTED, viewed_red()],
        [{"kind": "not", "of": [viewed_red(), GRANTED]}],
        [REACHED],
        [SEEN_AND_SEEN],
    ]
    return [make_segment(*one, name=f"segment {n}", department=None) for n, one in enumerate(conditions)]


@pytest.fixture
def scope(marketer: User, web_shop: Source, call_centre: Source) -> Scope:
    """A department that sees the web shop and not the call centre."""
    found = scope_of(marketer)
    assert found.sees_source(web_shop.pk)
    assert not found.sees_source(call_centre.pk)
    return found


@pytest.fixture
def customer(viewers: None, tell: Tell, call_centre: Source, web_shop: Source) -> Profile:
    """Who is of Trang and viewed something red by what the web shop says; the call centre says something else."""
    tell(call_centre, identify("c1", email="v1@baansabai.co.th", province="น่าน"))
    for colour in ("red", "red", "blue"):
        tell(web_shop, track("v1", "Product Viewed", color=colour))
    return profile_of(web_shop, "v1")


def names(customer: Profile, segments: list[Segment], scope: Scope) -> set[str]:
    return {segment.name for segment in audience.standing(customer, segments, scope).segments}


def test_who_is_read_is_where_the_database_says(
    customer: Profile, segments: list[Segment], scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CaptureQueriesContext(connection) as reading:
        read = names(customer, segments, scope)
    monkeypatch.setattr(audience, "WORTH_READING", 1_000)
    with CaptureQueriesContext(connection) as asking:
        asked = names(customer, segments, scope)

    assert read == asked
    assert 0 < len(read) < len(segments)
    assert len(reading) - len(asking) <= 4


def test_of_whom_there_is_much_the_database_is_asked(
    customer: Profile, segments: list[Segment], scope: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = names(customer, segments, scope)

    monkeypatch.setattr(persons, "MOST_FOR_PAIRS", 0)
    assert names(customer, segments, scope) == expected
    monkeypatch.setattr(persons, "MOST_ROWS", 0)
    assert names(customer, segments, scope) == expected


def test_nobody_is_in_a_segment_whom_the_department_does_not_see(
    viewers: None, segments: list[Segment], scope: Scope, web_shop: Source
) -> None:
    assert names(profile_of(web_shop, "v1"), segments, replace(scope, source_ids=frozenset())) == set()
