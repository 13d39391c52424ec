"""Which source records are one person, by evidence and decisions alone. Pure: no Django, no clock, no database.

`partition` is a function of the *set* of records and decisions: the order in which they arrived or are given plays
no part. Candidate unions are tried in an order defined by content (strongest evidence first, then source and
external id), so that also the unions that are refused are always the same ones. Record ids only choose the anchor.

Strength, strongest first:

1. a tie: an agent's record is where its notes and edits hang, it follows the record that it is tied to;
2. stewards' decisions, newest first: a link is forced even against different unique ids, but not against a newer
   "never" (or "related": a household is several people); an older "never" does not undo a newer link;
3. unique ids (`user`, `member`, `line`, `citizen`) of one namespace join, whatever the names say: people marry;
4. e-mail, then phone join unless the names clearly differ, of the two records or of what each has joined so far;
5. links of the active model, none of which changes a component that holds a verified record (what the model had
   joined before, a steward confirmed by verifying it: then it is a steward's link);
6. anonymous visitors, each a leaf: it goes to the one component that its device (and address, if it gave one)
   speaks for, or, when they speak for several (a kiosk), to nobody. An anonymous record never joins two others.

Two different unique ids of one namespace come together by a steward only, or because one record states both: that is
the source's own word (a renewed card), and such ids count as one (an *id class*).

Recycled phones. Every holder's first statement of a number is a claim. A claim by a clearly different person ends the
claims before it; a record that cannot be told by name goes to whoever held the number when it was seen (before the
first claim: to the first), so a later claim never tears an existing edge. Records whose names agree join *across*
an intervening claim: a household's number is used by its members in turn all the time, whereas a number that was
given to a stranger does not come back to someone of the same name; the agreeing name is a second field.

Locality. The partition of a *closed* neighbourhood equals the partition of everything, restricted to it. A set of
records is closed when, for each record in it, it also holds

- every record that states one of its `neighbourhood_keys` (of any kind, agents' too);
- every agent record tied to it, and the record that it is tied to;
- the other end of every active link of a steward or the model (a never or related whose other end is not in the set
  is idle: nothing else leads there).

Whether a component holds a verified record is seen from its own records, so verified records need nothing more.

A key that `is_overloaded` is no evidence for anyone. That is decided from its own holders alone and passed in, so a
neighbourhood ends at it. A key whose verdict has changed is still to be expanded once, by whoever stores verdicts:
the components that it held together (or will) are all touched.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from ingestion.normalise import names as written_names
from profiles.resolution.claims import Claims
from profiles.resolution.evidence import (
    DEFAULT_SETTINGS,
    DEVICE,
    Decision,
    Evidence,
    EvidenceSettings,
    KeyId,
    active,
    content_order,
    evidence_keys,
    overloads,
)
from profiles.resolution.forest import (
    ConstrainedForest,
    NameComparison,
    NameRelations,
    Names,
    Namespace,
    Obstacle,
    Relation,
)

Person: TypeAlias = tuple[Names, tuple[tuple[Namespace, int], ...]]
"""Who a record says it is: its names and its id classes."""


class Rule(StrEnum):
    """What an edge stands on."""

    TIE = "tie"
    STEWARD = "steward"
    UNIQUE_ID = "unique_id"
    EMAIL = "email"
    PHONE = "phone"
    CONTACT = "contact"
    MODEL = "model"
    DEVICE = "device"


class Refusal(StrEnum):
    """Why a candidate union was not made."""

    NEVER = Obstacle.NEVER.value
    ID_CONFLICT = Obstacle.ID_CONFLICT.value
    NAMES_DIFFER = Obstacle.NAMES_DIFFER.value  # related: a household
    VERIFIED = Obstacle.VERIFIED.value  # the model would change what a person has verified
    FAN_OUT = "fan_out"
    AMBIGUOUS = "ambiguous"  # several people held the key at that time
    SHARED_DEVICE = "shared_device"
    PROPOSED = "proposed"  # an agent typed it
    OVERRULED = "overruled"  # an older steward's decision


class Ground(NamedTuple):
    """What speaks for a union."""

    rule: Rule
    key: KeyId | None = None
    names: Relation = Relation.UNCLEAR
    decision: int | None = None


class Edge(NamedTuple):
    """A union that was made: the two records, and what for. The edges of a component are a spanning tree."""

    a: int
    b: int
    rule: Rule
    key: KeyId | None = None
    names: Relation = Relation.UNCLEAR
    decision: int | None = None


class RefusedEdge(NamedTuple):
    """A union that something spoke for and that was not made."""

    a: int
    b: int
    refusal: Refusal
    key: KeyId | None = None
    decision: int | None = None


class Component(NamedTuple):
    """One person's records; `anchor`: identified before agent before anonymous, then the lowest record id."""

    anchor: int
    records: frozenset[int]


@dataclass(frozen=True, slots=True)
class Partition:
    """What `partition` found.

    Attributes:
        components: by anchor.
        anchor_of: record → anchor of its component.
        edges, refused: in the order in which they were tried.
        ended: (record, key) → when a clearly different person claimed the key; its hold is no more valid.
        owner_of: evidence key → anchor of the one component that holds it now, None when it is shared.
    """

    components: tuple[Component, ...]
    anchor_of: Mapping[int, int]
    edges: tuple[Edge, ...]
    refused: tuple[RefusedEdge, ...]
    ended: Mapping[tuple[int, KeyId], datetime]
    owner_of: Mapping[KeyId, int | None]


_KIND_RANK = {"identified": 0, "agent": 1, "anonymous": 2}
_RULES = {"email": Rule.EMAIL, "phone": Rule.PHONE, DEVICE: Rule.DEVICE}
_FORCED = frozenset({Rule.TIE, Rule.STEWARD})
_NAMES_MATTER = frozenset({Rule.EMAIL, Rule.PHONE, Rule.CONTACT})


def partition(
    records: Iterable[Evidence],
    decisions: Iterable[Decision] = (),
    *,
    settings: EvidenceSettings = DEFAULT_SETTINGS,
    comparison: NameComparison = written_names,
    overloaded: Collection[KeyId] = frozenset(),
) -> Partition:
    """The components of a closed set of records, and how they came to be.

    Args:
        records: closed as the module says.
        decisions: every decision that touches these records, with what withdraws them; others are idle.
        overloaded: keys known to be beyond the caps, of which the set does not hold every holder.
    """
    resolution = _Resolution(records, settings, comparison, overloaded)
    resolution.tie_agents()
    resolution.follow_stewards(decisions)
    resolution.join_by_unique_ids()
    resolution.join_by_contacts()
    resolution.follow_model(decisions)
    resolution.place_visitors()
    return resolution.result()


class _Resolution:
    """One run. Records are numbered by content, so that a plain number is the order in which they are tried."""

    def __init__(
        self,
        records: Iterable[Evidence],
        settings: EvidenceSettings,
        comparison: NameComparison,
        overloaded: Collection[KeyId],
    ) -> None:
        self.settings = settings
        self.records = sorted(records, key=content_order)
        self.number_of = {record.record_id: number for number, record in enumerate(self.records)}
        self.keys = [evidence_keys(record, settings=settings) for record in self.records]
        self.relations = NameRelations(comparison)
        self.names = [self.relations.numbers(() if record.kind == "agent" else record.names) for record in self.records]
        self.edges: list[Edge] = []
        self.refused: list[RefusedEdge] = []
        self.placed_by_hand: set[int] = set()
        # Agents propose; visitors follow. Neither is a holder whose word joins others.
        self.holders: dict[KeyId, list[int]] = {}
        self.visitors: dict[KeyId, list[int]] = {}
        for number, record in enumerate(self.records):
            if record.kind != "agent":
                of_kind = self.visitors if record.kind == "anonymous" else self.holders
                for key_id in self.keys[number]:
                    of_kind.setdefault(key_id, []).append(number)
        self.overloaded = self._overloaded_keys(overloaded)
        ids = self._id_classes()
        persons: dict[Person, int] = {}
        self.person_of = [
            persons.setdefault((own, tuple(sorted(of.items()))), len(persons))
            for own, of in zip(self.names, ids, strict=True)
        ]
        self.persons = list(persons)
        verified = (number for number, record in enumerate(self.records) if record.verified)
        self.forest = ConstrainedForest(self.names, ids, self.relations, verified)

    def _overloaded_keys(self, known: Collection[KeyId]) -> set[KeyId]:
        overloaded = set(known)
        for key_id in self.holders.keys() | self.visitors.keys():
            users = self.holders.get(key_id, [])
            holders = users + self.visitors.get(key_id, [])
            if len(holders) > self.settings.fan_out_cap and key_id not in overloaded:
                claims = [(self.names[number], self.keys[number]) for number in sorted(holders)]
                if overloads(key_id[0], claims, len(users), self.settings, self.relations):
                    overloaded.add(key_id)
        return overloaded

    def _id_classes(self) -> list[dict[Namespace, int]]:
        """Per record and namespace the class of its unique ids: ids that a record states together are one class."""
        unique = self.settings.unique_kinds
        classes: dict[KeyId, KeyId] = {}

        def class_of(key_id: KeyId) -> KeyId:
            while classes.setdefault(key_id, key_id) != key_id:
                key_id = classes[key_id]
            return key_id

        first_of: list[dict[Namespace, KeyId]] = []
        for number, record in enumerate(self.records):
            first: dict[Namespace, KeyId] = {}
            if record.kind == "identified":
                for key_id in self.keys[number]:
                    if key_id[0] in unique and key_id not in self.overloaded:
                        together = first.setdefault(key_id[:2], key_id)
                        classes[class_of(key_id)] = class_of(together)
            first_of.append(first)
        numbers: dict[KeyId, int] = {}
        return [
            {space: numbers.setdefault(class_of(key_id), len(numbers)) for space, key_id in first.items()}
            for first in first_of
        ]

    def _joinable(self, kind: str) -> Iterator[tuple[KeyId, list[int]]]:
        """The keys of a kind that two or more records hold, in the order of their first holders."""
        shared = [
            (holders[0], key_id) for key_id, holders in self.holders.items() if key_id[0] == kind and len(holders) > 1
        ]
        for _, key_id in sorted(shared):
            holders = self.holders[key_id]
            if key_id in self.overloaded:
                self._refuse(holders[0], holders[1], Refusal.FAN_OUT, key_id)
            else:
                yield key_id, holders

    def _refuse(
        self, number: int, other: int, refusal: Refusal, key_id: KeyId | None = None, decision: int | None = None
    ) -> None:
        a, b = self.records[number].record_id, self.records[other].record_id
        self.refused.append(RefusedEdge(a, b, refusal, key_id, decision))

    def _join(self, number: int, other: int, ground: Ground) -> bool:
        """Make one component of the two records' unless something forbids it; True when they are one."""
        root, other_root = self.forest.find(number), self.forest.find(other)
        if root == other_root:
            return True
        if ground.rule not in _FORCED:
            obstacle = self.forest.obstacle(
                root,
                other_root,
                names_matter=ground.rule in _NAMES_MATTER,
                moves_verified=ground.rule is not Rule.MODEL,
            )
            if obstacle:
                self._refuse(number, other, Refusal(obstacle.value), ground.key, ground.decision)
                return False
        self.forest.join(root, other_root)
        self.edges.append(Edge(self.records[number].record_id, self.records[other].record_id, *ground))
        return True

    def _join_all(self, members: Iterable[int], ground: Ground) -> None:
        """Bring the members together as far as it goes: each joins the first of the components met so far that
        takes it, so that two that are kept apart do not keep the others apart."""
        met: list[int] = []
        for member in members:
            root = self.forest.find(member)
            if any(root == self.forest.find(other) for other in met):
                continue
            if not any(self._join(other, member, ground) for other in met):
                met.append(member)

    def tie_agents(self) -> None:
        """An agent's record follows the record that it is tied to; the only union that nothing can forbid."""
        for number, record in enumerate(self.records):
            if record.kind == "agent" and record.tied_to in self.number_of:
                self._join(self.number_of[record.tied_to], number, Ground(Rule.TIE))

    def follow_stewards(self, decisions: Iterable[Decision]) -> None:
        """Newest first: what is decided later is there already when an older decision comes to speak."""
        for decision in active(decisions):
            number, other = self.number_of.get(decision.a), self.number_of.get(decision.b)
            if decision.kind != "steward" or number is None or other is None:
                continue
            if decision.verb != "link":
                if not self.forest.forbid(number, other):
                    self._refuse(number, other, Refusal.OVERRULED, decision=decision.id)
            elif self.forest.vetoed(self.forest.find(number), self.forest.find(other)):
                self._refuse(number, other, Refusal.NEVER, decision=decision.id)
            else:
                self.placed_by_hand.update(end for end in (number, other) if self.records[end].kind == "anonymous")
                self._join(number, other, Ground(Rule.STEWARD, decision=decision.id))

    def join_by_unique_ids(self) -> None:
        """Kind by kind in alphabetical order; names don't matter."""
        for kind in sorted(self.settings.unique_kinds):
            for key_id, holders in self._joinable(kind):
                self._join_all(holders, Ground(Rule.UNIQUE_ID, key_id))

    def join_by_contacts(self) -> None:
        """E-mail, then phone: agreeing names first, so that they are settled before anything that is unclear."""
        for kind in self.settings.contact_kinds:
            rule = self._rule_of(kind)
            for key_id, holders in self._joinable(kind):
                if len({self.forest.find(holder) for holder in holders}) == 1:
                    continue  # stronger evidence has said it all; nothing to join, nothing to refuse
                claims = self._claims(key_id, holders)
                for group in claims.agreeing():
                    self._join_all(group, Ground(rule, key_id, Relation.SAME))
                conflicts = claims.conflicts()
                if not conflicts:
                    self._join_all(holders, Ground(rule, key_id))
                    continue
                for number, other in conflicts:
                    self._refuse(number, other, Refusal.NAMES_DIFFER, key_id)
                told, untold = claims.unclear()
                for claimant, number in told:
                    self._join(claimant, number, Ground(rule, key_id))
                for claimant, number in untold:
                    self._refuse(claimant, number, Refusal.AMBIGUOUS, key_id)

    def _rule_of(self, kind: str) -> Rule:
        return Rule.UNIQUE_ID if kind in self.settings.unique_kinds else _RULES.get(kind, Rule.CONTACT)

    def _claims(self, key_id: KeyId, holders: Sequence[int]) -> Claims:
        recycled = key_id[0] in self.settings.recycled_kinds
        return Claims(
            holders,
            person_of=self.person_of,
            relation=self._relation,
            claimed_at=(lambda number: self.keys[number][key_id]) if recycled else None,
        )

    def _relation(self, person: int, other: int) -> Relation:
        """Agreeing names speak louder than different ids, different ids louder than names that cannot be told."""
        (own_names, own_ids), (other_names, its_ids) = self.persons[person], self.persons[other]
        names = self.relations.between(own_names, other_names)
        if names is Relation.UNCLEAR and own_ids and its_ids:
            ids, other_ids = dict(own_ids), dict(its_ids)
            if any(other_ids.get(space, id_class) != id_class for space, id_class in ids.items()):
                return Relation.DIFFERENT
        return names

    def follow_model(self, decisions: Iterable[Decision]) -> None:
        """The surest first. The model has weighed the names; ids, stewards' vetoes and verified records stand above
        it."""
        links = []
        for decision in active(decisions):
            number, other = self.number_of.get(decision.a), self.number_of.get(decision.b)
            if decision.kind == "model" and decision.verb == "link" and number is not None and other is not None:
                links.append((-decision.score, min(number, other), max(number, other), decision.id))
        for _, number, other, decision_id in sorted(links):
            if "anonymous" not in (self.records[number].kind, self.records[other].kind):
                self._join(number, other, Ground(Rule.MODEL, decision=decision_id))

    def place_visitors(self) -> None:
        """Each anonymous record goes to the one component that its keys speak for, or to nobody. Unless a steward has
        placed it by hand. Leaves don't change what others see, so their order plays no part."""
        for number, record in enumerate(self.records):
            if record.kind == "anonymous" and number not in self.placed_by_hand:
                self._place_visitor(number)

    def _place_visitor(self, number: int) -> None:
        speaking: dict[int, tuple[int, KeyId]] = {}
        for key_id in sorted(self.keys[number], key=lambda key_id: (key_id[0] != DEVICE, key_id)):
            users = self.holders.get(key_id, [])
            of_component = {self.forest.find(user): user for user in reversed(users)}
            if len(of_component) > 1 or key_id in self.overloaded:
                refusal = Refusal.SHARED_DEVICE if key_id[0] == DEVICE else Refusal.AMBIGUOUS
                for user in list(of_component.values())[-1:]:
                    self._refuse(user, number, refusal, key_id)
                if key_id[0] == DEVICE:
                    return
                continue
            for root, user in of_component.items():
                speaking.setdefault(root, (user, key_id))
        if len(speaking) == 1:
            for user, key_id in speaking.values():
                self._join(user, number, Ground(self._rule_of(key_id[0]), key_id))
        else:
            for user, key_id in speaking.values():
                self._refuse(user, number, Refusal.AMBIGUOUS, key_id)

    def result(self) -> Partition:
        """What was found, in records' ids."""
        self._propose_agents_keys()
        of_root: dict[int, list[Evidence]] = {}
        for number, record in enumerate(self.records):
            of_root.setdefault(self.forest.find(number), []).append(record)
        anchor_of: dict[int, int] = {}
        components = []
        for together in of_root.values():
            anchor = min(together, key=_anchor_rank).record_id
            components.append(Component(anchor, frozenset(record.record_id for record in together)))
            for record in together:
                anchor_of[record.record_id] = anchor
        ended = self._ended()
        return Partition(
            components=tuple(sorted(components)),
            anchor_of=anchor_of,
            edges=tuple(self.edges),
            refused=tuple(
                refused
                for refused in dict.fromkeys(self.refused)
                if refused.refusal is Refusal.OVERRULED or anchor_of[refused.a] != anchor_of[refused.b]
            ),
            ended={(self.records[number].record_id, key_id): at for (number, key_id), at in ended.items()},
            owner_of=dict(self._owners(ended, anchor_of)),
        )

    def _propose_agents_keys(self) -> None:
        for number, record in enumerate(self.records):
            if record.kind == "agent":
                for key_id in sorted(self.keys[number]):
                    if key_id not in self.overloaded:
                        for holder in self.holders.get(key_id, [])[:1]:
                            self._refuse(holder, number, Refusal.PROPOSED, key_id)

    def _ended(self) -> dict[tuple[int, KeyId], datetime]:
        """Whose hold of a recycled key was ended, and when: by the next claim of a component that is clearly not the
        holder's own (as the components have become: a steward may know that two names are one person)."""
        ended = {}
        for key_id, holders in self.holders.items():
            if len(holders) < 2 or key_id[0] not in self.settings.recycled_kinds or key_id in self.overloaded:
                continue
            roots = {holder: self.forest.find(holder) for holder in holders}
            if len(set(roots.values())) == 1:
                continue
            claims = sorted((self.keys[holder][key_id], root) for holder, root in roots.items())
            for holder, root in roots.items():
                later = (claim for claim in claims if claim[0] > self.keys[holder][key_id])
                for at, claimant in later:
                    if claimant != root and self.forest.relation(root, claimant) is Relation.DIFFERENT:
                        ended[holder, key_id] = at
                        break
        return ended

    def _owners(
        self, ended: Collection[tuple[int, KeyId]], anchor_of: Mapping[int, int]
    ) -> Iterator[tuple[KeyId, int | None]]:
        for key_id in self.holders.keys() | self.visitors.keys():
            holders = self.holders.get(key_id) or self.visitors[key_id]
            owners = {anchor_of[self.records[number].record_id] for number in holders if (number, key_id) not in ended}
            yield key_id, owners.pop() if len(owners) == 1 and key_id not in self.overloaded else None


def _anchor_rank(record: Evidence) -> tuple[int, int]:
    return (_KIND_RANK[record.kind], record.record_id)
