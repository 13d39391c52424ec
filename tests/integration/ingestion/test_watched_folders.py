"""Watched folders: imported once and archived, or rejected with a reason; nothing outside the folder is read."""

import gzip
import os
from pathlib import Path

import pytest

from cdp_site.core.errors import MendableError
from cdp_site.core.models import AuditEvent
from ingestion import mappings
from ingestion.connections import watched_folders
from ingestion.connections.watched_folders import FolderProblem
from ingestion.connections.wording_pulls import FolderCode
from ingestion.files import importer, store
from ingestion.models import ArrivedFile, FileImport, InboundBatch, WatchedFolder

pytestmark = pytest.mark.django_db

BY = "system:test"
TEXT = "id,name,phone\n1,สมชาย ใจดี,0812345601\n2,มานี มีนา,0812345602\n"
PEOPLE = {
    "version": 1,
    "rows": "people",
    "fields": [{"from": "id", "to": "record_id"}, {"from": "name", "to": "trait", "name": "name"}],
}


@pytest.fixture
def root(tmp_path: Path, settings, pos) -> Path:
    settings.CDP_DATA = tmp_path / "data"
    settings.WATCHED_FOLDERS_ROOTS = [str(tmp_path / "mounted")]
    root = tmp_path / "mounted" / "pos"
    root.mkdir(parents=True)
    mappings.save(name="members", definition=PEOPLE, source=pos, by=BY)
    return root


@pytest.fixture
def folder(root: Path, pos) -> WatchedFolder:
    return watched_folders.save(
        folder=None, source=pos, path=str(root), pattern="*", mapping_name="members", is_active=True, by=BY
    )


def looked(folder: WatchedFolder, times: int = 2) -> WatchedFolder:
    for _ in range(times):
        watched_folders.look(folder.pk)
    folder.refresh_from_db()
    return folder


def names(path: Path) -> list[str]:
    return sorted(one.name for one in path.iterdir()) if path.exists() else []


def test_a_file_that_has_come_to_rest_is_imported_and_archived(folder, root):
    (root / "members.csv").write_text(TEXT)

    looked(folder, 1)
    assert not FileImport.objects.exists()  # it may still grow

    looked(folder, 1)
    (file_import,) = FileImport.objects.all()
    assert (file_import.file_name, file_import.source, file_import.mapping.name) == (
        "members.csv",
        folder.source,
        "members",
    )
    assert names(root) == ["archive"]
    (archived,) = names(root / "archive")
    assert archived.endswith("-members.csv")
    importer.run(str(file_import.pk))
    assert sum(batch.n_items for batch in InboundBatch.objects.all()) == 2


def test_a_file_that_grows_waits(folder, root):
    with (root / "members.csv").open("w") as file:
        for part in (TEXT, "3,ปิติ,083\n", "4,ชูใจ,084\n"):
            file.write(part)
            file.flush()
            looked(folder, 1)
    assert not FileImport.objects.exists()

    looked(folder, 1)
    assert FileImport.objects.count() == 1


def test_unfinished_hidden_and_unfitting_names_are_left(folder, root):
    WatchedFolder.objects.update(pattern="*.csv")
    for name in ("a.csv.part", ".b.csv", "c.csv.tmp", "d.txt", "e.CSV.filepart"):
        (root / name).write_text(TEXT)
    (root / "f.csv").mkdir()

    looked(folder)

    assert not FileImport.objects.exists()
    assert len(names(root)) == 6


def test_the_same_content_is_imported_once(folder, root):
    (root / "monday.csv").write_text(TEXT)
    looked(folder)
    (root / "tuesday.csv").write_text(TEXT)
    looked(folder)

    assert (FileImport.objects.count(), ArrivedFile.objects.count()) == (1, 1)
    assert len(names(root / "archive")) == 2


def test_killed_before_it_was_moved_it_is_not_imported_again(folder, root, monkeypatch):
    (root / "members.csv").write_text(TEXT)

    def dies(*_arguments):
        raise KeyboardInterrupt

    looked(folder, 1)
    monkeypatch.setattr(Path, "rename", dies)
    with pytest.raises(KeyboardInterrupt):
        looked(folder, 1)
    monkeypatch.undo()
    looked(folder, 2)

    assert FileImport.objects.count() == 1
    assert names(root) == ["archive"]


def test_what_cannot_be_taken_is_rejected_with_a_reason_in_both_languages(folder, root):
    (root / "broken.csv.gz").write_bytes(gzip.compress(TEXT.encode() * 9)[:-12])
    (root / "other.csv").write_text("a,b\n1,x\n")
    (root / "good.csv").write_text(TEXT)

    looked(folder)

    found = [name.partition("-")[2].partition("-")[2] for name in names(root / "rejected")]
    assert sorted(found) == ["broken.csv.gz", "broken.csv.gz.txt", "other.csv", "other.csv.txt"]
    told = {
        path.name.partition("-")[2].partition("-")[2]: path.read_text() for path in (root / "rejected").glob("*.txt")
    }
    assert "damaged" in told["broken.csv.gz.txt"]
    assert "columns" in told["other.csv.txt"]
    assert all(len(text.splitlines()) == 2 for text in told.values())
    assert FileImport.objects.get().file_name == "good.csv"
    assert len([path for path in store.folder().iterdir() if path.suffix == ".sealed"]) == 1


def test_links_are_not_followed(folder, root, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text(TEXT)
    (root / "link.csv").symlink_to(secret)
    (root / "folder").symlink_to(tmp_path)
    os.mkfifo(root / "pipe.csv")

    looked(folder)

    assert not FileImport.objects.exists()
    assert secret.exists()
    assert any(name.endswith("-link.csv.txt") for name in names(root / "rejected"))


def test_an_archive_that_is_a_link_elsewhere_is_not_written_to(folder, root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "archive").symlink_to(outside)
    WatchedFolder.objects.update(pattern="*.csv")
    (root / "members.csv").write_text(TEXT)

    assert looked(folder).problem == FolderCode.UNREADABLE
    assert names(outside) == []


def test_only_folders_below_an_allowed_one(root, pos, tmp_path, settings):
    def save(path: object) -> WatchedFolder:
        return watched_folders.save(
            folder=None, source=pos, path=str(path), pattern="*", mapping_name="members", is_active=True, by=BY
        )

    (root / "way-out").symlink_to(tmp_path)
    for path, code in (
        (tmp_path, FolderCode.NOT_ALLOWED), (root / "../../data", FolderCode.NOT_ALLOWED),
        ("pos", FolderCode.NOT_ALLOWED),
        (root / "way-out", FolderCode.NOT_ALLOWED), (root / "none", FolderCode.MISSING),
    ):  # fmt: skip
        with pytest.raises(FolderProblem) as caught:
            save(path)
        assert caught.value.code == code
    settings.WATCHED_FOLDERS_ROOTS = []
    with pytest.raises(FolderProblem):
        save(root)
    assert not WatchedFolder.objects.exists()


def test_a_folder_that_is_gone_says_so_and_recovers(folder, root, settings):
    root.rmdir()
    assert looked(folder).problem == FolderCode.MISSING
    root.mkdir()
    assert looked(folder).problem == ""
    settings.WATCHED_FOLDERS_ROOTS = ["/nowhere"]
    assert looked(folder).problem == FolderCode.NOT_ALLOWED


def test_a_mapping_has_to_be_there(root, pos):
    with pytest.raises(MendableError) as caught:
        watched_folders.save(
            folder=None, source=pos, path=str(root), pattern="*", mapping_name="none", is_active=True, by=BY
        )
    assert caught.value.field == "mapping_name"


def test_changes_are_audited_by_field(folder, root, pos, django_capture_on_commit_callbacks):
    def save(**changes: object) -> None:
        wanted = {"source": pos, "path": str(root), "pattern": "*", "mapping_name": "members", "is_active": True}
        watched_folders.save(folder=folder, by=BY, **wanted | changes)

    save()
    save(pattern="*.csv", is_active=False)

    actions = AuditEvent.objects.filter(action__startswith="watched_folder").order_by("pk")
    assert [event.action for event in actions] == ["watched_folder.create", "watched_folder.change"]
    assert actions[1].fields == ["is_active", "pattern"]
    with django_capture_on_commit_callbacks() as callbacks:
        assert watched_folders.look_at_all() == 0
    assert callbacks == []
