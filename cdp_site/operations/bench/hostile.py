"""`bench hostile`: files made to do harm, at full size: how soon each has its first verdict, and at what memory.

Each is uploaded in a process of its own, as the browser would send it. The verdict is the message that refuses it, or
what the mapping page shows of its first rows. Nothing of a refused file may be left.
"""

import io
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from cdp_site.operations.bench import child
from cdp_site.operations.bench.measure import Result
from ingestion import imports, sources
from ingestion.files import store, suggest
from ingestion.files.problems import FileProblem
from ingestion.mapping_screen import looking_ahead
from ingestion.models import FileImport, Source

SLUG: Final = "bench-hostile"
BY: Final = "system:bench"
MOST_SECONDS: Final = 2.0
MOST_MEMORY: Final = 512 * 1024**2
GIGABYTE: Final = 1024**3
MEGABYTE: Final = 1024**2
UPLOAD_STEP: Final = 64 * 1024
_ROWS: Final = b"a,b\n" * (MEGABYTE // 4)


@dataclass(frozen=True)
class Case:
    """`write` makes the file; `verdict` is what is to be said of it."""

    name: str
    write: Callable[[IO[bytes]], None]
    verdict: str
    note: str


def run(url: str) -> list[Result]:
    """Two results a case: seconds and memory."""
    if not Source.objects.filter(slug=SLUG).exists():
        sources.create(name="Hostile", slug=SLUG, department=None, kind=Source.Kind.OTHER, by=BY)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        file, data = Path(folder) / "hostile", Path(folder) / "data"
        for case in CASES:
            with file.open("wb") as target:
                case.write(target)
            done = child.measured(
                f"{__name__}.upload",
                str(file),
                environment={"DATABASE_URL": url, "CDP_DATA": str(data), "LOG_LEVEL": "ERROR"},
            )
            if done.value != case.verdict:
                raise RuntimeError(f"{case.name}: {done.value} instead of {case.verdict}")
            results += _results(case, done, file.stat().st_size)
    return results


def _results(case: Case, done: child.Measured, size: int) -> list[Result]:
    note = f"{case.note}, {size / MEGABYTE:,.1f} MB: {case.verdict}"
    common: dict[str, Any] = {
        "goal": 1.0,
        "lower_is_better": True,
        "rounds": 1,
        "limit_name": "the most that is allowed",
    }
    return [
        Result(
            name=f"hostile.{case.name}.seconds",
            value=round(done.seconds, 2),
            unit="s",
            limit=MOST_SECONDS,
            ratio=round(done.seconds / MOST_SECONDS, 3),
            note=note,
            **common,
        ),
        Result(
            name=f"hostile.{case.name}.memory",
            value=round(done.memory / MEGABYTE),
            unit="MB",
            limit=MOST_MEMORY // MEGABYTE,
            ratio=round(done.memory / MOST_MEMORY, 3),
            note=note,
            **common,
        ),
    ]


def upload(path: str) -> str:
    """The first verdict: the code of why the file is refused; or "shown" and the codes of the first rows' problems."""
    before = FileImport.objects.count()
    try:
        received = imports.receive(source=Source.objects.get(slug=SLUG), file_name="hostile", chunks=_sent(path), by=BY)
    except FileProblem as problem:
        if FileImport.objects.count() != before or any(store.folder().iterdir()):
            raise RuntimeError("something of a refused file was left") from problem
        return problem.code
    samples = looking_ahead.samples(received)
    definition = suggest.suggest(received.columns, samples, purpose="")
    rows = looking_ahead.preview(file_import=received, definition=definition)
    problems = sorted({row.problem for row in rows if row.problem})
    imports.cancel(file_import=received, by=BY)
    return " ".join(["shown", *problems])


def _sent(path: str) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while data := file.read(UPLOAD_STEP):
            yield data


# --- the files ------------------------------------------------------------------------------------------------------


def _zip_bomb(target: IO[bytes]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        _fill(archive, "customers.csv", [_ROWS] * (2 * GIGABYTE // len(_ROWS)))


def _gzip_bomb(target: IO[bytes]) -> None:
    pack = zlib.compressobj(1, wbits=31)
    for _ in range(2 * GIGABYTE // len(_ROWS)):
        target.write(pack.compress(_ROWS))
    target.write(pack.flush())


def _zip_of_zips(target: IO[bytes]) -> None:
    inner = io.BytesIO()
    _zip_bomb(inner)
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("customers.zip", inner.getvalue())


def _many_files(target: IO[bytes]) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        for number in range(100_000):
            archive.writestr(f"{number}.csv", b"")


def _one_line(target: IO[bytes]) -> None:
    _write(target, [b"x" * MEGABYTE] * 1024)


def _late_line(target: IO[bytes]) -> None:
    _write(target, [b"id,name\n1,a\n", *[b"x" * MEGABYTE] * 1024])


def _empty_rows(target: IO[bytes]) -> None:
    header = ",".join(f"column {number}" for number in range(300)).encode() + b"\n"
    _write(target, [header, *[(b"," * 299 + b"\n") * 1_000] * 1_000])


def _open_quotes(target: IO[bytes]) -> None:
    _write(target, [b"id,name\n", *[b'"1,never closed\n' * 10_000] * 100])


def _mixed_encodings(target: IO[bytes]) -> None:
    thai = "รหัส,ชื่อ\n", "1,สมชาย\n", "2,สมหญิง\n"
    lines = thai[1].encode() * 3 + thai[2].encode("cp874") + "3,Müller\n".encode("latin-1")
    _write(target, [thai[0].encode(), *[lines * 2_000] * 100])


def _deep_json(target: IO[bytes]) -> None:
    line = b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"\n"
    _write(target, [line] * 200)


def _deep_json_between(target: IO[bytes]) -> None:
    line = b'{"id":"1","a":' + b"[" * 10_000 + b"]" * 10_000 + b"}\n"
    _write(target, [b'{"id":"1","name":"a"}\n', *[line] * 200])


def _empty_sheet(target: IO[bytes]) -> None:
    row = b"<row>" + b"<c/>" * 300 + b"</row>"
    _workbook(target, [b"<sheetData>", *[row * 1_000] * 1_000, b"</sheetData>"])


def _sparse_sheet(target: IO[bytes]) -> None:
    cell = b'<row r="%d"><c r="%s%d" t="n"><v>1</v></c></row>'
    _workbook(target, [b"<sheetData>", cell % (1, b"A", 1), cell % (1_048_576, b"KN", 1_048_576), b"</sheetData>"])


def _shared_strings(target: IO[bytes]) -> None:
    cell = b'<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData>'
    _workbook(target, [cell], strings=[b"<si><t>", *[b"a" * MEGABYTE] * 1024, b"</t></si>"])


def _lying_workbook(target: IO[bytes]) -> None:
    """The list of files says that the shared strings are small."""
    buffer = io.BytesIO()
    _shared_strings(buffer)
    data = bytearray(buffer.getvalue())
    stated = data.index(b"xl/sharedStrings.xml", data.index(b"PK\x01\x02")) - 46 + 24
    data[stated : stated + 4] = struct.pack("<I", 1_000)
    target.write(data)


def _external_links(target: IO[bytes]) -> None:
    cells = b'<c r="A%d" t="str"><v>id%d</v></c><c r="B%d" t="str"><f>[1]Sheet1!A1</f><v>kept</v></c>'
    header = b'<row r="1"><c r="A1" t="str"><v>id</v></c><c r="B1" t="str"><v>name</v></c></row>'
    rows = [header, *[b'<row r="%d">' % n + cells % (n, n, n) + b"</row>" for n in range(2, 1_000)]]
    link = b'<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>'
    _workbook(target, [b"<sheetData>", *rows, b"</sheetData>"], more={"xl/externalLinks/externalLink1.xml": link})


_LAUGHS: Final = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))


def _entities(target: IO[bytes]) -> None:
    cell = b'<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData>'
    doctype = b'<!DOCTYPE sst [<!ENTITY l0 "laugh">' + _LAUGHS + b"]>"
    _workbook(target, [cell], strings=[b"<si><t>&l9;</t></si>"], doctype=doctype)


def _external_entity(target: IO[bytes]) -> None:
    cell = b'<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData>'
    doctype = b'<!DOCTYPE sst [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
    _workbook(target, [cell], strings=[b"<si><t>&secret;</t></si>"], doctype=doctype)


def _climbing_name(target: IO[bytes]) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("../../../../etc/cron.d/customers.csv", b"id,name\n1,a\n")


def _overlapping(target: IO[bytes]) -> None:
    """A thousand names in the list of files for one packed file (Fifield's bomb)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0000.csv", _ROWS)
    data = buffer.getvalue()
    start, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    entry = data[start:end]
    entries = b"".join(entry.replace(b"0000.csv", b"%04d.csv" % n) for n in range(1_000))
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1_000, 1_000, len(entries), start, 0)
    target.write(data[:start] + entries + tail)


def _write(target: IO[bytes], pieces: list[bytes]) -> None:
    for piece in pieces:
        target.write(piece)


def _fill(archive: zipfile.ZipFile, name: str, pieces: list[bytes]) -> None:
    with archive.open(name, "w", force_zip64=True) as part:
        for piece in pieces:
            part.write(piece)


_MAIN: Final = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONSHIPS: Final = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'


def _workbook(
    target: IO[bytes],
    sheet: list[bytes],
    *,
    strings: Sequence[bytes] = (),
    more: dict[str, bytes] | None = None,
    doctype: bytes = b"",
) -> None:
    parts = {
        "[Content_Types].xml": b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": b'%s<Relationship Id="r1" Type="%s/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        % (_PACKAGE, _RELATIONSHIPS),
        "xl/workbook.xml": b'<workbook %s xmlns:r="%s"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets>'
        b"</workbook>" % (_MAIN, _RELATIONSHIPS),
        "xl/_rels/workbook.xml.rels": b'%s<Relationship Id="r1" Type="%s/worksheet" Target="worksheets/sheet1.xml"/>'
        b"</Relationships>" % (_PACKAGE, _RELATIONSHIPS),
        **(more or {}),
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        _fill(archive, "xl/worksheets/sheet1.xml", [b"<worksheet %s>" % _MAIN, *sheet, b"</worksheet>"])
        _fill(archive, "xl/sharedStrings.xml", [doctype, b"<sst %s>" % _MAIN, *strings, b"</sst>"])


CASES: Final = (
    Case("zip_bomb", _zip_bomb, "bomb", "2 GB of rows in a zip"),
    Case("gzip_bomb", _gzip_bomb, "bomb", "2 GB of rows in a gzip file"),
    Case("zip_of_zips", _zip_of_zips, "nested", "a zip bomb in a zip"),
    Case("many_files", _many_files, "many_files", "100,000 files in a zip"),
    Case("long_line", _one_line, "long_line", "one line of 1 GB"),
    Case("late_long_line", _late_line, "long_line", "1 GB without a line's end behind good rows"),
    Case("empty_rows", _empty_rows, "no_rows", "300 columns, 1,000,000 empty rows"),
    Case("open_quotes", _open_quotes, "shown unclosed_quote", "1,000,000 quotation marks, none closed"),
    Case("mixed_encodings", _mixed_encodings, "shown encoding", "UTF-8, TIS-620 and Latin-1 by turns"),
    Case("deep_json", _deep_json, "not_json_lines", "JSON 10,000 deep"),
    Case("deep_json_between", _deep_json_between, "shown not_json", "JSON 10,000 deep behind a good row"),
    Case("xlsx_empty_rows", _empty_sheet, "sheet_too_large", "XLSX of 300 columns, 1,000,000 empty rows"),
    Case("xlsx_sparse", _sparse_sheet, "sheet_too_large", "XLSX with a cell in the last of 1,048,576 rows"),
    Case("xlsx_shared_strings", _shared_strings, "bomb", "XLSX with a shared string of 1 GB"),
    Case("xlsx_lying", _lying_workbook, "bomb", "the same, with a list of files that says 1 kB"),
    Case("xlsx_external_links", _external_links, "shown", "XLSX whose cells refer to another file"),
    Case("xlsx_entities", _entities, "damaged_archive", "XLSX with an entity that grows to 5 GB"),
    Case("xlsx_external_entity", _external_entity, "damaged_archive", "XLSX whose entity is a file of this machine"),
    Case("zip_climbing", _climbing_name, "shown", "a zip whose file's name climbs out of every folder"),
    Case("zip_overlapping", _overlapping, "many_files", "a zip with 1,000 names for one packed file"),
)
