"""A request as a page shows it: how urgent it is, what would go, how far it has come."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cdp_site.core.access import Permission, may
from cdp_site.core.errors import Text
from cdp_site.core.models import User
from cdp_site.core.personal_data import Outcome
from consent import erasure
from consent.models import DataSubjectRequest, ErasureStep
from consent.wording import GROUNDS, PROBLEMS, STORES, TABLES
from profiles import directory
from profiles.directory import Row as Person
from profiles.models import Profile

Status = DataSubjectRequest.Status

MOST_ENDED = 200
SHOWN_AT_HOME = 5
# ux.md, "Compliance": amber within a week, red within two days.
SOON, VERY_SOON = 7, 2
KIND_OF_STATUS = {
    Status.RECEIVED: "warn",
    Status.IDENTIFYING: "warn",
    Status.APPROVED: "accent",
    Status.COOLING: "accent",
    Status.RUNNING: "accent",
    Status.PARTIAL: "danger",
    Status.COMPLETED: "ok",
    Status.CLOSED: "line",
    Status.REFUSED: "line",
    Status.CANCELLED: "line",
}
ICON_OF_STATUS = {
    Status.RECEIVED: "inbox",
    Status.IDENTIFYING: "user",
    Status.APPROVED: "clock",
    Status.COOLING: "clock",
    Status.RUNNING: "loader",
    Status.PARTIAL: "alert-triangle",
    Status.COMPLETED: "circle-check",
    Status.CLOSED: "check",
    Status.REFUSED: "ban",
    Status.CANCELLED: "x",
}
KIND_OF_STEP = {
    ErasureStep.Status.WAITING: "line",
    ErasureStep.Status.DONE: "ok",
    ErasureStep.Status.FAILED: "danger",
}
ICON_OF_STEP = {
    ErasureStep.Status.WAITING: "clock",
    ErasureStep.Status.DONE: "check",
    ErasureStep.Status.FAILED: "alert-triangle",
}


@dataclass(frozen=True, slots=True)
class Deadline:
    """How long is left: words, and the colour of a badge."""

    text: str
    kind: str
    icon: str


@dataclass(frozen=True, slots=True)
class Row:
    """A request in the queue. `deadline` is None for one that has ended."""

    asked: DataSubjectRequest
    kind: str
    icon: str
    deadline: Deadline | None


@dataclass(frozen=True, slots=True)
class TableLine:
    """Rows of one table: what happens to them, and on what ground they stay."""

    table: Text
    rows: int
    action: Text
    kind: str
    ground: Text


@dataclass(frozen=True, slots=True)
class StepLine:
    step: ErasureStep
    name: Text
    kind: str
    icon: str
    problem: Text
    tables: Sequence[TableLine]


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that the page of one request shows. `person` is None when the reader may not see the customer, or
    when there is none any more."""

    row: Row
    person: Person | None
    preview: Sequence[TableLine]
    records: int
    steps: Sequence[StepLine]
    may_approve: bool
    is_own: bool
    may_manage: bool
    is_moving: bool

    @property
    def done(self) -> int:
        return sum(line.step.status == ErasureStep.Status.DONE for line in self.steps)


def rows(requests: Iterable[DataSubjectRequest], *, now: datetime) -> list[Row]:
    return [_row(asked, now) for asked in requests]


def read(asked: DataSubjectRequest, *, by: User, now: datetime) -> Case:
    """The preview asks every holder, so it is made only while there is something to decide."""
    waits = asked.status == Status.RECEIVED
    is_erasure = asked.kind == DataSubjectRequest.Kind.ERASURE
    outcomes = erasure.preview(asked.subject) if waits and is_erasure and asked.subject else []
    return Case(
        row=_row(asked, now),
        person=_person(asked, by),
        preview=[line for _holder, outcome in outcomes for line in _lines(outcome)],
        records=sum(outcome.erased.get("profiles.SourceRecord", 0) for _holder, outcome in outcomes),
        steps=[_step(step) for step in asked.steps.all()],
        may_approve=waits
        and asked.is_identified
        and asked.subject is not None
        and may(by, Permission.APPROVE_REQUESTS)
        and asked.requested_by_id != by.pk,
        is_own=waits and asked.requested_by_id == by.pk,
        may_manage=may(by, Permission.MANAGE_REQUESTS),
        is_moving=asked.status in {Status.APPROVED, Status.RUNNING},
    )


def deadline(due_at: datetime, now: datetime) -> Deadline:
    """In whole days: a request due in 30 hours has two days left, one due an hour ago is a day late."""
    days = ceil((due_at - now) / timedelta(days=1))
    if due_at < now:
        late = 1 - days
        text = ngettext("%(n)d day overdue", "%(n)d days overdue", late) % {"n": late}
        return Deadline(text, "danger", "alert-triangle")
    text = ngettext("%(n)d day left", "%(n)d days left", days) % {"n": days}
    if days <= VERY_SOON:
        return Deadline(text, "danger", "alert-triangle")
    return Deadline(text, "warn", "clock") if days <= SOON else Deadline(text, "", "calendar")


def _row(asked: DataSubjectRequest, now: datetime) -> Row:
    status = Status(asked.status)
    return Row(
        asked=asked,
        kind=KIND_OF_STATUS[status],
        icon=ICON_OF_STATUS[status],
        deadline=deadline(asked.due_at, now) if asked.is_open else None,
    )


def _person(asked: DataSubjectRequest, by: User) -> Person | None:
    if asked.subject is None:
        return None
    visible = Profile.objects.visible_to(by)
    profile = visible.filter(public_id=asked.subject).first() or visible.filter(births__public_id=asked.subject).first()
    return directory.rows([profile], by=by)[0] if profile else None


def _lines(outcome: Outcome) -> Iterable[TableLine]:
    for table, n in outcome.erased.items():
        yield TableLine(_table(table), n, _("erase"), "", "")
    for table, n in outcome.anonymised.items():
        yield TableLine(_table(table), n, _("anonymise"), "accent", "")
    for table, (n, ground) in outcome.kept.items():
        yield TableLine(_table(table), n, _("keep"), "warn", GROUNDS[ground].text)


def _step(step: ErasureStep) -> StepLine:
    outcome = Outcome(
        erased=step.outcome.get("erased", {}),
        anonymised=step.outcome.get("anonymised", {}),
        kept={table: (n, ground) for table, (n, ground) in step.outcome.get("kept", {}).items()},
    )
    status = ErasureStep.Status(step.status)
    return StepLine(
        step=step,
        name=STORES.get(step.holder, step.holder),
        kind=KIND_OF_STEP[status],
        icon=ICON_OF_STEP[status],
        problem=PROBLEMS.get(step.problem, step.problem),
        tables=list(_lines(outcome)),
    )


def _table(label: str) -> Text:
    return TABLES.get(label, label)
