"""People as the resolution pipeline would have left them, made without it: profiles, records, identifiers."""

import itertools
from datetime import UTC, datetime
from typing import Any

from ingestion.models import Source
from profiles.models import Identifier, Membership, Profile, SourceRecord

THEN = datetime(2026, 1, 1, tzinfo=UTC)
_numbers = itertools.count(1)
GLOBAL_KINDS = frozenset({"email", "phone", "citizen"})


def make_source(slug: str = "shop", **fields: Any) -> Source:
    return Source.objects.get_or_create(slug=slug, defaults={"name": slug.title(), **fields})[0]


def make_person(*sources: Source, name: str = "สมชาย ใจดี", **fields: Any) -> Profile:
    """A live profile with one record per source, or one record of a shop; the first record is the anchor."""
    profile = None
    for source in sources or (make_source(),):
        record = make_record(source, profile=profile, name=name)
        profile = profile or record.birth_profile
    assert profile is not None
    Profile.objects.filter(pk=profile.pk).update(golden={"name": name}, **fields)
    profile.refresh_from_db()
    return profile


def make_record(
    source: Source | None = None,
    *,
    profile: Profile | None = None,
    name: str = "สมชาย ใจดี",
    kind: str = SourceRecord.Kind.IDENTIFIED,
    external_id: str = "",
) -> SourceRecord:
    """A source record with its birth profile; with `profile` it belongs to that one and its own redirects there."""
    birth = Profile.objects.create(kind=Profile.Kind.IDENTIFIED)
    if profile is not None:
        birth.state, birth.redirect_to = Profile.State.REDIRECTED, profile
        birth.save()
    record = SourceRecord.objects.create(
        source=source or make_source(),
        kind=kind,
        external_id=external_id or f"P{next(_numbers):05}",
        birth_profile=birth,
        attributes={"name": name},
        attribute_times={"name": THEN.isoformat()},
        content_hash=bytes(16),
        first_seen_at=THEN,
        last_seen_at=THEN,
        received_at=THEN,
    )
    Membership.objects.create(record=record, profile=profile or birth, valid_from=THEN)
    return record


def records_of(profile: Profile) -> list[SourceRecord]:
    """Oldest first."""
    memberships = Membership.objects.filter(profile=profile, valid_to__isnull=True).order_by("record_id")
    return [membership.record for membership in memberships.select_related("record__source")]


def hold(record: SourceRecord, kind: str, value: str, **fields: Any) -> Identifier:
    """The record states an identifier."""
    owner = Membership.objects.get(record=record, valid_to__isnull=True).profile
    return Identifier.objects.create(
        kind=kind,
        namespace="global" if kind in GLOBAL_KINDS else record.source.slug,
        value=value,
        raw=fields.pop("raw", value),
        record=record,
        profile=owner,
        is_evidence=not fields.get("problem"),
        valid_from=THEN,
        last_stated_at=THEN,
        **fields,
    )


def merge(survivor: Profile, other: Profile) -> None:
    """What a merge leaves behind, as far as reading goes."""
    Membership.objects.filter(profile=other, valid_to__isnull=True).update(profile=survivor)
    Identifier.objects.filter(profile=other).update(profile=survivor)
    Profile.objects.filter(redirect_to=other).update(redirect_to=survivor)
    Profile.objects.filter(pk=other.pk).update(state=Profile.State.REDIRECTED, redirect_to=survivor)
