"""Merges and unmerges that a person makes on the customer's page or by the API: done by `merging`, and kept as labels,
since a model learns from them as from the review."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from cdp_site.core.models import Operation, User
from profiles import merging
from profiles.matching import labels
from profiles.matching.labels import Origin, Pair, Verdict
from profiles.merging import Outcome
from profiles.models import LinkDecision, MatchLabel, Membership, Profile, SourceRecord


@transaction.atomic
def merge(*, profiles: Collection[Profile], by: User, reason: str, operation_id: UUID | None = None) -> Outcome:
    """As `merging.merge`; the anchors of the customers are said to be one person."""
    anchors = _anchors(profiles)
    done = merging.merge(profiles=profiles, by=by, reason=reason, operation_id=operation_id)
    pairs = [(anchors[0], other) for other in anchors[1:]]
    labels.note(pairs=pairs, verdict=Verdict.SAME, by=by, operation=done.operation)
    return done


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
    """As `merging.unmerge`; the anchors of the two sides are said to be different people."""
    done = merging.unmerge(
        profile=profile, records=records, by=by, reason=reason, notes_to=notes_to, operation_id=operation_id
    )
    current = Membership.objects.filter(record__in=records, valid_to__isnull=True)
    taken_out = set(current.values_list("profile", flat=True))
    apart = _anchors([one for one in done.profiles if one.pk in taken_out])
    stay = _anchors([one for one in done.profiles if one.pk not in taken_out])
    pairs: list[Pair] = [(min(a, b), max(a, b)) for a in apart for b in stay]
    labels.note(pairs=pairs, verdict=Verdict.DIFFERENT, by=by, operation=done.operation)
    return done


@transaction.atomic
def revert(*, operation: Operation, by: User, reason: str, operation_id: UUID | None = None) -> Outcome:
    """As `merging.revert`; what was said by the merge or unmerge is said no more, and what its person had said of the
    pair before is said again; the other way round when an undo is taken back. A verdict of the review stays: it is its
    own to take back."""
    done = merging.revert(operation=operation, by=by, reason=reason, operation_id=operation_id)
    spoken = _spoken(operation)
    said = MatchLabel.objects.filter(operation_id=spoken.pk, origin=Origin.PROFILE).order_by("pk")
    if merging.stands(spoken):
        undos = _undos(spoken)
        for label in said.filter(undone_at__in=undos):
            labels.bring_back(label=label, in_place_of_earlier=spoken.at, by=by)
    else:
        for label in said.filter(undone_at__isnull=True):
            labels.take_back(label=label, by=by, at=done.operation.at)
            before = labels.set_aside(label=label, at=spoken.at)
            if before is not None:
                labels.bring_back(label=before, by=by)
    return done


def _spoken(operation: Operation) -> Operation:
    """The merge or unmerge that the operation is about: it alone has labels. Of one that is no undo, itself."""
    while not MatchLabel.objects.filter(operation_id=operation.pk, origin=Origin.PROFILE).exists():
        decided = LinkDecision.objects.filter(operation_id=operation.pk)
        if decided.exclude(action=LinkDecision.Action.WITHDRAW).exists():
            break
        undone = Operation.objects.filter(pk__in=decided.values("withdraws__operation_id"))
        if len(undone) != 1:
            break
        (operation,) = undone
    return operation


def _undos(spoken: Operation) -> list[datetime]:
    """When the merge or unmerge was undone, or an undo of it, and so on."""
    known: set[UUID] = set()
    wave = {spoken.pk}
    while wave:
        above = LinkDecision.objects.filter(withdraws__operation_id__in=wave).values("operation_id")
        wave = set(Operation.objects.filter(pk__in=above).values_list("pk", flat=True)) - known
        known |= wave
    return list(Operation.objects.filter(pk__in=known).values_list("at", flat=True))


def _anchors(profiles: Collection[Profile]) -> list[int]:
    """The people's records that give the customers their ids, lowest first; visitors teach nothing."""
    births = SourceRecord.objects.filter(
        birth_profile__in=[profile.pk for profile in profiles], kind=SourceRecord.Kind.IDENTIFIED
    )
    return list(births.order_by("pk").values_list("pk", flat=True))
