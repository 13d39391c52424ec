"""Trying an import: the counts are those of the import itself, and nothing is left of the trial."""

import random

import pytest
from django.utils import timezone

from cdp_site.core import hashing
from cdp_site.core.errors import ConflictProblem
from cdp_site.core.ids import uuid7
from cdp_site.core.models import AuditEvent
from ingestion import equation, imports, rehearsal
from ingestion.files import importer, mapping
from ingestion.models import FileImport, ImportTrial, InboundBatch, QuarantinedItem, SeenMessage, SuppressedIdentifier
from profiles import digest, rehearsing
from profiles.models import Profile
from tests.factories.arrivals import arrive, identify
from tests.factories.files import ORDERS, PEOPLE, PEOPLE_WITH_CONSENT, VISITS, bring_in
from tests.factories.picture import picture

pytestmark = pytest.mark.django_db

HEAD = "id,name,phone,email,city\n"
TERMS = ("broken", "stored", "duplicate", "quarantined", "suppressed")


@pytest.fixture(autouse=True)
def _own_store(tmp_path, settings):
    settings.CDP_DATA = tmp_path


@pytest.fixture
def try_out(pos, steward):
    """The trial of a file, carried through, and its import, which waits for its start."""

    def rehearse(text: str, definition=PEOPLE) -> tuple[ImportTrial, FileImport]:
        file_import = imports.receive(source=pos, file_name="f.csv", chunks=[text.encode()], by="system:test")
        trial = rehearsal.start(file_import=file_import, definition=definition, by=steward)
        rehearsal.run(str(trial.pk))
        trial.refresh_from_db()
        return trial, file_import

    return rehearse


def really(file_import: FileImport, definition=PEOPLE) -> dict[str, int]:
    """What the import did."""
    imports.start(file_import=file_import, definition=definition, by="system:test")
    importer.run(str(file_import.pk))
    digest.drain()
    file_import.refresh_from_db()
    account = equation.of_import(file_import)
    operation = file_import.operation_id
    came = rehearsing.came(operation)
    return {
        "broken": file_import.rows_broken,
        "stored": account.stored,
        "duplicate": account.duplicate,
        "quarantined": account.quarantined,
        "suppressed": account.suppressed,
        **{kind: came[kind] for kind in ("records", "changed", "touchpoints", "orders")},
    }


def counted(trial: ImportTrial) -> dict[str, int]:
    assert trial.status == ImportTrial.Status.DONE
    kinds = (*TERMS, "records", "changed", "touchpoints", "orders")
    assert sum(trial.counts.get(term, 0) for term in TERMS) == trial.rows_read
    return {kind: trial.counts.get(kind, 0) for kind in kinds}


def test_counts_what_would_come_and_leaves_nothing(pos, try_out):
    bring_in(pos, HEAD + "P1,สุดา รักดี,0863451972,,เชียงใหม่\nP2,ประสิทธิ์,,,\n")
    before, audited = picture(), AuditEvent.objects.count()
    text = (
        HEAD
        + "P1,สุดา รักดี,0863451972,,เชียงใหม่\n"  # duplicate
        + "P2,ประสิทธิ์,,,ลำพูน\n"  # changed
        + "P3,มานะ,0899999991,,\nP4,มานะ,0899999991,,\n"  # two records of one new customer
        + ",ไม่มีรหัส,,,\n"  # broken
    )

    trial, file_import = try_out(text)

    assert picture() == before
    assert AuditEvent.objects.count() == audited + 1  # the upload
    assert InboundBatch.objects.count() == 1
    assert not QuarantinedItem.objects.exists()
    expected = {
        "broken": 1,
        "stored": 3,
        "duplicate": 1,
        "quarantined": 0,
        "suppressed": 0,
        "records": 2,
        "changed": 1,
        "touchpoints": 0,
        "orders": 0,
    }
    assert counted(trial) == expected
    assert trial.counts["people"] == 1
    assert really(file_import) == expected
    assert Profile.objects.people().count() == 3


def test_a_random_mix_is_counted_as_it_comes(pos, web_shop, try_out, monkeypatch):
    """Rows that have to do with one another lie all over the file, and in many chunks."""
    monkeypatch.setattr(importer, "CHUNK_ROWS", 40)
    monkeypatch.setattr(rehearsing, "ROWS", 25)
    chance = random.Random(7)
    arrive(web_shop, *[identify(f"u{n}", phone=f"08{n:08d}") for n in range(20)])
    head = "id,name,phone,email,city,news\n"

    def person() -> str:
        number = chance.randrange(60)
        phone = chance.choice(["", f"08{chance.randrange(40):08d}", "0999999999"])
        mail = chance.choice(["", f"p{chance.randrange(30)}@baansabai.co.th", "noemail@x"])
        city = chance.choice(["", "เชียงใหม่", "ลำพูน"])
        news = chance.choice(["", "Y", "N"])
        return f"{f'P{number}' if number else ''},คน {number % 7},{phone},{mail},{city},{news}"

    def rows(number: int) -> str:
        return head + "".join(f"{person()}\n" for _ in range(number))

    bring_in(pos, rows(60), PEOPLE_WITH_CONSENT)
    for _ in range(3):
        trial, file_import = try_out(rows(200), PEOPLE_WITH_CONSENT)
        assert counted(trial) == really(file_import, PEOPLE_WITH_CONSENT)


def test_events_and_order_lines(pos, try_out):
    visits = "id,at,what,page\n" + "".join(f"P{n % 5},2026-03-0{n % 4 + 1},Page Viewed,/{n % 3}\n" for n in range(40))
    head = "id,at,order,sku,quantity,price\n"
    orders = head + "".join(f"P{n % 3},2026-03-01,R{n % 7},S{n % 4},1,{n % 2}0\n" for n in range(60))
    bad = head + "P1,2026-03-01,R1,S1,1,1\nP1,2026-03-01,R1,S1,1,x\n"

    for text, definition in ((visits, VISITS), (orders, ORDERS), (orders, ORDERS), (bad, ORDERS)):
        trial, file_import = try_out(text, definition)
        assert counted(trial) == really(file_import, definition)


def test_erased_people_are_counted_as_kept_out(pos, try_out):
    SuppressedIdentifier.objects.create(
        key=hashing.identifier_key("record", "pos", "P1"),
        key_id=hashing.key_ids()[-1],
        kind="record",
        needs_name=False,
        erased_at=timezone.now(),
        request_id=uuid7(),
    )
    trial, file_import = try_out(HEAD + "P1,สุดา,,,\nP2,มานะ,,,\n")
    assert counted(trial)["suppressed"] == 1
    assert counted(trial) == really(file_import)


def test_more_rows_than_it_looks_at(try_out, monkeypatch):
    monkeypatch.setattr(rehearsal, "MOST_ROWS", 4)
    monkeypatch.setattr(importer, "CHUNK_ROWS", 2)

    trial, _file_import = try_out(HEAD + "".join(f"P{n},คน,,,\n" for n in range(9)))

    assert (trial.is_whole, trial.rows_read, trial.counts["stored"]) == (False, 4, 4)


def test_a_file_that_would_fail_says_so(try_out):
    trial, _file_import = try_out(HEAD + ",ไม่มีรหัส,,,\n")

    assert (trial.status, trial.problem) == ("failed", "mostly_broken")


def test_a_trial_ends_with_the_import_s_start(pos, steward, monkeypatch):
    file_import = imports.receive(source=pos, file_name="f.csv", chunks=[(HEAD + "P1,a,,,\n").encode()], by=steward)
    trial = rehearsal.start(file_import=file_import, definition=PEOPLE, by=steward)
    imports.start(file_import=file_import, definition=PEOPLE, by=steward)

    rehearsal.run(str(trial.pk))

    assert not ImportTrial.objects.exists()
    file_import.refresh_from_db()
    with pytest.raises(ConflictProblem):
        rehearsal.start(file_import=file_import, definition=PEOPLE, by=steward)


def test_a_mapping_of_other_columns_is_refused(pos, steward):
    file_import = imports.receive(source=pos, file_name="f.csv", chunks=[b"a,b\n1,2\n"], by=steward)

    with pytest.raises(mapping.InvalidMapping):
        rehearsal.start(file_import=file_import, definition=PEOPLE, by=steward)


def test_a_killed_trial_begins_anew_and_gives_up(pos, steward, monkeypatch, django_capture_on_commit_callbacks):
    file_import = imports.receive(source=pos, file_name="f.csv", chunks=[(HEAD + "P1,a,,,\n").encode()], by=steward)
    trial = rehearsal.start(file_import=file_import, definition=PEOPLE, by=steward)

    def dies(*_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(rehearsal, "_count", dies)
    for _ in range(rehearsal.MOST_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            rehearsal.run(str(trial.pk))
        ImportTrial.objects.update(lease_until=None)
    with django_capture_on_commit_callbacks() as callbacks:
        assert rehearsal.resume_abandoned() == 1
    assert len(callbacks) == 1

    rehearsal.run(str(trial.pk))

    trial.refresh_from_db()
    assert (trial.status, trial.problem) == ("failed", "gave_up")
    assert not SeenMessage.objects.exists()
