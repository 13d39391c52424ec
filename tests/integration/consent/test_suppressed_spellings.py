"""Who was erased comes back by no door, however their identifiers are spelled; the next holder of the phone does come
in, and so does the person by an act of their own, with an empty profile."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from cdp_site.core.models import Role, User
from consent import erasure, requests
from consent.models import ConsentEntry
from ingestion import landing
from ingestion.models import Source
from profiles import digest
from profiles.models import Order, Profile, SourceRecord, Touchpoint
from tests.customers import LATELY, Tell, identify, profile_of
from tests.factories.consent import ask
from tests.factories.files import bring_in

pytestmark = pytest.mark.django_db

EMAILS = (
    "somchai@baansabai.co.th", "SOMCHAI@BAANSABAI.CO.TH", "Somchai@BaanSabai.co.th", " somchai@baansabai.co.th",
    "somchai@baansabai.co.th ", "\tsomchai@baansabai.co.th", "somchai@baansabai.co.th\u00a0",
    "mailto:somchai@baansabai.co.th",
    "MAILTO:Somchai@baansabai.co.th", "<somchai@baansabai.co.th>", "Somchai Jaidee <somchai@baansabai.co.th>",
    '"สมชาย ใจดี" <somchai@baansabai.co.th>', "somchai@baansabai.co.th.", "somchai@baansabai.co.th;",
    "somchai@baansabai.co.th,", "ｓｏｍｃｈａｉ@baansabai.co.th", "somchai＠baansabai．co．th",
    "somchai\u200b@baansabai.co.th",
    "\ufeffsomchai@baansabai.co.th", "somchai@BAANSABAI.co.TH",
)  # fmt: skip
PHONES = (
    "0863451972", "086-345-1972", "086 345 1972", "(086) 345-1972", "086.345.1972", "+66863451972", "+66 86 345 1972",
    "+66-86-345-1972", "+66 (0) 86 345 1972", "66863451972", "0066863451972", "863451972", "tel:+66863451972",
    "๐๘๖-๓๔๕-๑๙๗๒", "０８６３４５１９７２", "\u200e0863451972", "'0863451972", "86-345-1972", "โทร 086-345-1972",
    "086–345–1972",
)  # fmt: skip
MEMBERS = (
    "M-88213", " M-88213", "M-88213 ", "\tM-88213", "M-88213\u00a0", "\ufeffM-88213", "M-88213\u200b", "\u200eM-88213",
    "M-88213\n", "\u3000M-88213", "Ｍ-88213", "M-８８２１３", "Ｍ-８８２１３", "M－88213", " M-88213 ", "\u2003M-88213",
    "M-88213\u202f", "M\u200b-88213", "M-88213\u200f", "M-\u200b88213",
)  # fmt: skip
# Names as files and people write them; a phone hits with the person's name alone.
NAMES = (
    ("สมชาย", "ใจดี"), ("Somchai", "Jaidee"), ("นายสมชาย", "ใจดี"), ("SOMCHAI", "JAIDEE"), ("สมชาย ", " ใจดี"),
)  # fmt: skip
SPELLINGS = {"email": EMAILS, "phone": PHONES, "member_id": MEMBERS}
COLUMNS = ("name", "email", "phone", "member_id")
FILE = {
    "version": 1,
    "rows": "people",
    "fields": [
        {"from": "id", "to": "record_id"},
        *({"from": name, "to": "trait", "name": name} for name in COLUMNS),
    ],
}


@pytest.fixture(autouse=True)
def _after_the_erasure(somchai: Profile, compliance: User, make_user: Callable[..., User]) -> Iterator[None]:
    """Everybody came by real doors, was erased, and time has passed."""
    with time_machine.travel(LATELY + timedelta(days=1), tick=False) as clock:
        request = ask(somchai, compliance)
        requests.approve(request_id=request.pk, by=make_user(Role.COMPLIANCE, name="colleague"))
        erasure.run(request.pk)
        clock.shift(timedelta(days=2))
        yield


def spelled(kind: str) -> list[dict[str, str]]:
    """One stranger's row for each spelling."""
    return [
        {"firstName": NAMES[n % len(NAMES)][0], "lastName": NAMES[n % len(NAMES)][1], kind: text}
        for n, text in enumerate(SPELLINGS[kind])
    ]


def messages(kind: str, days_ago: float = 0.1) -> list[dict[str, Any]]:
    now = (timezone.now() - timedelta(days=days_ago)).isoformat()
    return [
        {**identify(f"new-{n}", **row), "messageId": f"{kind}-{n}", "timestamp": now}
        for n, row in enumerate(spelled(kind))
    ]


def by_api(kind: str, source: Source) -> None:
    """Sent late: a registration of today would be an act of the person's own."""
    landing.land(source=source, messages_raw=messages(kind, days_ago=3), door="api")


def by_a_browser(kind: str, source: Source) -> None:
    landing.land(source=source, messages_raw=messages(kind), door="api", is_public_key=True)


def by_a_webhook(kind: str, source: Source) -> None:
    landing.land(source=source, messages_raw=messages(kind), door="webhook")


def by_a_file(kind: str, source: Source) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, ["id", *COLUMNS], extrasaction="ignore")
    table.writeheader()
    table.writerows(
        {"id": f"new-{n}", "name": f"{row['firstName']} {row['lastName']}", **row}
        for n, row in enumerate(spelled(kind))
    )
    bring_in(source, text.getvalue(), FILE)


@pytest.mark.parametrize("door", [by_api, by_a_browser, by_a_webhook, by_a_file])
@pytest.mark.parametrize("kind", SPELLINGS)
def test_no_spelling_of_an_identifier_comes_in_by_any_door(
    pos: Source, web_shop: Source, kind: str, door: Callable[[str, Source], None]
) -> None:
    assert len(set(SPELLINGS[kind])) == 20
    source = pos if kind == "member_id" else web_shop  # a member's number is the source's own
    door(kind, source)
    digest.drain()
    came = SourceRecord.objects.values_list("external_id", flat=True)
    spelled_as = [SPELLINGS[kind][int(name.removeprefix("new-"))] for name in came]
    assert spelled_as == []
    assert not Profile.objects.exists()
    assert not Touchpoint.objects.exists()


def test_neither_does_the_number_that_a_source_gave_the_person(pos: Source, web_shop: Source) -> None:
    now = (timezone.now() - timedelta(hours=1)).isoformat()
    for source, number in ((pos, "P1"), (web_shop, "u1")):
        said = {**identify(number, occupation="สถาปนิก"), "messageId": f"own-{number}", "timestamp": now}
        for door in ("file", "webhook"):
            landing.land(source=source, messages_raw=[{**said, "messageId": f"{number} {door}"}], door=door)
    digest.drain()
    assert not Profile.objects.exists()


def test_the_next_holder_of_the_phone_gets_an_empty_profile(tell: Tell, web_shop: Source) -> None:
    now = (timezone.now() - timedelta(hours=1)).isoformat()
    said = identify("kanda", firstName="กานดา", lastName="แสงทอง", phone="0863451972")
    landing.land(source=web_shop, messages_raw=[{**said, "messageId": "next", "timestamp": now}], door="file")
    digest.drain()
    _is_new_and_empty(profile_of(web_shop, "kanda"))


def test_the_person_comes_back_by_an_own_act_to_an_empty_profile(tell: Tell, web_shop: Source) -> None:
    now = (timezone.now() - timedelta(hours=1)).isoformat()
    said = identify("u1", firstName="สมชาย", lastName="ใจดี", email="somchai@baansabai.co.th")
    tell(web_shop, {**said, "messageId": "registers again", "timestamp": now})
    _is_new_and_empty(profile_of(web_shop, "u1"))


def _is_new_and_empty(profile: Profile) -> None:
    assert profile.state == "live"
    assert Profile.objects.count() == 1
    assert not Touchpoint.objects.filter(profile=profile).exists()
    assert not Order.objects.filter(profile=profile).exists()
    assert not ConsentEntry.objects.exists()
