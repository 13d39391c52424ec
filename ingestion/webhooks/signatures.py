"""Whether a report was signed with the secret: HMAC over the raw body, compared in constant time. Pure.

The signature is compared as it is written, not as the bytes that it stands for: base64 has several spellings of the
same bytes, and of two spellings only one is what the sender wrote.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final, Literal

Algorithm = Literal["sha256", "sha512", "sha1"]
Encoding = Literal["hex", "base64"]
ALGORITHMS: Final[tuple[Algorithm, ...]] = ("sha256", "sha512", "sha1")
ENCODINGS: Final[tuple[Encoding, ...]] = ("hex", "base64")


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a system signs. `prefix` stands before the signature ("sha256=")."""

    header: str
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "base64"
    prefix: str = ""
    timestamp_header: str = ""  # signed before the body, with a dot between
    tolerance_seconds: int = 300


SHOPIFY: Final = Scheme("X-Shopify-Hmac-Sha256")
LINE: Final = Scheme("X-Line-Signature")


def sign(secret: bytes, body: bytes, scheme: Scheme, *, timestamp: str = "") -> str:
    """The header's value for this body."""
    signed = timestamp.encode() + b"." + body if scheme.timestamp_header else body
    digest = hmac.new(secret, signed, getattr(hashlib, scheme.algorithm)).digest()
    written = digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()
    return scheme.prefix + written


def is_genuine(
    secret: bytes, body: bytes, scheme: Scheme, *, signature: str, timestamp: str = "", now: float = 0
) -> bool:
    """Whether the signature is that of the body. With a timestamp header also whether it was signed around `now`
    (Unix seconds), so that a report that was caught on its way is of no use later."""
    if scheme.timestamp_header and not _is_recent(timestamp, now, scheme.tolerance_seconds):
        return False
    expected = sign(secret, body, scheme, timestamp=timestamp)
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogateescape"))


def _is_recent(timestamp: str, now: float, tolerance: int) -> bool:
    return (
        timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12 and abs(now - int(timestamp)) <= tolerance
    )
