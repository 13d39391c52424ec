"""What source records say about who they are: the input of `partition`, and which keys are worth nothing.

Pure: no Django, no clock, no database.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, TypeAlias

from ingestion.normalise import names as written_names
from profiles.resolution.forest import NameComparison, NameRelations, Names, Namespace, Relation

KeyId: TypeAlias = tuple[str, str, str]
"""(kind, namespace, value); e-mail, phone and citizen ids have one namespace for all sources."""

DEVICE = "device"


class Key(NamedTuple):
    """An identifier as a record states it.

    `observed_at` is the first time that the record stated it: a file that repeats itself every night claims nothing
    anew. `evidence` is False for what is masked, junk or malformed and for what a public write key says about an
    identified person.
    """

    kind: str
    namespace: str
    value: str
    observed_at: datetime
    evidence: bool = True

    @property
    def id(self) -> KeyId:
        """Without the circumstances."""
        return (self.kind, self.namespace, self.value)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a source record says about who it is.

    A `device` key on an identified record: its user was seen on this device; on an anonymous one: it is this device.
    `verified`: a person has made sure who this is; the model adds nothing to its component.
    """

    record_id: int
    source_id: int
    external_id: str
    kind: Literal["identified", "anonymous", "agent"] = "identified"
    names: tuple[Any, ...] = ()
    identifiers: tuple[Key, ...] = ()
    tied_to: int | None = None
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """One row of the append-only log; ids grow with time. Of kind "deterministic" only the log: never an input."""

    id: int
    verb: str  # link, never, related, withdraw
    kind: str  # deterministic, model, steward
    a: int = 0
    b: int = 0
    withdraws: int | None = None
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """What counts as evidence.

    Args:
        unique_kinds: one person has one value of a namespace.
        contact_kinds: shared now and then; strongest first.
        recycled_kinds: contact kinds that are handed to strangers later.
        fan_out_cap: a key whose holders are more different people than this (by names or unique ids that exclude
            each other) identifies nobody. A family of five shares a landline.
        spelling_cap: so do more different spellings than this, whether they exclude each other or not.
        holder_cap: and more records than this; a loyal caller has hundreds of tickets, not thousands.
        own_id_cap: a record that states more ids of one namespace than this is a list, not a person.
    """

    unique_kinds: frozenset[str] = frozenset({"user", "member", "line", "citizen", "passport", "driving_licence"})
    contact_kinds: tuple[str, ...] = ("email", "phone")
    recycled_kinds: frozenset[str] = frozenset({"phone"})
    fan_out_cap: int = 5
    spelling_cap: int = 40
    holder_cap: int = 1000
    own_id_cap: int = 3


DEFAULT_SETTINGS = EvidenceSettings()


def evidence_keys(record: Evidence, *, settings: EvidenceSettings = DEFAULT_SETTINGS) -> dict[KeyId, datetime]:
    """The record's keys that may be evidence, with the time of its claim."""
    kinds = (*settings.unique_kinds, *settings.contact_kinds, DEVICE)
    keys: dict[KeyId, datetime] = {}
    stated: dict[Namespace, int] = {}
    for key in record.identifiers:
        if key.evidence and key.kind in kinds:
            key_id = key[:3]
            known = keys.get(key_id)
            if known is None:
                stated[key_id[:2]] = stated.get(key_id[:2], 0) + 1
            if known is None or key.observed_at < known:
                keys[key_id] = key.observed_at
    for namespace, number in stated.items():
        if number > settings.own_id_cap and namespace[0] in settings.unique_kinds:
            keys = {key_id: at for key_id, at in keys.items() if key_id[:2] != namespace}
    return keys


def neighbourhood_keys(
    records: Iterable[Evidence],
    *,
    overloaded: Collection[KeyId] = frozenset(),
    settings: EvidenceSettings = DEFAULT_SETTINGS,
) -> frozenset[KeyId]:
    """The keys by which a neighbourhood is expanded: every record that states one of them belongs to it."""
    return frozenset(
        key_id for record in records for key_id in evidence_keys(record, settings=settings) if key_id not in overloaded
    )


def is_overloaded(
    key_id: KeyId,
    holders: Sequence[Evidence],
    *,
    settings: EvidenceSettings = DEFAULT_SETTINGS,
    comparison: NameComparison = written_names,
) -> bool:
    """Whether a key is held by more people than can share it, seen from the records that state it alone."""
    relations = NameRelations(comparison)
    claims = []
    users = 0
    for holder in sorted(holders, key=content_order):
        keys = evidence_keys(holder, settings=settings)
        if key_id in keys and holder.kind != "agent":
            claims.append((relations.numbers(holder.names), keys))
            users += holder.kind == "identified"
    return overloads(key_id[0], claims, users, settings, relations)


def withdrawn(decisions: Iterable[Decision]) -> frozenset[int]:
    """The ids of decisions that count for nothing. A withdrawal that is withdrawn withdraws nothing."""
    gone: set[int] = set()
    for decision in sorted(decisions, key=lambda decision: decision.id, reverse=True):
        if decision.verb == "withdraw" and decision.id not in gone and decision.withdraws is not None:
            gone.add(decision.withdraws)
    return frozenset(gone)


def active(decisions: Iterable[Decision]) -> list[Decision]:
    """The links, nevers and relations that nothing withdraws, newest first."""
    known = list(decisions)
    gone = withdrawn(known)
    standing = (decision for decision in known if decision.verb != "withdraw" and decision.id not in gone)
    return sorted(standing, key=lambda decision: decision.id, reverse=True)


def content_order(record: Evidence) -> tuple[int, str, str]:
    return (record.source_id, record.external_id, record.kind)


def overloads(
    kind: str,
    claims: Sequence[tuple[Names, Collection[KeyId]]],
    users: int,
    settings: EvidenceSettings,
    relations: NameRelations,
) -> bool:
    """The caps. Names are counted greedily in the order given; ids that one holder states together count once.

    Ids count for contact kinds only: if unique ids were counted against each other, the verdict on a key would need
    the verdicts on its neighbours, and locality would be lost.
    """
    if kind == DEVICE:
        return users > settings.fan_out_cap
    if len(claims) > settings.holder_cap:
        return True
    if len(claims) <= settings.fan_out_cap:
        return False
    spellings = dict.fromkeys(names for names, _ in claims if names)
    if len(spellings) > settings.spelling_cap:
        return True
    people: list[Names] = []
    for names in spellings:
        if all(relations.between(names, person) is Relation.DIFFERENT for person in people):
            people.append(names)
            if len(people) > settings.fan_out_cap:
                return True
    return kind in settings.contact_kinds and _most_ids(claims, settings) > settings.fan_out_cap


def _most_ids(claims: Iterable[tuple[Names, Collection[KeyId]]], settings: EvidenceSettings) -> int:
    """The number of different unique ids of the namespace that has most; ids stated together are one."""
    groups: dict[Namespace, list[set[str]]] = {}
    for _, keys in claims:
        own: dict[Namespace, set[str]] = {}
        for kind, namespace, value in keys:
            if kind in settings.unique_kinds:
                own.setdefault((kind, namespace), set()).add(value)
        for space, values in own.items():
            groups_before = groups.get(space, [])
            touched = [group for group in groups_before if not group.isdisjoint(values)]
            untouched = [group for group in groups_before if group.isdisjoint(values)]
            groups[space] = [*untouched, values.union(*touched)]
    return max((len(apart) for apart in groups.values()), default=0)
