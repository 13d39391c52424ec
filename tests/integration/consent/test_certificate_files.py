"""A certificate as a file: its page and downloads, and that one flipped byte fails, offline."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from cdp_site.core import audit, hashing
from cdp_site.core.models import User
from consent import certificate, erasure
from consent.certificate import files
from consent.models import DataSubjectRequest

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(approved: DataSubjectRequest) -> DataSubjectRequest:
    audit.seal_pending()
    erasure.run(approved.pk)
    approved.refresh_from_db()
    return approved


def flipped(data: bytes, places: range) -> list[bytes]:
    return [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in places]


def test_a_json_is_valid_and_one_flipped_byte_anywhere_fails(done: DataSubjectRequest) -> None:
    data = files.as_json(done.certificate)
    assert files.check(data).ok
    assert files.check(data, key=certificate.public_key()).ok
    assert not [one for one in flipped(data, range(len(data))) if files.check(one).ok]
    assert not files.check(data[:-1]).ok
    assert not files.check(data + b"\n").ok
    assert not files.check(data.replace(b'{\n  "audit"', b'{\n  "x": 1,\n  "audit"')).ok


@pytest.mark.parametrize("language", ["th", "en"])
def test_a_pdf_is_valid_and_one_flipped_byte_fails(done: DataSubjectRequest, language: str) -> None:
    data = files.as_pdf(done.certificate, language)
    assert data.startswith(b"%PDF-")
    assert files.as_pdf(done.certificate, language) == data
    assert files.check(data).ok
    signature = range(len(data) - 300, len(data))
    assert not [one for one in flipped(data, signature) if files.check(one).ok]
    assert not [one for one in flipped(data, range(0, len(data), 301)) if files.check(one).ok]
    assert not files.check(data + b"\n").ok
    assert not files.check(data[: data.rindex(b"%CDP")]).ok


def test_a_base64_that_says_the_same_in_another_way_fails(done: DataSubjectRequest) -> None:
    """The last letter of a signature has four bits that mean nothing."""
    document = json.loads(files.as_json(done.certificate))
    value = document["signature"]["value"]
    twin = next(
        f"{value[:-3]}{letter}=="
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        if letter != value[-3] and base64.b64decode(f"{value[:-3]}{letter}==") == base64.b64decode(value)
    )
    document["signature"]["value"] = twin
    assert not files.check(files.as_json(document)).ok


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"%PDF-1.7\n%%EOF\n", b"\xff\xfe", b'{"type": 3}', b"[" * 5000])
def test_what_is_no_certificate_is_told(data: bytes) -> None:
    assert files.check(data).problem


def test_somebody_elses_key_is_not_ours(done: DataSubjectRequest) -> None:
    other = base64.b64encode(bytes(31) + b"\x01").decode()
    assert files.check(files.as_json(done.certificate), key=other).problem
    assert files.check(files.as_pdf(done.certificate, "en"), key=other).problem


def test_it_names_nobody_and_says_when_backups_are_gone(done: DataSubjectRequest) -> None:
    text = files.as_json(done.certificate).decode()
    for value in ("อารีย์", "aree0@shop.test", "+66812345678", "called twice", "compliance", "colleague"):
        assert value not in text
    assert done.certificate["backups"]["gone_by"] > done.certificate["erasure"]["completed_at"]


def test_the_command_verifies_offline(
    done: DataSubjectRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str], django_assert_num_queries: Callable
) -> None:
    file = tmp_path / "erasure.pdf"
    file.write_bytes(files.as_pdf(done.certificate, "en"))
    with django_assert_num_queries(0):
        call_command("verify_certificate", "--print-key")
        key = capsys.readouterr().out.strip()
        call_command("verify_certificate", str(file))
        call_command("verify_certificate", str(file), "--key", key, "--json")
    assert '"ok": true' in capsys.readouterr().out
    assert key == certificate.public_key(hashing.current_key_id())
    file.write_bytes(file.read_bytes().replace(b"/Title", b"/Titel"))
    with pytest.raises(CommandError, match="changed after it was signed"):
        call_command("verify_certificate", str(file))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("verify_certificate", str(tmp_path / "nothing"))


def test_its_page_and_its_files(done: DataSubjectRequest, login: Callable[[User], Client], colleague: User) -> None:
    desk = login(colleague)
    desk.cookies["django_language"] = "en"
    root = f"/requests/{done.pk}/certificate/"
    page = desk.get(f"{root}show/").content.decode()
    assert "The signature is valid" in page
    assert certificate.public_key() in page
    for path in (root, f"{root}th.pdf", f"{root}en.pdf"):
        answer = desk.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert files.check(b"".join(answer)).ok
    assert desk.get(f"{root}fr.pdf").status_code == 404
    assert b"".join(desk.get("/requests/certificate-key/")).decode().strip() == certificate.public_key()
    DataSubjectRequest.objects.update(certificate={**done.certificate, "issuer": "Somebody else"})
    assert "The signature is not valid" in desk.get(f"{root}show/").content.decode()
