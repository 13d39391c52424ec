"""Entries of the ledger."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from cdp_site.core.models import User
from consent import requests
from consent.models import Channel, ConsentEntry, DataSubjectRequest, Purpose
from profiles.models import Profile, SourceRecord

DAY_ZERO = datetime(2026, 3, 1, 9, tzinfo=UTC)


def on_day(day: float) -> datetime:
    return DAY_ZERO + timedelta(days=day)


def marketing() -> Purpose:
    return Purpose.objects.get(slug="marketing")


def say(
    record: SourceRecord,
    state: str,
    day: float = 0,
    *,
    purpose: Purpose | None = None,
    channel: str = Channel.EMAIL,
    address: str = "",
    origin: str = ConsentEntry.Origin.EVENT,
    supersedes_until: datetime | None = None,
    **fields: Any,
) -> ConsentEntry:
    purpose = purpose or marketing()
    return ConsentEntry.objects.create(
        record=record,
        purpose=purpose,
        channel=channel,
        address=address,
        state=state,
        occurred_at=on_day(day),
        received_at=on_day(day),
        origin=origin,
        basis=purpose.basis,
        source=record.source,
        actor="system:digest",
        supersedes_until=supersedes_until,
        **fields,
    )


def ask(person: Profile, by: User, **fields: Any) -> DataSubjectRequest:
    """A request for erasure, received now."""
    given = {"received_at": timezone.now(), "identity_checked": "in_person", "note": "called twice", **fields}
    return requests.receive(profile=person, by=by, **given)
