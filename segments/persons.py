"""People out of the database as the reference engine reads them: by groups of records that are, or would be, one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from consent.dossier import statement_of
from consent.models import ConsentEntry
from consent.states import Basis, Statement, overall, resolve
from profiles import golden
from profiles.models import Membership, Order, SourceRecord, Touchpoint
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
    rows = Order.objects.filter(record__in=records)
    for record_id, status, total, currency, placed_at, refunded in rows.values_list(
        "record_id", "status", "total", "currency", "placed_at", "refunded"
    ):
        if record_id is not None:
            is_cancelled = status == Order.Status.CANCELLED
            order = evaluate.Order(
                total=total, currency=currency, placed_at=placed_at, refunded=refunded, is_cancelled=is_cancelled
            )
            found[record_id].append(order)
    return found


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
