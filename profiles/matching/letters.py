"""Where two texts differ, letter by letter, as a person reads letters. Pure: no Django."""

import unicodedata
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple


class Piece(NamedTuple):
    """A part of a text; `differs` when the other text has something else, or nothing, in its place."""

    text: str
    differs: bool


def letters(text: str) -> list[str]:
    """What a reader sees as one letter: a Thai consonant with its vowel and tone marks is never torn apart.

    >>> letters("น้ำใจ")
    ['น้ำ', 'ใ', 'จ']
    """
    found: list[str] = []
    for character in text:
        if found and (unicodedata.combining(character) or unicodedata.category(character) == "Mn" or character == "ำ"):
            found[-1] += character
        else:
            found.append(character)
    return found


def compare(text: str, other: str) -> tuple[Piece, ...]:
    """The text in pieces. Capital and small letters are the same.

    >>> compare("Somchai", "somchay")
    (Piece(text='Somcha', differs=False), Piece(text='i', differs=True))
    """
    own, its = letters(text), letters(other)
    matcher = SequenceMatcher(None, _folded(own), _folded(its), autojunk=False)
    pieces: list[Piece] = []
    for operation, start, end, _, _ in matcher.get_opcodes():
        if end > start:
            pieces.append(Piece("".join(own[start:end]), operation != "equal"))
    return tuple(pieces)


def likeness(text: str, other: str) -> float:
    """0–1: how much of the two texts is the same."""
    return SequenceMatcher(None, _folded(letters(text)), _folded(letters(other)), autojunk=False).ratio()


def _folded(own: Sequence[str]) -> list[str]:
    return [letter.casefold() for letter in own]
