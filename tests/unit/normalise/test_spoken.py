"""Names as they sound: the spellings of one name meet, in either script."""

import pytest

from ingestion.normalise.spoken import sound, spoken


@pytest.mark.parametrize(
    ("thai", "latin"),
    [
        ("วงศ์มณี", "Wongmanee"),
        ("วงศมณี", "Vongmani"),
        ("ประเสริฐ", "Prasert"),
        ("ธนกร", "Thanakorn"),
        ("ธีรพล", "Teerapon"),
        ("ศักดิ์สิทธิ์", "Saksit"),
        ("จันทร์", "Chan"),
        ("พงษ์ทอง", "Phongthong"),
    ],
)
def test_both_scripts_sound_the_same(thai: str, latin: str) -> None:
    assert sound(thai) == sound(latin.lower())


def test_a_part_is_known_only_where_nothing_hangs_on_it() -> None:
    assert spoken("วรรณี") == "วรรณี"
    assert spoken("สุวรรณ") == "สุวัน"


def test_other_scripts_are_left_alone() -> None:
    assert spoken("王伟") == "王伟"
    assert sound("王伟") == ("", "")
