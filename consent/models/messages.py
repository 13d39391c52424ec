"""Messages to customers about their requests, and the gateways of the company that carry them."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from consent.models.request import DataSubjectRequest


class MessageGateway(models.Model):
    """One row: the company's system that sends SMS or LINE messages, called over HTTP. Written on its screen."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Channel(models.TextChoices):
        SMS = "sms", _("SMS")
        LINE = "line", _("LINE")

    channel = models.CharField(_("Channel"), max_length=8, choices=Channel.choices, unique=True)
    url = models.CharField(_("Address"), max_length=500)
    template = models.TextField(_("Body"), max_length=2000)  # JSON with {to} and {text}
    header = models.CharField(_("Header of the key"), max_length=60, blank=True)  # such as Authorization
    secret = models.BinaryField(null=True)  # sealed value of the header
    is_active = models.BooleanField(_("In operation"), default=True)
    tested_at = models.DateTimeField(null=True)  # the last test that was taken
    updated_at = models.DateTimeField(auto_now=True)


class OutgoingMessage(models.Model):
    """One row: one message to one address. Written in the transaction of what it tells of; sent by a job, which tries
    again with growing pauses until `give_up_at`, then it is a task for a person. Address and text go when it is over.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "identifier": PSEUDONYMOUS, "content": PERSONAL}

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        SMS = "sms", _("SMS")
        LINE = "line", _("LINE")

    class What(models.TextChoices):
        CODE = "code", _("one-time code")
        NEWS = "news", _("news of the request")
        TEST = "test", _("test")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        FAILED = "failed", _("not delivered")
        BY_HAND = "by_hand", _("done by hand")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.ForeignKey(DataSubjectRequest, null=True, on_delete=models.CASCADE, related_name="messages")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    what = models.CharField(max_length=8, choices=What.choices)
    identifier = models.BigIntegerField(null=True)  # profiles.Identifier, as in IdentityCode
    content = models.BinaryField(null=True)  # sealed: to, subject, text
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=40, blank=True)  # a code of core.outgoing, "mail" or "http_503"
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField()
    give_up_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    handled_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    handled_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            # what is to be sent; what waits for a person
            models.Index(fields=["due_at"], name="message_due", condition=models.Q(status="waiting")),
            models.Index(fields=["created_at"], name="message_failed", condition=models.Q(status="failed")),
        ]
