"""Chores of the profiles app; arguments are ids only, each may run twice."""

from django.db import transaction

from profiles import golden
from profiles.models import Membership
from profiles.resolution import pipeline

PROFILES_AT_ONCE = 1_000  # about a second under the shared merge lock


def refresh_golden_of_source(source_id: int) -> int:
    """Choose the surviving values anew for everybody of whom the source knows something; returns how many people."""
    of_source = Membership.objects.filter(record__source=source_id, valid_to__isnull=True)
    profile_ids = list(of_source.values_list("profile", flat=True).order_by("profile").distinct())
    for start in range(0, len(profile_ids), PROFILES_AT_ONCE):
        with transaction.atomic():
            pipeline.share_merge_lock()
            golden.refresh(profile_ids[start : start + PROFILES_AT_ONCE])
    return len(profile_ids)
