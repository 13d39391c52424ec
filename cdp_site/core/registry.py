"""What apps add to the frame: each thing by its key, once, and of them those that a user's role may open."""

from typing import Generic, Protocol, TypeVar

from django.contrib.auth.models import AnonymousUser

from cdp_site.core.access import Permission, may
from cdp_site.core.models import User


class Addition(Protocol):
    """A frozen dataclass that an app registers."""

    @property
    def key(self) -> str: ...
    @property
    def order(self) -> int: ...
    @property
    def permission(self) -> Permission: ...


A = TypeVar("A", bound=Addition)


class Registry(Generic[A]):
    """`what` its additions are called when one comes twice."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._added: dict[str, A] = {}

    def register(self, *additions: A) -> None:
        """Raises ValueError for a key that is there already."""
        for one in additions:
            if one.key in self._added:
                raise ValueError(f"{self._what} {one.key!r} is registered twice")
            self._added[one.key] = one

    def open_to(self, user: User | AnonymousUser) -> list[A]:
        """Those that the user's role may open, in order; of the same order as they were registered."""
        return sorted((one for one in self._added.values() if may(user, one.permission)), key=lambda one: one.order)
