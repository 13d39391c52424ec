"""Panels of the profile page: upper apps add theirs here, so that profiles need not know them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from cdp_site.core.access import Permission
from cdp_site.core.errors import Text
from cdp_site.core.registry import Registry

Column = Literal["header", "left", "centre", "right"]


@dataclass(frozen=True)
class Panel:
    """`url_name` is reversed with the profile's public id and loaded by hx-get. `stylesheet` is a static file that the
    page loads before the panel comes: a panel that brought its own would show unstyled first. `column` is where the
    panel stands on a wide screen: left who the customer is, centre what happened, right what may and should be done;
    one in the header has no frame and no title. `has_past`: it reads `as_of` from its address (`profiles.past`) and
    shows that day; others are absent from the page of an earlier day."""

    key: str
    title: Text
    url_name: str
    order: int
    permission: Permission
    stylesheet: str = ""
    column: Column = "right"
    icon: str = ""
    has_past: bool = False


_panels = Registry[Panel]("panel")
register, panels_for = _panels.register, _panels.open_to


def stylesheets(panels: Iterable[Panel]) -> list[str]:
    """The stylesheets of panels, each once."""
    return list(dict.fromkeys(panel.stylesheet for panel in panels if panel.stylesheet))
