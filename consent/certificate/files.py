"""A certificate as a file, and whether a file is one of ours: to the last byte, so that one flipped byte fails.

JSON holds its signature; a file counts only as we write it. A PDF carries its signature in one line behind its end,
which readers of PDF skip: it covers every byte before it.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from cdp_site.core import hashing
from consent.certificate import paper
from consent.certificate.signing import TYPE, Document, known_key, public_key, sign_bytes, verify, verify_bytes

MOST_BYTES = 5_000_000  # of a file that is looked at
_SIGNED = re.compile(rb"%CDP-Certificate Ed25519 (\S+) (\S+) (\S+)\n\Z")


@dataclass(frozen=True, slots=True)
class Check:
    """What a file is. `problem` is empty for a certificate of ours that is unchanged."""

    kind: str  # "json", "pdf", or "" for something else
    key_id: str
    problem: str
    document: Document | None = None

    @property
    def ok(self) -> bool:
        return not self.problem


def as_json(document: Document) -> bytes:
    """The file of a certificate: one way of writing for one content."""
    return (json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def as_pdf(document: Document, language: str) -> bytes:
    """The certificate to be read and printed, in Thai or English, with its signature."""
    key_id = hashing.current_key_id()
    drawn = paper.draw(document, language)
    covered = drawn.rstrip(b"\n") + f"\n%CDP-Certificate Ed25519 {key_id} {public_key(key_id)} ".encode()
    return covered + sign_bytes(covered, key_id=key_id).encode() + b"\n"


def check(data: bytes, *, key: str | None = None) -> Check:
    """Whether these are the bytes of a certificate of the company.

    Args:
        key: the company's public key in base64, for a check without its secrets.
    """
    if len(data) > MOST_BYTES:
        return Check("", "", "the file is too large for a certificate")
    return _check_pdf(data, key) if data.startswith(b"%PDF-") else _check_json(data, key)


def _check_pdf(data: bytes, key: str | None) -> Check:
    found = _SIGNED.search(data)
    if found is None:
        return Check("pdf", "", "the PDF has no signature of a certificate at its end")
    try:
        key_id, stated, value = (part.decode("ascii") for part in found.groups())
    except UnicodeDecodeError:
        return Check("pdf", "", "the signature cannot be read")
    problem = _of_key(key_id, stated, key)
    if not problem and not verify_bytes(data[: found.start(3)], value, public_key=stated):
        problem = CHANGED
    return Check("pdf", key_id, problem)


def _check_json(data: bytes, key: str | None) -> Check:
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError):
        return Check("", "", "this is neither the JSON nor the PDF of a certificate")
    if not isinstance(document, dict) or document.get("type") != TYPE:
        return Check("", "", "this is neither the JSON nor the PDF of a certificate")
    signature = document.get("signature")
    signature = signature if isinstance(signature, dict) else {}
    key_id = str(signature.get("key_id", ""))
    problem = _of_key(key_id, signature.get("public_key"), key)
    if not problem and not (verify(document, public_key=key) and as_json(document) == data):
        problem = CHANGED
    return Check("json", key_id, problem, None if problem else document)


CHANGED = "the file was changed after it was signed"


def _of_key(key_id: str, stated: object, key: str | None) -> str:
    known = key or known_key(key_id)
    if known is None:
        return "it is signed with a key that is not this company's"
    return "" if stated == known else "it is signed with another key than the company's"
