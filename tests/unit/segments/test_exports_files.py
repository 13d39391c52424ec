"""Rows made into files: tables and workbooks that run nothing and lose nothing."""

import csv
import io
import zipfile
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from segments.exports import writers, xlsx
from segments.exports.cells import harmless
from segments.models import SegmentExport

Kind = SegmentExport.Format
HOSTILE = ["=1+1", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", '=HYPERLINK("http://x")']
# The same behind what nobody sees, and what is a phone number to the eye alone.
HIDDEN = [
    "\n=1", "  =1", "\u3000＝1", "\ufeff=1", "\u200b@SUM(A1)", "\u202e=1", " \t=1", "\x0b=1", "\x00=1", "﹢1", "\t",
    "+6681234567=1", "+66812345678\n", " +66812345678",
]  # fmt: skip
ROWS = [
    ["018f", "สมชาย ใจดี", "+66812345678"],
    ["018g", "=SUM(A1)", "0812345678"],
    ["018h", 'O\'Neil & <b>"x"</b>', "a,b\nc"],
]
HEADER = ["customer_id", "name", "phone"]


def file_of(kind: str, rows: list[list[str]], header: list[str] = HEADER) -> bytes:
    to = io.BytesIO()
    writers.write(to, kind, header, iter(rows), count=len(rows))
    return to.getvalue()


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("＝1", "'＝1"),
        ("+66812345678", "+66812345678"),
        ("+6681234567890123456", "'+6681234567890123456"),
        ("+66812345678\n=1", "'+66812345678\n=1"),
        ("สมชาย", "สมชาย"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(cell: str, written: str) -> None:
    assert harmless(cell) == written


class TestTables:
    def test_every_cell_is_quoted_and_none_is_a_formula(self) -> None:
        written = file_of(Kind.CSV, [*ROWS, *([cell, "", ""] for cell in [*HOSTILE, *HIDDEN])])
        assert written.startswith(b"\xef\xbb\xbf")
        read = list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))
        assert read[0] == HEADER
        assert read[1] == ROWS[0]
        assert read[3] == ROWS[2]
        assert all(row[0].startswith("'") for row in read[4:])

    def test_a_heading_is_none_either(self) -> None:
        """A trait's name is what a source once called it."""
        written = file_of(Kind.CSV, [["1"]], ["=cmd()"])
        assert next(csv.reader(io.StringIO(written.decode("utf-8-sig")))) == ["'=cmd()"]

    def test_what_only_holds_a_sign_stays_as_it_is(self) -> None:
        for cell in ("a=1", "12-3", "น.ส.มานี", " มานี", "+66812345678", "a\n=1", ""):
            assert harmless(cell) == cell

    def test_platforms_get_what_they_ask_for_and_nothing_else(self) -> None:
        assert file_of(Kind.META, [["ab", ""], ["", "cd"]], ["email", "phone"]) == b"email,phone\r\nab,\r\n,cd\r\n"
        assert file_of(Kind.LINE_EMAIL, [["ab"], ["cd"]], []) == b"ab\r\ncd\r\n"

    def test_a_long_table_is_passed_on_in_pieces(self) -> None:
        class Counting(io.BytesIO):
            pieces = 0

            def write(self, data: bytes) -> int:  # type: ignore[override]
                self.pieces += 1
                return super().write(data)

        to = Counting()
        writers.write(to, Kind.CSV, HEADER, (["x" * 100] * 3 for _row in range(5_000)), count=5_000)
        assert to.pieces > 20
        assert len(list(csv.reader(io.StringIO(to.getvalue().decode("utf-8-sig"))))) == 5_001


class TestWorkbooks:
    def sheets(self, written: bytes, folder: Path) -> list[list[list[str]]]:
        path = folder / "list.xlsx"
        path.write_bytes(written)
        book = CalamineWorkbook.from_path(str(path))
        return [book.get_sheet_by_index(n).to_python() for n in range(len(book.sheet_names))]

    def test_what_is_read_is_what_was_written(self, tmp_path: Path) -> None:
        rows = [*ROWS, *([cell, "", "x"] for cell in HOSTILE if cell not in ("\t=1", "\r=1"))]
        (sheet,) = self.sheets(file_of(Kind.XLSX, rows), tmp_path)
        assert sheet == [HEADER, *rows]

    def test_no_cell_is_a_formula_or_a_number(self) -> None:
        with zipfile.ZipFile(io.BytesIO(file_of(Kind.XLSX, [*ROWS, *([cell, "1", "2"] for cell in HOSTILE)]))) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
            styles = book.read("xl/styles.xml").decode()
        assert "<f>" not in sheet
        assert "<v>" not in sheet
        assert sheet.count("<c ") == sheet.count('t="inlineStr"')
        assert 'numFmtId="49"' in styles  # the format "text": what is typed over it stays text

    def test_what_xml_has_no_place_for_is_left_out(self, tmp_path: Path) -> None:
        (sheet,) = self.sheets(file_of(Kind.XLSX, [["a\x00b\x0bc\ufffe", "😀", "]]>&amp;"]]), tmp_path)
        assert sheet[1] == ["abc", "😀", "]]>&amp;"]

    def test_a_cell_that_is_too_long_for_a_workbook_is_cut(self, tmp_path: Path) -> None:
        (sheet,) = self.sheets(file_of(Kind.XLSX, [["x" * 40_000, "", ""]]), tmp_path)
        assert len(sheet[1][0]) == xlsx.MOST_CHARACTERS

    def test_more_rows_than_a_sheet_takes_go_on_in_the_next(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(xlsx, "MOST_ROWS", 4)
        sheets = self.sheets(file_of(Kind.XLSX, [[str(n), "", ""] for n in range(7)]), tmp_path)
        assert [[row[0] for row in sheet] for sheet in sheets] == [
            ["customer_id", "0", "1", "2"],
            ["customer_id", "3", "4", "5"],
            ["customer_id", "6"],
        ]

    def test_columns_beyond_z(self) -> None:
        header = [f"c{n}" for n in range(30)]
        with zipfile.ZipFile(io.BytesIO(file_of(Kind.XLSX, [], header))) as book:
            sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert 'r="Z1"' in sheet
        assert 'r="AD1"' in sheet
