"""The certificate of an erasure: what was done in each store, what was kept and why; no personal data.

Signed with Ed25519. The signing key is derived from the company's hash key (`CDP_HASH_KEYS`), the certificate names the
key's id and holds the public key: whoever knows the company's public key verifies it without the platform.
"""

import base64
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from cdp_site.core import hashing
from cdp_site.core.models import AuditSeal
from consent.models import DataSubjectRequest
from consent.wording import GROUNDS

Document = dict[str, Any]

TYPE = "erasure-certificate"
VERSION = 1


def build(request: DataSubjectRequest) -> Document:
    """The signed certificate of a request whose steps are all done."""
    seal = AuditSeal.objects.order_by("-sequence").values("sequence", "chain_hash").first()
    document: Document = {
        "type": TYPE,
        "version": VERSION,
        "issuer": settings.COMPANY_NAME,
        "request": {
            "id": str(request.pk),
            "kind": request.kind,
            "received_at": _time(request.received_at),
            "due_at": _time(request.due_at),
            "identity_checked": request.identity_checked,
            "approved_at": _time(request.approved_at),
            "approved_by_a_second_person": request.approved_by_id not in (None, request.requested_by_id),
        },
        "erasure": {
            "started_at": _time(request.started_at),
            "completed_at": _time(request.completed_at),
            "in_time": request.completed_at is not None and request.completed_at <= request.due_at,
        },
        "stores": [
            {
                "store": step.holder,
                "finished_at": _time(step.finished_at),
                "erased": step.outcome["erased"],
                "anonymised": step.outcome["anonymised"],
                "kept": [
                    {"table": table, "rows": n, "ground": ground, "law": GROUNDS[ground].law}
                    for table, (n, ground) in sorted(step.outcome["kept"].items())
                ],
            }
            for step in request.steps.all()
        ],
        # The last link of the audit's chain: what the certificate says can be looked up there.
        "audit": None if seal is None else {"seal": seal["sequence"], "chain_hash": bytes(seal["chain_hash"]).hex()},
    }
    return sign(document)


def sign(document: Document) -> Document:
    """The document with a signature over everything else in it."""
    key_id = hashing.current_key_id()
    public = {"algorithm": "Ed25519", "key_id": key_id, "public_key": _text(_public_bytes(_private_key(key_id)))}
    signed = {**document, "signature": public}
    value = _private_key(key_id).sign(_canonical(signed))
    return {**document, "signature": {**public, "value": _text(value)}}


def verify(document: Document, *, public_key: str | None = None) -> bool:
    """Whether the certificate is ours and unchanged.

    Args:
        public_key: the company's, in base64, for a check without its keys; otherwise the key is derived here.
    """
    signature = document.get("signature")
    if not isinstance(signature, dict) or signature.get("key_id") not in hashing.key_ids():
        return False
    known = public_key or _text(_public_bytes(_private_key(signature["key_id"])))
    if signature.get("public_key") != known or not isinstance(signature.get("value"), str):
        return False
    unsigned = {name: value for name, value in signature.items() if name != "value"}
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(known))
        key.verify(base64.b64decode(signature["value"]), _canonical({**document, "signature": unsigned}))
    except (InvalidSignature, ValueError):
        return False
    return True


def _private_key(key_id: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashing.keyed(TYPE, purpose="signing", key_id=key_id))


def _public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _canonical(document: Document) -> bytes:
    """The same bytes for the same content, however the JSON was written."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _time(value: Any) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds")
