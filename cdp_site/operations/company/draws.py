"""Deterministic draws: everything random in the sample company comes through here.

Each person has generators of their own, seeded from (seed, person, purpose). So
person 70,000 can be made without the 69,999 before it, and a company of 100,000
people starts with the same people as one of 5,000.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")

#: Primes above the sizes a company may have; the smallest one above the size keeps codes short.
_MODULI = (1_000_003, 10_000_019, 100_000_007)

#: Thai mobile numbers are 06, 08 or 09 and eight digits, without 069: 2.9·10⁸ of them. The prime below that makes
#: the map from people to numbers one to one.
_PHONE_MODULUS = 289_999_999
_NUMBERS_IN_06 = 90_000_000


def generator(seed: int, person: int, purpose: int) -> Random:
    """Return the generator of one person for one purpose (below 16); the same three numbers give the same draws."""
    return Random((seed << 48) + (person << 4) + purpose)


def pick(rng: Random, values: Sequence[T]) -> T:
    """Return one of the values, each as likely (several times faster than ``Random.choice``)."""
    return values[int(rng.random() * len(values))]


def pick_skewed(rng: Random, values: Sequence[T]) -> T:
    """Return one of the values, the first ones much likelier: a variant that most use and others that few use."""
    return values[int(rng.random() ** 2.2 * len(values))]


def pick_by_total(rng: Random, values: Sequence[T], totals: Sequence[int]) -> T:
    """Return one of the values, weighted; ``totals`` are the running totals of the weights."""
    return values[bisect(totals, rng.random() * totals[-1])]


class Weighted(Generic[T]):
    """Values with weights, for many draws from the same table."""

    __slots__ = ("_totals", "_values")

    def __init__(self, *pairs: tuple[T, int]) -> None:
        self._values = tuple(value for value, _ in pairs)
        self._totals = tuple(accumulate(weight for _, weight in pairs))

    def draw(self, rng: Random) -> T:
        """Return one value by weight."""
        return pick_by_total(rng, self._values, self._totals)


def scramble(number: int, salt: int, modulus: int = _MODULI[0]) -> int:
    """Return a one-to-one image of ``number`` below ``modulus``, so that codes do not betray who is who."""
    return (number * 386_117 + salt * 7_919 + 104_729) % modulus


def modulus_for(size: int) -> int:
    """Return the modulus for the codes of a company of ``size`` people.

    Raises:
        ValueError: the company would be larger than the codes allow.
    """
    for modulus in _MODULI:
        if size < modulus // 2:  # a person may have two records of one kind: numbers run up to 2 × size
            return modulus
    raise ValueError(f"At most {_MODULI[-1] // 2:,} people can be generated.")


def ticket_id(person: int, call: int, width: int) -> str:
    """Return the call centre's id of a person's call (0 to 9); ids do not betray who calls twice."""
    return f"T{(person * 10 + call) * 7_368_787 % 10**width:0{width}d}"


def mobile_number(number: int) -> str:
    """Return a Thai mobile number in national form (ten digits), a different one for every ``number``."""
    image = (number * 87_178_291 + 31_415_927) % _PHONE_MODULUS
    if image < _NUMBERS_IN_06:
        return f"06{image:08d}"
    branch, rest = divmod(image - _NUMBERS_IN_06, 100_000_000)
    return f"{('08', '09')[branch]}{rest:08d}"


def hexadecimal(rng: Random, digits: int) -> str:
    """Return that many random hexadecimal digits."""
    return f"{rng.getrandbits(4 * digits):0{digits}x}"


def uuid_text(rng: Random) -> str:
    """Return a random version-4 UUID as text (formatted by hand: five times faster than ``uuid.UUID``)."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
