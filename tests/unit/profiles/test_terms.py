"""What a search term may be."""

import pytest

from profiles.terms import read


@pytest.mark.parametrize(
    ("term", "last_four"),
    [
        ("1972", "1972"),
        ("•••• 1972", "1972"),
        ("xxx-xxx-1972", "1972"),
        ("๑๙๗๒", "1972"),
        ("x1972", "1972"),
        ("19721", None),
        ("197", None),
        ("A1972", None),
    ],
)
def test_four_digits_may_end_a_phone_number(term: str, last_four: str | None) -> None:
    assert read(term)[0].last_four == last_four


def test_a_number_is_read_as_it_is_said() -> None:
    assert {"so-2026-77", "SO-2026-77"} <= set(read("# so-2026-77")[0].numbers)
    assert "SO202677" in read("so 2026 77")[0].numbers


def test_the_other_keyboard_layout_comes_second() -> None:
    typed, meant = read("l,=kp")
    assert not typed.is_retyped
    assert meant.is_retyped
    assert [word.token for word in meant.words] == ["สมชาย"]


@pytest.mark.parametrize("term", ["", "   ", "\u200b\u202e", "\x00"])
def test_nothing_that_can_be_seen_is_no_term(term: str) -> None:
    assert read(term) == []


def test_a_long_term_is_cut() -> None:
    (reading,) = read("ก" * 10_000)
    assert len(reading.numbers[0]) == 200
    assert len(reading.words[0].token) == 80
