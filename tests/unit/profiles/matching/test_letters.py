"""Where two texts differ, as a person reads letters."""

import doctest
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given

from profiles.matching import letters
from profiles.matching.letters import Piece

TEXTS = st.text(alphabet="abcกขนสมชยใ้าำ ัิ่-12", max_size=14)


def test_examples() -> None:
    assert doctest.testmod(letters).failed == 0


@pytest.mark.parametrize(
    ("text", "other", "marked"),
    [
        ("สมชาย ใจดี", "สมชัย ใจดี", ["ชา"]),
        ("น้ำทิพย์", "นำทิพย์", ["น้ำ"]),
        ("086 345 1972", "086 345 1979", ["2"]),
        ("Somchai", "SOMCHAI", []),
        ("Anna", "", ["Anna"]),
        ("", "Anna", []),
    ],
)
def test_marks_what_differs(text: str, other: str, marked: list[str]) -> None:
    assert [piece.text for piece in letters.compare(text, other) if piece.differs] == marked


@given(TEXTS, TEXTS)
def test_the_pieces_are_the_text(text: str, other: str) -> None:
    pieces = letters.compare(text, other)
    assert "".join(piece.text for piece in pieces) == text
    assert all(some.differs != next_one.differs for some, next_one in pairwise(pieces))
    assert all(piece.text for piece in pieces)


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    long = f"begin {text} end"
    assert letters.compare(long, long) == (Piece(long, False),)
    assert letters.likeness(long, long) == 1
