"""Breaches of personal data: what leaked, by when whom to tell, and who is affected."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PSEUDONYMOUS, Classification


class Breach(models.Model):
    """One row: a file, a key or an account that came into the wrong hands, as the record that PDPA s.37(4) and GDPR
    Art. 33(5) want kept. Written by compliance (`consent.breach`); stays. It names no customer: `BreachPerson` does."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Risk(models.TextChoices):
        """PDPA s.37(4): the office is told unless there is no risk, the people as well where the risk is high."""

        UNKNOWN = "unknown", _("not judged yet")
        NONE = "none", _("no risk to people")
        SOME = "some", _("a risk: the office is told")
        HIGH = "high", _("a high risk: the people are told as well")

    class Status(models.TextChoices):
        COUNTING = "counting", _("people are being found")
        FOUND = "found", _("people found")
        FAILED = "failed", _("the look-up failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=20)  # a key of consent.breach.leaks
    reference = models.CharField(max_length=64, blank=True)  # id of the export, import, key or user
    since = models.DateTimeField(null=True)  # of a key or an account: from when on it was in the wrong hands
    until = models.DateTimeField(null=True)
    what = models.CharField(max_length=500)  # what happened, in words without names
    data = models.CharField(max_length=300, blank=True)  # kinds of data that leaked
    risk = models.CharField(max_length=8, choices=Risk.choices, default=Risk.UNKNOWN)
    measures = models.CharField(max_length=500, blank=True)  # what was done about it
    noticed_at = models.DateTimeField()  # when we came to know: the clock of 72 hours
    due_at = models.DateTimeField()
    office_told_at = models.DateTimeField(null=True)
    people_told_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.COUNTING)
    given = models.PositiveIntegerField(default=0)  # lines of a list
    unmatched = models.PositiveIntegerField(default=0)  # of them, lines that lead to nobody
    affected = models.PositiveIntegerField(default=0)  # people found; stays when they are erased

    class Meta:
        ordering: ClassVar = ["-noticed_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="breach_due_after_notice", condition=models.Q(due_at__gt=models.F("noticed_at"))
            ),
        ]

    @property
    def reference_text(self) -> str:
        """What people call it by: the random tail of the id."""
        return self.id.hex[-8:].upper()


class BreachPerson(models.Model):
    """One row: a customer whom a breach affects. Written by `consent.breach.finding`; goes with the customer's erasure,
    when the count on the breach stays."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "profile": PSEUDONYMOUS}

    breach = models.ForeignKey(Breach, on_delete=models.CASCADE, db_index=False, related_name="people")
    profile = models.UUIDField()  # Profile.public_id of that day; a merged one redirects

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["breach", "profile"], name="breach_person_once")]
        indexes: ClassVar = [models.Index(fields=["profile"], name="breaches_of_profile")]  # the person's erasure
