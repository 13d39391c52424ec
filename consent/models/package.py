"""Copies of what is known about a person, to be fetched by that person alone."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.ids import uuid7
from cdp_site.core.personal_data import NONE, PSEUDONYMOUS, Classification
from consent.models.request import DataSubjectRequest


class AccessPackage(models.Model):
    """One row: the copy that answers a request for access or portability. Made by `consent.package.making`; its file is
    sealed, fetched once by a link with a code (`consent.package.links`), and removed when its time is over."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "subject": PSEUDONYMOUS}

    class Removal(models.TextChoices):
        EXPIRED = "expired", _("its time was over")
        ASKED = "asked", _("compliance removed it")
        ERASED = "erased", _("the person was erased")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    request = models.OneToOneField(DataSubjectRequest, on_delete=models.CASCADE, related_name="package")
    subject = models.UUIDField(null=True)  # Profile.public_id; emptied with the file
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()  # the file goes
    stored_as = models.CharField(max_length=32, blank=True)  # empty: gone
    size = models.BigIntegerField()  # bytes
    counts = models.JSONField(default=dict)  # table → rows
    removed_because = models.CharField(max_length=8, choices=Removal.choices, blank=True)
    # The link that is in force: hashes of its token and of its code.
    link_hash = models.BinaryField(max_length=32, null=True, unique=True)
    code_hash = models.BinaryField(max_length=32, null=True)
    link_until = models.DateTimeField(null=True)
    wrong_codes = models.PositiveSmallIntegerField(default=0)
    fetched_at = models.DateTimeField(null=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["subject"], name="package_of_subject", condition=models.Q(subject__isnull=False)),
            # files whose time is over
            models.Index(fields=["expires_at"], name="package_kept", condition=~models.Q(stored_as="")),
        ]

    @property
    def is_ready(self) -> bool:
        return bool(self.stored_as)
