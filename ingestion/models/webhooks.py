"""Addresses to which other systems push what happens there, and what is kept for minutes while it goes on."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from ingestion.models.source import Source
from ingestion.querysets import OfSourceQuerySet


class Webhook(models.Model):
    """One row: an address of ours at which a system of the company reports, under a secret that signs each report.

    Written on the source's page. `token` is in the address and no secret: only a signature lets anything in. Switched
    off rather than deleted.
    """

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    class Kind(models.TextChoices):
        SHOPIFY = "shopify", _("Shopify")
        LINE = "line", _("LINE Messaging API")
        GENERIC = "generic", _("signed JSON of any system")

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="webhooks")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    token = models.CharField(max_length=43, unique=True)  # 256 random bits
    secret = models.BinaryField()  # sealed: signatures are checked with it, so a hash would not do
    settings = models.JSONField(default=dict)  # ingestion.webhooks.settings
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_received_at = models.DateTimeField(null=True)  # within webhooks.receiving.NOTE_EVERY_SECONDS
    n_ignored = models.BigIntegerField(default=0)  # events that say nothing of a customer
    relayed_at = models.DateTimeField(null=True)
    relay_failed_at = models.DateTimeField(null=True)  # when a delivery was given up last
    relay_problem = models.CharField(max_length=20, blank=True)  # core.outgoing.Fault, or "status-500"

    objects = OfSourceQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]

    @property
    def path(self) -> str:
        return f"/webhooks/{self.token}"


class RelayDelivery(models.Model):
    """One row: a verified report of LINE on its way to the company's own chatbot, exactly as it came.

    Written in the transaction that lands the report; deleted when the chatbot has taken it, or after
    `webhooks.relay.GIVE_UP_AFTER`."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "body": PERSONAL, "signature": PSEUDONYMOUS}

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE)
    body = models.BinaryField()  # sealed
    signature = models.CharField(max_length=100)  # LINE's, which the chatbot checks for itself
    created_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(db_index=True)  # also the lease of the job that is trying


class LinkNonce(models.Model):
    """One row: which user of a source a LINE account is about to be linked with. Written for the company's server;
    used once by LINE's event, or gone after `webhooks.linking.VALID_FOR`."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "key": PSEUDONYMOUS, "user_id": PERSONAL}

    key = models.BinaryField(max_length=32, primary_key=True)  # keyed hash: the nonce itself is a password
    source = models.ForeignKey(Source, on_delete=models.CASCADE)  # whose user it is
    user_id = models.BinaryField()  # sealed
    expires_at = models.DateTimeField(db_index=True)
