"""Which traits identify a person, and as what kind of identifier."""

from collections.abc import Mapping
from typing import Final

# Canonical trait → kind of identifier, as it is stored, compared and suppressed.
KIND_OF_TRAIT: Final[Mapping[str, str]] = {
    "email": "email",
    "phone": "phone",
    "line_id": "line",
    "member_id": "member",
    "national_id": "citizen",
}
