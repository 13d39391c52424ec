"""One spelling for a Thai word, and the order of the dictionary."""

import random
import re

import pytest
from pythainlp.corpus import thai_family_names, thai_female_names, thai_male_names
from pythainlp.util import collate, normalize

from ingestion.normalise.thai import ascii_digits, is_thai, normalise_thai, sort_key, without_tones


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("นํ้า", "น้ำ"),  # nikhahit, tone mark, sara aa
        ("เเก้ว", "แก้ว"),
        ("สม\u200bชาย", "สมชาย"),
        ("พ่ีสาว", "พี่สาว"),  # tone mark before the vowel
        ("นานาาา", "นานา"),
        ("  สมชาย   ใจดี ", "สมชาย ใจดี"),
        ("ิพรพัฒน์", "พรพัฒน์"),  # a vowel with no letter under it
        ("สมชาย", "สมชาย"),
        ("Somchai", "Somchai"),
    ],
)
def test_normalise(written: str, normal: str) -> None:
    assert normalise_thai(written) == normal


def test_a_text_that_is_left_alone_is_one_that_the_library_leaves_alone() -> None:
    for name in sorted(thai_male_names() | thai_female_names() | thai_family_names()):
        assert normalise_thai(name) == normalize(name), name


def test_a_run_of_marks_costs_nothing() -> None:
    """The library needs 7 s for it; no name is as long."""
    hostile = "่" * 32_000
    assert normalise_thai(hostile) == hostile


def test_digits_and_script() -> None:
    assert ascii_digits("๐๘๑-๒๓๔ x 5") == "081-234 x 5"
    assert is_thai("Khun สมชาย")
    assert is_thai("๑")
    assert not is_thai("Somchai")
    assert not is_thai("王伟 Müller")


def test_search_ignores_tone_marks() -> None:
    assert without_tones("น้ำผึ้ง") == without_tones("นำผึ๋ง") == "นำผึง"


def test_sort_key_orders_like_the_dictionary() -> None:
    words = ["ไก่", "เกิด", "กาล", "เป็ด", "หมู", "วัว", "วันที่", "แก้ว", "โอภาส", "อารี"]
    assert sorted(words, key=sort_key) == collate(words)
    # Of words that differ in marks alone the library looks at the first mark, we at all: such are left out.
    by_letters = {re.sub("[็-์]", "", name): name for name in thai_female_names()}
    names = random.Random(7).sample(sorted(by_letters.values()), 2_000)
    assert sorted(names, key=sort_key) == collate(names)


def test_latin_sorts_before_thai_without_case_and_accents() -> None:
    assert sorted(["สม", "bob", "Émile", "Eve", "alice"], key=sort_key) == ["alice", "bob", "Émile", "Eve", "สม"]
