"""The import store: sealed, seekable, and nothing can be exchanged or cut off unnoticed."""

import hashlib
import os
from pathlib import Path

import pytest

from ingestion.files import store
from ingestion.files.codes import FileCode
from ingestion.files.problems import FileProblem


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, settings):
    settings.CDP_DATA = tmp_path


def written(data: bytes) -> store.StoredFile:
    with store.Writer() as writer:
        for at in range(0, len(data), 300_001):
            writer.write(data[at : at + 300_001])
        return writer.finish()


@pytest.mark.parametrize("size", [0, 1, store.CHUNK_BYTES - 1, store.CHUNK_BYTES, store.CHUNK_BYTES + 1, 3_500_000])
def test_what_is_written_is_read(size):
    data = os.urandom(size)

    file = written(data)

    assert (file.size, file.sha256) == (size, hashlib.sha256(data).digest())
    assert b"".join(store.read(file.name)) == data
    for offset in (0, 1, size // 2, size):
        assert b"".join(store.read(file.name, offset=offset)) == data[offset:]


def test_nothing_lies_there_in_clear_or_open_to_others():
    file = written("สมชาย 0812345678\n".encode() * 1000)

    (path,) = store.folder().iterdir()
    assert file.name in path.name
    assert b"0812345678" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert store.folder().stat().st_mode & 0o077 == 0


def test_an_upload_that_breaks_off_leaves_nothing():
    with store.Writer() as writer:
        writer.write(b"x" * 2_000_000)
        assert list(store.folder().iterdir()) != []

    assert list(store.folder().iterdir()) == []


def _path(file: store.StoredFile) -> Path:
    return store.folder() / f"{file.name}.sealed"


def test_a_changed_a_shortened_and_an_exchanged_file_are_damaged():
    files = [written(os.urandom(2_500_000)) for _ in range(3)]
    first, second, third = (_path(file) for file in files)
    sealed = bytearray(first.read_bytes())
    sealed[1000] ^= 1
    first.write_bytes(sealed)
    second.write_bytes(second.read_bytes()[:-1_000_000])
    fresh = _path(written(os.urandom(2_500_000)))
    third.write_bytes(fresh.read_bytes())

    for file in files:
        with pytest.raises(FileProblem) as caught:
            list(store.read(file.name))
        assert caught.value.code == FileCode.DAMAGED


def test_a_removed_file_says_so():
    file = written(b"a")

    assert store.remove(file.name)
    assert not store.remove(file.name)
    with pytest.raises(FileProblem) as caught:
        list(store.read(file.name))
    assert caught.value.code == FileCode.REMOVED


def test_names_from_outside_reach_no_other_file():
    with pytest.raises(FileProblem):
        list(store.read("../../etc/passwd"))


def test_strays_are_found():
    kept, stray = written(b"a"), written(b"b")
    (store.folder() / "0123456789abcdef0123456789abcdef.partial").write_bytes(b"")

    found = store.stray_names({kept.name}, older_than=float("inf"))

    assert {path.stem for path in found} == {stray.name, "0123456789abcdef0123456789abcdef"}
    assert store.stray_names({kept.name}, older_than=0) == []
