"""The certificate of an erasure: what was done in each store, what was kept and why; no personal data.

It is signed with Ed25519. The signing key is derived from the company's hash key (`CDP_HASH_KEYS`), which was made once
and lies outside the database; the certificate names the key's id and holds the public key. Whoever knows the company's
public key verifies it without the platform. `building` says what stands in it, `signing` signs, `files` writes it as
JSON and PDF and checks such a file to the last byte, `paper` draws the PDF.
"""

from consent.certificate.building import build
from consent.certificate.signing import TYPE, Document, public_key, sign, verify

__all__ = ["TYPE", "Document", "build", "public_key", "sign", "verify"]
