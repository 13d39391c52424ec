"""What a trial of a model would change, told before anybody takes the model into use.

All changes are listed and counted; what follows from them is foreseen of a sample, evenly over all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection

from profiles.matching import consequences
from profiles.matching.asking import Pair
from profiles.matching.consequences import Consequences
from profiles.models import LinkDecision, MatchChange, MatchRun
from profiles.resolution.decision_log import NewDecision
from profiles.resolution.evidence import active
from profiles.resolution.neighbourhood import Neighbourhood

SAMPLE: Final = 200

_SPREAD = """
SELECT action, a, b, score, total
  FROM (SELECT action, record_a_id AS a, record_b_id AS b, score, id, row_number() OVER (ORDER BY id) AS place,
               count(*) OVER () AS total
          FROM profiles_matchchange WHERE run_id = %(run)s AND action IN ('link', 'withdraw')) AS of_run
 WHERE (place - 1) * %(most)s / greatest(total, %(most)s) <> (place - 2) * %(most)s / greatest(total, %(most)s)
    OR place = 1
 ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the joins and partings would do, as far as they were looked at.

    Attributes:
        changes: how many there are; `looked_at` of them were carried out in thought.
        consequences: of all that was looked at together.
    """

    changes: int
    looked_at: int
    consequences: Consequences

    @property
    def is_sample(self) -> bool:
        return self.looked_at < self.changes


def foresee(run: MatchRun, *, sample: int = SAMPLE) -> Foreseen | None:
    """None when the run would join and part nobody. Changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_SPREAD, {"run": run.pk, "most": sample})
        rows = cursor.fetchall()
    if not rows:
        return None
    ends = {number for _action, a, b, _score, _total in rows for number in (a, b)}
    following = consequences.foresee(ends, lambda around: _decisions(rows, around))
    return Foreseen(changes=rows[0][4], looked_at=len(rows), consequences=following)


def _decisions(rows: Sequence[tuple[str, int, int, float | None, int]], around: Neighbourhood) -> list[NewDecision]:
    """The run's changes as they would stand in the log; what has changed since is left out."""
    standing = {
        Pair.of(one.a, one.b): one.id
        for one in active(logged.decision for logged in around.decisions)
        if one.verb == "link" and one.kind == "model"
    }
    model = LinkDecision.Kind.MODEL
    decisions = []
    for action, a, b, score, _total in rows:
        if a not in around.records or b not in around.records:
            continue
        if action == MatchChange.Action.LINK:
            decisions.append(NewDecision(LinkDecision.Action.LINK, model, a, b, score=score))
        elif (link := standing.get(Pair(a, b))) is not None:
            decisions.append(NewDecision(LinkDecision.Action.WITHDRAW, model, a, b, withdraws=link))
    return decisions
