"""All kinds of requests: their way through the states, what they bar, and what carrying them out does."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from cdp_site.core.access import Permission, may
from cdp_site.core.errors import ConflictProblem, InternalError, MendableError
from cdp_site.core.models import User
from consent import erasure, gate, requests
from consent.models import Channel, ConsentEntry, DataSubjectRequest, Purpose
from consent.reach_sql import reachable_sql
from consent.reasons import Reason
from consent.requests import carrying_out, deciding, delegates, intake, machine
from profiles.models import Profile
from tests.factories.consent import ask, marketing
from tests.factories.people import make_person, merge, records_of

pytestmark = pytest.mark.django_db
Status = DataSubjectRequest.Status
Kind = DataSubjectRequest.Kind

KINDS_THAT_BAR = [Kind.ERASURE, Kind.RESTRICTION, Kind.OBJECTION, Kind.WITHDRAWAL]


def reason_of(person: Profile, purpose: Purpose | None = None) -> Reason | None:
    """By the gate for one, for many, and as a set: they have to agree."""
    purpose = purpose or marketing()
    one = gate.may_use(person, purpose, Channel.EMAIL).reason
    many = gate.reach([person.pk], purpose=purpose, channel=Channel.EMAIL)
    with connection.cursor() as cursor:
        cursor.execute(reachable_sql(purpose.pk, Channel.EMAIL))
        reachable = person.pk in {row[0] for row in cursor.fetchall()}
    assert (many.people == 1) == (one is None) == reachable
    return one


@pytest.mark.parametrize("kind", KINDS_THAT_BAR)
def test_use_is_barred_from_the_first_moment_also_before_anybody_is_identified(
    person: Profile, compliance: User, kind: str
) -> None:
    assert reason_of(person) is None
    ask(person, compliance, kind=kind, identity_checked="")
    assert reason_of(person) == (Reason.ERASURE if kind == Kind.ERASURE else Reason.RESTRICTED)


@pytest.mark.parametrize("kind", [Kind.ACCESS, Kind.PORTABILITY])
def test_who_asks_for_a_copy_may_be_written_to_as_before(person: Profile, compliance: User, kind: str) -> None:
    ask(person, compliance, kind=kind)
    assert reason_of(person) is None


def test_a_request_about_one_purpose_bars_no_other(person: Profile, compliance: User) -> None:
    other = Purpose.objects.create(slug="news", name="News", basis=Purpose.Basis.LEGITIMATE_INTEREST)
    law = Purpose.objects.create(slug="tax", name="Tax", basis=Purpose.Basis.LEGAL_OBLIGATION)
    ask(person, compliance, kind=Kind.RESTRICTION, purposes=[other.pk])
    assert reason_of(person, other) is Reason.RESTRICTED
    assert reason_of(person) is None
    assert reason_of(person, law) is None


def test_a_bar_goes_with_the_person_through_a_merge(person: Profile, compliance: User) -> None:
    guest = make_person()
    ask(guest, compliance, kind=Kind.RESTRICTION)
    merge(guest, person)
    person.refresh_from_db()
    guest.refresh_from_db()
    assert reason_of(person.redirect_to or person) is Reason.RESTRICTED
    assert (person.redirect_to or person) == (guest.redirect_to or guest)


def test_a_restriction_holds_after_its_end_until_it_is_lifted(
    person: Profile, compliance: User, colleague: User
) -> None:
    asked = ask(person, compliance, kind=Kind.RESTRICTION)
    requests.approve(request_id=asked.pk, by=colleague)
    carrying_out.run(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, asked.outcome["restricted"][0] != "") == (Status.COMPLETED, True)
    requests.close(request_id=asked.pk, by=compliance)
    assert reason_of(person) is Reason.RESTRICTED
    requests.lift(request_id=asked.pk, by=colleague)
    assert reason_of(person) is None
    with pytest.raises(ConflictProblem):
        requests.lift(request_id=asked.pk, by=colleague)


def test_segments_hear_of_the_beginning_and_the_end_of_a_restriction(
    person: Profile, compliance: User, colleague: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[set[int]] = []
    monkeypatch.setattr(
        "segments.membership.receivers.tell", lambda touches: heard.extend(set(one.profile_ids) for one in touches)
    )
    asked = ask(person, compliance, kind=Kind.RESTRICTION)
    assert heard == [{person.pk}]
    requests.approve(request_id=asked.pk, by=colleague)
    carrying_out.run(asked.pk)
    heard.clear()
    requests.lift(request_id=asked.pk, by=colleague)
    assert heard == [{person.pk}]


def test_a_refused_request_bars_nothing_any_more(person: Profile, compliance: User) -> None:
    asked = ask(person, compliance, kind=Kind.OBJECTION)
    requests.refuse(request_id=asked.pk, reason="compelling", by=compliance, explanation="Fraud")
    assert reason_of(person) is None


@pytest.mark.parametrize("kind", [Kind.OBJECTION, Kind.WITHDRAWAL])
def test_denials_stand_in_the_ledger_when_it_is_done(
    person: Profile, compliance: User, colleague: User, kind: str
) -> None:
    asked = ask(person, compliance, kind=kind, purposes=[marketing().pk])
    if kind == Kind.OBJECTION:
        requests.approve(request_id=asked.pk, by=colleague)
    carrying_out.run(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, asked.outcome) == (Status.COMPLETED, {"denied": ["marketing"]})
    assert reason_of(person) in {Reason.WITHDRAWN, Reason.REFUSED}
    denied = ConsentEntry.objects.exclude(state="granted").filter(purpose=marketing())
    assert set(denied.values_list("channel", flat=True)) == set(Channel.values)


def test_a_withdrawal_needs_nobodys_approval_an_objection_does(person: Profile, compliance: User) -> None:
    assert ask(person, compliance, kind=Kind.WITHDRAWAL).status == Status.APPROVED
    assert ask(person, compliance, kind=Kind.OBJECTION).status == Status.RECEIVED
    unknown = ask(person, compliance, kind=Kind.RESTRICTION, identity_checked="")
    assert unknown.identified_at is None


def test_a_rectification_is_shown_and_the_sources_word_stays(
    person: Profile, compliance: User, colleague: User
) -> None:
    asked = ask(person, compliance, kind=Kind.RECTIFICATION, changes={"name": "อารีย์รัตน์ ใจดี"})
    assert "อารีย์รัตน์".encode() not in bytes(asked.changes or b"")
    requests.approve(request_id=asked.pk, by=colleague)
    carrying_out.run(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, asked.outcome, asked.changes) == (
        Status.COMPLETED,
        {"rectified": ["name"]},
        None,
    )
    stated = [record.attributes.get("name") for record in records_of(person)]
    assert {"อารีย์รัตน์ ใจดี", "อารีย์ ใจดี"} <= set(stated)


def test_what_cannot_be_put_right_is_partial_with_its_reason_and_tried_again(
    person: Profile, compliance: User, colleague: User
) -> None:
    asked = ask(person, compliance, kind=Kind.RECTIFICATION, changes={"member_id": "7"})
    requests.approve(request_id=asked.pk, by=colleague)
    carrying_out.run(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, asked.outcome) == (Status.PARTIAL, {"problem": "not_editable", "attempts": 1})
    assert asked.lease_until > timezone.now()
    carrying_out.run(asked.pk)  # not before its time
    asked.refresh_from_db()
    assert asked.outcome["attempts"] == 1
    requests.retry(request_id=asked.pk, by=compliance)
    carrying_out.run(asked.pk)
    asked.refresh_from_db()
    assert (asked.status, asked.outcome["attempts"]) == (Status.PARTIAL, 2)
    assert "Completed" not in asked.get_status_display()


def test_an_erasures_job_never_touches_another_kind(person: Profile, compliance: User, colleague: User) -> None:
    asked = ask(person, compliance, kind=Kind.RESTRICTION)
    requests.approve(request_id=asked.pk, by=colleague)
    erasure.run(asked.pk)
    assert erasure.resume() == 0
    person.refresh_from_db()
    asked.refresh_from_db()
    assert (person.state, asked.status) == (Profile.State.LIVE, Status.APPROVED)
    assert carrying_out.resume() == 1


def test_two_kinds_at_once_and_never_one_kind_twice(person: Profile, compliance: User) -> None:
    for kind in (Kind.ACCESS, Kind.RESTRICTION, Kind.ERASURE):
        ask(person, compliance, kind=kind)
        with pytest.raises(ConflictProblem):
            ask(person, compliance, kind=kind)
    with pytest.raises(IntegrityError, match="request_open_once"), transaction.atomic():
        DataSubjectRequest.objects.create(
            kind=Kind.ACCESS,
            status=Status.COOLING,
            subject=person.public_id,
            received_at=timezone.now(),
            due_at=timezone.now(),
        )


# --- deciding -------------------------------------------------------------------------------------------------------


def test_nothing_is_approved_for_somebody_who_is_not_identified_or_not_found(
    person: Profile, compliance: User, colleague: User
) -> None:
    asked = ask(person, compliance, kind=Kind.ACCESS, identity_checked="")
    with pytest.raises(ConflictProblem) as problem:
        requests.approve(request_id=asked.pk, by=colleague)
    assert problem.value.code == "not_identified"
    nobody = intake.receive(
        profile=None, received_at=timezone.now(), identity_checked="postal", note="", by=compliance, kind=Kind.ACCESS
    )
    with pytest.raises(ConflictProblem) as problem:
        requests.approve(request_id=nobody.pk, by=colleague)
    assert problem.value.code == "nobody"


def test_the_cooling_off_keeps_an_erasure_waiting_and_lets_it_be_taken_back(
    person: Profile, bystander: Profile, compliance: User, colleague: User, settings: object
) -> None:
    settings.REQUEST_COOLING_OFF_HOURS = 24  # type: ignore[attr-defined]
    asked = requests.approve(request_id=ask(person, compliance).pk, by=colleague)
    assert asked.status == Status.COOLING
    assert deciding.end_cooling_off() == 0
    assert reason_of(person) is Reason.ERASURE
    back = requests.refuse(request_id=asked.pk, reason="withdrawn", by=compliance)
    assert back.status == Status.CANCELLED
    assert reason_of(person) is None
    other = requests.approve(request_id=ask(bystander, compliance).pk, by=colleague)
    with pytest.raises(ConflictProblem):
        requests.refuse(request_id=other.pk, reason="unfounded", by=compliance)
    DataSubjectRequest.objects.filter(pk=other.pk).update(runs_at=timezone.now() - timedelta(seconds=1))
    assert deciding.end_cooling_off() == 1
    other.refresh_from_db()
    assert other.status == Status.APPROVED


def test_steps_that_do_not_exist_are_not_taken(person: Profile, compliance: User) -> None:
    asked = ask(person, compliance)
    with pytest.raises(InternalError):
        machine.move(asked, Status.CLOSED)
    assert all(set(to) <= set(Status.values) for to in machine.MOVES.values())
    assert machine.MOVES.keys() == set(Status.values)
    assert Status.COMPLETED not in machine.MOVES[Status.PARTIAL], "partial is never shown as completed"
    with pytest.raises(ConflictProblem):
        requests.close(request_id=asked.pk, by=compliance)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"identity_checked": "representative"}, "proof_seen"),
        ({"kind": Kind.RECTIFICATION}, "changes"),
        ({"kind": Kind.ACCESS, "changes": {"first_name": "x"}}, "changes"),
        ({"kind": Kind.ACCESS, "purposes": [1]}, "purposes"),
        ({"kind": Kind.OBJECTION, "purposes": [10**9]}, "purposes"),
    ],
)
def test_what_does_not_fit_is_not_taken_in(
    person: Profile, compliance: User, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(MendableError) as problem:
        ask(person, compliance, **fields)
    assert problem.value.field == field
    assert not DataSubjectRequest.objects.exists()


def test_a_representative_shows_an_authority(person: Profile, compliance: User) -> None:
    asked = ask(person, compliance, identity_checked="representative", proof_seen="power of attorney of 3 May")
    requests.refuse(request_id=asked.pk, reason="unfounded", by=compliance)
    requests.close(request_id=asked.pk, by=compliance)
    asked.refresh_from_db()
    assert (asked.status, asked.proof_seen, asked.note) == (Status.CLOSED, "", "")


# --- delegates ------------------------------------------------------------------------------------------------------


def test_a_company_with_one_officer_works_by_a_delegate(
    person: Profile, compliance: User, make_user: Callable[..., User], marketer: User
) -> None:
    asked = ask(person, compliance)
    today = timezone.localdate()
    assert not may(marketer, Permission.APPROVE_REQUESTS)
    delegates.appoint(user=marketer, since=today, until=today + timedelta(days=7), by=compliance)
    assert may(marketer, Permission.APPROVE_REQUESTS)
    assert may(marketer, Permission.VIEW_REQUESTS)
    assert not may(marketer, Permission.MANAGE_REQUESTS)
    assert requests.approve(request_id=asked.pk, by=marketer).approved_by == marketer
    delegates.dismiss(user=marketer, by=compliance)
    assert not may(marketer, Permission.APPROVE_REQUESTS)


def test_a_delegates_days_begin_and_end(compliance: User, marketer: User) -> None:
    today = timezone.localdate()
    delegates.appoint(user=marketer, since=today + timedelta(days=1), until=today + timedelta(days=2), by=compliance)
    assert not may(marketer, Permission.APPROVE_REQUESTS)
    marketer.decides_from, marketer.decides_until = today - timedelta(days=3), today - timedelta(days=1)
    assert not may(marketer, Permission.APPROVE_REQUESTS)
    for until in (today - timedelta(days=1), today + timedelta(days=400)):
        with pytest.raises(MendableError):
            delegates.appoint(user=marketer, since=today, until=until, by=compliance)


def test_nobody_of_the_own_department_is_a_delegate(
    compliance: User, make_user: Callable[..., User], colleague: User
) -> None:
    near = make_user("agent", compliance.department, "near")
    for user in (near, colleague):
        with pytest.raises(MendableError):
            delegates.appoint(user=user, since=timezone.localdate(), until=timezone.localdate(), by=compliance)
