"""Panels of the start page: each app shows what waits for a role, without core knowing the app."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser

from cdp_site.core.access import Permission, may
from cdp_site.core.errors import Text
from cdp_site.core.models import User


@dataclass(frozen=True)
class HomePanel:
    """`url_name` takes no arguments and answers with a fragment; it is loaded by hx-get."""

    key: str
    title: Text
    url_name: str
    icon: str  # id in static/vendor/icons/sprite.svg
    order: int
    permission: Permission


_panels: dict[str, HomePanel] = {}


def register(panel: HomePanel) -> None:
    if panel.key in _panels:
        raise ValueError(f"home panel {panel.key!r} is registered twice")
    _panels[panel.key] = panel


def panels_for(user: User | AnonymousUser) -> list[HomePanel]:
    """Panels that the user's role may open, in order."""
    return sorted((panel for panel in _panels.values() if may(user, panel.permission)), key=lambda panel: panel.order)
