"""The queue of pairs that wait for a person's verdict: what comes next for whom.

Nobody sees a pair that a colleague looks at: whoever is shown a pair holds a claim on it for some minutes. Nobody is
asked again what they have answered; "cannot be told" leaves a pair to the others. First comes what a colleague wants
to have looked at (a merge that needs a second person, a flag), then by worth or by how uncertain the model is.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from cdp_site.core.models import User
from profiles.models import MatchLabel, MatchModel, Membership, Profile, ReviewPair

State, Reason = ReviewPair.State, ReviewPair.Reason

# A claim is renewed by every decision; who goes away gives the pairs back after this time.
CLAIM = timedelta(minutes=10)
# What teaches and measures is asked about although the records are one customer already.
ASKED_ANYWAY = frozenset({Reason.TRAINING, Reason.HELD_OUT})


class Order(StrEnum):
    """What comes first in the queue."""

    WORTH = "worth"
    UNCERTAIN = "uncertain"


def _open(user: User) -> "QuerySet[ReviewPair]":
    answered = MatchLabel.objects.filter(
        record_a=OuterRef("record_a"), record_b=OuterRef("record_b"), by=user, undone_at__isnull=True
    )
    pairs = ReviewPair.objects.filter(state__in=(State.WAITING, State.SECOND), asks_at_call=False)
    return pairs.exclude(Exists(answered))


def waiting_for(user: User, *, most: int | None = None) -> int:
    """How many pairs there are on which this person has not said anything, counted up to `most`. One query."""
    return _open(user)[:most].count()


# A pair that this person may be shown.
_FREE = """
       NOT p.asks_at_call AND (p.claimed_until IS NULL OR p.claimed_until < now() OR p.claimed_by_id = %(user)s)
   AND p.id <> ALL(%(held)s::bigint[])
   AND NOT EXISTS (
       SELECT 1 FROM profiles_matchlabel l
        WHERE (l.record_a_id, l.record_b_id) = (p.record_a_id, p.record_b_id) AND l.by_id = %(user)s
          AND l.undone_at IS NULL)
"""
_HOLD = """
UPDATE profiles_reviewpair SET claimed_by_id = %(user)s, claimed_until = now() + %(claim)s WHERE id = ANY(%(chosen)s)
"""
_FIRST = """
SELECT p.id FROM profiles_reviewpair p
 WHERE (p.state = 'second' OR (p.state = 'waiting' AND p.is_flagged)) AND {free}
 ORDER BY p.worth DESC, p.id LIMIT %(most)s FOR UPDATE SKIP LOCKED
"""
_BY_WORTH = """
SELECT p.id FROM profiles_reviewpair p WHERE p.state = 'waiting' AND {free}
 ORDER BY p.worth DESC, p.id LIMIT %(most)s FOR UPDATE SKIP LOCKED
"""
# From even odds up and down: both walks follow the index of scores.
_BY_UNCERTAINTY = """
SELECT id FROM (
       SELECT * FROM (SELECT p.id, p.score FROM profiles_reviewpair p
                       WHERE p.state = 'waiting' AND p.score >= 0.5 AND {free}
                       ORDER BY p.score, p.id LIMIT %(most)s FOR UPDATE SKIP LOCKED) AS above
       UNION ALL
       SELECT * FROM (SELECT p.id, p.score FROM profiles_reviewpair p
                       WHERE p.state = 'waiting' AND p.score < 0.5 AND {free}
                       ORDER BY p.score DESC, p.id DESC LIMIT %(most)s FOR UPDATE SKIP LOCKED) AS below
       UNION ALL
       SELECT * FROM (SELECT p.id, p.score FROM profiles_reviewpair p
                       WHERE p.state = 'waiting' AND p.score IS NULL AND {free}
                       ORDER BY p.id LIMIT %(most)s FOR UPDATE SKIP LOCKED) AS unknown) AS near
 ORDER BY abs(score - 0.5) NULLS LAST, id LIMIT %(most)s
"""
_CHOICES = {
    Order.WORTH: (_FIRST.format(free=_FREE), _BY_WORTH.format(free=_FREE)),
    Order.UNCERTAIN: (_FIRST.format(free=_FREE), _BY_UNCERTAINTY.format(free=_FREE)),
}


@transaction.atomic
def claim(*, by: User, most: int, order: Order, held: Collection[int] = ()) -> list[ReviewPair]:
    """The next pairs for this person, theirs for some minutes; those that they hold in their hands are left out, and
    stay theirs as long.

    Pairs that have become one customer meanwhile are settled on the way.
    """
    # Whatever is being written to just now is left as it is: nobody waits here for a row while holding another.
    own = ReviewPair.objects.filter(pk__in=held, claimed_by=by).select_for_update(skip_locked=True)
    ReviewPair.objects.filter(pk__in=[pair.pk for pair in own]).update(claimed_until=timezone.now() + CLAIM)
    taken: list[ReviewPair] = []
    seen = set(held)
    for choice in _CHOICES[order]:
        while len(taken) < most:
            numbers = _claim(choice, by, most - len(taken), seen)
            if not numbers:
                break
            seen.update(numbers)
            pairs = ReviewPair.objects.in_bulk(numbers)
            taken += _without_settled([pairs[number] for number in numbers])
    return taken


def _claim(choice: str, by: User, most: int, held: Collection[int]) -> list[int]:
    """The ids of the claimed pairs in the order of the queue."""
    parameters: dict[str, Any] = {"user": by.pk, "held": sorted(held), "most": most, "claim": CLAIM}
    with connection.cursor() as cursor:
        cursor.execute(choice, parameters)
        chosen = [row[0] for row in cursor.fetchall()]
        cursor.execute(_HOLD, {**parameters, "chosen": chosen})
    return chosen


def _without_settled(pairs: Sequence[ReviewPair]) -> list[ReviewPair]:
    owner_of = owners(number for pair in pairs for number in (pair.record_a_id, pair.record_b_id))
    gone = [
        pair.pk
        for pair in pairs
        if pair.reason not in ASKED_ANYWAY and owner_of.get(pair.record_a_id) == owner_of.get(pair.record_b_id)
    ]
    ReviewPair.objects.filter(pk__in=gone).update(
        state=State.GONE, settled_at=timezone.now(), claimed_by=None, claimed_until=None
    )
    return [pair for pair in pairs if pair.pk not in gone]


def owners(records: Iterable[int]) -> dict[int, int]:
    """Record → the profile that it belongs to now. One query."""
    current = Membership.objects.filter(record__in=list(records), valid_to__isnull=True)
    return dict(current.values_list("record", "profile"))


def customers_of(pairs: Collection[ReviewPair]) -> "QuerySet[Profile]":
    """The live customers whom these pairs are about."""
    records = {number for pair in pairs for number in (pair.record_a_id, pair.record_b_id)}
    current = Membership.objects.filter(record__in=records, valid_to__isnull=True)
    return Profile.objects.live().filter(pk__in=current.values("profile")).order_by("pk")


def heard(pairs: Collection[ReviewPair]) -> dict[tuple[int, int], MatchLabel]:
    """Pair of records → what a customer said last when they were asked at a call. One query."""
    records = [pair.record_a_id for pair in pairs]
    said = MatchLabel.objects.filter(record_a__in=records, origin=MatchLabel.Origin.CALL, undone_at__isnull=True)
    return {(label.record_a_id, label.record_b_id): label for label in said.order_by("pk")}


@dataclass(frozen=True, slots=True)
class Situation:
    """Whether there is anything to decide about at all: a model in use, questions from which one is learned."""

    has_model: bool
    has_questions: bool


def situation() -> Situation:
    """Two queries."""
    return Situation(
        has_model=MatchModel.objects.filter(status=MatchModel.Status.ACTIVE).exists(),
        has_questions=ReviewPair.objects.filter(state=State.WAITING, reason=Reason.TRAINING).exists(),
    )


def release(*, by: User) -> None:
    """Give back what a person holds and has not decided: they begin anew."""
    ReviewPair.objects.filter(claimed_by=by, claimed_until__isnull=False).update(claimed_by=None, claimed_until=None)
