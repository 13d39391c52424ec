"""Why records are one customer: the standing decisions between the records that a viewer may see."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cdp_site.core.access import Scope
from cdp_site.core.templatetags.formats import masked
from profiles import masking
from profiles.labels import identifier_kind, value_label
from profiles.models import Identifier, LinkDecision, SourceRecord


@dataclass(frozen=True, slots=True)
class ShownIdentifier:
    kind: str
    text: str
    problem: str  # a code; "" when it is evidence
    is_current: bool


@dataclass(frozen=True, slots=True)
class Why:
    """One reason that ties a record to others of one source: `key` names the kind of identifier that they share.

    `decision` is the latest of `count` that say the same.
    """

    decision: LinkDecision
    other: SourceRecord
    key: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class RecordStory:
    """A record of a customer with what it states about its identity and why it belongs here."""

    record: SourceRecord
    external_id: str
    identifiers: Sequence[ShownIdentifier]
    reasons: Sequence[Why]


def stories(
    records: Sequence[SourceRecord], *, scope: Scope, shows_identifiers: bool, until: datetime | None = None
) -> list[RecordStory]:
    """The records' stories in their order; `until` leaves out what was decided or stated later. Two queries."""
    by_id = {record.pk: record for record in records}
    reasons: dict[int, list[Why]] = defaultdict(list)
    for decision in standing_decisions(by_id.keys(), until=until):
        a, b = by_id[decision.record_a_id], by_id[decision.record_b_id]
        key = identifier_kind(decision.evidence["kind"]) if decision.evidence.get("kind") else ""
        reasons[a.pk].append(Why(decision, b, key))
        reasons[b.pk].append(Why(decision, a, key))
    identifiers = _identifiers(by_id, scope, shows_identifiers=shows_identifiers, until=until)
    return [
        RecordStory(
            record=record,
            external_id=record.external_id if shows_identifiers else masked(record.external_id),
            identifiers=identifiers.get(record.pk, ()),
            reasons=_grouped(reasons[record.pk]),
        )
        for record in records
    ]


def _grouped(reasons: Sequence[Why]) -> list[Why]:
    """Evidence that says the same of several records of a source, told once; what people decided stays apart."""
    told: dict[tuple[object, ...], Why] = {}
    for why in reasons:
        decision = why.decision
        is_evidence = decision.kind == LinkDecision.Kind.DETERMINISTIC
        group = (decision.action, why.key, why.other.source_id) if is_evidence else (decision.pk,)
        known = told.get(group)
        told[group] = replace(known, count=known.count + 1) if known else why
    return list(told.values())


def standing_decisions(record_ids: Collection[int], *, until: datetime | None = None) -> list[LinkDecision]:
    """Decisions between these records that stand, or stood then, newest first: an undo that was undone is none. One
    query."""
    ids = list(record_ids)
    decisions = LinkDecision.objects.standing() if until is None else LinkDecision.objects.stood(until)
    return list(
        decisions.filter(record_a__in=ids, record_b__in=ids)
        .exclude(action=LinkDecision.Action.WITHDRAW)
        .order_by("-pk")
    )


def _identifiers(
    records: Mapping[int, SourceRecord], scope: Scope, *, shows_identifiers: bool, until: datetime | None
) -> dict[int, list[ShownIdentifier]]:
    """Record id → its identifiers, current ones first. National ids are hashes and are never shown."""
    found: dict[int, list[ShownIdentifier]] = defaultdict(list)
    stated = Identifier.objects.filter(record__in=records).exclude(kind__in={"citizen", *masking.hidden_kinds(scope)})
    if until is not None:
        stated = stated.filter(valid_from__lt=until)
    for row in stated.order_by("-is_current", "kind", "pk"):
        found[row.record_id].append(
            ShownIdentifier(
                kind=identifier_kind(row.kind),
                text=value_label(row.kind, row.raw) if shows_identifiers else masked(row.raw),
                problem="" if row.is_evidence else row.problem or "not_evidence",
                is_current=row.is_current and row.valid_to is None,
            )
        )
    return found
