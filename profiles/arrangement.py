"""The customer's page as each member of staff has arranged it: the order of panels in a column, and which are folded.

Panels are those that apps have registered (`core.panels`) and the page's own.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from cdp_site.core import panels
from cdp_site.core.access import Permission
from cdp_site.core.errors import Text
from cdp_site.core.models import User
from cdp_site.core.panels import Column, Panel
from profiles.models import KindOfData, PanelPlace

COLUMNS: tuple[Column, ...] = ("left", "centre", "right")


def _own(key: str, title: Text, *, icon: str, order: int, url_name: str = "", column: Column = "left") -> Panel:
    return Panel(key, title, url_name, order, Permission.VIEW_CUSTOMERS, column=column, icon=icon, has_past=True)


# Those without an address come with the page itself.
OWN = (
    _own(KindOfData.IDENTITY, KindOfData.IDENTITY.label, icon="id", order=10),
    _own(KindOfData.DESCRIPTIVE, KindOfData.DESCRIPTIVE.label, icon="user", order=20),
    _own(KindOfData.BEHAVIOURAL, KindOfData.BEHAVIOURAL.label, icon="chart-bar", order=30),
    _own(KindOfData.QUALITATIVE, KindOfData.QUALITATIVE.label, icon="message-circle", order=40),
    _own("accounts", _("Acts for"), icon="building", order=50),
    _own("records", _("Merged records"), icon="stack-2", order=500, url_name="profiles:records"),
    _own("year", _("Twelve months"), icon="chart-bar", order=300, url_name="profiles:year", column="right"),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A panel where the user has it."""

    panel: Panel
    is_folded: bool


@dataclass(frozen=True, slots=True)
class Arrangement:
    left: list[Placed] = field(default_factory=list)
    centre: list[Placed] = field(default_factory=list)
    right: list[Placed] = field(default_factory=list)
    header: list[Panel] = field(default_factory=list)

    @property
    def panels(self) -> list[Panel]:
        return [*self.header, *(one.panel for column in (self.left, self.centre, self.right) for one in column)]


def panels_of(user: User) -> list[Panel]:
    """All that the user's role may open, as registered."""
    return sorted([*OWN, *panels.panels_for(user)], key=lambda panel: panel.order)


def of(user: User) -> Arrangement:
    """The user's page. One query."""
    places = {place.panel: place for place in PanelPlace.objects.filter(user=user)}
    found = Arrangement()
    for panel in panels_of(user):
        place = places.get(panel.key)
        if panel.column == "header":
            found.header.append(panel)
        else:
            getattr(found, panel.column).append(Placed(panel, bool(place and place.is_folded)))
    for column in COLUMNS:
        getattr(found, column).sort(key=lambda one: _position(places.get(one.panel.key)))
    return found


def _position(place: PanelPlace | None) -> int:
    """A panel that came later than the user's last move stands below those that were moved."""
    return place.position if place is not None and place.position is not None else PanelPlace.LAST


def fold(key: str, *, folded: bool, by: User) -> None:
    PanelPlace.objects.update_or_create(user=by, panel=key, defaults={"is_folded": folded})


@transaction.atomic
def move(key: str, *, step: int, by: User) -> None:
    """Up (-1) or down (1) in its column; at the end of it nothing happens."""
    arranged = of(by)
    for column in COLUMNS:
        keys = [one.panel.key for one in getattr(arranged, column)]
        if key in keys:
            place = keys.index(key)
            to = min(max(place + step, 0), len(keys) - 1)
            keys.insert(to, keys.pop(place))
            _remember(keys, by)


def reset(*, by: User) -> None:
    """As registered, everything open."""
    PanelPlace.objects.filter(user=by).delete()


def _remember(keys: Iterable[str], user: User) -> None:
    PanelPlace.objects.bulk_create(
        [PanelPlace(user=user, panel=key, position=position) for position, key in enumerate(keys)],
        update_conflicts=True,
        unique_fields=["user", "panel"],
        update_fields=["position"],
    )
