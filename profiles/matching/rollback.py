"""Taking a model's merges back: exactly its own links that no person has confirmed since.

A link is confirmed when people's words join its two ends, directly or over other records of the clusters that evidence
alone makes around them: a steward's merge, or a pair that people say is one person. Everything else that the model
joined comes apart to where it was; what has arrived since stays with the record it came with.

A job: portion after portion, each in a transaction of its own under the merge lock, each committed with the place that
it reached.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit, jobs
from cdp_site.core.errors import ConflictProblem, InternalError
from cdp_site.core.models import User
from profiles.matching import consequences, labels
from profiles.matching.consequences import Consequences
from profiles.matching.labels import Pair
from profiles.models import LinkDecision, MatchModel, MatchRun, ReviewPair
from profiles.resolution import decision_log, neighbourhood, pipeline
from profiles.resolution.decision_log import NewDecision
from profiles.resolution.evidence import active
from profiles.resolution.neighbourhood import Neighbourhood
from profiles.resolution.partition import partition

log = structlog.get_logger("matching")

JOB: Final = "profiles.matching.rollback.run"
ACTOR: Final = "system:matching"
LINKS_AT_ONCE: Final = 100  # some tenths of a second under the merge lock, for which the digest waits
SAMPLE: Final = 200  # links of which the preview says what would follow; all are counted
LEASE: Final = timedelta(minutes=2)
BUDGET_SECONDS: Final = 240.0  # then the job puts itself back, and the cluster does something else in between
MOST_ATTEMPTS: Final = 5  # jobs in a row that died without getting on
WATCHED_FOR: Final = timedelta(days=1)

_CAN_BE = frozenset({MatchModel.Status.ACTIVE, MatchModel.Status.RETIRED})


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """A standing link that the model made."""

    id: int
    a: int
    b: int


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What taking a model's merges back would do.

    Attributes:
        links: all that the model made and that stand.
        looked_at: of how many of them the rest is told: of all, or of a sample.
        confirmed: of these, those that a person has confirmed; they stay.
    """

    links: int
    looked_at: int
    confirmed: int
    consequences: Consequences

    @property
    def withdrawn(self) -> int:
        return self.looked_at - self.confirmed

    @property
    def is_sample(self) -> bool:
        return self.looked_at < self.links


# --- which links --------------------------------------------------------------------------------------------------

_STANDING = """
  FROM profiles_linkdecision d
 WHERE d.kind = 'model' AND d.action = 'link' AND d.id > %(after)s
   AND d.evidence @> jsonb_build_object('model', %(version)s::int)
   AND profiles_decision_stands(d.id)
"""
_COUNT = "SELECT count(*)" + _STANDING
_NEXT = "SELECT d.id, d.record_a_id, d.record_b_id" + _STANDING + " ORDER BY d.id LIMIT %(most)s"
# Evenly over all of them, the same ones each time.
_SPREAD = (
    """
SELECT id, a, b
  FROM (SELECT d.id, d.record_a_id AS a, d.record_b_id AS b, row_number() OVER (ORDER BY d.id) AS place,
               count(*) OVER () AS total"""  # texts of this module  # nosec B608
    + _STANDING
    + """) AS of_model
 WHERE (place - 1) * %(most)s / greatest(total, %(most)s) <> (place - 2) * %(most)s / greatest(total, %(most)s)
    OR place = 1
 ORDER BY id
"""
)


def count(model: MatchModel, *, after: int = 0) -> int:
    """The model's links that stand, beyond a link."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"version": model.version, "after": after})
        (found,) = cursor.fetchone()
    return int(found)


def _links(statement: str, model: MatchModel, *, after: int, most: int) -> list[Link]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"version": model.version, "after": after, "most": most})
        return [Link(*row) for row in cursor.fetchall()]


def _unconfirmed(links: Sequence[Link], model: MatchModel, around: Neighbourhood) -> list[Link]:
    """Those of the links whose ends no person has joined."""
    standing = active(logged.decision for logged in around.decisions)
    of_model = _ids_of(model, around)
    by_people = [one for one in standing if one.verb == "link" and one.kind == "steward"]
    left_out = of_model | {one.id for one in by_people}
    alone = partition(
        [record.evidence for record in around.records.values()],
        [logged.decision for logged in around.decisions if logged.decision.id not in left_out],
        overloaded=around.overloaded,
    ).anchor_of
    said = {_ordered(one.a, one.b) for one in by_people} | set(labels.same_among(list(around.records)))
    together = _Together((alone[a], alone[b]) for a, b in said if a in alone and b in alone)
    return [
        link
        for link in links
        if _ordered(link.a, link.b) not in said
        and (alone.get(link.a) == alone.get(link.b) or not together.holds(alone.get(link.a), alone.get(link.b)))
    ]


def _ids_of(model: MatchModel, around: Neighbourhood) -> set[int]:
    """The model's links; what it has withdrawn of another model's stays withdrawn."""
    return {
        logged.decision.id
        for logged in around.decisions
        if logged.decision.verb == "link" and logged.grounds.get("model") == model.version
    }


def _needless(links: Iterable[Link], model: MatchModel, around: Neighbourhood) -> list[Link]:
    """Those of the links whose ends are one without any of the model's. A person's word joins them by itself, and no
    link of a model that is gone may be found below it when the person takes the word back."""
    of_model = _ids_of(model, around)
    without = partition(
        [record.evidence for record in around.records.values()],
        [logged.decision for logged in around.decisions if logged.decision.id not in of_model],
        overloaded=around.overloaded,
    ).anchor_of
    return [link for link in links if link.a in without and without[link.a] == without.get(link.b)]


def _ordered(a: int, b: int) -> Pair:
    return (a, b) if a < b else (b, a)


class _Together:
    """Which clusters people's words join."""

    def __init__(self, pairs: Iterable[tuple[int, int]]) -> None:
        self._parent: dict[int, int] = {}
        for some, other in pairs:
            self._parent[self._root(some)] = self._root(other)

    def _root(self, cluster: int) -> int:
        while (parent := self._parent.get(cluster, cluster)) != cluster:
            cluster = parent
        return cluster

    def holds(self, some: int | None, other: int | None) -> bool:
        return some is not None and other is not None and self._root(some) == self._root(other)


def _withdrawals(links: Iterable[Link], model: MatchModel) -> list[NewDecision]:
    return [
        NewDecision(
            action=LinkDecision.Action.WITHDRAW,
            kind=LinkDecision.Kind.MODEL,
            record_a=link.a,
            record_b=link.b,
            withdraws=link.id,
            evidence={"model": model.version, "rule": "rollback"},
        )
        for link in links
    ]


def _ends(links: Iterable[Link]) -> set[int]:
    return {number for link in links for number in (link.a, link.b)}


# --- foreseeing ---------------------------------------------------------------------------------------------------


def foresee(model: MatchModel) -> Foreseen:
    """What rolling the model back would do; changes nothing. All links are counted, up to `SAMPLE` looked at."""
    links = _links(_SPREAD, model, after=0, most=SAMPLE)
    goes: list[Link] = []

    def withdraw(around: Neighbourhood) -> list[NewDecision]:
        goes.extend(_unconfirmed(links, model, around))
        return _withdrawals(goes, model)

    following = consequences.foresee(_ends(links), withdraw) if links else Consequences()
    return Foreseen(count(model), len(links), len(links) - len(goes), following)


# --- doing --------------------------------------------------------------------------------------------------------


@transaction.atomic
def start(*, model: MatchModel, by: User) -> MatchRun:
    """Take the model out of use and begin to take its merges back, in a job. Raises ConflictProblem when it has never
    been in use, or is being rolled back already."""
    pipeline.take_merge_lock()  # no digest step goes on with the model
    held = MatchModel.objects.select_for_update().get(pk=model.pk)
    if held.status == MatchModel.Status.WITHDRAWN:
        raise ConflictProblem(_("This model has been rolled back already."))
    if held.status not in _CAN_BE:
        raise ConflictProblem(_("This model has never been in use: there is nothing to take back."))
    held.status, held.ended_at = MatchModel.Status.WITHDRAWN, timezone.now()
    held.save(update_fields=["status", "ended_at"])
    running = MatchRun.objects.filter(model=held, status=MatchRun.Status.RUNNING)
    running.exclude(kind=MatchRun.Kind.ROLLBACK).update(cancel_asked=True)
    run_ = MatchRun.objects.create(
        kind=MatchRun.Kind.ROLLBACK, model=held, phase="links", total=count(held), started_by=audit.actor_name(by)
    )
    audit.record(action="match_model.rollback", target=held, by=by, fields=["status"])
    jobs.enqueue(JOB, run_.pk)
    return run_


def run(run_id: str) -> None:
    """Take back as much as the budget allows; puts itself back when there is more. Idempotent."""
    taken = _take(UUID(run_id))
    if taken is None:
        return
    until = time.monotonic() + BUDGET_SECONDS
    while True:
        with transaction.atomic(durable=True):
            pipeline.take_merge_lock()
            is_over = not _portion(taken)
            if is_over:
                _finish(taken)
        if is_over:
            return
        if time.monotonic() >= until:
            with transaction.atomic():
                MatchRun.objects.filter(pk=taken.pk).update(beat_at=None)
                jobs.enqueue(JOB, taken.pk)
            return


def _take(run_id: UUID) -> MatchRun | None:
    """Lease the run, if no living job holds it. The attempt is committed before the work."""
    with transaction.atomic(durable=True):
        taken = _abandoned().select_for_update(skip_locked=True).filter(pk=run_id).first()
        if taken is None:
            return None
        attempts = taken.cursor.get("attempts", 0)
        if attempts >= MOST_ATTEMPTS:
            taken.status, taken.ended_at = MatchRun.Status.FAILED, timezone.now()
            taken.problem = "gave_up"
            taken.save(update_fields=["status", "ended_at", "problem"])
            return None
        taken.cursor = {**taken.cursor, "attempts": attempts + 1}
        taken.beat_at = timezone.now()
        taken.save(update_fields=["cursor", "beat_at"])
    return taken


def _portion(taken: MatchRun) -> bool:
    """The next links, under the exclusive merge lock that the caller holds; False when there are none."""
    model = _model_of(taken)
    links = _links(_NEXT, model, after=taken.cursor.get("after", 0), most=LINKS_AT_ONCE)
    if not links:
        return False
    ends = _ends(links)
    around = neighbourhood.read(ends)
    goes = _unconfirmed(links, model, around)
    kept = set(links) - set(goes)
    withdrawals = _withdrawals([*goes, *_needless(sorted(kept), model, around)], model)
    decision_log.append(withdrawals, actor=taken.started_by, operation_id=taken.pk)
    change = pipeline.resolve_exclusively(_ends(goes), by=taken.started_by, operation_id=taken.pk)
    told = Counter(withdrawn=len(goes), kept=len(kept), parted=len(change.revived))
    taken.report = dict(Counter(taken.report) + told)
    taken.cursor = {"after": links[-1].id, "attempts": 0}
    taken.done += len(links)
    taken.beat_at = timezone.now()
    taken.save(update_fields=["report", "cursor", "done", "beat_at"])
    return True


def _finish(taken: MatchRun) -> None:
    model = _model_of(taken)
    # What it wanted to be asked about is moot; another model may ask about the same pairs.
    asked = ReviewPair.objects.filter(model=model, state=ReviewPair.State.WAITING)
    gone, _by_table = asked.exclude(reason__in=(ReviewPair.Reason.TRAINING, ReviewPair.Reason.HELD_OUT)).delete()
    taken.report = {**taken.report, "reviews": taken.report.get("reviews", 0) + gone}
    taken.status, taken.ended_at = MatchRun.Status.DONE, timezone.now()
    taken.save(update_fields=["report", "status", "ended_at"])
    audit.record(action="match_model.rolled_back", target=model, by=ACTOR, fields=["links"])
    log.info("rolled_back", model=model.version, **taken.report)


def go_on(*, run_: MatchRun, by: User) -> None:
    """Begin again where a rollback that stopped again and again has stopped. Raises ConflictProblem otherwise."""
    with transaction.atomic():
        held = MatchRun.objects.select_for_update().get(pk=run_.pk)
        if held.kind != MatchRun.Kind.ROLLBACK or held.status != MatchRun.Status.FAILED:
            raise ConflictProblem(_("This rollback has not stopped."))
        _set_going(held)
        audit.record(action="match_model.rollback", target=_model_of(held), by=by, fields=["status"])


def resume_abandoned() -> int:
    """Watchdog: enqueue rollbacks whose job died, and those whose model has joined more since by a run that was still
    under way; returns how many."""
    runs = list(_abandoned()[:100])
    for one in runs:
        jobs.enqueue(JOB, one.pk)
    late = 0
    done = MatchRun.objects.filter(kind=MatchRun.Kind.ROLLBACK, status=MatchRun.Status.DONE)
    for one in done.filter(ended_at__gt=timezone.now() - WATCHED_FOR).select_related("model"):
        if count(_model_of(one), after=one.cursor.get("after", 0)):
            with transaction.atomic():
                _set_going(one)
            late += 1
    return len(runs) + late


def last(model: MatchModel) -> MatchRun | None:
    """The model's rollback, if there was one. One query."""
    return MatchRun.objects.filter(model=model, kind=MatchRun.Kind.ROLLBACK).order_by("-started_at").first()


def _set_going(one: MatchRun) -> None:
    one.status, one.problem, one.ended_at, one.beat_at = MatchRun.Status.RUNNING, "", None, None
    one.cursor = {**one.cursor, "attempts": 0}
    one.save(update_fields=["status", "problem", "ended_at", "beat_at", "cursor"])
    jobs.enqueue(JOB, one.pk)


def _model_of(run_: MatchRun) -> MatchModel:
    if run_.model is None:
        raise InternalError(f"rollback {run_.pk} is of no model")
    return run_.model


def _abandoned() -> QuerySet[MatchRun]:
    """Under way, but no living job is at it."""
    running = MatchRun.objects.filter(kind=MatchRun.Kind.ROLLBACK, status=MatchRun.Status.RUNNING)
    return running.filter(Q(beat_at__isnull=True) | Q(beat_at__lt=timezone.now() - LEASE))
