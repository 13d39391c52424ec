"""What the ingestion app adds to the frame: its entries of the navigation."""

from django.utils.translation import gettext_lazy as _

from cdp_site.core import home, navigation, palette
from cdp_site.core.access import Permission


def register() -> None:
    navigation.register(
        navigation.NavEntry(
            key="sources",
            title=_("Sources"),
            url_name="ingestion:sources",
            icon="database",
            order=400,
            permission=Permission.VIEW_SOURCES,
            badge_url_name="ingestion:alert_count",
            badge_permission=Permission.MANAGE_SOURCES,
        )
    )
    navigation.register(
        navigation.NavEntry(
            key="imports",
            title=_("Imports"),
            url_name="ingestion:imports",
            icon="file-import",
            order=410,
            permission=Permission.IMPORT_FILES,
        )
    )
    navigation.register(
        navigation.NavEntry(
            key="plan",
            title=_("Tracking plan"),
            url_name="ingestion:plan",
            icon="list-check",
            order=415,
            permission=Permission.VIEW_SOURCES,
        )
    )
    navigation.register(
        navigation.NavEntry(
            key="quarantine",
            title=_("Quarantine"),
            url_name="ingestion:quarantine",
            icon="alert-triangle",
            order=420,
            permission=Permission.VIEW_SOURCES,
        )
    )
    palette.register_action(
        palette.Action(
            "import", _("Import a file"), "ingestion:new_import", "file-import", Permission.IMPORT_FILES, "csv xlsx"
        )
    )
    palette.register_action(
        palette.Action("new_source", _("New source"), "ingestion:new_source", "database", Permission.MANAGE_SOURCES)
    )
    home.register(
        home.HomePanel(
            key="alerts",
            title=_("Sources that need somebody"),
            url_name="ingestion:alerts_on_home",
            icon="bell",
            order=400,
            permission=Permission.MANAGE_SOURCES,
        )
    )
