"""Papers as PDF: letters, packages and certificates in Thai and English, with vowels and tone marks in their places.

The fonts lie in `core/fonts` and are embedded: a paper looks the same everywhere. Characters that they do not hold
(other scripts, pictographs) are drawn as an empty box; a paper that has to be exact to the letter has a JSON or HTML
beside it.
"""

import logging
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone

if TYPE_CHECKING:
    from fpdf import FPDF

FONTS = Path(__file__).parent / "fonts"
FAMILY = "Plex"
INK, FAINT, RULE = (28, 33, 40), (95, 104, 115), (205, 210, 216)
MARGIN_MM, LINE_MM, SIZE_PT, SMALL_PT = 18.0, 5.2, 10.0, 8.0
HEADING_PT = {1: 14.0, 2: 11.5}
FACT_LABEL_MM = 52.0
BREAK = "\u200b"  # a line may break here
LONGEST, PIECE = 40, 20  # characters of a value without spaces, and of the pieces that a longer one breaks into

_THAI = re.compile("[\u0e00-\u0e7f]")
_WORDS = re.compile("( )")

logging.getLogger("fontTools").setLevel(logging.WARNING)  # says what it does with each table of a font
logging.getLogger("fpdf").setLevel(logging.ERROR)  # says each character that has no glyph


class Paper:
    """An A4 paper that is written from the top down; `bytes()` ends it.

    Args:
        title: what stands at its head and in its properties.
        language: "th" or "en", for readers that speak it aloud.
        made_at: the day at the foot; the same content and moment give the same bytes.
        footer: one line at the foot of each page, before its number.
    """

    def __init__(self, title: str, language: str, *, made_at: datetime | None = None, footer: str = "") -> None:
        self._pdf = _new_document(footer or settings.COMPANY_NAME)
        self._pdf.set_title(title)
        self._pdf.set_author(settings.COMPANY_NAME)
        self._pdf.set_lang(language)
        self._pdf.set_creation_date(made_at or timezone.now())
        self._pdf.add_page()
        self._write(title, size=18.0, bold=True, line=8.5)
        self._pdf.ln(2)

    def heading(self, text: str, level: int = 1) -> None:
        """A heading of level 1 or 2; it never stands alone at the end of a page."""
        if self._pdf.will_page_break(4 * LINE_MM):
            self._pdf.add_page()
        self._pdf.ln(3)
        self._write(text, size=HEADING_PT[level], bold=True, line=6.5)
        self._pdf.ln(0.5)

    def text(self, text: str) -> None:
        """A paragraph; line feeds in it are kept."""
        self._write(text)
        self._pdf.ln(1.5)

    def small(self, text: str) -> None:
        """A paragraph in small, faint letters: remarks, law, hashes."""
        self._write(text, size=SMALL_PT, ink=FAINT, line=4.2)
        self._pdf.ln(1)

    def facts(self, facts: Iterable[tuple[str, object]]) -> None:
        """Labels with their values, one under the other."""
        width = self._pdf.epw - FACT_LABEL_MM
        for label, value in facts:
            self._table([[label, str(value)]], widths=(FACT_LABEL_MM, width), head=False, rules=False)
        self._pdf.ln(1.5)

    def table(
        self, headings: Sequence[str], rows: Iterable[Sequence[object]], widths: Sequence[float] | None = None
    ) -> None:
        """A table whose headings come again on each page.

        Args:
            widths: shares of the page's width; equal ones when none are given.
        """
        lines = [[*headings], *([str(cell) for cell in row] for row in rows)]
        self._table(lines, widths=widths, head=True, rules=True)
        self._pdf.ln(2)

    def bytes(self) -> bytes:
        """The whole paper."""
        return bytes(self._pdf.output())

    def _write(
        self,
        text: str,
        *,
        size: float = SIZE_PT,
        bold: bool = False,
        ink: tuple[int, int, int] = INK,
        line: float = LINE_MM,
    ) -> None:
        self._pdf.set_font(FAMILY, "B" if bold else "", size)
        self._pdf.set_text_color(*ink)
        self._pdf.multi_cell(0, line, breakable(text), align="L", new_x="LMARGIN", new_y="NEXT")

    def _table(self, rows: list[list[str]], *, widths: Sequence[float] | None, head: bool, rules: bool) -> None:
        from fpdf.fonts import FontFace

        self._pdf.set_font(FAMILY, "", SIZE_PT - 1 if rules else SIZE_PT)
        self._pdf.set_text_color(*INK)
        self._pdf.set_draw_color(*RULE)
        with self._pdf.table(
            first_row_as_headings=head,
            borders_layout="HORIZONTAL_LINES" if rules else "NONE",
            headings_style=FontFace(emphasis="BOLD", color=INK),
            col_widths=tuple(widths) if widths else None,
            text_align="LEFT",
            v_align="TOP",
            line_height=LINE_MM - 0.4,
            padding=(1, 1.5) if rules else (0.4, 1.5, 0.4, 0),
            width=self._pdf.epw,
        ) as table:
            for row in rows:
                cells = table.row()
                for cell in row:
                    cells.cell(breakable(cell))


def breakable(text: str) -> str:
    """The text with places where its lines may break: Thai is written without spaces between words, and long values
    (hashes, addresses) have none at all."""
    return "".join(_broken(line) for line in text.replace("\r\n", "\n").replace("\t", " ").splitlines(keepends=True))


def _broken(line: str) -> str:
    words = _thai_words(line) if _THAI.search(line) else _WORDS.split(line)
    return "".join(
        BREAK.join(word[at : at + PIECE] for at in range(0, len(word), PIECE)) if len(word) > LONGEST else word
        for word in words
    )


@lru_cache(maxsize=4096)
def _thai_words(line: str) -> tuple[str, ...]:
    from pythainlp.tokenize import word_tokenize  # 0.5 s to import

    words = word_tokenize(line, engine="newmm")
    return tuple(word + BREAK if _THAI.search(word) else word for word in words)


def _new_document(footer: str) -> "FPDF":
    from fpdf import FPDF  # 0.5 s to import

    class Document(FPDF):
        def footer(self) -> None:
            self.set_y(-MARGIN_MM + 4)
            self.set_font(FAMILY, "", SMALL_PT)
            self.set_text_color(*FAINT)
            self.cell(0, 4, f"{footer} · {self.page_no()}", align="L")

    document = Document(format="A4")
    document.set_margin(MARGIN_MM)
    document.set_auto_page_break(True, MARGIN_MM)
    document.add_font(FAMILY, "", FONTS / "IBMPlexSansThai-Regular.ttf")
    document.add_font(FAMILY, "B", FONTS / "IBMPlexSansThai-SemiBold.ttf")
    document.set_text_shaping(True)
    return document
