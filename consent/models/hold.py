"""Rows that outlive the erasure of their person, each on a ground of its own."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification, Ground
from consent.models.request import DataSubjectRequest
from consent.querysets_holds import LegalHoldQuerySet


class LegalHold(models.Model):
    """One row: a row of another table that is kept, and why. Written by `consent.erasure.holds`: placed by a person, or
    by an erasure for what the law keeps; emptied when it is released, and then it stays as proof."""

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "row": PSEUDONYMOUS,
        "subject": PSEUDONYMOUS,
        "reason": PERSONAL,
        "copy": PERSONAL,
    }

    class Why(models.TextChoices):
        CLAIM = Ground.CLAIM.value, _("Legal claim")
        OBLIGATION = Ground.OBLIGATION.value, _("Duty under a law")
        ACCOUNTING = Ground.ACCOUNTING.value, _("Accounts")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    label = models.CharField(max_length=60)  # of the model
    row = models.CharField(max_length=60)  # its primary key
    # Birth profile of the record that the row hangs on, whoever that belongs to now; null once the person is erased.
    subject = models.UUIDField(null=True)
    ground = models.CharField(max_length=12, choices=Why.choices)
    reason = models.CharField(max_length=300, blank=True)  # empty: the law itself; emptied by a release
    placed_at = models.DateTimeField()
    placed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")  # null: an erasure
    until = models.DateTimeField(null=True)  # then it ends by itself
    request = models.ForeignKey(DataSubjectRequest, null=True, on_delete=models.PROTECT, related_name="holds")
    copy = models.BinaryField(null=True)  # the row as it was, sealed, once the erasure has taken it from its table
    released_at = models.DateTimeField(null=True)
    released_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")  # null: the clock

    objects = LegalHoldQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["label", "row", "ground"],
                name="hold_once",
                condition=models.Q(released_at__isnull=True),
            ),
            models.CheckConstraint(
                name="hold_released_is_empty",
                condition=models.Q(released_at__isnull=True) | models.Q(copy__isnull=True, reason=""),
            ),
        ]
        indexes: ClassVar = [
            # of a person who is to be erased
            models.Index(fields=["subject"], name="hold_of_subject", condition=models.Q(subject__isnull=False)),
            # what ends by itself
            models.Index(fields=["until"], name="hold_until", condition=models.Q(released_at__isnull=True)),
        ]
