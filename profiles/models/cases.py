"""What a customer waits for, and what staff did about it."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cdp_site.core.ids import uuid7
from cdp_site.core.models import Department, User
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from profiles.models.profile import Profile, SourceRecord
from profiles.querysets_cases import CaseNoteQuerySet, CaseQuerySet


class Case(models.Model):
    """One row: something that a customer waits for, until it is closed. Owned by the agent record, so that it goes with
    the person through merge and unmerge; `profile` is derived. Written by `profiles.cases.handling`; goes with the
    person's erasure."""

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "record": PSEUDONYMOUS,
        "profile": PSEUDONYMOUS,
        "subject": PERSONAL,
    }

    class Status(models.TextChoices):
        OPEN = "open", pgettext_lazy("case", "open")
        CLOSED = "closed", pgettext_lazy("case", "closed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    record = models.ForeignKey(SourceRecord, on_delete=models.PROTECT, related_name="cases")
    profile = models.ForeignKey(Profile, on_delete=models.PROTECT, related_name="cases")
    subject = models.CharField(max_length=120)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.OPEN)
    # Who has it now; null: whoever comes first, of every department.
    department = models.ForeignKey(Department, null=True, on_delete=models.PROTECT, db_index=False)
    assignee = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="cases", db_index=False)
    follow_up_on = models.DateField(null=True)  # in the company's time zone; null: nothing is promised
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="case_closed_iff_closed_at",
                condition=models.Q(status="closed", closed_at__isnull=False)
                | models.Q(status="open", closed_at__isnull=True),
            )
        ]
        indexes: ClassVar = [
            # my follow-ups, and the number of those that are due
            models.Index(
                fields=["assignee", "follow_up_on"], name="case_follow_ups", condition=models.Q(status="open")
            ),
            # what waits in a department for somebody to take it
            models.Index(
                fields=["department", "follow_up_on"],
                name="case_unclaimed",
                condition=models.Q(status="open", assignee__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def is_open(self) -> bool:
        return self.status == Case.Status.OPEN


class CaseNote(models.Model):
    """One row: a step of a case, with what was written down of it; immutable. Goes with its case."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "case": PSEUDONYMOUS, "text": PERSONAL}

    class Act(models.TextChoices):
        OPENED = "opened", pgettext_lazy("case", "opened")
        NOTED = "noted", _("noted")
        TAKEN = "taken", _("taken")
        HANDED_OVER = "handed_over", _("handed over")
        CLOSED = "closed", pgettext_lazy("case", "closed")
        REOPENED = "reopened", _("reopened")

    class Disposition(models.TextChoices):
        """What came of it."""

        ANSWERED = "answered", _("Customer answered")
        NOT_REACHED = "not_reached", _("Customer not reached")
        WAITING_CUSTOMER = "waiting_customer", _("Waiting for the customer")
        WAITING_COLLEAGUE = "waiting_colleague", _("Waiting for a colleague")
        SOLVED = "solved", _("Solved")
        NOT_POSSIBLE = "not_possible", _("Cannot be done")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="notes")
    act = models.CharField(max_length=11, choices=Act.choices)
    author = models.ForeignKey(User, null=True, on_delete=models.SET_NULL)
    department = models.ForeignKey(Department, null=True, on_delete=models.PROTECT)  # which had the case before it
    handed_to = models.ForeignKey(Department, null=True, on_delete=models.PROTECT, related_name="+")
    disposition = models.CharField(max_length=17, choices=Disposition.choices, blank=True)
    text = models.TextField(max_length=4000, blank=True)
    follow_up_on = models.DateField(null=True)  # what was promised with it
    at = models.DateTimeField(auto_now_add=True)

    objects = CaseNoteQuerySet.as_manager()
