"""The versions of a segment: what changed, who enters and leaves by it, and back."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.access import scope_of
from cdp_site.core.models import AccessLogEntry, AuditEvent, User
from ingestion.models import Source
from profiles.models import EventType
from segments import authoring, versions
from segments.comparing import SHOWN, Sides
from segments.models import Segment
from segments.versions import Change
from tests.customers import Tell, identify, track
from tests.integration.segments.conftest import Login, viewed_red, whole

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]
BLUE = {**viewed_red(), "filters": [{"property": "color", "operator": "is", "value": "blue"}]}
TRANG = {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}


def address(name: str, *args: object) -> str:
    return reverse(f"segments:{name}", args=args)


def text(response: Any) -> str:
    return str(response.content.decode())


def rewrite(segment: Segment, *conditions: dict[str, Any], by: User) -> Segment:
    return authoring.change(
        segment=segment, name=segment.name, description="", department=segment.department,
        definition=whole(*conditions), by=by,
    )  # fmt: skip


@pytest.fixture
def segment(viewers: None, make_segment: Make, marketer: User) -> Segment:
    """Version 1: red. Version 2: blue, from Trang."""
    return rewrite(make_segment(), BLUE, TRANG, by=marketer)


@pytest.fixture
def as_marketer(login: Login, marketer: User) -> Client:
    return login(marketer)


def test_are_listed_with_their_sentences(segment: Segment, as_marketer: Client) -> None:
    page = text(as_marketer.get(address("versions", segment.pk)))

    assert "colour is “red”" in page
    assert "colour is “blue”" in page
    assert address("restore_version", segment.pk, 1) in page
    assert address("restore_version", segment.pk, 2) not in page


def test_stand_beside_each_other_with_what_differs_marked(segment: Segment, marketer: User) -> None:
    before, after = segment.versions.order_by("version")

    rows = versions.difference(before, after, scope_of(marketer))

    assert [row.change for row in rows] == [Change.SAME, Change.CHANGED, Change.ADDED]
    changed = rows[1]
    assert changed.before is not None
    assert changed.after is not None
    assert [piece.text for piece in changed.before.pieces if piece.is_match] == ["“red”"]
    assert [piece.text for piece in changed.after.pieces if piece.is_match] == ["“blue”"]


def test_the_page_shows_the_last_change_unless_asked_for_others(segment: Segment, as_marketer: Client) -> None:
    page = text(as_marketer.get(address("version_diff", segment.pk)))

    assert "From version 1 to version 2" in page
    assert "<del>“red”</del>" in page
    assert "<ins>“blue”</ins>" in page
    asked = text(as_marketer.get(address("version_diff", segment.pk), {"from": 2, "to": 1}))
    assert "From version 1 to version 2" in asked
    assert as_marketer.get(address("version_diff", segment.pk), {"from": 1, "to": 9}).status_code == 404


def test_who_enters_and_who_leaves(segment: Segment, as_marketer: Client, login: Login, analyst: User) -> None:
    path = address("version_effect", segment.pk)

    page = text(as_marketer.get(path, headers={"HX-Request": "true"}))

    assert page.index("<dd>3") < page.index("<dd>0") < page.rindex("<dd>3")
    assert [f"มีนา{number}" in page for number in range(1, 7)] == [True] * 6
    assert AccessLogEntry.objects.filter(what="segment.version_effect").count() == 6
    counted = text(login(analyst).get(path))
    assert "มีนา" not in counted
    assert "<dd>3" in counted


def test_of_two_that_are_no_neighbours_it_is_told_who_enters_and_who_leaves(
    viewers: None, make_segment: Make, marketer: User, as_marketer: Client
) -> None:
    """1: red (1, 2, 3). 2: nobody. 3: everybody. 4: 300 and more (3, 4, 5, 6)."""
    dear = {**viewed_red(), "filters": [{"property": "price", "operator": "at_least", "value": 300}]}
    segment = rewrite(make_segment(), viewed_red(99), by=marketer)
    rewrite(rewrite(segment, TRANG, by=marketer), dear, by=marketer)
    path = address("version_effect", segment.pk)

    told = as_marketer.get(path, {"from": 1, "to": 4})

    effect = told.context["effect"]
    assert effect.sides == Sides(only_first=2, both=1, only_second=3)
    entering, leaving = text(told).split("Some who enter")[1].split("Some who leave")
    assert [number for number in range(1, 7) if f"มีนา{number}" in entering] == [4, 5, 6]
    assert [number for number in range(1, 7) if f"มีนา{number}" in leaving] == [1, 2]
    assert "more customer" not in text(told)
    assert as_marketer.get(path, {"from": 4, "to": 1}).context["effect"].sides == effect.sides
    assert as_marketer.get(path, {"from": 2, "to": 3}).context["effect"].sides == Sides(0, 0, 6)


def test_those_beyond_the_ones_who_are_named_are_counted(
    segment: Segment, marketer: User, as_marketer: Client, tell: Tell, web_shop: Source
) -> None:
    """Of the fixture three enter and three leave, of the others twelve and eight."""
    for number in range(SHOWN + 2):
        tell(web_shop, identify(f"b{number}", firstName="ปิติ", province="ตรัง"))
        tell(web_shop, track(f"b{number}", "Product Viewed", color="blue"))
    for number in range(SHOWN - 2):
        tell(web_shop, identify(f"r{number}", firstName="ชูใจ"), track(f"r{number}", "Product Viewed", color="red"))

    told = text(as_marketer.get(address("version_effect", segment.pk), {"from": 1, "to": 2}))

    entering, leaving = told.split("Some who enter")[1].split("Some who leave")
    assert entering.count("/customers/") == leaving.count("/customers/") == SHOWN == 10
    assert "and 5 more customers" in entering
    assert re.search(r"and 1 more customer\b", leaving)


def test_the_effect_is_not_told_to_who_does_not_see_the_data(
    viewers: None, make_segment: Make, marketer: User, login: Login, care: Any, make_user: Callable[..., User]
) -> None:
    segment = rewrite(make_segment(department=None), BLUE, by=marketer)
    EventType.objects.filter(name="Product Viewed").update(department=marketer.department)
    carer = login(make_user("marketer", care, "carer"))

    assert "your department does not see" in text(carer.get(address("version_effect", segment.pk)))
    diff = text(carer.get(address("version_diff", segment.pk)))
    assert "red" not in diff
    assert "A condition on data that your department does not see" in diff


def test_an_earlier_one_is_restored_as_a_new_one(segment: Segment, as_marketer: Client) -> None:
    told = text(as_marketer.post(address("restore_version", segment.pk, 1), follow=True))

    segment.refresh_from_db()
    assert segment.version == 3
    assert segment.definition == segment.versions.get(version=1).definition
    assert "Version 1 stands again, as version 3." in told
    assert AuditEvent.objects.filter(action="segment.restore", fields=["version:1"]).count() == 1


def test_what_names_things_that_are_gone_is_not_restored(segment: Segment, as_marketer: Client) -> None:
    version = segment.versions.get(version=1)
    version.definition = whole({**TRANG, "trait": "no_such_trait"})
    version.save()

    as_marketer.post(address("restore_version", segment.pk, 1))

    segment.refresh_from_db()
    assert segment.version == 2
