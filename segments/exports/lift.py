"""What a list brought: the rate of those who got it less the rate of those held out. Pure."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from segments.intervals import wilson

FEWEST: Final = 10
"""People in a group below which nothing is said: their outcomes would be theirs alone."""
_MISMATCH: Final = 10.828
"""Chi-square of one degree of freedom at p = .001: two groups so far from the shares that were drawn are broken, and
what is measured on them means nothing (Fabijan and others, "Diagnosing Sample Ratio Mismatch", KDD 2019)."""
_SURE: Final = 1.959964 + 0.841621  # 95 % confidence and 80 % power, both of the normal distribution


class Verdict(StrEnum):
    MORE = "more"  # the list brought something
    LESS = "less"  # it did harm
    NOT_PROVEN = "not_proven"  # the interval has 0 in it
    TOO_FEW = "too_few"
    BROKEN = "broken"  # the groups are not those that were drawn


@dataclass(frozen=True, slots=True)
class Group:
    """`hits` of `n` people did what was hoped for."""

    n: int
    hits: int

    @property
    def rate(self) -> float:
        return self.hits / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds of the rate, 95 %."""
        return wilson(self.hits, self.n)


@dataclass(frozen=True, slots=True)
class Lift:
    """The difference of the rates with the bounds between which it lies, 95 %: of those listed less those held out."""

    listed: Group
    held_out: Group
    difference: float
    low: float
    high: float
    verdict: Verdict

    @property
    def brought(self) -> tuple[int, int]:
        """How many people of the list did it because of it: the least and the most."""
        return round(self.low * self.listed.n), round(self.high * self.listed.n)


def compare(listed: Group, held_out: Group, *, percent: int) -> Lift:
    """By intent to treat: everybody counts in the group that was drawn, whatever became of their message.

    Args:
        percent: the share that was to be held out.
    """
    low, high = newcombe(listed, held_out)
    if min(listed.n, held_out.n) < FEWEST:
        verdict = Verdict.TOO_FEW
    elif is_mismatched(listed.n, held_out.n, percent):
        verdict = Verdict.BROKEN
    elif low > 0:
        verdict = Verdict.MORE
    else:
        verdict = Verdict.LESS if high < 0 else Verdict.NOT_PROVEN
    return Lift(listed, held_out, listed.rate - held_out.rate, low, high, verdict)


def newcombe(one: Group, other: Group) -> tuple[float, float]:
    """Bounds of the difference of two independent rates, 95 %: Wilson's bounds of each, put together.

    Method 10 of Newcombe, "Interval estimation for the difference between independent proportions: comparison of
    eleven methods", Statistics in Medicine 17 (1998), 873–890. Right for rates near 0 and for small groups, too, where
    the usual interval is far too narrow.
    """
    difference = one.rate - other.rate
    (low_1, high_1), (low_2, high_2) = one.interval, other.interval
    below = math.hypot(one.rate - low_1, high_2 - other.rate)
    above = math.hypot(high_1 - one.rate, other.rate - low_2)
    return max(-1.0, difference - below), min(1.0, difference + above)


def is_mismatched(listed: int, held_out: int, percent: int) -> bool:
    """Whether the groups are further from the drawn shares than chance explains one time in a thousand."""
    everybody, share = listed + held_out, percent / 100
    if not everybody or not 0 < share < 1:
        return False
    pairs = ((listed, everybody * (1 - share)), (held_out, everybody * share))
    return sum((seen - expected) ** 2 / expected for seen, expected in pairs) > _MISMATCH


def smallest_provable(listed: int, held_out: int, rate: float) -> float | None:
    """The least difference of rates that groups of these sizes would show four times of five; None without groups.

    Args:
        rate: how many do it anyway.
    """
    if not listed or not held_out:
        return None
    return _SURE * math.sqrt(rate * (1 - rate) * (1 / listed + 1 / held_out))
