"""Working on cases: open, note, take, hand over, close, reopen. Each is a step of the case's history and an audit row;
what others should see of it, is a touchpoint on the customer's timeline, too.

A case sits on the agent record that is tied to the customer's anchor, as notes do: it goes with the person through
merge and unmerge. Whoever writes names the last step that they saw: nobody answers to what a colleague has
just changed.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.access import Permission, may
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import Department, User
from profiles import notes, touchpoints
from profiles.models import Case, CaseNote, Profile
from profiles.resolution import pipeline

Act, Disposition = CaseNote.Act, CaseNote.Disposition
LONGEST = 4000  # CaseNote.text

# What stands on the timeline, by the step that it tells of.
EVENTS = {
    Act.OPENED: "Case Opened",
    Act.HANDED_OVER: "Case Handed Over",
    Act.CLOSED: "Case Closed",
    Act.REOPENED: "Case Reopened",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody writes down with a step. `follow_up_on` None: nothing is promised any more."""

    text: str = ""
    disposition: str = ""
    follow_up_on: date | None = None


def may_work_on(case: Case, user: User) -> bool:
    """Whether the case is with the user's department, or with everybody. A department that handed it over reads on."""
    if not may(user, Permission.HANDLE_CASES):
        return False
    return may(user, Permission.SEE_ALL_DEPARTMENTS) or case.department_id in (None, user.department_id)


@transaction.atomic
def open_case(*, profile: Profile, subject: str, said: Said, by: User) -> Case:
    """A new case of the user and the user's department.

    Raises MendableError for a subject without words or a day that is over, ConflictProblem when the customer was
    merged.
    """
    subject = subject.strip()
    if not subject:
        raise MendableError(_("What does the customer wait for? A few words are enough."), field="subject")
    _check(said)
    pipeline.share_merge_lock()
    if not Profile.objects.live().filter(pk=profile.pk).exists():
        raise ConflictProblem(_("This customer has just been merged."), hint=_("Open the customer again."))
    case = Case.objects.create(
        record=notes.agent_record(profile, by=by),
        profile=profile,
        subject=subject,
        department=by.department,
        assignee=by,
        follow_up_on=said.follow_up_on,
    )
    _keep(case, Act.OPENED, said, by, fields=["subject"])
    return case


@transaction.atomic
def note(*, case: Case, said: Said, seen: UUID, by: User) -> Case:
    """Write down what happened. It needs words or a disposition.

    Raises MendableError for neither, ConflictProblem when it is closed, handed over or was written on since `seen`.
    """
    if not said.text.strip() and not said.disposition:
        raise MendableError(_("Write some words, or choose what came of it."), field="text")
    current = _locked(case, seen=seen, by=by)
    current.follow_up_on = said.follow_up_on
    current.save(update_fields=["follow_up_on"])
    _keep(current, Act.NOTED, said, by)
    return current


@transaction.atomic
def take(*, case: Case, seen: UUID, by: User) -> Case:
    """From now on it is the user's to follow up."""
    current = _locked(case, seen=seen, by=by)
    if current.assignee_id == by.pk:
        return current
    current.assignee = by
    current.save(update_fields=["assignee"])
    _keep(current, Act.TAKEN, Said(follow_up_on=current.follow_up_on), by, fields=["assignee"])
    return current


@transaction.atomic
def hand_over(*, case: Case, to: Department, said: Said, seen: UUID, by: User) -> Case:
    """It waits in another department for somebody to take it; this one reads its own part on."""
    current = _locked(case, seen=seen, by=by)
    if current.department_id == to.pk:
        raise MendableError(_("This department has the case already."), field="to")
    step = {"handed_to": to, "department": current.department}
    current.department, current.assignee, current.follow_up_on = to, None, said.follow_up_on
    current.save(update_fields=["department", "assignee", "follow_up_on"])
    _keep(current, Act.HANDED_OVER, said, by, fields=["department", "assignee"], **step)
    return current


@transaction.atomic
def close(*, case: Case, said: Said, seen: UUID, by: User) -> Case:
    """Nobody waits any more. Without a disposition it is solved."""
    current = _locked(case, seen=seen, by=by)
    current.status, current.closed_at, current.follow_up_on = Case.Status.CLOSED, timezone.now(), None
    current.save(update_fields=["status", "closed_at", "follow_up_on"])
    _keep(current, Act.CLOSED, Said(said.text, said.disposition or Disposition.SOLVED), by, fields=["status"])
    return current


@transaction.atomic
def reopen(*, case: Case, by: User) -> Case:
    """The customer waits again: the user's, with the department that closed it. An open case stays as it is."""
    pipeline.share_merge_lock()
    current = _lock(case)
    if current.is_open:
        return current
    _check_department(current, by)
    current.status, current.closed_at, current.assignee = Case.Status.OPEN, None, by
    current.save(update_fields=["status", "closed_at", "assignee"])
    _keep(current, Act.REOPENED, Said(), by, fields=["status", "assignee"])
    return current


def _locked(case: Case, *, seen: UUID, by: User) -> Case:
    """The case as it is now, held until the transaction ends, when it is open and stands as the writer saw it."""
    pipeline.share_merge_lock()  # before the row: a merge holds its lock while it moves cases
    current = _lock(case)
    _check_department(current, by)
    if not current.is_open:
        raise ConflictProblem(_("This case has been closed meanwhile."), hint=_("Reopen it if the customer waits."))
    if current.notes.latest_first().values_list("pk", flat=True).first() != seen:
        raise ConflictProblem(
            _("A colleague has just written on this case."), hint=_("Read it below, then send yours again.")
        )
    return current


def _lock(case: Case) -> Case:
    current: Case = Case.objects.select_for_update(of=("self",)).select_related("department").get(pk=case.pk)
    return current


def _check_department(case: Case, by: User) -> None:
    if not may_work_on(case, by):
        raise ConflictProblem(_("Another department has this case now."), hint=_("You can read on in your part of it."))


def _check(said: Said) -> None:
    if len(said.text) > LONGEST:
        raise MendableError(
            _("This note is too long."), field="text", hint=_("Keep it below %(n)d characters.") % {"n": LONGEST}
        )
    if said.follow_up_on is not None and said.follow_up_on < timezone.localdate():
        raise MendableError(_("This day is over. Choose today or a day to come."), field="follow_up_on")


def _keep(case: Case, act: str, said: Said, by: User, *, fields: list[str] | None = None, **step: Any) -> None:
    """The step in the case's history, in the audit and, where others should know, on the timeline."""
    _check(said)
    CaseNote.objects.create(
        case=case,
        act=act,
        author=by,
        disposition=said.disposition,
        text=said.text.strip(),
        follow_up_on=said.follow_up_on,
        **{"department": case.department, **step},
    )
    stated = {"text": said.text.strip(), "disposition": said.disposition, "follow_up_on": said.follow_up_on}
    written = [name for name, value in stated.items() if value]
    audit.record(action=f"case.{act}", target=case, by=by, fields=[*(fields or ()), *written])
    if act in EVENTS:
        touchpoints.record_internal(
            event=EVENTS[Act(act)],
            owners=[(case.profile_id, case.record_id)],
            properties={"case_id": str(case.pk)},
        )
