"""A search as a page shows it: the customers with what matched, in words and marked in the text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.translation import gettext as _

from cdp_site.core.models import User
from profiles import directory, search
from profiles.directory import Row
from profiles.labels import identifier_kind

SHORTEST = 2  # characters: one letter would match half of the customers
EXACT = 1.5  # search.Hit.likeness of identifiers, also of earlier ones; names stay at 1 and below


class Piece(NamedTuple):
    """A part of a text; `is_match` for what is to be marked."""

    text: str
    is_match: bool


@dataclass(frozen=True, slots=True)
class Match:
    """A customer that was found; `reason` says by what, in the reader's language.

    `by_phone`, `by_email`: the number or address that is shown is the one that was asked for.
    """

    row: Row
    name: Sequence[Piece]
    reason: str
    is_exact: bool
    by_phone: bool
    by_email: bool


def is_long_enough(text: str) -> bool:
    return len(text.strip()) >= SHORTEST


def find(text: str, *, by: User, limit: int) -> list[Match]:
    """The customers that a term may mean, best first; none for a term that is too short. At most six queries
    beside the scope."""
    if not is_long_enough(text):
        return []
    hits = search.find(text, by=by, limit=limit)
    rows = directory.rows([hit.profile for hit in hits], by=by)
    return [
        Match(
            row=row,
            name=pieces(row.name, text) if hit.field == "name" else [Piece(row.name, False)],
            reason=_reason(hit),
            is_exact=hit.likeness >= EXACT,
            by_phone=hit.field == "phone" and _last_digits(text) == _last_digits(row.phone),
            by_email=hit.field == "email" and text.strip().casefold() == row.email.casefold(),
        )
        for hit, row in zip(hits, rows, strict=True)
    ]


def _reason(hit: search.Hit) -> str:
    if hit.field == "name":
        return _("Name") if hit.likeness >= 1 else _("Similar name")
    if hit.field == "order":
        return _("Order number")
    if hit.field == "record":
        return _("Number in a source")
    kind = identifier_kind(hit.field)
    return kind if hit.likeness > EXACT else _("%(kind)s, an earlier one") % {"kind": kind}


def _last_digits(text: str) -> str:
    """The four that every format of a number ends with, a masked one too."""
    return "".join(character for character in text if character.isdigit())[-4:]


def pieces(text: str, term: str) -> list[Piece]:
    """The text cut where words of the term stand in it, case aside.

    >>> pieces("Somchai Jaidee", "jai")
    [Piece(text='Somchai ', is_match=False), Piece(text='Jai', is_match=True), Piece(text='dee', is_match=False)]
    """
    words = sorted({word for word in term.split() if word}, key=len, reverse=True)
    if not words:
        return [Piece(text, False)]
    cut = re.split("(" + "|".join(re.escape(word) for word in words) + ")", text, flags=re.IGNORECASE)
    return [Piece(part, place % 2 == 1) for place, part in enumerate(cut) if part]
