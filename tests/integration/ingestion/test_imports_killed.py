"""An import whose job is killed with `kill -9`, again and again: the same rows as undisturbed, none twice."""

import json

import pytest

from ingestion import equation, imports
from ingestion.files import importer
from ingestion.models import FileImport, InboundBatch, RowDigests, Source
from tests.processes import run_until_killed

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 24_000
JOB = "from ingestion.files import importer; importer.run('{}')"
# Rows without an id: equal ones are told apart by how often they came before, which a resumed job has to know.
VISITS = {
    "version": 1,
    "rows": "events",
    "fields": [{"from": "id", "to": "record_id"}, {"value": "Call Ended", "to": "event"}],
}


@pytest.fixture(autouse=True)
def _own_store(tmp_path, settings):
    settings.CDP_DATA = tmp_path


def begun(source: Source) -> FileImport:
    text = "id,note\n" + "".join(f"P{number % 700},x\n" for number in range(ROWS))
    received = imports.receive(source=source, file_name="calls.csv", chunks=[text.encode()], by="system:test")
    return imports.start(file_import=received, definition=VISITS, by="system:test")


def message_ids(file_import: FileImport) -> list[str]:
    batches = InboundBatch.objects.of_import(file_import).order_by("pk")
    return [message["messageId"] for batch in batches for message in json.loads(bytes(batch.raw))]


def reached(file_import: FileImport) -> int:
    file_import.refresh_from_db()
    return file_import.rows_read


def test_killed_three_times_it_ends_as_if_it_had_not_been(pos):
    clean = begun(pos)
    importer.run(str(clean.pk))
    file_import = begun(pos)

    for statements in (13, 16, 18):
        before = reached(file_import)
        FileImport.objects.filter(pk=file_import.pk).update(lease_until=None)
        assert run_until_killed(JOB.format(file_import.pk), statements=statements)
        assert before < reached(file_import) < ROWS
        assert equation.of_import(file_import).received == file_import.rows_read

    FileImport.objects.filter(pk=file_import.pk).update(lease_until=None)
    importer.run(str(file_import.pk))

    assert (reached(file_import), file_import.status) == (ROWS, FileImport.Status.LANDED)
    assert message_ids(file_import) == message_ids(clean)
    assert len(set(message_ids(clean))) == ROWS
    assert not RowDigests.objects.exists()
