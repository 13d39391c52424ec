"""What may stand in a list beside the address: by the role and department of who asks for it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from django.utils.translation import gettext as _

from cdp_site.core.access import Scope, scope_of
from cdp_site.core.models import User
from consent.models import Channel
from consent.preferences import links
from profiles import masking, overview
from profiles.models import Profile, Trait
from profiles.naming import shown_name

CUSTOMER_ID: Final = "customer_id"
NAME: Final = "name"
PREFERENCES: Final = "preferences_link"
"""The link to the customer's own preference page: what a mail has to carry."""
DEFAULT: Final = (CUSTOMER_ID, NAME)
ADDRESS: Mapping[str, str] = {
    Channel.EMAIL: "email",
    Channel.SMS: "phone",
    Channel.PHONE: "phone",
    Channel.LINE: "line_id",
    Channel.PUSH: "push_token",
    Channel.POST: "postal_address",
}
"""The name of the column with the address; it stands behind the id and the name, whatever else is chosen."""


def offered(by: User) -> dict[str, str]:
    """Name of a column → label in the current language, in their order: the id, the name, and the traits that the
    department sees. Direct identifiers only for roles that read them unmasked; sensitive ones for nobody: consent to be
    written to is none to pass on an illness (PDPA s.26). One query beside the scope."""
    scope = replace(scope_of(by), hides_sensitive=True)
    shows = masking.shows_all_identifiers(by)
    traits = Trait.objects.filter(group__is_sensitive=False).select_related("group")
    seen = [
        trait
        for trait in traits.order_by("group__position", "position", "name")
        if scope.sees_trait_group(trait.group.slug)
        and not masking.hides_name(trait.name, scope)
        and (shows or not masking.is_direct(trait.name))
        and trait.name != NAME
    ]
    own = {CUSTOMER_ID: _("Customer ID"), NAME: _("Name"), PREFERENCES: _("Link to the preference page")}
    return own | {trait.name: str(trait) for trait in seen if trait.name not in own}


def header(columns: Sequence[str], channel: str) -> list[str]:
    """The first row: names that stay the same in every language, for the systems that read them. An address that was
    chosen as a trait as well stands under `trait_…`."""
    address = ADDRESS[channel]
    return [
        *(name for name in DEFAULT if name in columns),
        address,
        *(f"trait_{name}" if name == address else name for name in columns if name not in DEFAULT),
    ]


def values_of(profiles: Collection[Profile], scope: Scope) -> Mapping[int, Mapping[str, Any]]:
    """Profile id → golden values as the scope sees them. No query without a limited scope, three with one."""
    if scope.is_unrestricted:
        return {profile.pk: profile.golden for profile in profiles}
    return overview.values_of(overview.records_of(profiles, scope), scope)


def row(
    profile: Profile, values: Mapping[str, Any], address: str, columns: Sequence[str], *, shows_identifiers: bool
) -> list[str]:
    """The cells of one customer, in the order of `header`."""
    own = {
        CUSTOMER_ID: str(profile.public_id),
        NAME: masking.readable(shown_name(values), shows=shows_identifiers),
    }
    return [
        *(own[name] for name in DEFAULT if name in columns),
        address,
        *(
            links.address(profile.public_id)
            if name == PREFERENCES
            else _text(name, values.get(name), shows_identifiers)
            for name in columns
            if name not in DEFAULT
        ),
    ]


def _text(trait: str, value: Any, shows_identifiers: bool) -> str:
    if value is None:
        return ""
    return ", ".join(masking.shown(trait, overview.texts_of(value), shows=shows_identifiers))
