"""Signatures with Ed25519 under a key of the company."""

import base64
import binascii
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cdp_site.core import hashing

Document = dict[str, Any]

TYPE = "erasure-certificate"
ALGORITHM = "Ed25519"


def sign(document: Document) -> Document:
    """The document with a signature over everything else in it."""
    key_id = hashing.current_key_id()
    public = {"algorithm": ALGORITHM, "key_id": key_id, "public_key": public_key(key_id)}
    signed = {**document, "signature": public}
    return {**document, "signature": {**public, "value": sign_bytes(canonical(signed), key_id=key_id)}}


def verify(document: Document, *, public_key: str | None = None) -> bool:
    """Whether the certificate is ours and unchanged.

    Args:
        public_key: the company's, in base64, for a check without its keys; otherwise the key is derived here.
    """
    signature = document.get("signature")
    if not isinstance(signature, dict) or signature.get("algorithm") != ALGORITHM:
        return False
    known = public_key or known_key(signature.get("key_id"))
    if known is None or signature.get("public_key") != known:
        return False
    unsigned = {name: value for name, value in signature.items() if name != "value"}
    return verify_bytes(canonical({**document, "signature": unsigned}), signature.get("value"), public_key=known)


def sign_bytes(data: bytes, *, key_id: str) -> str:
    """The signature of the bytes, in base64."""
    return _text(_private_key(key_id).sign(data))


def verify_bytes(data: bytes, value: object, *, public_key: str) -> bool:
    """Whether `value` is the signature of the bytes under the key, in the one way in which we write it."""
    try:
        if not isinstance(value, str) or _text(raw := base64.b64decode(value, validate=True)) != value:
            return False
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True)).verify(raw, data)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def public_key(key_id: str | None = None) -> str:
    """The company's public key, in base64: of the key that signs today, or of an earlier one."""
    key = _private_key(key_id or hashing.current_key_id()).public_key()
    return _text(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def known_key(key_id: object) -> str | None:
    """The public key of a key of ours; None for one that we do not have."""
    return public_key(key_id) if isinstance(key_id, str) and key_id in hashing.key_ids() else None


def canonical(document: Document) -> bytes:
    """The same bytes for the same content, however the JSON was written."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _private_key(key_id: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashing.keyed(TYPE, purpose="signing", key_id=key_id))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
