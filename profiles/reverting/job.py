"""A revert from its preview to its end: a job that goes on where it stopped."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from cdp_site.core import audit, jobs
from cdp_site.core.errors import ConflictProblem, Text
from cdp_site.core.ids import uuid7
from cdp_site.core.models import Operation, User
from cdp_site.core.reverts import Foreseen, Line, State
from profiles.models import Revert
from profiles.resolution import pipeline
from profiles.reverting import events, records
from profiles.reverting.taking import Taking, parts, rows

log = structlog.get_logger("revert")

JOB: Final = "profiles.reverting.job.run"
LEASE: Final = timedelta(minutes=2)
BUDGET_SECONDS: Final = 240.0  # then the job puts itself back, and the cluster does something else in between
MOST_ATTEMPTS: Final = 5  # jobs in a row that died without getting on
ACTOR: Final = "system:revert"

# Each does up to so many in one transaction: about half a second under the merge lock, for which the digest waits.
_CHUNKS: tuple[tuple[Callable[[Taking, int], Counter[str]], int], ...] = (
    (events.of_orders, 200),
    (events.touchpoints, 2_000),
    (records.take_back, 200),
)

# What a revert counts, in the order in which it is told; the second is said before it is done.
KINDS: Mapping[str, tuple[Text, Text]] = {
    "records": (_("Records that this import created are removed"), _("Records removed")),
    "records_kept": (_("Records that others speak of as well lose its part"), _("Records that lost its part")),
    "values": (_("Values return to what they were"), _("Values returned to what they were")),
    "touchpoints": (_("Touchpoints are removed"), _("Touchpoints removed")),
    "orders": (_("Orders are removed, with their lines and refunds"), _("Orders removed")),
    "orders_changed": (
        _("Orders that others told of as well return to what they said"),
        _("Orders returned to what others said"),
    ),
    "grants": (_("Consents lose their effect"), _("Consents without effect now")),
    "denials": (_("Refusals that it brought"), _("Refusals without effect now")),
    "denials_kept": (_("Refusals stay in force"), _("Refusals still in force")),
    "people": (_("Customers are gone, with all that is known of them"), _("Customers removed")),
    "people_split": (_("Customers may come apart again"), _("Customers that came apart")),
    "noted": (_("Customers stay, since staff wrote about them"), ""),
}
_WARNINGS = frozenset({"people_split", "noted", "denials_kept"})
# After that what was said by whom is forgotten, and nothing can be taken back any more.
FORGETS_AFTER: Final = timedelta(days=30)


# --- foreseeing -----------------------------------------------------------------------------------------------------

# Each step is led by an index from the operation's own rows: large imports come right before this, unanalysed.
_FORESEE = """
WITH named AS (
    SELECT id FROM profiles_sourcerecord WHERE operation_id = %(operation)s
     UNION SELECT record_id FROM profiles_recordshare WHERE operation_id = %(operation)s
), told AS (
    SELECT named.id, m.profile_id, goes.goes
      FROM named
      JOIN profiles_sourcerecord r ON r.id = named.id
      JOIN profiles_membership m ON m.record_id = named.id AND m.valid_to IS NULL
     CROSS JOIN LATERAL (SELECT r.operation_id IS NOT DISTINCT FROM %(operation)s AND NOT EXISTS (
           SELECT FROM profiles_recordshare s
            WHERE s.record_id = r.id AND s.operation_id IS DISTINCT FROM %(operation)s) AS goes) AS goes
), people AS (
    SELECT concerned.profile_id, count(*) FILTER (WHERE goes.goes) AS going,
           count(*) FILTER (WHERE NOT goes.goes) AS stay, bool_or(r.kind = 'agent') AS is_noted
      FROM (SELECT DISTINCT profile_id FROM told) AS concerned
      JOIN profiles_membership m ON m.profile_id = concerned.profile_id AND m.valid_to IS NULL
      JOIN profiles_sourcerecord r ON r.id = m.record_id
     CROSS JOIN LATERAL (SELECT r.operation_id IS NOT DISTINCT FROM %(operation)s AND NOT EXISTS (
           SELECT FROM profiles_recordshare s
            WHERE s.record_id = r.id AND s.operation_id IS DISTINCT FROM %(operation)s) AS goes) AS goes
     GROUP BY concerned.profile_id
)
SELECT (SELECT count(*) FROM told WHERE goes), (SELECT count(*) FROM told WHERE NOT goes),
       (SELECT count(*) FROM people WHERE stay = 0), (SELECT count(*) FROM people WHERE going > 0 AND stay > 1),
       (SELECT count(*) FROM people WHERE going > 0 AND is_noted),
       (SELECT count(*) FROM profiles_touchpoint t WHERE t.operation_id = %(operation)s),
       (SELECT count(*) FROM profiles_order o WHERE o.operation_id = %(operation)s AND NOT EXISTS (
               SELECT FROM profiles_ordershare s WHERE s.order_id = o.id)),
       (SELECT count(*) FROM profiles_ordershare s WHERE s.operation_id = %(operation)s),
       (SELECT count(*) FROM profiles_recordshare s JOIN profiles_sourcerecord r ON r.id = s.record_id,
               jsonb_each_text(s.attribute_times) AS stated
         WHERE s.operation_id = %(operation)s AND r.attribute_times ->> stated.key = stated.value)
"""
_FORESEEN = (
    "records", "records_kept", "people", "people_split", "noted", "touchpoints", "orders", "orders_changed", "values",
)  # fmt: skip


def count(operation_id: UUID) -> dict[str, int]:
    """What there is to take back, by kind. Customers who may come apart are those of whom at least two records stay."""
    (found,) = rows(_FORESEE, {"operation": operation_id})
    counted = dict(zip(_FORESEEN, found, strict=True))
    for part in parts():
        counted |= part.foresee(operation_id)
    return counted


def _lines(counted: Mapping[str, int], *, is_done: bool) -> tuple[Line, ...]:
    return tuple(
        Line(texts[is_done], counted[kind], kind in _WARNINGS)
        for kind, texts in KINDS.items()
        if counted.get(kind) and texts[is_done]
    )


class Reverter:
    """What `core.reverts` hands on."""

    def foresee(self, operation_id: UUID) -> Foreseen:
        """What taking the operation back would do; changes nothing."""
        counted = count(operation_id)
        return Foreseen(_lines(counted, is_done=False), counted.get("protected", 0), _refusal(operation_id))

    def start(self, operation_id: UUID, *, lifts_denials: bool, by: User | str) -> None:
        start(operation_id, lifts_denials=lifts_denials, by=by)

    def states(self, operation_ids: Iterable[UUID]) -> Mapping[UUID, State]:
        """Of those that are being taken back, or were. One query."""
        return {revert.operation_id: _state(revert) for revert in Revert.objects.filter(operation_id__in=operation_ids)}


def _state(revert: Revert) -> State:
    return State(
        status=revert.status,
        status_text=revert.get_status_display(),
        total=sum(revert.foreseen.get(kind, 0) for kind in _LOOKED_AT),
        done=revert.done.get("looked_at", 0),
        at=revert.created_at,
        finished_at=revert.finished_at,
        lines=_lines(revert.done, is_done=True),
    )


_LOOKED_AT = ("records", "records_kept", "touchpoints", "orders", "orders_changed")


def _refusal(operation_id: UUID) -> Text:
    operation = Operation.objects.get(pk=operation_id)
    if operation.at < timezone.now() - FORGETS_AFTER:
        return _("It was more than 30 days ago: what others said since can no longer be told from it.")
    return ""


# --- doing ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def start(operation_id: UUID, *, lifts_denials: bool, by: User | str) -> Revert:
    """Begin to take the operation back, in a job. Raises ConflictProblem when that has begun already, or cannot be
    done any more."""
    Operation.objects.select_for_update().get(pk=operation_id)
    if Revert.objects.filter(operation_id=operation_id).exists():
        raise ConflictProblem(_("This is being taken back already."))
    if refusal := _refusal(operation_id):
        raise ConflictProblem(refusal)
    revert = Revert.objects.create(
        operation_id=operation_id,
        lifts_denials=lifts_denials,
        foreseen=count(operation_id),
        actor=audit.actor_name(by),
    )
    fields = ["records", *(["denials"] if lifts_denials else [])]
    audit.record(action="operation.revert", target=("core.Operation", operation_id), by=by, fields=fields)
    jobs.enqueue(JOB, revert.pk)
    return revert


def run(revert_id: str) -> None:
    """Take back as much as the budget allows; puts itself back when there is more. Idempotent."""
    revert = _take(UUID(revert_id))
    if revert is None:
        return
    taking = Taking(revert.operation_id, revert.pk, revert.actor, revert.lifts_denials)
    until = time.monotonic() + BUDGET_SECONDS

    def note(done: Counter[str]) -> None:
        revert.done = dict(Counter(revert.done) + done)
        revert.attempts = 0
        revert.lease_until = timezone.now() + LEASE
        revert.save(update_fields=["done", "attempts", "lease_until"])

    if _carry_through(taking, note, until=until):
        _finish(revert)
    else:
        with transaction.atomic():
            Revert.objects.filter(pk=revert.pk).update(lease_until=None)
            jobs.enqueue(JOB, revert.pk)


def _take(revert_id: UUID) -> Revert | None:
    """Lease the revert, if nobody holds it. The attempt is committed before the work."""
    with transaction.atomic(durable=True):
        taken = Revert.objects.abandoned().select_for_update(skip_locked=True).filter(pk=revert_id).first()
        if taken is None:
            return None
        if taken.attempts >= MOST_ATTEMPTS:
            taken.status, taken.finished_at = Revert.Status.FAILED, timezone.now()
            taken.save(update_fields=["status", "finished_at"])
            return None
        taken.status = Revert.Status.RUNNING
        taken.attempts += 1
        taken.lease_until = timezone.now() + LEASE
        taken.save(update_fields=["status", "attempts", "lease_until"])
    return taken


def _carry_through(taking: Taking, note: Callable[[Counter[str]], None], *, until: float) -> bool:
    """Chunk after chunk, each in a transaction of its own; False when the time is up."""
    for do, most in _CHUNKS:
        while True:
            with transaction.atomic(durable=True):
                pipeline.take_merge_lock()
                done = do(taking, most)
                note(done)
            if not done["looked_at"]:
                break
            if time.monotonic() >= until:
                return False
    return True


@transaction.atomic
def _finish(revert: Revert) -> None:
    revert.status, revert.finished_at, revert.lease_until = Revert.Status.DONE, timezone.now(), None
    revert.save(update_fields=["status", "finished_at", "lease_until"])
    audit.record(
        action="operation.reverted", target=("core.Operation", revert.operation_id), by=ACTOR, fields=["records"]
    )


def take_out(operation_id: UUID, by: User | str) -> None:
    """Take back what an operation brought, at once; refusals that it brought stay in force. May be called again."""
    taking = Taking(operation_id, uuid7(), audit.actor_name(by), lifts_denials=False)
    _carry_through(taking, lambda _done: None, until=float("inf"))


def resume_abandoned() -> int:
    """Watchdog: enqueue reverts whose job died; returns how many."""
    ids = list(Revert.objects.abandoned().values_list("pk", flat=True)[:100])
    for revert_id in ids:
        jobs.enqueue(JOB, revert_id)
    return len(ids)
