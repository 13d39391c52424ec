"""What the mapping screen calls the words of a definition."""

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from cdp_site.core.errors import Text
from ingestion.files.consents import NEVER
from ingestion.files.mapping import TARGETS_OF, RowKind, Target
from ingestion.files.steps import Other, StepKind

ROW_LABELS: Final[Mapping[str, Text]] = {
    RowKind.PEOPLE: _("A customer"),
    RowKind.EVENTS: _("Something that happened"),
    RowKind.ORDERS: _("A line of an order or receipt"),
    RowKind.CONSENTS: _("An answer about consent"),
    RowKind.PRODUCTS: _("A product"),
}
DATE_LABELS: Final[Mapping[str, Text]] = {
    "dmy": _("Day, month, year"),
    "mdy": _("Month, day, year"),
    "ymd": _("Year, month, day"),
}
YEAR_LABELS: Final[Mapping[str, Text]] = {
    "": _("Leave them unread"),
    "buddhist": _("Buddhist era (พ.ศ.)"),
    "gregorian": _("Common era (ค.ศ.)"),
}
EMPTY_LABELS: Final[Mapping[str, Text]] = {
    "unchanged": _("Leave what is known"),
    "cleared": _("Clear what is known"),
}
OWNER_LABELS: Final[Mapping[str, Text]] = {
    "left_out": _("Leave the row out"),
    "anonymous": _("Keep it for somebody unknown"),
}
TYPE_LABELS: Final[Mapping[str, Text]] = {"text": _("text"), "number": _("number"), "boolean": _("yes or no")}
TRAIT_LABELS: Final[Mapping[str, Text]] = {
    "name": _("Full name"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "middle_name": _("Middle name"),
    "title": _("Title"),
    "nickname": _("Nickname"),
    "display_name": _("Display name"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "line_id": _("LINE ID"),
    "member_id": _("Member ID"),
    "national_id": _("National ID (kept as a hash)"),
    "birth_date": _("Date of birth"),
    "gender": _("Gender"),
    "address": _("Address"),
    "address_line2": _("Address, second line"),
    "subdistrict": _("Subdistrict"),
    "district": _("District"),
    "city": _("City"),
    "province": _("Province"),
    "postcode": _("Postcode"),
    "country": _("Country"),
    "language": _("Language"),
    "company": _("Company"),
    "job_title": _("Job title"),
    "tier": _("Member tier"),
    "created_at": _("Customer since"),
    "website": _("Website"),
    "note": _("Note"),
}
ORDER_LABELS: Final[Mapping[str, Text]] = {
    "id": _("Order number"),
    "total": _("Total of the order"),
    "currency": _("Currency"),
    "coupon": _("Coupon of the order"),
    "discount": _("Discount on the order"),
}
LINE_LABELS: Final[Mapping[str, Text]] = {
    "line_id": _("Number of the line"),
    "sku": _("Product code"),
    "name": _("Product name"),
    "category": _("Category"),
    "color": _("Colour"),
    "quantity": _("Quantity"),
    "price": _("Price of one"),
    "total": _("Paid for the line"),
    "list_price": _("List price of one"),
    "discount": _("Discount on the line"),
    "coupon": _("Coupon of the line"),
    "coupon_discount": _("Discount by coupon"),
}
STATEMENT_LABELS: Final[Mapping[str, Text]] = {
    "purpose": _("Purpose"),
    "channel": _("Channel"),
    "state": _("The answer"),
    "address": _("Address or number that it is about"),
    "notice_version": _("Version of the notice"),
    "language": _("Language of the notice"),
    "how": _("How it was said"),
    "where": _("Where it was said"),
    "reference": _("Number of the form or call"),
}
PRODUCT_LABELS: Final[Mapping[str, Text]] = {
    "sku": _("Product code"),
    "namespace": _("Whose product codes they are"),
    "name": _("Name in English"),
    "name_th": _("Name in Thai"),
    "category": _("Category"),
    "price": _("Price of one"),
    "currency": _("Currency"),
    "url": _("Web address"),
    "synonyms": _("Other names"),
}
STEP_LABELS: Final[Mapping[str, Text]] = {
    StepKind.TRIM: _("Take off the edges"),
    StepKind.PREFIX: _("Put in front"),
    StepKind.JOIN: _("Join with another column"),
    StepKind.MAP: _("Replace values"),
    StepKind.NUMBER: _("Read as a number"),
    StepKind.DATE: _("Read as a date"),
    StepKind.SPLIT_NAME: _("Split a full name"),
}
OTHER_LABELS: Final[Mapping[str, Text]] = {
    Other.KEEP: _("keep other values"),
    Other.EMPTY: _("empty other values"),
    Other.PROBLEM: _("leave rows with other values out"),
}
ANSWER_LABELS: Final[Mapping[str, Text]] = {
    "": _("Not known: the row is left out"),
    "granted": _("Granted"),
    "refused": _("Refused"),
    "withdrawn": _("Withdrawn"),
    NEVER: _("Never asked: says nothing"),
}
WAY_LABELS: Final[Mapping[str, Text]] = {
    "": _("Not known"),
    "form": _("On a signed form"),
    "call": _("On the phone"),
    "in_person": _("In person"),
    "message": _("In a message or e-mail"),
}
LANGUAGE_LABELS: Final[Mapping[str, Text]] = {"": _("Not known"), "th": _("Thai"), "en": _("English")}
_PLAIN_LABELS: Final[Mapping[Target, Text]] = {
    Target.RECORD_ID: _("Record ID: whose row it is"),
    Target.ANONYMOUS_ID: _("Device ID"),
    Target.IDENTIFIER: _("Another identifier …"),
    Target.ROW_ID: _("Number of this row"),
    Target.CONSENT: _("Consent …"),
    Target.EVENT: _("What happened (its name)"),
    Target.TIMESTAMP: _("When it happened"),
    Target.PROPERTY: _("A detail of it …"),
    Target.ATTRIBUTE: _("Another attribute …"),
}
OWN_TRAIT: Final = "trait"  # an attribute that is in no list; its name is typed
NAMED: Final[Mapping[Target, Mapping[str, Text]]] = {
    Target.TRAIT: TRAIT_LABELS,
    Target.ORDER: ORDER_LABELS,
    Target.LINE: LINE_LABELS,
    Target.STATEMENT: STATEMENT_LABELS,
    Target.PRODUCT: PRODUCT_LABELS,
}
Group = tuple[Text, list[tuple[str, Text]]]


def target_groups(rows: RowKind) -> list[Group]:
    """The choices of a target, in groups, for rows of this kind."""
    allowed = TARGETS_OF[rows]

    def plain(*targets: Target) -> list[tuple[str, Text]]:
        return [(target.value, _PLAIN_LABELS[target]) for target in targets if target in allowed]

    def named(target: Target, labels: Mapping[str, Text]) -> list[tuple[str, Text]]:
        return [(f"{target}:{name}", label) for name, label in labels.items()] if target in allowed else []

    traits = named(Target.TRAIT, TRAIT_LABELS)
    groups: list[Group] = [
        (_("The product"), [*named(Target.PRODUCT, PRODUCT_LABELS), *plain(Target.ATTRIBUTE)]),
        (_("Whose it is"), plain(Target.RECORD_ID, Target.ANONYMOUS_ID, Target.IDENTIFIER)),
        (_("What was said"), named(Target.STATEMENT, STATEMENT_LABELS)),
        (_("What happened"), plain(Target.EVENT, Target.TIMESTAMP, Target.ROW_ID, Target.PROPERTY)),
        (_("The order"), named(Target.ORDER, ORDER_LABELS)),
        (_("The line"), named(Target.LINE, LINE_LABELS)),
        (_("About the customer"), [*traits, (OWN_TRAIT, _("Another attribute …"))] if traits else []),
        (_("Permission"), plain(Target.CONSENT)),
    ]
    return [group for group in groups if group[1]]


def target_label(to: str, name: str) -> Text:
    """What a field becomes, in words; an attribute or detail without a word of its own by its name."""
    target = Target(to)
    if target in NAMED and name in NAMED[target]:
        return NAMED[target][name]
    return name or _PLAIN_LABELS[target]
