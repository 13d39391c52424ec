"""How a model is shown: how good it is in words and numbers, its scores as bars, and what it waits for."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from cdp_site.core import actors
from cdp_site.core.errors import Text
from profiles.matching import labels, lifecycle, model_wording, pools, rollback
from profiles.matching.labels import Agreement, Counts
from profiles.matching.lifecycle import Readiness
from profiles.matching.measures import Interval, Quality
from profiles.matching.run_report import duration
from profiles.models import MatchModel, MatchRun

# Of the drawing, in its own units.
WIDTH: Final = 720
HEIGHT: Final = 120
_GAP: Final = 0.1  # of a bar's place
_LABELLED: Final = 4  # bars per label


@dataclass(frozen=True, slots=True)
class Share:
    """A share in percent with between what it lies, 19 times of 20; all None where nothing was measured."""

    value: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, found: Interval) -> "Share":
        if found.value is None:
            return cls(None, None, None)
        return cls(100 * found.value, 100 * found.low, 100 * found.high)


@dataclass(frozen=True, slots=True)
class Bar:
    """Pairs with a score from `low` to `high` percent. `zone`: what becomes of them: "join", "ask" or "leave".
    x, y, width and height are of the drawing; heights are logarithmic."""

    low: float
    high: float
    same: int
    different: int
    other: int
    zone: str
    x: float
    y: float
    width: float
    height: float
    is_labelled: bool

    @property
    def total(self) -> int:
        return self.same + self.different + self.other


@dataclass(frozen=True, slots=True)
class Proposal:
    """A row of the table of thresholds, in percent; `attach` None: it cannot be promised."""

    precision: float
    attach: float | None
    review: float
    pairs: int
    hours: float
    recall: float
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What there is to learn from, over all models.

    Attributes:
        counts: pairs by what holds of them.
        agreement: of people on blind pairs.
        waiting: questions that wait for an answer.
        search: what became of the last search for questions, if there was one lately (`pools.last_search`).
    """

    counts: Counts
    agreement: Agreement
    waiting: int
    search: Mapping[str, Any] | None

    @property
    def judged(self) -> int:
        return self.counts.same + self.counts.different

    @property
    def blind(self) -> int:
        return self.counts.held_out_same + self.counts.held_out_different

    @property
    def agreed(self) -> float | None:
        """In percent."""
        return None if self.agreement.share is None else 100 * self.agreement.share

    @property
    def wanted(self) -> int:
        return lifecycle.LEAST_LABELS

    @property
    def step(self) -> tuple[Text, int, int]:
        """What is counted on the way to enough labels: its name, how many there are, how many are asked for."""
        if self.judged < self.wanted:
            return _("Judged pairs, of those asked for"), self.judged, self.wanted
        return _("Judged to be one person, of those asked for"), self.counts.same, lifecycle.LEAST_SAME

    @property
    def missing(self) -> str:
        """What is missing to take a model into use without a reason."""
        counts = {"same": self.counts.same, "different": self.counts.different}
        return "" if lifecycle.has_labels(counts) else model_wording.few_labels(counts)

    @property
    def is_searching(self) -> bool:
        return self.search is not None and self.search["state"] == "searching"

    @property
    def search_result(self) -> str:
        return model_wording.search_result(self.search) if self.search is not None and not self.is_searching else ""


def knowledge() -> Knowledge:
    """Four queries."""
    return Knowledge(labels.counts(), labels.agreement(), pools.waiting(), pools.last_search())


@dataclass(frozen=True, slots=True)
class ModelPage:
    """A model as its page shows it."""

    model: MatchModel
    quality: Quality | None
    readiness: Readiness
    rollback: MatchRun | None

    @property
    def precision(self) -> Share | None:
        return None if self.quality is None else Share.of(self.quality.precision)

    @property
    def recall(self) -> Share | None:
        return None if self.quality is None else Share.of(self.quality.recall)

    @property
    def attach(self) -> float | None:
        return _percent(self.model.attach_threshold)

    @property
    def review(self) -> float | None:
        return _percent(self.model.review_threshold)

    @property
    def judged(self) -> int:
        return sum(self.model.labels.get(name, 0) for name in ("same", "different"))

    @property
    def agreement(self) -> Mapping[str, Any]:
        """{"compared", "share" in percent, "kappa"}; share and kappa may be None."""
        found = self.model.measures.get("agreement", {})
        compared = found.get("compared", 0)
        return {
            "compared": compared,
            "share": 100 * found["agreed"] / compared if compared else None,
            "kappa": found.get("kappa"),
        }

    @property
    def duration(self) -> str:
        return duration(self.model.seconds)

    @property
    def phase(self) -> Text:
        return model_wording.PHASES.get(self.model.progress.get("phase", ""), _("Waiting to begin"))

    @property
    def problem(self) -> str:
        return "" if self.model.problem is None else model_wording.problem(self.model.problem)

    @property
    def remedy(self) -> str:
        return "" if self.model.problem is None else model_wording.remedy(self.model.problem["code"])

    @property
    def missing_labels(self) -> str:
        """What it lacks to be taken into use without a reason."""
        return "" if self.readiness.has_labels else model_wording.few_labels(self.model.labels)

    @property
    def activated_by(self) -> str:
        written = self.model.activated_by
        return actors.names_of([written])[written] if written else ""

    @property
    def is_moving(self) -> bool:
        """Whether something is under way that the page tells of."""
        trial = self.readiness.trial
        return (
            self.model.status == MatchModel.Status.TRAINING
            or (trial is not None and trial.status == MatchRun.Status.RUNNING)
            or (self.rollback is not None and self.rollback.status == MatchRun.Status.RUNNING)
        )

    @property
    def may_choose(self) -> bool:
        return self.model.status in (MatchModel.Status.READY, MatchModel.Status.RETIRED)

    @property
    def may_roll_back(self) -> bool:
        return self.model.status in (MatchModel.Status.ACTIVE, MatchModel.Status.RETIRED)

    @property
    def bars(self) -> Sequence[Bar]:
        return _bars(self.model)

    @property
    def highest(self) -> int:
        return max((bar.total for bar in self.bars), default=0)

    @property
    def marks(self) -> Sequence[float]:
        """Where the two thresholds lie in the drawing."""
        thresholds = (self.model.review_threshold, self.model.attach_threshold)
        return [round(WIDTH * threshold, 1) for threshold in thresholds if threshold is not None]

    @property
    def proposals(self) -> Sequence[Proposal]:
        chosen = (self.model.attach_threshold, self.model.review_threshold)
        return [
            Proposal(
                precision=100 * one["precision"],
                attach=_percent(one["attach"]),
                review=100 * one["review"],
                pairs=one["pairs"],
                hours=one["hours"],
                recall=100 * one["recall"],
                is_chosen=(one["attach"], one["review"]) == chosen,
            )
            for one in self.model.proposals
        ]


def page(model: MatchModel) -> ModelPage:
    """Two queries."""
    return ModelPage(
        model=model,
        quality=lifecycle.quality(model),
        readiness=lifecycle.readiness(model),
        rollback=rollback.last(model),
    )


def pages(models: Sequence[MatchModel]) -> list[ModelPage]:
    """For a list, where neither trial nor rollback is told. No query."""
    nothing = Readiness(trial=None, has_labels=True)
    return [ModelPage(model, lifecycle.quality(model), nothing, None) for model in models]


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 4)


def _bars(model: MatchModel) -> list[Bar]:
    number = len(model.histogram)
    totals = [sum(counts.values()) for counts in model.histogram]
    highest = max(totals, default=0)
    bars = []
    for place, (counts, total) in enumerate(zip(model.histogram, totals, strict=True)):
        height = round(HEIGHT * math.log1p(total) / math.log1p(highest), 1) if highest else 0.0
        pace = WIDTH / number
        bars.append(
            Bar(
                low=100 * place / number,
                high=100 * (place + 1) / number,
                **counts,
                zone=_zone(model, (place + 0.5) / number),
                x=round((place + _GAP) * pace, 1),
                y=round(HEIGHT - height, 1),
                width=round(pace * (1 - 2 * _GAP), 1),
                height=height,
                is_labelled=place % _LABELLED == 0,
            )
        )
    return bars


def _zone(model: MatchModel, score: float) -> str:
    """What becomes of most pairs of such a score."""
    if model.attach_threshold is not None and score >= model.attach_threshold:
        return "join"
    return "ask" if model.review_threshold is not None and score >= model.review_threshold else "leave"
