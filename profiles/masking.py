"""Masks: what reaches or names a person directly is shown to some roles, to others for an open customer alone.

The one place that decides it: pages, panels, results, exports and the programming interface all ask here. What a viewer
may not see at all (another department's, sensitive) is not masked but absent: that is the scope's to say.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from cdp_site.core.access import Permission, Scope, may
from cdp_site.core.models import User
from cdp_site.core.templatetags.formats import last_four, masked
from ingestion.normalise.identifier_kinds import KIND_OF_TRAIT
from ingestion.normalise.sensitive_names import is_hidden_name
from profiles import openings

DIRECT_IDENTIFIERS: Final = frozenset(
    {
        *("email", "phone", "line_id", "member_id", "national_id", "citizen_id_last4", "passport"),
        *("address", "address_line2", "postcode", "birth_date"),
    }
)
# Of these the beginning or the end says too much: a year, a province, a house number.
_HIDDEN_WHOLE: Final = frozenset({"birth_date", "address", "address_line2", "postcode", "citizen_id_last4"})
HIDDEN: Final = "••••"

_EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# 9 to 15 digits as people write them: a phone number, a national ID, a card. Amounts have commas or fewer digits; what
# begins like a date is one; letters of the Latin alphabet before it make it the number of an order.
_NUMBER: Final = re.compile(r"(?<![A-Za-z0-9_.,-])(?!\d{4}-\d\d-\d\d)\+?\d(?:[ .()-]{0,2}\d){8,14}(?![A-Za-z0-9_-])")


def shows_identifiers(by: User, profile_id: int) -> bool:
    """Whether this user sees this customer's direct identifiers: by role, or because the customer is open for them.
    One query a request for who opens customers one by one, none for others."""
    if may(by, Permission.SEE_IDENTIFIERS):
        return True
    return may(by, Permission.REVEAL_IDENTIFIERS) and openings.is_open(by, profile_id)


def shows_all_identifiers(by: User) -> bool:
    """Whether the role sees direct identifiers of every customer: for pages that are about no single one."""
    return may(by, Permission.SEE_IDENTIFIERS)


def hidden_kinds(scope: Scope) -> frozenset[str]:
    """The kinds of identifiers whose trait the scope does not see: where a trait is absent, its identifier is."""
    return frozenset(KIND_OF_TRAIT.get(trait, trait) for trait in scope.hidden_traits)


def hides_name(name: str, scope: Scope) -> bool:
    """Whether a property or trait of this name, wherever it turns up, holds what the scope does not see."""
    return is_hidden_name(name, hidden_traits=scope.hidden_traits, hides_sensitive=scope.hides_sensitive)


def without_hidden(value: Any, scope: Scope) -> Any:
    """A source's JSON without what the scope does not see, at any depth."""
    if isinstance(value, dict):
        return {name: without_hidden(inner, scope) for name, inner in value.items() if not hides_name(name, scope)}
    if isinstance(value, list):
        return [without_hidden(inner, scope) for inner in value]
    return value


def is_direct(trait: str) -> bool:
    return trait in DIRECT_IDENTIFIERS


def mask(trait: str, text: str) -> str:
    """A value of a direct identifier: enough to recognise, too little to use.

    >>> mask("email", "somchai@example.com"), mask("birth_date", "1987-05-12")
    ('s••••@example.com', '••••')
    """
    if not text:
        return ""
    return HIDDEN if trait in _HIDDEN_WHOLE else masked(text)


def shown(trait: str, texts: Iterable[str], *, shows: bool) -> tuple[str, ...]:
    """The texts of a trait as a viewer reads them. Traits that no list names may hold an address or a number, too."""
    if shows:
        return tuple(texts)
    return tuple(mask(trait, text) if is_direct(trait) else concealed(text) for text in texts)


def hides_part_of(trait: str, texts: Iterable[str]) -> bool:
    """Whether a viewer to whom the customer is not open reads something else than these texts of a trait."""
    return is_direct(trait) or any(concealed(text) != text for text in texts)


def concealed(text: str) -> str:
    """Free text with the addresses and numbers in it masked.

    >>> concealed("โทร 086-345 1972 หรือ somchai@example.com ค่ะ")
    'โทร •••• 1972 หรือ s••••@example.com ค่ะ'
    >>> concealed("โต๊ะ 120 x 60 ราคา 12,500.00 บาท ส่ง 2026-11-22")
    'โต๊ะ 120 x 60 ราคา 12,500.00 บาท ส่ง 2026-11-22'
    """
    without_addresses = _EMAIL.sub(lambda found: masked(found[0]), text)
    return _NUMBER.sub(lambda found: last_four(found[0]), without_addresses)


def readable(text: str, *, shows: bool) -> str:
    """Free text as a viewer reads it."""
    return text if shows else concealed(text)
