"""Links at touchpoints of a timeline: upper apps add theirs here, so that profiles need not know them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cdp_site.core.access import Permission
from cdp_site.core.errors import Text
from cdp_site.core.models import User
from cdp_site.core.registry import Registry


@dataclass(frozen=True)
class TimelineLink:
    """`url_name` is reversed with the profile's public id and the touchpoint's id and answers with a dialog. `applies`
    takes the name of the touchpoint's type, the kind of its source and its properties."""

    key: str
    title: Text
    url_name: str
    icon: str  # name in static/vendor/icons/sprite.svg
    permission: Permission
    applies: Callable[[str, str, Mapping[str, Any]], bool]
    order: int = 0


_links = Registry[TimelineLink]("timeline link")
register = _links.register


def links_at(touchpoint: Any, user: User) -> list[TimelineLink]:
    """The links that this user gets at a touchpoint, which comes with its type and source."""
    told = (touchpoint.type.name, touchpoint.source.kind, touchpoint.properties)
    return [link for link in _links.open_to(user) if link.applies(*told)]
