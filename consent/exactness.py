"""The consents' part of a state hash: an undone merge leaves every statement with the person whom it was with."""

from collections.abc import Sequence

from consent.models import ConsentEntry
from profiles.models import Membership


def statements(profile_ids: Sequence[int], record_ids: Sequence[int]) -> Sequence[object]:
    """What was stated for records that are these profiles' now, each with its profile. Two queries."""
    owners = dict(
        Membership.objects.filter(profile__in=profile_ids, valid_to__isnull=True).values_list("record", "profile")
    )
    entries = ConsentEntry.objects.of_records(owners).standing().order_by("pk")
    rows = entries.values_list("record", "pk", "purpose", "channel", "address", "state", "occurred_at")
    return [(owners[row[0]], *row) for row in rows]
