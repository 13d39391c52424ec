"""What an erasure finds and does in ingestion's stores."""

import json
from uuid import uuid4

import pytest
from django.utils import timezone

from cdp_site.core import hashing
from cdp_site.core.personal_data import Ground, Subject, holders
from ingestion import imports, landing, messages, suppression
from ingestion.files import importer, store
from ingestion.models import FileImport, QuarantinedItem
from ingestion.suppression import Erased

pytestmark = pytest.mark.django_db

PHONE = ("phone", "global", "+66812345678")
DEFINITION = {"version": 1, "rows": "people", "fields": [{"from": "tel", "to": "trait", "name": "phone"}]}


@pytest.fixture(autouse=True)
def _own_store(tmp_path, settings):
    settings.CDP_DATA = tmp_path


@pytest.fixture
def subject() -> Subject:
    return Subject((), (), (), frozenset({hashing.identifier_key(*PHONE)}))


def holder(name: str):
    return next(one for one in holders() if one.name == name)


def hold_back(source, message: dict) -> None:
    landing.land(source=source, messages_raw=[message], door="api")
    (batch,) = landing.claim(1, 60)
    raw = json.dumps(message, ensure_ascii=False).encode()
    keys = messages.subject_keys(raw, source.slug)
    landing.quarantine([landing.Unusable(batch, 0, "missing", raw, subject_keys=keys)])


def test_a_held_back_message_is_found_by_any_spelling_of_an_identifier(pos, subject):
    hold_back(pos, {"type": "identify", "traits": {"phone": "๐๘๑-๒๓๔-๕๖๗๘"}})
    hold_back(pos, {"type": "track", "properties": {"note": "โทรกลับ 081 234 5678 ด้วย"}})
    hold_back(pos, {"type": "identify", "traits": {"phone": "089-999-0000"}})
    quarantine = holder("ingestion.quarantine")

    assert quarantine.locate(subject) == {"ingestion.QuarantinedItem": 2}
    exported = quarantine.export(subject)["ingestion.QuarantinedItem"]
    assert "โทรกลับ" in exported[1]["message"]
    assert quarantine.erase(subject).erased == {"ingestion.QuarantinedItem": 2}
    assert quarantine.locate(subject) == {"ingestion.QuarantinedItem": 0}
    assert QuarantinedItem.objects.count() == 1


def test_the_own_ids_of_a_message_lead_to_it(pos):
    raw = b'{"userId": "u1", "anonymousId": "a1", "cdp": {"record": {"external_id": "P1"}}}'

    keys = set(messages.subject_keys(raw, "pos"))

    for key in (("user", "pos", "u1"), ("device", "pos", "a1"), ("record", "pos", "P1"), ("record", "pos", "u1")):
        assert hashing.identifier_key(*key) in keys


def test_what_cannot_be_decoded_is_searched_as_text():
    keys = messages.subject_keys(b'{"email": "Somchai@Example.co.th", "x": \xff', "pos")

    assert hashing.identifier_key("email", "global", "somchai@example.co.th") in keys


def upload(pos) -> FileImport:
    received = imports.receive(source=pos, file_name="a.csv", chunks=[b"tel\n0812345678\n"], by="system:test")
    return imports.start(file_import=received, definition=DEFINITION, by="system:test")


def test_files_of_finished_imports_go(pos, subject, django_capture_on_commit_callbacks):
    done, running = upload(pos), upload(pos)
    importer.run(str(done.pk))
    files = holder("ingestion.files")

    assert files.locate(subject) == {"ingestion.FileImport": 1}
    with django_capture_on_commit_callbacks(execute=True):
        assert files.erase(subject).anonymised == {"ingestion.FileImport": 1}

    done.refresh_from_db()
    assert (done.stored_as, done.status, done.rows_read) == ("", "landed", 1)
    assert files.locate(subject) == {"ingestion.FileImport": 0}
    assert [path.stem for path in store.folder().iterdir()] == [running.stored_as]


def test_a_file_that_was_on_its_way_during_an_erasure_goes_when_it_is_landed(pos):
    file_import = upload(pos)
    suppression.suppress(
        identifiers=[Erased(*PHONE)], names=["สมชาย"], erased_at=timezone.now(), request_id=uuid4(), by="system:erasure"
    )

    importer.run(str(file_import.pk))

    file_import.refresh_from_db()
    assert (file_import.status, file_import.stored_as) == ("landed", "")
    assert list(store.folder().iterdir()) == []


def test_the_suppression_itself_is_kept_and_says_why(subject):
    suppression.suppress(
        identifiers=[Erased(*PHONE)], names=[], erased_at=timezone.now(), request_id=uuid4(), by="system:erasure"
    )

    outcome = holder("ingestion.landing").erase(subject)

    assert outcome.kept == {"ingestion.SuppressedIdentifier": (1, Ground.SUPPRESSION)}
