"""What was searched, marked in a text."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

_WORDS = re.compile(r"(\S+)")


class Piece(NamedTuple):
    """A part of a text; `is_match` for what is to be marked."""

    text: str
    is_match: bool


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


def whole_words(parts: Sequence[Piece], is_meant: Callable[[str], bool]) -> list[Piece]:
    """The same, with every word marked that is meant although it is written otherwise than in the term."""
    marked: list[Piece] = []
    for part in parts:
        if part.is_match:
            marked.append(part)
        else:
            marked += [Piece(text, is_meant(text)) for text in _WORDS.split(part.text) if text]
    return marked
