"""The timeline: days, visits, mails, notes, chips with counts."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from cdp_site.core.access import EVERYTHING
from cdp_site.core.models import Department, User
from ingestion.models import Source
from profiles import notes, timeline
from profiles.channels import TouchChannel, channel_of
from profiles.models import EventType, Profile
from profiles.timeline import Cursor, Filters
from profiles.timeline_entries import Entry
from tests.customers import Tell, identify, profile_of, track

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
Login = Callable[[User], Client]
MAIL = {"campaign": "chair-week", "subject": "สัปดาห์เก้าอี้"}


def entries(profile: Profile, **filters: Any) -> list[Entry]:
    return list(timeline.page(profile, scope=EVERYTHING, filters=Filters(**filters), after=None).entries)


@pytest.fixture
def mali(tell: Tell, web_shop: Source) -> Profile:
    """Got a mail, opened it twice, clicked, looked around, and came back a day later."""
    tell(
        web_shop,
        identify("u5", firstName="มะลิ", lastName="บุญมา", email="mali@baansabai.co.th"),
        track("u5", "Email Delivered", hours=30, **MAIL),
        track("u5", "Email Opened", hours=28, **MAIL),
        track("u5", "Email Opened", hours=27, **MAIL),
        track("u5", "Email Link Clicked", hours=26.1, link="/sale?token=1", **MAIL),
        track("u5", "Page Viewed", hours=26.05, title="Sale"),
        track("u5", "Product Viewed", hours=26, name="Oak chair"),
        track("u5", "Product Added", hours=25.9, name="Oak chair", price=3990),
        track("u5", "Page Viewed", hours=2, title="Size guide"),
    )
    return profile_of(web_shop, "u5")


class TestEntries:
    def test_a_visit_is_one_entry_and_a_single_page_another(self, mali: Profile) -> None:
        told = entries(mali)
        assert [(bool(one.visit), bool(one.mail)) for one in told] == [(False, False), (True, False), (False, True)]
        visit = told[1].visit
        assert visit is not None
        assert [one.act.touchpoint.type.name for one in visit.highlights] == ["Product Viewed", "Product Added"]
        assert (visit.looks, visit.minutes) == (1, 9)

    def test_a_mail_is_one_entry_that_tells_its_way(self, mali: Profile) -> None:
        mail = entries(mali)[-1].mail
        assert mail is not None
        assert mail.state == "clicked"
        assert [(step.times, step.link) for step in mail.steps] == [(1, ""), (2, ""), (1, "/sale")]

    def test_a_mail_stands_where_its_latest_step_is_also_across_pages(self, mali: Profile) -> None:
        first = timeline.page(mali, scope=EVERYTHING, filters=Filters(), after=None, size=5)
        assert first.next is not None
        rest = timeline.page(mali, scope=EVERYTHING, filters=Filters(), after=first.next, size=5)
        mails = [one.mail for one in [*first.entries, *rest.entries] if one.mail]
        assert len(mails) == 1
        assert len(mails[0].steps) == 3

    def test_mails_of_other_sources_and_campaigns_are_others(self, mali: Profile, tell: Tell, pos: Source) -> None:
        tell(pos, identify("P5", email="mali@baansabai.co.th"), track("P5", "Email Opened", hours=1, **MAIL))
        told = [one.mail.state for one in entries(profile_of(pos, "P5")) if one.mail]
        assert told == ["opened", "clicked"]

    def test_a_type_that_was_asked_for_is_told_apart(self, mali: Profile) -> None:
        opened = EventType.objects.get(name="Email Opened")
        assert [one.mail for one in entries(mali, type_id=opened.pk)] == [None, None]

    def test_days_open_once(self, mali: Profile) -> None:
        assert [one.opens_day for one in entries(mali)] == [True, True, False]

    def test_pages_bear_every_touchpoint_once(self, mali: Profile, tell: Tell, web_shop: Source) -> None:
        tell(web_shop, *[track("u5", "Page Viewed", hours=100 + n / 9, title=f"p{n}") for n in range(60)])
        seen: list[Any] = []
        after: Cursor | None = None
        while True:
            page = timeline.page(mali, scope=EVERYTHING, filters=Filters(channel="web"), after=after, size=20)
            for one in page.entries:
                acts = [act.touchpoint for act in one.visit.acts] if one.visit else [one.touchpoint]
                seen += [act.pk for act in acts if act]
            after = page.next
            if after is None:
                break
        assert len(seen) == len(set(seen)) == 64


class TestNotes:
    def test_notes_stand_between_touchpoints_for_those_who_may_read_them(
        self, somchai: Profile, login: Login, agent: User, steward: User, marketing: Department
    ) -> None:
        notes.add(profile=somchai, text="ขอให้โทรกลับช่วงเย็น", by=agent)
        path = reverse("profiles:timeline", args=[somchai.public_id])
        page = login(agent).get(path).content.decode()
        assert "<blockquote>ขอให้โทรกลับช่วงเย็น</blockquote>" in page
        assert page.index("ขอให้โทรกลับ") < page.index("R-1")
        assert "ขอให้โทรกลับ" not in login(agent).get(path, {"type": 1}).content.decode()
        assert "ขอให้โทรกลับ" in login(agent).get(path, {"channel": "note"}).content.decode()
        notes.Note.objects.update(department=marketing)
        assert "ขอให้โทรกลับ" not in login(agent).get(path).content.decode()
        assert "ขอให้โทรกลับ" in login(steward).get(path).content.decode()


class TestChannels:
    @pytest.mark.parametrize(
        ("event", "source", "channel"),
        [
            ("Page Viewed", "crm", TouchChannel.WEB),
            ("Email Opened", "shop", TouchChannel.EMAIL),
            ("Order Completed", "pos", TouchChannel.STORE),
            ("Order Completed", "shop", TouchChannel.WEB),
            ("Call Ended", "other", TouchChannel.PHONE),
            ("Message Received", "line", TouchChannel.CHAT),
            ("Something New", "other", TouchChannel.OTHER),
        ],
    )
    def test_a_type_says_it_else_the_source(self, event: str, source: str, channel: TouchChannel) -> None:
        assert channel_of(event, source) == channel

    def test_counts_are_what_a_click_shows(self, mali: Profile) -> None:
        chips = timeline.choices(mali, scope=EVERYTHING, filters=Filters())
        assert {one.value: one.count for one in chips.channels} == {"web": 4, "email": 4}
        for one in chips.channels:
            told = timeline.choices(mali, scope=EVERYTHING, filters=Filters(channel=one.value))
            assert sum(kind.count for kind in told.kinds) == one.count
            rows = timeline.page(mali, scope=EVERYTHING, filters=Filters(channel=one.value), after=None)
            assert len(rows.entries) == {"web": 2, "email": 1}[one.value]

    def test_what_a_department_does_not_see_has_no_chip(
        self, somchai: Profile, login: Login, agent: User, marketing: Department
    ) -> None:
        EventType.objects.filter(name="Call Ended").update(department=marketing)
        page = login(agent).get(reverse("profiles:timeline", args=[somchai.public_id])).content.decode()
        assert "channel=store" in page
        assert "channel=phone" not in page
        assert "channel=web" not in page
