"""What a process remembers of the database, so that it need not ask again.

Only what is committed may be remembered, and nothing may be remembered about a database that is another now: tests
change theirs under the process and call `forget_all`.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from django.db import transaction

K = TypeVar("K")
V = TypeVar("V")

_memories: "WeakValueDictionary[int, Memory[Any, Any]]" = WeakValueDictionary()
_forgetting: list[Callable[[], None]] = []


class Memory(dict[K, V]):
    """A dict that lives as long as its process and is emptied by `forget_all`."""

    def __init__(self) -> None:
        super().__init__()
        _memories[id(self)] = self

    def remember(self, found: Mapping[K, V]) -> None:
        """Add these once the current transaction is committed: what is rolled back was never true."""
        transaction.on_commit(lambda: self.update(found))


def forgets(function: Callable[[], None]) -> Callable[[], None]:
    """For what is remembered in another form: the function empties it, and `forget_all` calls it."""
    _forgetting.append(function)
    return function


def forget_all() -> None:
    for memory in _memories.values():
        memory.clear()
    for forget in _forgetting:
        forget()
