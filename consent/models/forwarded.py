"""Requests under the law that a system of the company passes on."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PSEUDONYMOUS, Classification
from consent.models.request import DataSubjectRequest
from consent.querysets import ForwardedRequestQuerySet
from ingestion.models import Source


class ForwardedRequest(models.Model):
    """One row: what a system such as Shopify says a customer asked for, once however often it says so.

    Written by `consent.forwarded`. It waits for compliance staff until it is closed: by a request of its own for an
    erasure, else by the person who has answered it. The row stays as proof; whom it was about goes when it is closed.
    """

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "record": PSEUDONYMOUS,
        "subject": PSEUDONYMOUS,
        "evidence": PSEUDONYMOUS,
    }

    class Kind(models.TextChoices):
        ACCESS = "access", _("copy of the data")
        ERASURE = "erasure", _("erasure")
        ERASURE_OF_SOURCE = "erasure_of_source", _("erasure of everybody whom the source brought")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False)
    external_id = models.CharField(max_length=100)  # the report's own
    kind = models.CharField(max_length=20, choices=Kind.choices)
    received_at = models.DateTimeField()
    record = models.CharField(max_length=200, blank=True)  # the customer's id in that system
    subject = models.UUIDField(null=True)  # Profile.public_id, once found
    evidence = models.JSONField(default=dict)  # ids and codes of the report
    request = models.ForeignKey(DataSubjectRequest, null=True, on_delete=models.SET_NULL, related_name="forwarded")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = ForwardedRequestQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "external_id"], name="forwarded_request_once"),
        ]
        indexes: ClassVar = [
            # what waits for somebody
            models.Index(fields=["received_at"], name="forwarded_open", condition=models.Q(closed_at__isnull=True)),
        ]
