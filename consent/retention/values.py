"""Values of a group of traits that no source has stated for the rule's days.

A value goes from the record, from the record's earlier versions, from what imports said about it, and from what staff
changed it from; then the profile is made anew out of what is left. A version that also holds younger values stays,
without the old ones: it is written anew under its own id.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from cdp_site.core.append_only import erasure_step
from consent.models import KeepingRule
from consent.retention import held
from profiles import intake
from profiles.models import AgentEdit, Membership, RecordShare, SourceRecord, SourceRecordVersion, Trait
from profiles.resolution import pipeline

ACTOR = "system:retention"
AT_ONCE = 2_000  # records looked at in one transaction

# The values of the group in the records after the position, with the time at which the source last stated each. Those
# of people who are held are not looked at.
_PAST = """
SELECT r.id, array_agg(t.name)
  FROM profiles_sourcerecord r
 CROSS JOIN unnest(%(traits)s::text[]) AS t(name)
 WHERE r.id > %(after)s AND r.id <= %(upto)s AND r.attributes ? t.name
   AND r.attribute_times ->> t.name < %(before)s
   AND NOT EXISTS (SELECT FROM profiles_membership m
                    WHERE m.record_id = r.id AND m.valid_to IS NULL AND m.profile_id = ANY(%(held)s))
 GROUP BY r.id ORDER BY r.id
"""


def traits_of(rule: KeepingRule) -> list[str]:
    """Names of the traits in the rule's group."""
    return list(Trait.objects.filter(group=rule.trait_group_id).order_by("name").values_list("name", flat=True))


def count_due(rule: KeepingRule, before: datetime) -> int:
    """How many values would go. Reads every record once."""
    last = _last_record()
    return sum(len(names) for _record, names in _past(traits_of(rule), before, after=0, upto=last))


def remove(rule: KeepingRule, before: datetime) -> tuple[int, bool]:
    """Look at one portion of the records; returns how many values went, and whether that was the last portion."""
    ids = list(SourceRecord.objects.filter(pk__gt=rule.position).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    traits = traits_of(rule)
    removed = 0
    with transaction.atomic(), erasure_step("retention"):
        if ids and traits:
            pipeline.share_merge_lock()
            past = dict(_past(traits, before, after=ids[0] - 1, upto=ids[-1]))
            removed = _take_out(past) if past else 0
            _take_out_of_versions(set(ids) - _held_records(ids), traits, before)
        rule.position = ids[-1] if ids else rule.position
        rule.save(update_fields=["position"])
    return removed, len(ids) < AT_ONCE


def _past(traits: Sequence[str], before: datetime, *, after: int, upto: int) -> list[tuple[int, list[str]]]:
    parameters: dict[str, Any] = {
        "traits": list(traits),
        "after": after,
        "upto": upto,
        "before": before.astimezone(UTC).isoformat(timespec="microseconds"),
        "held": list(held.profiles()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_PAST, parameters)
        return cursor.fetchall()


def _last_record() -> int:
    return SourceRecord.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _held_records(ids: Collection[int]) -> set[int]:
    of_held = Membership.objects.filter(record__in=ids, valid_to__isnull=True, profile__in=held.profiles())
    return set(of_held.values_list("record_id", flat=True))


def _take_out(past: Mapping[int, Collection[str]]) -> int:
    """The values go from the records and from everything that was kept of them; returns how many there were."""
    removed = 0
    for record in SourceRecord.objects.filter(pk__in=past).order_by("pk").select_for_update():
        names = [name for name in past[record.pk] if name in record.attributes]
        removed += len(names)
        for name in names:
            record.attributes.pop(name)
            record.attribute_times.pop(name, None)
        record.content_hash = intake.content_hash(record.attributes)
        record.save(update_fields=["attributes", "attribute_times", "content_hash"])
        _strip(SourceRecordVersion.objects.filter(record=record), names)
    for share in RecordShare.objects.filter(record__in=past).select_for_update():
        share.attributes = _without(share.attributes, past[share.record_id])
        share.attribute_times = _without(share.attribute_times, past[share.record_id])
        share.save(update_fields=["attributes", "attribute_times"])
    for edit in AgentEdit.objects.filter(record__in=past).select_for_update():
        for part in ("attributes", "times"):
            edit.before[part] = _without(edit.before.get(part, {}), past[edit.record_id])
        edit.save(update_fields=["before"])
    pipeline.resolve(list(past), by=ACTOR)
    return removed


def _take_out_of_versions(records: Collection[int], traits: Sequence[str], before: datetime) -> None:
    """What a source said before the days began is past them, also where it has said something else since."""
    old = SourceRecordVersion.objects.filter(
        record__in=records, received_at__lt=before, attributes__has_any_keys=list(traits)
    )
    _strip(old, traits)


def _strip(versions: Any, names: Collection[str]) -> None:
    """Versions are immutable: each goes, and comes again under its id without the values."""
    kept = [version for version in versions.order_by("pk") if any(name in version.attributes for name in names)]
    SourceRecordVersion.objects.filter(pk__in=[version.pk for version in kept]).delete()
    for version in kept:
        version.attributes = _without(version.attributes, names)
        version.content_hash = intake.content_hash(version.attributes)
    SourceRecordVersion.objects.bulk_create(kept)


def _without(said: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name not in names}
