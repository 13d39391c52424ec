"""Pairs that a person may be asked about, among a pool of records. Pure: no Django."""

import hashlib
import itertools
import random
from array import array
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from profiles.matching.keys import MOST_IN_BLOCK, fixed_keys
from profiles.matching.matcher import Comparable

if TYPE_CHECKING:
    from dedupe.predicates import Predicate

Pair: TypeAlias = tuple[int, int]
"""Two record ids, the lower first."""

POOL_SIZE: Final = 1_200
_FROM_ONE_BLOCK: Final = 6  # records; a pool of ten families teaches less than one of a hundred
_PAIRED: Final = 0.9  # of a pool; the rest is drawn at random
_MOST_PER_RECORD: Final = 12  # pairs of a rule for blocking, for each record of the pool: more is no rule
_MOST_LOOSE: Final = 6_000  # pairs that only dedupe's rules find


@dataclass(frozen=True, slots=True)
class Pool:
    """Records to learn from.

    Attributes:
        records: their ids, ascending.
        share: how large a part of all pairs that meet by a key lies within the pool, above 0.
    """

    records: tuple[int, ...]
    share: float


def choose_pool(
    records: Iterable[tuple[int, Comparable]], *, size: int = POOL_SIZE, must: Collection[int] = (), seed: int = 0
) -> Pool:
    """Some hundred records that hold as many likely pairs as they can, out of any number that is read once.

    Args:
        must: records that are in it whatever else is: of the labels.
    """
    randomly = random.Random(seed)
    ids, hashes, owners = array("q"), array("q"), array("q")
    for record_id, record in records:
        ids.append(record_id)
        for key in fixed_keys(record):
            hashes.append(_hashed(key))
            owners.append(record_id)
    blocks = _sorted_blocks(hashes, owners)
    meeting = sum(len(block) * (len(block) - 1) // 2 for block in blocks)
    randomly.shuffle(blocks)
    chosen = set(must)
    for block in blocks:
        if len(chosen) >= size * _PAIRED:
            break
        chosen.update(block if len(block) <= _FROM_ONE_BLOCK else randomly.sample(block, _FROM_ONE_BLOCK))
    rest = [record_id for record_id in sorted(ids) if record_id not in chosen]
    chosen.update(randomly.sample(rest, min(len(rest), max(0, size - len(chosen)))))
    within = sum(n * (n - 1) // 2 for block in blocks if (n := sum(member in chosen for member in block)) > 1)
    return Pool(tuple(sorted(chosen)), within / meeting if within else 1.0)


def meeting(pool: Mapping[int, Comparable]) -> set[Pair]:
    """The pairs that share a fixed key."""
    return {
        pair
        for block in _blocks((key, record_id) for record_id, record in pool.items() for key in fixed_keys(record))
        for pair in itertools.combinations(block, 2)
    }


def covers(pool: Mapping[int, Comparable], predicates: Mapping[str, "Predicate"]) -> dict[str, frozenset[Pair]]:
    """The pairs that each rule lets meet; without the rules that let too many."""
    found = {name: covered_by(predicate, pool) for name, predicate in sorted(predicates.items())}
    return {name: covered for name, covered in found.items() if covered}


def loosely_meeting(covers: Mapping[str, frozenset[Pair]], *, besides: Collection[Pair], seed: int = 0) -> list[Pair]:
    """Pairs that only a rule finds which is not in use: the rarer the rule, the likelier they are among those drawn."""
    weights: dict[Pair, float] = defaultdict(float)
    for covered in covers.values():
        for pair in covered.difference(besides):
            weights[pair] += 1 / len(covered)
    ordered = sorted(weights)
    if len(ordered) <= _MOST_LOOSE:
        return ordered
    randomly = random.Random(seed)
    drawn = sorted(ordered, key=lambda pair: randomly.random() ** (1 / weights[pair]), reverse=True)
    return sorted(drawn[:_MOST_LOOSE])


def covered_by(predicate: "Predicate", pool: Mapping[int, Comparable]) -> frozenset[Pair]:
    """The pairs that a rule lets meet; none when these are too many for a rule."""
    blocks = list(_all_blocks((key, record_id) for record_id, record in pool.items() for key in predicate(record)))
    if sum(len(block) * (len(block) - 1) // 2 for block in blocks) > _MOST_PER_RECORD * len(pool):
        return frozenset()
    return frozenset(pair for block in blocks for pair in itertools.combinations(block, 2))


def strangers(pool: Mapping[int, Comparable], *, besides: Collection[Pair], number: int, seed: int = 0) -> list[Pair]:
    """Pairs drawn at random, without those that meet."""
    randomly = random.Random(seed)
    ids = sorted(pool)
    found: set[Pair] = set()
    if len(ids) > 1:
        for _try in range(2 * number):
            a, b = randomly.sample(ids, 2)
            pair = (min(a, b), max(a, b))
            if pair not in besides:
                found.add(pair)
            if len(found) == number:
                break
    return sorted(found)


def _hashed(key: str) -> int:
    """The same in every process, unlike Python's own: so that the same records give the same pool."""
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)


def _sorted_blocks(hashes: "array[int]", owners: "array[int]") -> list[list[int]]:
    """As `_blocks`, with 16 bytes a key of all records: only what meets is made a list."""
    import numpy as np  # comes with dedupe: only where something is learned

    key, owner = np.frombuffer(hashes, dtype="i8"), np.frombuffer(owners, dtype="i8")
    order = np.lexsort((owner, key))
    key, owner = key[order], owner[order]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.zeros(0, dtype=int)
    sizes = np.diff(np.append(starts, len(key)))
    kept = (sizes > 1) & (sizes <= MOST_IN_BLOCK)
    return [owner[start : start + size].tolist() for start, size in zip(starts[kept], sizes[kept], strict=True)]


def _blocks(keyed: Iterable[tuple[Hashable, int]]) -> list[list[int]]:
    """Those small enough to be looked at."""
    return [block for block in _all_blocks(keyed) if len(block) <= MOST_IN_BLOCK]


def _all_blocks(keyed: Iterable[tuple[Hashable, int]]) -> Iterator[list[int]]:
    """Records that share a key, two or more."""
    owners: dict[Hashable, list[int]] = defaultdict(list)
    for key, record_id in keyed:
        owners[key].append(record_id)
    return (sorted(block) for block in owners.values() if len(block) > 1)
