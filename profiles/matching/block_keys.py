"""Blocking keys of records: what two records must have in common to be compared at all.

A key is text ("phone:+6681…") and personal: the database holds 64 bits of a keyed hash of it, from which nobody learns
the text without the secret. Two keys of one hash cost one needless comparison.

Two locks keep twins away while several processes write. `hold` keeps a record's content, as far as its keys follow
from it, to one writer; `replace` then waits for whoever has written one of the same keys and not committed yet: the
later sees the earlier's record. Both are let go when the transaction ends. Lock order: see `profiles.digest`.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from django.db import connection

from cdp_site.core import hashing
from profiles.matching import keys

# Candidates of one record that are scored: the keys have to find .97 of the pairs across scripts among as many.
MOST_CANDIDATES = 10

# Buckets of locks: few enough for shared memory (see `profiles.intake`), many enough to seldom wait for a stranger.
_KEY_BUCKETS = 1024
_RECORD_BUCKETS = 256
_KEY_LOCK = 0xB10C
_RECORD_LOCK = 0xB10D

_LOCK = "SELECT pg_advisory_xact_lock(%s, bucket) FROM (SELECT unnest(%s::int[]) AS bucket ORDER BY 1 OFFSET 0) b"
_READ = """
SELECT b.record_id, b.key FROM unnest(%s::bigint[]) AS wanted(id) JOIN profiles_blockkey b ON b.record_id = wanted.id
"""
_DELETE = """
DELETE FROM profiles_blockkey b USING unnest(%s::bigint[], %s::bigint[]) AS gone(record_id, key)
 WHERE b.key = gone.key AND b.record_id = gone.record_id
"""
_INSERT = """
INSERT INTO profiles_blockkey (key, record_id)
SELECT key, record_id FROM unnest(%s::bigint[], %s::bigint[]) AS new(record_id, key) ORDER BY key, record_id
"""
_INSERT_WHAT_IS_NOT_THERE = f"{_INSERT} ON CONFLICT DO NOTHING"
# One probe of the index a key; of a block that is too large no more is read than it takes to know that.
_BLOCKS = """
SELECT asked.key, ARRAY(SELECT b.record_id FROM profiles_blockkey b WHERE b.key = asked.key LIMIT %s)
  FROM unnest(%s::bigint[]) AS asked(key)
"""


def hashed(key: str) -> int:
    """What is stored of a key."""
    return _hashed(key, hashing.current_key_id())


def hold(record_ids: Iterable[int]) -> None:
    """Wait for whoever writes keys of these records, and let nobody else until the transaction ends. Records born in
    this transaction need not be held."""
    _lock(_RECORD_LOCK, {record_id % _RECORD_BUCKETS for record_id in record_ids})


def replace(keys_of: Mapping[int, Collection[str]], *, born: Collection[int] = frozenset()) -> None:
    """Make these the keys of the records, which the caller holds (`hold`); keys that come or go are locked. Up to four
    statements; two for records `born` in this transaction."""
    wanted = {(record_id, hashed(key)) for record_id, of_record in keys_of.items() for key in of_record}
    older = [record_id for record_id in keys_of if record_id not in born]
    with connection.cursor() as cursor:
        stored: set[tuple[int, int]] = set()
        if older:
            cursor.execute(_READ, [older])
            stored = set(cursor.fetchall())
        _lock(_KEY_LOCK, {key % _KEY_BUCKETS for _record_id, key in wanted | stored})
        # Of newcomers none can be there, and an index is spared a second look for each.
        insert = _INSERT_WHAT_IS_NOT_THERE if older else _INSERT
        for statement, rows in ((_DELETE, stored - wanted), (insert, wanted - stored)):
            if rows:
                cursor.execute(statement, [list(column) for column in zip(*sorted(rows), strict=True)])


def candidates(
    keys_of: Mapping[int, Collection[str]],
    *,
    besides: Mapping[int, Collection[int]] | None = None,
    most: int = MOST_CANDIDATES,
) -> dict[int, list[tuple[int, float]]]:
    """Record → the records that share keys with it and their weights, heaviest first, at most `most`. One query.

    A key weighs as its rule says (`keys.weight`) and the more the fewer records share it; one that more than
    `keys.MOST_IN_BLOCK` share tells nobody apart and counts for nothing.

    Args:
        besides: record → records that are none of its candidates: its own profile's.
    """
    asked = {record_id: _asked(of_record) for record_id, of_record in keys_of.items()}
    blocks = _blocks({key for of_record in asked.values() for key in of_record})
    found = {}
    for record_id, of_record in asked.items():
        weights: dict[int, float] = defaultdict(float)
        for key, weight in of_record.items():
            for other in blocks.get(key, ()):
                weights[other] += weight * (1 + math.log(keys.MOST_IN_BLOCK / len(blocks[key])))
        for own in (record_id, *(besides or {}).get(record_id, ())):
            weights.pop(own, None)
        found[record_id] = sorted(weights.items(), key=lambda one: (-one[1], one[0]))[:most]
    return found


def _blocks(asked: Collection[int]) -> dict[int, Sequence[int]]:
    """Key → the records that have it, of keys that few enough have."""
    if not asked:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_BLOCKS, [keys.MOST_IN_BLOCK + 1, sorted(asked)])
        return {key: block for key, block in cursor.fetchall() if len(block) <= keys.MOST_IN_BLOCK}


def _asked(of_record: Iterable[str]) -> dict[int, float]:
    """The hashes by which records with these keys are found, also those of a secret that is being replaced; and how
    much each counts."""
    texts = list(of_record)
    return {_hashed(key, key_id): keys.weight(key) for key_id in hashing.key_ids() for key in texts}


def _lock(space: int, buckets: Collection[int]) -> None:
    if buckets:
        with connection.cursor() as cursor:
            cursor.execute(_LOCK, [space, sorted(buckets)])


def _hashed(key: str, key_id: str) -> int:
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8, key=_secret(key_id)).digest()
    return int.from_bytes(digest, signed=True)


@lru_cache(maxsize=8)
def _secret(key_id: str) -> bytes:
    return hashing.keyed("", purpose="block-key", key_id=key_id)
