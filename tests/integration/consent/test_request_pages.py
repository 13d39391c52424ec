"""The pages of requests: queue, intake, preview, approval, progress, certificate."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.translation import override
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from cdp_site.core.models import AccessLogEntry, User
from consent import case, certificate, erasure, requests
from consent.models import DataSubjectRequest, ErasureStep, Purpose
from consent.requests import carrying_out
from profiles.models import Profile
from tests.factories.consent import ask

pytestmark = pytest.mark.django_db
Status = DataSubjectRequest.Status


@pytest.fixture
def desk(login: Callable[[User], Client], compliance: User) -> Client:
    return english(login(compliance))


@pytest.fixture
def other_desk(login: Callable[[User], Client], colleague: User) -> Client:
    return english(login(colleague))


def english(client: Client) -> Client:
    client.cookies["django_language"] = "en"
    return client


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


# --- the queue ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "text", "kind"),
    [
        (timedelta(days=60), "60 days left", ""),
        (timedelta(days=7, minutes=-1), "7 days left", "warn"),
        (timedelta(days=7, minutes=1), "8 days left", ""),
        (timedelta(hours=30), "2 days left", "danger"),
        (timedelta(minutes=1), "1 day left", "danger"),
        (timedelta(0), "0 days left", "danger"),
        (-timedelta(minutes=1), "1 day overdue", "danger"),
        (-timedelta(days=3, minutes=1), "4 days overdue", "danger"),
    ],
)
def test_a_deadline_in_words_and_colour(left: timedelta, text: str, kind: str) -> None:
    now = timezone.now()
    with override("en"):
        deadline = case.deadline(now + left, now)
    assert (deadline.text, deadline.kind) == (text, kind)


def test_the_most_urgent_comes_first_and_ended_ones_are_apart(
    desk: Client, person: Profile, bystander: Profile, compliance: User
) -> None:
    late = ask(person, compliance, received_at=timezone.now() - timedelta(days=85))
    fresh = ask(bystander, compliance)
    page = text_of(desk.get("/requests/"))
    assert page.index(late.reference) < page.index(fresh.reference)
    assert "5 days left" in page
    requests.refuse(request_id=late.pk, reason="legal_claim", by=compliance)
    assert late.reference not in text_of(desk.get("/requests/"))
    ended = text_of(desk.get("/requests/?show=ended"))
    assert late.reference in ended
    assert "Needed for a legal claim" in ended
    assert fresh.reference in text_of(desk.get("/requests/due/"))


def test_an_empty_queue_says_what_to_do(desk: Client) -> None:
    assert "No open requests" in text_of(desk.get("/requests/"))
    assert "No open requests" in text_of(desk.get("/requests/due/"))
    assert "No request has ended yet" in text_of(desk.get("/requests/?show=ended"))


def test_the_queue_costs_the_same_for_ten(
    desk: Client, compliance: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        DataSubjectRequest.objects.create(
            received_at=timezone.now(), due_at=timezone.now() + timedelta(days=number), requested_by=compliance
        )
    with django_assert_max_num_queries(8):
        desk.get("/requests/")


@pytest.mark.parametrize("role", ["agent", "marketer", "steward", "analyst", "admin", ""])
def test_others_do_not_know_that_there_are_requests(
    login: Callable[[User], Client],
    make_user: Callable[..., User],
    person: Profile,
    compliance: User,
    role: str,
) -> None:
    asked = ask(person, compliance)
    client = login(make_user(role))
    root = f"/requests/{asked.pk}/"
    pages = ["/requests/", "/requests/due/", "/requests/new/", root, f"{root}certificate/"]
    assert {client.get(path).status_code for path in pages} == {404}
    acts = ["/requests/new/", "/requests/new/find/", f"{root}approve/", f"{root}refuse/", f"{root}retry/"]
    assert {client.post(path).status_code for path in acts} == {404}
    asked.refresh_from_db()
    assert asked.status == Status.RECEIVED


# --- the intake -----------------------------------------------------------------------------------------------------


def test_a_request_is_taken_in_from_the_customer_to_its_page(desk: Client, person: Profile) -> None:
    assert "Which customer" in text_of(desk.get("/requests/new/"))
    page = text_of(desk.get(f"/requests/new/?profile={person.public_id}"))
    assert 'name="received_at"' in page
    data = {
        "profile": person.public_id,
        "kind": "erasure",
        "regime": "pdpa",
        "received_at": (timezone.localtime() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"),
        "identity_checked": "known_channel",
        "note": "ขอให้ลบข้อมูล",
    }
    answer = desk.post("/requests/new/", data)
    asked = DataSubjectRequest.objects.get()
    assert answer.headers["Location"] == f"/requests/{asked.pk}/"
    assert (asked.subject, asked.identity_checked, asked.note) == (person.public_id, "known_channel", "ขอให้ลบข้อมูล")
    again = desk.post("/requests/new/", data)
    assert again.status_code == 422
    assert "already being worked on" in text_of(again)
    assert AccessLogEntry.objects.filter(what="request.intake").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "curiosity"},
        {"regime": "none"},
        {"received_at": ""},
        {"received_at": "2999-01-01T00:00"},
        {"identity_checked": "guessed"},
        {"note": "x" * 501},
    ],
)
def test_a_bad_intake_comes_back(desk: Client, person: Profile, wrong: dict[str, str]) -> None:
    data = {
        "profile": person.public_id,
        "kind": "erasure",
        "regime": "pdpa",
        "received_at": "2026-01-01T09:00",
        "identity_checked": "in_person",
        **wrong,
    }
    assert desk.post("/requests/new/", data).status_code == 422
    assert not DataSubjectRequest.objects.exists()


def test_a_customer_who_does_not_exist_is_404(desk: Client) -> None:
    assert desk.get("/requests/new/?profile=00000000-0000-7000-8000-000000000001").status_code == 404
    assert desk.get("/requests/new/?profile=nonsense").status_code == 200


# --- one request ----------------------------------------------------------------------------------------------------


def test_who_recorded_it_sees_the_preview_and_is_told_to_ask_a_colleague(
    desk: Client, other_desk: Client, person: Profile, compliance: User
) -> None:
    asked = ask(person, compliance)
    mine = text_of(desk.get(f"/requests/{asked.pk}/"))
    assert "a colleague must approve it" in mine
    assert "Consents given, refused and withdrawn" in mine
    assert "2 records of one person" in mine
    assert 'data-dialog="approve"' not in mine
    assert 'data-dialog="approve"' in text_of(other_desk.get(f"/requests/{asked.pk}/"))
    assert desk.post(f"/requests/{asked.pk}/approve/").status_code == 409
    asked.refresh_from_db()
    assert asked.status == Status.RECEIVED


def test_from_approval_to_certificate(
    other_desk: Client,
    person: Profile,
    compliance: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    asked = ask(person, compliance)
    path = f"/requests/{asked.pk}/"
    assert other_desk.get(f"{path}certificate/").status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        assert other_desk.post(f"{path}approve/").headers["Location"] == path
    assert 'hx-trigger="every 2s"' in text_of(other_desk.get(path))
    assert other_desk.post(f"{path}approve/").status_code == 409
    erasure.run(asked.pk)
    page = text_of(other_desk.get(path))
    assert "hx-trigger" not in page.split('id="progress"')[1].split("</section>")[0]
    assert "Completed" in page
    assert "Consents given, refused and withdrawn: erase 2" in page
    file = other_desk.get(f"{path}certificate/")
    assert file.headers["Content-Disposition"] == f'attachment; filename="erasure-{asked.reference}.json"'
    assert certificate.verify(json.loads(b"".join(file)))


def test_a_running_request_answers_with_its_progress_alone(other_desk: Client, approved: DataSubjectRequest) -> None:
    fragment = text_of(other_desk.get(f"/requests/{approved.pk}/", headers={"HX-Request": "true"}))
    assert fragment.lstrip().startswith("<section")
    assert "about to start" in fragment


def test_a_partial_one_is_shown_as_such_and_can_be_tried_again(
    other_desk: Client, approved: DataSubjectRequest
) -> None:
    DataSubjectRequest.objects.update(status=Status.PARTIAL, lease_until=timezone.now() + timedelta(hours=1))
    ErasureStep.objects.create(
        request=approved, ordinal=1, holder="profiles.records", status="failed", problem="rows_left", attempts=2
    )
    page = text_of(other_desk.get(f"/requests/{approved.pk}/"))
    assert "Not everything is erased yet." in page
    assert "Rows were left over" in page
    assert "2 tries" in page
    assert "Completed" not in page
    assert other_desk.post(f"/requests/{approved.pk}/retry/").status_code == 302
    approved.refresh_from_db()
    assert approved.lease_until is None


def test_a_refusal_needs_a_reason(desk: Client, person: Profile, compliance: User) -> None:
    asked = ask(person, compliance)
    assert desk.post(f"/requests/{asked.pk}/refuse/", {}).status_code == 422
    assert desk.post(f"/requests/{asked.pk}/refuse/", {"reason": "covered"}).status_code == 422
    assert desk.post(f"/requests/{asked.pk}/refuse/", {"reason": "not_identified"}).status_code == 302
    page = text_of(desk.get(f"/requests/{asked.pk}/"))
    assert "The person could not be identified" in page
    assert "Nothing was erased" in page


def test_the_page_of_a_request_costs_few_queries(
    desk: Client, person: Profile, compliance: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    asked = ask(person, compliance)
    desk.get(f"/requests/{asked.pk}/")
    with django_assert_max_num_queries(95):  # every holder counts its tables once
        desk.get(f"/requests/{asked.pk}/")


def test_in_thai_too(login: Callable[[User], Client], compliance: User, person: Profile) -> None:
    asked = ask(person, compliance)
    client = login(compliance)
    for path in ("/requests/", "/requests/new/", f"/requests/{asked.pk}/"):
        assert client.get(path).status_code == 200


# --- the other kinds, letters, delegates ----------------------------------------------------------------------------


def test_an_objection_is_taken_in_with_its_purposes_and_law(desk: Client, person: Profile) -> None:
    purpose = Purpose.objects.get(slug="marketing")
    data = {
        "profile": person.public_id,
        "kind": "objection",
        "regime": "gdpr",
        "received_at": (timezone.localtime() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M"),
        "identity_checked": "later",
        "purposes": [purpose.pk],
    }
    assert desk.post("/requests/new/", data).status_code == 302
    asked = DataSubjectRequest.objects.get()
    assert (asked.kind, asked.regime, asked.purposes, asked.identity_checked) == (
        "objection",
        "gdpr",
        [purpose.pk],
        "",
    )
    page = text_of(desk.get(f"/requests/{asked.pk}/"))
    assert "GDPR (European Union), Art. 21" in page
    assert "Was it the person who asked?" in page
    assert desk.post(f"/requests/{asked.pk}/see/", {"identity_checked": "postal"}).status_code == 302
    assert desk.post(f"/requests/{asked.pk}/extend/", {"reason": "Seven archives"}).status_code == 302
    page = text_of(desk.get(f"/requests/{asked.pk}/"))
    assert "Seven archives" in page
    assert "Wrote by post" in page


@pytest.mark.parametrize("language", ["th", "en"])
def test_the_letter_of_a_refusal_is_a_paper_in_both_languages(
    desk: Client, person: Profile, compliance: User, language: str
) -> None:
    asked = ask(person, compliance)
    address = f"/requests/{asked.pk}/letter/{language}.pdf"
    assert desk.get(address).status_code == 404
    reason = {"reason": "legal_claim", "explanation": "คดีหมายเลข 7 / case 7"}
    assert desk.post(f"/requests/{asked.pk}/refuse/", reason).status_code == 302
    answer = desk.get(address)
    paper = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert (answer.headers["Content-Type"], paper[:5]) == ("application/pdf", b"%PDF-")
    assert desk.get(f"/requests/{asked.pk}/letter/de.pdf").status_code == 404
    assert f"/requests/{asked.pk}/letter/th.pdf" in text_of(desk.get(f"/requests/{asked.pk}/"))
    assert desk.post(f"/requests/{asked.pk}/close/").status_code == 302
    assert "Nothing remains to be done" in text_of(desk.get(f"/requests/{asked.pk}/"))
    assert desk.get(address).status_code == 200


def test_a_delegate_decides_and_sees_nothing_else_of_the_person(
    login: Callable[[User], Client], desk: Client, person: Profile, compliance: User, marketer: User
) -> None:
    asked = ask(person, compliance, kind="rectification", changes={"name": "ลับ มาก"}, note="SecretNote")
    assert "<strong>Name</strong>: ลับ มาก" in text_of(desk.get(f"/requests/{asked.pk}/"))
    client = english(login(marketer))
    assert client.get(f"/requests/{asked.pk}/").status_code == 404
    today = timezone.localdate().isoformat()
    data = {"user": marketer.pk, "since": today, "until": today}
    assert "Nobody is appointed" in text_of(desk.get("/requests/delegates/"))
    assert desk.post("/requests/delegates/", data | {"until": "2001-01-01"}).status_code == 422
    assert desk.post("/requests/delegates/", data).status_code == 302
    page = text_of(client.get(f"/requests/{asked.pk}/"))
    assert "SecretNote" not in page
    assert "ลับ" not in page
    assert client.get("/requests/new/").status_code == 404
    assert client.post(f"/requests/{asked.pk}/refuse/", {"reason": "unfounded"}).status_code == 404
    assert client.post(f"/requests/{asked.pk}/approve/").status_code == 302
    assert desk.post(f"/requests/delegates/{marketer.pk}/dismiss/").status_code == 302
    assert client.get("/requests/").status_code == 404


def test_a_restriction_is_lifted_from_its_page(
    desk: Client, other_desk: Client, person: Profile, compliance: User
) -> None:
    asked = ask(person, compliance, kind="restriction")
    assert other_desk.post(f"/requests/{asked.pk}/approve/").status_code == 302
    carrying_out.run(asked.pk)
    assert "Use restricted" in text_of(desk.get(f"/customers/{person.public_id}/consent/chips/"))
    assert "asked us not to use" in text_of(desk.get(f"/customers/{person.public_id}/consent/"))
    assert "The restriction is in force" in text_of(desk.get(f"/requests/{asked.pk}/"))
    assert desk.post(f"/requests/{asked.pk}/lift/").status_code == 302
    assert "Restriction lifted" in text_of(desk.get(f"/requests/{asked.pk}/"))
