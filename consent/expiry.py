"""Consents that time alone has ended. The gate and its set know at once (`consent.terms`); what keeps an own copy of
whom it lets through, such as memberships of segments, is told here."""

from datetime import timedelta

from django.utils import timezone

from consent.models import ConsentEntry, Purpose
from consent.terms import months_before
from profiles import signals
from profiles.models import Membership
from profiles.signals import Aspect, Touch

# Told again and again for two days: a machine that stood still over the night forgets nobody.
TOLD_FOR = timedelta(days=2)


def tell_expired() -> int:
    """Chore: tell of everybody whose consent expired lately; returns how many. Two queries a purpose with a term."""
    told, now = 0, timezone.now()
    for purpose in Purpose.objects.filter(months__isnull=False, basis=Purpose.Basis.CONSENT):
        stale_before = months_before(now, purpose.months or 0)
        grants = ConsentEntry.objects.filter(
            purpose=purpose,
            state=ConsentEntry.State.GRANTED,
            occurred_at__lt=stale_before,
            occurred_at__gte=stale_before - TOLD_FOR,
        )
        members = Membership.objects.filter(record__in=grants.values("record"), valid_to__isnull=True)
        people = set(members.values_list("profile", flat=True))
        signals.tell_touched(Touch(Aspect.CONSENT, people))
        told += len(people)
    return told
