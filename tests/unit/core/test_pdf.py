"""Papers: a PDF that opens, in Thai and English, the same for the same content."""

from datetime import UTC, datetime

import pytest

from cdp_site.core import pdf
from cdp_site.core.pdf import BREAK, Paper, breakable

JANUARY = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def paper(value: str = "ผู้ที่ร้องขอ") -> bytes:
    one = Paper("ใบรับรอง", "th", made_at=JANUARY)
    one.heading("ข้อมูล")
    one.text("ข้อมูลส่วนบุคคลของท่านถูกลบแล้ว")
    one.facts([("Name", value), ("Rows", 3)])
    one.table(["Table", "Rows"], [["orders", 2], ["touchpoints", 40]], (3, 1))
    one.small("PDPA s.33")
    return one.bytes()


def test_a_paper_is_a_pdf_with_its_fonts_and_the_same_for_the_same_content() -> None:
    first = paper()
    assert first.startswith(b"%PDF-")
    assert first.rstrip().endswith(b"%%EOF")
    assert b"IBMPlexSansThai" in first
    assert b"/Lang (th)" in first
    assert paper() == first
    assert paper("someone else") != first


def test_a_long_table_goes_on_with_its_headings() -> None:
    one = Paper("Long", "en", made_at=JANUARY)
    one.table(["Number"], ([number] for number in range(120)))
    assert one.bytes().count(b"/Type /Page\n") > 2


def test_characters_without_a_glyph_are_no_error() -> None:
    one = Paper("漢字 😀 ř", "en", made_at=JANUARY)
    one.text("漢字 😀 \x00 ř")
    assert one.bytes()


@pytest.mark.parametrize("text", ["plain words only", "", "a b\nc"])
def test_text_with_spaces_breaks_at_them(text: str) -> None:
    assert breakable(text) == text


def test_thai_breaks_between_words_and_long_values_anywhere() -> None:
    thai = "ใบรับรองการลบข้อมูล"
    assert breakable(thai).replace(BREAK, "") == thai
    assert BREAK in breakable(thai)
    assert breakable("f" * 64).split(BREAK) == ["f" * 20, "f" * 20, "f" * 20, "f" * 4]


def test_the_fonts_carry_their_licence() -> None:
    assert "SIL Open Font License" in (pdf.FONTS / "LICENSE").read_text()
