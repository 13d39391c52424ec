"""Cases as pages show them: on the customer's page, one with its history, and what somebody has to follow up.

What was written is free text: numbers and addresses in it are masked where the customer is not open for the reader.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from django.utils import timezone

from cdp_site.core.models import User
from profiles import directory, masking
from profiles.cases import handling
from profiles.models import Case, CaseNote, Profile

SHOWN = 200  # of a list; a day's work is far below it
CLOSED_SHOWN = 10
STEPS_SHOWN = 100


class Due(StrEnum):
    OVERDUE = "overdue"
    TODAY = "today"
    LATER = "later"
    NEVER = "never"  # nothing is promised

    @classmethod
    def of(cls, case: Case, today: date) -> "Due":
        if case.follow_up_on is None:
            return cls.NEVER
        if case.follow_up_on == today:
            return cls.TODAY
        return cls.OVERDUE if case.follow_up_on < today else cls.LATER


@dataclass(frozen=True, slots=True)
class Line:
    """A case in a list. `subject` is ready to be shown; `customer` only where the list is not about one customer."""

    case: Case
    subject: str
    due: Due
    is_mine: bool
    customer: directory.Row | None = None


@dataclass(frozen=True, slots=True)
class OfCustomer:
    open: Sequence[Line]
    closed: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a case; `text` is ready to be shown."""

    note: CaseNote
    text: str


@dataclass(frozen=True, slots=True)
class Detail:
    """A case with the steps that the reader may see, the latest first; texts are ready to be shown. `seen` is the last
    step of all: what is written answers to it."""

    case: Case
    subject: str
    due: Due
    steps: Sequence[Step]
    seen: UUID | None
    can_work: bool
    is_mine: bool


class Whose(StrEnum):
    MINE = "mine"
    UNCLAIMED = "unclaimed"  # in the department, for whoever comes first
    DEPARTMENT = "department"  # all of the department's


@dataclass(frozen=True, slots=True)
class FollowUps:
    lines: Sequence[Line]
    whose: Whose
    is_cut: bool


def of_customer(profile: Profile, *, by: User) -> OfCustomer:
    """The customer's cases that the user may see, the closed ones no more than the last. Two queries."""
    today = timezone.localdate()
    rows = list(Case.objects.visible_to(by).of(profile).select_related("department", "assignee")[:SHOWN])
    closed = [row for row in rows if not row.is_open]
    return OfCustomer(
        open=[_line(row, today, by) for row in rows if row.is_open],
        closed=[_line(row, today, by) for row in closed[:CLOSED_SHOWN]],
    )


def open_count(profile: Profile, *, by: User) -> int:
    """How many of the customer's cases are open, as far as the user may see them. One query."""
    return Case.objects.visible_to(by).filter(profile=profile).open().count()


def find(profile: Profile, case_id: UUID, *, by: User) -> Case | None:
    """The customer's case when the user may see it; None otherwise. One query."""
    rows = Case.objects.visible_to(by).filter(profile=profile, pk=case_id)
    case: Case | None = rows.select_related("department", "assignee").first()
    return case


def detail(case: Case, *, by: User) -> Detail:
    """Three queries."""
    shows = masking.shows_identifiers(by, case.profile_id)
    steps = case.notes.latest_first()
    readable = steps.readable_by(by, department_id=case.department_id)
    return Detail(
        case=case,
        subject=masking.readable(case.subject, shows=shows),
        due=Due.of(case, timezone.localdate()),
        steps=[Step(step, masking.readable(step.text, shows=shows)) for step in readable[:STEPS_SHOWN]],
        seen=steps.values_list("pk", flat=True).first(),
        can_work=handling.may_work_on(case, by),
        is_mine=case.assignee_id == by.pk,
    )


def follow_ups(whose: Whose, *, by: User) -> FollowUps:
    """Open cases, what is due first on top, with the customers as the user may see them. Four queries beside the
    scope."""
    rows = Case.objects.visible_to(by).open()
    match whose:
        case Whose.MINE:
            rows = rows.assigned_to(by)
        case Whose.UNCLAIMED:
            rows = rows.unclaimed_in(by)
        case Whose.DEPARTMENT:
            rows = rows.with_department_of(by)
    rows = rows.filter(profile__in=Profile.objects.visible_to(by)).select_related("profile", "department", "assignee")
    found = list(rows.most_urgent_first()[: SHOWN + 1])
    shown, today = found[:SHOWN], timezone.localdate()
    profiles = {row.profile_id: row.profile for row in shown}
    customers = {row.profile.pk: row for row in directory.rows(list(profiles.values()), by=by)}
    return FollowUps(
        lines=[_line(row, today, by, customers[row.profile_id]) for row in shown],
        whose=whose,
        is_cut=len(found) > SHOWN,
    )


def due_count(*, by: User) -> int:
    """How many of the user's follow-ups are due, with what waits in the department for anybody. One query."""
    return Case.objects.visible_to(by).open().concerning(by).due_by(timezone.localdate()).count()


def _line(case: Case, today: date, by: User, customer: directory.Row | None = None) -> Line:
    subject = masking.readable(case.subject, shows=masking.shows_identifiers(by, case.profile_id))
    return Line(case, subject, Due.of(case, today), case.assignee_id == by.pk, customer)
