"""Keyed hashes with rotation, and encryption of files at rest."""

from collections.abc import Iterator

import pytest
from cryptography.fernet import InvalidToken
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from cdp_site.core import hashing


@pytest.fixture(autouse=True)
def fresh_keys() -> Iterator[None]:
    """Keys are read once per process."""
    hashing._keys.cache_clear()
    hashing._fernet.cache_clear()
    yield
    hashing._keys.cache_clear()
    hashing._fernet.cache_clear()


def test_one_value_hashes_alike_under_one_key_and_purpose() -> None:
    assert hashing.keyed("0812345678", purpose="phone") == hashing.keyed("0812345678", purpose="phone")
    assert hashing.keyed("0812345678", purpose="phone") != hashing.keyed("0812345678", purpose="mail")
    assert len(hashing.keyed("", purpose="phone")) == 32


def test_parts_of_an_identifier_do_not_run_together() -> None:
    assert hashing.identifier_key("user", "a", "bc") != hashing.identifier_key("user", "ab", "c")


def test_an_old_key_still_verifies_and_the_last_one_writes(settings: Settings) -> None:
    settings.CDP_HASH_KEYS = ["k1:" + "11" * 32]
    old = hashing.keyed("a", purpose="p")
    hashing._keys.cache_clear()
    settings.CDP_HASH_KEYS = ["k1:" + "11" * 32, "k2:" + "22" * 32]
    assert hashing.current_key_id() == "k2"
    assert hashing.key_ids() == ["k1", "k2"]
    assert hashing.keyed("a", purpose="p", key_id="k1") == old
    assert hashing.keyed("a", purpose="p") != old


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [([], "is empty"), (["k1:xyz"], "not hexadecimal"), (["k1:abcd"], "shorter than 32 bytes")],
)
def test_bad_keys_are_refused_with_the_reason(settings: Settings, keys: list[str], complaint: str) -> None:
    settings.CDP_HASH_KEYS = keys
    with pytest.raises(ImproperlyConfigured, match=complaint):
        hashing.keyed("a", purpose="p")


def test_a_changed_byte_or_another_purpose_is_not_ours(settings: Settings) -> None:
    settings.CDP_HASH_KEYS = ["k1:" + "11" * 32]
    mac = hashing.mac(b"weights", purpose="model 1")
    assert hashing.is_ours(b"weights", mac, purpose="model 1")
    assert not hashing.is_ours(b"weightS", mac, purpose="model 1")
    assert not hashing.is_ours(b"weights", mac, purpose="model 2")
    assert not hashing.is_ours(b"weights", b"", purpose="model 1")
    hashing._keys.cache_clear()
    settings.CDP_HASH_KEYS = ["k1:" + "11" * 32, "k2:" + "22" * 32]
    assert hashing.is_ours(b"weights", mac, purpose="model 1")
    assert not hashing.is_ours(b"weights", hashing.keyed("weights", purpose="model 1"), purpose="model 1")


def test_what_is_sealed_comes_back_and_tells_of_any_change() -> None:
    token = hashing.seal("สมชาย".encode())
    assert "สมชาย".encode() not in token
    assert hashing.unseal(token).decode() == "สมชาย"
    with pytest.raises(InvalidToken):
        hashing.unseal(token[:-4] + b"AAA=")


def test_a_bad_file_key_is_refused(settings: Settings) -> None:
    settings.CDP_FILE_KEY = "short"
    with pytest.raises(ImproperlyConfigured, match="32 bytes"):
        hashing.seal(b"x")
