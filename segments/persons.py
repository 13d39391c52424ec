"""People out of the database as the reference engine reads them: by groups of records that are, or would be, one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from cdp_site.core.access import Scope
from consent.dossier import statement_of
from consent.models import ConsentEntry
from consent.states import Basis, Statement, overall, resolve
from profiles import golden, overview
from profiles.models import Membership, Order, SourceRecord, Touchpoint
from profiles.past import Past
from segments.definition import evaluate
from segments.definition.nodes import ConsentState

Group = frozenset[int]


def load(groups: Sequence[Group], *, events: Collection[str]) -> list[evaluate.Person | None]:
    """A person for each group of record ids, seen with all departments' eyes; None for an anonymous visitor.

    `Person.id` is the place in `groups`. Only touchpoints of `events` are read. Five queries.
    """
    records = frozenset[int]().union(*groups)
    known = set(
        SourceRecord.objects.filter(pk__in=records)
        .exclude(kind=SourceRecord.Kind.ANONYMOUS)
        .values_list("pk", flat=True)
    )
    touchpoints, orders, said = _touchpoints(records, events), _orders(records), _statements(records)
    return [
        evaluate.Person(
            id=place,
            attributes=values,
            touchpoints=tuple(one for record in group for one in touchpoints[record]),
            orders=tuple(one for record in group for one in orders[record]),
            consents=_consents(one for record in group for one in said[record]),
        )
        if group & known
        else None
        for place, (group, values) in enumerate(zip(groups, golden.of_records(groups), strict=True))
    ]


def then(past: Past, scope: Scope, *, events: Collection[str]) -> evaluate.Person:
    """A customer as a viewer would have seen them then: what was known at that moment, as far as the scope sees it.

    Five queries. What has become of an order since is not told apart from what it was.
    """
    records = [record for record in past.records if scope.sees_source(record.source_id)]
    touchpoints = past.touchpoints(scope).filter(type__name__in=events)
    orders = past.orders() if scope.source_ids is None else past.orders().filter(source__in=scope.source_ids)
    return evaluate.Person(
        id=0,
        attributes=overview.values_of({0: records}, scope)[0],
        touchpoints=tuple(
            evaluate.Touchpoint(*said) for said in touchpoints.values_list("type__name", "occurred_at", "properties")
        ),
        orders=tuple(_order(*row) for row in orders.values_list(*_ORDER)),
        # Consent itself is everybody's: it knows no departments.
        consents=_consents(
            (entry.purpose.slug, statement_of(entry))
            for entry in ConsentEntry.objects.of_records(record.pk for record in past.records)
            .stood(past.at)
            .latest_first()
        ),
    )


def _touchpoints(records: Group, events: Collection[str]) -> Mapping[int, list[evaluate.Touchpoint]]:
    # By profile as well: there is no index on the record.
    profiles = Membership.objects.filter(record__in=records, valid_to__isnull=True).values("profile")
    rows = Touchpoint.objects.filter(profile__in=profiles, record__in=records, type__name__in=events)
    found: dict[int, list[evaluate.Touchpoint]] = defaultdict(list)
    for record_id, *said in rows.values_list("record_id", "type__name", "occurred_at", "properties"):
        found[record_id].append(evaluate.Touchpoint(*said))
    return found


def _orders(records: Group) -> Mapping[int, list[evaluate.Order]]:
    found: dict[int, list[evaluate.Order]] = defaultdict(list)
    for record_id, *row in Order.objects.filter(record__in=records).values_list("record_id", *_ORDER):
        if record_id is not None:
            found[record_id].append(_order(*row))
    return found


_ORDER = ("status", "total", "currency", "placed_at", "refunded")


def _order(status: str, total: Decimal, currency: str, placed_at: datetime, refunded: Decimal) -> evaluate.Order:
    is_cancelled = status == Order.Status.CANCELLED
    return evaluate.Order(total, currency, placed_at, refunded, is_cancelled)


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
