"""Intake, approval by a second person, refusal."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.models import OrmQ
from pytest_django import DjangoCaptureOnCommitCallbacks

from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import AuditEvent, User
from consent import requests
from consent.models import DataSubjectRequest
from profiles.models import Profile
from tests.factories.consent import ask
from tests.factories.people import make_person, merge

pytestmark = pytest.mark.django_db
Status = DataSubjectRequest.Status


def test_the_clock_runs_ninety_days_from_the_asking(person: Profile, compliance: User) -> None:
    asked_at = timezone.now() - timedelta(days=3)
    request = ask(person, compliance, received_at=asked_at)
    assert request.due_at - asked_at == timedelta(days=90)
    assert AuditEvent.objects.filter(action="request.receive", target_id=str(request.pk)).exists()


def test_nothing_is_received_from_the_future(person: Profile, compliance: User) -> None:
    with pytest.raises(MendableError) as problem:
        ask(person, compliance, received_at=timezone.now() + timedelta(hours=1))
    assert problem.value.field == "received_at"


def test_one_open_request_a_person_even_under_a_merged_id(person: Profile, compliance: User) -> None:
    other = make_person()
    ask(person, compliance)
    merge(other, person)
    with pytest.raises(ConflictProblem):
        ask(other, compliance)
    with pytest.raises(IntegrityError, match="request_open_once"), transaction.atomic():
        DataSubjectRequest.objects.create(
            subject=person.public_id, received_at=timezone.now(), due_at=timezone.now(), requested_by=compliance
        )


def test_two_who_ask_at_once_get_one_request(
    person: Profile, compliance: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(person, compliance)
    monkeypatch.setattr("consent.querysets.DataSubjectRequestQuerySet.open", lambda self: self.none())
    with pytest.raises(ConflictProblem):
        ask(person, compliance)


def test_approval_by_the_same_person_is_refused_by_the_code_and_by_the_database(
    person: Profile, compliance: User
) -> None:
    request = ask(person, compliance)
    with pytest.raises(ConflictProblem) as problem:
        requests.approve(request_id=request.pk, by=compliance)
    assert problem.value.code == "same_person"
    with pytest.raises(IntegrityError, match="request_approved_by_another"), transaction.atomic():
        DataSubjectRequest.objects.filter(pk=request.pk).update(approved_by=compliance)


def test_approval_starts_the_job(
    person: Profile,
    compliance: User,
    colleague: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    request = ask(person, compliance)
    with django_capture_on_commit_callbacks(execute=True):
        requests.approve(request_id=request.pk, by=colleague)
    [job] = [row.task for row in OrmQ.objects.all()]
    assert (job["func"], job["args"]) == ("consent.jobs.run_erasure", (str(request.pk),))
    with pytest.raises(ConflictProblem):
        requests.approve(request_id=request.pk, by=colleague)


@pytest.mark.parametrize(("reason", "status"), [("legal_claim", Status.REFUSED), ("withdrawn", Status.CANCELLED)])
def test_a_refusal_keeps_its_ground(person: Profile, compliance: User, reason: str, status: str) -> None:
    request = requests.refuse(request_id=ask(person, compliance).pk, reason=reason, by=compliance)
    assert (request.status, request.refusal_reason) == (status, reason)
    ask(person, compliance)  # a new one may be made
