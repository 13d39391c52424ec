"""Identifiers that the outside may see."""

from uuid import UUID

from uuid_utils import compat


def uuid7() -> UUID:
    """A new UUID version 7 (RFC 9562): sorts by creation time, tells nothing about the row count."""
    return compat.uuid7()
