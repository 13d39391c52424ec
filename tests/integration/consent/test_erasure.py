"""An erasure from approval to certificate: in steps, again after a kill, never half and called whole."""

import signal
from collections.abc import Callable, Mapping
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from cdp_site.core import personal_data
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AccessLogEntry, AuditEvent, User
from cdp_site.core.personal_data import BaseHolder, Outcome, Subject
from consent import erasure, requests, subjects
from consent.models import ConsentEntry, DataSubjectRequest, ErasureStep
from ingestion.models import SuppressedIdentifier
from profiles.models import Identifier, Profile, SourceRecord
from tests import processes
from tests.factories.consent import ask
from tests.factories.people import hold, make_person, make_record, make_source, merge, records_of

pytestmark = pytest.mark.django_db
Status = DataSubjectRequest.Status
NOBODY = UUID(int=1)


class Stubborn(BaseHolder):
    """A store that fails as often as it is told to."""

    name = "segments.stubborn"

    def __init__(self, failures: int = 1, error: type[Exception] = RuntimeError) -> None:
        self.failures, self.error, self.calls = failures, error, 0

    def erase(self, subject: Subject) -> Outcome:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error("สมชาย ใจดี a@shop.test")
        return Outcome(erased={"x.Book": 2})


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseHolder], BaseHolder]:
    """Puts one more holder before all others."""
    monkeypatch.setattr(personal_data, "_holders", personal_data._holders.copy())

    def put(holder: BaseHolder) -> BaseHolder:
        personal_data.register_holder(holder, order=1)
        return holder

    return put


# --- step 0 ---------------------------------------------------------------------------------------------------------


def test_the_person_is_everybody_in_the_component(person: Profile) -> None:
    other = make_person()
    merge(person, other)
    subject = subjects.find(other.public_id)
    assert subject == subjects.find(person.public_id)
    assert subject is not None
    assert set(subject.record_ids) == {record.pk for record in records_of(person)}
    assert len(subject.profile_ids) == len(subject.public_ids) == 3
    assert other.public_id in subject.public_ids
    assert subjects.unseal(subjects.seal(subject)) == subject


def test_nobody_is_found_under_an_id_that_does_not_exist() -> None:
    assert subjects.find(NOBODY) is None
    assert erasure.preview(NOBODY) == []


def test_what_keeps_the_person_out(person: Profile, bystander: Profile) -> None:
    record = records_of(person)[0]
    hold(record, "email", "noemail@shop.test", problem="junk")
    hold(record, "phone", "08****78", problem="masked")
    hold(record, "email", "typed@shop.test", problem="public_key")
    hold(record, "member", "M-1")
    agents = make_record(make_source("cdp"), profile=person, kind=SourceRecord.Kind.AGENT)
    subject = subjects.find(person.public_id)
    assert subject is not None
    found = {(one.kind, one.value): one.is_shared for one in subjects.erased_identifiers(subject)}
    assert found == {
        ("email", "aree0@shop.test"): False,
        ("email", "aree1@shop.test"): False,
        ("email", "typed@shop.test"): True,
        ("phone", "+66812345678"): True,  # the bystander has it too
        ("member", "M-1"): False,
        **{("record", one.external_id): False for one in records_of(person) if one != agents},
    }
    assert subjects.names(subject) == {"อารีย์ ใจดี", "สมชาย ใจดี"}


# --- the run --------------------------------------------------------------------------------------------------------


def test_all_of_the_person_goes_and_nobody_else(
    approved: DataSubjectRequest, person: Profile, bystander: Profile
) -> None:
    records = [record.pk for record in records_of(person)]
    erasure.run(approved.pk)
    approved.refresh_from_db()
    assert approved.status == Status.COMPLETED, list(approved.steps.values("holder", "problem"))
    assert (approved.subject, approved.note, approved.work, approved.lease_until) == (None, "", None, None)
    assert not Profile.objects.filter(pk=person.pk).exists()
    assert not SourceRecord.objects.filter(pk__in=records).exists()
    assert not ConsentEntry.objects.filter(record__in=records).exists()
    assert not Identifier.objects.filter(record__in=records).exists()
    assert not AccessLogEntry.objects.exists()
    bystander.refresh_from_db()
    assert (bystander.state, ConsentEntry.objects.count()) == ("live", 1)
    assert SuppressedIdentifier.objects.filter(request_id=approved.pk).exists()
    assert [event.action for event in AuditEvent.objects.filter(target_id=str(approved.pk)).order_by("pk")] == [
        "request.receive",
        "request.approve",
        "suppression.add",
        "request.start",
        "request.complete",
    ]


def test_a_second_job_changes_nothing(approved: DataSubjectRequest) -> None:
    erasure.run(approved.pk)
    before = AuditEvent.objects.count()
    erasure.run(approved.pk)
    assert AuditEvent.objects.count() == before


def test_two_jobs_do_not_run_one_request(approved: DataSubjectRequest) -> None:
    DataSubjectRequest.objects.update(lease_until=timezone.now() + timedelta(minutes=5))
    erasure.run(approved.pk)
    assert not approved.steps.exists()


def test_from_step_zero_on_the_person_is_invisible(
    approved: DataSubjectRequest, person: Profile, compliance: User, shelf: Callable[[BaseHolder], BaseHolder]
) -> None:
    class Witness(BaseHolder):
        name = "segments.witness"

        def erase(self, subject: Subject) -> Outcome:
            assert not Profile.objects.visible_to(compliance).exists()
            assert set(Profile.objects.values_list("state", flat=True)) == {"erasing"}
            assert SuppressedIdentifier.objects.exists()
            return Outcome()

    shelf(Witness())
    erasure.run(approved.pk)
    assert DataSubjectRequest.objects.get().status == Status.COMPLETED


def test_a_failing_store_leaves_it_partial_and_says_why_without_values(
    approved: DataSubjectRequest, person: Profile, shelf: Callable[[BaseHolder], BaseHolder]
) -> None:
    shelf(Stubborn())
    erasure.run(approved.pk)
    approved.refresh_from_db()
    failed = approved.steps.get(status=ErasureStep.Status.FAILED)
    assert (approved.status, approved.completed_at, approved.certificate) == (Status.PARTIAL, None, None)
    assert (failed.holder, failed.problem, failed.attempts) == ("segments.stubborn", "RuntimeError", 1)
    assert not Profile.objects.filter(pk=person.pk).exists()  # what can go, goes
    assert approved.subject is not None
    assert approved.lease_until is not None


def test_a_failed_step_is_tried_again_and_the_others_are_not(
    approved: DataSubjectRequest, compliance: User, shelf: Callable[[BaseHolder], BaseHolder]
) -> None:
    stubborn = shelf(Stubborn())
    erasure.run(approved.pk)
    erasure.run(approved.pk)  # too early: it has a pause
    assert DataSubjectRequest.objects.get().status == Status.PARTIAL
    requests.retry(request_id=approved.pk, by=compliance)
    erasure.run(approved.pk)
    approved.refresh_from_db()
    assert approved.status == Status.COMPLETED
    assert isinstance(stubborn, Stubborn)
    assert stubborn.calls == 2
    assert set(approved.steps.exclude(holder=stubborn.name).values_list("attempts", flat=True)) == {1}
    with pytest.raises(ConflictProblem):
        requests.retry(request_id=approved.pk, by=compliance)


def test_a_database_error_is_told_by_its_state(
    approved: DataSubjectRequest, shelf: Callable[[BaseHolder], BaseHolder]
) -> None:
    class Broken(BaseHolder):
        name = "segments.broken"

        def erase(self, subject: Subject) -> Outcome:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 'a@shop.test'::int")
            return Outcome()

    shelf(Broken())
    erasure.run(approved.pk)
    assert approved.steps.get(holder="segments.broken").problem == "DataError 22P02"


def test_rows_that_are_left_are_never_called_completed(
    approved: DataSubjectRequest, shelf: Callable[[BaseHolder], BaseHolder]
) -> None:
    class Forgetful(BaseHolder):
        name = "segments.forgetful"
        left = 3

        def locate(self, subject: Subject) -> Mapping[str, int]:
            return {"x.Book": self.left}

        def erase(self, subject: Subject) -> Outcome:
            self.left -= 2
            return Outcome(erased={"x.Book": 2})

    holder = shelf(Forgetful())
    erasure.run(approved.pk)
    step = approved.steps.get(holder=holder.name)
    assert (step.status, step.problem) == (ErasureStep.Status.FAILED, erasure.ROWS_LEFT)
    Forgetful.left = 2
    holder.left = 2  # type: ignore[attr-defined]
    DataSubjectRequest.objects.update(lease_until=None)
    erasure.run(approved.pk)
    step.refresh_from_db()
    assert (step.status, step.outcome["erased"]) == (ErasureStep.Status.DONE, {"x.Book": 4})
    assert DataSubjectRequest.objects.get().status == Status.COMPLETED


def test_a_store_that_an_upgrade_brought_gets_its_step(
    approved: DataSubjectRequest, shelf: Callable[[BaseHolder], BaseHolder]
) -> None:
    shelf(Stubborn())
    erasure.run(approved.pk)

    class Late(BaseHolder):
        name = "segments.late"

    shelf(Late())
    DataSubjectRequest.objects.update(lease_until=None)
    erasure.run(approved.pk)
    assert approved.steps.get(holder="segments.late").status == ErasureStep.Status.DONE


def test_a_store_that_is_gone_is_told(approved: DataSubjectRequest) -> None:
    ErasureStep.objects.create(request=approved, ordinal=99, holder="loyalty.points")
    erasure.run(approved.pk)
    assert approved.steps.get(holder="loyalty.points").problem == erasure.NO_HOLDER
    assert DataSubjectRequest.objects.get().status == Status.PARTIAL


def test_the_pause_before_the_next_try_grows_to_a_day(
    approved: DataSubjectRequest, shelf: Callable[[BaseHolder], BaseHolder]
) -> None:
    shelf(Stubborn(failures=100))
    pauses = []
    for attempt in range(13):
        with time_machine.travel(timezone.now() + timedelta(days=2 * attempt), tick=False):
            erasure.run(approved.pk)
            lease = DataSubjectRequest.objects.get().lease_until
            assert lease is not None
            pauses.append(lease - timezone.now())
    assert pauses[:3] == [timedelta(minutes=2), timedelta(minutes=4), timedelta(minutes=8)]
    assert pauses[-1] == timedelta(days=1)


def test_the_clock_takes_up_what_was_left(
    approved: DataSubjectRequest, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert erasure.resume() == 1  # approved, and its job lost
    DataSubjectRequest.objects.update(status=Status.RUNNING, lease_until=timezone.now() + timedelta(minutes=1))
    assert erasure.resume() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert erasure.resume() == 1
    DataSubjectRequest.objects.update(status=Status.COMPLETED)
    assert erasure.resume() == 0


def test_requests_of_merged_profiles_are_done_together(person: Profile, compliance: User, colleague: User) -> None:
    other = make_person()
    first, second = ask(person, compliance), ask(other, compliance)
    merge(person, other)
    requests.approve(request_id=first.pk, by=colleague)
    erasure.run(first.pk)
    second.refresh_from_db()
    assert (second.status, second.refusal_reason, second.subject, second.note) == ("cancelled", "covered", None, "")


def test_the_requests_of_old_lose_the_person(person: Profile, compliance: User, colleague: User) -> None:
    old = requests.refuse(request_id=ask(person, compliance).pk, reason="unfounded", by=compliance)
    new = ask(person, compliance)
    requests.approve(request_id=new.pk, by=colleague)
    erasure.run(new.pk)
    old.refresh_from_db()
    assert (old.status, old.subject, old.note) == ("refused", None, "")


def test_who_is_gone_already_is_a_completed_request(person: Profile, compliance: User, colleague: User) -> None:
    request = ask(person, compliance)
    requests.approve(request_id=request.pk, by=colleague)
    DataSubjectRequest.objects.filter(pk=request.pk).update(subject=NOBODY)
    erasure.run(request.pk)
    request.refresh_from_db()
    assert request.status == Status.COMPLETED


def test_the_preview_says_what_will_happen_and_changes_nothing(person: Profile, bystander: Profile) -> None:
    before = (Profile.objects.count(), ConsentEntry.objects.count(), AuditEvent.objects.count())
    outcomes = {holder.name: outcome for holder, outcome in erasure.preview(person.public_id)}
    assert outcomes["consent.ledger"].erased["consent.ConsentEntry"] == 2
    assert outcomes["core.access_log"].erased == {"core.AccessLogEntry": 1}
    assert (Profile.objects.count(), ConsentEntry.objects.count(), AuditEvent.objects.count()) == before


# --- kill -9 --------------------------------------------------------------------------------------------------------

KILLED_IN_THE_MIDDLE = """
import uuid
from cdp_site.core import personal_data
from consent import erasure

class Killer(personal_data.BaseHolder):
    name = "segments.killer"
    def erase(self, subject):
        if sys.argv[2] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        return personal_data.Outcome()

# After consent's own, before the profiles'.
personal_data.register_holder(Killer(), order=250)
erasure.run(uuid.UUID(sys.argv[1]))
"""


@pytest.mark.django_db(transaction=True)
def test_a_killed_job_is_taken_up_where_it_stood(person: Profile, compliance: User, colleague: User) -> None:
    request = ask(person, compliance)
    requests.approve(request_id=request.pk, by=colleague)

    def work(how: str) -> int:
        return processes.run(KILLED_IN_THE_MIDDLE, str(request.pk), how)

    assert work("kill") == -signal.SIGKILL
    request.refresh_from_db()
    assert request.status == Status.RUNNING
    assert not ConsentEntry.objects.exists()
    assert Profile.objects.filter(pk=person.pk, state="erasing").exists()
    assert erasure.resume() == 0  # its lease still runs
    DataSubjectRequest.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert erasure.resume() == 1
    assert work("go on") == 0
    request.refresh_from_db()
    assert request.status == Status.COMPLETED
    assert not Profile.objects.filter(pk=person.pk).exists()
    assert request.steps.get(holder="segments.killer").attempts == 2


def test_without_a_running_step_nothing_is_deleted(person: Profile) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        ConsentEntry.objects.all().delete()
