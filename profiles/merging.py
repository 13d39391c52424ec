"""Merge and unmerge by hand: previewed, exact, audited.

A merge is a steward's link between anchor records, an unmerge withdraws the links that cross the cut and adds "never"
between the people on its sides, record by record where evidence alone would join them again; a refusal says of two
records that they are not one person, whoever may say so later. All only append decisions and resolve again, so
everything returns to exactly where it was, and what arrived since goes with the record that it came with. To take a
merge back without a word on the people is `revert`'s.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from cdp_site.core import audit, impact
from cdp_site.core.access import Scope
from cdp_site.core.errors import ConflictProblem, InternalError, MendableError
from cdp_site.core.ids import uuid7
from cdp_site.core.models import Operation, User
from profiles import golden
from profiles.models import (
    AgentEdit,
    CaseNote,
    LinkDecision,
    Membership,
    Note,
    Order,
    Profile,
    SourceRecord,
    Touchpoint,
)
from profiles.resolution import decision_log, neighbourhood, pipeline
from profiles.resolution.decision_log import NewDecision
from profiles.resolution.evidence import Decision, active, withdrawn
from profiles.resolution.neighbourhood import Neighbourhood
from profiles.resolution.partition import Partition, partition

# "Never" is written between every two records across a cut; more would be a list to write, not a decision.
MOST_NEVERS = 5_000

LINK, NEVER, WITHDRAW = LinkDecision.Action.LINK, LinkDecision.Action.NEVER, LinkDecision.Action.WITHDRAW
RELATED = LinkDecision.Action.RELATED
STEWARD = LinkDecision.Kind.STEWARD

# What taking an operation back is, as the operation and the audit call it.
_OPPOSITE = {
    Operation.Kind.MERGE: (Operation.Kind.UNMERGE, "profile.unmerge"),
    Operation.Kind.UNMERGE: (Operation.Kind.MERGE, "profile.merge"),
    Operation.Kind.REFUSAL: (Operation.Kind.REFUSAL, "profile.unrefuse"),
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a merge or unmerge would do.

    Args:
        before, after: the records concerned, by profile.
        golden_before, golden_after: the golden records of these groups, in their order.
        touchpoints, orders: how many would change their owner.
        overruled: decisions of stewards that would be set aside, by id.
        unclear_notes: agents' records that were written on while the sides were one; an unmerge asks where they go.
        effects: what upper apps say (consent, segments).
    """

    before: Sequence[frozenset[int]]
    after: Sequence[frozenset[int]]
    golden_before: Sequence[Mapping[str, Any]]
    golden_after: Sequence[Mapping[str, Any]]
    touchpoints: int
    orders: int
    overruled: Sequence[int]
    unclear_notes: Sequence[int]
    effects: Sequence[impact.Effect]

    @property
    def changed_traits(self) -> list[str]:
        """Traits of which a group shows another value afterwards, or none, or one that it did not have."""
        changed: set[str] = set()
        for group, old in zip(self.before, self.golden_before, strict=True):
            for other, new in zip(self.after, self.golden_after, strict=True):
                if group & other:
                    changed.update(trait for trait in old.keys() | new.keys() if old.get(trait) != new.get(trait))
        return sorted(changed)

    def within(self, scope: Scope) -> "Preview":
        """The same without the traits that the scope hides."""

        def seen(golden: Mapping[str, Any]) -> dict[str, Any]:
            return {trait: value for trait, value in golden.items() if trait not in scope.hidden_traits}

        return replace(
            self,
            golden_before=[seen(golden) for golden in self.golden_before],
            golden_after=[seen(golden) for golden in self.golden_after],
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """`profiles`: the live ones that came of it, lowest id first."""

    operation: Operation
    profiles: Sequence[Profile]


@dataclass(frozen=True, slots=True)
class _Plan:
    """Decisions to append, and what would follow from them."""

    around: Neighbourhood
    decisions: Sequence[NewDecision]
    found: Partition
    members: frozenset[int] = field(default_factory=frozenset)


# --- merge --------------------------------------------------------------------------------------------------------


def preview_merge(profiles: Collection[Profile]) -> Preview:
    """What merging these live profiles would do; changes nothing. Raises MendableError as `merge` does."""
    return preview_merges([profiles])


def preview_merges(groups: Collection[Collection[Profile]]) -> Preview:
    """The same of several merges at once; no profile is in two groups."""
    return _preview(_plan_merges(groups))


def merge(*, profiles: Collection[Profile], by: User, reason: str, operation_id: UUID | None = None) -> Outcome:
    """Make one customer of several; `operation_id` where the caller knows it. Raises MendableError for fewer than two,
    ConflictProblem when one of them is not there any more."""
    return merge_many(groups=[profiles], by=by, reason=reason, operation_id=operation_id)


@transaction.atomic
def merge_many(
    *, groups: Collection[Collection[Profile]], by: User, reason: str, operation_id: UUID | None = None
) -> Outcome:
    """Make one customer of each group, in one operation that is taken back as a whole; no profile is in two groups.
    Raises as `merge` does."""
    pipeline.take_merge_lock()
    plan = _plan_merges(groups, reason)
    return _carry_out(plan, kind=Operation.Kind.MERGE, action="profile.merge", by=by, operation_id=operation_id)


def _plan_merges(groups: Collection[Collection[Profile]], reason: str = "") -> _Plan:
    live = find_live([profile for profiles in groups for profile in profiles])
    anchor_of = {profile.pk: profile.birth_record.pk for profile in live}
    if any(len({profile.pk for profile in profiles}) < 2 for profiles in groups):
        raise MendableError(_("Choose at least two customers to merge."))
    members = members_of(live)
    around = neighbourhood.read(members)
    links: list[NewDecision] = []
    found = foresee(around, links)
    # First anchor of each group → records that are still to be linked to it.
    waiting: dict[int, list[int]] = {}
    group_of: dict[int, int] = {}
    for profiles in groups:
        first, *others = [anchor_of[number] for number in sorted({profile.pk for profile in profiles})]
        waiting[first] = others
        group_of |= {profile.pk: first for profile in profiles}
    while waiting:
        links += [
            NewDecision(LINK, STEWARD, first, other, evidence={"rule": "steward"}, reason=reason)
            for first, others in waiting.items()
            for other in others
        ]
        found = foresee(around, links)
        # Two ids of one namespace may meet, and what evidence alone held would fall out: the person said "all of them".
        linked = {link.record_b for link in links}
        waiting = {}
        for number in sorted(members - linked):
            first = group_of[around.records[number].profile_id]
            if number != first and _falls_out(number, first, found, around):
                waiting.setdefault(first, []).append(number)
    return _Plan(around, links, found, members)


def _falls_out(number: int, first: int, found: Partition, around: Neighbourhood) -> bool:
    evidence = around.records[number].evidence
    return evidence.kind == "identified" and found.anchor_of[number] != found.anchor_of[first]


# --- unmerge ------------------------------------------------------------------------------------------------------


def preview_unmerge(profile: Profile, records: Collection[int], notes_to: Mapping[int, int] | None = None) -> Preview:
    """What taking these records out of the profile would do; changes nothing. Raises MendableError as `unmerge`."""
    (live,) = find_live([profile])
    return _preview(_plan_unmerge(live, frozenset(records), notes_to or {}))


@transaction.atomic
def unmerge(
    *,
    profile: Profile,
    records: Collection[int],
    by: User,
    reason: str,
    notes_to: Mapping[int, int] | None = None,
    operation_id: UUID | None = None,
) -> Outcome:
    """Take records out of a customer; what hangs on them goes along.

    Args:
        records: ids of the customer's records that are somebody else's.
        notes_to: agent record → record with which its notes go; others stay with the record that they are tied to.

    Raises MendableError when the records are none or all of the customer's or too many, ConflictProblem when they are
    not the customer's any more.
    """
    pipeline.take_merge_lock()
    (live,) = find_live([profile])
    plan = _plan_unmerge(live, frozenset(records), notes_to or {}, reason)
    for agent, target in (notes_to or {}).items():
        SourceRecord.objects.filter(pk=agent).update(tied_to=target)
    return _carry_out(plan, kind=Operation.Kind.UNMERGE, action="profile.unmerge", by=by, operation_id=operation_id)


def _plan_unmerge(profile: Profile, records: frozenset[int], notes_to: Mapping[int, int], reason: str = "") -> _Plan:
    members = members_of([profile])
    around = neighbourhood.read(members)
    _retie(around, notes_to, members)
    if not records <= members:
        raise ConflictProblem(_("These records do not belong to this customer any more."), hint=_("Look again."))
    apart = frozenset(number for number in members if _speaks_for(number, around) in records)
    stay = members - apart
    if not apart or not stay:
        raise MendableError(_("Choose some of the customer's records, not none and not all."))
    known = [logged.decision for logged in around.decisions]
    decisions = [
        NewDecision(WITHDRAW, STEWARD, link.a, link.b, withdraws=link.id, reason=reason)
        for link in active(known)
        if link.verb == "link" and link.kind != "deterministic" and (link.a in apart) != (link.b in apart)
    ]
    while True:
        found = foresee(around, decisions)
        joined = _across(found, apart, stay, around) or _unsaid(decisions, found, apart, stay, around)
        if not joined:
            return _Plan(around, decisions, found, members)
        if len(decisions) + len(joined) > MOST_NEVERS:
            raise MendableError(
                _("These are too many records to part at once."), hint=_("Take out fewer records at a time.")
            )
        decisions += [NewDecision(NEVER, STEWARD, a, b, evidence={"rule": "unmerge"}, reason=reason) for a, b in joined]


def _retie(around: Neighbourhood, notes_to: Mapping[int, int], members: frozenset[int]) -> None:
    for agent, target in notes_to.items():
        record = around.records.get(agent)
        if record is None or record.evidence.kind != "agent" or agent not in members or target not in members:
            raise ConflictProblem(_("These notes do not belong to this customer any more."), hint=_("Look again."))
        around.records[agent] = record.tied_to(target)


def _speaks_for(number: int, around: Neighbourhood) -> int:
    """The record itself; of an agent's record the one that it is tied to."""
    tied_to = around.records[number].evidence.tied_to
    return number if tied_to is None or tied_to not in around.records else tied_to


def _across(
    found: Partition, apart: frozenset[int], stay: frozenset[int], around: Neighbourhood
) -> list[tuple[int, int]]:
    """Pairs of records on different sides of the cut that would be one customer nevertheless."""
    own = [number for number in sorted(apart) if _speaks_for(number, around) == number]
    others = [number for number in sorted(stay) if _speaks_for(number, around) == number]
    return [(a, b) for a in own for b in others if found.anchor_of[a] == found.anchor_of[b]]


def _unsaid(
    decisions: Sequence[NewDecision],
    found: Partition,
    apart: frozenset[int],
    stay: frozenset[int],
    around: Neighbourhood,
) -> list[tuple[int, int]]:
    """Anchors on different sides of the cut between whose people nothing says yet that they are not one: no model, and
    nothing that arrives, joins again what a person has parted."""
    said = {
        frozenset((found.anchor_of[one.record_a], found.anchor_of[one.record_b]))
        for one in decisions
        if one.action == NEVER
    }
    own, others = (
        sorted({found.anchor_of[number] for number in side if around.records[number].evidence.kind == "identified"})
        for side in (apart, stay)
    )
    return [(a, b) for a in own for b in others if frozenset((a, b)) not in said]


# --- refusal ------------------------------------------------------------------------------------------------------


def refuse(*, records: tuple[int, int], by: User, reason: str) -> Outcome:
    """Say that two records are different people: neither evidence nor a model joins them from now on. Where they are
    one customer now, they part, each with what speaks for it more.

    Raises ConflictProblem when one of the records is gone.
    """
    return _keep_apart(NEVER, records, action="profile.refuse", by=by, reason=reason)


def relate(*, records: tuple[int, int], by: User, reason: str) -> Outcome:
    """The same of two records that have to do with each other: a household. Raises as `refuse` does."""
    return _keep_apart(RELATED, records, action="profile.relate", by=by, reason=reason)


@transaction.atomic
def _keep_apart(verb: str, records: tuple[int, int], *, action: str, by: User, reason: str) -> Outcome:
    pipeline.take_merge_lock()
    owners = Profile.objects.live().filter(memberships__record__in=records, memberships__valid_to=None)
    members = members_of(owners.distinct())
    if not members.issuperset(records):
        raise ConflictProblem(_("One of the two records is not there any more."), hint=_("Look again."))
    around = neighbourhood.read(members)
    decisions = [NewDecision(verb, STEWARD, *records, evidence={"rule": "steward"}, reason=reason)]
    plan = _Plan(around, decisions, foresee(around, decisions), members)
    return _carry_out(plan, kind=Operation.Kind.REFUSAL, action=action, by=by)


# --- revert -------------------------------------------------------------------------------------------------------


@transaction.atomic
def revert(*, operation: Operation, by: User, reason: str, operation_id: UUID | None = None) -> Outcome:
    """Take back what a merge, unmerge or refusal decided. Raises ConflictProblem when nothing of it stands any more.

    Notes that an unmerge moved stay where they are: they belong to records, not to the decision.
    """
    pipeline.take_merge_lock()
    rows = list(LinkDecision.objects.filter(operation_id=operation.pk, kind=STEWARD).order_by("pk"))
    members = members_of(Profile.objects.filter(memberships__record__in=_ends(rows), memberships__valid_to=None))
    around = neighbourhood.read(members)
    gone = withdrawn(logged.decision for logged in around.decisions)
    decisions = [
        NewDecision(WITHDRAW, STEWARD, row.record_a_id, row.record_b_id, withdraws=row.pk, reason=reason)
        for row in rows
        if row.pk not in gone
    ]
    if not decisions:
        raise ConflictProblem(_("This has been taken back already."))
    kind, action = _OPPOSITE[Operation.Kind(operation.kind)]
    plan = _Plan(around, decisions, foresee(around, decisions), members)
    return _carry_out(plan, kind=kind, action=action, by=by, operation_id=operation_id)


def outcome_of(operation: Operation) -> Outcome:
    """Whom a merge, unmerge or its undoing was about, as they are now. Two queries."""
    rows = LinkDecision.objects.filter(operation_id=operation.pk, kind=STEWARD)
    profiles = Profile.objects.live().filter(memberships__record__in=_ends(rows), memberships__valid_to=None)
    return Outcome(operation, list(profiles.distinct().order_by("pk")))


def stands(operation: Operation) -> bool:
    """Whether anything that a merge, unmerge or refusal decided holds, maybe again. One query."""
    return LinkDecision.objects.standing().filter(operation_id=operation.pk, kind=STEWARD).exists()


def _ends(rows: Iterable[LinkDecision]) -> set[int]:
    return {number for row in rows for number in (row.record_a_id, row.record_b_id)}


# --- in common ----------------------------------------------------------------------------------------------------


def find_live(profiles: Collection[Profile]) -> list[Profile]:
    """The profiles as they are now, by id."""
    wanted = {profile.pk for profile in profiles}
    found = list(Profile.objects.live().filter(pk__in=wanted).select_related("birth_record").order_by("pk"))
    if len(found) < len(wanted):
        raise ConflictProblem(_("This customer has just been merged."), hint=_("Open the customer again."))
    return found


def members_of(profiles: Iterable[Profile]) -> frozenset[int]:
    current = Membership.objects.filter(profile__in=[profile.pk for profile in profiles], valid_to__isnull=True)
    return frozenset(current.values_list("record", flat=True))


def foresee(around: Neighbourhood, decisions: Sequence[NewDecision]) -> Partition:
    """The partition as it will be when the decisions are in the log."""
    known = [logged.decision for logged in around.decisions]
    last = max((decision.id for decision in known), default=0)
    new = [
        Decision(last + place, row.action, row.kind, row.record_a, row.record_b, row.withdraws)
        for place, row in enumerate(decisions, start=1)
    ]
    return partition(
        [record.evidence for record in around.records.values()], [*known, *new], overloaded=around.overloaded
    )


def _carry_out(plan: _Plan, *, kind: str, action: str, by: User, operation_id: UUID | None = None) -> Outcome:
    actor = audit.actor_name(by)
    operation = Operation.objects.create(pk=operation_id or uuid7(), kind=kind, actor=actor)
    decision_log.append(plan.decisions, actor=actor, operation_id=operation.pk)
    pipeline.resolve_exclusively(plan.members, by=actor, operation_id=operation.pk)
    now = dict(
        Membership.objects.filter(record__in=plan.members, valid_to__isnull=True).values_list("record", "profile")
    )
    foreseen = {number: plan.around.records[plan.found.anchor_of[number]].birth_profile_id for number in plan.members}
    if now != foreseen:
        raise InternalError(f"operation {operation.pk}: the profiles are not as foreseen")
    profiles = list(Profile.objects.filter(pk__in=set(now.values())).order_by("pk"))
    for profile in profiles:
        audit.record(action=action, target=profile, by=by, fields=["records"])
    return Outcome(operation, profiles)


def _preview(plan: _Plan) -> Preview:
    before, after = _groups(plan)
    owner_before = {number: plan.around.records[number].profile_id for number in plan.members}
    owner_after = {
        number: plan.around.records[plan.found.anchor_of[number]].birth_profile_id for number in plan.members
    }
    moved = [number for number in plan.members if owner_before[number] != owner_after[number]]
    profiles = {owner_before[number] for number in moved}
    together = {number: place for place, group in enumerate(after) for number in group}
    return Preview(
        before=before,
        after=after,
        golden_before=golden.of_records(before),
        golden_after=golden.of_records(after),
        touchpoints=Touchpoint.objects.filter(profile__in=profiles, record__in=moved).count(),
        orders=Order.objects.filter(record__in=moved).count(),
        overruled=[
            decision.id
            for decision in active(logged.decision for logged in plan.around.decisions)
            if decision.kind == "steward"
            and decision.verb != "link"
            and decision.a in together
            and together[decision.a] == together.get(decision.b)
        ],
        unclear_notes=_unclear_notes(plan, len(after) > len(before)),
        effects=impact.effects(before, after),
    )


def _groups(plan: _Plan) -> tuple[list[frozenset[int]], list[frozenset[int]]]:
    """The members by profile now, and then; lowest record first."""
    before: dict[int, set[int]] = {}
    after: dict[int, set[int]] = {}
    for number in plan.members:
        before.setdefault(plan.around.records[number].profile_id, set()).add(number)
        after.setdefault(plan.found.anchor_of[number], set()).add(number)
    return sorted(map(frozenset, before.values()), key=min), sorted(map(frozenset, after.values()), key=min)


def _unclear_notes(plan: _Plan, parts: bool) -> list[int]:
    """Agents' records that hold notes, steps of cases or changes made after the last of the members came in: it was
    one customer then."""
    agents = [number for number in plan.members if plan.around.records[number].evidence.kind == "agent"]
    if not parts or not agents:
        return []
    current = Membership.objects.filter(record__in=plan.members - set(agents), valid_to__isnull=True)
    since = max(current.values_list("valid_from", flat=True))
    noted = Note.objects.filter(record__in=agents, at__gt=since).values_list("record", flat=True)
    handled = CaseNote.objects.filter(case__record__in=agents, at__gt=since).values_list("case__record", flat=True)
    edited = AgentEdit.objects.filter(record__in=agents, at__gt=since, undone_at=None).values_list("record", flat=True)
    return sorted({*noted, *handled, *edited})
