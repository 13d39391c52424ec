"""The overlap of two segments."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from cdp_site.core.models import User
from segments.comparing import Sides
from segments.models import Segment
from tests.integration.segments.conftest import Login, viewed_red

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]


def with_price(operator: str, value: int) -> dict[str, Any]:
    return {**viewed_red(), "filters": [{"property": "price", "operator": operator, "value": value}]}


def page(client: Any, segment: Segment, **query: object) -> str:
    return str(client.get(reverse("segments:overlap", args=[segment.pk]), query).content.decode())


def test_says_whom_both_have(viewers: None, make_segment: Make, login: Login, marketer: User) -> None:
    """Three viewed red (100, 200, 300), five something of 200 or more."""
    red, dear = make_segment(name="Red"), make_segment(with_price("at_least", 200), name="Dear")

    told = page(login(marketer), red, **{"with": dear.pk})

    assert "2 of 6 are in both" in told
    assert "66.7 % of “Red” are in “Dear” as well." in told
    assert "40.0 % of “Dear” are in “Red” as well." in told


def test_an_empty_one_shares_nothing(viewers: None, make_segment: Make, login: Login, marketer: User) -> None:
    red, none = make_segment(name="Red"), make_segment(with_price("more_than", 9_999), name="None")

    told = page(login(marketer), red, **{"with": none.pk})

    assert "0.0 % of “Red” are in “None” as well." in told


def test_another_departments_segment_is_not_there(
    viewers: None, make_segment: Make, login: Login, marketer: User, make_user: Callable[..., User], care: Any
) -> None:
    trang = {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}
    red, theirs = make_segment(), make_segment(trang, name="Theirs", by=make_user("marketer", care, "carer"))
    client = login(marketer)

    assert "Theirs" not in page(client, red)
    for other in (theirs.pk, "nothing"):
        path = reverse("segments:overlap", args=[red.pk])
        assert client.get(path, {"with": other}).status_code == 404


def test_parts_fill_the_drawing() -> None:
    sides = Sides(only_first=1, both=2, only_second=1)

    assert [(part.x, part.width) for part in sides.parts] == [(0, 25), (25, 50), (75, 25)]
    assert Sides(0, 0, 0).of_first is None
