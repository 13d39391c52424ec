"""Why an address may not be used: stable codes, and what people read for them."""

from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text


class Reason(StrEnum):
    """In the order in which one of several is told: what the person said comes before what we lack."""

    ERASURE = "erasure"
    RESTRICTED = "restricted"
    PURPOSE_INACTIVE = "purpose_inactive"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"
    EXPIRED = "expired"
    NEEDS_GUARDIAN = "needs_guardian"
    NEVER_ASKED = "never_asked"
    ENDED = "ended"
    REPLACED = "replaced"
    UNCONFIRMED = "unconfirmed"
    UNUSABLE = "unusable"
    NO_ADDRESS = "no_address"

    @property
    def text(self) -> Text:
        return REASON_TEXTS[self]


REASON_TEXTS: dict[Reason, Text] = {
    Reason.ERASURE: _("The customer asked for erasure: their data may not be used"),
    Reason.RESTRICTED: _("The customer asked us not to use their data for this"),
    Reason.PURPOSE_INACTIVE: _("This purpose is no longer in use"),
    Reason.WITHDRAWN: _("Consent was withdrawn"),
    Reason.REFUSED: _("The customer refused"),
    Reason.EXPIRED: _("Consent has expired: ask again"),
    Reason.NEEDS_GUARDIAN: _("A parent or guardian must consent for a minor"),
    Reason.NEVER_ASKED: _("Never asked for consent"),
    Reason.ENDED: _("Somebody else has this number now"),
    Reason.REPLACED: _("The customer has given another address since"),
    Reason.UNCONFIRMED: _("Typed on a web page and never confirmed"),
    Reason.UNUSABLE: _("Hidden, a placeholder or not a real address"),
    Reason.NO_ADDRESS: _("No address for this channel"),
}
_RANK = {reason: rank for rank, reason in enumerate(Reason)}


def first_told(reasons: "list[Reason]") -> Reason:
    """The one reason that stands for several."""
    return min(reasons, key=_RANK.__getitem__, default=Reason.NO_ADDRESS)
