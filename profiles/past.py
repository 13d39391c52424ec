"""A customer as they were at the end of a day: which records were theirs, what these said, and what had happened.

Everything is asked by our own clock, that is: what we knew then. Memberships, versions of records, pins, touchpoints,
notes and consents are kept with their times, so that this is exact, within limits: a value that a source has repeated
unchanged since has the time of its first statement or of the last one, orders have their present lines, and trust in
sources and what departments may see is of today. What has been erased was never there.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from cdp_site.core.access import Scope
from profiles.models import Membership, Order, Pin, Profile, SourceRecord, SourceRecordVersion, Touchpoint

QUERY = "as_of"


@dataclass(frozen=True, slots=True)
class Past:
    """`records` are those of the customer then that the scope sees, as they were, oldest intake first.

    `record_ids` are all of theirs, whoever may see them; `held_by` the profiles that hold these records today.
    """

    day: date
    at: datetime  # the first moment that is too late
    records: Sequence[SourceRecord]
    record_ids: Collection[int]
    held_by: Collection[int]

    def touchpoints(self, scope: Scope) -> "QuerySet[Touchpoint]":
        """What had happened and was known then."""
        rows: QuerySet[Touchpoint] = Touchpoint.objects.filter(
            # By profile as well: there is no index on the record.
            profile__in=self.held_by,
            record__in=[record.pk for record in self.records],
            occurred_at__lt=self.at,
            received_at__lt=self.at,
        ).within(scope)
        return rows

    def orders(self) -> "QuerySet[Order]":
        return Order.objects.filter(
            profile__in=self.held_by, record__in=[record.pk for record in self.records], placed_at__lt=self.at
        )


def day_of(query: Mapping[str, str]) -> date | None:
    """The day that an address asks for; None for today, for the future and for what is no day."""
    try:
        asked = date.fromisoformat(query.get(QUERY, ""))
    except ValueError:
        return None
    return asked if asked < timezone.localdate() else None


def asked(profile: Profile, query: Mapping[str, str], *, scope: Scope) -> Past | None:
    """The past that an address asks for; None for the page as it is now."""
    day = day_of(query)
    return None if day is None else look_back(profile, day, scope=scope)


def look_back(profile: Profile, day: date, *, scope: Scope) -> Past:
    """The customer whom the profile's own record belonged to at the end of the day. Three queries."""
    return at_moment(profile, timezone.make_aware(datetime.combine(day + timedelta(days=1), time())), scope=scope)


def at_moment(profile: Profile, at: datetime, *, scope: Scope) -> Past:
    """The same just before a moment. Three queries."""
    owner = Membership.objects.filter(_at(at), record__birth_profile=profile).values("profile")
    now = Membership.objects.filter(record=OuterRef("record"), valid_to__isnull=True)
    kept = (
        Membership.objects.filter(_at(at), profile__in=list(owner.values_list("profile", flat=True)))
        .filter(Exists(now.filter(profile__state=Profile.State.LIVE)))
        .annotate(held_by=now.values("profile")[:1])
    )
    held_by: dict[int, int] = dict(kept.values_list("record", "held_by"))
    pins = Pin.objects.stood(at).filter(record=OuterRef("pk")).order_by("trait")
    records = (
        SourceRecord.objects.filter(pk__in=held_by)
        .annotate(pinned=ArraySubquery(pins.values("trait")), pin_ends=ArraySubquery(pins.values("expires_at")))
        .select_related("source")
    )
    day = timezone.localdate(at - timedelta(microseconds=1))
    if scope.source_ids is not None:
        records = records.filter(source__in=scope.source_ids)
    return Past(
        day=day,
        at=at,
        records=_as_they_were(list(records.order_by("pk")), at),
        record_ids=frozenset(held_by),
        held_by=frozenset(held_by.values()),
    )


def _at(moment: datetime) -> Q:
    return Q(valid_from__lt=moment) & (Q(valid_to__isnull=True) | Q(valid_to__gte=moment))


def _as_they_were(records: Sequence[SourceRecord], at: datetime) -> list[SourceRecord]:
    """The records with the attributes of then; these objects are shown and never saved."""
    versions: dict[int, list[SourceRecordVersion]] = defaultdict(list)
    known = SourceRecordVersion.objects.filter(record__in=records, received_at__lt=at)
    for version in known.order_by("pk"):
        versions[version.record_id].append(version)
    for record in records:
        attributes, times = _replayed(versions[record.pk], record, at)
        record.attributes, record.attribute_times = attributes, times
        if versions[record.pk]:
            record.last_seen_at = min(record.last_seen_at, max(one.occurred_at for one in versions[record.pk]))
    return list(records)


def _replayed(
    versions: Sequence[SourceRecordVersion], record: SourceRecord, at: datetime
) -> tuple[dict[str, Any], dict[str, str]]:
    """The latest attributes among the versions, and when each value was stated."""
    said: Mapping[str, Any] = {}
    times: dict[str, str] = {}
    for version in versions:
        for trait, value in version.attributes.items():
            if trait not in said or said[trait] != value:
                times[trait] = version.occurred_at.isoformat()
        said = version.attributes
    for trait, value in said.items():
        stated = record.attribute_times.get(trait, "")
        # Unchanged to this day and not said again: the record still knows when.
        if stated and record.attributes.get(trait) == value and datetime.fromisoformat(stated) < at:
            times[trait] = stated
    return dict(said), {trait: times[trait] for trait in said}
