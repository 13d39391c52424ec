"""Pins: a person decides which record's value of a trait wins."""

from django.db import transaction
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import User
from profiles import golden
from profiles.models import Membership, Pin, Profile, SourceRecord
from profiles.resolution import pipeline
from profiles.survivorship import is_value, unit_of


@transaction.atomic
def add(*, profile: Profile, record: SourceRecord, trait: str, by: User) -> Pin:
    """Let the record's value win, instead of what is pinned of the trait and of those that survive together with it.

    Raises ConflictProblem when the record is not the customer's any more or says nothing about the trait.
    """
    pipeline.share_merge_lock()
    _remove(profile, trait)
    said = SourceRecord.objects.filter(memberships__profile=profile, memberships__valid_to=None, pk=record.pk)
    current = said.values_list("attributes", flat=True).first()
    if current is None or not is_value(current.get(trait)):
        raise ConflictProblem(_("This record says nothing about that any more."), hint=_("Look again."))
    pin = Pin.objects.create(record=record, trait=trait, actor=audit.actor_name(by))
    golden.refresh([profile.pk])
    audit.record(action="profile.pin", target=profile, by=by, fields=[trait])
    return pin


@transaction.atomic
def remove(*, profile: Profile, trait: str, by: User) -> None:
    """Let the rules decide again about the trait and those that survive together with it."""
    pipeline.share_merge_lock()
    if _remove(profile, trait):
        golden.refresh([profile.pk])
        audit.record(action="profile.unpin", target=profile, by=by, fields=[trait])


def _remove(profile: Profile, trait: str) -> int:
    records = Membership.objects.filter(profile=profile, valid_to=None).values("record")
    removed, _by_model = Pin.objects.filter(record__in=records, trait__in=unit_of(trait)).delete()
    return removed
