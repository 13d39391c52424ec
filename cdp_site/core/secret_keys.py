"""Secrets by which programs are known: made once, shown once, kept as a hash.

A hash is looked up, not compared: that needs no constant time, since 256 random bits are not guessed bit by bit through
SHA-256, and it needs no salt and no slow hash, which are for what people can remember.
"""

import hashlib
import secrets
from dataclasses import dataclass, field

SHOWN_LENGTH = 12  # characters of the beginning, by which people tell keys apart


@dataclass(frozen=True, slots=True)
class Secret:
    """`text` is what the program sends, to be shown this once; `prefix` and `digest` are what is kept."""

    text: str = field(repr=False)

    @property
    def prefix(self) -> str:
        return self.text[:SHOWN_LENGTH]

    @property
    def digest(self) -> bytes:
        return digest(self.text)


def make(kind: str) -> Secret:
    """A new secret of 256 random bits that begins with `kind`."""
    return Secret(f"{kind}_{secrets.token_urlsafe(32)}")


def digest(text: str) -> bytes:
    """The 32 bytes under which a secret is kept."""
    return hashlib.sha256(text.encode()).digest()
