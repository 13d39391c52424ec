"""Importing files: received once, resumable, cancellable, the equation exact, nothing half-written."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from cdp_site.core.errors import ConflictProblem
from cdp_site.core.models import AuditEvent, Operation
from ingestion import equation, imports, mappings
from ingestion.equation import Equation
from ingestion.files import importer, mapping, store
from ingestion.files.codes import FileCode, RowProblem
from ingestion.files.problems import FileProblem
from ingestion.health import retention
from ingestion.mapping_screen import looking_ahead
from ingestion.models import FileImport, InboundBatch

pytestmark = pytest.mark.django_db

DEFINITION = {
    "version": 1,
    "rows": "people",
    "fields": [
        {"from": "id", "to": "record_id"},
        {"from": "name", "to": "trait", "name": "name"},
        {"from": "phone", "to": "trait", "name": "phone"},
    ],
}
BY = "system:test"


@pytest.fixture(autouse=True)
def _own_store(tmp_path, settings, monkeypatch):
    settings.CDP_DATA = tmp_path
    monkeypatch.setattr(importer, "CHUNK_ROWS", 500)


@pytest.fixture
def upload(pos) -> Callable[..., FileImport]:
    def send(text: str | bytes, name: str = "members.csv") -> FileImport:
        data = text.encode() if isinstance(text, str) else text
        return imports.receive(source=pos, file_name=name, chunks=[data[:7], data[7:]], by=BY)

    return send


@pytest.fixture
def start(upload) -> Callable[..., FileImport]:
    def begin(text: str | bytes, definition: dict | None = None) -> FileImport:
        return imports.start(file_import=upload(text), definition=definition or DEFINITION, by=BY)

    return begin


def finished(file_import: FileImport) -> FileImport:
    importer.run(str(file_import.pk))
    file_import.refresh_from_db()
    return file_import


def landed(file_import: FileImport | None = None) -> list[dict]:
    batches = InboundBatch.objects.order_by("pk")
    if file_import:
        batches = batches.of_import(file_import)
    return [message for batch in batches for message in json.loads(bytes(batch.raw))]


def rows_of(file_import: FileImport) -> list[str]:
    """What identifies the landed rows within their import."""
    return [message["messageId"].rsplit(":", 1)[1] for message in landed(file_import)]


def people(number: int) -> str:
    return "id,name,phone\n" + "".join(f"P{n},คน ที่{n},08{n:08d}\n" for n in range(number))


def test_a_file_is_landed_row_by_row(start, pos):
    file_import = finished(start(people(1_201)))

    assert (file_import.status, file_import.rows_read, file_import.rows_broken) == ("landed", 1_201, 0)
    assert (file_import.offset, file_import.line) == (file_import.size, 1_202)
    assert equation.of_import(file_import) == Equation(received=1_201, waiting=1_201)
    assert [batch.n_items for batch in InboundBatch.objects.order_by("pk")] == [500, 500, 201]
    assert {(b.door, b.lane, b.operation_id) for b in InboundBatch.objects.all()} == {
        ("file", InboundBatch.Lane.BULK, file_import.operation_id)
    }
    assert Operation.objects.get(pk=file_import.operation_id).kind == Operation.Kind.IMPORT
    first = landed()[0]
    assert first["traits"] == {"name": "คน ที่0", "phone": "0800000000"}
    assert first["cdp"] == {"record": {"external_id": "P0"}, "line": 2}


def test_a_row_of_a_person_is_told_anew_by_each_import(start):
    first = finished(start("id,name,phone\n1,ก,081\n2,ข,082\n"))
    finished(start("id,name,phone\n0,ใหม่,080\n2,ข,089\n1,ก,081\n"))

    ids = [message["messageId"] for message in landed()]
    assert ids[0].startswith(f"row:people:{first.pk.hex}:")
    assert ids[0].rsplit(":", 1)[1] == ids[4].rsplit(":", 1)[1]
    assert len(set(ids)) == 5


def test_an_event_imported_again_is_the_same_message(start):
    events = {
        "version": 1,
        "rows": "events",
        "fields": [{"from": "id", "to": "record_id"}, {"value": "Call Ended", "to": "event"}],
    }
    finished(start("id,name\n1,x\n2,x\n", events))
    finished(start("id,name\n0,x\n2,x\n1,x\n", events))

    ids = [message["messageId"] for message in landed()]
    assert ids[0] == ids[4]
    assert len(set(ids)) == 3


def test_broken_rows_keep_the_others_and_are_listed(start):
    head = "id,name,phone\n1,ก,081\n2,ข\n,ค,083\n4,ง\0,084\n".encode()
    file_import = finished(start(head + b"5,\xff,085\n" + "6,จ,086\n".encode()))

    assert file_import.status == FileImport.Status.LANDED
    assert (file_import.rows_read, file_import.rows_broken) == (6, 4)
    assert file_import.broken_rows == [
        {"line": 3, "code": RowProblem.COLUMNS},
        {"line": 4, "code": RowProblem.NO_ID, "column": "id"},
        {"line": 5, "code": RowProblem.NUL},
        {"line": 6, "code": RowProblem.ENCODING},
    ]
    assert equation.of_import(file_import).received == 2


@pytest.mark.parametrize("where", [1, 2, 3])
def test_a_killed_import_goes_on_where_it_stopped(start, monkeypatch, where):
    clean = rows_of(finished(start(people(1_700))))
    file_import = start(people(1_700))
    chunks = importer._chunks

    def dies(*arguments):
        for number, chunk in enumerate(chunks(*arguments)):
            if number == where:
                raise KeyboardInterrupt
            yield chunk

    monkeypatch.setattr(importer, "_chunks", dies)
    with pytest.raises(KeyboardInterrupt):
        importer.run(str(file_import.pk))
    monkeypatch.undo()

    importer.run(str(file_import.pk))
    file_import.refresh_from_db()
    assert file_import.rows_read == where * 500  # its lease runs: nobody else takes it

    FileImport.objects.filter(pk=file_import.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert finished(file_import).status == FileImport.Status.LANDED
    assert rows_of(file_import) == clean


def test_ordinals_go_on_where_they_stopped(start, monkeypatch):
    events = {
        "version": 1,
        "rows": "events",
        "fields": [{"from": "id", "to": "record_id"}, {"value": "Call Ended", "to": "event"}],
    }
    text = "id,name\n" + "1,x\n" * 1_200
    clean = {message["messageId"] for message in landed(finished(start(text, events)))}
    file_import = start(text, events)

    monkeypatch.setattr(importer, "BUDGET_SECONDS", 0.0)
    while (file_import := finished(file_import)).status != FileImport.Status.LANDED:
        assert file_import.lease_until is None

    assert len(clean) == 1_200
    assert {message["messageId"] for message in landed(file_import)} == clean


def test_the_watchdog_takes_up_dead_imports(start, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks() as callbacks:
        file_import = start(people(1))
        importer.resume_abandoned()
        FileImport.objects.filter(pk=file_import.pk).update(lease_until=timezone.now() + timedelta(minutes=1))
        assert importer.resume_abandoned() == 0
    assert len(callbacks) == 2


def test_an_import_that_kills_its_jobs_ends(start):
    file_import = start(people(1))
    FileImport.objects.filter(pk=file_import.pk).update(attempts=importer.MOST_ATTEMPTS)

    assert (finished(file_import).status, file_import.problem) == ("failed", FileCode.GAVE_UP)


def test_cancelling_stops_between_chunks(start, monkeypatch, steward):
    file_import = start(people(1_200))
    commit = importer._commit

    def cancelled_after_one(held, *chunk):
        commit(held, *chunk)
        imports.cancel(file_import=held, by=steward)

    monkeypatch.setattr(importer, "_commit", cancelled_after_one)

    assert (finished(file_import).status, file_import.rows_read) == ("cancelled", 500)
    assert equation.of_import(file_import).received == 500
    imports.cancel(file_import=file_import, by=steward)
    assert AuditEvent.objects.filter(action="import.cancel").count() == 1


def test_a_file_that_is_mostly_broken_ends_early(start):
    file_import = finished(start("id,name,phone\n" + "x\n" * 5_000))

    assert (file_import.status, file_import.problem) == ("failed", FileCode.MOSTLY_BROKEN)
    assert file_import.rows_read < 1_600
    assert len(file_import.broken_rows) == importer.KEPT_BROKEN


def test_a_file_without_one_good_row_fails(start):
    assert finished(start("id,name,phone\nx\n")).status == FileImport.Status.FAILED


def test_a_file_that_is_gone_fails(start):
    file_import = start(people(3))
    store.remove(file_import.stored_as)

    assert (finished(file_import).status, file_import.problem) == ("failed", FileCode.REMOVED)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", FileCode.EMPTY),
        (b"x" * (1024 * 1024 + 1_000), FileCode.LONG_LINE),
        (b"PK\x03\x04 no zip", FileCode.DAMAGED_ARCHIVE),
        ("name\nMüller é\n".encode("cp1252"), FileCode.ENCODING),
    ],
)
def test_a_file_that_cannot_be_taken_leaves_nothing(upload, data, code):
    with pytest.raises(FileProblem) as caught:
        upload(data)

    assert caught.value.code == code
    assert not FileImport.objects.exists()
    assert list(store.folder().iterdir()) == []


def test_a_file_over_the_limit_is_refused_while_it_comes(pos, settings):
    settings.IMPORT_MAX_BYTES = 1_000

    with pytest.raises(FileProblem) as caught:
        imports.receive(source=pos, file_name="x", chunks=iter([b"a,b\n" * 100] * 10), by=BY)

    assert caught.value.code == FileCode.TOO_LARGE


def test_an_import_starts_once(start):
    file_import = start(people(1))

    with pytest.raises(ConflictProblem):
        imports.start(file_import=file_import, definition=DEFINITION, by=BY)


def test_a_mapping_with_other_columns_is_refused(upload):
    file_import = upload("a,b,c\nx,y,z\n")

    with pytest.raises(mapping.InvalidMapping):
        imports.start(file_import=file_import, definition=DEFINITION, by=BY)
    file_import.refresh_from_db()
    assert file_import.status == FileImport.Status.UPLOADED


def test_mappings_have_versions(pos):
    changed = {**DEFINITION, "date_order": "mdy"}

    first = mappings.save(name="pos", definition=DEFINITION, source=pos, by=BY)
    assert mappings.save(name="pos", definition=DEFINITION, source=pos, by=BY) == first
    second = mappings.save(name="pos", definition=changed, source=pos, by=BY)

    assert (first.version, second.version) == (1, 2)
    assert mappings.find("pos") == {**changed, "version": 2}
    assert mappings.find("callcentre")["rows"] == "events"
    assert mappings.find("nothing") is None
    assert mappings.names_for(pos) == ["pos"]


def test_a_preview_shows_values_as_they_will_be(upload, django_assert_num_queries):
    file_import = upload("id,name,phone\nP1,นายสมชาย ใจดี,๐๘๑-๒๓๔-๕๖๗๘\nP2,x,0999999999\n,y,z\nonly\n")

    good, junk, no_id, broken = looking_ahead.preview(file_import=file_import, definition=DEFINITION)

    assert good.record_id == "P1"
    assert (good.traits.attributes["phone"], good.traits.attributes["first_name"]) == ("+66812345678", "สมชาย")
    assert [(problem.trait, problem.code) for problem in junk.traits.problems] == [("phone", "junk")]
    assert (no_id.problem, no_id.column, broken.problem) == (RowProblem.NO_ID, "id", RowProblem.COLUMNS)
    assert looking_ahead.samples(file_import)["phone"] == ["๐๘๑-๒๓๔-๕๖๗๘", "0999999999", "z"]


def test_what_was_detected_can_be_corrected(upload, steward):
    file_import = upload("id;note\n1;a\n2;b\n")
    assert file_import.columns == ["id", "note"]

    corrected = imports.correct(file_import=file_import, encoding="utf-8", delimiter=",", has_header=False, by=steward)

    assert corrected.columns == ["column 1"]
    assert list(looking_ahead.samples(corrected)) == ["column 1"]


def test_old_files_go(upload, settings):
    old, new = upload(people(1)), upload(people(2))
    settings.IMPORT_FILE_DAYS = 30
    FileImport.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))

    assert retention.remove_due().files == 1

    old.refresh_from_db()
    assert (old.stored_as, old.status, old.problem) == ("", "failed", FileCode.REMOVED)
    assert [path.stem for path in store.folder().iterdir()] == [new.stored_as]


def test_the_equation_of_all_sources_at_once(start, pos, web_shop, django_assert_num_queries):
    finished(start(people(3)))

    with django_assert_num_queries(1):
        found = equation.of_sources([pos, web_shop])

    assert found == {pos.pk: Equation(received=3, waiting=3), web_shop.pk: Equation()}
    assert found[pos.pk].holds
