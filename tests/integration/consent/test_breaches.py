"""The breach helper: whom a leaked list, import, export, key or account affects, and the clock of 72 hours."""

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone, translation
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks

from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.machines import keys as machine_keys
from cdp_site.core.models import AccessLogEntry, AuditEvent, Operation, User
from consent import erasure, requests
from consent.breach import finding, leaks, recording, report
from consent.models import Breach, BreachPerson, Purpose
from ingestion.models import FileImport
from profiles.models import Profile, RecordShare, SourceRecord
from segments.models import ExportMember, SegmentExport
from tests.factories.consent import ask
from tests.factories.people import hold, make_person, make_source, merge, records_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(login: Callable[[User], Client], compliance: User) -> Client:
    client = login(compliance)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture
def people() -> list[Profile]:
    """Three, each with a phone; the first with a mailbox and a member number too."""
    made = [make_person(name=name) for name in ("อารีย์ ใจดี", "มานี มีตา", "ปิติ ยิ้ม")]
    for number, profile in enumerate(made):
        hold(records_of(profile)[0], "phone", f"+6681234567{number}")
    hold(records_of(made[0])[0], "email", "aree@shop.test")
    hold(records_of(made[0])[0], "member", "M-1")
    return made


def record(by: User, **said: Any) -> Breach:
    given = {"kind": "list", "text": "", "what": "A laptop was stolen", "noticed_at": timezone.now(), **said}
    return recording.record(by=by, **given)


def found(breach: Breach) -> set[Any]:
    return set(breach.people.values_list("profile", flat=True))


class TestList:
    def test_whoever_stands_in_it_in_any_spelling(self, people: list[Profile], compliance: User) -> None:
        text = "name;mail;phone\nAree;AREE@Shop.Test;\nx;;081-234-5671\n\ny;;0811111111\n"
        breach = record(compliance, text=text)
        assert found(breach) == {people[0].public_id, people[1].public_id}
        assert (breach.status, breach.affected, breach.given, breach.unmatched) == ("found", 2, 4, 2)

    def test_by_member_numbers(self, people: list[Profile], compliance: User) -> None:
        assert found(record(compliance, text="M-1")) == {people[0].public_id}

    def test_former_holders_as_well(self, people: list[Profile], compliance: User) -> None:
        """Whoever knows a number that was mine last year knows something of me."""
        hold(records_of(people[2])[0], "email", "aree@shop.test", valid_to=timezone.now(), is_current=False)
        assert found(record(compliance, text="aree@shop.test")) == {people[0].public_id, people[2].public_id}

    def test_nothing_of_it_is_kept(self, people: list[Profile], compliance: User) -> None:
        breach = record(compliance, text="aree@shop.test,Aree")
        kept = json.dumps([str(value) for value in Breach.objects.values_list().get()])
        assert "aree" not in kept.casefold()
        assert breach.reference == ""

    @pytest.mark.parametrize("text", ["", "\n \n"])
    def test_an_empty_one(self, compliance: User, text: str) -> None:
        with pytest.raises(MendableError, match="empty"), translation.override("en"):
            record(compliance, text=text)
        assert not Breach.objects.exists()

    def test_one_that_is_too_long(self, compliance: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(finding, "MOST_CELLS", 2)
        monkeypatch.setattr(finding, "MOST_BYTES", 20)
        with pytest.raises(MendableError):
            record(compliance, text="a,b,c")
        with pytest.raises(MendableError):
            finding.text_of(b"x" * 21)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp874"])
    def test_whatever_it_is_written_in(self, encoding: str) -> None:
        assert finding.text_of("อารีย์,081".encode(encoding)) == "อารีย์,081"

    def test_many_portions(self, people: list[Profile], compliance: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(finding, "AT_ONCE", 1)
        assert record(compliance, text="+66812345670\n+66812345671\n+66812345672").affected == 3


class TestWhatIsStoredHere:
    """Found by a job."""

    @pytest.fixture
    def run(self, compliance: User) -> Callable[..., Breach]:
        def recorded(kind: str, reference: object, **said: Any) -> Breach:
            breach = record(compliance, kind=kind, reference=str(reference), **said)
            assert breach.status == "counting"
            finding.run(breach.pk)
            finding.run(breach.pk)  # a job may run twice
            breach.refresh_from_db()
            assert breach.status == "found"
            return breach

        return recorded

    def test_an_import(self, people: list[Profile], run: Callable[..., Breach]) -> None:
        operation = Operation.objects.create(kind="import", actor="user:1")
        SourceRecord.objects.filter(pk=records_of(people[0])[0].pk).update(operation_id=operation.pk)
        RecordShare.objects.create(
            record=records_of(people[1])[0], operation_id=operation.pk, first_at=timezone.now(), last_at=timezone.now()
        )
        imported = FileImport.objects.create(source=make_source(), file_name="x.csv", size=1, operation_id=operation.pk)
        assert found(run("import", imported.pk)) == {people[0].public_id, people[1].public_id}

    def test_an_export_without_whom_the_lot_held_out(
        self, people: list[Profile], run: Callable[..., Breach], marketer: User
    ) -> None:
        made = SegmentExport.objects.create(
            purpose=Purpose.objects.get(slug="marketing"), segment_version=1, segment_name="x", by=marketer
        )
        for profile, held_out in zip(people, (False, True, None), strict=True):
            ExportMember.objects.create(export=made, record=records_of(profile)[0], is_held_out=held_out)
        assert found(run("export", made.pk)) == {people[0].public_id}
        assert found(run("user", marketer.username)) == {people[0].public_id}
        later = timezone.now() + timedelta(hours=1)
        assert found(run("user", marketer.username, since=later)) == set()

    def test_a_key_in_its_time(self, people: list[Profile], run: Callable[..., Breach]) -> None:
        key, _text = machine_keys.make(
            name="shop", scopes=["profiles:read"], department=None, days=90, by="system:test"
        )
        now = timezone.now()
        for profile, days in zip(people, (30, 3, 1), strict=True):
            with time_machine.travel(now - timedelta(days=days)):
                AccessLogEntry.objects.create(actor=f"key:{key.pk}", profile=profile.public_id, what="profile.api")
        assert len(found(run("key", key.prefix))) == 3
        within = run("key", key.pk, since=now - timedelta(days=4), until=now - timedelta(days=2))
        assert found(within) == {people[1].public_id}

    def test_an_account(self, people: list[Profile], run: Callable[..., Breach], agent: User) -> None:
        AccessLogEntry.objects.create(actor=f"user:{agent.pk}", profile=people[2].public_id, what="profile.view")
        AccessLogEntry.objects.create(actor="user:999", profile=people[1].public_id, what="profile.view")
        assert found(run("user", agent.username)) == {people[2].public_id}

    @pytest.mark.parametrize("kind", ["import", "export", "key", "user"])
    @pytest.mark.parametrize("reference", ["", "nothing", "7", "0000-00", "9" * 30])
    def test_what_there_is_not(self, compliance: User, kind: str, reference: str) -> None:
        with pytest.raises(leaks.UnknownProblem):
            record(compliance, kind=kind, reference=reference)
        assert not Breach.objects.exists()

    def test_a_job_is_asked_once_it_is_written_down(
        self, compliance: User, agent: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
    ) -> None:
        with django_capture_on_commit_callbacks(execute=True):
            record(compliance, kind="user", reference=agent.username)
        assert [row.task["func"] for row in OrmQ.objects.all()] == ["consent.jobs.find_affected"]

    def test_a_failure_is_told_and_tried_again(
        self,
        people: list[Profile],
        compliance: User,
        agent: User,
        desk: Client,
        monkeypatch: pytest.MonkeyPatch,
        django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    ) -> None:
        breach = record(compliance, kind="user", reference=agent.username)

        def fail(_breach: Breach) -> list[int]:
            raise DatabaseError

        monkeypatch.setattr(leaks, "people", fail)
        with pytest.raises(DatabaseError):
            finding.run(breach.pk)
        assert "The look-up failed." in desk.get(f"/breaches/{breach.pk}/").content.decode()
        with django_capture_on_commit_callbacks(execute=True):
            desk.post(f"/breaches/{breach.pk}/done/", {"step": "find"})
        assert [row.task["func"] for row in OrmQ.objects.all()] == ["consent.jobs.find_affected"]
        breach.refresh_from_db()
        assert breach.status == "counting"


class TestPeople:
    def test_a_merge_follows_and_an_erasure_leaves_the_count(
        self, people: list[Profile], compliance: User, make_user: Callable[..., User]
    ) -> None:
        breach = record(compliance, text="+66812345670\n+66812345671\n+66812345672")
        merge(people[0], people[1])
        assert list(finding.affected(breach, by=compliance)) == [people[0], people[2]]
        asked = requests.approve(request_id=ask(people[2], compliance).pk, by=make_user("compliance", name="second"))
        erasure.run(asked.pk)
        assert list(finding.affected(breach, by=compliance)) == [people[0]]
        breach.refresh_from_db()
        assert (breach.affected, BreachPerson.objects.count()) == (3, 2)

    def test_the_list_asks_the_gate(self, desk: Client, people: list[Profile], compliance: User) -> None:
        breach = record(compliance, text="+66812345670\n+66812345671")
        ask(people[1], compliance)  # from now on nothing of theirs is used
        service = Purpose.objects.get(slug="service")
        answer = desk.post(f"/breaches/{breach.pk}/people/", {"purpose": service.pk, "channel": "sms"})
        rows = list(csv.reader(io.StringIO(b"".join(answer).decode())))  # type: ignore[call-overload]
        assert rows == [["customer", "sms"], [str(people[0].public_id), "+66812345670"], [str(people[1].public_id), ""]]
        last = AuditEvent.objects.latest("pk")
        assert (last.action, last.target_id, last.fields) == ("breach.export", str(breach.pk), ["service", "sms"])

    def test_marketing_is_no_notice(self, desk: Client, people: list[Profile], compliance: User) -> None:
        breach = record(compliance, text="+66812345670")
        marketing = Purpose.objects.get(slug="marketing")
        answer = desk.post(f"/breaches/{breach.pk}/people/", {"purpose": marketing.pk, "channel": "sms"})
        assert answer.status_code == 422
        assert not AuditEvent.objects.filter(action="breach.export").exists()

    def test_it_takes_a_login_of_the_last_minutes(self, desk: Client, people: list[Profile], compliance: User) -> None:
        breach = record(compliance, text="+66812345670")
        with time_machine.travel(timezone.now() + timedelta(minutes=10)):
            desk.post(f"/breaches/{breach.pk}/people/", {"purpose": 1, "channel": "sms"})
        assert not AuditEvent.objects.filter(action="breach.export").exists()

    def test_looking_is_logged(self, desk: Client, people: list[Profile], compliance: User) -> None:
        breach = record(compliance, text="+66812345670")
        assert "อารีย์" in desk.get(f"/breaches/{breach.pk}/").content.decode()
        assert AccessLogEntry.objects.filter(profile=people[0].public_id, what="breach.people").count() == 1


class TestClock:
    @pytest.fixture
    def breach(self, compliance: User) -> Breach:
        with time_machine.travel("2026-03-30T18:00:00Z", tick=False):  # over the end of a month
            return record(compliance, text="nobody@shop.test", noticed_at=timezone.now())

    @pytest.mark.parametrize(
        ("at", "text", "kind"),
        [
            ("2026-03-30T18:00:00Z", "72 hours left", "warn"),
            ("2026-04-02T06:59:00Z", "11 hours left", "danger"),
            ("2026-04-02T17:30:00Z", "0 hours left", "danger"),
            ("2026-04-02T18:01:00Z", "1 hour overdue", "danger"),
            ("2026-04-03T17:59:00Z", "24 hours overdue", "danger"),
        ],
    )
    def test_72_hours_from_noticing(self, breach: Breach, at: str, text: str, kind: str) -> None:
        with time_machine.travel(at, tick=False), translation.override("en"):
            clock = recording.clock(breach, now=timezone.now())
        assert (clock.text, clock.kind) == (text, kind)

    @pytest.mark.parametrize(("hours", "text"), [(71, "told in time"), (73, "told late")])
    def test_it_stops_when_the_office_was_told(self, breach: Breach, compliance: User, hours: int, text: str) -> None:
        with time_machine.travel(breach.noticed_at + timedelta(hours=hours), tick=False), translation.override("en"):
            recording.done(breach=breach, step="office", by=compliance)
            breach.refresh_from_db()
            assert recording.clock(breach, now=timezone.now()).text == text

    def test_it_is_closed_when_its_risk_was_answered(self, breach: Breach, compliance: User) -> None:
        with pytest.raises(ConflictProblem):
            recording.done(breach=breach, step="close", by=compliance)
        recording.judge(breach=breach, risk="high", data="phone numbers", measures="key revoked", by=compliance)
        for step in ("office", "people"):
            breach.refresh_from_db()
            assert recording.missing_of(breach)
            recording.done(breach=breach, step=step, by=compliance)
        recording.done(breach=breach, step="close", by=compliance)
        with pytest.raises(ConflictProblem):
            recording.judge(breach=breach, risk="none", data="", measures="", by=compliance)
        actions = AuditEvent.objects.filter(target_id=str(breach.pk)).order_by("pk").values_list("action", flat=True)
        assert list(actions)[-4:] == ["breach.judge", "breach.office", "breach.people", "breach.close"]

    def test_without_risk_nobody_is_told(self, breach: Breach, compliance: User) -> None:
        recording.judge(breach=breach, risk="none", data="", measures="", by=compliance)
        breach.refresh_from_db()
        assert recording.missing_of(breach) == []
        with translation.override("en"):
            assert recording.clock(breach, now=timezone.now()).text == "nobody has to be told"

    def test_the_future_is_not_noticed_yet(self, compliance: User) -> None:
        with pytest.raises(MendableError) as told:
            record(compliance, text="x", noticed_at=timezone.now() + timedelta(minutes=5))
        assert told.value.field == "noticed_at"


class TestPages:
    def test_from_the_form_to_the_papers(self, desk: Client, people: list[Profile]) -> None:
        assert "No breach was recorded" in desk.get("/breaches/").content.decode()
        assert desk.get("/breaches/new/").status_code == 200
        listed = SimpleUploadedFile("leak.csv", "อารีย์,0812345670\n".encode("cp874"))
        sent = {"kind": "list", "file": listed, "noticed_at": "2026-01-02T10:00", "what": "A laptop was stolen"}
        answer = desk.post("/breaches/new/", sent)
        breach = Breach.objects.get()
        assert (answer.status_code, breach.affected) == (302, 1)
        page = desk.get(f"/breaches/{breach.pk}/").content.decode()
        assert "overdue" in page
        assert "Judge the risk" in page
        assert breach.reference_text in desk.get("/breaches/").content.decode()
        judged = {"risk": "some", "data": "phone", "measures": "wiped"}
        assert desk.post(f"/breaches/{breach.pk}/judge/", judged).status_code == 302
        assert desk.post(f"/breaches/{breach.pk}/done/", {"step": "office"}).status_code == 302
        assert desk.post(f"/breaches/{breach.pk}/done/", {"step": "nonsense"}).status_code == 302
        said = desk.get(f"/breaches/{breach.pk}/report.json").json()
        assert (said["people"], said["risk"], said["data"]) == (1, "some", "phone")
        assert said["office_told_at"]
        assert b"".join(desk.get(f"/breaches/{breach.pk}/report.pdf")).startswith(b"%PDF-")  # type: ignore[call-overload]

    @pytest.mark.parametrize("language", ["th", "en"])
    def test_the_report_names_no_customer(self, people: list[Profile], compliance: User, language: str) -> None:
        breach = record(compliance, text="aree@shop.test\n0812345670")
        with translation.override(language):
            assert report.paper(breach).startswith(b"%PDF-")
        text = json.dumps(report.document(breach), ensure_ascii=False)
        assert not any(canary in text for canary in ("aree", "812345670", "อารีย์", str(people[0].public_id)))

    @pytest.mark.parametrize(
        ("sent", "told"),
        [
            ({"kind": "user", "reference": "nobody"}, "There is nothing here by this id."),
            ({"kind": "list"}, "The list is empty."),
            ({"kind": "list", "noticed_at": "2999-01-01T00:00"}, "noticed in the future"),
            ({"kind": "nonsense"}, "nonsense"),
        ],
    )
    def test_what_does_not_fit_is_said(self, desk: Client, sent: dict[str, str], told: str) -> None:
        answer = desk.post("/breaches/new/", {"noticed_at": "2026-01-02T10:00", "what": "x", **sent})
        assert answer.status_code == 422
        assert told in answer.content.decode()

    @pytest.mark.parametrize("role", ["agent", "marketer", "steward", "analyst", "admin", ""])
    def test_it_is_for_compliance(
        self, login: Callable[[User], Client], make_user: Callable[..., User], compliance: User, role: str
    ) -> None:
        client = login(make_user(role))
        breach = record(compliance, text="x")
        gets = [client.get(path) for path in ("/breaches/", "/breaches/new/", f"/breaches/{breach.pk}/")]
        gets += [client.get(f"/breaches/{breach.pk}/report.{form}") for form in ("pdf", "json")]
        posts = [client.post(f"/breaches/{breach.pk}/{step}/") for step in ("judge", "done", "people")]
        assert {answer.status_code for answer in gets + posts} == {404}

    def test_one_that_is_not_there(self, desk: Client, person: Profile) -> None:
        assert desk.get(f"/breaches/{person.public_id}/").status_code == 404
