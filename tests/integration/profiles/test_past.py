"""The page of an earlier day: who the customer was then, what was known, what had happened."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from cdp_site.core.access import EVERYTHING, scope_of
from cdp_site.core.models import User
from consent import matrix
from ingestion.models import Source
from profiles import merging, overview, past, pins, timeline, yearly
from profiles.models import Membership, Profile, SourceRecord
from profiles.timeline import Filters
from tests.customers import Tell, identify, profile_of, track

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
# Each step of the story happens, and is told, at noon in Bangkok.
FIRST, SECOND, THIRD = (datetime(2026, 9, day, 5, 0, tzinfo=UTC) for day in (1, 10, 20))


def at(moment: datetime, message: dict[str, Any]) -> dict[str, Any]:
    return message | {"timestamp": moment.isoformat(), "messageId": f"{message['messageId']}-{moment:%d}"}


@pytest.fixture
def suda(tell: Tell, web_shop: Source, pos: Source, steward: User) -> Profile:
    """1 September: known to the till, buys. 10: known to the shop by the same phone, she moves, agrees to mails, and
    gives something back. 20: she withdraws, and a steward pins the old address."""
    order: dict[str, Any] = {"order_id": "R-9", "total": 1000, "currency": "THB"}
    with time_machine.travel(FIRST, tick=False):
        tell(
            pos,
            at(FIRST, identify("P9", firstName="สุดา", lastName="รักดี", phone="0863451977", city="Trang")),
            at(FIRST, track("P9", "Order Completed", **order)),
        )
    with time_machine.travel(SECOND, tick=False):
        mail: dict[str, Any] = {"purpose": "marketing", "channel": "email"}
        tell(
            web_shop,
            at(SECOND, identify("u9", phone="0863451977", email="suda@baansabai.co.th", city="Phuket")),
            at(SECOND, track("u9", "Consent Granted", **mail)),
        )
        tell(
            pos,
            at(SECOND, identify("P9", city="Krabi")),
            at(SECOND, track("P9", "Order Refunded", order_id="R-9", refund=400, currency="THB", total=400)),
        )
    with time_machine.travel(THIRD, tick=False):
        tell(web_shop, at(THIRD, track("u9", "Consent Withdrawn", **mail)))
        customer = profile_of(pos, "P9")
        shop = SourceRecord.objects.get(external_id="u9")
        pins.add(profile=customer, record=shop, trait="city", by=steward, days=5)
    return profile_of(pos, "P9")


def then(profile: Profile, day: int) -> past.Past:
    return past.look_back(profile, date(2026, 9, day), scope=EVERYTHING)


def page_of(profile: Profile, day: int, user: User) -> overview.Overview:
    shown = past.look_back(profile, date(2026, 9, day), scope=scope_of(user))
    return overview.load(profile, by=user, past=shown)


def test_records_and_values_are_those_of_the_day(suda: Profile, steward: User) -> None:
    assert [record.external_id for record in then(suda, 1).records] == ["P9"]
    assert {record.external_id for record in then(suda, 10).records} == {"P9", "u9"}
    assert [page_of(suda, day, steward).values.get("city") for day in (1, 10, 20)] == ["Trang", "Krabi", "Phuket"]
    assert page_of(suda, 1, steward).values.get("email") is None


def test_nothing_was_known_before_the_first_message(suda: Profile, steward: User) -> None:
    shown = page_of(suda, 1, steward)
    before = overview.load(suda, by=steward, past=past.look_back(suda, date(2026, 8, 31), scope=EVERYTHING))
    assert (before.records, before.groups, before.figures.orders) == ([], [], 0)
    assert shown.figures.orders == 1


def test_sums_are_before_what_was_given_back_later(suda: Profile, steward: User) -> None:
    paid = [page_of(suda, day, steward).figures.value for day in (1, 10)]
    assert paid == [Decimal(1000), Decimal(600)]
    card = timeline.page(suda, scope=EVERYTHING, filters=Filters(), after=None, past=then(suda, 1)).entries[0].card
    assert card is not None
    assert (card.order.status, list(card.steps)) == ("completed", [])


def test_touchpoints_are_those_that_were_known_then(suda: Profile, tell: Tell, pos: Source) -> None:
    with time_machine.travel(THIRD, tick=False):  # told late: nobody knew it on the first
        tell(pos, at(FIRST, track("P9", "Call Ended", notes="ถามที่จอดรถ")))
    names = [[one.touchpoint.type.name for one in _page(suda, day).entries if one.touchpoint] for day in (1, 20)]
    assert names[0] == ["Order Completed"]
    assert "Call Ended" in names[1]
    assert [month.contacts for month in yearly.of(suda, scope=EVERYTHING, past=then(suda, 1)).months][-1] == 1


def _page(profile: Profile, day: int) -> timeline.Page:
    return timeline.page(profile, scope=EVERYTHING, filters=Filters(), after=None, past=then(profile, day))


def test_consents_are_those_of_the_day(suda: Profile) -> None:
    def state(day: int) -> str:
        rows = matrix.look_back(then(suda, day)).rows
        cells = next(cells for purpose, cells in rows if purpose.slug == "marketing")
        return next(str(cell.state) for cell in cells if cell.channel == "email")

    assert [state(day) for day in (1, 10, 19, 20)] == ["never", "granted", "granted", "withdrawn"]


def test_a_pin_counts_on_the_days_on_which_it_stood(suda: Profile, steward: User) -> None:
    with time_machine.travel(THIRD + timedelta(days=6), tick=False):
        assert pins.end_expired() == 1
    suda.refresh_from_db()
    assert suda.golden["city"] == "Krabi"
    assert [page_of(suda, day, steward).values["city"] for day in (19, 20, 27)] == ["Krabi", "Phuket", "Krabi"]


def test_an_unmerge_leaves_the_past_as_it_was(suda: Profile, steward: User) -> None:
    shop = SourceRecord.objects.get(external_id="u9")
    with time_machine.travel(THIRD + timedelta(days=2), tick=False):
        merging.unmerge(profile=suda, records=[shop.pk], by=steward, reason="two sisters")
    Membership.objects.filter(record=shop, valid_to__isnull=True).update(valid_from=THIRD + timedelta(days=2))
    Membership.objects.filter(record=shop, valid_to__isnull=False).update(valid_to=THIRD + timedelta(days=2))
    assert {record.external_id for record in then(suda, 20).records} == {"P9", "u9"}
    assert {record.external_id for record in then(suda, 22).records} == {"P9"}


class TestPage:
    def url(self, profile: Profile, query: str = "?as_of=2026-09-01", name: str = "customer") -> str:
        return reverse(f"profiles:{name}", args=[profile.public_id]) + query

    def test_says_which_day_it_shows_and_changes_nothing(self, suda: Profile, login: Login, steward: User) -> None:
        page = login(steward).get(self.url(suda)).content.decode()
        assert "The page as it was at the end of" in page
        assert "Trang" in page
        assert "Krabi" not in page
        for address in ("merge_choose", "unmerge", "notes", "question", "household"):
            assert self.url(suda, "", address) not in page
        assert self.url(suda, name="records") in page

    @pytest.mark.parametrize("query", ["?as_of=", "?as_of=tomorrow", "?as_of=9999-01-01", "?as_of=2026-02-30"])
    def test_what_is_no_day_of_the_past_is_the_page_as_it_is(
        self, query: str, suda: Profile, login: Login, steward: User
    ) -> None:
        assert "Back to today" not in login(steward).get(self.url(suda, query)).content.decode()

    @pytest.mark.parametrize("name", ["customer", "timeline", "records", "year"])
    def test_outsiders_and_other_departments_learn_nothing(
        self, name: str, manee: Profile, suda: Profile, login: Login, outsider: User, agent: User
    ) -> None:
        assert login(outsider).get(self.url(suda, name=name)).status_code == 404
        assert login(agent).get(self.url(manee, name=name)).status_code == 404

    def test_a_department_sees_its_own_part_of_the_past(self, suda: Profile, login: Login, agent: User) -> None:
        client = login(agent)
        page = client.get(self.url(suda, "?as_of=2026-09-20")).content.decode()
        assert "Phuket" not in page
        assert "Krabi" in page
        assert "Web shop" not in client.get(self.url(suda, "?as_of=2026-09-20", "records")).content.decode()
