"""Touchpoints of a type that are past their days. They count from the day on which they reached us."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from consent.models import KeepingRule
from consent.retention import held
from ingestion import landing
from profiles import signals
from profiles.models import Touchpoint, TouchpointShare
from profiles.signals import Aspect, Touch

AT_ONCE = 2_000  # about 100 ms of one transaction


def due(rule: KeepingRule, before: datetime) -> "QuerySet[Touchpoint]":
    """What would go. What happened cannot have reached us earlier, so the index by its time leads to them."""
    past = Touchpoint.objects.filter(type=rule.event_type_id, occurred_at__lt=before, received_at__lt=before)
    return past.exclude(profile__in=held.profiles())


@transaction.atomic
def remove(rule: KeepingRule, before: datetime) -> int:
    """Remove one portion; returns how many went. A tombstone of each stays: the message is never taken again."""
    found = due(rule, before).order_by("occurred_at").values_list("pk", "profile_id")
    rows: list[tuple[UUID, int]] = list(found.select_for_update(skip_locked=True, of=("self",))[:AT_ONCE])
    ids = [number for number, _profile in rows]
    if ids:
        landing.remember(ids)
        TouchpointShare.objects.filter(touchpoint_id__in=ids).delete()
        Touchpoint.objects.filter(pk__in=ids).delete()
        signals.tell_touched(Touch(Aspect.EVENT, {profile for _number, profile in rows}, rule.event_type_id))
    return len(ids)
