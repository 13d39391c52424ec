"""Which records share a blocking key, of all at once: in arrays, 16 bytes a key, instead of a join of tables."""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from profiles.matching.block_keys import MOST_CANDIDATES
from profiles.matching.keys import MOST_IN_BLOCK

if TYPE_CHECKING:
    import numpy as np

_KEYS = "COPY (SELECT key, record_id FROM profiles_blockkey) TO STDOUT (FORMAT binary)"
_OWNERS = """
COPY (SELECT m.record_id, m.profile_id FROM profiles_membership m WHERE m.valid_to IS NULL) TO STDOUT (FORMAT binary)
"""
# A binary COPY: a header of 19 bytes, then per row the number of columns and for each its length and value.
_HEADER: Final = 19
_MET_AT_ONCE: Final = 500_000  # records that meet in blocks, of one step: some tens of megabytes
_ROW: Final = [("columns", ">i2"), ("_a", ">i4"), ("first", ">i8"), ("_b", ">i4"), ("second", ">i8")]


@dataclass(frozen=True)
class Portion:
    """Pairs of records; `last`: the record behind which another run may go on, `looked_at`: how many lie before it."""

    last: int
    looked_at: int
    a: "np.ndarray"
    b: "np.ndarray"


class Blocks:
    """All keys of all records that have any.

    Args:
        keys, owners: parallel: a record (owner) has a key, as 64 bits of it.
    """

    def __init__(self, keys: "np.ndarray", owners: "np.ndarray") -> None:
        import numpy as np  # with dedupe's other parts only where something is matched

        self.records, owners = np.unique(owners, return_inverse=True)
        order = np.lexsort((owners, keys))
        keys, owners = keys[order], owners[order]
        starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else np.array([], int)
        sizes = np.diff(np.append(starts, len(keys)))
        starts, sizes = np.repeat(starts, sizes), np.repeat(sizes, sizes)
        # Records all of whose keys are shared by too many: nobody is compared with them.
        self.drowned = len(self.records) - len(np.unique(owners[sizes <= MOST_IN_BLOCK]))
        self._owners = owners
        telling = np.flatnonzero((sizes > 1) & (sizes <= MOST_IN_BLOCK))
        self._places = telling[np.argsort(owners[telling], kind="stable")]
        self._starts, self._sizes = starts[self._places], sizes[self._places]

    def portions(self, *, after: int, at_once: int) -> Iterator[Portion]:
        """Each two records of which one is among the other's likeliest candidates and that are not one customer yet,
        once; the lower id first, and in its order.

        Args:
            after: only pairs whose lower id is beyond this one.
            at_once: pairs of a portion, about; of one record they are never parted.
        """
        import numpy as np  # see above

        codes = self._pairs()
        a, b = np.divmod(codes, max(1, len(self.records)))
        place = begin = int(np.searchsorted(self.records, after, side="right"))
        begin = int(np.searchsorted(a, place))
        while begin < len(codes):
            last = a[min(begin + at_once, len(codes)) - 1]
            end = int(np.searchsorted(a, last, side="right"))
            looked_at, place = int(last) + 1 - place, int(last) + 1
            yield Portion(int(self.records[last]), looked_at, self.records[a[begin:end]], self.records[b[begin:end]])
            begin = end

    def _pairs(self) -> "np.ndarray":
        """Every pair as one number: the places of its two records. Of each record the candidates that share most with
        it, as `block_keys.candidates` weighs them."""
        import numpy as np  # see above

        profile_of = self._profiles()
        number = len(self.records)
        bounds = np.searchsorted(self._owners[self._places], np.arange(number + 1))
        reached = np.concatenate(([0], np.cumsum(self._sizes)))[bounds]
        found = [np.array([], dtype=np.int64)]
        begin = 0
        while begin < number:
            end = max(begin + 1, int(np.searchsorted(reached, reached[begin] + _MET_AT_ONCE, side="right")) - 1)
            some = slice(bounds[begin], bounds[end])
            begin = end
            sizes = self._sizes[some]
            within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            a = np.repeat(self._owners[self._places[some]], sizes)
            b = self._owners[np.repeat(self._starts[some], sizes) + within]
            weights = np.repeat(1.0 + np.log(MOST_IN_BLOCK / sizes), sizes)
            apart = profile_of[a] != profile_of[b]
            pairs, places = np.unique(a[apart] * number + b[apart], return_inverse=True)
            a, b = np.divmod(pairs, number)
            order = np.lexsort((b, -np.bincount(places, weights[apart], minlength=len(pairs)), a))
            a, b = a[order], b[order]
            likeliest = np.arange(len(a)) - np.searchsorted(a, a) < MOST_CANDIDATES
            found.append((np.minimum(a, b) * number + np.maximum(a, b))[likeliest])
        return np.unique(np.concatenate(found))

    def _profiles(self) -> "np.ndarray":
        """The profile of each record, 0 for one that is gone: nothing is compared with it."""
        import numpy as np  # see above

        numbers, profiles = _copied(_OWNERS)
        order = np.argsort(numbers)
        numbers, profiles = np.append(numbers[order], -1), np.append(profiles[order], 0)
        places = np.searchsorted(numbers[:-1], self.records)
        return np.where(numbers[places] == self.records, profiles[places], 0)


class Collector:
    """Keys of records that stand in no table: of a model that is tried."""

    def __init__(self) -> None:
        self._keys = array("q")
        self._owners = array("q")

    def add(self, keys_of: Mapping[int, frozenset[str]]) -> None:
        for number, keys in keys_of.items():
            self._keys.extend(map(hash, keys))  # 64 bits that mean something in this process alone
            self._owners.extend([number] * len(keys))

    def blocks(self) -> Blocks:
        import numpy as np  # see above

        return Blocks(np.frombuffer(self._keys, dtype=np.int64), np.frombuffer(self._owners, dtype=np.int64))


def stored() -> Blocks:
    """Those of the model in use, as the table has them."""
    return Blocks(*_copied(_KEYS))


def _copied(statement: str) -> tuple[Any, Any]:
    """Two columns of a table."""
    import numpy as np  # see above

    data = bytearray()
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for block in copy:
            data += block
    rows = np.frombuffer(data, dtype=_ROW, offset=_HEADER, count=(len(data) - _HEADER) // np.dtype(_ROW).itemsize)
    return rows["first"].astype(np.int64), rows["second"].astype(np.int64)
