"""How far a number from a sample may be from the truth. Pure."""

import math
from dataclasses import dataclass

Z95 = 1.959963985


@dataclass(frozen=True, slots=True)
class Range:
    """A number of people, and the bounds between which the true one lies in 95 of 100 samples."""

    value: int
    low: int
    high: int

    @property
    def is_exact(self) -> bool:
        return self.low == self.high

    @classmethod
    def exact(cls, value: int) -> "Range":
        return cls(value, value, value)


def wilson(hits: float, n: float) -> tuple[float, float]:
    """Bounds of the share that `hits` of `n` stand for, 95 %; also right for few hits and for none.

    Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927), as recommended by
    Brown, Cai and DasGupta, "Interval estimation for a binomial proportion", Statistical Science 16 (2001).
    """
    if n <= 0:
        return 0.0, 1.0
    share = hits / n
    denominator = 1 + Z95**2 / n
    centre = (share + Z95**2 / (2 * n)) / denominator
    half = Z95 * math.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2)) / denominator
    return max(0.0, centre - half), min(1.0, centre + half)


def of_sample(hits: int, n: int, everybody: int, *, part: float) -> Range:
    """How many of `everybody` there are when `hits` of `n` in a sample are.

    Args:
        part: the share of everybody that the sample holds. Who is in it is no longer uncertain, so that the bounds
            draw together as it grows, by the finite population correction (Cochran, "Sampling Techniques", 2.6).
    """
    if part >= 1:
        return Range.exact(hits)
    if not n:
        return Range(0, 0, everybody)
    low, high = wilson(hits, n)
    share, left = hits / n, math.sqrt(1 - part)
    return Range(
        value=round(share * everybody),
        low=max(hits, math.floor((share - (share - low) * left) * everybody)),
        high=min(everybody, math.ceil((share + (high - share) * left) * everybody)),
    )
