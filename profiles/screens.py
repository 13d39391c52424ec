"""What the profiles app adds to the frame: its entries of the navigation and its panel of the start page."""

from django.utils.translation import gettext_lazy as _

from cdp_site.core import home, navigation, palette, panels
from cdp_site.core.access import Permission
from profiles import finding


def register() -> None:
    navigation.register(
        navigation.NavEntry(
            key="customers",
            title=_("Customers"),
            url_name="profiles:customers",
            icon="users",
            order=100,
            permission=Permission.VIEW_CUSTOMERS,
        )
    )
    navigation.register(
        navigation.NavEntry(
            key="call",
            title=_("Take a call"),
            url_name="profiles:call",
            icon="phone-call",
            order=105,
            permission=Permission.EDIT_CUSTOMERS,
        )
    )
    navigation.register(
        navigation.NavEntry(
            key="products",
            title=_("Products"),
            url_name="profiles:products",
            icon="tag",
            order=250,
            permission=Permission.VIEW_CATALOGUE,
        )
    )
    navigation.register(
        navigation.NavEntry(
            key="found",
            title=_("What was found"),
            url_name="profiles:found",
            icon="arrows-join",
            order=415,
            permission=Permission.VIEW_SOURCES,
        )
    )
    navigation.register(
        navigation.NavEntry(
            key="matching",
            title=_("Matching"),
            url_name="profiles:matching",
            icon="git-merge",
            order=420,
            permission=Permission.MERGE_PROFILES,
            badge_url_name="profiles:review_count",
        )
    )
    palette.register(palette.Section("customers", _("Customers"), 100, Permission.VIEW_CUSTOMERS, finding.for_palette))
    navigation.register(
        navigation.NavEntry(
            key="access",
            title=_("Access"),
            url_name="profiles:access",
            icon="key",
            order=610,
            permission=Permission.VIEW_ACCESS,
        )
    )
    home.register(
        home.HomePanel(
            key="recent",
            title=_("Opened last"),
            url_name="profiles:recent",
            icon="history",
            order=100,
            permission=Permission.VIEW_CUSTOMERS,
        )
    )
    navigation.register(
        navigation.NavEntry(
            key="cases",
            title=_("My follow-ups"),
            url_name="profiles:follow_ups",
            icon="checklist",
            order=110,
            permission=Permission.HANDLE_CASES,
            badge_url_name="profiles:follow_ups_due",
        )
    )
    panels.register(
        panels.Panel(
            key="opening",
            title=_("Contact details"),
            url_name="profiles:opening",
            order=20,
            permission=Permission.REVEAL_IDENTIFIERS,
            column="header",
        )
    )
    panels.register(
        panels.Panel(
            key="cases",
            title=_("Cases"),
            url_name="profiles:cases",
            order=80,
            permission=Permission.HANDLE_CASES,
            stylesheet="css/cases.css",
            icon="inbox",
        )
    )
    panels.register(
        panels.Panel(
            key="occasion",
            title=_("Why this customer may call"),
            url_name="profiles:occasion",
            order=10,
            permission=Permission.VIEW_CUSTOMERS,
            column="header",
        )
    )
    panels.register(
        panels.Panel(
            "household", _("Related customers"), "profiles:household", 250, Permission.VIEW_CUSTOMERS, icon="users"
        )
    )
    panels.register(
        panels.Panel(
            key="presence",
            title=_("Colleagues on this page"),
            url_name="profiles:presence",
            order=900,
            permission=Permission.VIEW_CUSTOMERS,
            stylesheet="css/desk.css",
            column="header",
        )
    )
