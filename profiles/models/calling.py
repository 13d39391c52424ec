"""Calls that agents take, and what callers were asked to show who they are."""

from typing import ClassVar

from django.db import models

from cdp_site.core.models import User
from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from ingestion.models import Source
from profiles.models.profile import Profile, SourceRecord
from profiles.querysets_calling import CallerCheckQuerySet, CallQuerySet


class Call(models.Model):
    """One row: a call, announced by a telephone system or begun by an agent who typed the number.

    Announced, it waits for whoever opens the address with its token, once. `record` is the record of the customer who
    calls, as far as it is known, and `profile` derived from it. The number itself stays, encrypted, until the call
    ends. Written by `profiles.calling`; goes after ninety days.
    """

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "number_hash": PSEUDONYMOUS,
        "last_four": PERSONAL,
        "sealed_number": PERSONAL,
        "record": PSEUDONYMOUS,
        "profile": PSEUDONYMOUS,
    }

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, null=True, on_delete=models.CASCADE, db_index=False)  # the telephone system's
    token_hash = models.BinaryField(max_length=32, null=True, unique=True)
    meant_for = models.ForeignKey(User, null=True, on_delete=models.CASCADE, db_index=False, related_name="+")
    agent = models.ForeignKey(User, null=True, on_delete=models.CASCADE, db_index=False, related_name="calls")
    number_hash = models.BinaryField(max_length=32)  # hashing.identifier_key; empty: withheld, or no number
    last_four = models.CharField(max_length=4, blank=True)
    sealed_number = models.BinaryField(null=True)
    arrived_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    record = models.ForeignKey(SourceRecord, null=True, on_delete=models.CASCADE, related_name="+")
    profile = models.ForeignKey(Profile, null=True, on_delete=models.CASCADE, related_name="calls")

    objects = CallQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["agent"], name="call_one_of_agent", condition=models.Q(agent__isnull=False, ended_at=None)
            ),
            models.CheckConstraint(
                name="call_verified_of_somebody",
                condition=models.Q(verified_at=None) | models.Q(agent__isnull=False, record__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["number_hash"], name="call_of_number"),  # the data subject's own calls
            models.Index(fields=["arrived_at"], name="call_age"),  # what is old
            models.Index(fields=["agent", "arrived_at"], name="call_of_agent"),
        ]


class CallerCheck(models.Model):
    """One row: a caller was asked for a fact about the customer whom they named, and it was right or wrong; the fact
    itself is nowhere. Written by `profiles.calling`; goes with its call."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "record": PSEUDONYMOUS, "profile": PSEUDONYMOUS}

    id = models.BigAutoField(primary_key=True)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="checks")
    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, related_name="+")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="+")
    fact = models.CharField(max_length=20)  # profiles.calling.facts.Kind
    is_right = models.BooleanField()
    at = models.DateTimeField()

    objects = CallerCheckQuerySet.as_manager()
