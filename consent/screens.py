"""What the consent app adds to the frame: navigation, the start page, panels of the 360 page."""

from django.utils.translation import gettext_lazy as _

from cdp_site.core import home, navigation, palette, panels
from cdp_site.core.access import Permission


def register() -> None:
    navigation.register(
        navigation.NavEntry("requests", _("Requests"), "consent:requests", "gavel", 500, Permission.VIEW_REQUESTS)
    )
    navigation.register(
        navigation.NavEntry(
            key="audit",
            title=_("Audit"),
            url_name="consent:audit",
            icon="list-check",
            order=600,
            permission=Permission.VIEW_AUDIT,
            badge_url_name="consent:alarm_count",
        )
    )
    palette.register_action(
        palette.Action(
            "new_request", _("New request"), "consent:intake", "gavel", Permission.MANAGE_REQUESTS, "pdpa gdpr dsr"
        )
    )
    home.register(home.HomePanel("requests", _("Requests due"), "consent:due", "gavel", 200, Permission.VIEW_REQUESTS))
    home.register(
        home.HomePanel("alarms", _("Opened outside calls"), "consent:alarms", "eye", 210, Permission.VIEW_AUDIT)
    )
    style = "css/consent.css"
    panels.register(
        panels.Panel(
            key="consent",
            title=_("Consent"),
            url_name="consent:panel",
            order=100,
            permission=Permission.VIEW_CUSTOMERS,
            stylesheet=style,
            icon="shield-check",
            has_past=True,
        )
    )
    title = _("Who opened this customer")
    panels.register(
        panels.Panel("access_log", title, "consent:access_log", 900, Permission.VIEW_AUDIT, style, icon="eye")
    )
