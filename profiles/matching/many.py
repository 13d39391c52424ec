"""Many pairs at once: all that the model is very sure of, looked at by a sample, merged in one operation that is taken
back as a whole.

Left out is what wants a person's eye: flagged, held out or asked for another reason than the model's doubt; on which
somebody has said something; where a colleague has kept customers apart, a verified customer, or so many records that
two people have to decide.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core.errors import MendableError, NotFoundProblem
from cdp_site.core.models import Operation, User
from profiles import merging
from profiles.lineage import standing_decisions
from profiles.matching import labels, review
from profiles.matching.labels import Origin, Verdict
from profiles.merging import Preview
from profiles.models import LinkDecision, MatchLabel, Membership, Profile, ReviewPair, SourceRecord, VerifiedRecord
from profiles.reasons import Own
from profiles.resolution import pipeline

State, Reason = ReviewPair.State, ReviewPair.Reason

AT_ONCE = 200  # pairs of one operation: a second or two under the merge lock
SAMPLE = 10
LOWEST = 0.5  # below even odds nothing is merged unseen


@dataclass(frozen=True, slots=True)
class Portion:
    """What a decision on many would do.

    Attributes:
        found: pairs that wait with such a score.
        pairs: those that would be merged now, at most AT_ONCE, the surest first.
        groups: the customers that would become one each.
        left_out: of the first AT_ONCE, how many want a person's eye.
        upto: the youngest pair there was; what comes later is not meant.
    """

    found: int
    pairs: Sequence[ReviewPair]
    groups: Sequence[Collection[Profile]]
    left_out: int
    upto: int

    @property
    def sample(self) -> list[ReviewPair]:
        """Spread over all of them, so that the least sure are among it."""
        step = max(1, len(self.pairs) / SAMPLE)
        return [self.pairs[int(place * step)] for place in range(min(SAMPLE, len(self.pairs)))]


def choose(*, least: float, by: User, upto: int | None = None) -> Portion:
    """The pairs of at least this score. Raises MendableError for a score that is none or too low."""
    if not LOWEST <= least <= 1:
        raise MendableError(_("Choose a probability between 50 % and 100 %."), field="least")
    waiting = _sure(least, by, upto)
    first = list(waiting.order_by("-score", "pk")[:AT_ONCE])
    youngest = waiting.order_by("-pk").values_list("pk", flat=True).first()
    pairs, groups = _without_doubtful(first)
    return Portion(
        found=waiting.count(),
        pairs=pairs,
        groups=groups,
        left_out=len(first) - len(pairs),
        upto=youngest or 0,
    )


def foresee(portion: Portion) -> Preview | None:
    """What merging the sample would do beyond the pairs themselves; None for an empty one."""
    of_sample = _connected(portion.sample, review.owners(_records(portion.sample)))
    profiles = Profile.objects.in_bulk({number for group in of_sample for number in group})
    return merging.preview_merges([[profiles[n] for n in group] for group in of_sample]) if of_sample else None


@transaction.atomic
def merge_all(*, least: float, upto: int, by: User) -> Operation:
    """Merge the pairs that `choose` shows; those that came later wait. Raises MendableError as it does, and when there
    are none any more."""
    pipeline.take_merge_lock()
    portion = choose(least=least, by=by, upto=upto)
    if not portion.pairs:
        raise MendableError(_("No such pairs wait any more."))
    done = merging.merge_many(groups=portion.groups, by=by, reason=Own.REVIEWED_TOGETHER)
    for pair in portion.pairs:
        labels.give(pair=pair, verdict=Verdict.SAME, by=by, origin=Origin.BULK, operation_id=done.operation.pk)
    ReviewPair.objects.filter(pk__in=[pair.pk for pair in portion.pairs]).update(
        state=State.SETTLED, settled_at=timezone.now(), claimed_by=None, claimed_until=None
    )
    return done.operation


@transaction.atomic
def take_back(*, operation_id: UUID, by: User) -> int:
    """Undo all of what a person decided at once; the pairs wait again. Returns how many. Raises NotFoundProblem when
    it was nobody's or somebody else's, or is undone already."""
    pipeline.take_merge_lock()
    of_operation = MatchLabel.objects.select_for_update().filter(operation_id=operation_id, by=by, origin=Origin.BULK)
    said = list(of_operation.filter(undone_at__isnull=True).order_by("pk"))
    operation = Operation.objects.filter(pk=operation_id).first()
    if not said or operation is None:
        raise NotFoundProblem(_("There is no such decision of yours."))
    if merging.stands(operation):
        merging.revert(operation=operation, by=by, reason=Own.TAKEN_BACK)
    for label in said:
        labels.take_back(label=label, by=by)
        of_pair = ReviewPair.objects.filter(record_a=label.record_a_id, record_b=label.record_b_id)
        of_pair.filter(state=State.SETTLED).update(state=State.WAITING, settled_at=None)
    return len(said)


# --- which ones ---------------------------------------------------------------------------------------------------


def _sure(least: float, by: User, upto: int | None) -> "QuerySet[ReviewPair]":
    said = MatchLabel.objects.filter(
        record_a=OuterRef("record_a"), record_b=OuterRef("record_b"), undone_at__isnull=True
    )
    pairs = ReviewPair.objects.filter(
        ~Exists(said),
        Q(claimed_until__isnull=True) | Q(claimed_until__lt=timezone.now()) | Q(claimed_by=by),
        state=State.WAITING,
        reason=Reason.BAND,
        score__gte=least,
        is_held_out=False,
        is_flagged=False,
        asks_at_call=False,
    )
    return pairs if upto is None else pairs.filter(pk__lte=upto)


def _records(pairs: Collection[ReviewPair]) -> set[int]:
    return {number for pair in pairs for number in (pair.record_a_id, pair.record_b_id)}


def _without_doubtful(pairs: Sequence[ReviewPair]) -> tuple[list[ReviewPair], list[list[Profile]]]:
    """The pairs whose customers may become one unseen, and these customers by group."""
    owner_of = review.owners(_records(pairs))
    groups = _connected(pairs, owner_of)
    profiles = Profile.objects.live().in_bulk({number for group in groups for number in group})
    members: dict[int, list[int]] = defaultdict(list)
    current = Membership.objects.filter(profile__in=profiles, valid_to__isnull=True)
    told: dict[int, int] = defaultdict(int)
    for profile, record, kind in current.values_list("profile", "record", "record__kind"):
        members[profile].append(record)
        told[profile] += kind == SourceRecord.Kind.IDENTIFIED
    doubtful = _doubtful(members)
    fine = [
        group
        for group in groups
        if group <= profiles.keys()
        and doubtful.isdisjoint(group)
        and sum(told[number] for number in group) <= settings.MATCH_RECORDS_FOR_ONE_PERSON
    ]
    kept = {number for group in fine for number in group}
    return (
        [pair for pair in pairs if owner_of.get(pair.record_a_id) in kept and owner_of.get(pair.record_b_id) in kept],
        [[profiles[number] for number in sorted(group)] for group in fine],
    )


def _doubtful(members: Mapping[int, Sequence[int]]) -> set[int]:
    """Profiles that a person has verified or kept apart from another of these."""
    owner_of = {record: profile for profile, records in members.items() for record in records}
    verified = VerifiedRecord.objects.filter(record__in=owner_of).values_list("record", flat=True)
    doubtful = {owner_of[record] for record in verified}
    for decision in standing_decisions(owner_of.keys()):
        if decision.kind == LinkDecision.Kind.STEWARD and decision.action != LinkDecision.Action.LINK:
            doubtful |= {owner_of[decision.record_a_id], owner_of[decision.record_b_id]}
    return doubtful


def _connected(pairs: Collection[ReviewPair], owner_of: Mapping[int, int]) -> list[set[int]]:
    """Profiles that the pairs connect; those of two and more."""
    groups: dict[int, set[int]] = {}
    for pair in pairs:
        ends = {owner_of[number] for number in (pair.record_a_id, pair.record_b_id) if number in owner_of}
        together = set().union(*(groups.get(end, {end}) for end in ends))
        groups.update(dict.fromkeys(together, together))
    return [group for number, group in sorted(groups.items()) if number == min(group) and len(group) > 1]
