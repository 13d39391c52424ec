"""Why somebody is in a segment or not: marks, evidence, the time at which each turns, and who may ask."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import AccessLogEntry, Department, User
from ingestion.models import Source
from profiles.models import EventType, Profile
from segments import explain
from segments.evidence import Mark
from segments.models import Segment
from tests.customers import LATELY, profile_of
from tests.integration.segments.conftest import Login, viewed_red

pytestmark = pytest.mark.django_db
Make = Callable[..., Segment]
TRANG = {"kind": "attribute", "trait": "province", "operator": "is", "value": "ตรัง"}
HTMX = {"HX-Request": "true"}


def lately(n: int, days: int = 7) -> dict[str, Any]:
    return {**viewed_red(n), "window": {"kind": "rolling", "n": days, "unit": "days"}}


def never(days: int) -> dict[str, Any]:
    return {**lately(1, days), "count": {"bound": "exactly", "n": 0}}


def address(name: str, *args: object) -> str:
    return reverse(f"segments:{name}", args=args)


def text(response: Any) -> str:
    return str(response.content.decode())


@pytest.fixture(autouse=True)
def two_days_later() -> Iterator[None]:
    with time_machine.travel(LATELY + timedelta(days=2)):
        yield


@pytest.fixture
def as_marketer(login: Login, marketer: User) -> Client:
    return login(marketer)


class TestWhy:
    def test_marks_each_condition_with_its_evidence(
        self, viewers: None, make_segment: Make, marketer: User, web_shop: Source
    ) -> None:
        segment = make_segment(viewed_red(), {"kind": "any", "of": [viewed_red(2), TRANG]})

        told = explain.why(profile_of(web_shop, "v1"), segment, by=marketer)

        red, group = told.root.members
        assert told.is_in
        assert red.mark is Mark.YES
        assert red.facts[0].text.endswith("once")
        assert red.facts[1].at == LATELY
        assert [member.mark for member in group.members] == [Mark.NO, Mark.YES]
        assert group.members[1].facts[0].text.endswith("ตรัง")

    def test_says_why_somebody_is_not_in_it(
        self, viewers: None, make_segment: Make, marketer: User, web_shop: Source
    ) -> None:
        told = explain.why(profile_of(web_shop, "v4"), make_segment(viewed_red(), TRANG), by=marketer)

        assert not told.is_in
        assert [part.mark for part in told.root.members] == [Mark.NO, Mark.YES]
        assert told.root.members[0].facts[0].text.endswith("never")
        assert told.changes_at is None

    def test_says_when_time_alone_turns_it(
        self, viewers: None, make_segment: Make, marketer: User, web_shop: Source
    ) -> None:
        profile = profile_of(web_shop, "v1")

        leaves = explain.why(profile, make_segment(lately(1), name="Lately"), by=marketer)
        enters = explain.why(profile, make_segment(never(30), TRANG, name="Not for 30 days"), by=marketer)

        assert (leaves.is_in, leaves.changes_at) == (True, LATELY + timedelta(days=7))
        assert (enters.is_in, enters.changes_at) == (False, LATELY + timedelta(days=30))
        assert enters.root.members[0].changes_at == LATELY + timedelta(days=30)
        assert enters.root.members[1].changes_at is None

    def test_follows_a_condition_on_a_segment_into_it(
        self, viewers: None, make_segment: Make, marketer: User, web_shop: Source
    ) -> None:
        inner = make_segment(lately(1), TRANG, name="Inner")
        outer = make_segment({"kind": "segment", "segment": str(inner.pk), "is_in": False}, name="Outer")

        told = explain.why(profile_of(web_shop, "v1"), outer, by=marketer)

        (condition,) = told.root.members
        (group,) = condition.members
        assert not told.is_in
        assert "Inner" in condition.text
        assert [part.mark for part in group.members] == [Mark.YES, Mark.YES]
        assert told.changes_at == LATELY + timedelta(days=7)

    def test_says_why_an_address_may_not_be_used(
        self, viewers: None, make_segment: Make, marketer: User, web_shop: Source
    ) -> None:
        segment = make_segment({"kind": "reachable", "purpose": "marketing", "channel": "email"})

        reached = explain.why(profile_of(web_shop, "v1"), segment, by=marketer)
        refused = explain.why(profile_of(web_shop, "v2"), segment, by=marketer)

        assert reached.is_in
        assert [fact.text for fact in refused.root.members[0].facts] == ["The customer refused"]

    def test_agrees_with_the_number(self, viewers: None, make_segment: Make, marketer: User, web_shop: Source) -> None:
        segment = make_segment({"kind": "not", "of": [viewed_red(), never(1)]}, TRANG)
        people = [profile_of(web_shop, f"v{number}") for number in range(1, 7)]

        inside = explain.members_among(segment, people, by=marketer)

        for profile in people:
            assert explain.why(profile, segment, by=marketer).is_in is (profile.pk in inside)

    def test_another_departments_data_does_not_show_in_it(
        self, somchai: Profile, make_segment: Make, agent: User, marketer: User
    ) -> None:
        """The chair was viewed in the web shop, which is marketing's."""
        segment = make_segment({**viewed_red(), "filters": []}, department=None)

        assert explain.why(somchai, segment, by=marketer).is_in
        seen = explain.why(somchai, segment, by=agent)
        assert not seen.is_in
        assert seen.root.members[0].facts[0].text.endswith("never")


class TestPages:
    def test_a_dialog_and_a_page_of_their_own(
        self, viewers: None, make_segment: Make, as_marketer: Client, web_shop: Source
    ) -> None:
        segment, profile = make_segment(lately(1), name="Lately"), profile_of(web_shop, "v1")
        path = address("explain", profile.public_id, segment.pk)

        dialog, page = text(as_marketer.get(path, headers=HTMX)), text(as_marketer.get(path))

        assert "Without anything new the customer leaves it" in dialog
        assert '<time datetime="2026-11-08T12:00:00+07:00">' in dialog
        assert "<html" not in dialog
        assert "<html" in page
        assert AccessLogEntry.objects.filter(what="profile.segment_why", profile=profile.public_id).count() == 2

    def test_the_panel_of_the_customer_leads_there(
        self, viewers: None, make_segment: Make, as_marketer: Client, web_shop: Source
    ) -> None:
        segment, profile = make_segment(), profile_of(web_shop, "v1")

        panel = text(as_marketer.get(address("of_profile", profile.public_id)))

        assert address("explain", profile.public_id, segment.pk) in panel
        assert address("explain_all", profile.public_id) in panel

    def test_all_segments_with_in_or_not(
        self, viewers: None, make_segment: Make, as_marketer: Client, web_shop: Source, care: Department
    ) -> None:
        make_segment(name="Ab in"), make_segment(viewed_red(9), name="Aa out")
        hidden = {**viewed_red(), "event": "Call Ended", "filters": []}
        EventType.objects.update_or_create(name="Call Ended", defaults={"department": None})
        make_segment(hidden, name="Ac hidden")
        EventType.objects.filter(name="Call Ended").update(department=care)

        told = text(as_marketer.get(address("explain_all", profile_of(web_shop, "v1").public_id)))

        assert told.index("Ab in") < told.index("Aa out") < told.index("Ac hidden")
        assert "Made of data that your department does not see" in told

    def test_anybody_is_found_from_the_segment(
        self, viewers: None, make_segment: Make, as_marketer: Client, web_shop: Source
    ) -> None:
        segment = make_segment()

        page = text(as_marketer.post(address("explain_somebody", segment.pk), {"q": "มีนา1"}, headers=HTMX))

        assert address("explain", profile_of(web_shop, "v1").public_id, segment.pk) in page
        assert "v1@baansabai.co.th" not in page
        assert AccessLogEntry.objects.filter(what="search.hit").exists()
        assert "Nobody was found." in text(as_marketer.post(address("explain_somebody", segment.pk), {"q": "zzzz"}))

    def test_a_segment_of_hidden_data_says_so_and_nothing_more(
        self, somchai: Profile, make_segment: Make, agent: User, login: Login, marketing: Department
    ) -> None:
        segment = make_segment(department=None)
        EventType.objects.filter(name="Product Viewed").update(department=marketing)

        page = text(login(agent).get(address("explain", somchai.public_id, segment.pk)))

        assert "your department does not see" in page
        assert "red" not in page

    def test_outsiders_and_other_departments_find_nothing(
        self,
        viewers: None,
        manee: Profile,
        somchai: Profile,
        make_segment: Make,
        login: Login,
        outsider: User,
        agent: User,
        make_user: Callable[..., User],
        care: Department,
    ) -> None:
        """A customer of marketing's alone, and a segment of marketing's alone, are not there for care."""
        own = make_segment(name="Own")
        common = make_segment(name="Common", department=None)
        carer = make_user("marketer", care, "carer")
        for user in (outsider, agent, carer):
            client = login(user)
            assert client.get(address("explain", manee.public_id, common.pk)).status_code == 404
            assert client.get(address("explain_all", manee.public_id)).status_code == 404
            assert client.get(address("explain", somchai.public_id, own.pk)).status_code == 404
        assert login(agent).get(address("explain", somchai.public_id, common.pk)).status_code == 200
