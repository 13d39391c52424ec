"""Orders with their lines and refunds."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.personal_data import NONE, PSEUDONYMOUS, Classification
from ingestion.models import Source
from profiles.models.profile import Profile, SourceRecord


class Order(models.Model):
    """One row: an order or a shop receipt; the newest version of it wins. Written by the digest, owned by its record.

    Erasure turns an order that the law keeps (Accounting Act s.14) into a stub without record and profile.
    """

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "external_id": PSEUDONYMOUS,
        "record": PSEUDONYMOUS,
        "profile": PSEUDONYMOUS,
        "tracking_number": PSEUDONYMOUS,
        "tracking_url": PSEUDONYMOUS,
        "url": PSEUDONYMOUS,
    }

    class Status(models.TextChoices):
        PLACED = "placed", _("placed")
        COMPLETED = "completed", _("completed")
        CANCELLED = "cancelled", _("cancelled")
        REFUNDED = "refunded", _("refunded")

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False)
    external_id = models.CharField(max_length=200)
    record = models.ForeignKey(SourceRecord, null=True, on_delete=models.PROTECT)
    profile = models.ForeignKey(Profile, null=True, on_delete=models.PROTECT, db_index=False)
    status = models.CharField(max_length=10, choices=Status.choices)
    placed_at = models.DateTimeField()  # source's clock
    version_at = models.DateTimeField()  # source's clock of the version that is shown
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=14, decimal_places=2)  # after discounts; sum of lines unless stated
    total_is_stated = models.BooleanField(default=False)
    discount = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    coupon = models.CharField(max_length=80, blank=True)
    refunded = models.DecimalField(max_digits=14, decimal_places=2, default=0)  # sum of refunds
    is_born = models.BooleanField(default=False)  # a touchpoint tells how it came to be and bears its card
    paid_at = models.DateTimeField(null=True)  # source's clock, as the next two
    shipped_at = models.DateTimeField(null=True)  # of the newest parcel, as its carrier and tracking
    delivered_at = models.DateTimeField(null=True)
    payment_method = models.CharField(max_length=60, blank=True)
    carrier = models.CharField(max_length=60, blank=True)
    tracking_number = models.CharField(max_length=120, blank=True)
    tracking_url = models.CharField(max_length=500, blank=True)  # http or https
    url = models.CharField(max_length=500, blank=True)  # where the source shows the order; http or https
    operation_id = models.UUIDField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "external_id"], name="order_external_id"),
            models.CheckConstraint(
                name="order_owner_or_stub",
                condition=models.Q(record__isnull=True, profile__isnull=True)
                | models.Q(record__isnull=False, profile__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            # orders of one person; sums of a segment
            models.Index(
                fields=["profile", "placed_at"],
                name="order_of_profile",
                include=["total", "refunded", "status", "currency", "source"],
            ),
        ]


class OrderLine(models.Model):
    """One row: one product of an order; upserted by line key since lines arrive scattered."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, db_index=False, related_name="lines")
    line_key = models.CharField(max_length=120)  # line id, else SKU, else content hash and ordinal
    sku = models.CharField(max_length=120, blank=True)
    name = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=120, blank=True)
    color = models.CharField(max_length=60, blank=True)
    quantity = models.DecimalField(max_digits=12, decimal_places=3, default=1)
    unit_price = models.DecimalField(max_digits=14, decimal_places=2, null=True)  # paid, in the order's currency
    list_price = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    discount = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    coupon = models.CharField(max_length=80, blank=True)
    coupon_discount = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    version_at = models.DateTimeField()  # source's clock

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["order", "line_key"], name="order_line_once")]


class Refund(models.Model):
    """One row: money given back on an order, apart from its lines. Written by the digest; exactly once by `id`."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE}

    id = models.UUIDField(primary_key=True, editable=False)  # of source and messageId
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="refunds")
    at = models.DateTimeField()
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
