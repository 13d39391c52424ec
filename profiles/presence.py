"""Who else has a customer's page open just now, and what they changed since it was opened here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from cdp_site.core.access import scope_of
from cdp_site.core.models import User
from profiles.models import AgentEdit, Membership, Presence, Profile, Trait

# The page says so every five seconds (templates/profiles/_presence.html); twice missed, somebody is gone.
GONE_AFTER = timedelta(seconds=13)
FORGOTTEN_AFTER = timedelta(minutes=5)
MOST = 8


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else who has the page open; `trait`: what they are changing, when the viewer may see that it exists."""

    user: User
    trait: Trait | None


@dataclass(frozen=True, slots=True)
class News:
    """What one colleague changed since the page was opened; only traits that the viewer sees."""

    user: User | None
    traits: Sequence[Trait]
    at: datetime


def look(profile: Profile, *, by: User, trait: str = "") -> list[Other]:
    """Say that the user has the page open, with the form of a trait or none; returns who else has. At most four
    queries beside the scope.

    Who stopped looking long ago is forgotten by whoever looks next at anybody.
    """
    now = timezone.now()
    Presence.objects.filter(seen_at__lt=now - FORGOTTEN_AFTER).delete()
    Presence.objects.bulk_create(
        [Presence(profile=profile, user=by, seen_at=now, trait=trait)],
        update_conflicts=True,
        unique_fields=["profile", "user"],
        update_fields=["seen_at", "trait"],
    )
    there = Presence.objects.filter(profile=profile, seen_at__gt=now - GONE_AFTER).exclude(user=by)
    rows = list(there.select_related("user", "user__department").order_by("pk")[:MOST])
    traits = _visible({row.trait for row in rows} - {""}, by=by)
    return [Other(row.user, traits.get(row.trait)) for row in rows]


def news(profile: Profile, *, since: datetime, by: User) -> list[News]:
    """What others changed since then and has not been undone, newest first. One query, two when there is any."""
    records = Membership.objects.filter(profile=profile, valid_to=None).values("record")
    edits = AgentEdit.objects.filter(record__in=records, at__gt=since, undone_at=None).exclude(by=by)
    rows = list(edits.select_related("by").order_by("-at")[:MOST])
    traits = _visible({name for row in rows for name in row.traits}, by=by)
    found = [News(row.by, [traits[name] for name in row.traits if name in traits], row.at) for row in rows]
    return [one for one in found if one.traits]


def _visible(names: set[str], *, by: User) -> dict[str, Trait]:
    if not names:
        return {}
    scope = scope_of(by)
    known = Trait.objects.filter(name__in=names).select_related("group")
    return {trait.name: trait for trait in known if scope.sees_trait_group(trait.group.slug)}
