"""A text that was typed with the other keyboard layout."""

import pytest

from ingestion.normalise.keyboard import retyped


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("l,=kp", "สมชาย"),
        ("l,=kp .0fu", "สมชาย ใจดี"),
        ("หนทแ้ฟร", "somchai"),
        ("จคุ-ภถๅตึ/", "0863451972"),
        ("ทจจจจภ/", "m000042"),
    ],
)
def test_is_read_as_the_same_keys_write_it(typed: str, meant: str) -> None:
    assert retyped(typed) == meant


@pytest.mark.parametrize(
    "typed", ["Somchai", "James", "smith", "0863451972", "0834", "M000042", "SO-2026-77", "สมชาย", "", "😀"]
)
def test_what_makes_no_sense_on_the_other_layout_is_left_alone(typed: str) -> None:
    assert retyped(typed) is None
