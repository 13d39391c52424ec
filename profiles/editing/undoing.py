"""Taking a change back: the agent record is again what it was, to the time of each value."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.errors import ConflictProblem, NotFoundProblem
from cdp_site.core.models import User
from profiles import golden, identifiers, intake, name_index, signals
from profiles.editing.holding import hold
from profiles.models import AgentEdit, Identifier, Membership, Pin, Profile, SourceRecord, SourceRecordVersion
from profiles.resolution import pipeline
from profiles.shares import iso
from profiles.signals import Aspect, Touch

OFFERED = timedelta(seconds=10)  # how long the page shows the button; whoever reads it keeps it longer
POSSIBLE = timedelta(minutes=10)

Before = dict[str, Any]
"""What an undo brings back: what the record said of the unit and when, its last word, its identifiers with the time of
their last statement, and the pins of the unit; `pin` is the one that the change made instead of them."""


def look(profile: Profile, record: SourceRecord, unit: Sequence[str]) -> Before:
    """The record as it is before a change of the unit."""
    members = Membership.objects.filter(profile=profile, valid_to=None).values("record")
    return {
        "attributes": {part: record.attributes[part] for part in unit if part in record.attributes},
        "times": {part: record.attribute_times[part] for part in unit if part in record.attribute_times},
        "unit": list(unit),
        "last_seen_at": record.last_seen_at,
        "identifiers": {
            str(one.pk): one.last_stated_at for one in Identifier.objects.filter(record=record).order_by("pk")
        },
        "pins": list(Pin.objects.in_force().filter(record__in=members, trait__in=unit).values_list("pk", flat=True)),
    }


@transaction.atomic
def undo(*, profile: Profile, edit_id: UUID, by: User) -> AgentEdit:
    """Take back one's own change.

    Raises NotFoundProblem for what is not one's own or not this customer's, ConflictProblem when it is too late or
    somebody has changed the same since.
    """
    hold(profile)
    current = Membership.objects.filter(profile=profile, valid_to=None).values("record")
    edit = AgentEdit.objects.filter(pk=edit_id, by=by, record__in=current).select_related("record").first()
    if edit is None:
        raise NotFoundProblem(_("There is no such change of yours."))
    record, stands = edit.record, iso(edit.at)
    said = [part for part in edit.before["unit"] if record.attribute_times.get(part) == stands]
    if edit.undone_at is not None or not said or timezone.now() - edit.at > POSSIBLE:
        raise ConflictProblem(_("This has been changed since; it cannot be undone any more."))
    _restore(record, edit.before, said, edit.at)
    identifiers.retire([record.pk])
    name_index.index_names({record.pk: record.attributes})
    _restore_pins(edit.before)
    signals.tell_touched(Touch(Aspect.ADDRESSES, [profile.pk]))
    pipeline.resolve([record.pk], by=audit.actor_name(by))
    edit.undone_at = timezone.now()
    edit.save(update_fields=["undone_at"])
    audit.record(action="profile.edit_undo", target=profile, by=by, fields=edit.traits)
    return edit


def with_pin(before: Before, record: SourceRecord) -> Before:
    """The same, told after the change which pin it made."""
    made = Pin.objects.in_force().filter(record=record, trait__in=before["unit"]).exclude(pk__in=before["pins"])
    return before | {"pin": made.values_list("pk", flat=True).first()}


def _restore(record: SourceRecord, before: Before, said: Sequence[str], at: datetime) -> None:
    attributes, times = dict(record.attributes), dict(record.attribute_times)
    for part in said:
        for now, then in ((attributes, before["attributes"]), (times, before["times"])):
            now.pop(part, None)
            if part in then:
                now[part] = then[part]
    hashed = intake.content_hash(attributes)
    if hashed != bytes(record.content_hash):
        now_at = timezone.now()
        SourceRecordVersion.objects.create(
            record=record, attributes=attributes, content_hash=hashed, occurred_at=now_at, received_at=now_at
        )
    record.attributes, record.attribute_times, record.content_hash = attributes, times, hashed
    if record.last_seen_at == at:
        record.last_seen_at = datetime.fromisoformat(before["last_seen_at"])
    record.save(update_fields=["attributes", "attribute_times", "content_hash", "last_seen_at"])
    _restore_identifiers(record, before, said, at)


def _restore_identifiers(record: SourceRecord, before: Before, said: Sequence[str], at: datetime) -> None:
    """What the change stated first goes, what it stated again is as old as it was."""
    stated = Identifier.objects.filter(record=record, last_stated_at=at, kind__in=said)
    stated.exclude(pk__in=before["identifiers"]).delete()
    for number, last_stated_at in before["identifiers"].items():
        stated.filter(pk=number).update(last_stated_at=last_stated_at)


def _restore_pins(before: Before) -> None:
    """Pins that the change replaced, wherever their records are by now, unless somebody has pinned otherwise since."""
    if before["pin"] is None or not Pin.objects.filter(pk=before["pin"]).delete()[0]:
        return
    restored = set()
    for pin in Pin.objects.filter(pk__in=before["pins"]).order_by("pk"):
        owner = Membership.objects.get(record=pin.record_id, valid_to=None).profile_id
        members = Membership.objects.filter(profile=owner, valid_to=None).values("record")
        if not Pin.objects.in_force().filter(record__in=members, trait__in=before["unit"]).exists():
            Pin.objects.filter(pk=pin.pk).update(ended_at=None)
            restored.add(owner)
    golden.refresh(sorted(restored))
