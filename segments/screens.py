"""What the segments app adds to the frame: navigation, a panel of the start page, a panel of the customer's page."""

from django.utils.translation import gettext_lazy as _

from cdp_site.core import home, navigation, palette, panels, timeline_links
from cdp_site.core.access import Permission
from segments import finding, sent


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
    palette.register(palette.Section("segments", _("Segments"), 200, Permission.VIEW_SEGMENTS, finding.for_palette))
    palette.register_action(
        palette.Action(
            "new_segment", _("New segment"), "segments:create", "users-group", Permission.BUILD_SEGMENTS, "audience"
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
            key="script",
            title=_("What to say"),
            url_name="segments:script_of_profile",
            order=60,
            permission=Permission.VIEW_CUSTOMERS,
            stylesheet="css/scripts.css",
            icon="headset",
        )
    )
    timeline_links.register(
        timeline_links.TimelineLink(
            key="sent",
            title=_("Why did you send me this?"),
            url_name="segments:sent",
            icon="help",
            permission=Permission.VIEW_CUSTOMERS,
            applies=lambda event, source_kind, said: sent.channel_of(event, source_kind, said) is not None,
        )
    )
    panels.register(
        panels.Panel(
            key="segments",
            title=_("Segments"),
            url_name="segments:of_profile",
            order=200,
            permission=Permission.VIEW_CUSTOMERS,
            icon="users-group",
            has_past=True,
        )
    )
