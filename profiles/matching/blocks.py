"""Which records share a blocking key, of all at once: in arrays, 16 bytes a key, instead of a join of tables."""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import connection

from profiles.matching.keys import MOST_IN_BLOCK

if TYPE_CHECKING:
    import numpy as np

_KEYS = "COPY (SELECT key, record_id FROM profiles_blockkey) TO STDOUT (FORMAT binary)"
_OWNERS = """
COPY (SELECT m.record_id, m.profile_id FROM profiles_membership m WHERE m.valid_to IS NULL) TO STDOUT (FORMAT binary)
"""
# A binary COPY: a header of 19 bytes, then per row the number of columns and for each its length and value.
_HEADER: Final = 19
_ROW: Final = [("columns", ">i2"), ("_a", ">i4"), ("first", ">i8"), ("_b", ">i4"), ("second", ">i8")]


@dataclass(frozen=True)
class Portion:
    """Pairs of records, and the last record whose pairs they are: where another run may go on."""

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

        self.records = np.unique(owners)
        order = np.lexsort((owners, keys))
        keys, owners = keys[order], owners[order]
        starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else np.array([], int)
        sizes = np.diff(np.append(starts, len(keys)))
        telling = np.repeat((sizes > 1) & (sizes <= MOST_IN_BLOCK), sizes)
        alone = np.repeat(sizes == 1, sizes)
        # Records all of whose keys are shared by too many: nobody is compared with them.
        self.drowned = len(self.records) - len(np.unique(owners[telling | alone]))
        place_in_block = np.arange(len(keys)) - np.repeat(starts, sizes)
        followers = np.repeat(sizes, sizes) - place_in_block - 1
        self._owners = owners[telling]
        self._followers = followers[telling]
        self._by_owner = np.argsort(self._owners, kind="stable")

    def portions(self, *, after: int, at_once: int) -> Iterator[Portion]:
        """Each two records that share a key and are not one customer yet, once; the lower id first, and by it.

        Args:
            after: only pairs whose lower id is beyond this one.
            at_once: pairs of a portion, about; of one record they are never parted.
        """
        import numpy as np  # see above

        profile_of = self._profiles()
        owners = self._owners[self._by_owner]
        begin = int(np.searchsorted(self.records, after, side="right"))
        ends = np.searchsorted(owners, self.records, side="right")
        totals = np.concatenate(([0], np.cumsum(self._followers[self._by_owner])))[ends]
        while begin < len(self.records):
            before = totals[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(totals, before + at_once, side="right")))
            first = ends[begin - 1] if begin else 0
            places = self._by_owner[first : ends[end - 1]]
            counts = self._followers[places]
            a = np.repeat(self._owners[places], counts)
            within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
            b = self._owners[np.repeat(places, counts) + 1 + within]
            pairs = np.unique(np.column_stack((a, b)), axis=0)
            of_a, of_b = (profile_of[np.searchsorted(self.records, pairs[:, side])] for side in (0, 1))
            pairs = pairs[of_a != of_b]
            yield Portion(int(self.records[end - 1]), end - begin, pairs[:, 0], pairs[:, 1])
            begin = end

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
