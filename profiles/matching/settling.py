"""From a person's verdict to what it does: a merge, a refusal, a household, or only a label; and back.

A verdict on two records of one customer and one more says the same of both customers as they are now. A held-out pair
measures: the first verdict is a label alone, and what two people say of it, each without knowing of the other, is
done. A merge that would make a customer of very many records waits for a second person.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core.errors import ConflictProblem, MendableError, NotFoundProblem
from cdp_site.core.models import Operation, User
from profiles import merging
from profiles.matching import labels, review
from profiles.matching.labels import IS_SAME, Origin, Verdict
from profiles.models import MatchLabel, Membership, Profile, ReviewPair, SourceRecord
from profiles.reasons import Own
from profiles.resolution import pipeline

State, Reason = ReviewPair.State, ReviewPair.Reason


# Where a label is a verdict; what customers say at a call is what stewards look at.
IN_REVIEW = frozenset({Origin.QUEUE, Origin.TRAINING})


class Wish(StrEnum):
    """What somebody who cannot tell would like, kept as the label's comment."""

    NONE = ""
    FLAG = "flag"  # a colleague is to look at it first
    CALL = "call"  # the customer is to be asked


@dataclass(frozen=True, slots=True)
class Settled:
    """A verdict that was taken: its label, and the pair as it is now."""

    label: MatchLabel
    pair: ReviewPair


@transaction.atomic
def decide(*, pair_id: int, verdict: str, by: User, wish: Wish = Wish.NONE) -> Settled:
    """Take a verdict and do what follows from it. The same verdict of the same person twice is one: a message that was
    sent again.

    Raises ConflictProblem when a colleague looks at the pair or has settled it, or when the person has said something
    else; NotFoundProblem when the pair is gone.
    """
    if verdict in IS_SAME:
        pipeline.take_merge_lock()  # before rows: a digest that holds it may want this one
    pair = _locked(Q(pk=pair_id))
    known = _standing(pair).filter(by=by).first()
    if known is not None and known.verdict == verdict:
        return Settled(known, pair)
    if known is not None or pair.state not in (State.WAITING, State.SECOND):
        raise ConflictProblem(_("This pair has been settled already."), hint=_("Go on with the next one."))
    if pair.claimed_by_id not in (None, by.pk) and pair.claimed_until and pair.claimed_until > timezone.now():
        raise ConflictProblem(_("A colleague is looking at this pair."), hint=_("Go on with the next one."))
    operation: Operation | None = None
    if verdict in IS_SAME:
        operation = _carry_out(pair, verdict, by)
    elif wish is Wish.FLAG:
        pair.is_flagged = True
    elif wish is Wish.CALL:
        pair.asks_at_call = True
    pair.claimed_by, pair.claimed_until = None, None
    pair.save()
    origin = Origin.TRAINING if pair.reason in review.ASKED_ANYWAY else Origin.QUEUE
    operation_id = None if operation is None else operation.pk
    label = labels.give(pair=pair, verdict=verdict, by=by, origin=origin, operation_id=operation_id, comment=wish.value)
    return Settled(label, pair)


def _carry_out(pair: ReviewPair, verdict: str, by: User) -> Operation | None:
    """Do what the verdict says, or let the pair wait for another person; sets the pair's state."""
    said = _standing(pair).exclude(by=by).filter(origin__in=IN_REVIEW, verdict=verdict)
    if pair.is_held_out and not said.exists():
        return None
    records = (pair.record_a_id, pair.record_b_id)
    if verdict != Verdict.SAME:
        _settle(pair)
        keep_apart = merging.relate if verdict == Verdict.RELATED else merging.refuse
        return keep_apart(records=records, by=by, reason=Own.REVIEWED).operation
    profiles = list(Profile.objects.live().filter(pk__in=review.owners(records).values()))
    if len(profiles) > 1 and pair.state == State.WAITING and not pair.is_held_out and needs_second_person(profiles):
        pair.state = State.SECOND
        return None
    _settle(pair)
    if len(profiles) < 2:
        return None
    return merging.merge(profiles=profiles, by=by, reason=Own.REVIEWED).operation


def needs_second_person(profiles: list[Profile]) -> bool:
    """Whether a merge of these customers makes one of more records than one person may decide on. One query."""
    return size_of(profiles) > settings.MATCH_RECORDS_FOR_ONE_PERSON


def size_of(profiles: list[Profile]) -> int:
    """How many records the customers are made of, without visits and what agents added. One query."""
    current = Membership.objects.filter(profile__in=profiles, valid_to__isnull=True)
    return current.filter(record__kind=SourceRecord.Kind.IDENTIFIED).count()


def _settle(pair: ReviewPair) -> None:
    pair.state, pair.settled_at = State.SETTLED, timezone.now()
    pair.is_flagged = pair.asks_at_call = False


# --- back ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def take_back(*, label_id: int, by: User) -> ReviewPair:
    """Undo a person's own verdict with all that followed from it; the pair waits again, for this person.

    Raises ConflictProblem when it does not stand any more or a colleague has settled the pair since, MendableError for
    one of many that were decided at once, NotFoundProblem when the label is nobody's or somebody else's.
    """
    pipeline.take_merge_lock()
    label = MatchLabel.objects.select_for_update().filter(pk=label_id, by=by).first()
    if label is None:
        raise NotFoundProblem(_("There is no such decision of yours."))
    if label.undone_at is not None:
        raise ConflictProblem(_("This has been taken back already."))
    if label.origin == Origin.BULK:
        raise MendableError(_("This was one of many at once: take all of them back together."))
    pair = _locked(Q(record_a=label.record_a_id, record_b=label.record_b_id))
    others = _standing(pair).exclude(by=by)
    in_review = others.filter(origin__in=IN_REVIEW)
    if pair.state == State.SETTLED and label.operation_id is None and others.filter(pk__gt=label.pk).exists():
        raise ConflictProblem(_("A colleague has settled this pair since."))
    _revert(label.operation_id, by)
    labels.take_back(label=label, by=by)
    waits_for_second = not pair.is_held_out and in_review.filter(verdict=Verdict.SAME).exists()
    pair.state, pair.settled_at = State.SECOND if waits_for_second else State.WAITING, None
    pair.is_flagged = others.filter(comment=Wish.FLAG).exists()
    pair.asks_at_call = others.filter(comment=Wish.CALL).exists()
    pair.claimed_by, pair.claimed_until = by, timezone.now() + review.CLAIM
    pair.save()
    return pair


def label_of(pair: ReviewPair, *, by: User) -> MatchLabel:
    """What a person says of a pair. Raises NotFoundProblem when that is nothing."""
    label = _standing(pair).filter(by=by).first()
    if label is None:
        raise NotFoundProblem(_("There is no such decision of yours."))
    return label


@transaction.atomic
def change(*, label_id: int, verdict: str, by: User) -> Settled:
    """Another verdict in place of an earlier one of the same person. Raises as `take_back` and `decide` do."""
    pair = take_back(label_id=label_id, by=by)
    return decide(pair_id=pair.pk, verdict=verdict, by=by)


def _revert(operation_id: UUID | None, by: User) -> None:
    """What the customer's page has undone since is undone already."""
    operation = None if operation_id is None else Operation.objects.filter(pk=operation_id).first()
    if operation is not None and merging.stands(operation):
        merging.revert(operation=operation, by=by, reason=Own.TAKEN_BACK)


def _locked(which: Q) -> ReviewPair:
    pair: ReviewPair | None = ReviewPair.objects.select_for_update().filter(which).first()
    if pair is None:
        raise NotFoundProblem(_("This pair is not there any more."), hint=_("Go on with the next one."))
    return pair


def _standing(pair: ReviewPair) -> "QuerySet[MatchLabel]":
    of_pair = MatchLabel.objects.filter(record_a=pair.record_a_id, record_b=pair.record_b_id, undone_at__isnull=True)
    return of_pair.order_by("-pk")
