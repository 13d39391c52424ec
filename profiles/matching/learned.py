"""A model of matching as it was learned. Pure: no Django.

What dedupe's data model measures of two records, field by field from 0 to 1, is turned into log-odds by one curve a
variable, and the curves are added: so the explanation of a score is its sum. A field that one of the records lacks
adds nothing. Kept as JSON: curves and the names of rules, nobody's values.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from profiles.matching.caps import Caps
from profiles.matching.keys import MOST_OF_RULE, fixed_keys, keys_by_rule
from profiles.matching.likeness import COMPARISONS
from profiles.matching.matcher import Comparable, Explanation, FieldEvidence
from profiles.matching.variables import variables

if TYPE_CHECKING:
    import numpy as np
    from dedupe.api import DedupeMatching
    from dedupe.predicates import Predicate

FORMAT: Final = 1

NAME_CAP: Final = 0.5
"""The most that two records score over evidence that joins nobody (`caps`): a person may be asked, never the model.
Every threshold from which the model joins is above. An explanation names the cap among its fields."""

MOST_LOG_ODDS: Final = 50.0  # beyond, a probability is 0 or 1; as `Explanation` has it
_CAP_LOG_ODDS: Final = math.log(NAME_CAP / (1 - NAME_CAP))

Curve: TypeAlias = tuple[tuple[float, float], ...]
"""(likeness, log-odds), both ascending; between two points on the line through them."""

Rule: TypeAlias = tuple[str, ...]
"""The names of predicates whose keys must agree together."""


class UnreadableModel(ValueError):
    """Not a model, or one of another time: its fields or rules are not those of this version."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learned, as numbers and names.

    Attributes:
        prior: log-odds before any field is looked at.
        curves: by variable.
        rules: for blocking, beside the fixed keys.
    """

    prior: float
    curves: Mapping[str, Curve]
    rules: tuple[Rule, ...] = ()


class Readings:
    """What dedupe's data model measures of pairs, a column a variable, NaN where one of the records lacks the field."""

    def __init__(self) -> None:
        from dedupe.datamodel import DataModel  # one or two seconds: only where something is matched

        self.variables = tuple(variables())
        self.names = tuple(variable.name for variable in self.variables)
        self.model = DataModel(self.variables)
        if len(self.model) != 2 * len(self.names):
            raise TypeError("each variable is one number and says when it is missing")

    def __call__(self, pairs: Sequence[tuple[Comparable, Comparable]]) -> "np.ndarray":
        import numpy as np  # comes with dedupe

        # `read(model.distances(pairs))`, column by column: dedupe asks for every pair anew what compares each field.
        found = np.empty((len(pairs), len(COMPARISONS)), dtype="f4")
        for column, (_name, field, compare) in enumerate(COMPARISONS):
            found[:, column] = np.array(
                [None if (x := a[field]) is None or (y := b[field]) is None else compare(x, y) for a, b in pairs],
                dtype="f4",
            )
        return found.astype(float)

    def read(self, distances: "np.ndarray") -> "np.ndarray":
        """From what dedupe calls distances: likenesses, then for each whether it is known."""
        import numpy as np  # comes with dedupe

        number = len(self.names)
        return np.where(distances[:, number:] > 0, distances[:, :number], np.nan).astype(float)

    def predicates(self) -> dict[str, "Predicate"]:
        """dedupe's rules that need no index of all values, by name: a record's keys follow from the record alone."""
        return {
            predicate.__name__: predicate
            for variable in self.variables
            for predicate in variable.predicates
            if not hasattr(predicate, "index")
        }


class LearnedMatcher:
    """A `matcher.Matcher` made of weights. Raises UnreadableModel when they do not fit this version's fields."""

    def __init__(self, weights: Weights, *, readings: Readings | None = None) -> None:
        import numpy as np  # comes with dedupe

        self.weights = weights
        self.readings = readings or Readings()
        names = self.readings.names
        if unknown := weights.curves.keys() - set(names):
            raise UnreadableModel(f"it weighs what is not compared: {', '.join(sorted(unknown))}")
        if absent := [name for name in names if name not in weights.curves]:
            raise UnreadableModel(f"it does not weigh: {', '.join(absent)}")
        curves = [np.array(weights.curves[name], dtype=float) for name in names]
        self._curves = [(curve[:, 0], curve[:, 1]) for curve in curves]
        self._caps = Caps(names)
        known = self.readings.predicates()
        if unknown := {name for rule in weights.rules for name in rule} - known.keys():
            raise UnreadableModel(f"it blocks by rules that do not exist: {', '.join(sorted(unknown))}")

    def keys(self, record: Comparable) -> frozenset[str]:
        return fixed_keys(record) | self.rule_keys(record)

    def rule_keys(self, record: Comparable) -> frozenset[str]:
        """Those of the learned rules."""
        if not self.weights.rules:
            return frozenset()
        found = keys_by_rule({name for rule in self.weights.rules for name in rule}, record)
        keys: set[str] = set()
        for rule in self.weights.rules:
            parts = [sorted(found[name]) for name in rule]
            keys.update("&".join(values) for values in itertools.islice(itertools.product(*parts), MOST_OF_RULE))
        return frozenset(keys)

    def score(self, pairs: Sequence[tuple[Comparable, Comparable]]) -> Sequence[float]:
        if not pairs:
            return []
        scores: list[float] = self.scores(self.readings(pairs)).tolist()
        return scores

    def scores(self, readings: "np.ndarray") -> "np.ndarray":
        """Of pairs that were read already."""
        import numpy as np  # comes with dedupe

        evidence = self.evidence(readings)
        total = np.clip(self.weights.prior + evidence.sum(axis=1), -MOST_LOG_ODDS, MOST_LOG_ODDS)
        is_capped = np.logical_or.reduce(list(self._caps.of(readings, evidence).values()))
        capped = np.where(is_capped, np.minimum(total, _CAP_LOG_ODDS), total)
        return 1 / (1 + np.exp(-capped))

    def evidence(self, readings: "np.ndarray") -> "np.ndarray":
        """Log-odds of each variable of each pair, 0 where it is not known."""
        import numpy as np  # comes with dedupe

        evidence = np.empty_like(readings)
        for column, (likeness, log_odds) in enumerate(self._curves):
            evidence[:, column] = np.interp(readings[:, column], likeness, log_odds)
        evidence[np.isnan(readings)] = 0
        return evidence

    def explain(self, a: Comparable, b: Comparable) -> Explanation:
        readings = self.readings([(a, b)])
        evidence = self.evidence(readings)
        fields = [
            FieldEvidence(name, float(weight))
            for name, likeness, weight in zip(self.readings.names, readings[0], evidence[0], strict=True)
            if not math.isnan(likeness)
        ]
        total = self.weights.prior + sum(field.weight for field in fields)
        caps = self._caps.of(readings, evidence)
        cap = next((name for name, holds in caps.items() if holds[0]), None)
        if cap is not None and total > _CAP_LOG_ODDS:
            fields.append(FieldEvidence(cap, _CAP_LOG_ODDS - total))
        return Explanation(self.weights.prior, tuple(fields))

    def as_dedupe(self, *, num_cores: int | None = None) -> "DedupeMatching":
        """The same model as an object of dedupe's: `partition` and all else run dedupe's own code."""
        from dedupe.api import DedupeMatching  # one or two seconds: only where something is matched
        from dedupe.blocking import Fingerprinter

        matching: Any = DedupeMatching(num_cores=num_cores)
        matching.data_model = self.readings.model
        matching.classifier = _Classifier(self)
        matching.predicates = (_Keys(self),)
        matching._fingerprinter = Fingerprinter(matching.predicates)
        found: DedupeMatching = matching
        return found

    def to_json(self) -> dict[str, Any]:
        """Ready for a JSON encoder; the same model gives the same document."""
        return {
            "format": FORMAT,
            "prior": self.weights.prior,
            "curves": {name: [list(point) for point in self.weights.curves[name]] for name in self.readings.names},
            "rules": [list(rule) for rule in self.weights.rules],
        }

    @classmethod
    def from_json(cls, document: Any) -> "LearnedMatcher":
        """From `to_json`, decoded. Raises UnreadableModel."""
        return cls(_weights(document))


class _Classifier:
    """What dedupe asks for the probability of a pair."""

    def __init__(self, matcher: LearnedMatcher) -> None:
        self._matcher = matcher

    def predict_proba(self, distances: "np.ndarray") -> "np.ndarray":
        import numpy as np  # comes with dedupe

        scores = self._matcher.scores(self._matcher.readings.read(distances))
        return np.column_stack([1 - scores, scores])


class _Keys:
    """All keys of a matcher as one rule of dedupe's."""

    type = "Keys"
    __name__ = "(keys)"

    def __init__(self, matcher: LearnedMatcher) -> None:
        self._matcher = matcher

    def __iter__(self) -> Iterable["_Keys"]:
        yield self

    def __len__(self) -> int:
        return 1

    def __call__(self, record: Comparable, **_target: bool) -> frozenset[str]:
        return self._matcher.keys(record)


def _weights(document: Any) -> Weights:
    """Checks every number and name: what is wrong is said, not guessed at."""
    if not isinstance(document, dict):
        raise UnreadableModel("it is not a model")
    if document.get("format") != FORMAT:
        raise UnreadableModel(f"it is of format {document.get('format')!r}, not {FORMAT}")
    if document.keys() != {"format", "prior", "curves", "rules"}:
        raise UnreadableModel("its parts are not those of a model")
    curves, rules = document["curves"], document["rules"]
    if not isinstance(curves, dict):
        raise UnreadableModel("its curves are not by field")
    if not isinstance(rules, list) or not all(
        isinstance(rule, list) and rule and all(isinstance(name, str) for name in rule) for rule in rules
    ):
        raise UnreadableModel("its rules are not lists of names")
    return Weights(
        prior=_number(document["prior"], "prior"),
        curves={str(name): _curve(curve, str(name)) for name, curve in curves.items()},
        rules=tuple(tuple(rule) for rule in rules),
    )


def _curve(curve: Any, name: str) -> Curve:
    if not isinstance(curve, list) or not curve or not all(isinstance(p, list) and len(p) == 2 for p in curve):
        raise UnreadableModel(f"{name} has no curve")
    points = tuple((_number(likeness, name), _number(log_odds, name)) for likeness, log_odds in curve)
    for earlier, later in itertools.pairwise(points):
        if not (earlier[0] < later[0] and earlier[1] <= later[1]):
            raise UnreadableModel(f"the curve of {name} does not ascend")
    return points


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UnreadableModel(f"{name} is no number")
    return float(value)
