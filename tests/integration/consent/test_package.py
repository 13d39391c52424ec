"""The copy of a person's data: what stands in it, who fetches it, and when it goes."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from cdp_site.core import hashing
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AuditEvent, FailedLogins, User
from cdp_site.core.personal_data import holders
from consent import erasure, package, requests, subjects
from consent.models import AccessPackage, DataSubjectRequest, OutgoingMessage
from consent.package import links, making, writing
from consent.requests import carrying_out, identity
from ingestion.files import store
from profiles.models import Identifier, Profile, SourceRecord
from tests.factories.consent import ask
from tests.factories.people import make_person

pytestmark = pytest.mark.django_db
Kind, Status = DataSubjectRequest.Kind, DataSubjectRequest.Status


def carried_out(person: Profile, by: User, colleague: User, kind: str = Kind.ACCESS) -> DataSubjectRequest:
    asked = ask(person, by, kind=kind)
    requests.approve(request_id=asked.pk, by=colleague)
    carrying_out.run(asked.pk)
    asked.refresh_from_db()
    return asked


@pytest.fixture
def done(person: Profile, compliance: User, colleague: User) -> DataSubjectRequest:
    return carried_out(person, compliance, colleague)


@pytest.fixture
def made(done: DataSubjectRequest) -> AccessPackage:
    return AccessPackage.objects.get(request=done)


def opened(made: AccessPackage) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(making.read(made))))


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in leaves(one)]
    if isinstance(value, list | tuple):
        return [leaf for one in value for leaf in leaves(one)]
    return [] if value in (None, "") or isinstance(value, bool) else [str(value)]


# --- what stands in it ----------------------------------------------------------------------------------------------


def test_an_approved_request_is_answered_by_a_copy(done: DataSubjectRequest, made: AccessPackage) -> None:
    assert done.status == Status.COMPLETED, done.outcome
    assert done.outcome["tables"] == made.counts
    assert made.expires_at - made.made_at == timedelta(days=settings.PACKAGE_DAYS)
    with opened(made) as copy:
        names = set(copy.namelist())
        assert {"data.json", "copy-en.html", "copy-th.html", "copy-en.pdf", "copy-th.pdf", "csv/values.csv"} <= names
        assert copy.read("copy-th.pdf").startswith(b"%PDF-")
        page = copy.read("copy-th.html").decode()
        assert '<html lang="th">' in page
        assert "อารีย์" in page
        assert "<script" not in page
        data = json.loads(copy.read("data.json"))
    assert data["request"] == done.reference
    values = data["sections"]["values"]
    name = next(one for one in values if "อารีย์" in one["value"])
    assert name["source"]
    assert name["in_use"] in (True, False)
    assert {"purposes", "recipients", "stated_at"} <= name.keys()
    assert any(one["state"] == "Granted" and one["is_used"] for one in data["sections"]["purposes"])
    assert "อารีย์" not in json.dumps(made.counts)


def test_it_lists_exactly_what_an_erasure_erases_and_keeps(
    person: Profile, compliance: User, colleague: User, made: AccessPackage
) -> None:
    subject = subjects.find(person.public_id)
    assert subject is not None
    found = {table for holder in holders() for table, n in holder.locate(subject).items() if n}
    with opened(made) as copy:
        data = json.loads(copy.read("data.json"))
    listed = {line["code"]: (line["action"], line["rows"]) for line in data["inventory"]}
    # The copy itself has come since, and with it what its own making wrote down.
    assert all(line["purpose"] and line["kept_for"] for line in data["inventory"])
    assert found - {"consent.AccessPackage", "consent.DataSubjectRequest"} <= listed.keys()
    asked = ask(person, compliance)
    requests.approve(request_id=asked.pk, by=colleague)
    DataSubjectRequest.objects.filter(pk=asked.pk).update(status=Status.APPROVED, runs_at=None)
    erasure.run(asked.pk)
    asked.refresh_from_db()
    assert asked.status == Status.COMPLETED
    outcomes = list(asked.steps.values_list("outcome", flat=True))
    erased = {table for one in outcomes for verb in ("erased", "anonymised") for table, n in one[verb].items() if n}
    kept = {table for one in outcomes for table in one["kept"]}
    by_copy = {
        action: {table for table, (told, _n) in listed.items() if told == action} for action in ("erase", "keep")
    }
    own = {"consent.AccessPackage", "consent.DataSubjectRequest", "core.AuditEvent", "ingestion.SuppressedIdentifier"}
    assert by_copy["erase"] - own <= erased
    assert erased - own <= listed.keys()
    assert by_copy["keep"] <= kept


def test_the_portable_copy_leaves_out_what_was_worked_out(person: Profile, compliance: User, colleague: User) -> None:
    asked = carried_out(person, compliance, colleague, Kind.PORTABILITY)
    with opened(AccessPackage.objects.get(request=asked)) as copy:
        sections = json.loads(copy.read("data.json"))["sections"]
    assert "profiles.SourceRecord" in sections
    assert not {"segments", "scores", "core.AccessLogEntry", "profiles.Note"} & sections.keys()


@pytest.mark.parametrize(
    ("cell", "written"),
    [("=1+1", "'=1+1"), ("@x", "'@x"), (" -2", "' -2"), ("+66812345678", "+66812345678"), ("a=b", "a=b"), ("", "")],
)
def test_no_cell_is_run_by_a_spreadsheet(cell: str, written: str) -> None:
    assert writing.harmless(cell) == written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-11-01T05:00:00.000000+00:00", "1 Nov 2026 12:00"),
        ("2026-11-01T05:00:00Z", "1 Nov 2026 12:00"),
        ("2026-13-31T05:00:00Z", "2026-13-31T05:00:00Z"),
        ("on 2026-11-01T05:00:00Z", "on 2026-11-01T05:00:00Z"),
        ({"a": [1, None], "b": True}, "a: 1, ; b: yes"),
        (None, ""),
    ],
)
def test_people_read_moments_in_their_calendar(value: Any, text: str) -> None:
    with override("en"):
        assert writing.told(value) == text


def test_a_hostile_name_is_text_in_every_form(compliance: User, colleague: User) -> None:
    person = make_person(name='<script>alert(1)</script> "=cmd|')
    made = AccessPackage.objects.get(request=carried_out(person, compliance, colleague))
    with opened(made) as copy:
        assert "<script" not in copy.read("copy-en.html").decode()
        rows = list(csv.reader(io.StringIO(copy.read("csv/values.csv").decode("utf-8-sig"))))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@"))]


def test_who_is_gone_has_no_copy(person: Profile, compliance: User, colleague: User) -> None:
    asked = ask(person, compliance, kind=Kind.ACCESS)
    requests.approve(request_id=asked.pk, by=colleague)
    Profile.objects.filter(pk=person.pk).update(state=Profile.State.ERASING)
    carrying_out.run(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, asked.outcome["problem"]) == (Status.PARTIAL, "NobodyThere")
    assert not AccessPackage.objects.exists()


# --- the link -------------------------------------------------------------------------------------------------------


def test_the_link_gives_the_file_once(made: AccessPackage, compliance: User, client: Client) -> None:
    issued = links.issue(made, by=compliance)
    kept = AccessPackage.objects.values().get()
    assert issued.code.encode() not in bytes(kept["code_hash"])
    page = client.get(issued.path)
    assert page.status_code == 200
    assert page.headers["Referrer-Policy"] == "same-origin"  # without any, a browser sends its form with Origin: null
    assert "no-store" in page.headers["Cache-Control"]
    answer = client.post(issued.path, {"code": f"{issued.code[:4]} {issued.code[4:]}"})
    body = b"".join(answer)
    assert zipfile.ZipFile(io.BytesIO(body)).testzip() is None
    assert client.get(issued.path).status_code == 404
    assert client.post(issued.path, {"code": issued.code}).status_code == 404
    assert AuditEvent.objects.filter(action="package.fetch").count() == 1
    with pytest.raises(StopIteration):
        next(iter(links.fetch(issued.path.split("/")[-2], issued.code) or ()))


def test_five_wrong_codes_and_the_link_is_dead(made: AccessPackage, compliance: User, client: Client) -> None:
    issued = links.issue(made, by=compliance)
    wrong = f"{(int(issued.code) + 1) % 10**8:08}"
    answers = [client.post(issued.path, {"code": wrong}).status_code for _try in range(5)]
    assert answers == [422, 422, 422, 422, 404]
    assert client.post(issued.path, {"code": issued.code}).status_code == 404


def test_a_thousand_guesses_open_nothing(made: AccessPackage, compliance: User) -> None:
    """The first five are wrong, and from then on the right code is as well."""
    issued = links.issue(made, by=compliance)
    token = issued.path.rstrip("/").rpartition("/")[2]
    opened_by = 0
    for guess in range(1_000):
        try:
            opened_by += links.fetch(token, f"{(int(issued.code) + 1 + guess) % 10**8:08}") is not None
        except links.WrongCode:
            continue
    assert links.fetch(token, issued.code) is None
    assert opened_by == 0


def test_a_forged_an_old_and_an_expired_link_look_the_same(
    made: AccessPackage, compliance: User, client: Client
) -> None:
    old = links.issue(made, by=compliance)
    new = links.issue(made, by=compliance)
    forged = client.get("/privacy/copy/forged/")
    assert forged.status_code == 404
    assert client.get(old.path).content == forged.content or client.get(old.path).status_code == 404
    assert client.get(new.path).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=links.LINK_DAYS, minutes=1)):
        assert client.get(new.path).status_code == 404
        assert client.post(new.path, {"code": new.code}).status_code == 404


def test_an_address_that_tries_too_often_waits(client: Client) -> None:
    cache.clear()
    FailedLogins.objects.all().delete()
    codes = [client.get(f"/privacy/copy/guess{number}/").status_code for number in range(31)]
    assert codes == [404] * 30 + [429]


def test_a_new_link_needs_a_file(made: AccessPackage, compliance: User) -> None:
    package.remove(made, because=AccessPackage.Removal.ASKED, by=compliance)
    with pytest.raises(ConflictProblem):
        links.issue(made, by=compliance)


# --- the end of it --------------------------------------------------------------------------------------------------


def test_the_file_goes_with_its_time(
    made: AccessPackage, compliance: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    issued = links.issue(made, by=compliance)
    place = store.folder(making.ROOM) / f"{made.stored_as}.sealed"
    assert place.exists()
    assert "อารีย์".encode() not in place.read_bytes()
    assert making.remove_expired() == 0
    with (
        time_machine.travel(timezone.now() + timedelta(days=settings.PACKAGE_DAYS, minutes=1)),
        django_capture_on_commit_callbacks(execute=True),
    ):
        assert making.remove_expired() == 1
    assert not place.exists()
    made.refresh_from_db()
    assert (made.subject, made.stored_as, made.removed_because) == (None, "", "expired")
    assert links.find(issued.path.rstrip("/").rpartition("/")[2]) is None


def test_the_file_goes_with_the_person(
    made: AccessPackage, person: Profile, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    place = store.folder(making.ROOM) / f"{made.stored_as}.sealed"
    subject = subjects.find(person.public_id)
    assert subject is not None
    holder = next(one for one in holders() if one.name == "consent.packages")
    assert holder.preview(subject).anonymised == {"consent.AccessPackage": 1}
    with django_capture_on_commit_callbacks(execute=True):
        holder.erase(subject)
    assert not place.exists()
    assert holder.locate(subject) == {"consent.AccessPackage": 0}


def test_strays_go_after_a_day(done: DataSubjectRequest) -> None:
    with store.Writer(making.ROOM) as writer:
        writer.write(b"left by a killed job")
        stray = writer.finish()
    assert making.remove_strays() == 0
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        assert making.remove_strays() >= 1
    assert not (store.folder(making.ROOM) / f"{stray.name}.sealed").exists()


# --- its page -------------------------------------------------------------------------------------------------------


def test_compliance_makes_a_link_that_is_shown_once(
    done: DataSubjectRequest, made: AccessPackage, login: Callable[[User], Client], compliance: User
) -> None:
    desk = login(compliance)
    desk.cookies["django_language"] = "en"
    path = f"/requests/{done.pk}/package/"
    assert "None yet" in desk.get(path).content.decode()
    answer = desk.post(f"{path}link/")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "/privacy/copy/" in answer.content.decode()
    assert "/privacy/copy/" not in desk.get(path).content.decode()
    assert "Works until" in desk.get(path).content.decode()
    assert desk.post(f"{path}remove/").status_code == 302
    assert "compliance removed it" in desk.get(path).content.decode()


def test_the_link_is_sent_without_the_code(
    done: DataSubjectRequest, made: AccessPackage, login: Callable[[User], Client], compliance: User
) -> None:
    desk = login(compliance)
    path = f"/requests/{done.pk}/package/"
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        Identifier.objects.update(valid_from=timezone.now() - timedelta(days=400))
        SourceRecord.objects.update(received_at=timezone.now() - timedelta(days=400))
        way = identity.ways(done)[0]
        page = desk.post(f"{path}link/", {"to": way.identifier}).content.decode()
    code = re.search(r'<dd class="mono">(\d{8})</dd>', page)
    assert code is not None
    sent = OutgoingMessage.objects.get()
    told = hashing.unseal(bytes(sent.content or b"")).decode()
    assert "/privacy/copy/" in told
    assert code[1] not in told


def test_an_erasure_has_no_copy(person: Profile, compliance: User, login: Callable[[User], Client]) -> None:
    asked = ask(person, compliance)
    assert login(compliance).get(f"/requests/{asked.pk}/package/").status_code == 404


@pytest.mark.parametrize("role", ["agent", "marketer", "steward", "analyst", "admin"])
def test_others_see_nothing_of_it(
    done: DataSubjectRequest, made: AccessPackage, login: Callable[[User], Client], make_user: Any, role: str
) -> None:
    desk = login(make_user(role))
    path = f"/requests/{done.pk}/package/"
    assert desk.get(path).status_code == 404
    assert {desk.post(f"{path}{act}/").status_code for act in ("link", "remove")} == {404}
