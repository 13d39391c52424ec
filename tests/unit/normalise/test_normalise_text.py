"""What cannot be stored, and what every text loses before it is read."""

from typing import Any

import pytest

from ingestion.normalise.text import MAX_DEPTH, clean, is_blank, unusable, without_accents
from ingestion.normalise.values import Problem


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"traits": {"name": "A\x00B"}}, Problem.NUL_BYTE),
        ({"a\x00": 1}, Problem.NUL_BYTE),
        (["ok", {"a": ["\ud83d"]}], Problem.LONE_SURROGATE),
        ({"\udc00": None}, Problem.LONE_SURROGATE),
        ({"total": float("nan")}, Problem.NOT_A_NUMBER),
        ([float("-inf")], Problem.NOT_A_NUMBER),
        (nested(MAX_DEPTH + 1), Problem.TOO_DEEP),
        (nested(200_000), Problem.TOO_DEEP),
    ],
)
def test_unusable(value: Any, problem: Problem) -> None:
    assert unusable(value) is problem


@pytest.mark.parametrize(
    "value", [None, 1, True, "สวัสดี 😀", {"a": [1, 2.5, {"b": "ปกติ"}]}, nested(MAX_DEPTH), "\\u0000 written out"]
)
def test_usable(value: Any) -> None:
    assert unusable(value) is None


def test_nesting_too_deep_to_free_is_no_matter_of_ours() -> None:
    """Only 64 levels are walked, however many follow."""
    assert unusable({"a": nested(100_000)}) is Problem.TOO_DEEP


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  Ann   Lee\t", "Ann Lee"),
        ("\ufeffรหัส", "รหัส"),
        ("สม\u200bชาย", "สมชาย"),
        ("a\u00a0b\r\nc", "a b c"),
        ("e\u0301", "é"),
        ("\u202eabc", "abc"),
        ("A\x00B", "AB"),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_blank() -> None:
    assert is_blank(" \u200b\x08\n")
    assert not is_blank(" .")


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Müller", "Muller"), ("Łódź", "Lodz"), ("Straße", "Strasse"), ("สมชาย น้ำ", "สมชาย น้ำ"), ("й", "й"),
     ("a\u0e48", "a"), ("ก\u0e48\u0e38", "ก\u0e38\u0e48"), ("น้ำ é", "น้ำ e")],
)  # fmt: skip
def test_without_accents(text: str, plain: str) -> None:
    assert without_accents(text) == plain
