"""What a model of matching answers: keys by which records meet, a score for two of them, and why. Pure: no Django."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

Comparable: TypeAlias = Mapping[str, Any]
"""A record as it is compared: field → hashable value, a tuple where there may be several; None when it is not known."""


class FieldEvidence(NamedTuple):
    """What a field adds: log-odds, above zero for one person, below for two."""

    field: str
    weight: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why two records score as they do: the sum of the prior and of what the fields add, as a probability.

    Attributes:
        prior: log-odds before any field is looked at.
        fields: in the order in which they are shown; a field that one of the records lacks is not in it.
    """

    prior: float
    fields: tuple[FieldEvidence, ...]

    @property
    def score(self) -> float:
        """0–1."""
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, self.prior + sum(one.weight for one in self.fields)))))


class Matcher(Protocol):
    """A model in use; `profiles.matching.learned` is one."""

    def keys(self, record: Comparable) -> frozenset[str]:
        """The blocking keys: records that share one are compared."""
        ...

    def score(self, pairs: Sequence[tuple[Comparable, Comparable]]) -> Sequence[float]:
        """0–1 for each pair: how likely they are one person. Symmetric."""
        ...

    def explain(self, a: Comparable, b: Comparable) -> Explanation:
        """Why; its score is that of `score`."""
        ...
