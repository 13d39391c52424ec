"""What the app that keeps touchpoints lends to the tracking plan, which may not import it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from cdp_site.core.access import Permission, may, scope_of
from cdp_site.core.errors import InternalError, Text
from cdp_site.core.models import User

LOOKED_AT = 300  # recent touchpoints that samples are taken from
SHOWN = 3  # distinct values of a property
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Recent:
    """What a stored touchpoint says; `lacks` names properties that are kept elsewhere."""

    properties: Mapping[str, Any]
    lacks: frozenset[str] = frozenset()


class Touchpoints(Protocol):
    """`hidden`: events that the user's department does not see. `labels`: event → its name in the reader's language.
    `recent`: the newest touchpoints of an event; `source_ids` None means of every source."""

    def hidden(self, user: User) -> frozenset[str]: ...

    def labels(self, events: Collection[str]) -> Mapping[str, Text]: ...

    def recent(self, event: str, *, source_ids: Collection[int] | None, limit: int) -> Iterator[Recent]: ...


class _Nothing:
    """While no app keeps touchpoints."""

    def hidden(self, user: User) -> frozenset[str]:
        return frozenset()

    def labels(self, events: Collection[str]) -> Mapping[str, Text]:
        return {}

    def recent(self, event: str, *, source_ids: Collection[int] | None, limit: int) -> Iterator[Recent]:
        return iter(())


_lent: list[Touchpoints] = []


def lend(touchpoints: Touchpoints) -> None:
    """Called once by the app that keeps touchpoints."""
    if _lent:
        raise InternalError("touchpoints are lent twice")
    _lent.append(touchpoints)


def touchpoints() -> Touchpoints:
    return _lent[0] if _lent else _Nothing()


def sees_values(user: User) -> bool:
    """Values of single customers are for roles that look at customers and see what identifies them."""
    return may(user, Permission.VIEW_CUSTOMERS) and may(user, Permission.SEE_IDENTIFIERS)


def values(event: str, *, by: User) -> Mapping[str, tuple[str, ...]]:
    """Property → up to SHOWN distinct values of recent touchpoints that the user may see; nothing of it is kept."""
    if not sees_values(by):
        return {}
    found: dict[str, dict[str, None]] = {}
    for recent in touchpoints().recent(event, source_ids=scope_of(by).source_ids, limit=LOOKED_AT):
        for name, value in _flat(recent.properties):
            texts = found.setdefault(name, {})
            if len(texts) < SHOWN and value is not None:
                texts[_text(value)] = None
    return {name: tuple(texts) for name, texts in found.items()}


def _flat(properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Values by property, as `observing` names them: one level into objects and lists."""
    for name, value in properties.items():
        if isinstance(value, dict):
            yield from _inner(f"{name}.", value)
        elif isinstance(value, list):
            for member in value:
                yield from _inner(f"{name}[].", member) if isinstance(member, dict) else [(name, member)]
        else:
            yield name, value


def _inner(prefix: str, holder: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((prefix + name, value) for name, value in holder.items() if not isinstance(value, dict | list))


def _text(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
