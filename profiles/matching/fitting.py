"""Weights from pairs of which few have a verdict. Pure: no Django.

Fellegi and Sunter's model first: how often a likeness is seen between records of one person and of two, found by
expectation-maximisation over all pairs that meet, from what is known of people (a birth date seldom changes, a phone
often does). Its log-odds are then held against the verdicts by a logistic regression that may stretch, move and
steepen each curve, but not bend it down: the more alike, the likelier one person. Verdicts win over the pairs' own
statistics, and these over what is assumed; the same input gives the same weights.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from profiles.matching.learned import Curve

if TYPE_CHECKING:
    import numpy as np
    from scipy.sparse import csr_matrix

KNOTS: Final = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)

# How often two records of one person have much the same where both know the field: before anything is seen.
ALIKE_WHEN_SAME: Final[Mapping[str, float]] = {
    "given": 0.9, "family": 0.85, "names": 0.85, "gender": 0.97, "birth_dates": 0.93, "ids": 0.97,
    "phones": 0.6, "emails": 0.5, "addresses": 0.6, "postcodes": 0.7, "places": 0.8,
}  # fmt: skip
_ALIKE_ELSE: Final = 0.75
_TOP: Final = {1.0: 0.7, 0.95: 0.15, 0.9: 0.1, 0.8: 0.05}  # where "much the same" lies on the scale

_PRIOR_SHARE: Final = 0.25  # of a field's pairs, as many are assumed beside those that were seen
_LEAST_PRIOR: Final = 30.0
_ROUNDS: Final = 3  # of statistics and regression in turn
_STEPS: Final = 25  # of expectation-maximisation; it stands still after some ten
_MOST_FROM_STATISTICS: Final = 9.0  # log-odds of one field
_FREEDOM: Final = {"prior": 2.0, "stretch": 0.5, "shift": 1.0, "steepness": 1.0}  # standard deviations


class Fitting:
    """Pairs whose weights are fitted, again and again as verdicts come; what does not change is worked out once.

    Args:
        readings: likenesses of the pairs, NaN where not known.
        names: of the variables.
        strangers: likenesses of pairs drawn at random.
        hints: of each pair, how likely one person it is to begin with; NaN where nothing is known.
        records: among how many records the pairs were found.
    """

    def __init__(
        self, readings: "np.ndarray", *, names: Sequence[str], strangers: "np.ndarray", hints: "np.ndarray",
        records: int,
    ) -> None:  # fmt: skip
        import numpy as np  # comes with dedupe

        self._names = tuple(names)
        self._shape = (len(self._names), len(KNOTS))
        self._known = (~np.isnan(readings)).astype(float)
        self._shares = _shares(readings)
        self._by_knot = self._shares.T.tocsr()
        base = np.array([0.5, *[0.5 / (len(KNOTS) - 1)] * (len(KNOTS) - 1)])
        seen = np.asarray(_shares(strangers).sum(axis=0)).reshape(self._shape)
        self._strangers = _normal(seen + 2 * base)
        top = np.array([_TOP.get(knot, 0.0) for knot in KNOTS])
        alike = np.array([ALIKE_WHEN_SAME.get(name, _ALIKE_ELSE) for name in self._names])[:, None]
        self._assumed = alike * top + (1 - alike) * self._strangers
        # Before anything is learned: of all pairs there are, about one a record is of one person.
        first = self._believe(-np.log(max(records, 2) / 2), self._bounded(np.log(self._assumed / self._strangers)))
        self._start = np.where(np.isnan(hints), first, hints)

    def fit(self, verdicts: "np.ndarray", *, counts: "np.ndarray") -> tuple[float, dict[str, Curve]]:
        """The prior, and a curve for each variable.

        Args:
            verdicts: of each pair: 1 same, 0 different, NaN not asked.
            counts: whether the pair takes part.
        """
        import numpy as np
        from threadpoolctl import threadpool_limits  # both come with dedupe

        asked = ~np.isnan(verdicts) & counts
        weights = counts.astype(float)
        prior, curves = 0.0, np.zeros(self._shape)
        belief = self._start
        with threadpool_limits(limits=1):  # small sums: threads would only wait for each other, and round differently
            for _round in range(_ROUNDS):
                belief = np.where(asked, np.nan_to_num(verdicts), belief)
                prior, curves = self._statistics(belief, asked, weights)
                prior, curves = self._regress(prior, curves, verdicts, asked)
                belief = self._believe(prior, curves)
        points = np.round(curves, 4)
        return round(float(prior), 4), {
            name: tuple(zip(KNOTS, points[row].tolist(), strict=True)) for row, name in enumerate(self._names)
        }

    def _believe(self, prior: float, curves: "np.ndarray") -> "np.ndarray":
        import numpy as np  # comes with dedupe

        belief: np.ndarray = 1 / (1 + np.exp(-np.clip(prior + self._shares @ curves.ravel(), -50, 50)))
        return belief

    def _statistics(
        self, belief: "np.ndarray", asked: "np.ndarray", weights: "np.ndarray"
    ) -> "tuple[float, np.ndarray]":
        """Expectation-maximisation from a first belief."""
        import numpy as np  # comes with dedupe

        verdicts = belief
        everything = (self._by_knot @ weights).reshape(self._shape)
        prior, curves = 0.0, np.zeros(self._shape)
        for _step in range(_STEPS):
            same = (self._by_knot @ (weights * belief)).reshape(self._shape)
            assumed = np.maximum(_LEAST_PRIOR, _PRIOR_SHARE * same.sum(axis=1, keepdims=True)) * self._assumed
            strangers = _LEAST_PRIOR * self._strangers
            different = np.maximum(everything - same, 0) + strangers
            curves = self._bounded(np.log(_normal(same + assumed) / _normal(different)))
            prior = float(np.log((weights @ belief + 0.5) / (weights @ (1 - belief) + 0.5)))
            before, belief = belief, np.where(asked, verdicts, self._believe(prior, curves))
            if np.abs(before - belief).max(initial=0) < 1e-3:
                break
        return prior, curves

    def _bounded(self, log_odds: "np.ndarray") -> "np.ndarray":
        """Ascending, and none beyond what statistics of some thousand pairs can tell."""
        import numpy as np  # comes with dedupe

        weights = self._strangers + self._assumed
        ascending = np.array([_ascending(*row) for row in zip(log_odds, weights, strict=True)])
        return np.clip(ascending, -_MOST_FROM_STATISTICS, _MOST_FROM_STATISTICS)

    def _regress(
        self, prior: float, curves: "np.ndarray", verdicts: "np.ndarray", asked: "np.ndarray"
    ) -> "tuple[float, np.ndarray]":
        """What the verdicts say about prior and curves. Without verdicts nothing changes."""
        import numpy as np
        from scipy.optimize import minimize  # both come with dedupe

        if not asked.any():
            return prior, curves
        wanted = verdicts[asked]
        shares = self._shares[np.flatnonzero(asked)].toarray().reshape(-1, *self._shape)
        knots = np.array(KNOTS)
        features = np.concatenate(
            [np.ones((len(wanted), 1)), (shares * curves).sum(axis=2), self._known[asked], shares @ knots], axis=1
        )
        number = len(curves)
        centre = np.concatenate([[prior], np.ones(number), np.zeros(2 * number)])
        deviations = [np.full(number, _FREEDOM[name]) for name in ("stretch", "shift", "steepness")]
        freedom = np.concatenate([[_FREEDOM["prior"]], *deviations])

        def loss(found: "np.ndarray") -> "tuple[float, np.ndarray]":
            total = features @ found
            away = (found - centre) / freedom
            probability = 1 / (1 + np.exp(-np.clip(total, -50, 50)))
            cost = np.sum(np.logaddexp(0, total) - wanted * total) + 0.5 * away @ away
            return float(cost), features.T @ (probability - wanted) + away / freedom

        bounds = [(None, None)] + [(0, None)] * number + [(None, None)] * number + [(0, None)] * number
        found = minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}).x
        stretch, shift, steepness = (found[1 + part * number : 1 + (part + 1) * number, None] for part in range(3))
        return float(found[0]), stretch * curves + shift + steepness * knots


def _shares(readings: "np.ndarray") -> "csr_matrix":
    """Each likeness as shares of the two knots that it lies between, nothing where it is not known: a row a pair, the
    knots of all variables side by side. Sparse: of a hundred places, a pair has a dozen."""
    import numpy as np
    from scipy.sparse import csr_matrix  # both come with dedupe

    knots = np.array(KNOTS)
    pair, variable = np.nonzero(~np.isnan(readings))
    likeness = np.clip(readings[pair, variable], 0, 1)
    lower = np.clip(np.searchsorted(knots, likeness, side="right") - 1, 0, len(knots) - 2)
    upper_share = (likeness - knots[lower]) / (knots[lower + 1] - knots[lower])
    place = variable * len(knots) + lower
    return csr_matrix(
        (np.concatenate([1 - upper_share, upper_share]), (np.tile(pair, 2), np.concatenate([place, place + 1]))),
        shape=(len(readings), readings.shape[1] * len(knots)),
    )


def _normal(counts: "np.ndarray") -> "np.ndarray":
    normal: np.ndarray = counts / counts.sum(axis=-1, keepdims=True)
    return normal


def _ascending(values: "np.ndarray", weights: "np.ndarray") -> "np.ndarray":
    """The nearest values that do not fall (pool adjacent violators)."""
    import numpy as np  # comes with dedupe

    blocks: list[tuple[float, float, int]] = []  # mean, weight, length
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        mean, total, length = value, weight, 1
        while blocks and blocks[-1][0] > mean:
            other, other_weight, other_length = blocks.pop()
            mean = (mean * total + other * other_weight) / (total + other_weight)
            total, length = total + other_weight, length + other_length
        blocks.append((mean, total, length))
    return np.array([mean for mean, _weight, length in blocks for _item in range(length)])
