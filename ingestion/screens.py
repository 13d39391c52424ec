"""What the ingestion app adds to the frame: navigation, the start page, the palette."""

from django.utils.translation import gettext_lazy as _

from cdp_site.core import home, navigation, palette
from cdp_site.core.access import Permission
from cdp_site.core.home import HomePanel
from cdp_site.core.navigation import NavEntry
from cdp_site.core.palette import Action


def register() -> None:
    # key, title, address, icon, order, permission
    navigation.register(
        NavEntry(
            "sources",
            _("Sources"),
            "ingestion:sources",
            "database",
            400,
            Permission.VIEW_SOURCES,
            badge_url_name="ingestion:alert_count",
            badge_permission=Permission.MANAGE_SOURCES,
        ),
        NavEntry("imports", _("Imports"), "ingestion:imports", "file-import", 410, Permission.IMPORT_FILES),
        NavEntry("plan", _("Tracking plan"), "ingestion:plan", "list-check", 415, Permission.VIEW_SOURCES),
        NavEntry("quarantine", _("Quarantine"), "ingestion:quarantine", "alert-triangle", 420, Permission.VIEW_SOURCES),
    )
    home.register(
        HomePanel(
            "alerts",
            _("Sources that need somebody"),
            "ingestion:alerts_on_home",
            "bell",
            400,
            Permission.MANAGE_SOURCES,
        )
    )
    palette.register_actions(
        Action(
            "import", _("Import a file"), "ingestion:new_import", "file-import", Permission.IMPORT_FILES, "csv xlsx"
        ),
        Action("new_source", _("New source"), "ingestion:new_source", "database", Permission.MANAGE_SOURCES),
    )
