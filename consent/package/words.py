"""What the fields of the stores are called for the person whose data it is."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text

# By the end of the path: `source__name` is called by what it leads to.
FIELDS: Final[Mapping[str, Text]] = {
    "account": _("Account"),
    "act": _("Step"),
    "action": _("What was done"),
    "address": _("Address"),
    "amount": _("Amount"),
    "arrived_at": _("When"),
    "at": _("When"),
    "attributes": _("Data"),
    "basis": _("Legal basis"),
    "carrier": _("Carrier"),
    "category": _("Category"),
    "cause": _("Reason"),
    "channel": _("Channel"),
    "closed_at": _("Closed"),
    "color": _("Colour"),
    "comment": _("Remark"),
    "coupon": _("Coupon"),
    "currency": _("Currency"),
    "delivered_at": _("Delivered"),
    "department": _("Department"),
    "discount": _("Discount"),
    "ended_at": _("Ended"),
    "entered": _("Entered"),
    "evidence": _("Evidence"),
    "external_id": _("Number there"),
    "fields": _("Which data"),
    "first_seen_at": _("First seen"),
    "first_stated_at": _("First stated"),
    "golden": _("Current values"),
    "kind": _("Kind"),
    "language": _("Language"),
    "last_four": _("Last four digits"),
    "last_seen_at": _("Last seen"),
    "last_stated_at": _("Last stated"),
    "list": _("List"),
    "message": _("Message"),
    "name": _("Name"),
    "note": _("Remark"),
    "notice_version": _("Version of the notice"),
    "occurred_at": _("When"),
    "opened_at": _("Opened"),
    "order": _("Order"),
    "origin": _("By which way"),
    "paid_at": _("Paid"),
    "payment_method": _("Way of paying"),
    "placed_at": _("Ordered"),
    "properties": _("Details"),
    "purpose": _("Purpose"),
    "quantity": _("Quantity"),
    "raw": _("As it came"),
    "reason": _("Reason"),
    "received_at": _("Received"),
    "refunded": _("Refunded"),
    "segment": _("Group"),
    "shipped_at": _("Shipped"),
    "since": _("Since"),
    "sku": _("Product number"),
    "source": _("Source"),
    "state": _("What you said"),
    "status": _("Status"),
    "subject": _("Subject"),
    "text": _("Text"),
    "total": _("Total"),
    "tracking_number": _("Tracking number"),
    "trait": _("Kind of data"),
    "traits": _("Data"),
    "type": _("Kind"),
    "unit_price": _("Price of one"),
    "until": _("Until"),
    "valid_from": _("From"),
    "valid_to": _("Until"),
    "value": _("Value"),
    "what": _("Kind"),
}


def title_of(field: str) -> Text:
    """The words for a field of a store; a field without words shows its name."""
    path = field.split("__")
    ends = path[-2] if len(path) > 1 and path[-1] in {"name", "slug", "public_id"} else path[-1]
    return FIELDS.get(ends, ends.replace("_", " "))
