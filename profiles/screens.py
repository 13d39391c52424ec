"""What the profiles app adds to the frame: navigation, the start page, the palette, panels of the customer's page."""

from django.utils.translation import gettext_lazy as _

from cdp_site.core import home, navigation, palette, panels
from cdp_site.core.access import Permission
from cdp_site.core.home import HomePanel
from cdp_site.core.navigation import NavEntry
from cdp_site.core.palette import Action, Section
from cdp_site.core.panels import Panel
from profiles import finding


def register() -> None:
    # key, title, address, icon, order, permission
    navigation.register(
        NavEntry("customers", _("Customers"), "profiles:customers", "users", 100, Permission.VIEW_CUSTOMERS),
        NavEntry("call", _("Take a call"), "profiles:call", "phone-call", 105, Permission.EDIT_CUSTOMERS),
        NavEntry(
            "cases",
            _("My follow-ups"),
            "profiles:follow_ups",
            "checklist",
            110,
            Permission.HANDLE_CASES,
            "profiles:follow_ups_due",
        ),
        NavEntry("products", _("Products"), "profiles:products", "tag", 250, Permission.VIEW_CATALOGUE),
        NavEntry("found", _("What was found"), "profiles:found", "arrows-join", 415, Permission.VIEW_SOURCES),
        NavEntry(
            "matching",
            _("Matching"),
            "profiles:matching",
            "git-merge",
            420,
            Permission.MERGE_PROFILES,
            "profiles:review_count",
        ),
        NavEntry("access", _("Access"), "profiles:access", "key", 610, Permission.VIEW_ACCESS),
    )
    home.register(HomePanel("recent", _("Opened last"), "profiles:recent", "history", 100, Permission.VIEW_CUSTOMERS))
    palette.register(Section("customers", _("Customers"), 100, Permission.VIEW_CUSTOMERS, finding.for_palette))
    palette.register_actions(
        Action("machine_keys", _("Keys for programs"), "machine_keys", "key", Permission.VIEW_ACCESS, "api token scope")
    )
    # key, title, address, order, permission
    panels.register(
        Panel(
            "occasion",
            _("Why this customer may call"),
            "profiles:occasion",
            10,
            Permission.VIEW_CUSTOMERS,
            column="header",
        ),
        Panel("opening", _("Contact details"), "profiles:opening", 20, Permission.REVEAL_IDENTIFIERS, column="header"),
        Panel("cases", _("Cases"), "profiles:cases", 80, Permission.HANDLE_CASES, "css/cases.css", icon="inbox"),
        Panel("household", _("Related customers"), "profiles:household", 250, Permission.VIEW_CUSTOMERS, icon="users"),
        Panel(
            "presence",
            _("Colleagues on this page"),
            "profiles:presence",
            900,
            Permission.VIEW_CUSTOMERS,
            "css/desk.css",
            "header",
        ),
    )
