"""What the segments app adds to the frame: navigation, the start page, the palette, panels of the customer's page and
links at its touchpoints."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from cdp_site.core import home, navigation, palette, panels, timeline_links
from cdp_site.core.access import Permission
from cdp_site.core.home import HomePanel
from cdp_site.core.navigation import NavEntry
from cdp_site.core.palette import Action, Section
from cdp_site.core.panels import Panel
from cdp_site.core.timeline_links import TimelineLink
from segments import finding, sent


def register() -> None:
    # key, title, address, icon, order, permission
    navigation.register(
        NavEntry("segments", _("Segments"), "segments:segments", "users-group", 200, Permission.VIEW_SEGMENTS)
    )
    home.register(
        HomePanel(
            "segments", _("Segments changed last"), "segments:recent", "users-group", 200, Permission.VIEW_SEGMENTS
        )
    )
    palette.register(Section("segments", _("Segments"), 200, Permission.VIEW_SEGMENTS, finding.for_palette))
    palette.register_actions(
        Action(
            "new_segment", _("New segment"), "segments:create", "users-group", Permission.BUILD_SEGMENTS, "audience"
        ),
        Action("traits", _("Computed traits"), "segments:traits", "hash", Permission.VIEW_SEGMENTS, "attribute"),
    )
    # key, title, address, order, permission
    panels.register(
        Panel(
            "script",
            _("What to say"),
            "segments:script_of_profile",
            60,
            Permission.VIEW_CUSTOMERS,
            "css/scripts.css",
            icon="headset",
        ),
        Panel(
            "computed",
            pgettext_lazy("traits", "Computed"),
            "segments:computed_of_profile",
            50,
            Permission.VIEW_CUSTOMERS,
            "css/computed.css",
            column="left",
            icon="hash",
        ),
        Panel(
            "segments",
            _("Segments"),
            "segments:of_profile",
            200,
            Permission.VIEW_CUSTOMERS,
            "css/library.css",
            icon="users-group",
            has_past=True,
        ),
    )
    timeline_links.register(
        TimelineLink(
            key="sent",
            title=_("Why did you send me this?"),
            url_name="segments:sent",
            icon="help",
            permission=Permission.VIEW_CUSTOMERS,
            applies=lambda event, source_kind, said: sent.channel_of(event, source_kind, said) is not None,
        )
    )
