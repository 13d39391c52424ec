"""Keeping the record of a breach."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cdp_site.core import audit, jobs
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import User
from consent.breach import finding, leaks
from consent.models import Breach

HOURS_TO_TELL: Final = 72  # PDPA s.37(4), GDPR Art. 33(1)
JOB = "consent.jobs.find_affected"

# What has been done → the column that says when.
STEPS: Final = {"office": "office_told_at", "people": "people_told_at", "close": "closed_at"}


@dataclass(frozen=True, slots=True)
class Clock:
    """How long there is left to tell the office; `kind` and `icon` for a badge."""

    text: str
    kind: str
    icon: str


@transaction.atomic
def record(*, kind: str, text: str, by: User, noticed_at: datetime, **said: Any) -> Breach:
    """Write a breach down and look for the people; the clock runs from when it was noticed.

    Args:
        text: of a list, what stands in it; it is read now and not kept.

    Raises:
        MendableError: it was noticed in the future, names nothing, or the list is empty or too long.
    """
    leak = leaks.of(kind)
    if noticed_at > timezone.now():
        raise MendableError(_("The breach cannot have been noticed in the future."), field="noticed_at")
    said["reference"] = leak.check(said.get("reference", "").strip())
    if not leak.has_period:
        said["since"] = said["until"] = None
    breach = Breach(
        kind=kind,
        noticed_at=noticed_at,
        due_at=noticed_at + timedelta(hours=HOURS_TO_TELL),
        recorded_by=by,
        **said,
    )
    listed = _listed(text) if kind == leaks.LIST else None
    if listed is not None:
        breach.given, breach.unmatched = listed.lines, listed.unmatched
    breach.save(force_insert=True)
    audit.record(action="breach.record", target=breach, by=by, fields=["kind", "noticed_at", "reference"])
    if listed is None:
        jobs.enqueue(JOB, breach.pk)
    else:
        finding.write_down(breach, listed.profile_ids)
    return breach


def _listed(text: str) -> finding.Listed:
    listed = finding.in_list(text)
    if not listed.lines:
        raise MendableError(_("The list is empty."), field="file")
    return listed


@transaction.atomic
def judge(*, breach: Breach, risk: str, data: str, measures: str, by: User) -> None:
    """How high the risk is, which data leaked, and what was done."""
    breach = _open(breach)
    breach.risk, breach.data, breach.measures = risk, data, measures
    breach.save(update_fields=["risk", "data", "measures"])
    audit.record(action="breach.judge", target=breach, by=by, fields=["risk", "data", "measures"])


@transaction.atomic
def done(*, breach: Breach, step: str, by: User) -> None:
    """The office or the people were told, or nothing is left to do.

    Raises:
        ConflictProblem: it is closed, or would be closed before what its risk asks for was done.
    """
    breach = _open(breach)
    if step == "close" and (missing := missing_of(breach)):
        raise ConflictProblem(_("This is left to do first: %(steps)s.") % {"steps": ", ".join(missing)})
    column = STEPS[step]
    if getattr(breach, column) is None:
        setattr(breach, column, timezone.now())
        breach.save(update_fields=[column])
        audit.record(action=f"breach.{step}", target=breach, by=by, fields=[column])


@transaction.atomic
def find_again(*, breach: Breach, by: User) -> None:
    """Look for the people once more: a job has failed, or has died. Of a list there is nothing to look in any more."""
    breach = _open(breach)
    if breach.kind != leaks.LIST:
        breach.status = Breach.Status.COUNTING
        breach.save(update_fields=["status"])
        audit.record(action="breach.find_again", target=breach, by=by)
        jobs.enqueue(JOB, breach.pk)


def missing_of(breach: Breach) -> Sequence[str]:
    """What the risk asks for and has not been done."""
    missing = []
    if breach.risk == Breach.Risk.UNKNOWN:
        missing.append(_("judge the risk"))
    if breach.risk in (Breach.Risk.SOME, Breach.Risk.HIGH) and breach.office_told_at is None:
        missing.append(_("tell the office"))
    if breach.risk == Breach.Risk.HIGH and breach.people_told_at is None:
        missing.append(_("tell the people"))
    return missing


def clock(breach: Breach, *, now: datetime) -> Clock:
    """Hours that are left until the office has to know, or that it is late by."""
    if breach.office_told_at is not None:
        late = breach.office_told_at > breach.due_at
        return (
            Clock(_("told late"), "warn", "alert-triangle") if late else Clock(_("told in time"), "ok", "circle-check")
        )
    if breach.closed_at is not None or breach.risk == Breach.Risk.NONE:
        return Clock(_("nobody has to be told"), "", "circle-check")
    hours = int((breach.due_at - now).total_seconds() // 3600)
    if hours < 0:
        text = ngettext("%(n)d hour overdue", "%(n)d hours overdue", -hours) % {"n": -hours}
        return Clock(text, "danger", "alert-triangle")
    text = ngettext("%(n)d hour left", "%(n)d hours left", hours) % {"n": hours}
    return Clock(text, "danger" if hours < 12 else "warn", "clock")


def _open(breach: Breach) -> Breach:
    locked = Breach.objects.select_for_update().get(pk=breach.pk)
    if locked.closed_at is not None:
        raise ConflictProblem(_("This breach is closed."), hint=_("Load the page again."))
    return locked
