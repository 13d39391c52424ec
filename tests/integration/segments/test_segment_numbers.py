"""The numbers beside the builder where there are many people: about how many, some of them, what most have."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.urls import reverse

from cdp_site.core.access import scope_of
from cdp_site.core.models import AccessLogEntry, User
from ingestion.models import Source
from segments import estimate
from segments.audience import Question
from segments.definition.parse import parse
from segments.intervals import Range
from segments.templatetags.ranges import bounds, people
from tests.customers import Tell, identify, track
from tests.integration.segments.conftest import Login, posted, viewed_red, whole
from tests.integration.segments.test_segment_estimate import IN_TRANG, small_samples

pytestmark = pytest.mark.django_db
CROWD, TRANG, VISITORS = 120, 40, 60
RED_OR_TRANG = {"kind": "any", "of": [IN_TRANG, viewed_red()]}


def address(name: str) -> str:
    return reverse(f"segments:{name}")


def form(*conditions: dict[str, Any]) -> dict[str, str]:
    return {"name": "Many", "description": "", **posted(whole(*conditions)["where"])}


def text(response: Any) -> str:
    return str(response.content.decode())


def mail(number: int) -> str:
    return f"somebody{number}@baansabai.co.th"


@pytest.fixture
def many(tell: Tell, web_shop: Source) -> None:
    """Customers of whom every third is of Trang, and visitors who viewed something red."""
    cache.clear()
    tell(
        web_shop,
        *(identify(f"m{n}", firstName="มานี", email=mail(n), province="น่าน" if n % 3 else "ตรัง") for n in range(CROWD)),
    )
    seen = [track("", "Product Viewed", color="red") for _visitor in range(VISITORS)]
    for number, message in enumerate(seen):
        message |= {"messageId": f"seen-{number}", "anonymousId": f"device-{number}"}
        del message["userId"]
    tell(web_shop, *seen)


class TestAboutHowMany:
    def test_says_between_what_and_of_visitors_apart_and_offers_to_count(
        self, many: None, login: Login, marketer: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small_samples(monkeypatch, 4)
        found = estimate.estimate(Question.of(parse(whole(RED_OR_TRANG)), scope_of(marketer)))
        client = login(marketer)

        page = text(client.post(address("summary"), form(RED_OR_TRANG)))

        assert not found.is_exact
        assert f"<strong>~{found.members.value}</strong> of {CROWD} customers" in page
        told = f"{found.members.low} to {found.members.high}, 95 times out of 100: estimated from {found.sampled}"
        assert told in page
        assert found.sampled < CROWD
        assert f"and ~{found.visitors.value} anonymous visitors, who count once they are known" in page
        assert "Count exactly" in page
        assert f'hx-post="{address("exact")}"' in page
        exact = text(client.post(address("exact"), form(RED_OR_TRANG)))
        assert f"<strong>{TRANG}</strong> of {CROWD} customers" in exact
        assert "~" not in exact

    def test_the_number_beside_a_row_is_as_vague(
        self, many: None, login: Login, marketer: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        small_samples(monkeypatch, 4)
        found = estimate.estimate(Question.of(parse(whole(IN_TRANG)), scope_of(marketer)))

        page = text(login(marketer).post(address("summary"), form(IN_TRANG)))

        assert f'id="r-where-of-0-count" hx-swap-oob="true">~{found.members.value} alone' in page

    @pytest.mark.parametrize(
        ("found", "said", "between"),
        [
            (Range(12_345, 11_890, 12_749), "~12,300", "11,900 to 12,700"),
            (Range(0, 0, 480), "< 480", "0 to 480"),
            (Range.exact(12_345), "12,345", "12,300 to 12,300"),
        ],
    )
    def test_nothing_is_said_that_nobody_knows(self, found: Range, said: str, between: str) -> None:
        assert (people(found), bounds(found)) == (said, between)


class TestSomeOfThem:
    def test_twenty_are_shown_masked_and_each_is_logged(self, many: None, login: Login, marketer: User) -> None:
        page = text(login(marketer).post(address("sample"), form(IN_TRANG)))

        assert page.count("<tr>") == 1 + 20  # and the heads of the columns
        assert page.count("ตรัง") == 20
        assert not [number for number in range(CROWD) if mail(number) in page]
        assert page.count("@") == 20
        assert AccessLogEntry.objects.filter(what="segment.sample").count() == 20

    def test_an_agent_has_no_builder_and_meets_nobody_by_it(self, many: None, login: Login, agent: User) -> None:
        answer = login(agent).post(address("sample"), form(IN_TRANG))

        assert answer.status_code == 404
        assert "baansabai" not in text(answer)
        assert not AccessLogEntry.objects.exists()


class TestWhatMostHave:
    def test_values_of_an_events_property_are_suggested_with_how_many_have_them(
        self, tell: Tell, web_shop: Source, login: Login, marketer: User, make_user: Callable[..., User], care: Any
    ) -> None:
        cache.clear()
        for number in range(6):
            said = {"color": "red" if number < 5 else "blue", "price": number, "sizes": ["M", "L"], "email": "a@b.co"}
            tell(web_shop, track(f"v{number}", "Product Viewed", **said))
        tell(web_shop, track("v0", "Product Viewed", hours=1, color="red"))

        def suggested(user: User, name: str) -> list[tuple[str, str]]:
            page = text(login(user).get(address("values"), {"event": "Product Viewed", "property": name}))
            return re.findall(r'<option value="([^"]*)">(\d+)</option>', page)

        assert suggested(marketer, "color") == [("red", "5")]  # people, not times; and one is no group
        assert suggested(marketer, "sizes") == [("L", "6"), ("M", "6")]
        assert suggested(marketer, "price") == suggested(marketer, "email") == []
        carer = make_user("marketer", care, "carer")
        assert suggested(carer, "color") == []  # the source is another department's
