"""The list of people in the order of their names: a page by key, seen through the viewer's scope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from cdp_site.core.access import scope_of
from cdp_site.core.models import User
from ingestion.models import Source
from profiles import masking, overview
from profiles.labels import value_label
from profiles.models import Profile, SourceRecord
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
    sources: Sequence[Source]


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


def rows(
    profiles: Sequence[Profile], *, by: User, records: Mapping[int, Sequence[SourceRecord]] | None = None
) -> list[Row]:
    """What a list shows of these customers to this viewer, in their order. Two queries beside the scope, one where
    their `records` are known (`overview.records_of`)."""
    scope = scope_of(by)
    records = overview.records_of(profiles, scope) if records is None else records
    values = overview.values_of(records, scope)

    def contact(profile: Profile, of: Mapping[str, Any], trait: str) -> str:
        texts = overview.texts_of(of[trait])[:1] if trait in of else ()
        labels = (value_label(trait, text) for text in texts)
        return next(iter(masking.shown(trait, labels, shows=masking.shows_identifiers(by, profile.pk))), "")

    return [
        Row(
            profile=profile,
            name=masking.readable(shown_name(known), shows=masking.shows_identifiers(by, profile.pk)),
            phone=contact(profile, known, "phone"),
            email=contact(profile, known, "email"),
            place=next((str(known[trait]) for trait in ("province", "city") if known.get(trait)), ""),
            sources=overview.sources_of(records.get(profile.pk, ())),
        )
        for profile in profiles
        for known in [values.get(profile.pk, {})]
    ]
