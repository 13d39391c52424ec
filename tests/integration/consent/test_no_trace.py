"""After an erasure nothing is left of a person who came through every door: not in a row, in whatever dress, not in a
file, not in what the planner remembers; and after the rewrite not in the files of the database either."""

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from cdp_site.core.models import Role, User
from consent import erasure, requests
from consent.erasure import rewriting, scanning
from consent.models import DataSubjectRequest, Purpose
from ingestion import imports, landing
from ingestion.models import QuarantinedItem, Source
from ingestion.webhooks import linking
from profiles import digest, merging, name_spellings, notes
from profiles.calling import lines
from profiles.cases import handling
from profiles.cases.handling import Said
from profiles.matching import labels, quality
from profiles.models import Profile, ReviewPair, SourceRecord
from segments import authoring, keeper
from segments.lists import finding, reading
from segments.lists import keeping as lists
from tests.customers import identify, profile_of, track
from tests.factories import reports
from tests.factories.consent import ask
from tests.factories.exports import content, exported
from tests.factories.files import bring_in
from tests.factories.webhooks import sender

pytestmark = pytest.mark.django_db(transaction=True)


class Person:
    """Values that nobody else has, new in each run: the files of a test server remember those of earlier ones."""

    def __init__(self) -> None:
        mark = secrets.token_hex(4)
        letters = "กขคงจชซดตถทธนบปผพภมยรลวสหอ"
        word = "".join(secrets.choice(letters) for _ in range(6))
        self.first, self.last = f"สม{word}", f"แก้ว{word[::-1]}"
        self.email = f"canary.{mark}@baansabai.co.th"
        self.other_email = f"second-{mark}@baansabai.co.th"
        self.phone = "08" + "".join(str(secrets.randbelow(10)) for _ in range(8))
        self.member = f"MEMBER-{mark}"
        self.line = "U" + secrets.token_hex(16)
        self.street = f"99/1 ซอย{word} {mark}"
        self.said = f"อยากได้เก้าอี้ {word}"
        self.parcel = f"TH{secrets.randbelow(10**11):011}"
        self.shopify = 10**15 + secrets.randbelow(10**15)

    @property
    def values(self) -> list[str]:
        return [
            *(self.first, self.last, self.email, self.other_email, self.phone, self.member, self.line),
            *(self.street, self.said, self.parcel, str(self.shopify)),
        ]


@pytest.fixture
def who() -> Person:
    return Person()


@pytest.fixture(autouse=True)
def _own_folder(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.CDP_DATA = tmp_path / "data"
    settings.CDP_DATA.mkdir()
    settings.ERASURE_LEDGER = tmp_path / "elsewhere" / "ledger.jsonl"
    yield
    cache.clear()


def tell(source: Source, *messages: dict[str, Any], **more: Any) -> None:
    landing.land(source=source, messages_raw=list(messages), **{"door": "api", **more})
    digest.drain()


def come_by_every_door(who: Person, web_shop: Source, pos: Source, call_centre: Source) -> Profile:
    """Events, a browser, a file, Shopify, LINE, and messages that nobody could use."""
    name = {"firstName": who.first, "lastName": who.last}
    tell(web_shop, identify("canary-1", **name, email=who.email, phone=who.phone, street=who.street))
    tell(
        web_shop,
        track("canary-1", "Product Viewed", hours=3, name="เก้าอี้", color="แดง", comment=who.said),
        track("canary-1", "Order Completed", hours=2, order_id="W-77", total=990, currency="THB"),
        track("canary-1", "Order Shipped", hours=1, order_id="W-77", tracking_number=who.parcel, carrier="Kerry"),
        track("canary-1", "Consent Granted", hours=4, purpose="marketing", channel="email"),
    )
    tell(web_shop, {**track("canary-1", "Page Viewed"), "context": {"email": who.email}}, is_public_key=True)
    tell(call_centre, identify("canary-3", **name, phone=who.phone, occupation=who.said))
    bring_in(pos, f"id,name,phone,email\n{who.member},{who.first} {who.last},{who.phone},{who.other_email}\n", FILE)
    other = Source.objects.create(slug="second", name="Second shop", kind=Source.Kind.SHOP)
    shop = sender(other, "shopify", purpose="marketing")
    customer = {
        **reports.CUSTOMER, "id": who.shopify, "email": who.email, "phone": None, "first_name": who.first,
        "last_name": who.last, "default_address": {"address1": who.street, "city": "ตรัง"},
    }  # fmt: skip
    assert shop.topic("customers/create", customer).status_code == 200
    line = Source.objects.create(slug="line-oa", name="LINE OA", kind=Source.Kind.LINE, department=web_shop.department)
    chat = sender(line, "line")
    follow = reports.line_event("follow", 1, user_id=who.line, follow={"isUnblocked": False})
    message = {"id": "1", "type": "text", "text": who.said}
    assert chat.events(follow, reports.line_event("message", 2, user_id=who.line, message=message)).status_code == 200
    # The account of the shop's customer, linked to the follower.
    nonce = linking.make(source_id=web_shop.pk, user_id="canary-1")
    assert (
        chat.events(reports.account_link(nonce) | {"source": {"type": "user", "userId": who.line}}).status_code == 200
    )
    digest.drain()
    unusable = {**identify("canary-1", email=who.email, phone=who.phone), "timestamp": "no time"}
    unusable["messageId"] = "unusable-1"
    unclear = {**track("canary-1", "Consent Granted", purpose=who.said, channel="email"), "messageId": "unusable-2"}
    tell(web_shop, unusable, {**unclear, "context": {"traits": {"email": who.email}}})
    assert QuarantinedItem.objects.count() >= 1
    imports.receive(source=pos, file_name="waits.csv", chunks=[f"id\n{who.member}\n".encode()], by="system:test")
    return profile_of(web_shop, "canary-1")


FILE = {
    "version": 1,
    "rows": "people",
    "fields": [
        {"from": "id", "to": "record_id"},
        {"from": "name", "to": "trait", "name": "name"},
        {"from": "phone", "to": "trait", "name": "phone"},
        {"from": "email", "to": "trait", "name": "email"},
    ],
}


def be_worked_with(who: Person, profile: Profile, call_centre: Source, by: dict[str, User]) -> Profile:
    """Merged and parted, labelled, called, noted, put on lists and exported."""
    lines.begin(number=who.phone, by=by["agent"])
    lines.announce(number=who.phone, source_id=call_centre.pk, agent=by["agent"].username)
    notes.add(profile=profile, text=f"{who.first}: {who.said}", by=by["agent"])
    notes.keep_draft(profile=profile, text=f"โทรกลับ {who.phone}", disposition="", by=by["agent"])
    said = Said(who.said, follow_up_on=timezone.localdate())
    handling.open_case(profile=profile, subject=f"ส่งไปที่ {who.street}"[:80], said=said, by=by["agent"])
    records = list(SourceRecord.objects.filter(memberships__profile=profile, memberships__valid_to=None).order_by("pk"))
    assert len(records) >= 3
    called = SourceRecord.objects.get(external_id="canary-3")
    parted = merging.unmerge(profile=profile, records=[called.pk], by=by["steward"], reason=f"ไม่ใช่ {who.first}")
    merging.merge(profiles=parted.profiles, by=by["steward"], reason=f"ใช่ {who.first} {who.last}")
    pair = ReviewPair.objects.create(
        record_a=records[0], record_b=records[1], reason="band", score=0.8, worth=5, evidence={"fields": [who.first]}
    )
    labels.give(pair=pair, verdict="same", by=by["steward"], origin="review", comment=f"{who.email} ทั้งคู่")
    quality.look_nightly()
    name_spellings.count_bearers()
    marketer = by["marketer"]
    segment = authoring.create(
        name="Viewed", description="", department=marketer.department, by=marketer,
        definition={"version": 1, "where": {"kind": "all", "of": [VIEWED]}},
    )  # fmt: skip
    keeper.catch_up()
    shop = Source.objects.get(slug="web")
    ids = finding.find(reading.pasted("canary-1").ids, kind="user", source=shop, by=marketer)
    lists.create(name="งานเปิดร้าน", department=marketer.department, found=ids, by=marketer)
    made = exported(segment, Purpose.objects.get(slug="marketing"), "email", marketer)
    assert who.email.encode() in content(made, marketer)
    cache.set("segments:values", [who.street, who.email], 600)
    return Profile.objects.get(pk=profile.pk)


VIEWED = {
    "kind": "touchpoint",
    "event": "Product Viewed",
    "count": {"bound": "at_least", "n": 1},
    "window": {"kind": "ever"},
    "filters": [],
}


def statistics_of_everything() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def where(hits: list[scanning.Hit]) -> str:
    return "\n".join(str(hit) for hit in hits)


def test_nothing_is_left_of_a_person_who_came_by_every_door(
    who: Person,
    web_shop: Source,
    pos: Source,
    call_centre: Source,
    make_user: Callable[..., User],
    agent: User,
    steward: User,
    marketer: User,
    compliance: User,
    tmp_path: Path,
) -> None:
    colleague = make_user(Role.COMPLIANCE, name="colleague")
    profile = come_by_every_door(who, web_shop, pos, call_centre)
    apart = list(Profile.objects.live().exclude(pk=profile.pk))
    if apart:  # what evidence alone does not join
        merging.merge(profiles=[profile, *apart], by=steward, reason="all of them")
        profile = profile_of(web_shop, "canary-1")
    tell(web_shop, identify("u7", firstName="มานี", lastName="มีนา", email="manee@baansabai.co.th"))
    profile = be_worked_with(who, profile, call_centre, {"agent": agent, "steward": steward, "marketer": marketer})
    statistics_of_everything()

    subject_file = tmp_path / "subject.txt"
    subject_file.write_text("\n".join(who.values), encoding="utf-8")
    before = json.loads(_scan(subject_file))
    places = {hit["place"].partition(".")[0] for hit in before["hits"]}
    assert {hit["value"] for hit in before["hits"]} == set(range(1, len(who.values) + 1))
    for expected in ("profiles_sourcerecord", "ingestion_quarantineditem", "profiles_note", "core_cache"):
        assert expected in places
    assert any("statistics of" in place for place in places)
    assert any(".sealed" in hit["place"] for hit in before["hits"])

    request = ask(profile, compliance, note=f"{who.first} โทรมา")
    requests.approve(request_id=request.pk, by=colleague)
    erasure.run(request.pk)
    request.refresh_from_db()
    assert request.status == DataSubjectRequest.Status.COMPLETED, list(
        request.steps.exclude(status="done").values("holder", "problem")
    )
    hits = scanning.scan(who.values, with_server_files=False)
    assert hits == [], where(hits)

    done = rewriting.rewrite()
    assert done.is_whole, done
    assert scanning.server_folders()
    hits = scanning.scan(who.values)
    assert hits == [], where(hits)
    assert _scan(subject_file) == '{"ok": true, "hits": []}'


def _scan(subject_file: Path) -> str:
    out = StringIO()
    with suppress(CommandError):  # it says so besides when traces are found
        call_command("trace_scan", "--subject", str(subject_file), "--json", stdout=out)
    return out.getvalue().strip()
