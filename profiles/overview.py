"""One customer as one viewer may see them: the records in the viewer's scope, and the golden record made of them.

Nothing that lies outside the scope takes part, neither as a winner nor among the losers nor in a count.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, OuterRef, Prefetch, Subquery, Sum

from cdp_site.core.access import Permission, Scope, may, scope_of
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import masked
from ingestion.models import Source
from profiles import survivorship
from profiles.labels import RULES, value_label
from profiles.models import KindOfData, Membership, Order, Pin, Profile, SourceRecord, Touchpoint, Trait
from profiles.naming import shown_name
from profiles.survivorship import Candidate, Rule

# Values that reach or name a person directly: masked for roles that work with groups, not with people.
DIRECT_IDENTIFIERS = frozenset(
    {"email", "phone", "line_id", "member_id", "national_id", "citizen_id_last4", "passport", "address", "postcode"}
)
OTHER_GROUP = "other"


@dataclass(frozen=True, slots=True)
class Statement:
    """What one record says about a trait; `texts` is ready to be shown (masked where the role asks for it)."""

    texts: tuple[str, ...]
    source: Source
    at: datetime
    pinned: bool


@dataclass(frozen=True, slots=True)
class Attribute:
    """A trait with its winner and the rule by which it won; `others` are the values that lost, best first."""

    trait: Trait
    winner: Statement
    rule: Rule
    others: tuple[Statement, ...]
    record_id: int

    @property
    def rule_text(self) -> str:
        return str(RULES[self.rule])

    @property
    def is_disputed(self) -> bool:
        return any(other.texts != self.winner.texts for other in self.others)


@dataclass(frozen=True, slots=True)
class Group:
    """Attributes of one of the four kinds of data."""

    kind: str
    label: str
    attributes: Sequence[Attribute]


@dataclass(frozen=True, slots=True)
class Figures:
    """Sums over the orders that the viewer may see, cancelled ones left out: `value` by currency, after refunds."""

    orders: int = 0
    value: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overview:
    profile: Profile
    name: str
    values: Mapping[str, Any]  # golden for this viewer: trait → value, unmasked
    groups: Sequence[Group]
    records: Sequence[SourceRecord]
    figures: Figures
    last_seen_at: datetime | None
    first_seen_at: datetime | None
    shows_identifiers: bool

    @property
    def sources(self) -> list[Source]:
        """The sources that know this customer, each once."""
        return list({record.source_id: record.source for record in self.records}.values())


def with_last_touch(profiles: Any, scope: Scope) -> Any:
    """Profiles annotated with `last_touch_at`: the latest touchpoint in scope, from the index of the timeline."""
    touchpoints = Touchpoint.objects.filter(profile=OuterRef("pk")).within(scope).order_by("-occurred_at")
    return profiles.annotate(last_touch_at=Subquery(touchpoints.values("occurred_at")[:1]))


def records_of(profiles: Iterable[Profile], scope: Scope) -> dict[int, list[SourceRecord]]:
    """Profile id → its records now that the scope sees, oldest intake first. One query, and one for their pins."""
    memberships = (
        Membership.objects.filter(profile__in=list(profiles), valid_to__isnull=True)
        .select_related("record__source")
        .prefetch_related(Prefetch("record__pins", Pin.objects.order_by("pk")))
        .order_by("record_id")
    )
    if scope.source_ids is not None:
        memberships = memberships.filter(record__source__in=scope.source_ids)
    found: dict[int, list[SourceRecord]] = defaultdict(list)
    for membership in memberships:
        found[membership.profile_id].append(membership.record)
    return found


def golden_of(records: Sequence[SourceRecord], traits: Mapping[str, Trait], scope: Scope) -> dict[str, Any]:
    """Trait → winner (`survivorship.Winner`) among what these records say within the scope."""
    return survivorship.golden(_candidates(records, traits, scope))


def traits_of(records: Iterable[SourceRecord]) -> dict[str, Trait]:
    """Name → trait with its group, for all that the records say. One query."""
    names = {name for record in records for name in record.attributes}
    return {trait.name: trait for trait in Trait.objects.filter(name__in=names).select_related("group")}


def names_of(profiles: Sequence[Profile], scope: Scope) -> dict[int, dict[str, Any]]:
    """Profile id → golden values for this scope, for lists. Without a scope no query, else three."""
    if scope.is_unrestricted:
        return {profile.pk: profile.golden for profile in profiles}
    records = records_of(profiles, scope)
    traits = traits_of(record for of_profile in records.values() for record in of_profile)
    return {
        profile.pk: survivorship.values(golden_of(records[profile.pk], traits, scope)) if profile.pk in records else {}
        for profile in profiles
    }


def shows_identifiers_to(user: User) -> bool:
    """Whether the role sees what reaches or names a person directly, unmasked."""
    return may(user, Permission.SEE_IDENTIFIERS)


def load(profile: Profile, *, by: User) -> Overview:
    """The overview of a profile that came through `with_last_touch`. Four queries beside the viewer's scope."""
    scope = scope_of(by)
    shows_identifiers = shows_identifiers_to(by)
    records = records_of([profile], scope)[profile.pk]
    traits = traits_of(records)
    winners = golden_of(records, traits, scope)
    values = survivorship.values(winners)
    seen = [record.last_seen_at for record in records]
    if profile.last_touch_at is not None:
        seen.append(profile.last_touch_at)
    return Overview(
        profile=profile,
        name=shown_name(values),
        values=values,
        groups=_groups(winners, traits, records, shows_identifiers=shows_identifiers),
        records=records,
        figures=_figures(profile, scope),
        last_seen_at=max(seen, default=None),
        first_seen_at=min((record.first_seen_at for record in records), default=None),
        shows_identifiers=shows_identifiers,
    )


def _candidates(records: Sequence[SourceRecord], traits: Mapping[str, Trait], scope: Scope) -> list[Candidate]:
    groups = {name: (trait.group.kind_of_data, trait.group.slug) for name, trait in traits.items()}
    return [
        candidate
        for record in records
        for candidate in survivorship.candidates_of(
            record_id=record.pk,
            source_id=record.source_id,
            trust_rank=record.source.trust_rank,
            attributes=record.attributes,
            times=record.attribute_times,
            last_seen_at=record.last_seen_at,
            pinned={pin.trait for pin in record.pins.all()},
            groups=groups,
        )
        if candidate.trait in traits and scope.sees_trait_group(candidate.trait_group)
    ]


def _groups(
    winners: Mapping[str, Any],
    traits: Mapping[str, Trait],
    records: Sequence[SourceRecord],
    *,
    shows_identifiers: bool,
) -> list[Group]:
    sources = {record.source_id: record.source for record in records}

    def statement(candidate: Candidate) -> Statement:
        hides = not shows_identifiers and candidate.trait in DIRECT_IDENTIFIERS
        texts = tuple(value_label(candidate.trait, text) for text in texts_of(candidate.value))
        return Statement(
            texts=tuple(masked(text) for text in texts) if hides else texts,
            source=sources[candidate.source_id],
            at=candidate.observed_at,
            pinned=candidate.pinned,
        )

    by_kind: dict[str, list[Attribute]] = defaultdict(list)
    for name, winner in winners.items():
        trait = traits[name]
        by_kind[trait.group.kind_of_data].append(
            Attribute(
                trait=trait,
                winner=statement(winner.candidate),
                rule=winner.rule,
                others=tuple(statement(loser) for loser in winner.losers),
                record_id=winner.candidate.record_id,
            )
        )
    return [
        Group(kind, str(label), sorted(by_kind[kind], key=_place))
        for kind, label in KindOfData.choices
        if by_kind[kind]
    ]


def _place(attribute: Attribute) -> tuple[int, int, str]:
    trait = attribute.trait
    return (trait.group.position, trait.position, trait.name)


def texts_of(value: Any) -> tuple[str, ...]:
    """A trait's value as lines of text: a list gives one each, a structure its parts in one."""
    if isinstance(value, list):
        return tuple(text for element in value for text in texts_of(element))
    if isinstance(value, dict):
        return (" ".join(text for part in value.values() for text in texts_of(part)),)
    if isinstance(value, bool):
        return ("✓" if value else "✗",)
    return (str(value),)


def orders_of(profile: Profile, scope: Scope) -> Any:
    """The profile's orders that the scope sees: those of which it sees a touchpoint."""
    orders = Order.objects.filter(profile=profile)
    if scope.source_ids is not None:
        orders = orders.filter(source__in=scope.source_ids)
    if scope.event_type_ids is not None:
        touchpoints = Touchpoint.objects.filter(profile=profile, order__isnull=False).within(scope)
        orders = orders.filter(pk__in=touchpoints.values("order"))
    return orders


def _figures(profile: Profile, scope: Scope) -> Figures:
    orders = orders_of(profile, scope).exclude(status=Order.Status.CANCELLED)
    sums = orders.values("currency").annotate(n=Count("*"), total=Sum("total"), refunded=Sum("refunded"))
    rows = list(sums.order_by("-n"))
    return Figures(
        orders=sum(row["n"] for row in rows),
        value={row["currency"]: row["total"] - row["refunded"] for row in rows},
    )
