"""The preference page: by a signed link alone, one press a choice, and nobody is found by it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from cdp_site.core.models import AuditEvent, User
from consent import gate, jobs, notices
from consent.models import Channel, ConsentEntry, Purpose
from consent.preferences import asking, links
from consent.reasons import Reason
from consent.states import State
from profiles.models import Profile
from tests.factories.consent import marketing, say
from tests.factories.people import hold, make_person, make_source, merge, records_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
MAIL, SMS = Channel.EMAIL, Channel.SMS
BASE = "/privacy/preferences/"


@pytest.fixture
def person() -> Profile:
    profile = make_person(make_source("shop"))
    hold(records_of(profile)[0], "email", "aree@shop.test")
    hold(records_of(profile)[0], "phone", "+66812345678")
    return profile


def page(profile: Profile, token: str = "", **headers: str) -> Any:
    return Client(headers=headers).get(f"{BASE}{token or links.issue(profile.public_id)}/")


def press(profile: Profile, **data: str) -> Any:
    return Client().post(f"{BASE}{links.issue(profile.public_id)}/choose/", data)


def choose(profile: Profile, answer: str, channel: str = "email", purpose: str = "marketing") -> Any:
    return press(profile, purpose=purpose, channel=channel, answer=answer)


def reason(profile: Profile, channel: Channel = MAIL) -> Reason | None:
    profile.refresh_from_db()
    return gate.may_use(profile, marketing(), channel).reason


def bare(answer: Any) -> str:
    """What somebody reads, without the tokens of the forms and the address of the page."""
    return re.sub(rf'value="[^"]{{64}}"|"X-CSRFToken": "[^"]*"|{BASE}[^"]*', "", answer.content.decode())


class TestChoosing:
    def test_one_press_gives_and_one_press_takes_back(self, person: Profile) -> None:
        assert choose(person, "on").status_code == 302
        assert reason(person) is None
        assert reason(person, SMS) is Reason.NEVER_ASKED
        assert choose(person, "off").status_code == 302
        assert reason(person) is Reason.WITHDRAWN

    def test_what_is_said_twice_is_recorded_once(self, person: Profile) -> None:
        for answer in ("on", "on", "off", "off"):
            choose(person, answer)
        assert [entry.state for entry in ConsentEntry.objects.order_by("pk")] == ["granted", "withdrawn"]

    def test_the_statement_bears_its_evidence(self, person: Profile, compliance: User) -> None:
        notices.publish(purpose=marketing(), version="2026-11", text="Offers", text_th="ข้อเสนอ", by=compliance)
        choose(person, "on")
        entry = ConsentEntry.objects.get()
        assert (entry.origin, entry.evidence, entry.notice_version) == ("event", {"how": "preferences"}, "2026-11")
        assert (entry.language, entry.actor, entry.address) == ("en", "system:privacy-page", "aree@shop.test")
        event = AuditEvent.objects.get(action="consent.granted")
        assert (event.actor, event.fields) == ("system:privacy-page", ["marketing/email"])

    def test_everything_off_leaves_nothing_on(self, person: Profile) -> None:
        for channel in ("email", "sms", "phone"):
            choose(person, "on", channel)
        assert press(person, all="off").status_code == 302
        for purpose in Purpose.objects.all():
            for channel in Channel:
                assert not gate.may_use(person, purpose, channel).is_given
        before = ConsentEntry.objects.count()
        press(person, all="off")
        assert ConsentEntry.objects.count() == before

    def test_the_latest_own_word_overrules_what_another_source_heard(self, person: Profile) -> None:
        other = make_person(make_source("calls"))
        say(records_of(other)[0], "refused")
        merge(person, other)
        assert reason(person) is Reason.REFUSED
        choose(person, "on")
        assert reason(person) is None

    def test_an_unmerge_leaves_it_with_whom_the_link_was_given_to(self, person: Profile) -> None:
        other = make_person(make_source("pos"))
        hold(records_of(other)[0], "email", "other@shop.test")
        token = links.issue(other.public_id)
        merge(person, other)
        Client().post(f"{BASE}{token}/choose/", {"purpose": "marketing", "channel": "email", "answer": "off"})
        assert reason(person) is Reason.REFUSED
        assert ConsentEntry.objects.get().record == records_of(person)[1]

    def test_a_minor_is_told_to_ask_a_guardian(self, person: Profile) -> None:
        [record] = records_of(person)
        record.attributes = {"birth_date": "2015-05-05"}
        record.save()
        assert "A parent or guardian has to allow this" in page(person).content.decode()
        choose(person, "on")
        assert not ConsentEntry.objects.exists()
        choose(person, "off")
        assert ConsentEntry.objects.get().state == State.REFUSED

    @pytest.mark.parametrize(
        "data",
        [
            {"purpose": "marketing", "channel": "fax", "answer": "on"},
            {"purpose": "marketing", "channel": "email", "answer": "perhaps"},
            {"purpose": "marketing", "channel": "line", "answer": "on"},  # no address
            {},
        ],
    )
    def test_what_is_not_on_the_page_changes_nothing(self, person: Profile, data: dict[str, str]) -> None:
        assert press(person, **data).status_code in (302, 404)
        assert not ConsentEntry.objects.exists()


class TestTheLink:
    def test_the_page_names_nobody(self, person: Profile) -> None:
        html = page(person).content.decode()
        assert "Marketing" in html
        assert not re.search(r"aree|0812|6681|สมชาย|ใจดี", html)

    def test_nothing_is_kept_of_it(self, person: Profile) -> None:
        answer = page(person)
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] == "same-origin"

    def test_forged_expired_and_of_nobody_look_alike(self, person: Profile) -> None:
        token = links.issue(person.public_id)
        nobody = make_person()
        gone = links.issue(nobody.public_id)
        Profile.objects.filter(pk=nobody.pk).update(state=Profile.State.ERASING)
        old = links.issue(person.public_id, now=timezone.now() - timedelta(days=31))
        swapped = token[:-3] + ("AAA" if token[-3:] != "AAA" else "BBB")
        answers = {bare(page(person, dead)) for dead in (gone, old, swapped, "x", token[:20], "é" * 30)}
        assert len(answers) == 1
        assert "does not work any more" in answers.pop()
        assert page(person, old).status_code == 404

    def test_no_byte_of_it_can_be_another(self, person: Profile) -> None:
        token = links.issue(person.public_id)
        assert links.open_link(token) is not None
        for place in range(len(token) - 1):  # the last letter has bits that stand for nothing
            other = "A" if token[place] != "A" else "B"
            assert links.open_link(token[:place] + other + token[place + 1 :]) is None

    def test_it_ends_to_the_second(self, person: Profile, settings: Settings) -> None:
        settings.PREFERENCE_LINK_DAYS = 7
        token, made = links.issue(person.public_id), timezone.now()
        with time_machine.travel(made + timedelta(days=7, seconds=-2), tick=False):
            assert links.open_link(token)
        with time_machine.travel(made + timedelta(days=7, seconds=1), tick=False):
            assert links.open_link(token) is None

    def test_who_tries_links_is_slowed_down(self, person: Profile) -> None:
        browser = Client()
        answers = [browser.get(f"{BASE}guess{number}/").status_code for number in range(65)]
        assert answers == [404] * 60 + [429] * 5
        assert page(person).status_code == 200  # who shares their address is not kept from withdrawing

    def test_one_link_is_not_pressed_without_end(self, person: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("consent.views.public.PRESSED", 5)
        assert [page(person).status_code for _time in range(7)] == [200] * 5 + [429] * 2
        assert page(make_person()).status_code == 200

    def test_the_page_is_there_in_thai(self, person: Profile) -> None:
        browser = Client()
        browser.cookies["django_language"] = "th"
        html = browser.get(f"{BASE}{links.issue(person.public_id)}/").content.decode()
        assert "ปิดทั้งหมด" in html


class TestTheSignalOfABrowser:
    @pytest.fixture(autouse=True)
    def _shared(self) -> None:
        Purpose.objects.filter(slug="analytics").update(is_sharing=True)

    def test_it_denies_what_is_shared_and_nothing_else(self, person: Profile) -> None:
        choose(person, "on")
        assert "(GPC)" in page(person, **{"Sec-GPC": "1"}).content.decode()
        analytics = Purpose.objects.get(slug="analytics")
        said = ConsentEntry.objects.filter(purpose=analytics)
        assert {entry.state for entry in said} == {"refused"}
        assert {entry.evidence["how"] for entry in said} == {"gpc"}
        assert reason(person) is None
        before = said.count()
        page(person, **{"Sec-GPC": "1"})
        assert said.count() == before

    def test_without_it_nothing_is_denied(self, person: Profile) -> None:
        page(person)
        page(person, **{"Sec-GPC": "0"})
        assert not ConsentEntry.objects.exists()

    def test_what_the_person_switches_on_stands(self, person: Profile) -> None:
        page(person, **{"Sec-GPC": "1"})
        choose(person, "on", purpose="analytics")
        page(person, **{"Sec-GPC": "1"})
        assert gate.may_use(person, Purpose.objects.get(slug="analytics"), MAIL).is_given


class TestMails:
    def test_a_choice_brings_a_receipt(
        self, person: Profile, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        choose(person, "on")
        entry = ConsentEntry.objects.get()
        jobs.send_receipt("en", str(entry.pk))
        [message] = mail.outbox
        assert message.to == ["aree@shop.test"]
        assert "Marketing, e-mail: Granted" in message.body
        assert "สมชาย" not in message.body
        [token] = re.findall(rf"{BASE}([^/]+)/", message.body)
        assert links.open_link(token) is not None

    def test_the_job_is_given_ids_alone(self, person: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[Any, ...]] = []
        monkeypatch.setattr("cdp_site.core.jobs.enqueue", lambda *args: asked.append(args))
        choose(person, "on")
        [(function, language, entry)] = asked
        assert (function, language) == ("consent.jobs.send_receipt", "en")
        assert entry == ConsentEntry.objects.get().pk

    def test_who_asks_for_a_link_gets_one_answer(self, person: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[Any, ...]] = []
        monkeypatch.setattr("cdp_site.core.jobs.enqueue", lambda *args: asked.append(args))
        records_of(person)[0].identifiers.filter(kind="email").update(value="aree@baansabai.co.th")
        told = set()
        for address in ("aree@baansabai.co.th", "AREE@Baansabai.co.th", "nobody@baansabai.co.th"):
            answer = Client().post(BASE, {"email": address})
            told.add(bare(answer))
        assert len(told) == 1
        assert [args[1] for args in asked] == [person.pk, person.pk, asking.NOBODY]
        jobs.send_preference_link(person.pk, "th")
        jobs.send_preference_link(asking.NOBODY, "th")
        [message] = mail.outbox
        assert message.to == ["aree@baansabai.co.th"]
        assert "ความเป็นส่วนตัว" in message.subject

    def test_asking_is_limited(self, person: Profile) -> None:
        answers = [Client().post(BASE, {"email": "aree@shop.test"}).status_code for _time in range(22)]
        assert answers == [200] * 20 + [429] * 2

    def test_nobodys_mailbox_is_filled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[tuple[Any, ...]] = []
        monkeypatch.setattr("cdp_site.core.jobs.enqueue", lambda *args: asked.append(args))
        told = {bare(Client().post(BASE, {"email": "aree@baansabai.co.th"})) for _time in range(6)}
        assert (len(told), len(asked)) == (1, 3)

    def test_an_address_that_somebody_else_has_now_gets_nothing(self, person: Profile) -> None:
        person.refresh_from_db()
        records_of(person)[0].identifiers.update(valid_to=timezone.now())
        jobs.send_preference_link(person.pk, "en")
        assert mail.outbox == []


class TestFromTheCustomersPage:
    def test_staff_hand_out_and_mail_the_link(
        self, person: Profile, compliance: User, login: Callable[[User], Client]
    ) -> None:
        desk = login(compliance)
        answer = desk.post(f"/customers/{person.public_id}/preference-link/", headers={"HX-Request": "true"})
        [token] = re.findall(rf"{BASE}([^/]+)/", answer.content.decode())
        assert links.open_link(token) is not None
        assert AuditEvent.objects.filter(action="consent.preference_link").count() == 1
        answer = desk.post(f"/customers/{person.public_id}/preference-link/", {"how": "mail", "language": "en"})
        assert answer.status_code == 302
