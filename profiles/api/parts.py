"""Parts of a customer's answer that upper apps add: consents, segments. The profiles app need not know them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from cdp_site.core.models import User
from profiles.models import Profile

Read = Callable[[Profile, User], Any]


@dataclass(frozen=True)
class Part:
    """`read` answers with JSON that `shape` describes; what the user may not see is absent from it."""

    name: str
    shape: "serializers.BaseSerializer[Any] | serializers.Field[Any, Any, Any, Any]"
    read: Read


_parts: dict[str, Part] = {}


def register(*parts: Part) -> None:
    """Before the addresses are loaded (AppConfig.ready). Raises ValueError for a name that is there already."""
    for part in parts:
        if part.name in _parts:
            raise ValueError(f"part {part.name!r} of the customer's answer is registered twice")
        _parts[part.name] = part


def known() -> tuple[Part, ...]:
    """In the order in which they were registered: of the lower app first."""
    return tuple(_parts.values())
