"""Pins: a person decides which record's value of a trait wins, for good or for some days."""

from collections import defaultdict
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import User
from profiles import golden
from profiles.models import Membership, Pin, Profile, SourceRecord
from profiles.resolution import pipeline
from profiles.survivorship import is_value, unit_of

_ENDED_AT_ONCE = 500


@transaction.atomic
def add(*, profile: Profile, record: SourceRecord, trait: str, by: User, days: int | None = None) -> Pin:
    """Let the record's value win, instead of what is pinned of the trait and of those that survive together with it.

    Args:
        days: after which the rules decide again; None: never.

    Raises ConflictProblem when the record is not the customer's any more or says nothing about the trait.
    """
    pipeline.share_merge_lock()
    _end(profile, trait)
    said = SourceRecord.objects.filter(memberships__profile=profile, memberships__valid_to=None, pk=record.pk)
    current = said.values_list("attributes", flat=True).first()
    if current is None or not is_value(current.get(trait)):
        raise ConflictProblem(_("This record says nothing about that any more."), hint=_("Look again."))
    pin = Pin.objects.create(
        record=record,
        trait=trait,
        actor=audit.actor_name(by),
        expires_at=timezone.now() + timedelta(days=days) if days else None,
    )
    golden.refresh([profile.pk])
    audit.record(action="profile.pin", target=profile, by=by, fields=[trait])
    return pin


@transaction.atomic
def remove(*, profile: Profile, trait: str, by: User) -> None:
    """Let the rules decide again about the trait and those that survive together with it."""
    pipeline.share_merge_lock()
    if _end(profile, trait):
        golden.refresh([profile.pk])
        audit.record(action="profile.unpin", target=profile, by=by, fields=[trait])


def end_expired() -> int:
    """Let the rules decide again where a pin's days are over (chore); returns how many pins."""
    with transaction.atomic():
        pipeline.share_merge_lock()
        now = timezone.now()
        due = list(Pin.objects.due(now).select_for_update(skip_locked=True).order_by("pk")[:_ENDED_AT_ONCE])
        owners = dict(
            Membership.objects.filter(record__in=[pin.record_id for pin in due], valid_to=None).values_list(
                "record", "profile"
            )
        )
        Pin.objects.filter(pk__in=[pin.pk for pin in due]).update(ended_at=now)
        golden.refresh(sorted(set(owners.values())))
        traits: dict[int, list[str]] = defaultdict(list)
        for pin in due:
            traits[owners[pin.record_id]].append(pin.trait)
        for profile in Profile.objects.in_bulk(traits).values():
            audit.record(action="profile.unpin", target=profile, by="system:pins", fields=sorted(traits[profile.pk]))
    return len(due)


def _end(profile: Profile, trait: str) -> int:
    records = Membership.objects.filter(profile=profile, valid_to=None).values("record")
    ended: int = (
        Pin.objects.in_force().filter(record__in=records, trait__in=unit_of(trait)).update(ended_at=timezone.now())
    )
    return ended
