"""Purposes and notices on their screens: versions stay, terms hold at once."""

from collections.abc import Callable

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from cdp_site.core.models import AuditEvent, User
from consent import notices
from consent.models import Channel, Notice
from consent.states import State
from tests.factories.consent import marketing, say
from tests.factories.people import hold, make_person, records_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
TEXTS = {"text": "We send you offers.", "text_th": "เราส่งข้อเสนอให้คุณ"}


@pytest.fixture
def desk(login: Callable[[User], Client], compliance: User) -> Client:
    return login(compliance)


def publish(desk: Client, version: str, **fields: str) -> int:
    return desk.post("/purposes/marketing/notices/", {"version": version, **TEXTS, **fields}).status_code


def test_a_new_version_is_in_force_and_the_old_one_stays(desk: Client) -> None:
    assert publish(desk, "2026-10") == 302
    assert publish(desk, "2026-11", text="We send you fewer offers.") == 302
    in_force = notices.in_force(marketing())
    assert in_force is not None
    assert in_force.version == "2026-11"
    html = desk.get("/purposes/marketing/").content.decode()
    assert "2026-10" in html
    assert "2026-11" in desk.get("/purposes/").content.decode()
    assert AuditEvent.objects.filter(action="notice.publish").count() == 2


@pytest.mark.parametrize("fields", [{"version": "2026-10"}, {"version": "a b"}, {"text_th": ""}, {"text": ""}])
def test_a_notice_is_in_both_languages_and_once(desk: Client, fields: dict[str, str]) -> None:
    assert publish(desk, "2026-10") == 302
    assert publish(desk, fields.pop("version", "2026-11"), **fields) == 422
    assert Notice.objects.count() == 1


def test_what_was_published_is_never_changed(compliance: User) -> None:
    notice = notices.publish(purpose=marketing(), version="1", **TEXTS, by=compliance)
    notice.text = "Anything"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        notice.save()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        notice.delete()


def test_a_grant_shows_what_the_person_had_read(desk: Client, compliance: User) -> None:
    person = make_person()
    [record] = records_of(person)
    hold(record, "email", "a@shop.test")
    notices.publish(purpose=marketing(), version="2025-01", **TEXTS, by=compliance)
    say(record, State.GRANTED, notice_version="2025-01", language="th")
    notices.publish(purpose=marketing(), version="2026-01", text="Newer", text_th="ใหม่กว่า", by=compliance)
    html = desk.get(f"/customers/{person.public_id}/consent/marketing/email/").content.decode()
    assert "We send you offers." in html
    assert "Newer" in html


def test_staff_record_the_version_in_force_and_that_a_guardian_spoke(desk: Client, compliance: User) -> None:
    person = make_person()
    [record] = records_of(person)
    hold(record, "email", "a@shop.test")
    record.attributes = {"birth_date": "2016-01-01"}
    record.save()
    notices.publish(purpose=marketing(), version="2026-01", **TEXTS, by=compliance)
    cell = f"/customers/{person.public_id}/consent/marketing/{Channel.EMAIL}/"
    assert 'name="by_guardian"' in desk.get(cell).content.decode()
    said = {"answer": "grant", "evidence": "call", "reference": "", "overrules": "", "by_guardian": "on"}
    assert desk.post(f"{cell}answer/", said).status_code == 302
    entry = person.birth_record.__class__.objects.get(tied_to=record).consententry_set.get()
    assert (entry.notice_version, entry.language, entry.by_guardian) == ("2026-01", "en", True)


def test_terms_are_set_on_the_screen(desk: Client) -> None:
    said = {"months": "24", "young": "own", "is_sharing": "on"}
    assert desk.post("/purposes/marketing/terms/", said).status_code == 302
    assert (marketing().months, marketing().young, marketing().is_sharing) == (24, "own", True)
    assert desk.post("/purposes/marketing/terms/", {"months": "0", "young": "own"}).status_code == 422
    assert desk.post("/purposes/marketing/terms/", {"months": "", "young": "guardian"}).status_code == 302
    assert marketing().months is None
    assert AuditEvent.objects.filter(action="purpose.change").count() == 2


def test_others_have_no_such_page(login: Callable[[User], Client], agent: User, marketer: User) -> None:
    for user in (agent, marketer):
        assert login(user).get("/purposes/").status_code == 404
        assert login(user).post("/purposes/marketing/notices/", {"version": "1", **TEXTS}).status_code == 404
    assert not Notice.objects.exists()
