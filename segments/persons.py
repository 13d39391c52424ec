"""People out of the database as the reference engine reads them: by groups of records that are, or would be, one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from cdp_site.core.access import EVERYTHING, Scope
from consent import dossier
from consent.dossier import statement_of
from consent.models import Channel, ConsentEntry, Purpose
from consent.states import Basis, Statement, overall, resolve
from profiles import golden, overview
from profiles.models import Membership, Order, OrderLine, Product, Profile, SourceRecord, Touchpoint
from profiles.past import Past
from segments.definition import evaluate, nodes
from segments.definition.fields import property_names
from segments.definition.nodes import NOT_OF_CATALOGUE, ConsentState
from segments.definition.values import is_known, number_text, plain
from segments.definition.viewer import Viewer
from segments.models import StaticListMember
from segments.traits.reading import Seen, seen_in

Group = frozenset[int]


@dataclass(frozen=True)
class _Asked:
    """What definitions ask of a person beside attributes, orders and consents."""

    computed: Seen
    events: frozenset[str]
    has_properties: bool
    has_lines: bool
    reach: frozenset[tuple[str, str]]
    lists: frozenset[str]

    @classmethod
    def of(cls, definitions: Iterable[nodes.Definition], scope: Scope) -> "_Asked":
        asked = list(definitions)
        computed = seen_in(asked, scope)
        wheres = [definition.where for definition in asked]
        conditions = [condition for where in wheres for condition in nodes.conditions(where)]
        reaching = [one for one in conditions if isinstance(one, nodes.ReachableCondition)]
        return cls(
            computed=computed,
            events=frozenset().union(computed.needed_events, *(nodes.events(where) for where in wheres)),
            has_properties=bool(computed.needed_events) or any(map(_asks_properties, conditions)),
            has_lines=computed.needs_lines or any(map(_asks_lines, conditions)),
            reach=frozenset((one.purpose, one.channel) for one in reaching),
            lists=frozenset(one.list for one in conditions if isinstance(one, nodes.ListCondition)),
        )


def _asks_properties(condition: nodes.Condition) -> bool:
    return next(property_names(condition), None) is not None


def _asks_lines(condition: nodes.Condition) -> bool:
    if isinstance(condition, nodes.OrderTotalCondition):
        return condition.measure is nodes.Measure.FULL_PRICE
    return isinstance(condition, nodes.OrderLineCondition)


def load(groups: Sequence[Group], *, asked: Iterable[nodes.Definition]) -> list[evaluate.Person | None]:
    """A person for each group of record ids, seen with all departments' eyes; None for an anonymous visitor.

    `Person.id` is the place in `groups`. Only what the definitions ask is read. Five queries; one more where they ask
    for lists, one for the products that touchpoints name, two where they ask for lines of orders, five where they ask
    who can be reached or for computed traits.
    """
    wanted = _Asked.of(asked, EVERYTHING)
    records = frozenset[int]().union(*groups)
    known = set(
        SourceRecord.objects.filter(pk__in=records)
        .exclude(kind=SourceRecord.Kind.ANONYMOUS)
        .values_list("pk", flat=True)
    )
    touchpoints, said = _touchpoints(records, wanted), _statements(records)
    orders = _orders(Order.objects.filter(record__in=records), wanted)
    values = golden.of_records(groups)
    dossiers = dossier.of_records(groups, values) if wanted.reach else [None] * len(groups)
    lists = _lists(records, wanted.lists)
    purposes = _purposes(wanted)
    now = timezone.now()
    return [
        wanted.computed.knowing(
            evaluate.Person(
                id=place,
                attributes=values[place],
                touchpoints=tuple(one for record in group for one in touchpoints[record]),
                orders=tuple(one for record in group for one in orders[record]),
                consents=_consents(one for record in group for one in said[record]),
                reachable=_reachable(wanted.reach, purposes, dossiers[place]),
                lists=frozenset(one for record in group for one in lists[record]),
            ),
            now,
        )
        if group & known
        else None
        for place, group in enumerate(groups)
    ]


def then(past: Past, scope: Scope, *, asked: Iterable[nodes.Definition]) -> evaluate.Person:
    """A customer as a viewer would have seen them then: what was known at that moment, as far as the scope sees it.

    Five queries, and those of `load` for what else is asked. What has become of an order since is not told apart from
    what it was; an address counts that was stated by then and has no fault today; lists and the catalogue are those of
    today.
    """
    wanted = _Asked.of(asked, scope)
    records = [record for record in past.records if scope.sees_source(record.source_id)]
    touchpoints = past.touchpoints(scope).filter(type__name__in=wanted.events)
    orders = past.orders() if scope.source_ids is None else past.orders().filter(source__in=scope.source_ids)
    values = overview.values_of({0: records}, scope)[0]
    known = dossier.look_back_with_addresses(past, scope, values) if wanted.reach else None
    listed = _lists(frozenset(record.pk for record in records), wanted.lists)
    person = evaluate.Person(
        id=0,
        attributes=values,
        touchpoints=tuple(_told(touchpoints.values_list(*_TOUCHPOINT), wanted)),
        orders=tuple(one for of_record in _orders(orders, wanted).values() for one in of_record),
        # Consent itself is everybody's: it knows no departments.
        consents=_consents(
            (entry.purpose.slug, statement_of(entry))
            for entry in ConsentEntry.objects.of_records(record.pk for record in past.records)
            .stood(past.at)
            .latest_first()
        ),
        reachable=_reachable(wanted.reach, _purposes(wanted), known),
        lists=frozenset(one for of_record in listed.values() for one in of_record),
    )
    return wanted.computed.knowing(person, past.at)


MOST_ROWS = 500
"""Touchpoints, and orders, of a customer who is read to be asked in memory: far more than most have."""
MOST_FOR_PAIRS = 100
"""Touchpoints of a customer who is asked for sequences, which look at each pair of them."""
_exact = msgspec.json.Decoder(float_hook=Decimal)  # numbers as the database has them


class TooManyRows(Exception):
    """The customer has done so much that the database had better be asked."""


def tells(definition: nodes.Definition) -> bool:
    """Whether `now` reads all that a definition asks for. Who can be reached, and what is worked out, is left out."""
    return not any(
        isinstance(one, nodes.ReachableCondition)
        or (isinstance(one, nodes.AttributeCondition) and one.trait.startswith(evaluate.COMPUTED))
        for one in nodes.conditions(definition.where)
    )


def tells_soon(definition: nodes.Definition, person: evaluate.Person) -> bool:
    """Whether the answer takes no longer in memory than in the database."""
    has_pairs = any(isinstance(one, nodes.SequenceCondition) for one in nodes.conditions(definition.where))
    return not has_pairs or len(person.touchpoints) <= MOST_FOR_PAIRS


def now(
    profile: Profile, viewer: Viewer, moment: evaluate.Moment, *, asked: Sequence[nodes.Definition]
) -> evaluate.Person | None:
    """A customer of this moment as the viewer sees them, for definitions that it `tells`; None for an anonymous visitor
    and for whom the viewer does not see. Raises TooManyRows. One query, and one for each kind of thing that is asked
    for: touchpoints, the products that they name, orders, consents, lists; two for lines of orders."""
    wanted = _Asked.of(asked, EVERYTHING)
    sight = golden.through(profile.pk, sources=viewer.sources, hidden=viewer.hidden_traits)
    is_known = profile.kind == Profile.Kind.IDENTIFIED and profile.state == Profile.State.LIVE
    if not is_known or (viewer.sources is not None and not sight.seen):
        return None
    listed = _lists(sight.seen, wanted.lists)
    conditions = [one for definition in asked for one in nodes.conditions(definition.where)]
    asks_orders = any(isinstance(one, nodes.OrderTotalCondition | nodes.OrderLineCondition) for one in conditions)
    asks_consents = any(isinstance(one, nodes.ConsentCondition) for one in conditions)
    said = _statements(sight.records) if asks_consents else {}
    return evaluate.Person(
        id=profile.pk,
        attributes=sight.values,
        touchpoints=_touchpoints_now(profile, viewer, moment, conditions, wanted),
        orders=_orders_now(profile, viewer, wanted) if asks_orders else (),
        # Consent itself is everybody's: it knows no departments.
        consents=_consents(one for of_record in said.values() for one in of_record),
        lists=frozenset(one for of_record in listed.values() for one in of_record),
    )


def _touchpoints_now(
    profile: Profile,
    viewer: Viewer,
    moment: evaluate.Moment,
    conditions: Sequence[nodes.Condition],
    wanted: _Asked,
) -> tuple[evaluate.Touchpoint, ...]:
    """Those that one of the conditions may look at. Raises TooManyRows."""
    picking = [one for one in conditions if isinstance(one, _Picking)]
    events = {pick.event for one in picking for pick in nodes.picks(one)}
    names = {viewer.event_types[event]: event for event in events if event in viewer.event_types}
    if not names:
        return ()
    slugs = {number: slug for slug, number in viewer.source_ids.items()}
    since: dict[str, list[datetime | None]] = defaultdict(list)
    for one in picking:
        start = one.window.span(moment.now, moment.time_zone).start
        for pick in nodes.picks(one):
            since[pick.event].append(start)
    looked_at = Q()
    for number, event in names.items():
        starts = [start for start in since[event] if start is not None]
        is_ever = len(starts) < len(since[event])
        looked_at |= Q(type=number) if is_ever else Q(type=number, occurred_at__gte=min(starts))
    rows = Touchpoint.objects.filter(looked_at, profile=profile, occurred_at__lte=moment.now)
    said = ("type_id", "occurred_at", Cast("properties", TextField()), "source_id")
    found = [
        (names[type_id], at, _exact.decode(properties), slugs.get(source_id, ""))
        for type_id, at, properties, source_id in _few(_visible(rows, viewer).values_list(*said))
    ]
    return tuple(_told(found, wanted))


_Picking = nodes.TouchpointCondition | nodes.MeasureCondition | nodes.SequenceCondition


def _orders_now(profile: Profile, viewer: Viewer, wanted: _Asked) -> tuple[evaluate.Order, ...]:
    """Raises TooManyRows."""
    orders = _few(_visible(Order.objects.filter(profile=profile), viewer).select_related("source"))
    lines = _lines(orders) if wanted.has_lines else {}
    return tuple(_order(order, lines.get(order.pk, ())) for order in orders)


def _visible(rows: "QuerySet[Any]", viewer: Viewer) -> "QuerySet[Any]":
    return rows if viewer.sources is None else rows.filter(source__in=viewer.visible_sources)


def _few(rows: "QuerySet[Any, Any]") -> list[Any]:
    found = list(rows[: MOST_ROWS + 1])
    if len(found) > MOST_ROWS:
        raise TooManyRows
    return found


_TOUCHPOINT = ("type__name", "occurred_at", "properties", "source__slug")


def _touchpoints(records: Group, asked: _Asked) -> Mapping[int, list[evaluate.Touchpoint]]:
    # By profile as well: there is no index on the record.
    profiles = Membership.objects.filter(record__in=records, valid_to__isnull=True).values("profile")
    rows = Touchpoint.objects.filter(profile__in=profiles, record__in=records, type__name__in=asked.events)
    listed = list(rows.values_list("record_id", *_TOUCHPOINT))
    found: dict[int, list[evaluate.Touchpoint]] = defaultdict(list)
    for (record_id, *_said), touchpoint in zip(listed, _told((row[1:] for row in listed), asked), strict=True):
        found[record_id].append(touchpoint)
    return found


def _told(rows: Iterable[tuple[Any, ...]], asked: _Asked) -> list[evaluate.Touchpoint]:
    """Touchpoints, each with what the catalogue says of its product. One query, where properties are asked for and one
    of the touchpoints has a product."""
    touchpoints = [evaluate.Touchpoint(*row) for row in rows]
    numbers = [_product_number(one.properties) if asked.has_properties else None for one in touchpoints]
    wanted = {(one.source, number) for one, number in zip(touchpoints, numbers, strict=True) if number}
    products = _products(wanted) if wanted else {}
    return [
        _with_product(one, products[one.source, number]) if number and (one.source, number) in products else one
        for one, number in zip(touchpoints, numbers, strict=True)
    ]


def _with_product(touchpoint: evaluate.Touchpoint, product: Product) -> evaluate.Touchpoint:
    own = {name: value for name, value in touchpoint.properties.items() if is_known(value)}
    told = {name: value for name, value in _said_of(product).items() if name not in own}
    return replace(touchpoint, properties=told | own, told=told)


def _product_number(properties: Mapping[str, Any]) -> str | None:
    """The number of the product that a touchpoint names; None for none."""
    for name in nodes.PRODUCT_NUMBERS:
        match properties.get(name):
            case str(text) if text:
                return text
            case int() | float() | Decimal() as number if not isinstance(number, bool):
                return plain(number_text(number))
    return None


def _products(wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Product]:
    """By namespace and number; maybe others."""
    found = Product.objects.filter(namespace__in={of for of, _n in wanted}, sku__in={number for _of, number in wanted})
    return {(product.namespace, product.sku): product for product in found}


def _said_of(product: Product) -> dict[str, Any]:
    """What the catalogue says of a product and nobody else knows better."""
    named = {"name": product.name or product.name_th, "category": product.category}
    said = product.attributes | {name: value for name, value in named.items() if value}
    return {name: value for name, value in said.items() if name not in NOT_OF_CATALOGUE}


def _orders(rows: "QuerySet[Order]", asked: _Asked) -> Mapping[int, list[evaluate.Order]]:
    """Orders by the record that they hang on; with their lines where these are asked for."""
    found: dict[int, list[evaluate.Order]] = defaultdict(list)
    orders = list(rows.filter(record__isnull=False).select_related("source"))
    lines = _lines(orders) if asked.has_lines else {}
    for order in orders:
        if order.record_id is not None:
            found[order.record_id].append(_order(order, lines.get(order.pk, ())))
    return found


def _order(order: Order, lines: Iterable[evaluate.OrderLine]) -> evaluate.Order:
    return evaluate.Order(
        order.total,
        order.currency,
        order.placed_at,
        order.refunded,
        order.status == Order.Status.CANCELLED,
        tuple(lines),
        discount=order.discount,
    )


def _lines(orders: Collection[Order]) -> Mapping[int, list[evaluate.OrderLine]]:
    """Order id → its lines, with what the catalogue says of the products. Two queries."""
    namespaces = {order.pk: order.source.slug for order in orders}
    lines = list(OrderLine.objects.filter(order__in=namespaces))
    products = _products({(namespaces[line.order_id], line.sku) for line in lines if line.sku})
    found: dict[int, list[evaluate.OrderLine]] = defaultdict(list)
    for line in lines:
        product = products.get((namespaces[line.order_id], line.sku))
        found[line.order_id].append(line_of(line, product))
    return found


def line_of(line: OrderLine, product: Product | None) -> evaluate.OrderLine:
    """A line as the reference engine reads it: what the order says of it, else what the catalogue says."""
    own: dict[str, Any] = {
        "sku": line.sku,
        "product_id": line.sku,
        "name": line.name,
        "category": line.category,
        "color": line.color,
        "coupon": line.coupon,
        "price": line.unit_price,
        "list_price": line.list_price,
        "quantity": line.quantity,
    }
    stated = {name: value for name, value in own.items() if value not in ("", None)}
    spent = line.quantity * (line.unit_price or Decimal(0))
    return evaluate.OrderLine(
        (_said_of(product) if product is not None else {}) | stated,
        line.quantity,
        spent,
        line.discount or line.coupon_discount,
    )


def _lists(records: Group, wanted: Collection[str]) -> Mapping[int, list[str]]:
    """Record id → the lists that it is on, of those that are asked for."""
    found: dict[int, list[str]] = defaultdict(list)
    if wanted:
        rows = StaticListMember.objects.filter(list__in=set(wanted), record__in=records)
        for record_id, list_id in rows.values_list("record_id", "list_id"):
            found[record_id].append(str(list_id))
    return found


def _purposes(asked: _Asked) -> Mapping[str, Purpose]:
    if not asked.reach:
        return {}
    wanted = {purpose for purpose, _channel in asked.reach}
    return {purpose.slug: purpose for purpose in Purpose.objects.filter(slug__in=wanted)}


def _reachable(
    asked: Collection[tuple[str, str]], purposes: Mapping[str, Purpose], known: dossier.Dossier | None
) -> frozenset[tuple[str, str]]:
    """The pairs of purpose and channel for which the gate would let an address through."""
    if known is None:
        return frozenset()
    return frozenset(
        (slug, channel)
        for slug, channel in asked
        if slug in purposes and channel in Channel.values and known.may_use(purposes[slug], channel).is_given
    )


def _statements(records: Group) -> Mapping[int, list[tuple[str, Statement]]]:
    found: dict[int, list[tuple[str, Statement]]] = defaultdict(list)
    for entry in ConsentEntry.objects.of_records(records).standing().select_related("purpose"):
        found[entry.record_id].append((entry.purpose.slug, statement_of(entry)))
    return found


def _consents(said: Iterable[tuple[str, Statement]]) -> dict[tuple[str, str], ConsentState]:
    by_purpose: dict[str, list[Statement]] = defaultdict(list)
    for purpose, statement in said:
        by_purpose[purpose].append(statement)
    basis = Basis.CONSENT  # what was said does not depend on it
    found: dict[tuple[str, str], Any] = {}
    for purpose, statements in by_purpose.items():
        verdicts = resolve(statements, basis=basis)
        for channel in {statement.channel for statement in statements}:
            found[purpose, channel] = ConsentState(overall(verdicts, channel, basis=basis).state.value)
    return found
