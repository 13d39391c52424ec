"""Opening customers: who may, what is logged of it, and which were opened last."""

from collections.abc import Iterable
from uuid import UUID

from cdp_site.core.access import scope_of
from cdp_site.core.audit import actor_name
from cdp_site.core.models import AccessLogEntry, User
from profiles.models import Profile
from profiles.overview import with_last_touch

# What is written into the access log.
OPENED = "profile.view"
TIMELINE = "profile.timeline"
RECORDS = "profile.records"
NOTES = "profile.notes"
EDITED = "profile.edit"
CASES = "profile.cases"
COMPARED = "profile.compare"
EXPLAINED = "profile.explanation"
HOUSEHOLD = "profile.household"
ASKED = "profile.question"
YEAR = "profile.year"
BY_API = "profile.api"
FOUND = "search.hit"
RECENT = 8  # the strip of recent customers: Alt+1 … Alt+8
# A day of one agent is below 200 openings; more rows than this are not read for the eight.
_LOOK_BACK = 400


def find(public_id: UUID, *, by: User) -> Profile | None:
    """The live profile of this id if the user may see it, with its last touch; None otherwise. One query."""
    profiles = with_last_touch(Profile.objects.visible_to(by), scope_of(by))
    profile: Profile | None = profiles.filter(public_id=public_id).first()
    return profile


def successor(public_id: UUID, *, by: User) -> Profile | None:
    """The profile into which this one was merged, if the user may see it. One query."""
    profile: Profile | None = Profile.objects.visible_to(by).filter(births__public_id=public_id).first()
    return profile


def log(profiles: Iterable[Profile], *, by: User, what: str) -> None:
    """Write down that somebody saw these customers. One query."""
    actor = actor_name(by)
    AccessLogEntry.objects.bulk_create(
        AccessLogEntry(actor=actor, profile=profile.public_id, what=what) for profile in profiles
    )


def recent(*, by: User) -> list[Profile]:
    """The customers that the user opened last and still may see, latest first. Two queries beside the scope."""
    latest = (
        AccessLogEntry.objects.filter(actor=actor_name(by), what=OPENED)
        .order_by("-pk")
        .values_list("profile", flat=True)[:_LOOK_BACK]
    )
    ids = list(dict.fromkeys(latest))[: 2 * RECENT]
    visible = Profile.objects.visible_to(by).in_bulk(ids, field_name="public_id")
    return [visible[public_id] for public_id in ids if public_id in visible][:RECENT]
