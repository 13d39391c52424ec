"""For whom a customer's direct identifiers are open, why and until when."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PSEUDONYMOUS, Classification
from profiles.models.profile import Profile
from profiles.querysets_openings import OpeningQuerySet


class OpeningReason(models.TextChoices):
    """Why somebody opens a customer. A code goes into the access log; what was said goes into a note."""

    VERIFIED_CALL = "verified_call", _("The caller was verified")
    CALL_BACK = "call_back", _("The customer asked to be called or written to")
    ORDER = "order", _("An order or a delivery of the customer")
    COMPLAINT = "complaint", _("A complaint of the customer")
    CORRECTION = "correction", _("The customer wants data corrected")
    PRIVACY = "privacy", _("A request about privacy")


class CustomerOpening(models.Model):
    """One row: the direct identifiers of a customer are open for one member of staff until a moment. Written by
    `profiles.openings`; the access log keeps that it was, the row goes after thirty days."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "profile": PSEUDONYMOUS, "call_id": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, db_index=False, related_name="+")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="openings")
    reason = models.CharField(max_length=20, choices=OpeningReason.choices)
    call_id = models.BigIntegerField(null=True)  # the verified call; null: asked for with a reason, counts for the cap
    opened_at = models.DateTimeField()
    until = models.DateTimeField()

    objects = OpeningQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="opening_by_call_iff_verified",
                condition=models.Q(reason="verified_call", call_id__isnull=False)
                | (~models.Q(reason="verified_call") & models.Q(call_id__isnull=True)),
            ),
        ]
        indexes: ClassVar = [
            # what is open for me; whom I opened today
            models.Index(fields=["user", "until"], name="opening_of_user"),
            models.Index(fields=["user", "opened_at"], name="opening_today"),
            models.Index(fields=["opened_at"], name="opening_age"),  # those of today, for the alarm; what is old
            models.Index(fields=["call_id"], name="opening_of_call", condition=models.Q(call_id__isnull=False)),
        ]
