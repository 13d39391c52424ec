"""What the segments app adds to the frame: navigation, a panel of the start page, a panel of the customer's page."""

from django.utils.translation import gettext_lazy as _

from cdp_site.core import home, navigation, panels
from cdp_site.core.access import Permission


def register() -> None:
    navigation.register(
        navigation.NavEntry(
            key="segments",
            title=_("Segments"),
            url_name="segments:segments",
            icon="users-group",
            order=200,
            permission=Permission.VIEW_SEGMENTS,
        )
    )
    home.register(
        home.HomePanel(
            key="segments",
            title=_("Segments changed last"),
            url_name="segments:recent",
            icon="users-group",
            order=200,
            permission=Permission.VIEW_SEGMENTS,
        )
    )
    panels.register(
        panels.Panel(
            key="segments",
            title=_("Segments"),
            url_name="segments:of_profile",
            order=200,
            permission=Permission.VIEW_CUSTOMERS,
        )
    )
