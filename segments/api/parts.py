"""The computed traits of a customer and the segments that they are in, as parts of the customer's answer to programs
(`profiles.api.parts`)."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from cdp_site.core.access import scope_of
from cdp_site.core.models import User
from cdp_site.core.rest_shapes import shape
from profiles import masking
from profiles.api import parts
from profiles.api.parts import Part
from profiles.models import Profile
from segments import audience
from segments.models import Segment
from segments.traits import reading
from segments.traits.formula import Calculation, days_since
from segments.traits.reading import Known

_COMPUTED = serializers.DictField(
    child=serializers.JSONField(allow_null=True),
    required=False,
    help_text="What was worked out from what the customer did, by the names that segments call it: a number, a text, a "
    "list, a moment; null where there is nothing to work it out from.",
)
_SEGMENTS = shape(
    "SegmentOfCustomer",
    {"id": serializers.UUIDField(), "name": serializers.CharField()},
    many=True,
    required=False,
    help_text="That the customer is in now, of those that your department may know.",
)


def register() -> None:
    parts.register(Part("computed", _COMPUTED, _computed), Part("segments", _SEGMENTS, _segments))


def _segments(profile: Profile, by: User) -> list[dict[str, Any]]:
    """Three queries beside the user's scope."""
    found = audience.standing(profile, Segment.objects.named_to(by), scope_of(by)).segments
    return [{"id": segment.pk, "name": segment.name} for segment in found]


def _computed(profile: Profile, by: User) -> dict[str, Any]:
    """Five queries at most beside the user's scope and whether identifiers are shown."""
    now = timezone.now()
    seen = reading.seen(scope_of(by))
    values = seen.values_of(profile, now=now)
    shows = masking.shows_identifiers(by, profile.pk)
    told = {}
    for known in seen.known:
        stored = values.get(known.trait.pk)
        for name, channel in zip(known.names, known.channels, strict=True):
            of_channel = (stored or {}).get(channel) if known.formula.per_channel else stored
            told[name] = _value(known, of_channel, now, shows=shows)
    return told


def _value(known: Known, stored: Any, now: datetime, *, shows: bool) -> Any:
    if stored is None:
        return known.formula.of_none
    if known.formula.calculation is Calculation.DAYS_SINCE:
        return days_since(stored, timezone.localdate(now), audience.company_time_zone())
    if isinstance(stored, list):
        return [_readable(one, shows=shows) for one in stored]
    return _readable(stored, shows=shows)


def _readable(value: Any, *, shows: bool) -> Any:
    return masking.readable(value, shows=shows) if isinstance(value, str) else value
