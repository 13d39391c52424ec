"""Accounts: the companies, households or teams that customers act for, as a source's group calls name them."""

from typing import ClassVar

from django.db import models

from cdp_site.core.personal_data import NONE, PERSONAL, PSEUDONYMOUS, Classification
from ingestion.models import Source
from profiles.models.profile import SourceRecord


class Account(models.Model):
    """One row: a group of one source (Segment's `groupId`). Written by the digest; goes with its last member when that
    person is erased, since the account of a single person tells of that person."""

    PERSONAL_DATA: ClassVar[Classification] = {"*": NONE, "external_id": PERSONAL, "traits": PERSONAL}

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False)
    external_id = models.CharField(max_length=200)
    traits = models.JSONField(default=dict)  # trait → value, patched per trait: absent = unchanged, null = cleared
    trait_times = models.JSONField(default=dict)  # trait → ISO time at which the source stated it
    first_seen_at = models.DateTimeField()  # source's clock
    last_seen_at = models.DateTimeField()  # source's clock

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "external_id"], name="account_external_id"),
        ]

    @property
    def name(self) -> str:
        """What it calls itself, else its id."""
        name = self.traits.get("name")
        return name if isinstance(name, str) and name.strip() else self.external_id


class AccountMembership(models.Model):
    """One row: a record acts for an account. It belongs to the record, so it follows the person through merge and
    unmerge. Written by the digest; deleted by erasure."""

    PERSONAL_DATA: ClassVar[Classification] = {
        "*": NONE,
        "record": PSEUDONYMOUS,
        "account": PSEUDONYMOUS,
        "first_stated_at": PERSONAL,
        "last_stated_at": PERSONAL,
    }

    id = models.BigAutoField(primary_key=True)
    record = models.ForeignKey(SourceRecord, on_delete=models.CASCADE, db_index=False, related_name="accounts")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_index=False, related_name="memberships")
    first_stated_at = models.DateTimeField()  # source's clock
    last_stated_at = models.DateTimeField()  # source's clock
    is_confirmed = models.BooleanField()  # by a secret key; from a browser anybody may say anything
    operation_id = models.UUIDField(null=True)  # what created it

    class Meta:
        constraints: ClassVar = [
            # the accounts of a customer's records
            models.UniqueConstraint(fields=["record", "account"], name="account_membership_once"),
        ]
        indexes: ClassVar = [
            # whether an account still has a member
            models.Index(fields=["account"], name="account_members"),
        ]
