"""Whose number it is that calls: cards that identify nobody, for the agent who asks who is speaking."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from ingestion.normalise.traits import names_of
from profiles import overview
from profiles.calling import numbers
from profiles.labels import value_label
from profiles.models import Call, Identifier, Profile, Trait

MOST = 10  # people of one number who are listed: an office has more, and is asked for by name
_LEADING_VOWELS = frozenset("เแโใไ")  # written before the consonant that they follow in speech
HIDDEN = "••••"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may be calling. `initials` are all of the name that is shown; `language` is the one to greet in.

    `is_earlier`: the number was this customer's once. `record_id`: the customer's record that says so.
    """

    profile: Profile
    record_id: int
    initials: str
    language: str
    is_earlier: bool = False


def of_number(call: Call, *, by: User) -> list[Caller]:
    """The people of the calling number whom the agent may see, at most `MOST` and one: those whose number it is now
    before those whose it was, the most recent first. Five queries at most beside the scope."""
    number, scope = numbers.of_call(call), scope_of(by)
    if number is None or not _sees_phones(scope):
        return []
    found: dict[int, Identifier] = {}
    for identifier in _identifiers(number, scope):
        known = found.get(identifier.profile_id)
        if known is None or (_is_earlier(known) and not _is_earlier(identifier)):
            found[identifier.profile_id] = identifier
    profiles = Profile.objects.visible_to(by).people().in_bulk(found)
    ranked = sorted(found.values(), key=lambda one: (_is_earlier(one), -one.last_stated_at.timestamp(), one.pk))
    listed = [one for one in ranked if one.profile_id in profiles][: MOST + 1]
    cards = _cards([profiles[one.profile_id] for one in listed], scope)
    return [
        Caller(profiles[one.profile_id], one.record_id, *cards[one.profile_id], is_earlier=_is_earlier(one))
        for one in listed
    ]


def one(call: Call, *, by: User) -> Caller | None:
    """The customer of whom the call is, when one is chosen and the agent still may see them. Three queries."""
    if call.profile_id is None or call.record_id is None:
        return None
    profile: Profile | None = Profile.objects.visible_to(by).people().filter(pk=call.profile_id).first()
    if profile is None:
        return None
    return Caller(profile, call.record_id, *_cards([profile], scope_of(by))[profile.pk])


def profile_ids(call: Call) -> frozenset[int]:
    """Everybody who may be calling, whether the agent may see them or not. One query, or none."""
    number = numbers.of_call(call)
    if number is None:
        return frozenset()
    return frozenset(Identifier.objects.filter(kind="phone", value=number).values_list("profile", flat=True))


def chosen(call: Call, public_id: UUID, *, by: User) -> Caller | None:
    """The one of the number's people who has this id."""
    return next((caller for caller in of_number(call, by=by) if caller.profile.public_id == public_id), None)


def _sees_phones(scope: Scope) -> bool:
    if scope.trait_groups is None:
        return True
    group = Trait.objects.filter(name="phone").values_list("group__slug", flat=True).first()
    return group is None or scope.sees_trait_group(group)


def _identifiers(number: str, scope: Scope) -> Any:
    rows = Identifier.objects.filter(kind="phone", value=number).order_by("pk")
    return rows if scope.source_ids is None else rows.filter(record__source__in=scope.source_ids)


def _is_earlier(identifier: Identifier) -> bool:
    return identifier.valid_to is not None or not identifier.is_current


def _cards(profiles: list[Profile], scope: Scope) -> dict[int, tuple[str, str]]:
    """Profile id → (initials, name of the language). Two queries."""
    values = overview.values_of(overview.records_of(profiles, scope), scope)
    return {
        profile.pk: (initials(known), value_label("language", str(known.get("language") or "")))
        for profile in profiles
        for known in [values.get(profile.pk, {})]
    }


def initials(values: Mapping[str, Any]) -> str:
    """How the name begins, always with the same number of dots; "" for nobody's name.

    >>> initials({"first_name": "เกียรติ", "last_name": "ใจดี"})
    'ก•••• จ••••'
    """
    names = names_of(values)
    if not names:
        return ""
    words = [word for word in (names[0].first, names[0].last) if word] or names[0].full.split()[:2]
    return " ".join(f"{_initial(word)}{HIDDEN}" for word in words)


def _initial(word: str) -> str:
    """The first consonant of a Thai word, the first letter of any other."""
    return word[1] if len(word) > 1 and word[0] in _LEADING_VOWELS else word[0].upper()
