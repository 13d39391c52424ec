"""A search as a page shows it: the customers with what matched, in words and marked in the text."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from cdp_site.core.marking import Piece, pieces, whole_words
from cdp_site.core.models import User
from cdp_site.core.palette import Item
from ingestion.normalise.names import split_title
from profiles import directory, name_search, name_words, search, terms, viewing
from profiles.directory import Row
from profiles.labels import identifier_kind
from profiles.name_index import words_of
from profiles.terms import Reading

SHORTEST = 2  # characters: one letter would match half of the customers
EXACT = 1.5  # search.Hit.likeness of identifiers, also of earlier ones; names stay at 1 and below
_SAME_NAME = 0.94  # the same name, also when what was typed needed the other keyboard layout


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
    """The customers that a term may mean, best first; none for a term that is too short. At most three queries more
    than `search.find`."""
    if not is_long_enough(text):
        return []
    hits = search.find(text, by=by, limit=limit)
    rows = directory.rows([hit.profile for hit in hits], by=by)
    readings = terms.read(text)
    return [
        Match(
            row=row,
            name=_marked(row.name, readings) if hit.field == "name" else [Piece(row.name, False)],
            reason=_reason(hit),
            is_exact=hit.likeness >= EXACT,
            by_phone=hit.field in ("phone", "last_four") and _last_digits(text) == _last_digits(row.phone),
            by_email=hit.field == "email" and text.strip().casefold() == row.email.casefold(),
        )
        for hit, row in zip(hits, rows, strict=True)
    ]


def only_exact(matches: Sequence[Match]) -> Match | None:
    """The one whose number, address or id it is, when there is exactly one: who is meant is no question then."""
    exact = [match for match in matches if match.is_exact]
    return exact[0] if len(exact) == 1 else None


def _marked(name: str, readings: Sequence[Reading]) -> list[Piece]:
    """What is written as in the term; else the words that are meant, in whatever script and spelling."""
    words = [word for reading in readings for word in reading.words]

    def is_meant(of_name: str) -> bool:
        known = [*words_of(of_name), *words_of(split_title(of_name)[1])]
        return any(name_words.likeness(word, one) >= name_search.LEAST_OF_NAME for word in words for one in known)

    return whole_words(pieces(name, " ".join(reading.text for reading in readings)), is_meant)


def _reason(hit: search.Hit) -> str:
    if hit.is_retyped:
        return _("%(reason)s, typed with the other keyboard layout") % {"reason": _kind_of_match(hit)}
    return _kind_of_match(hit)


def _kind_of_match(hit: search.Hit) -> str:
    if hit.field == "name":
        return _("Name") if hit.likeness >= _SAME_NAME else _("Similar name")
    if hit.field == "order":
        return _("Order number")
    if hit.field == "record":
        return _("Number in a source")
    if hit.field == "last_four":
        return _("Last four digits of a phone number")
    kind = identifier_kind(hit.field)
    return kind if hit.likeness > search.EARLIER else _("%(kind)s, an earlier one") % {"kind": kind}


def _last_digits(text: str) -> str:
    """The four that every format of a number ends with, a masked one too."""
    return "".join(character for character in text if character.isdigit())[-4:]


# --- the palette ------------------------------------------------------------------------------------------------------

PALETTE_HITS = 6


def for_palette(text: str, by: User) -> list[Item]:
    """What a term finds; before anything is typed, whom the reader opened last. Hits are written down."""
    if not text.strip():
        rows = directory.rows(viewing.recent(by=by)[:PALETTE_HITS], by=by)
        return [_item(row, [Piece(row.name, False)], [Piece(row.phone or row.email, False)]) for row in rows]
    matches = find(text, by=by, limit=PALETTE_HITS)
    viewing.log([match.row.profile for match in matches], by=by, what=viewing.FOUND)
    return [_item(match.row, match.name, _details(match)) for match in matches]


def _item(row: Row, name: Sequence[Piece], detail: Sequence[Piece]) -> Item:
    address = reverse("profiles:customer", args=[row.profile.public_id])
    shown = name if row.name else [Piece(_("Customer without a name"), False)]
    return Item(shown, address, "user", [piece for piece in detail if piece.text])


def _details(match: Match) -> list[Piece]:
    pieces_of = [(match.reason, False), (match.row.phone, match.by_phone), (match.row.email, match.by_email)]
    shown = [Piece(text, is_match) for text, is_match in pieces_of if text]
    dotted = [part for piece in shown for part in (piece, Piece(" · ", False))]
    return dotted[:-1]
