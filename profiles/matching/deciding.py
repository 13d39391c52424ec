"""What a run decides of a portion of components, and how it is carried out: one transaction under the merge lock."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from django.db import connection

from cdp_site.core.models import Operation
from profiles.matching import asking, facts, planning
from profiles.matching.active import Active
from profiles.matching.album import Album
from profiles.matching.asking import Pair, Question, Said
from profiles.matching.components import Connected, Portion
from profiles.matching.facts import Facts
from profiles.matching.planning import Component, Plan, Scored
from profiles.models import LinkDecision, MatchChange, MatchRun, ReviewPair
from profiles.resolution import decision_log, pipeline
from profiles.resolution.decision_log import NewDecision

MOST_MISSING: Final = 500  # pairs that are compared on demand, of one component
_VERIFIED: Final = "verified"  # in the place of a guard rail

Change = tuple[str, Pair, float | None, str]

_WITHDRAWN = """
SELECT withdraws_id FROM profiles_linkdecision WHERE withdraws_id = ANY(%s) AND profiles_decision_stands(id)
"""
_OWNERS = """
SELECT m.record_id, m.profile_id FROM unnest(%s::bigint[]) AS wanted(id)
  JOIN profiles_membership m ON m.record_id = wanted.id AND m.valid_to IS NULL
  JOIN profiles_profile p ON p.id = m.profile_id AND p.state <> 'erasing'
"""
_WRITE_CHANGES = """
INSERT INTO profiles_matchchange (run_id, action, record_a_id, record_b_id, score, guard)
SELECT %s, action, a, b, score, guard
  FROM unnest(%s::text[], %s::bigint[], %s::bigint[], %s::float8[], %s::text[]) AS t(action, a, b, score, guard)
"""


class Decider:
    """Of one run.

    Args:
        scores: compares pairs of records.
    """

    def __init__(
        self, run: MatchRun, model: Active, album: Album, scores: Callable[[Iterable[Pair]], list[Scored]]
    ) -> None:
        self.run = run
        self.model = model
        self.is_trial = run.kind == MatchRun.Kind.SHADOW
        self._album = album
        self._scores = scores

    # --- planning -----------------------------------------------------------------------------------------------------

    def plans(self, portion: Portion) -> list[Plan]:
        """What follows for each component that anything follows for; changes nothing."""
        known = facts.read({profile for one in portion.components for profile in one.profiles})
        components = [self._component(one, known) for one in portion.components]
        missing = {pair for one in components for pair in planning.missing(one, most=MOST_MISSING)}
        also = {one.pair: one for one in self._scores(sorted(missing))}
        pairs = {one.pair for component in components for one in component.scored} | also.keys()
        said = asking.said({*pairs, *(link.pair for link in known.standing)})
        found = []
        for component in components:
            inside = [also[pair] for pair in planning.missing(component, most=MOST_MISSING) if pair in also]
            whole = replace(component, scored=[*component.scored, *inside], said=said)
            found.append(planning.plan(whole, attach=self.model.attach, review=self.model.review))
        return [plan for plan in found if plan]

    def _component(self, connected: Connected, known: Facts) -> Component:
        records = [number for profile in connected.profiles for number in known.records_of.get(profile, ())]
        part_of = {number: known.part_of[number] for number in records}
        return Component(
            part_of=part_of,
            bodies={part: known.bodies[part] for part in part_of.values()},
            scored=connected.scored,
            standing=[link for link in known.standing if link.pair.a in part_of or link.pair.b in part_of],
            vetoes=[pair for pair in known.vetoes if pair.a in part_of or pair.b in part_of],
        )

    # --- carrying out -------------------------------------------------------------------------------------------------

    def lock(self) -> None:
        """Before anything else of the transaction."""
        pipeline.take_merge_lock()

    def carry_out(self, plans: Sequence[Plan]) -> Counter[str]:
        """Write what the plans say, in the caller's transaction; of a trial, what it would change. Returns counts."""
        present = self._present(plans)
        said = asking.said({one.pair for plan in plans for one in plan.links})
        plans = [self._possible(plan, present, said) for plan in plans]
        waiting = asking.waiting(present) if present else set()
        changes = list(self._changes(plans, waiting))
        if not self.is_trial:
            self._decide(plans)
            self._ask(plans)
            self._settle(waiting)
        return self._tell(changes)

    def ask(self, doubts: Iterable[Sequence[Scored]]) -> Counter[str]:
        """Ask about the likeliest records of each two customers, in the caller's transaction, unless people have
        settled it or the two have become one; of a trial, what would be asked. Returns counts.

        Args:
            doubts: of each two customers their pairs of records, likeliest first.
        """
        said = asking.said({one.pair for pairs in doubts for one in pairs})
        owner_of = _owners({number for pair in said for number in pair})
        asked = [
            found
            for pairs in doubts
            if (found := next((one for one in pairs if not _is_settled(said[one.pair])), None)) is not None
            and owner_of.keys() >= set(found.pair)
            and owner_of[found.pair.a] != owner_of[found.pair.b]
        ]
        plan = Plan(questions=asked)
        changes = list(self._changes([plan], asking.waiting(owner_of) if owner_of else set()))
        if not self.is_trial:
            self._ask([plan])
        return self._tell(changes)

    def _tell(self, changes: Sequence[Change]) -> Counter[str]:
        """Keep the changes for the run's report; returns its counts."""
        self._write(changes)
        counts = Counter(action for action, _pair, _score, _guard in changes)
        guards = Counter(f"guard_{guard}" for action, _pair, _score, guard in changes if guard)
        return Counter({_COUNTED[action]: number for action, number in counts.items()}) + guards

    def _present(self, plans: Sequence[Plan]) -> set[int]:
        """Records of the plans that have not been erased since."""
        return set(
            _owners(
                {
                    number
                    for plan in plans
                    for pair in (
                        *(one.pair for one in plan.links),
                        *(link.pair for link in plan.withdrawals),
                        *(held.scored.pair for held in plan.held),
                        *(one.pair for one in plan.questions),
                    )
                    for number in pair
                }
            )
        )

    def _possible(self, plan: Plan, present: set[int], said: Mapping[Pair, Said]) -> Plan:
        """What of the plan is still true under the lock: records are there, nobody has said anything else since."""
        gone: set[int] = set()
        if plan.withdrawals:
            with connection.cursor() as cursor:
                cursor.execute(_WITHDRAWN, [[link.decision for link in plan.withdrawals]])
                gone = {number for (number,) in cursor.fetchall()}
        return Plan(
            links=[one for one in plan.links if present.issuperset(one.pair) and not _is_settled(said[one.pair])],
            withdrawals=[
                link for link in plan.withdrawals if present.issuperset(link.pair) and link.decision not in gone
            ],
            held=[one for one in plan.held if present.issuperset(one.scored.pair)],
            questions=[one for one in plan.questions if present.issuperset(one.pair)],
        )

    def _changes(self, plans: Sequence[Plan], waiting: set[Pair]) -> Iterable[Change]:
        """What the report lists; a question that waits already is nothing new."""
        for plan in plans:
            yield from ((MatchChange.Action.LINK, *one, "") for one in plan.links)
            yield from ((MatchChange.Action.WITHDRAW, link.pair, None, "") for link in plan.withdrawals)
            for held in plan.held:
                if held.guard is not None:
                    yield (MatchChange.Action.HELD_BACK, *held.scored, held.guard)
                elif held.scored.pair not in waiting:
                    yield (MatchChange.Action.REVIEW, *held.scored, _VERIFIED)
            yield from ((MatchChange.Action.REVIEW, *one, "") for one in plan.questions if one.pair not in waiting)

    def _decide(self, plans: Sequence[Plan]) -> None:
        """Append the decisions and bring the customers up to date."""
        links = [one for plan in plans for one in plan.links]
        withdrawals = [link for plan in plans for link in plan.withdrawals]
        if not links and not withdrawals:
            return
        operation, _is_new = Operation.objects.get_or_create(
            pk=self.run.pk, defaults={"kind": Operation.Kind.MERGE, "actor": self.run.started_by}
        )
        comparable = self._album.of({number for one in links for number in one.pair})
        decisions = [
            NewDecision(
                action=LinkDecision.Action.WITHDRAW,
                kind=LinkDecision.Kind.MODEL,
                record_a=link.pair.a,
                record_b=link.pair.b,
                withdraws=link.decision,
                evidence={"model": self.model.version},
            )
            for link in withdrawals
        ]
        for pair, score in links:
            why = self.model.matcher.explain(comparable[pair.a], comparable[pair.b])
            decisions.append(
                NewDecision(
                    action=LinkDecision.Action.LINK,
                    kind=LinkDecision.Kind.MODEL,
                    record_a=pair.a,
                    record_b=pair.b,
                    score=score,
                    evidence={"model": self.model.version, **asking.evidence(why)},
                )
            )
        by = self.run.started_by
        decision_log.append(decisions, actor=by, operation_id=operation.pk)
        pairs = [*(one.pair for one in links), *(link.pair for link in withdrawals)]
        ends = {number for pair in pairs for number in pair}
        pipeline.resolve_exclusively(ends, by=by, operation_id=operation.pk)

    def _ask(self, plans: Sequence[Plan]) -> None:
        reasons = [(one, ReviewPair.Reason.BAND) for plan in plans for one in plan.questions]
        for plan in plans:
            for held in plan.held:
                reason = ReviewPair.Reason.VERIFIED if held.guard is None else ReviewPair.Reason.GUARD
                reasons.append((held.scored, reason))
        comparable = self._album.of({number for one, _reason in reasons for number in one.pair})
        questions = [
            Question(
                one.pair,
                reason,
                one.score,
                self.model.matcher.explain(comparable[one.pair.a], comparable[one.pair.b]),
            )
            for one, reason in reasons
        ]
        asking.ask(questions, model_id=self.model.model_id)

    def _settle(self, waiting: set[Pair]) -> None:
        """Nobody need be asked about what has become one."""
        if waiting:
            owner_of = _owners({number for pair in waiting for number in pair})
            asking.drop({pair for pair in waiting if owner_of.get(pair.a) == owner_of.get(pair.b)})

    def _write(self, changes: Sequence[Change]) -> None:
        if changes:
            columns: list[list[Any]] = [
                [action for action, _pair, _score, _guard in changes],
                [pair.a for _action, pair, _score, _guard in changes],
                [pair.b for _action, pair, _score, _guard in changes],
                [score for _action, _pair, score, _guard in changes],
                [guard for _action, _pair, _score, guard in changes],
            ]
            with connection.cursor() as cursor:
                cursor.execute(_WRITE_CHANGES, [self.run.pk, *columns])


def _owners(records: Iterable[int]) -> dict[int, int]:
    """Record → its customer's profile, of those that have not been erased. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS, [sorted(records)])
        return dict(cursor.fetchall())


def _is_settled(said: Said) -> bool:
    return said.is_settled or said.is_refused


_COUNTED: Final[dict[str, str]] = {
    MatchChange.Action.LINK: "links",
    MatchChange.Action.WITHDRAW: "withdrawn",
    MatchChange.Action.REVIEW: "reviews",
    MatchChange.Action.HELD_BACK: "held_back",
}
