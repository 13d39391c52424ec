"""What the top layer adds to the frame."""

from django.utils.translation import gettext_lazy as _

from cdp_site.core import navigation
from cdp_site.core.access import Permission
from cdp_site.core.navigation import NavEntry


def register() -> None:
    navigation.register(NavEntry("backups", _("Backups"), "backups", "stack-2", 620, Permission.VIEW_AUDIT))
