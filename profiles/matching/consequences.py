"""What decisions on records would do to the customers, told before anybody makes them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from cdp_site.core import impact
from profiles import merging
from profiles.models import Membership, Order, Profile, Touchpoint
from profiles.resolution import neighbourhood
from profiles.resolution.decision_log import NewDecision
from profiles.resolution.neighbourhood import Neighbourhood


@dataclass(frozen=True, slots=True)
class Consequences:
    """What would follow.

    Attributes:
        customers_before, customers_after: of those whose records are named.
        touchpoints, orders: how many would have another owner.
        effects: on consents and segments, in the words of a merge's preview, of all together.
    """

    customers_before: int = 0
    customers_after: int = 0
    touchpoints: int = 0
    orders: int = 0
    effects: Sequence[impact.Effect] = ()


def foresee(record_ids: Collection[int], decide: Callable[[Neighbourhood], Sequence[NewDecision]]) -> Consequences:
    """Changes nothing. `decide` is given what surrounds the customers of these records."""
    current = Membership.objects.filter(record__in=record_ids, valid_to=None).values("profile")
    members = merging.members_of(Profile.objects.live().filter(pk__in=current))
    around = neighbourhood.read(members)
    found = merging.foresee(around, decide(around))
    before = {number: around.records[number].profile_id for number in members if number in around.records}
    after = {number: around.records[found.anchor_of[number]].birth_profile_id for number in before}
    moved = [number for number in before if before[number] != after[number]]
    groups_before, groups_after = _groups(before), _groups(after)
    left = {before[number] for number in moved}
    return Consequences(
        customers_before=len(groups_before),
        customers_after=len(groups_after),
        touchpoints=Touchpoint.objects.filter(profile__in=left, record__in=moved).count(),
        orders=Order.objects.filter(record__in=moved).count(),
        effects=impact.effects(groups_before, groups_after) if moved else (),
    )


def _groups(owner_of: Mapping[int, int]) -> list[frozenset[int]]:
    groups: dict[int, set[int]] = {}
    for number, owner in owner_of.items():
        groups.setdefault(owner, set()).add(number)
    return sorted(map(frozenset, groups.values()), key=min)
