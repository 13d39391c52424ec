"""The log of link decisions: what evidence joined and parted, kept as history beside what people decided.

A standing deterministic link joins two records of one profile that still share what it stands on. Together with the
stewards' and the model's links, these make every profile hang together, so that "why is this one customer" always has
an answer. A standing deterministic relation says that two profiles share a key although their names clearly differ: a
household. The log is no input of the partition.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from django.db import connection

from profiles.models import LinkDecision
from profiles.resolution.evidence import Decision, KeyId, active, evidence_keys
from profiles.resolution.forest import Relation
from profiles.resolution.neighbourhood import LoggedDecision, Neighbourhood
from profiles.resolution.partition import Edge, Partition, Refusal, RefusedEdge, Rule

_BY_HAND = frozenset({Rule.STEWARD, Rule.MODEL})


@dataclass(frozen=True, slots=True)
class NewDecision:
    """A row to append. `evidence` names rule, kind and namespace; never a value."""

    action: str
    kind: str
    record_a: int
    record_b: int
    withdraws: int | None = None
    evidence: Mapping[str, Any] | None = None
    reason: str = ""
    score: float | None = None


_APPEND = """
INSERT INTO profiles_linkdecision (action, kind, record_a_id, record_b_id, withdraws_id, score, evidence, reason, actor,
                                   at, operation_id)
SELECT action, kind, record_a, record_b, withdraws, score, coalesce(evidence, '{}'), reason, %s, now(), %s
  FROM ROWS FROM (json_to_recordset(%s::json) AS (
       action text, kind text, record_a bigint, record_b bigint, withdraws bigint, score float8, evidence jsonb,
       reason text)) WITH ORDINALITY AS t(action, kind, record_a, record_b, withdraws, score, evidence, reason, n)
 ORDER BY n
"""


def append(decisions: Sequence[NewDecision], *, actor: str, operation_id: UUID | None = None) -> list[int]:
    """Write decisions in their order; returns their ids. One statement."""
    if not decisions:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"{_APPEND} RETURNING id", _rows(decisions, actor, operation_id))
        return sorted(row[0] for row in cursor.fetchall())


def write(decisions: Sequence[NewDecision], *, actor: str) -> None:
    """The same for who needs no ids: within a round trip (`cdp_site.core.round_trips`) nothing waits for it."""
    if decisions:
        with connection.cursor() as cursor:
            cursor.execute(_APPEND, _rows(decisions, actor, None))


def _rows(decisions: Sequence[NewDecision], actor: str, operation_id: UUID | None) -> list[Any]:
    return [actor, operation_id, msgspec.json.encode(decisions).decode()]


_BEYOND_EVIDENCE = """
SELECT d.id, d.action, d.kind, d.record_a_id, d.record_b_id, d.withdraws_id
  FROM (SELECT d.id FROM unnest(%(records)s::bigint[]) AS wanted(id)
          JOIN profiles_linkdecision d ON d.record_a_id = wanted.id
         UNION
        SELECT d.id FROM unnest(%(records)s::bigint[]) AS wanted(id)
          JOIN profiles_linkdecision d ON d.record_b_id = wanted.id) AS touching
  JOIN profiles_linkdecision d USING (id)
 WHERE d.kind <> 'deterministic'
"""


def beyond_evidence(record_ids: Sequence[int]) -> list[Decision]:
    """What people and models have decided of these records, with what they took back. One query; scores are left out.

    It is whole without the rows of evidence: nothing but a person or a model takes back what either has decided.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEYOND_EVIDENCE, {"records": list(record_ids)})
        return [Decision(*row) for row in cursor.fetchall()]


def differences(neighbourhood: Neighbourhood, found: Partition, owner_of: Mapping[int, int]) -> list[NewDecision]:
    """What the log lacks so that its standing links are those of the profiles as they are now.

    Args:
        owner_of: record → the profile that it belongs to now.
    """
    standing = _standing(neighbourhood.decisions, "link")
    stale = [one for one in standing if not _holds(one, neighbourhood, owner_of)]
    gone = {one.decision.id for one in stale}
    together = _Together(owner_of)
    for one in standing:
        if one.decision.id not in gone:
            together.join(one.decision.a, one.decision.b)
    for decision in active(one.decision for one in neighbourhood.decisions):
        if decision.verb == "link" and decision.kind != "deterministic":
            together.join(decision.a, decision.b)
    links = [_link(edge) for edge in found.edges if edge.rule not in _BY_HAND and together.join(edge.a, edge.b)]
    unrelated, relations = _households(neighbourhood, found, owner_of)
    return [*(_withdrawal(one) for one in (*stale, *unrelated)), *links, *relations]


def _standing(decisions: Iterable[LoggedDecision], verb: str) -> list[LoggedDecision]:
    by_id = {one.decision.id: one for one in decisions}
    return [
        by_id[decision.id]
        for decision in active(one.decision for one in by_id.values())
        if decision.verb == verb and decision.kind == "deterministic"
    ]


def _households(
    neighbourhood: Neighbourhood, found: Partition, owner_of: Mapping[int, int]
) -> tuple[list[LoggedDecision], list[NewDecision]]:
    """Standing relations of profiles that share nothing any more, and new ones: one for every two profiles."""
    sharing: dict[frozenset[int], RefusedEdge] = {}
    for refused in found.refused:
        if refused.refusal is Refusal.NAMES_DIFFER and owner_of[refused.a] != owner_of[refused.b]:
            sharing.setdefault(frozenset((owner_of[refused.a], owner_of[refused.b])), refused)
    stale = []
    for one in _standing(neighbourhood.decisions, "related"):
        ends = (one.decision.a, one.decision.b)
        # The other end may lie beyond the neighbourhood, when nothing but this relation leads there.
        if sharing.pop(frozenset(owner_of.get(number, 0) for number in ends), None) is None:
            stale.append(one)
    return stale, [_relation(refused) for refused in sharing.values()]


def _withdrawal(logged: LoggedDecision) -> NewDecision:
    return NewDecision(
        action=LinkDecision.Action.WITHDRAW,
        kind=LinkDecision.Kind.DETERMINISTIC,
        record_a=logged.decision.a,
        record_b=logged.decision.b,
        withdraws=logged.decision.id,
        evidence=logged.grounds,
    )


def _holds(logged: LoggedDecision, neighbourhood: Neighbourhood, owner_of: Mapping[int, int]) -> bool:
    """Whether a logged link still says something true: one profile, and the ground is still there."""
    decision = logged.decision
    if decision.a not in owner_of or owner_of[decision.a] != owner_of.get(decision.b):
        return False
    some, other = (neighbourhood.records[number].evidence for number in (decision.a, decision.b))
    if logged.grounds.get("rule") == Rule.TIE:
        return some.record_id == other.tied_to or other.record_id == some.tied_to
    space = (logged.grounds.get("kind"), logged.grounds.get("namespace"))
    common: set[KeyId] = evidence_keys(some).keys() & evidence_keys(other).keys()
    return any(key[:2] == space and key not in neighbourhood.overloaded for key in common)


def _link(edge: Edge) -> NewDecision:
    kind, namespace, _ = edge.key or ("", "", "")
    grounds = {"rule": edge.rule.value, "kind": kind, "namespace": namespace, "names": edge.names.value}
    return NewDecision(
        action=LinkDecision.Action.LINK,
        kind=LinkDecision.Kind.DETERMINISTIC,
        record_a=edge.a,
        record_b=edge.b,
        evidence={name: value for name, value in grounds.items() if value},
    )


def _relation(refused: RefusedEdge) -> NewDecision:
    kind, namespace, _ = refused.key or ("", "", "")
    return NewDecision(
        action=LinkDecision.Action.RELATED,
        kind=LinkDecision.Kind.DETERMINISTIC,
        record_a=refused.a,
        record_b=refused.b,
        evidence={"rule": "household", "kind": kind, "namespace": namespace, "names": Relation.DIFFERENT.value},
    )


class _Together:
    """Which records the log already holds together, within their profiles."""

    def __init__(self, owner_of: Mapping[int, int]) -> None:
        self._owner_of = owner_of
        self._parent = {number: number for number in owner_of}

    def _root(self, number: int) -> int:
        while self._parent[number] != number:
            number = self._parent[number]
        return number

    def join(self, a: int, b: int) -> bool:
        """True when the two belong to one profile and nothing held them together yet."""
        if a not in self._owner_of or self._owner_of[a] != self._owner_of.get(b):
            return False
        root, other = self._root(a), self._root(b)
        self._parent[root] = other
        return root != other
