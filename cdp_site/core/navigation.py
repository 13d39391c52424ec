"""Entries of the side navigation: each app adds its own; a user sees those that the role may open."""

from dataclasses import dataclass

from cdp_site.core.access import Permission, may
from cdp_site.core.errors import Text
from cdp_site.core.models import User


@dataclass(frozen=True)
class NavEntry:
    key: str
    title: Text
    url_name: str
    icon: str  # name in static/icons.svg
    order: int
    permission: Permission


_entries: dict[str, NavEntry] = {}


def register(entry: NavEntry) -> None:
    if entry.key in _entries:
        raise ValueError(f"navigation entry {entry.key!r} is registered twice")
    _entries[entry.key] = entry


def entries_for(user: User) -> list[NavEntry]:
    return sorted((entry for entry in _entries.values() if may(user, entry.permission)), key=lambda entry: entry.order)
