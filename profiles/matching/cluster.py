"""The records that a verdict of "same" would bring together, and what would hold them: the weakest link first."""

from collections.abc import Sequence
from dataclasses import dataclass

from profiles.labels import identifier_kind
from profiles.lineage import standing_decisions
from profiles.models import LinkDecision, ReviewPair, SourceRecord

# A customer of very many records is told by what holds it worst.
MOST_LINKS = 12

_RANK = {LinkDecision.Kind.MODEL: 0, LinkDecision.Kind.DETERMINISTIC: 1, LinkDecision.Kind.STEWARD: 2}


@dataclass(frozen=True, slots=True)
class Link:
    """`kind`: of LinkDecision.Kind, or "asked" for the pair itself; `key`: the kind of identifier that both have."""

    a: SourceRecord
    b: SourceRecord
    kind: str
    key: str
    percent: float | None


@dataclass(frozen=True, slots=True)
class Cluster:
    """`links`: weakest first; what people said is stronger than an identifier, that than a model. `more`: the rest."""

    records: int
    links: Sequence[Link]
    more: int


def of_pair(pair: ReviewPair, members: Sequence[SourceRecord]) -> Cluster:
    """What would hold these records together, the pair's own link among it. One query."""
    by_id = {record.pk: record for record in members}
    links = [
        (_RANK[LinkDecision.Kind(decision.kind)], decision.score or 0.0, _link(decision, by_id))
        for decision in standing_decisions(by_id.keys())
        if decision.action == LinkDecision.Action.LINK
    ]
    percent = None if pair.score is None else 100 * pair.score
    asked = Link(by_id[pair.record_a_id], by_id[pair.record_b_id], "asked", "", percent)
    links.append((0, pair.score or 0.0, asked))
    links.sort(key=lambda one: one[:2])
    told = sum(record.kind == SourceRecord.Kind.IDENTIFIED for record in members)
    return Cluster(told, [link for _, _, link in links[:MOST_LINKS]], max(0, len(links) - MOST_LINKS))


def _link(decision: LinkDecision, by_id: dict[int, SourceRecord]) -> Link:
    key = decision.evidence.get("kind")
    return Link(
        a=by_id[decision.record_a_id],
        b=by_id[decision.record_b_id],
        kind=decision.kind,
        key=identifier_kind(key) if key else "",
        percent=None if decision.score is None else 100 * decision.score,
    )
