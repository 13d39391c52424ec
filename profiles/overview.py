"""One customer as one viewer may see them: the records in the viewer's scope, and the golden record made of them.

Nothing that lies outside the scope takes part, neither as a winner nor among the losers nor in a count.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Count,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from ingestion.models import Source
from profiles import masking, money, survivorship
from profiles.labels import RULES, value_label
from profiles.models import (
    AccountMembership,
    KindOfData,
    Order,
    Pin,
    Profile,
    Refund,
    SourceRecord,
    Touchpoint,
    Trait,
    VerifiedRecord,
)
from profiles.naming import shown_name
from profiles.past import Past
from profiles.survivorship import Candidate, Rule

OTHER_GROUP = "other"
ICON_OF_SOURCE: Mapping[str, str] = {
    Source.Kind.SHOP: "world",
    Source.Kind.APP: "device-mobile",
    Source.Kind.POS: "building-store",
    Source.Kind.CALL_CENTRE: "headset",
    Source.Kind.LINE: "brand-line",
    Source.Kind.CRM: "address-book",
    Source.Kind.OTHER: "database",
    Source.Kind.INTERNAL: "user-check",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """What one record says about a trait; `texts` is ready to be shown (masked where the role asks for it)."""

    record_id: int
    texts: tuple[str, ...]
    source: Source
    at: datetime
    pinned: bool
    pinned_until: datetime | None = None

    @property
    def source_name(self) -> str:
        return source_name(self.source)

    @property
    def source_icon(self) -> str:
        return ICON_OF_SOURCE[self.source.kind]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A trait with its winner and the rule by which it won; `others` are the values that lost, best first."""

    trait: Trait
    winner: Statement
    rule: Rule
    others: tuple[Statement, ...]

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
    """Sums over the orders that the viewer may see, cancelled ones left out, after refunds.

    `value` is in the company's currency, each order at the rate of its day; `by_currency` what it is made of, and
    `unconverted` the part of it in currencies for which there is no rate, which `value` lacks.
    """

    orders: int = 0
    value: Decimal = Decimal(0)
    by_currency: Mapping[str, Decimal] = field(default_factory=dict)
    unconverted: Mapping[str, Decimal] = field(default_factory=dict)
    last_order_at: datetime | None = None

    @property
    def is_mixed(self) -> bool:
        return any(currency != settings.COMPANY_CURRENCY for currency in self.by_currency)


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
    def is_verified(self) -> bool:
        """Whether a person has made sure of a record; nobody is said to have been on an earlier day."""
        return any(getattr(record, "is_verified", False) for record in self.records)

    @property
    def sources(self) -> list[Source]:
        return sources_of(self.records)


def source_name(source: Source) -> str:
    """Who said it; what staff typed is theirs, and not the platform's."""
    return _("Agent") if source.kind == Source.Kind.INTERNAL else str(source)


def sources_of(records: Iterable[SourceRecord]) -> list[Source]:
    """The sources that told us of a customer, each once, in the order of intake; what agents added is our own."""
    told = [record for record in records if record.kind != SourceRecord.Kind.AGENT]
    return list({record.source_id: record.source for record in told}.values())


def source_of_value(profile: Profile, *, record_id: int, trait: str, by: User) -> SourceRecord | None:
    """The customer's record that states this trait, when the user may see both; None otherwise. Two queries."""
    scope = scope_of(by)
    records = [record for record in records_of([profile], scope)[profile.pk] if record.pk == record_id]
    known = traits_of(records).get(trait)
    if known is None or not scope.sees_trait_group(known.group.slug):
        return None
    return records[0]


def with_last_touch(profiles: Any, scope: Scope) -> Any:
    """Profiles annotated with `last_touch_at`: the latest touchpoint in scope, from the index of the timeline."""
    touchpoints = Touchpoint.objects.filter(profile=OuterRef("pk")).within(scope).order_by("-occurred_at")
    return profiles.annotate(last_touch_at=Subquery(touchpoints.values("occurred_at")[:1]))


def records_of(profiles: Iterable[Profile], scope: Scope) -> dict[int, list[SourceRecord]]:
    """Profile id → its records now that the scope sees, oldest intake first, with `pinned` traits. One query."""
    now = FilteredRelation("memberships", condition=Q(memberships__valid_to__isnull=True))
    records = _seen_records(scope).annotate(now=now, owner_id=F("now__profile")).filter(now__profile__in=list(profiles))
    found: dict[int, list[SourceRecord]] = defaultdict(list)
    for record in records:
        found[record.owner_id].append(record)
    return found


def records_by_id(record_ids: Iterable[int], scope: Scope) -> list[SourceRecord]:
    """Those of these records that the scope sees and that belong to nobody being erased, oldest intake first, with
    `pinned` traits. One query."""
    now = Q(memberships__valid_to__isnull=True, memberships__profile__state=Profile.State.LIVE)
    return list(_seen_records(scope).filter(now, pk__in=list(record_ids)))


def _seen_records(scope: Scope) -> "QuerySet[Any, Any]":
    pins = Pin.objects.in_force().filter(record=OuterRef("pk")).order_by("trait")
    records = SourceRecord.objects.annotate(
        pinned=ArraySubquery(pins.values("trait")),
        pin_ends=ArraySubquery(pins.values("expires_at")),
        # Few have either: who asks need not read on for the others.
        acts_for_somebody=Exists(AccountMembership.objects.filter(record=OuterRef("pk"))),
        is_verified=Exists(VerifiedRecord.objects.filter(record=OuterRef("pk"))),
    ).select_related("source")
    if scope.source_ids is not None:
        records = records.filter(source__in=scope.source_ids)
    return records.order_by("pk")


def golden_of(records: Sequence[SourceRecord], traits: Mapping[str, Trait], scope: Scope) -> dict[str, Any]:
    """Trait → winner (`survivorship.Winner`) among what these records say within the scope."""
    return survivorship.golden(_candidates(records, traits, scope))


def traits_of(records: Iterable[SourceRecord]) -> dict[str, Trait]:
    """Name → trait with its group, for all that the records say. One query."""
    names = {name for record in records for name in record.attributes}
    return {trait.name: trait for trait in Trait.objects.filter(name__in=names).select_related("group")}


def values_of(records: Mapping[int, Sequence[SourceRecord]], scope: Scope) -> dict[int, dict[str, Any]]:
    """Profile id → golden values among these records within the scope. One query for many profiles."""
    traits = traits_of(record for of_profile in records.values() for record in of_profile)
    return {
        profile_id: survivorship.values(golden_of(of_profile, traits, scope))
        for profile_id, of_profile in records.items()
    }


def load(profile: Profile, *, by: User, past: Past | None = None) -> Overview:
    """The overview of a profile that came through `with_last_touch`. Three queries beside the viewer's scope; of a
    customer as they were (`past`) three."""
    scope = scope_of(by)
    shows_identifiers = masking.shows_identifiers(by, profile.pk)
    records = past.records if past else records_of([profile], scope)[profile.pk]
    traits = traits_of(records)
    winners = golden_of(records, traits, scope)
    values = survivorship.values(winners)
    touched_at = _last_touch_of(past, scope) if past else getattr(profile, "last_touch_at", None)
    told = [record for record in records if record.kind != SourceRecord.Kind.AGENT] or records
    seen = [record.last_seen_at for record in told] + ([touched_at] if touched_at else [])
    return Overview(
        profile=profile,
        name=masking.readable(shown_name(values), shows=shows_identifiers),
        values=values,
        groups=_groups(winners, traits, records, shows_identifiers=shows_identifiers),
        records=records,
        figures=_figures(profile, scope, past=past),
        last_seen_at=max(seen, default=None),
        first_seen_at=min((record.first_seen_at for record in told), default=None),
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
            external_id=record.external_id,
            trust_rank=record.source.trust_rank,
            attributes=record.attributes,
            times=record.attribute_times,
            last_seen_at=record.last_seen_at,
            pinned=record.pinned,  # type: ignore[attr-defined]
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
    ends = {
        (record.pk, trait): end
        for record in records
        for trait, end in zip(record.pinned, record.pin_ends, strict=True)  # type: ignore[attr-defined]
    }

    def statement(candidate: Candidate) -> Statement:
        texts = tuple(value_label(candidate.trait, text) for text in texts_of(candidate.value))
        return Statement(
            record_id=candidate.record_id,
            texts=masking.shown(candidate.trait, texts, shows=shows_identifiers),
            source=sources[candidate.source_id],
            at=candidate.observed_at,
            pinned=candidate.pinned,
            pinned_until=ends.get((candidate.record_id, candidate.trait)),
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


def orders_of(profile: Profile, scope: Scope, *, past: Past | None = None) -> Any:
    """The profile's orders that the scope sees: those of which it sees a touchpoint."""
    orders = past.orders() if past else Order.objects.filter(profile=profile)
    if scope.source_ids is not None:
        orders = orders.filter(source__in=scope.source_ids)
    if scope.event_type_ids is not None:
        told: Any = past.touchpoints(scope) if past else Touchpoint.objects.filter(profile=profile).within(scope)
        orders = orders.filter(pk__in=told.filter(order__isnull=False).values("order"))
    return orders


def paid_orders(orders: Any, past: Past | None) -> Any:
    """Orders that were not cancelled, with `paid`: what is left of each after refunds, and its `rate`."""
    if past is None:
        kept = orders.exclude(status=Order.Status.CANCELLED)
        return money.with_rate(kept).annotate(paid=F("total") - F("refunded"))
    kept = orders.exclude(status=Order.Status.CANCELLED, version_at__lt=past.at)
    returned = Refund.objects.filter(order=OuterRef("pk"), currency=OuterRef("currency"), at__lt=past.at)
    sums = returned.order_by().values("order").annotate(amount=Sum("amount")).values("amount")
    back = Coalesce(Subquery(sums), Value(Decimal(0)), output_field=DecimalField())
    return money.with_rate(kept).annotate(paid=ExpressionWrapper(F("total") - back, output_field=DecimalField()))


def _figures(profile: Profile, scope: Scope, *, past: Past | None = None) -> Figures:
    sums = (
        paid_orders(orders_of(profile, scope, past=past), past)
        .values("currency", has_rate=Q(rate__isnull=False))
        .annotate(
            n=Count("*"),
            taken=Sum("paid"),
            converted=Sum(F("paid") * F("rate"), output_field=DecimalField()),
            last_at=Max("placed_at"),
        )
    )
    rows = list(sums.order_by("-n"))
    by_currency: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        by_currency[row["currency"]] += row["taken"]
    return Figures(
        orders=sum(row["n"] for row in rows),
        value=sum((row["converted"] for row in rows if row["has_rate"]), Decimal(0)).quantize(money.CENT),
        by_currency=dict(by_currency),
        unconverted={row["currency"]: row["taken"] for row in rows if not row["has_rate"]},
        last_order_at=max((row["last_at"] for row in rows), default=None),
    )


def _last_touch_of(past: Past, scope: Scope) -> datetime | None:
    latest = past.touchpoints(scope).order_by("-occurred_at").values_list("occurred_at", flat=True)
    found: datetime | None = latest.first()
    return found
