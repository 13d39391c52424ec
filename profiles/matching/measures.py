"""How good a model is, and from which score on it may be trusted. Pure: no Django."""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

BINS: Final = 20
WANTED_PRECISIONS: Final = (0.9, 0.95, 0.98, 0.99, 0.995)
SECONDS_A_PAIR: Final = 8.0  # that a person needs for a verdict
LEAST_ATTACH: Final = 0.6  # above `learned.NAME_CAP`: no merge on a name alone
MOST_ATTACH: Final = 0.9999
_LOST: Final = 0.01  # of the true pairs may lie below the threshold of review
_LEAST_REVIEW: Final = 0.2  # of five questions at least one is to be about one person
_Z: Final = 1.96
_FREE_SHIFT: Final = 1.0  # standard deviations of a calibration's shift and stretch before any verdict
_FREE_STRETCH: Final = 0.3
_LEAST_STRETCH: Final = 0.1
_NEWTON_STEPS: Final = 30
_MOST_LOG_ODDS: Final = 12.0


@dataclass(frozen=True, slots=True)
class Interval:
    """A share and between what it lies, 19 times of 20. None: nothing to measure it by."""

    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Of a model at one threshold, on pairs whose verdict it was not trained on."""

    precision: Interval
    recall: Interval
    f1: float | None
    pairs: int
    threshold: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Proposal:
    """Thresholds for a wanted precision of what the model joins.

    Attributes:
        attach: from here on it joins; None where no threshold is precise enough.
        review: from here on a person is asked.
        pairs: those between the two, of the whole stock.
        hours: of a person for them.
        recall: the share of the true pairs that the model joins by itself.
    """

    precision: float
    attach: float | None
    review: float
    pairs: int
    hours: float
    recall: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def share(hits: float, weights: Sequence[float]) -> Interval:
    """Wilson's interval; unequal weights count for as many pairs as they are worth."""
    total = sum(weights)
    if not total:
        return Interval(None, 0.0, 1.0)
    number = total**2 / sum(weight**2 for weight in weights)
    found = hits / total
    denominator = 1 + _Z**2 / number
    centre = (found + _Z**2 / (2 * number)) / denominator
    half = _Z * math.sqrt(found * (1 - found) / number + _Z**2 / (4 * number**2)) / denominator
    return Interval(round(found, 4), round(max(0.0, centre - half), 4), round(min(1.0, centre + half), 4))


def quality(scores: Sequence[float], same: Sequence[bool], weights: Sequence[float], *, threshold: float) -> Quality:
    """Precision and recall, each pair counted as many times as it stands for."""
    pairs = list(zip(scores, same, weights, strict=True))
    joined = [weight for score, _is_same, weight in pairs if score >= threshold]
    true = [weight for _score, is_same, weight in pairs if is_same]
    both = sum(weight for score, is_same, weight in pairs if is_same and score >= threshold)
    precision, recall = share(both, joined), share(both, true)
    f1 = 2 * both / (sum(joined) + sum(true)) if joined or true else None
    return Quality(precision, recall, None if f1 is None else round(f1, 4), len(pairs), threshold)


def histogram(scores: Sequence[float], verdicts: Sequence[bool | None]) -> list[dict[str, int]]:
    """Pairs by score in equal bins, by what was said of them."""
    bins = [{"same": 0, "different": 0, "other": 0} for _bin in range(BINS)]
    for score, verdict in zip(scores, verdicts, strict=True):
        name = "other" if verdict is None else ("same" if verdict else "different")
        bins[min(BINS - 1, int(score * BINS))][name] += 1
    return bins


def calibration(scores: Sequence[float], same: Sequence[bool]) -> Callable[[float], float]:
    """How likely one person a pair of a score really is, by pairs with a verdict: log-odds moved and stretched. Few
    verdicts change little; that they were drawn by score makes no difference."""
    log_odds = [_log_odds(score) for score in scores]
    shift, stretch = 0.0, 1.0
    for _step in range(_NEWTON_STEPS):
        chances = [_chance(shift + stretch * x) for x in log_odds]
        errors = [chance - is_same for chance, is_same in zip(chances, same, strict=True)]
        curvature = [chance * (1 - chance) for chance in chances]
        down = sum(errors) + shift / _FREE_SHIFT**2
        steep = sum(e * x for e, x in zip(errors, log_odds, strict=True)) + (stretch - 1) / _FREE_STRETCH**2
        a = sum(curvature) + 1 / _FREE_SHIFT**2
        b = sum(c * x for c, x in zip(curvature, log_odds, strict=True))
        d = sum(c * x * x for c, x in zip(curvature, log_odds, strict=True)) + 1 / _FREE_STRETCH**2
        determinant = a * d - b * b
        shift -= max(-1.0, min(1.0, (d * down - b * steep) / determinant))
        stretch -= max(-0.5, min(0.5, (a * steep - b * down) / determinant))
        stretch = max(_LEAST_STRETCH, stretch)
    return lambda score: _chance(shift + stretch * _log_odds(score))


def proposals(
    scores: Sequence[float], *, share_of_all: float, chance: Callable[[float], float] = lambda score: score
) -> list[Proposal]:
    """For each wanted precision the lowest threshold that promises it.

    Args:
        scores: of all pairs that meet.
        share_of_all: what part of the whole stock's pairs these are.
        chance: how likely one person a pair of a score is; ascending.
    """
    ordered = [(score, chance(score)) for score in sorted(scores, reverse=True)]
    expected = sum(likely for _score, likely in ordered)
    review = _review_threshold(ordered, expected)
    found = []
    for wanted in WANTED_PRECISIONS:
        attach = _attach_threshold(ordered, wanted)
        joined = sum(likely for score, likely in ordered if attach is not None and score >= attach)
        below = min(review, attach) if attach is not None else review
        asked = sum(score >= below and (attach is None or score < attach) for score, _likely in ordered)
        pairs = round(asked / share_of_all)
        found.append(
            Proposal(
                precision=wanted,
                attach=attach,
                review=below,
                pairs=pairs,
                hours=round(pairs * SECONDS_A_PAIR / 3600, 2),
                recall=round(joined / expected, 4) if expected else 0.0,
            )
        )
    return found


def _attach_threshold(ordered: Sequence[tuple[float, float]], wanted: float) -> float | None:
    """Of all pairs from there on, the wanted share is expected to be true."""
    total, threshold = 0.0, None
    for number, (score, likely) in enumerate(ordered, start=1):
        total += likely
        if score < LEAST_ATTACH or total / number < wanted:
            break
        threshold = score
    if threshold is None:
        return None
    return math.floor(min(threshold, MOST_ATTACH) * 10_000) / 10_000


def _review_threshold(ordered: Sequence[tuple[float, float]], expected: float) -> float:
    """Hardly any true pair is expected below, or hardly one of those below is true."""
    total, threshold = 0.0, LEAST_ATTACH
    for score, likely in ordered:
        if total >= (1 - _LOST) * expected or likely < _LEAST_REVIEW:
            break
        total += likely
        threshold = min(threshold, score)
    return math.floor(threshold * 10_000) / 10_000


def _log_odds(score: float) -> float:
    if not 0 < score < 1:
        return math.copysign(_MOST_LOG_ODDS, score - 0.5)
    return max(-_MOST_LOG_ODDS, min(_MOST_LOG_ODDS, math.log(score / (1 - score))))


def _chance(log_odds: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, log_odds))))
