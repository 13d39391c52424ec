"""Keyed hashes of identifiers and encryption of files at rest.

A hash carries the id of the key that made it, so that keys can be rotated: every listed key still verifies,
the last one writes.
"""

import hmac
from collections.abc import Iterable
from functools import lru_cache

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@lru_cache(maxsize=1)
def _keys() -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for entry in settings.CDP_HASH_KEYS:
        key_id, _colon, secret = entry.partition(":")
        try:
            keys[key_id] = bytes.fromhex(secret)
        except ValueError as error:
            raise ImproperlyConfigured(f"CDP_HASH_KEYS: the key {key_id!r} is not hexadecimal") from error
        if len(keys[key_id]) < 32:
            raise ImproperlyConfigured(f"CDP_HASH_KEYS: the key {key_id!r} is shorter than 32 bytes")
    if not keys:
        raise ImproperlyConfigured("CDP_HASH_KEYS is empty: set k1:<64 hexadecimal digits>")
    return keys


def current_key_id() -> str:
    return next(reversed(_keys()))


def key_ids() -> list[str]:
    return list(_keys())


def keyed(value: str, *, purpose: str, key_id: str | None = None) -> bytes:
    """HMAC-SHA-256 of (purpose, value), 32 bytes. Different purposes give unrelated hashes of one value."""
    key = _keys()[key_id or current_key_id()]
    return hmac.digest(key, f"{purpose}\0{value}".encode(), "sha256")


def keyed_all(values: Iterable[str], *, purpose: str, key_id: str) -> list[bytes]:
    """`keyed` for thousands of values."""
    key, prefix = _keys()[key_id], f"{purpose}\0".encode()
    return [hmac.digest(key, prefix + value.encode(), "sha256") for value in values]


def identifier_key(kind: str, namespace: str, value: str, *, key_id: str | None = None) -> bytes:
    """The keyed hash under which an identifier is suppressed, located in quarantine and certified."""
    return keyed(f"{kind}\0{namespace}\0{value}", purpose="identifier", key_id=key_id)


def mac(data: bytes, *, purpose: str, key_id: str | None = None) -> bytes:
    """HMAC-SHA-256 that tells whether data of ours was changed, under a key that is derived for the purpose alone."""
    derived = hmac.digest(_keys()[key_id or current_key_id()], f"mac\0{purpose}".encode(), "sha256")
    return hmac.digest(derived, data, "sha256")


def is_ours(data: bytes, mac_of_it: bytes, *, purpose: str) -> bool:
    """Whether `mac` gave this under one of our keys."""
    return any(hmac.compare_digest(mac(data, purpose=purpose, key_id=key_id), mac_of_it) for key_id in _keys())


@lru_cache(maxsize=1)
def _fernet() -> Fernet:
    try:
        return Fernet(settings.CDP_FILE_KEY)
    except ValueError as error:
        raise ImproperlyConfigured("CDP_FILE_KEY must be 32 bytes in URL-safe base64 (Fernet)") from error


def seal(data: bytes) -> bytes:
    """Encrypt and authenticate; `unseal` reverses it and raises cryptography's InvalidToken on any change."""
    return _fernet().encrypt(data)


def unseal(token: bytes) -> bytes:
    return _fernet().decrypt(token)
