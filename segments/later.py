"""Mappings that cost a query only when somebody asks them: most definitions name no segment, list or source."""

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TypeVar

T = TypeVar("T")


class Later(Mapping[str, T]):
    """What `read` gives, read when something is first asked of it."""

    def __init__(self, read: Callable[[], Mapping[str, T]]) -> None:
        self._read = read

    @cached_property
    def _found(self) -> Mapping[str, T]:
        return self._read()

    def __getitem__(self, name: str) -> T:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)
