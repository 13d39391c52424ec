"""What the dialog and the page of a list warn of: few people, few held out, sources that have fallen silent."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from cdp_site.core.models import User
from consent.models import Channel, Purpose
from consent.reasons import Reason
from ingestion.models import Alert, Source
from segments.exports.asking import SMALL, Preview
from segments.exports.display import Account
from segments.models import Segment, SegmentExport
from tests.customers import LATELY, Tell, identify, track
from tests.factories import exports
from tests.integration.segments.conftest import Login, viewed_red

Make = Callable[..., Segment]
FEW = "So few people can be recognised"
TILL = "Point of sale"
NOT_MEASURABLE = "Fewer than ten would be held out"


def foreseen(reachable: int, held_out: int) -> Preview:
    members, left_out = reachable + 4, [(Reason.REFUSED, 4)]
    return Preview(members, members, reachable, left_out, held_out=held_out, least=0, rate=None)


def given(purpose: Purpose, **said: object) -> dict[str, object]:
    """The form as a browser sends it."""
    written = {"purpose": purpose.pk, "format": "csv", "channel": "email", "columns": ["name"], "outcome": "orders"}
    return {**written, "holdout_percent": 10, **said}


@pytest.fixture
def purpose(db: None) -> Purpose:
    return Purpose.objects.get(slug="marketing")


@pytest.fixture
def as_marketer(login: Login, marketer: User) -> Client:
    return login(marketer)


@pytest.fixture
def reachable(tell: Tell, web_shop: Source) -> Callable[[int], None]:
    """So many customers who viewed something red and agreed to be mailed."""

    def come(people: int) -> None:
        for user in (f"r{number}" for number in range(people)):
            tell(
                web_shop,
                identify(user, firstName="มานี", lastName=user, email=f"{user}@baansabai.co.th"),
                track(user, "Product Viewed", color="red"),
                track(user, "Consent Granted", hours=1, purpose="marketing", channel="email"),
            )

    return come


@pytest.mark.parametrize(
    ("reachable", "held_out", "is_small", "is_too_small_to_measure"),
    [
        (0, 0, False, False),
        (9, 0, True, False),
        (10, 0, False, False),
        (10, 1, True, False),  # nine on the list
        (11, 1, False, True),  # ten on the list
        (18, 9, True, False),
        (99, 9, False, True),
        (100, 10, False, False),
    ],
)
def test_few_are_those_on_the_list_and_not_those_who_may_be_reached(
    reachable: int, held_out: int, is_small: bool, is_too_small_to_measure: bool
) -> None:
    preview = foreseen(reachable, held_out)

    assert SMALL == 10
    assert preview.is_small is is_small
    assert preview.is_too_small_to_measure is is_too_small_to_measure


@pytest.mark.django_db
class TestDialog:
    @pytest.mark.parametrize(
        ("people", "percent", "texts"),
        [(10, 0, []), (10, 10, [FEW]), (11, 10, [NOT_MEASURABLE])],
    )
    def test_warns_by_the_number_that_will_stand_on_the_list(
        self,
        people: int,
        percent: int,
        texts: list[str],
        reachable: Callable[[int], None],
        purpose: Purpose,
        make_segment: Make,
        as_marketer: Client,
    ) -> None:
        reachable(people)
        address = reverse("segments:export_preview", args=[make_segment().pk])

        told = as_marketer.post(address, given(purpose, holdout_percent=percent)).content.decode()

        assert f"<strong>{people}</strong> of {people} members may be reached" in told
        assert [text for text in (FEW, NOT_MEASURABLE) if text in told] == texts

    def test_holds_ten_percent_out_unless_told_otherwise(
        self, viewers: None, make_segment: Make, as_marketer: Client
    ) -> None:
        page = as_marketer.get(reverse("segments:export", args=[make_segment().pk]))

        form = page.context["form"]
        assert form["holdout_percent"].value() == 10
        control = page.content.decode().split('name="holdout_percent"')[1].split(">")[0]
        assert 'value="10"' in control

    @pytest.mark.parametrize(
        ("language", "when", "what"),
        [
            ("en", "Web shop was last heard of on ", ": the segment leans on it and may be out of date."),
            ("th", "ได้รับข้อมูลจาก Web shop ครั้งล่าสุดเมื่อ ", "เซกเมนต์นี้ใช้ข้อมูลจากแหล่งนี้ จำนวนจึงอาจไม่เป็นปัจจุบัน"),
        ],
    )
    def test_names_a_source_that_has_fallen_silent(
        self,
        language: str,
        when: str,
        what: str,
        viewers: None,
        purpose: Purpose,
        make_segment: Make,
        as_marketer: Client,
        web_shop: Source,
    ) -> None:
        address = reverse("segments:export_preview", args=[make_segment().pk])
        as_marketer.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        before = as_marketer.post(address, given(purpose)).content.decode()
        Alert.objects.create(source=web_shop, kind="silent", opened_at=LATELY, value=40.0, threshold=10.0)

        told = as_marketer.post(address, given(purpose)).content.decode()

        assert when not in before
        assert when in told
        assert what in told.split(when)[1]

    @pytest.mark.parametrize(
        ("language", "text"),
        [
            ("en", f"{TILL} was not heard of yet: the segment leans on it."),
            ("th", f"ยังไม่เคยได้รับข้อมูลจาก {TILL} ซึ่งเซกเมนต์นี้ต้องใช้"),
        ],
    )
    def test_names_a_source_that_is_off_and_was_never_heard_of(
        self,
        language: str,
        text: str,
        viewers: None,
        purpose: Purpose,
        make_segment: Make,
        as_marketer: Client,
        pos: Source,
    ) -> None:
        segment = make_segment({**viewed_red(), "sources": [pos.slug]})
        address = reverse("segments:export_preview", args=[segment.pk])
        as_marketer.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        assert text not in as_marketer.post(address, given(purpose)).content.decode()

        Source.objects.filter(pk=pos.pk).update(is_active=False)

        assert text in as_marketer.post(address, given(purpose)).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(("people", "is_small"), [(9, True), (10, False)])
def test_the_page_of_a_list_warns_of_few(
    people: int,
    is_small: bool,
    reachable: Callable[[int], None],
    purpose: Purpose,
    make_segment: Make,
    marketer: User,
    as_marketer: Client,
) -> None:
    reachable(people)
    segment = make_segment()
    waiting = exports.ask(segment, purpose, Channel.EMAIL, marketer)
    address = reverse("segments:exported", args=[waiting.pk])
    assert FEW not in as_marketer.get(address).content.decode()

    ready = exports.make(waiting)

    assert (ready.status, ready.n_exported) == (SegmentExport.Status.READY, people)
    assert Account.of(ready, by=marketer).is_small is is_small
    assert (FEW in as_marketer.get(address).content.decode()) is is_small
