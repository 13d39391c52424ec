"""What the consent app adds to the frame: navigation, the start page, the palette, panels of the customer's page."""

from django.utils.translation import gettext_lazy as _

from cdp_site.core import home, navigation, palette, panels
from cdp_site.core.access import Permission
from cdp_site.core.home import HomePanel
from cdp_site.core.navigation import NavEntry
from cdp_site.core.palette import Action
from cdp_site.core.panels import Panel

_STYLE = "css/consent.css"


def register() -> None:
    # key, title, address, icon, order, permission
    navigation.register(
        NavEntry("requests", _("Requests"), "consent:requests", "gavel", 500, Permission.VIEW_REQUESTS),
        NavEntry("purposes", _("Purposes"), "consent:purposes", "shield-check", 510, Permission.VIEW_REQUESTS),
        NavEntry("retention", _("Retention"), "consent:retention", "clock", 520, Permission.VIEW_REQUESTS),
        NavEntry("breaches", _("Breaches"), "consent:breaches", "shield", 530, Permission.VIEW_REQUESTS),
        NavEntry("data_map", _("Data map"), "consent:data_map", "sitemap", 590, Permission.VIEW_AUDIT),
        NavEntry("gateways", _("Gateways"), "consent:gateways", "send", 650, Permission.MANAGE_CONFIGURATION),
        NavEntry("audit", _("Audit"), "consent:audit", "list-check", 600, Permission.VIEW_AUDIT, "consent:alarm_count"),
    )
    home.register(
        HomePanel("requests", _("Requests due"), "consent:due", "gavel", 200, Permission.VIEW_REQUESTS),
        HomePanel("alarms", _("Opened outside calls"), "consent:alarms", "eye", 210, Permission.VIEW_AUDIT),
    )
    palette.register_actions(
        Action("new_request", _("New request"), "consent:intake", "gavel", Permission.MANAGE_REQUESTS, "pdpa gdpr dsr")
    )
    # key, title, address, order, permission, style sheet
    panels.register(
        Panel(
            "consent",
            _("Consent"),
            "consent:panel",
            100,
            Permission.VIEW_CUSTOMERS,
            _STYLE,
            icon="shield-check",
            has_past=True,
        ),
        Panel(
            "consent_chips",
            _("Consent in brief"),
            "consent:chips",
            300,
            Permission.VIEW_CUSTOMERS,
            _STYLE,
            column="header",
            has_past=True,
        ),
        Panel(
            "access_log",
            _("Who opened this customer"),
            "consent:access_log",
            900,
            Permission.VIEW_AUDIT,
            _STYLE,
            icon="eye",
        ),
    )
