"""Codes in the reader's language: rules of survivorship, problems of identifiers, well-known trait values."""

from collections.abc import Mapping

import phonenumbers
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from profiles.survivorship import Rule

RULES: Mapping[str, Promise] = {
    Rule.ONLY: _("No other source says anything else."),
    Rule.PIN: _("A colleague decided so."),
    Rule.TRUST: _("The most trusted source wins."),
    Rule.FULLER: _("The most complete one wins."),
    Rule.RECENCY: _("Equally trusted; the most recent one wins."),
    Rule.ORDER: _("Equal in everything; the first source stays."),
}
# Trait → value as it is normalised → what to show.
VALUES: Mapping[str, Mapping[str, Promise]] = {
    "gender": {"female": _("Female"), "male": _("Male"), "other": _("Other")},
    "language": {"th": _("Thai"), "en": _("English")},
}
IDENTIFIER_KINDS: Mapping[str, Promise] = {
    "email": _("E-mail"),
    "phone": _("Phone"),
    "user": _("User ID"),
    "member": _("Member number"),
    "line": _("LINE ID"),
    "citizen": _("National ID"),
    "device": _("Device"),
    "passport": _("Passport"),
}


def value_label(trait: str, text: str) -> str:
    """What to show for a value: its word in the reader's language where there is one, a phone as it is read out."""
    if trait == "phone":
        return phone_text(text)
    label = VALUES.get(trait, {}).get(text)
    return text if label is None else str(label)


def phone_text(value: str) -> str:
    """A number of the company's country as its people write it (081 234 5678), others with their country code."""
    try:
        number = phonenumbers.parse(value, settings.COMPANY_PHONE_REGION)
    except phonenumbers.NumberParseException:
        return value
    at_home = phonenumbers.region_code_for_number(number) == settings.COMPANY_PHONE_REGION
    shape = phonenumbers.PhoneNumberFormat.NATIONAL if at_home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, shape)


def identifier_kind(kind: str) -> str:
    """The name of a kind of identifier; a kind that a source invented shows its code."""
    return str(IDENTIFIER_KINDS.get(kind, kind))
