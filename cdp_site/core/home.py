"""Panels of the start page: each app shows what waits for a role, without core knowing the app."""

from dataclasses import dataclass

from cdp_site.core.access import Permission
from cdp_site.core.errors import Text
from cdp_site.core.registry import Registry


@dataclass(frozen=True)
class HomePanel:
    """`url_name` takes no arguments and answers with a fragment; it is loaded by hx-get."""

    key: str
    title: Text
    url_name: str
    icon: str  # id in static/vendor/icons/sprite.svg
    order: int
    permission: Permission


_panels = Registry[HomePanel]("home panel")
register, panels_for = _panels.register, _panels.open_to
