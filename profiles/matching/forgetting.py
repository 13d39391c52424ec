"""What a run changed is listed for some months; then the list goes, and the run stays with its figures.

The list is for reading alone: links stand in the log of decisions, and a rollback takes back what it finds there. A
chore removes in small transactions; killed at any point it has removed whole portions, and the next time it goes on.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.utils import timezone

from cdp_site.core import audit
from profiles.models import MatchRun

log = structlog.get_logger("matching")

ACTOR: Final = "system:matching"
KEPT: Final = timedelta(days=90)  # after the end of a run
ALWAYS_KEPT: Final = 10  # of so many runs that ended last, however long ago that was
AT_ONCE: Final = 5_000
LISTED_UNTIL: Final = "listed_until"  # in a run's report: when its list began to go

_REMOVE = """
DELETE FROM profiles_matchchange
 WHERE id = ANY(ARRAY(SELECT id FROM profiles_matchchange WHERE run_id = %s ORDER BY id LIMIT %s))
"""


def forget_old() -> int:
    """Chore: remove the lists of runs that ended long ago; returns how many changes went."""
    removed = 0
    for run_id in _due(timezone.now() - KEPT):
        while portion := _remove(run_id):
            removed += portion
    if removed:
        log.info("changes_of_runs_forgotten", changes=removed)
    return removed


def listed_until(run: MatchRun) -> datetime | None:
    """Until when the run's changes were listed; None while they are."""
    told = run.report.get(LISTED_UNTIL)
    return datetime.fromisoformat(told) if told else None


def _due(before: datetime) -> Sequence[UUID]:
    ended = MatchRun.objects.of_matching().ended()
    last = list(ended.latest_ended_first().values_list("pk", flat=True)[:ALWAYS_KEPT])
    return list(ended.ended_before(before).exclude(pk__in=last).with_changes().values_list("pk", flat=True))


@transaction.atomic
def _remove(run_id: UUID) -> int:
    """One portion; with the first the run says that its list is gone: half a list would look like the whole."""
    run = MatchRun.objects.select_for_update().get(pk=run_id)
    if LISTED_UNTIL not in run.report:
        run.report = {**run.report, LISTED_UNTIL: timezone.now().isoformat()}
        run.save(update_fields=["report"])
        audit.record(action="match.run_forget", target=run, by=ACTOR, fields=["changes"])
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, [run_id, AT_ONCE])
        return cursor.rowcount
