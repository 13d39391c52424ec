"""The list of people in the order of their names: a page by key, seen through the viewer's scope."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import masked
from profiles import overview
from profiles.models import Membership, Profile
from profiles.naming import shown_name

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """A customer in a list; `phone` and `email` are ready to be shown."""

    profile: Profile
    name: str
    phone: str
    email: str
    city: str
    sources: Sequence[str]


@dataclass(frozen=True, slots=True)
class Page:
    rows: Sequence[Row]
    next: UUID | None


def page(*, by: User, after: UUID | None = None, size: int = PAGE_SIZE) -> Page:
    """People behind `after`, those without a name last. Four queries beside the scope, seven within one.

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
    """What a list shows of these customers to this viewer. One query, four within a scope."""
    scope = scope_of(by)
    values = overview.names_of(profiles, scope)
    sources = _sources(profiles, scope)
    hides = not overview.shows_identifiers_to(by)

    def contact(of: Mapping[str, Any], trait: str) -> str:
        texts = overview.texts_of(of[trait]) if trait in of else ()
        text = texts[0] if texts else ""
        return masked(text) if hides else text

    return [
        Row(
            profile=profile,
            name=shown_name(values[profile.pk]),
            phone=contact(values[profile.pk], "phone"),
            email=contact(values[profile.pk], "email"),
            city=next(
                (str(values[profile.pk][trait]) for trait in ("province", "city") if values[profile.pk].get(trait)), ""
            ),
            sources=sources.get(profile.pk, ()),
        )
        for profile in profiles
    ]


def _sources(profiles: Sequence[Profile], scope: Scope) -> dict[int, list[str]]:
    """Profile id → names of the sources that know the customer, in the order of intake. One query."""
    memberships = Membership.objects.filter(profile__in=profiles, valid_to__isnull=True).order_by("record")
    if scope.source_ids is not None:
        memberships = memberships.filter(record__source__in=scope.source_ids)
    found: dict[int, dict[str, None]] = {}
    for profile_id, name in memberships.values_list("profile", "record__source__name"):
        found.setdefault(profile_id, {})[name] = None
    return {profile_id: list(names) for profile_id, names in found.items()}
