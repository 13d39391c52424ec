"""Models from their training to their end: thresholds, trial, into use, out of use. Rolling back is `rollback`'s.

One model is in use at a time. It comes into use only after a trial with the very thresholds that it will have, and by a
person's hand. What the one before has joined stands until the new one's first run looks at it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit
from cdp_site.core.errors import ConflictProblem, MendableError
from cdp_site.core.models import User
from profiles.matching import measures, model_files, runs
from profiles.matching.learned import NAME_CAP
from profiles.matching.measures import Quality
from profiles.models import MatchModel, MatchRun
from profiles.resolution import pipeline

log = structlog.get_logger("matching")

ACTOR: Final = "system:matching"
# Fewer labels give a model that finds little, or that nobody can vouch for.
LEAST_LABELS: Final = 50
LEAST_SAME: Final = 20
LONGEST_REASON: Final = 300  # MatchModel.override_reason

Status = MatchModel.Status
_CHANGEABLE: Final = (Status.READY, Status.RETIRED)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What stands between a model and its use.

    Attributes:
        trial: the last trial with the thresholds of now, if there is one.
        has_labels: whether it was trained on enough; else it takes a reason.
    """

    trial: MatchRun | None
    has_labels: bool

    @property
    def is_tried(self) -> bool:
        return self.trial is not None and self.trial.status == MatchRun.Status.DONE


def readiness(model: MatchModel) -> Readiness:
    """One query."""
    trials = MatchRun.objects.filter(model=model, kind=MatchRun.Kind.SHADOW)
    if model.thresholds_at is not None:
        trials = trials.filter(started_at__gte=model.thresholds_at)
    return Readiness(trial=trials.order_by("-started_at").first(), has_labels=has_labels(model.labels))


def has_labels(labels: Mapping[str, int]) -> bool:
    """Whether so many suffice to take a model into use without a reason."""
    same, different = labels.get("same", 0), labels.get("different", 0)
    return same + different >= LEAST_LABELS and same >= LEAST_SAME


def quality(model: MatchModel, *, attach: float | None = None) -> Quality | None:
    """Precision and recall on the held-out pairs at the model's threshold, or at another; None without such pairs."""
    held_out: Sequence[tuple[float, bool, float]] = model.measures.get("held_out", ())
    threshold = model.attach_threshold if attach is None else attach
    if not held_out or threshold is None:
        return None
    scores, same, weights = (list(column) for column in zip(*held_out, strict=True))
    return measures.quality(scores, same, weights, threshold=threshold)


@transaction.atomic
def choose_thresholds(*, model: MatchModel, attach: float, review: float, by: User) -> None:
    """From where on the model joins, and from where on a person is asked; what was tried before counts no more.

    Raises MendableError for what is no order of thresholds, ConflictProblem when the model is in use or has ended.
    """
    if not 0 < review <= 1:
        raise MendableError(_("Say more than 0 and at most 100 percent."), field="review")
    if not NAME_CAP < attach <= 1:
        raise MendableError(
            _("Say more than %(least)d and at most 100 percent: names alone never join.") % {"least": 100 * NAME_CAP},
            field="attach",
        )
    if review > attach:
        raise MendableError(_("People are asked below the score from which the model joins."), field="review")
    held = _held(model, _CHANGEABLE, _("The thresholds of this model cannot be changed any more."))
    held.attach_threshold, held.review_threshold, held.thresholds_at = attach, review, timezone.now()
    held.save(update_fields=["attach_threshold", "review_threshold", "thresholds_at"])
    audit.record(action="match_model.thresholds", target=held, by=by, fields=["attach_threshold", "review_threshold"])


def activate(*, model: MatchModel, by: User, reason: str = "") -> None:
    """Take the model into use in place of the one that is, and have everything matched with it.

    Args:
        reason: why, although it was trained on few labels.

    Raises RefusedModel for a damaged file, ConflictProblem without a finished trial of these thresholds, MendableError
    when a reason is missing.
    """
    model_files.load(model)  # before the lock, which digests wait for
    with transaction.atomic():
        pipeline.take_merge_lock()  # a digest step has the model of its beginning until its end
        held = _held(model, _CHANGEABLE, _("This model cannot be taken into use any more."))
        if held.attach_threshold is None or held.review_threshold is None:
            raise ConflictProblem(_("Choose thresholds first."))
        ready = readiness(held)
        if not ready.is_tried:
            raise ConflictProblem(
                _("There is no finished trial with these thresholds yet."),
                hint=_("Start one and look at what it would do."),
            )
        if not ready.has_labels and not reason.strip():
            raise MendableError(
                _("It was trained on few labels: say why it is taken into use nevertheless."), field="reason"
            )
        for former in MatchModel.objects.in_use().select_for_update():
            _end(former, Status.RETIRED)
            audit.record(action="match_model.retire", target=former, by=by, fields=["status"])
        held.status, held.ended_at = Status.ACTIVE, None
        held.activated_by, held.activated_at = audit.actor_name(by), timezone.now()
        held.override_reason = "" if ready.has_labels else reason.strip()[:LONGEST_REASON]
        held.save(update_fields=["status", "ended_at", "activated_by", "activated_at", "override_reason"])
        audit.record(
            action="match_model.activate",
            target=held,
            by=by,
            fields=["status", *([] if ready.has_labels else ["override_reason"])],
        )
    start_first_run()


@transaction.atomic
def retire(*, model: MatchModel, by: User) -> None:
    """Take the model out of use without another; what it has joined stands. Raises ConflictProblem when it is not in
    use."""
    pipeline.take_merge_lock()
    held = _held(model, (Status.ACTIVE,), _("This model is not in use."))
    _end(held, Status.RETIRED)
    audit.record(action="match_model.retire", target=held, by=by, fields=["status"])


def start_first_run() -> bool:
    """Have everything matched with the model in use, which makes the keys anew, unless that has begun since it was
    taken into use. Also a chore: for when another run was going on just then."""
    model = MatchModel.objects.in_use().first()
    if (
        model is None
        or MatchRun.objects.filter(
            model=model, kind=MatchRun.Kind.BATCH, started_at__gte=model.activated_at or model.created_at
        ).exists()
    ):
        return False
    try:
        runs.start(by=ACTOR, everything=True)
    except MendableError as problem:
        log.info("first_run_waits", model=model.version, code=problem.code)
        return False
    return True


def _held(model: MatchModel, statuses: Sequence[str], refusal: str) -> MatchModel:
    """The model as it is now, locked. Raises ConflictProblem when it is in another state."""
    held: MatchModel = MatchModel.objects.select_for_update().get(pk=model.pk)
    if held.status not in statuses:
        raise ConflictProblem(refusal, hint=_("Look at the model again."))
    return held


def _end(model: MatchModel, status: str) -> None:
    model.status, model.ended_at = status, timezone.now()
    model.save(update_fields=["status", "ended_at"])
