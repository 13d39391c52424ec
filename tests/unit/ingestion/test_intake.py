"""Packed files and workbooks: unpacked on the way in, under caps, and nothing is left of what is refused."""

import datetime
import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import pytest
import xlsxwriter

from ingestion.files import intake, readers, store
from ingestion.files.archives import Packing
from ingestion.files.codes import FileCode
from ingestion.files.intake import Receiver, Taken
from ingestion.files.problems import FileProblem

TEXT = "รหัส,ชื่อ\nP1,สมชาย\nP2,สมหญิง\n"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, settings):
    settings.CDP_DATA = tmp_path


def taken(data: bytes, *, step: int = 1_000) -> Taken:
    with Receiver() as receiver:
        for at in range(0, len(data), step):
            receiver.write(data[at : at + step])
        return receiver.take()


def refused(data: bytes, *, step: int = 64 * 1024) -> str:
    with pytest.raises(FileProblem) as caught:
        taken(data, step=step)
    assert str(caught.value.message)
    assert list(store.folder().iterdir()) == []
    return caught.value.code


def content(file: Taken) -> bytes:
    return b"".join(store.read(file.stored.name))


def cells(file: Taken) -> list[list[str]]:
    return [row.cells for row in readers.read(store.read(file.stored.name), file.form)]


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def workbook(fill: Callable[[xlsxwriter.Workbook], None]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    fill(book)
    book.close()
    return buffer.getvalue()


def changed(data: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with one of its parts exchanged."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return zipped({name: change(archive.read(name)) if name == part else archive.read(name)
                       for name in archive.namelist()})  # fmt: skip


class TestPacked:
    @pytest.mark.parametrize("step", [1, 3, 4, 1_000])
    def test_gzip_is_unpacked_while_it_comes(self, step):
        file = taken(gzip.compress(TEXT.encode("cp874")), step=step)

        assert (file.packing, file.form.encoding) == (Packing.GZIP, "cp874")
        assert content(file) == TEXT.encode("cp874")
        assert [path.suffix for path in store.folder().iterdir()] == [".sealed"]

    def test_several_members_are_one_file(self):
        parts = TEXT.encode().splitlines(keepends=True)

        assert content(taken(b"".join(map(gzip.compress, parts)) + b"\0" * 512)) == TEXT.encode()

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_a_zip_gives_its_one_file(self, method):
        file = taken(zipped({"data/ลูกค้า.csv": TEXT.encode(), "__MACOSX/data/._ลูกค้า.csv": b"x"}, method))

        assert (file.packing, content(file)) == (Packing.ZIP, TEXT.encode())
        assert len(list(store.folder().iterdir())) == 1

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
    def test_utf16_becomes_utf8(self, encoding):
        text = "id\tชื่อ\n1\tสมชาย\n"
        for data in (text.encode(encoding), gzip.compress(text.encode(encoding))):
            file = taken(data, step=3)
            assert (file.form.encoding, file.form.delimiter) == ("utf-8", "\t")
            assert cells(file) == [["1", "สมชาย"]]

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (zipped({}), FileCode.EMPTY),
            (zipped({"a.csv": b""}), FileCode.EMPTY),
            (zipped({"a.csv": b"a,b\n1,2\n", "b.csv": b"a,b\n1,2\n"}), FileCode.MANY_FILES),
            (zipped({f"{n}": b"" for n in range(40_000)}), FileCode.MANY_FILES),
            (zipped({"a.zip": zipped({"a.csv": TEXT.encode()})}), FileCode.NESTED),
            (zipped({"a.csv.gz": gzip.compress(TEXT.encode())}), FileCode.NESTED),
            (gzip.compress(gzip.compress(TEXT.encode())), FileCode.NESTED),
            (gzip.compress(zipped({"a.csv": TEXT.encode()})), FileCode.NESTED),
            (zipped({"a.csv": TEXT.encode()})[:-30], FileCode.DAMAGED_ARCHIVE),
            (gzip.compress(TEXT.encode() * 50)[:-9], FileCode.DAMAGED_ARCHIVE),
            (b"\x1f\x8b\x08 no gzip", FileCode.DAMAGED_ARCHIVE),
            (zipped({"a.csv": TEXT.encode() * 9}, zipfile.ZIP_LZMA), FileCode.DAMAGED_ARCHIVE),
            (gzip.compress(b"a,b\n" + b"1,2\n" * 8_000_000), FileCode.BOMB),
            (zipped({"a.csv": b"a,b\n" + b"1,2\n" * 8_000_000}), FileCode.BOMB),
            (gzip.compress(b"x" * 3_000_000), FileCode.LONG_LINE),
        ],
    )  # fmt: skip
    def test_what_cannot_be_taken_says_why_and_leaves_nothing(self, data, code):
        assert refused(data) == code

    def test_a_locked_zip(self):
        data = bytearray(zipped({"a.csv": TEXT.encode()}))
        for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            data[data.index(signature) + flags] |= 1

        assert refused(bytes(data)) == FileCode.LOCKED

    def test_an_archive_that_lies_about_its_size_gives_no_more_than_it_said(self):
        data = bytearray(zipped({"a.csv": b"a,b\n" + b"1,2\n" * 1_000_000}))
        size = data.index(b"PK\x01\x02") + 24
        data[size : size + 4] = struct.pack("<I", 1_000)

        assert refused(bytes(data)) == FileCode.DAMAGED_ARCHIVE

    def test_the_unpacked_file_has_the_limit_of_any_file(self, settings):
        settings.IMPORT_MAX_BYTES = 10_000

        assert refused(gzip.compress(b"a,b\n" * 3_000)) == FileCode.TOO_LARGE
        assert refused(zipped({"a.csv": b"a,b\n" * 3_000})) == FileCode.TOO_LARGE


def moment(day: int, hour: int = 0, minute: int = 0) -> datetime.datetime:
    """As cells hold it: of no time zone."""
    return datetime.datetime.combine(datetime.date(2026, 1, day), datetime.time(hour, minute))


def customers(book: xlsxwriter.Workbook) -> None:
    book.add_worksheet("ว่าง")
    sheet = book.add_worksheet("ลูกค้า")
    rows = [
        ["id", "phone", "shown", "born", "at", "spent", "long", "member", "note"],
        ["P1", "0812345678", 812345678, datetime.date(1990, 2, 1), moment(2, 13, 5), 12.5,
         110170065432123, True, "two\nlines"],
        [],
        ["P2", "+66 81", 912345678, datetime.date(2533, 1, 1), moment(2), 0.1 + 0.2, 1e20, False, ""],
    ]  # fmt: skip
    formats = {2: "0000000000", 3: "dd/mm/yyyy", 4: "d/m/yy h:mm"}
    for number, row in enumerate(rows):
        for place, value in enumerate(row):
            style = book.add_format({"num_format": formats[place]}) if place in formats else None
            writes_date = isinstance(value, datetime.date)
            (sheet.write_datetime if writes_date else sheet.write)(number, place, value, style)
    book.add_worksheet("อื่น").write_column(1, 1, ["a", "b"])
    book.add_worksheet("hidden").hide()


class TestWorkbook:
    def test_the_first_sheet_with_anything_on_it_as_a_person_sees_it(self):
        file = taken(workbook(customers))

        assert (file.packing, file.sheet, file.sheets) == (Packing.WORKBOOK, "ลูกค้า", ("ว่าง", "ลูกค้า", "อื่น"))
        assert (file.form.format, file.form.has_header) == ("csv", True)
        assert cells(file) == [
            ["P1", "0812345678", "0812345678", "1990-02-01", "2026-01-02 13:05:00", "12.5", "110170065432123", "TRUE",
             "two lines"],
            ["P2", "+66 81", "0912345678", "2533-01-01", "2026-01-02", "0.3", "100000000000000000000", "FALSE", ""],
        ]  # fmt: skip
        lines = [row.line for row in readers.read(store.read(file.stored.name), file.form)]
        assert lines == [2, 4]  # the rows' numbers in the workbook

    def test_another_sheet_can_be_chosen_while_the_workbook_is_kept(self):
        file = taken(workbook(customers))

        other = intake.read_sheet(file.original, name="อื่น")

        assert content(other) == b"\na\nb\n"
        with pytest.raises(FileProblem) as caught:
            intake.read_sheet(file.original, name="nothing")
        assert caught.value.code == FileCode.NO_SHEET

    def test_of_a_workbook_with_one_sheet_only_its_rows_are_kept(self):
        file = taken(workbook(lambda book: book.add_worksheet().write_column(0, 0, ["id", "P1"])))

        assert file.original == ""
        assert [path.stem for path in store.folder().iterdir()] == [file.stored.name]

    def test_links_to_other_files_are_not_followed(self):
        def linked(book: xlsxwriter.Workbook) -> None:
            sheet = book.add_worksheet()
            sheet.write_column(0, 0, ["id", "P1"])
            sheet.write(0, 1, "name")
            sheet.write_formula(1, 1, "='[http://127.0.0.1:9/x.xlsx]Sheet1'!A1", None, "kept value")

        assert cells(taken(workbook(linked))) == [["P1", "kept value"]]

    def test_nothing_on_any_sheet(self):
        assert refused(workbook(lambda book: book.add_worksheet())) == FileCode.EMPTY

    def test_a_sheet_that_packs_a_bomb(self):
        data = workbook(lambda book: book.add_worksheet().write(0, 0, "id"))
        bomb = changed(data, "xl/worksheets/sheet1.xml", lambda part: part + b" " * 40_000_000)

        assert refused(bomb) == FileCode.BOMB

    def test_a_part_that_is_larger_than_it_says(self):
        data = workbook(lambda book: book.add_worksheet().write(0, 0, "id"))
        bomb = bytearray(changed(data, "xl/sharedStrings.xml", lambda part: part + b" " * 9_000_000))
        size = bomb.index(b"xl/sharedStrings.xml", bomb.index(b"PK\x01\x02")) - 46 + 24
        bomb[size : size + 4] = struct.pack("<I", 1_000)

        assert refused(bytes(bomb)) == FileCode.BOMB

    def test_more_cells_than_there_is_memory(self, settings):
        settings.IMPORT_WORKBOOK_MEMORY = 128 * 1024**2

        def sparse(book: xlsxwriter.Workbook) -> None:
            sheet = book.add_worksheet()
            sheet.write(0, 0, "id")
            sheet.write(1_048_575, 299, "far away")

        assert refused(workbook(sparse)) == FileCode.SHEET_TOO_LARGE

    def test_a_damaged_sheet(self):
        data = workbook(lambda book: book.add_worksheet().write(0, 0, "id"))

        assert refused(changed(data, "xl/worksheets/sheet1.xml", lambda part: part[:200])) in (
            FileCode.DAMAGED_ARCHIVE, FileCode.EMPTY,
        )  # fmt: skip
        assert refused(changed(data, "xl/workbook.xml", lambda _part: b"<nothing/>")) in (
            FileCode.DAMAGED_ARCHIVE, FileCode.EMPTY,
        )  # fmt: skip


@pytest.mark.parametrize("name", ["Book1.xls", "locked.xlsx"])
def test_what_excel_packs_otherwise_is_named(name):
    assert refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2_000) == FileCode.SPREADSHEET


def test_reading_anywhere_in_a_stored_file():
    data = zlib.compress(b"".join(b"%d\n" % number for number in range(900_000)), level=0)
    with store.Writer() as writer:
        writer.write(data)
        name = writer.finish().name

    with store.Seekable(name, longest_read=2_000_000) as file:
        for at, size in ((0, 10), (1_048_570, 20), (len(data) - 5, 100), (2_097_152, 1_500_000)):
            file.seek(at)
            assert file.read(size) == data[at : at + size]
        file.seek(0)
        with pytest.raises(store.TooLongReadError):
            file.read()
