"""Entries of the side navigation: each app adds its own; a user sees those that the role may open."""

from dataclasses import dataclass, replace

from cdp_site.core.access import Permission, may
from cdp_site.core.errors import Text
from cdp_site.core.models import User
from cdp_site.core.registry import Registry


@dataclass(frozen=True)
class NavEntry:
    """`badge_url_name`, where there is one, answers with a small count, or nothing; loaded by hx-get."""

    key: str
    title: Text
    url_name: str
    icon: str  # name in static/icons.svg
    order: int
    permission: Permission
    badge_url_name: str = ""
    badge_permission: Permission | None = None


_entries = Registry[NavEntry]("navigation entry")
register = _entries.register


def _without_badge_unless_permitted(entry: NavEntry, user: User) -> NavEntry:
    is_seen = entry.badge_permission is None or may(user, entry.badge_permission)
    return entry if is_seen else replace(entry, badge_url_name="")


def entries_for(user: User) -> list[NavEntry]:
    """Entries that the user's role may open, in order."""
    return [_without_badge_unless_permitted(entry, user) for entry in _entries.open_to(user)]
