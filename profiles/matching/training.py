"""Training a model from what people said: a job that fills the model's row and writes its file.

It learns anew from all labels each time, so one that was killed begins again. Whoever made the labels, and whatever the
model before said, plays no part: the same labels and records give the same model.
"""

import time
from collections.abc import Mapping
from typing import Any, Final

import structlog
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from cdp_site.core import audit, jobs
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import User
from profiles.matching import labels, learning, measures, model_files, pools
from profiles.matching.candidates import Pair
from profiles.matching.learned import LearnedMatcher
from profiles.matching.learning import Label, Progress, Trained, TrainingProblem
from profiles.models import MatchModel, ReviewPair

log = structlog.get_logger("matching")

JOB: Final = "profiles.matching.training.run"
MOST_ATTEMPTS: Final = 3  # jobs that died at it
DIED: Final = "died"
WANTED_PRECISION: Final = 0.99  # of the proposal that a new model begins with

_LOCK = 0x3E272  # numbers of versions are given one at a time


def _silent(phase: str, done: int, total: int) -> None:
    """Nobody looks."""


@transaction.atomic
def start(*, by: User | str) -> MatchModel:
    """Begin to train a new model, in a job. Raises ConflictProblem while another is being trained."""
    model = _create(by=by)
    jobs.enqueue(JOB, model.pk)
    return model


@transaction.atomic
def _create(*, by: User | str) -> MatchModel:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    if MatchModel.objects.in_training().exists():
        raise ConflictProblem(_("A model is being trained already."), hint=_("Wait until it is ready."))
    last = MatchModel.objects.aggregate(last=Max("version"))["last"] or 0
    model = MatchModel.objects.create(version=last + 1, created_by=audit.actor_name(by))
    audit.record(action="match_model.train", target=model, by=by, fields=["status"])
    return model


def train_now(*, by: str, progress: Progress = _silent) -> MatchModel:
    """The same at once, in this process: for a command. The model is ready or says why not; whatever else fails is
    raised. Raises ConflictProblem while another is being trained."""
    model = _create(by=by)
    run(model.pk, progress=progress)
    model.refresh_from_db()
    return model


def run(model_id: int, *, progress: Progress = _silent) -> None:
    """Train, unless another job is at it. Idempotent: what was not finished begins again."""
    model = _take(model_id)
    if model is None:
        return

    def note(phase: str, done: int, total: int) -> None:
        model.progress = {**model.progress, "phase": phase, "done": done, "total": total}
        model.beat_at = timezone.now()
        model.save(update_fields=["progress", "beat_at"])
        progress(phase, done, total)

    try:
        _train(model, note)
    except TrainingProblem as problem:
        _fail(model, problem.code, **problem.detail)


def resume_abandoned() -> int:
    """Watchdog: enqueue trainings whose job died; returns how many. `run` itself takes each only once."""
    ids = list(MatchModel.objects.abandoned().values_list("pk", flat=True))
    for model_id in ids:
        jobs.enqueue(JOB, model_id)
    return len(ids)


def _take(model_id: int) -> MatchModel | None:
    """Claim the training, if no living job is at it. The attempt is committed before the work."""
    with transaction.atomic(durable=True):
        free = MatchModel.objects.free_to_train()
        taken: MatchModel | None = free.select_for_update(skip_locked=True).filter(pk=model_id).first()
        if taken is None:
            return None
        attempts = taken.progress.get("attempts", 0)
        if attempts < MOST_ATTEMPTS:
            taken.progress = {"phase": "pool", "done": 0, "total": 0, "attempts": attempts + 1}
            taken.beat_at = timezone.now()
            taken.save(update_fields=["progress", "beat_at"])
            return taken
    _fail(taken, DIED, attempts=attempts)
    return None


def _fail(model: MatchModel, code: str, **detail: int) -> None:
    with transaction.atomic():
        model.status = MatchModel.Status.FAILED
        model.problem = {"code": code, **detail}
        model.labels = _label_counts()
        model.ended_at = timezone.now()
        model.save(update_fields=["status", "problem", "labels", "ended_at"])
        audit.record(action="match_model.failed", target=model, by="system:matching", fields=["status"])
    log.info("training_failed", model=model.version, code=code)


def _train(model: MatchModel, progress: Progress) -> None:
    began = time.perf_counter()
    said, held_out = labels.for_training(), labels.held_out()
    weights = _weights()
    pool = pools.build(must={number for pair in (*said, *held_out) for number in pair}, seed=0)
    blind = [Label(*pair, same, weights.get(pair, 1.0)) for pair, same in sorted(held_out.items())]
    trained = learning.train(
        pool.records,
        [Label(*pair, same) for pair, same in sorted(said.items())],
        held_out=blind,
        sure=pool.sure,
        share_of_all=pool.share,
        progress=progress,
    )
    progress("file", 0, 1)
    blind = [label for label in blind if label.a in pool.records and label.b in pool.records]
    scores = _scores(trained.matcher, [(pool.records[one.a], pool.records[one.b]) for one in blind])
    _finish(model, trained, list(zip(scores, blind, strict=True)), time.perf_counter() - began)


def _weights() -> dict[Pair, float]:
    """Of the pairs that are held out: how many pairs each stands for."""
    rows = ReviewPair.objects.filter(is_held_out=True).values_list("record_a_id", "record_b_id", "weight")
    return {(a, b): weight for a, b, weight in rows}


def _scores(matcher: LearnedMatcher, pairs: list[Any]) -> list[float]:
    return [round(float(score), 6) for score in matcher.score(pairs)]


def _finish(model: MatchModel, trained: Trained, measured: list[tuple[float, Label]], seconds: float) -> None:
    report = trained.report.as_json()
    agreement = labels.agreement()
    best = first_choice(report["proposals"])
    with transaction.atomic():
        model_files.save(model, trained.matcher)
        model.status = MatchModel.Status.READY
        model.labels = _label_counts() | report["labels"]
        model.measures = {
            # numbers alone: what was said of each pair, and what the model says; to measure at any threshold
            "held_out": [[score, label.same, label.weight] for score, label in measured],
            "agreement": {"compared": agreement.compared, "agreed": agreement.agreed, "kappa": agreement.kappa},
            "blocked": report["blocked"],
        }
        model.histogram = report["histogram"]
        model.proposals = report["proposals"]
        model.attach_threshold, model.review_threshold = best["attach"], best["review"]
        model.thresholds_at = timezone.now()
        model.seconds = round(seconds, 2)
        model.memory_mb = report["memory_mb"]
        model.progress = {}
        model.save()
        audit.record(action="match_model.trained", target=model, by="system:matching", fields=["status"])
    log.info("trained", model=model.version, seconds=model.seconds, memory_mb=model.memory_mb)


def first_choice(proposals: list[dict[str, Any]]) -> Mapping[str, float | None]:
    """Thresholds ("attach", "review") to begin with: of the strictest proposal up to the wanted precision that can be
    kept; else nothing is joined by itself and everything likely is asked."""
    possible = [one for one in proposals if one["attach"] is not None and one["precision"] <= WANTED_PRECISION]
    if possible:
        return possible[-1]
    return {"attach": 1.0, "review": min((one["review"] for one in proposals), default=measures.LEAST_ATTACH)}


def _label_counts() -> dict[str, int]:
    counts = labels.counts()
    return {
        "same": counts.same,
        "different": counts.different,
        "held_out_same": counts.held_out_same,
        "held_out_different": counts.held_out_different,
        "conflicts": counts.conflicts,
        "unsure": counts.unsure,
    }
