"""An import whose job is killed with `kill -9`, again and again: the same rows as undisturbed, none twice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connection

from ingestion import equation, imports
from ingestion.files import importer
from ingestion.models import FileImport, InboundBatch, RowDigests, Source
from tests.database import url_with
from tests.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).parents[3]
ROWS = 24_000
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


def job(file_import: FileImport) -> "subprocess.Popen[bytes]":
    code = f"import django; django.setup(); from ingestion.files import importer; importer.run('{file_import.pk}')"
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "cdp_site.settings",
        "DATABASE_URL": url_with(connection.settings_dict["NAME"]),
        "CDP_DATA": str(django_settings.CDP_DATA),
    }
    return subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=ROOT)


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

    for part in (0.1, 0.4, 0.7):
        FileImport.objects.filter(pk=file_import.pk).update(lease_until=None)
        with job(file_import) as process:
            wait_for(lambda part=part: reached(file_import) > part * ROWS or process.poll() is not None)
            process.kill()
        assert process.returncode == -9
        assert 0 < reached(file_import) < ROWS
        assert equation.of_import(file_import).received == file_import.rows_read

    FileImport.objects.filter(pk=file_import.pk).update(lease_until=None)
    importer.run(str(file_import.pk))

    assert (reached(file_import), file_import.status) == (ROWS, FileImport.Status.LANDED)
    assert message_ids(file_import) == message_ids(clean)
    assert len(set(message_ids(clean))) == ROWS
    assert not RowDigests.objects.exists()
