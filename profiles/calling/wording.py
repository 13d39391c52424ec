"""Why people call, in words: codes that telephone systems and our own agents note down."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LONGEST = 60  # characters of a source's own words
_REASONS: Mapping[str, Promise] = {
    "delivery": _("delivery"),
    "product_question": _("question about a product"),
    "order": _("an order"),
    "return": _("return"),
    "damaged": _("damaged goods"),
    "address_change": _("change of address"),
    "invoice": _("tax invoice"),
    "payment": _("payment"),
    "complaint": _("complaint"),
    "cancellation": _("cancellation"),
}


def reason_text(properties: Mapping[str, Any]) -> str:
    """What a call was about: the word for a known code, else what the source wrote; "" when it wrote nothing."""
    said = properties.get("reason") or properties.get("topic") or properties.get("subject")
    if not isinstance(said, str):
        return ""
    known = _REASONS.get(said.strip().casefold())
    text = said.strip() if known is None else str(known)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
