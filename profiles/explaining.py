"""How records became one customer: step by step in the order in which they came, what holds them together, what was
refused and why, and what people and the model have decided about them.

As one viewer may see it: a record whose source lies outside the viewer's scope is in no step, no link and no line, and
neither is another customer whom the viewer may not see. Where only such records hold others together, the step says no
more than that.

The log of decisions tells what joins (`resolution.decision_log`); what was refused is not kept, it follows from the
neighbourhood as it is now. A handful of queries, and two rounds of five for the neighbourhood.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q

from cdp_site.core import actors
from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import masked
from profiles import lineage, masking, overview, relatives
from profiles.directory import Row
from profiles.labels import identifier_kind
from profiles.matching import verified, weighing
from profiles.matching.weighing import Weighing
from profiles.models import LinkDecision, Profile, ReviewPair, SourceRecord
from profiles.naming import shown_name
from profiles.reasons import read_reason
from profiles.resolution import neighbourhood
from profiles.resolution.evidence import KeyId, evidence_keys
from profiles.resolution.neighbourhood import Neighbourhood
from profiles.resolution.partition import Refusal, Rule, partition

MOST_STEPS = 60
MOST_REFUSED = 20
MOST_EVENTS = 40

# What a link stands on, strongest first; the model's own links are ordered by their score.
VERIFIED = verified.RULE
_JOINING = (VERIFIED, Rule.STEWARD, Rule.UNIQUE_ID, Rule.EMAIL, Rule.PHONE, Rule.CONTACT, Rule.MODEL)
_JOINING = (VERIFIED, Rule.STEWARD, Rule.UNIQUE_ID, Rule.EMAIL, Rule.PHONE, Rule.CONTACT, Rule.MODEL)
_STRENGTH = {rule: place for place, rule in enumerate((Rule.TIE, *_JOINING, Rule.DEVICE))}
# They follow another record and could not hold a customer together.
_FOLLOWING = frozenset({Rule.TIE, Rule.DEVICE})


@dataclass(frozen=True, slots=True)
class Told:
    """A record as the viewer reads it."""

    record: SourceRecord
    name: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Link:
    """What holds two records together. `rule`: of `partition.Rule`, or "verified" for a model's link that a person
    has confirmed so; `key` and `value`: the identifier that both state, masked where the role asks for it."""

    rule: str
    some: Told
    other: Told
    key: str
    value: str
    by: str
    reason: str
    at: datetime
    score: float | None
    weighing: Weighing | None


@dataclass(frozen=True, slots=True)
class Step:
    """A record arrives, with what joins it to those before it. Without links: it was somebody of its own (`is_first`:
    the first of all); `is_held_unseen`: by records that the viewer may not see."""

    told: Told
    links: Sequence[Link]
    is_first: bool
    is_held_unseen: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A join that was not made. `why`: of `partition.Refusal`, or "related" (a person said so), "waiting" (a person is
    asked). `customer` is nobody for a key that is on too many."""

    why: str
    record: Told | None
    customer: Row | None
    key: str = ""
    value: str = ""
    by: str = ""
    reason: str = ""
    at: datetime | None = None
    weighing: Weighing | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was decided, in one go. `what`: joined, confirmed, parted, kept_apart, related, allowed."""

    what: str
    kind: str  # of LinkDecision.Kind
    by: str
    at: datetime
    reason: str
    records: Sequence[Told]
    operation_id: UUID | None


@dataclass(frozen=True, slots=True)
class Weakest:
    """The link that would give first, and how many records stand on its smaller side."""

    link: Link
    records: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """`more_steps`, `more_refused`: how many are left out."""

    steps: Sequence[Step]
    more_steps: int
    weakest: Weakest | None
    refused: Sequence[Refused]
    more_refused: int
    events: Sequence[Event]


def explain(profile: Profile, *, by: User) -> Explanation:
    """The whole story of a live profile for this viewer."""
    reader = _Reader(profile, by)
    links, tree = reader.links()
    steps = reader.steps(tree)
    refused = reader.refused()
    return Explanation(
        steps=steps[:MOST_STEPS],
        more_steps=max(0, len(steps) - MOST_STEPS),
        weakest=_weakest(links, tree),
        refused=refused[:MOST_REFUSED],
        more_refused=max(0, len(refused) - MOST_REFUSED),
        events=reader.events(),
    )


class _Edge(NamedTuple):
    """A link of the spanning tree, by record ids."""

    a: int
    b: int
    link: Link


class _Reader:
    """Reads what belongs to one customer, for one viewer."""

    def __init__(self, profile: Profile, by: User) -> None:
        self.profile = profile
        self.by = by
        self.scope: Scope = scope_of(by)
        self.shows = masking.shows_identifiers(by, profile.pk)
        self.records = overview.records_of([profile], self.scope)[profile.pk]
        self.told = self._tell(self.records, shows=self.shows)
        self.keys = relatives.stated_by(self.told, self.scope)

    def _tell(self, records: Sequence[SourceRecord], *, shows: bool) -> dict[int, Told]:
        values = overview.values_of({record.pk: [record] for record in records}, self.scope)
        return {
            record.pk: Told(
                record=record,
                name=shown_name(values[record.pk]),
                external_id=record.external_id if shows else masked(record.external_id),
            )
            for record in records
        }

    # --- what holds together --------------------------------------------------------------------------------------

    def links(self) -> tuple[list[Link], list[_Edge]]:
        """The standing links between the records, strongest first, and those of them that span what they can."""
        standing = [one for one in lineage.standing_decisions(self.told) if one.action == LinkDecision.Action.LINK]
        names = actors.names_of({one.actor for one in standing})
        edges = sorted(
            (_Edge(one.record_a_id, one.record_b_id, self._link(one, names[one.actor])) for one in reversed(standing)),
            key=lambda edge: _weakness(edge.link),
        )
        together = _Together(self.told)
        return [edge.link for edge in edges], [edge for edge in edges if together.join(edge.a, edge.b)]

    def _link(self, decision: LinkDecision, by: str) -> Link:
        a, b = decision.record_a_id, decision.record_b_id
        space = (decision.evidence.get("kind", ""), decision.evidence.get("namespace", ""))
        common = sorted(key for key in self.keys[a].keys() & self.keys[b].keys() if key[:2] == space)
        return Link(
            rule=str(decision.evidence.get("rule", Rule.MODEL)),
            some=self.told[a],
            other=self.told[b],
            key=identifier_kind(space[0]) if space[0] else "",
            value=relatives.value_text(common[0], self.keys[a][common[0]], shows=self.shows) if common else "",
            by=by if decision.kind == LinkDecision.Kind.STEWARD else "",
            reason=masking.readable(read_reason(decision.reason), shows=self.shows),
            at=decision.at,
            score=decision.score,
            weighing=weighing.weigh(decision.evidence, decision.score),
        )

    def steps(self, tree: Iterable[_Edge]) -> list[Step]:
        """A step for each record, in the order of intake."""
        together = _Together(self.told)
        links: dict[int, list[Link]] = defaultdict(list)
        for edge in tree:
            together.join(edge.a, edge.b)
            links[max(edge.a, edge.b)].append(edge.link)
        numbers = sorted(self.told)
        seen: set[int] = set()
        found = []
        for number in numbers:
            root = together.root(number)
            found.append(
                Step(
                    told=self.told[number],
                    links=links[number],
                    is_first=number == numbers[0],
                    is_held_unseen=bool(seen) and root not in seen,
                )
            )
            seen.add(root)
        return found

    # --- what was not joined --------------------------------------------------------------------------------------

    def refused(self) -> list[Refused]:
        """People's words first, then what evidence spoke for and what the model asks, each other customer once a
        reason; keys that are on too many last."""
        around = neighbourhood.read(list(self.told))
        found = partition(
            [record.evidence for record in around.records.values()],
            [logged.decision for logged in around.decisions],
            overloaded=around.overloaded,
        )
        said = self._said_by_people()
        asked = self._asked()
        by_evidence: list[tuple[int, int, str, KeyId | None]] = []
        for refused in found.refused:
            for one, another in ((refused.a, refused.b), (refused.b, refused.a)):
                if around.records[one].profile_id != self.profile.pk:
                    continue
                own, other = self._seen(one, refused.key, around), self._seen(another, refused.key, around)
                if own in self.told and other not in self.told and refused.refusal is not Refusal.FAN_OUT:
                    by_evidence.append((own, other, refused.refusal.value, refused.key))
        others = {other for _own, other, *_rest in by_evidence} | said.keys() | {other for _own, other, _pair in asked}
        customers = relatives.customers_of(others, by=self.by)
        lines: dict[tuple[object, ...], Refused] = {}
        for other, (own, decision, by) in said.items():
            if other in customers:
                why = Refusal.NEVER.value if decision.action == LinkDecision.Action.NEVER else "related"
                reason = masking.readable(read_reason(decision.reason), shows=self.shows)
                line = Refused(why, self.told[own], customers[other], "", "", by, reason, decision.at)
                lines.setdefault((customers[other].profile.pk, "said"), line)
        for own, other, why, key in by_evidence:
            if other in customers and not (why == Refusal.NEVER and (customers[other].profile.pk, "said") in lines):
                line = Refused(why, self.told[own], customers[other], *self._key(own, key))
                lines.setdefault((customers[other].profile.pk, why, key and key[0]), line)
        for own, other, pair in asked:
            if other in customers:
                weighed = weighing.weigh(pair.evidence, pair.score)
                line = Refused("waiting", self.told[own], customers[other], at=pair.created_at, weighing=weighed)
                lines.setdefault((customers[other].profile.pk, "waiting"), line)
        overloaded = {key: own for own in sorted(self.told) for key in self.keys[own] if key in around.overloaded}
        for key, own in sorted(overloaded.items()):
            lines[key] = Refused(Refusal.FAN_OUT.value, self.told[own], None, *self._key(own, key))
        return list(lines.values())

    def _seen(self, number: int, key: KeyId | None, around: Neighbourhood) -> int:
        """The record, or another of the same customer that states the key and that the viewer sees; 0 for none. Of
        those that state a key the partition names one."""
        if self.scope.sees_source(around.records[number].evidence.source_id):
            return number
        owner = around.records[number].profile_id
        for other, one in around.records.items() if key else ():
            is_seen = one.profile_id == owner and self.scope.sees_source(one.evidence.source_id)
            if is_seen and key in evidence_keys(one.evidence):
                return other
        return 0

    def _key(self, own: int, key: KeyId | None) -> tuple[str, str]:
        if key is None:
            return "", ""
        raw = self.keys[own].get(key)
        return identifier_kind(key[0]), "" if raw is None else relatives.value_text(key, raw, shows=self.shows)

    def _said_by_people(self) -> dict[int, tuple[int, LinkDecision, str]]:
        """Record of another customer → the record here, the decision that keeps them apart, and who took it."""
        decisions = relatives.standing_apart(self.told, kind=LinkDecision.Kind.STEWARD)
        names = actors.names_of({one.actor for one in decisions})
        found: dict[int, tuple[int, LinkDecision, str]] = {}
        for one in decisions:
            for own, other in ((one.record_a_id, one.record_b_id), (one.record_b_id, one.record_a_id)):
                if own in self.told and other not in self.told:
                    found.setdefault(other, (own, one, names[one.actor]))
        return found

    def _asked(self) -> list[tuple[int, int, ReviewPair]]:
        """(Record here, record elsewhere, pair that waits for a person); held-out pairs are nobody's business here."""
        touching = Q(record_a__in=list(self.told)) | Q(record_b__in=list(self.told))
        states = (ReviewPair.State.WAITING, ReviewPair.State.SECOND)
        reasons = (ReviewPair.Reason.BAND, ReviewPair.Reason.GUARD, ReviewPair.Reason.VERIFIED)
        pairs = ReviewPair.objects.filter(touching, state__in=states, reason__in=reasons, is_held_out=False)
        return [
            (own, other, pair)
            for pair in pairs.order_by("-score", "pk")[:MOST_REFUSED]
            for own, other in ((pair.record_a_id, pair.record_b_id), (pair.record_b_id, pair.record_a_id))
            if own in self.told and other not in self.told
        ]

    # --- what was decided -----------------------------------------------------------------------------------------

    def events(self) -> list[Event]:
        """What people and the model decided and what evidence no longer says, the latest first."""
        numbers = list(self.told)
        touching = Q(record_a__in=numbers) | Q(record_b__in=numbers)
        arrivals = Q(kind=LinkDecision.Kind.DETERMINISTIC) & ~Q(action=LinkDecision.Action.WITHDRAW)
        rows = list(
            LinkDecision.objects.filter(touching)
            .exclude(arrivals)
            .select_related("withdraws")
            .order_by("-pk")[: 4 * MOST_EVENTS]
        )
        elsewhere = {number for row in rows for number in (row.record_a_id, row.record_b_id)} - self.told.keys()
        others = overview.records_by_id(elsewhere, self.scope)
        told = self.told | self._tell(others, shows=masking.shows_all_identifiers(self.by))
        names = actors.names_of({row.actor for row in rows})
        groups: dict[tuple[object, ...], list[LinkDecision]] = {}
        for row in rows:
            if row.record_a_id in told and row.record_b_id in told:
                # What is decided in one go bears the time of its transaction.
                groups.setdefault((row.at, row.actor, _what(row)), []).append(row)
        return [
            Event(
                what=_what(group[0]),
                kind=group[0].kind,
                by=names[group[0].actor] if group[0].kind == LinkDecision.Kind.STEWARD else "",
                at=group[0].at,
                reason=masking.readable(read_reason(group[0].reason), shows=self.shows),
                records=[
                    told[number]
                    for number in dict.fromkeys(end for row in group for end in (row.record_a_id, row.record_b_id))
                ],
                operation_id=group[0].operation_id,
            )
            for group in list(groups.values())[:MOST_EVENTS]
        ]


def _weakness(link: Link) -> tuple[int, float]:
    return _STRENGTH.get(link.rule, len(_STRENGTH)), -(link.score or 0.0)


def _weakest(links: Sequence[Link], tree: Sequence[_Edge]) -> Weakest | None:
    """None when nothing but ties and devices holds the records together, or when there is one alone."""
    holding = [edge for edge in tree if edge.link.rule not in _FOLLOWING]
    if not holding:
        return None
    weakest = holding[-1]
    ends = {edge.a for edge in tree} | {edge.b for edge in tree}
    without = _Together(ends)
    for edge in tree:
        if edge is not weakest:
            without.join(edge.a, edge.b)
    some = sum(without.root(number) == without.root(weakest.a) for number in ends)
    other = sum(without.root(number) == without.root(weakest.b) for number in ends)
    return Weakest(weakest.link, min(some, other))


def _what(decision: LinkDecision) -> str:
    """What a row of the log did, in a word."""
    if decision.action == LinkDecision.Action.WITHDRAW:
        taken_back = decision.withdraws
        if taken_back is not None and taken_back.action != LinkDecision.Action.LINK:
            # A withdrawal that is withdrawn joins again; a "never" that is withdrawn allows.
            return "joined" if taken_back.action == LinkDecision.Action.WITHDRAW else "allowed"
        return "parted"
    if decision.action == LinkDecision.Action.LINK:
        return "confirmed" if decision.evidence.get("rule") == VERIFIED else "joined"
    return "related" if decision.action == LinkDecision.Action.RELATED else "kept_apart"


class _Together:
    """A union-find over record ids."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._parent: dict[int, int] = {number: number for number in numbers}

    def root(self, number: int) -> int:
        while self._parent[number] != number:
            number = self._parent[number]
        return number

    def join(self, a: int, b: int) -> bool:
        """False when they were together already."""
        root, other = self.root(a), self.root(b)
        self._parent[root] = other
        return root != other
