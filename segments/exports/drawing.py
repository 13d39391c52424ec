"""Who of a list is held out: by lot, the same lot whenever it is drawn. Pure."""

from hashlib import blake2b
from typing import Final
from uuid import UUID

_WHOLE: Final = 2**64


def is_held_out(export: UUID, person: UUID, percent: int) -> bool:
    """Whether the lot keeps the person from the list.

    A keyed hash of the person under the list's id, as a number between 0 and 1, is below the share: each list draws
    anew, what was drawn once stays, and nothing of the person decides it.

    Args:
        person: the public id, which stays when profiles are computed again.
    """
    lot = int.from_bytes(blake2b(person.bytes, digest_size=8, key=export.bytes).digest())
    return lot * 100 < percent * _WHOLE
