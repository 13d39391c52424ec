"""What happens along a request: one-time codes, and who was told that its time runs out."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PSEUDONYMOUS, Classification
from consent.models.request import DataSubjectRequest


class IdentityCode(models.Model):
    """One row: a one-time code that was sent to an address of the customer. Written by `consent.requests.identity`; of
    the code only a keyed hash is kept. Goes with its request's end."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "identifier": PSEUDONYMOUS}

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        SMS = "sms", _("SMS")
        LINE = "line", _("LINE")

    request = models.ForeignKey(DataSubjectRequest, on_delete=models.CASCADE, related_name="codes")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    identifier = models.BigIntegerField(null=True)  # profiles.Identifier; no key, since an erasure removes that row
    code_hash = models.BinaryField(max_length=32)
    sent_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")  # null: the public form
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)  # guesses that were wrong
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["request", "-sent_at"], name="identity_code_latest")]


class RequestAlert(models.Model):
    """One row: compliance was told that a request is due in so many days. Written by `consent.requests.clock`; once a
    due date, so that an extension begins anew."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    request = models.ForeignKey(DataSubjectRequest, on_delete=models.CASCADE, related_name="alerts")
    due_at = models.DateTimeField()
    days = models.PositiveSmallIntegerField()  # 14, 7, 1; 0: it is overdue
    told_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["request", "due_at", "days"], name="request_alert_once"),
        ]
