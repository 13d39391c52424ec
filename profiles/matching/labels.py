"""What people said of pairs of records: the truth that models learn from, kept by record id, never with a value.

A person's newest standing label of a pair counts; "cannot be told" says nothing. "Related" is not the same person. What
most people say of a pair holds; where they are evenly split the pair is a conflict and teaches nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import TypeAlias
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from cdp_site.core import audit
from cdp_site.core.models import Operation, User
from profiles.models import MatchLabel, ReviewPair

Pair: TypeAlias = tuple[int, int]
"""The lower record id first."""

Verdict, Origin = MatchLabel.Verdict, MatchLabel.Origin
# What holds for a model: one person or not.
IS_SAME: Mapping[str, bool] = {Verdict.SAME: True, Verdict.DIFFERENT: False, Verdict.RELATED: False}


@dataclass(frozen=True, slots=True)
class Said:
    """A person's standing label of a pair. `by` is None for somebody whose account is gone."""

    pair: Pair
    by: int | None
    verdict: str
    origin: str
    is_held_out: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """Pairs by what holds of them; a pair that is held out is in the last two alone. `unsure`: nobody could tell."""

    same: int = 0
    different: int = 0
    conflicts: int = 0
    unsure: int = 0
    held_out_same: int = 0
    held_out_different: int = 0


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far people say the same of the same held-out pair, each without knowing of the other.

    Attributes:
        compared: verdicts that were compared, two people on one pair each.
        agreed: how many of them were equal.
        kappa: Cohen's, agreement beyond chance; None where nothing was compared or chance alone would always agree.
    """

    compared: int
    agreed: int
    kappa: float | None

    @property
    def share(self) -> float | None:
        """0–1; None where nothing was compared."""
        return self.agreed / self.compared if self.compared else None


# --- read ---------------------------------------------------------------------------------------------------------

_STANDING = """
SELECT DISTINCT ON (record_a_id, record_b_id, by_id) record_a_id, record_b_id, by_id, verdict, origin, is_held_out
  FROM profiles_matchlabel
 WHERE undone_at IS NULL AND (is_held_out OR NOT %s)
 ORDER BY record_a_id, record_b_id, by_id, id DESC
"""
_STANDING_OF = """
SELECT DISTINCT ON (l.record_a_id, l.record_b_id, l.by_id)
       l.record_a_id, l.record_b_id, l.by_id, l.verdict, l.origin, l.is_held_out
  FROM unnest(%s::bigint[], %s::bigint[]) AS wanted(a, b)
  JOIN profiles_matchlabel l ON (l.record_a_id, l.record_b_id) = (wanted.a, wanted.b)
 WHERE l.undone_at IS NULL
 ORDER BY l.record_a_id, l.record_b_id, l.by_id, l.id DESC
"""


def standing(pairs: Collection[Pair] | None = None, *, held_out_only: bool = False) -> list[Said]:
    """Each person's standing label of each pair, of all pairs or of these; "cannot be told" too. One query."""
    with connection.cursor() as cursor:
        if pairs is None:
            cursor.execute(_STANDING, [held_out_only])
        else:
            cursor.execute(_STANDING_OF, [[a for a, _b in pairs], [b for _a, b in pairs]])
        return [Said((a, b), *rest) for a, b, *rest in cursor.fetchall()]


def for_training() -> dict[Pair, bool]:
    """Pair → whether it is one person, of what people said while they looked at it.

    Without pairs that are held out by anybody, conflicts, and what was decided many at once: there the model's own
    word was taken, and a model must not learn from itself.
    """
    said = standing()
    held_out = {one.pair for one in said if one.is_held_out}
    looked_at = (one for one in said if one.pair not in held_out and one.origin != Origin.BULK)
    return dict(_holding(_votes(looked_at)))


def held_out() -> dict[Pair, bool]:
    """The same of the pairs that are held out: what models are measured with."""
    return dict(_holding(_votes(standing(held_out_only=True))))


def same_among(record_ids: Collection[int]) -> list[Pair]:
    """The pairs of these records that hold as one person, whatever they were said for. Two queries."""
    asked = MatchLabel.objects.filter(record_a__in=record_ids, record_b__in=record_ids, verdict=Verdict.SAME)
    pairs = set(asked.filter(undone_at__isnull=True).values_list("record_a", "record_b"))
    return sorted(pair for pair, same in _holding(_votes(standing(pairs))) if same)


def conflicts() -> list[Pair]:
    """Pairs of which people say opposite things, evenly split."""
    votes = _votes(standing())
    return sorted(votes.keys() - dict(_holding(votes)).keys())


def counts() -> Counts:
    """How many labels there are to learn from and to measure with. One query."""
    said = standing()
    held = {one.pair for one in said if one.is_held_out}
    votes = _votes(said)
    holding = dict(_holding(votes))
    learned = [same for pair, same in holding.items() if pair not in held]
    measured = [same for pair, same in holding.items() if pair in held]
    return Counts(
        same=sum(learned),
        different=len(learned) - sum(learned),
        conflicts=len(votes.keys() - holding.keys()),
        unsure=len({one.pair for one in said} - votes.keys()),
        held_out_same=sum(measured),
        held_out_different=len(measured) - sum(measured),
    )


def agreement(*, of: User | None = None) -> Agreement:
    """Of everybody with everybody, or of one person with all colleagues, on held-out pairs. One query."""
    votes = _votes(standing(held_out_only=True))
    return _agreement(list(_compared(votes, None if of is None else of.pk)))


def _votes(said: Iterable[Said]) -> dict[Pair, dict[int | None, bool]]:
    votes: dict[Pair, dict[int | None, bool]] = defaultdict(dict)
    for one in said:
        if one.verdict in IS_SAME:
            votes[one.pair][one.by] = IS_SAME[one.verdict]
    return votes


def _holding(votes: Mapping[Pair, Mapping[int | None, bool]]) -> Iterator[tuple[Pair, bool]]:
    for pair, by_person in votes.items():
        same = sum(by_person.values())
        if 2 * same != len(by_person):
            yield pair, 2 * same > len(by_person)


def _compared(votes: Mapping[Pair, Mapping[int | None, bool]], of: int | None) -> Iterator[tuple[bool, bool]]:
    """Two people's words on one pair; the one asked about first, else whose account is older."""
    for by_person in votes.values():
        people = sorted(person for person in by_person if person is not None)
        if of is None:
            yield from ((by_person[some], by_person[other]) for some, other in combinations(people, 2))
        elif of in by_person:
            yield from ((by_person[of], by_person[other]) for other in people if other != of)


def _agreement(compared: Collection[tuple[bool, bool]]) -> Agreement:
    total = len(compared)
    agreed = sum(some == other for some, other in compared)
    if not total:
        return Agreement(0, 0, None)
    first, second = Counter(some for some, _ in compared), Counter(other for _, other in compared)
    by_chance = sum(first[word] * second[word] for word in (True, False)) / total**2
    kappa = None if by_chance == 1 else (agreed / total - by_chance) / (1 - by_chance)
    return Agreement(total, agreed, kappa)


# --- write --------------------------------------------------------------------------------------------------------


@transaction.atomic
def give(
    *, pair: ReviewPair, verdict: str, by: User, origin: str, operation_id: UUID | None = None, comment: str = ""
) -> MatchLabel:
    """Write down what a person says of a pair in review; an earlier word of the same person stands no more."""
    of_person = MatchLabel.objects.filter(record_a=pair.record_a_id, record_b=pair.record_b_id, by=by)
    of_person.filter(undone_at__isnull=True).update(undone_at=timezone.now())
    label = MatchLabel.objects.create(
        record_a_id=pair.record_a_id,
        record_b_id=pair.record_b_id,
        verdict=verdict,
        origin=origin,
        is_held_out=pair.is_held_out,
        by=by,
        operation_id=operation_id,
        model_id=pair.model_id,
        score=pair.score,
        comment=comment,
    )
    audit.record(action="match.label", target=label, by=by, fields=["verdict"])
    return label


@transaction.atomic
def note(*, pairs: Collection[Pair], verdict: str, by: User, operation: Operation) -> None:
    """Write down what a merge or unmerge on a customer's page says of pairs; else as `give`. What it sets aside bears
    its moment, so that it is found again when the merge is undone."""
    for a, b in pairs:
        of_person = MatchLabel.objects.filter(record_a=a, record_b=b, by=by, undone_at__isnull=True)
        of_person.update(undone_at=operation.at)
        label = MatchLabel.objects.create(
            record_a_id=a, record_b_id=b, verdict=verdict, origin=Origin.PROFILE, by=by, operation_id=operation.pk
        )
        audit.record(action="match.label", target=label, by=by, fields=["verdict"])


@transaction.atomic
def take_back(*, label: MatchLabel, by: User, at: datetime | None = None) -> None:
    """The label stands no more; what it became (a merge, a refusal) is the caller's."""
    label.undone_at = at or timezone.now()
    label.save(update_fields=["undone_at"])
    audit.record(action="match.unlabel", target=label, by=by, fields=["undone_at"])


@transaction.atomic
def bring_back(*, label: MatchLabel, by: User, in_place_of_earlier: datetime | None = None) -> None:
    """The label stands again, unless its person has said something since; an earlier word of the person's is set aside,
    at that moment."""
    of_person = _by_same_person(label).filter(undone_at__isnull=True)
    if of_person.filter(pk__gt=label.pk).exists():
        return
    if in_place_of_earlier is not None:
        of_person.update(undone_at=in_place_of_earlier)
    label.undone_at = None
    label.save(update_fields=["undone_at"])
    audit.record(action="match.label", target=label, by=by, fields=["undone_at"])


def set_aside(*, label: MatchLabel, at: datetime) -> MatchLabel | None:
    """What the label's person had said of the pair before, where that stood until then."""
    return _by_same_person(label).filter(pk__lt=label.pk, undone_at=at).order_by("-pk").first()


def _by_same_person(label: MatchLabel) -> QuerySet[MatchLabel]:
    return MatchLabel.objects.filter(record_a=label.record_a_id, record_b=label.record_b_id, by=label.by_id)
