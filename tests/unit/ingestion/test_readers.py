"""Rows of files: nothing swallowed, every broken one with its line, resumable anywhere, bounded in memory."""

import tracemalloc

import pytest

from ingestion.files import detect, readers
from ingestion.files.codes import FileCode, RowProblem
from ingestion.files.detect import Probe
from ingestion.files.problems import FileProblem
from ingestion.files.readers import Position, Row


def detected(data: bytes) -> detect.Detected:
    probe = Probe()
    for at in range(0, len(data), 1000):
        probe.feed(data[at : at + 1000])
    return probe.verdict()


def rows(data: bytes, *, size: int = 7, start: Position | None = None, form: detect.Detected | None = None) -> list:
    offset = start.offset if start else 0
    chunks = (data[at : at + size] for at in range(offset, len(data), size))
    return list(readers.read(chunks, form or detected(data), start))


def told(found: list) -> list:
    return [(item.line, item.cells if isinstance(item, Row) else item.problem) for item in found]


THAI = "รหัส,ชื่อ-สกุล\nP1,สมชาย ใจดี\nP2,สมหญิง รักเรียน\n"


@pytest.mark.parametrize(
    ("data", "encoding"),
    [(THAI.encode(), "utf-8"), (b"\xef\xbb\xbf" + THAI.encode(), "utf-8-sig"), (THAI.encode("cp874"), "cp874")],
)
def test_the_encodings_of_thai_files(data, encoding):
    form = detected(data)

    assert (form.format, form.encoding, form.columns) == ("csv", encoding, ("รหัส", "ชื่อ-สกุล"))
    assert told(rows(data)) == [(2, ["P1", "สมชาย ใจดี"]), (3, ["P2", "สมหญิง รักเรียน"])]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter):
    data = f'a{delimiter}b{delimiter}c\n1{delimiter}"x{delimiter},;y"{delimiter}3\n'.encode()

    assert detected(data).delimiter == delimiter
    assert told(rows(data)) == [(2, ["1", f"x{delimiter},;y", "3"])]


def test_without_a_header_the_columns_are_numbered():
    data = b"P1,081-234-5678\nP2,\n"

    assert detected(data).columns == ("column 1", "column 2")
    assert told(rows(data)) == [(1, ["P1", "081-234-5678"]), (2, ["P2", ""])]


def test_equal_and_empty_headers_get_names_of_their_own():
    assert detected(b"name,phone,,phone \n,,,\nx,y,z,0\n").has_header is False
    assert detect.column_names(["name", "phone", "", "phone "], has_header=True) == (
        "name", "phone", "column 3", "phone (4)",
    )  # fmt: skip


def test_json_lines_and_their_paths():
    data = (
        b'{"id": "1", "traits": {"phone": "081"}, "F": [{"N": "a"}, {"P": 1}], "empty": {}}\n'
        b'\n{"id": "2"}\r\n[1]\nnope\n'
    )

    assert detected(data).columns == ("id", "traits.phone", "F[].N", "F[].P", "empty")
    assert told(rows(data)) == [
        (1, {"id": "1", "traits": {"phone": "081"}, "F": [{"N": "a"}, {"P": 1}], "empty": {}}),
        (3, {"id": "2"}),
        (4, RowProblem.NOT_OBJECT),
        (5, RowProblem.NOT_JSON),
    ]


def test_broken_rows_are_named_and_the_others_stay():
    data = b"a,b\n1,2\n3\n4,5,6\n7,8,\n9,\0\n\n10,\xff\n11,12\n"

    assert told(rows(data, form=detected(b"a,b\n1,2\n"))) == [
        (2, ["1", "2"]),
        (3, RowProblem.COLUMNS),
        (4, RowProblem.COLUMNS),
        (5, ["7", "8"]),
        (6, RowProblem.NUL),
        (8, RowProblem.ENCODING),
        (9, ["11", "12"]),
    ]


def test_a_quoted_cell_may_hold_line_breaks_and_quotes():
    data = b'a,b\r\n1,"two\r\nlines, ""quoted"""\r\n5" pipe,2\r\n'

    assert told(rows(data)) == [(2, ["1", 'two\r\nlines, "quoted"']), (4, ['5" pipe', "2"])]


def test_an_unclosed_quote_costs_one_row():
    data = b'a,b\n1,"open\n2,3\n"4","5"\n6,7\n'

    found = told(rows(data))

    assert (2, RowProblem.UNCLOSED_QUOTE) in found
    assert [cells for _line, cells in found if isinstance(cells, list)][-2:] == [["4", "5"], ["6", "7"]]


def test_text_behind_a_closing_quote_is_broken():
    assert told(rows(b'a,b\n"1"x,2\n3,4\n')) == [(2, RowProblem.QUOTE), (3, ["3", "4"])]


def test_quotes_that_are_never_closed_end_soon():
    data = b"a,b\n" + b'"1,2\n' * 3_000

    found = rows(data, size=64 * 1024)

    assert len(found) == 3_000
    assert {item.problem for item in found} == {RowProblem.UNCLOSED_QUOTE}


def test_reading_resumes_behind_any_row():
    data = b'\xef\xbb\xbfa,b\n1,2\n"3\nx",4\nbad\n\n5,6\n7,"8\n9,10\n'
    form = detected(data)
    everything = rows(data, form=form)

    for index, row in enumerate(everything):
        assert told(rows(data, start=row.end, form=form, size=3)) == told(everything[index + 1 :])


def test_a_line_of_100_mb_is_passed_over_without_being_held():
    tracemalloc.start()
    block = b"x" * 1024 * 1024
    chunks = [b'{"a": 1}\n', *[block] * 100, b'\n{"a": 2}\n']

    found = told(list(readers.read(iter(chunks), detected(b'{"a": 1}\n'))))

    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [(1, {"a": 1}), (2, RowProblem.TOO_LONG), (3, {"a": 2})]
    assert peak < 8 * 1024 * 1024


def test_a_file_of_one_100_mb_line_is_refused_after_its_first_mb():
    probe = Probe()
    blocks = iter([b"x" * 64 * 1024] * 1_600)

    with pytest.raises(FileProblem) as caught:
        any(probe.feed(block) for block in blocks)

    assert caught.value.code == FileCode.LONG_LINE
    assert len(list(blocks)) == 1_600 - 17


def test_a_line_without_an_end_is_refused_wherever_it_stands():
    probe = Probe()
    probe.feed(b"a,b\n1,2\n")
    blocks = iter([b"x" * 64 * 1024] * 1_600)

    with pytest.raises(FileProblem) as caught:
        any(probe.feed(block) for block in blocks)

    assert caught.value.code == FileCode.LONG_LINE
    assert len(list(blocks)) == 1_600 - 257


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", FileCode.EMPTY),
        (b"\xef\xbb\xbf\r\n \n", FileCode.EMPTY),
        (b"a,b\n", FileCode.NO_ROWS),
        (b"a,b\n" + b",\n" * 200_000, FileCode.NO_ROWS),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, FileCode.NOT_JSON_LINES),
        (b"\xd0\xcf\x11\xe0", FileCode.SPREADSHEET),
        (b"a\0b,c\n", FileCode.BINARY),
        (b'[\n{"a": 1}]', FileCode.JSON_ARRAY),
        ("name,city\nMüller,Genève\nJosé,Málaga\n".encode("cp1252"), FileCode.ENCODING),
    ],
)
def test_a_file_that_cannot_be_taken_says_why(data, code):
    with pytest.raises(FileProblem) as caught:
        detected(data)

    assert caught.value.code == code
    assert str(caught.value.message)


def test_of_mixed_encodings_the_majority_is_read():
    data = THAI.encode() + "P3,สมศักดิ์\n".encode("cp874") + "P4,มานี\n".encode()

    assert detected(data).encoding == "utf-8"
    assert told(rows(data))[2:] == [(4, RowProblem.ENCODING), (5, ["P4", "มานี"])]


def test_thai_that_begins_late_is_still_seen():
    data = b"id,name\n" + b"1,John\n" * 60_000 + "2,สมชาย\n".encode("cp874")

    assert detected(data).encoding == "cp874"
