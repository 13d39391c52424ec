"""The list of people in the order of their names: a page by key, seen through the viewer's scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from cdp_site.core.access import scope_of
from cdp_site.core.models import User
from ingestion.models import Source
from profiles import listing, masking, overview
from profiles.labels import value_label
from profiles.models import Profile
from profiles.naming import shown_name

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A customer in a list; `phone` and `email` are ready to be shown."""

    profile: Profile
    name: str
    phone: str
    email: str
    place: str
    listed: listing.Listed | None

    @property
    def sources(self) -> Sequence[Source]:
        return self.listed.sources if self.listed else ()


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Row]
    next: UUID | None


def page(*, by: User, after: UUID | None = None, size: int = PAGE_SIZE) -> Page:
    """People behind `after`, those without a name last. Four queries beside the scope, one more for a key.

    The key is a public id and not a name, because keys stand in addresses.
    """
    people = Profile.objects.visible_to(by).people().order_by("sort_name", "id")
    named, nameless = people.exclude(sort_name=""), people.filter(sort_name="")
    last = Profile.objects.filter(public_id=after).only("sort_name").first() if after else None
    if last is not None and last.sort_name:
        # Said in this way the index `profile_people` is entered at the key.
        named = named.filter(Q(sort_name__gte=last.sort_name) & ~Q(sort_name=last.sort_name, id__lte=last.pk))
    elif last is not None:
        named, nameless = named.none(), nameless.filter(id__gt=last.pk)
    found = list(named[: size + 1])
    if len(found) <= size:
        found += nameless[: size + 1 - len(found)]
    shown = found[:size]
    return Page(
        rows=rows(shown, by=by),
        next=shown[-1].public_id if len(found) > size else None,
    )


def rows(profiles: Sequence[Profile], *, by: User) -> list[Row]:
    """What a list shows of these customers to this viewer, in their order. One query beside the scope, one more when
    sources are shown."""
    listed = listing.read(profiles, scope_of(by))
    return [_row(profile, listed.get(profile.pk), by=by) for profile in profiles]


def _row(profile: Profile, listed: listing.Listed | None, *, by: User) -> Row:
    known = listed.values if listed else {}
    shows = masking.shows_identifiers(by, profile.pk)

    def contact(trait: str) -> str:
        texts = overview.texts_of(known[trait])[:1] if trait in known else ()
        return next(iter(masking.shown(trait, [value_label(trait, text) for text in texts], shows=shows)), "")

    return Row(
        profile=profile,
        name=masking.readable(shown_name(known), shows=shows),
        phone=contact("phone"),
        email=contact("email"),
        place=next((str(known[trait]) for trait in ("province", "city") if known.get(trait)), ""),
        listed=listed,
    )
