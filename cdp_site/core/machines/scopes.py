"""What a key allows, each scope by itself; and which permissions of people follow from it."""

from collections.abc import Collection, Mapping
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from cdp_site.core.access import Permission

P = Permission


class KeyScope(models.TextChoices):
    PROFILES_READ = "profiles:read", _("Read customers: traits, segments, consents")
    IDENTIFIERS_READ = "identifiers:read", _("See phone numbers, addresses and other direct identifiers unmasked")
    SEGMENTS_READ = "segments:read", _("Read segments and who is in them")
    CUSTOMERS_MERGE = "customers:merge", _("Merge and part customers, and take that back")


PERMISSIONS: Final[Mapping[str, frozenset[Permission]]] = {
    KeyScope.PROFILES_READ: frozenset({P.VIEW_CUSTOMERS}),
    KeyScope.IDENTIFIERS_READ: frozenset({P.SEE_IDENTIFIERS}),
    KeyScope.SEGMENTS_READ: frozenset({P.VIEW_SEGMENTS, P.VIEW_CUSTOMERS}),
    KeyScope.CUSTOMERS_MERGE: frozenset({P.VIEW_CUSTOMERS, P.MERGE_PROFILES}),
}


def permissions_of(scopes: Collection[str], *, sees_all_departments: bool) -> frozenset[Permission]:
    """What a program may do by these scopes. An unknown scope, of a later release, allows nothing."""
    found = frozenset[Permission]().union(*(PERMISSIONS.get(scope, frozenset()) for scope in scopes))
    return found | {P.SEE_ALL_DEPARTMENTS} if sees_all_departments and found else found
