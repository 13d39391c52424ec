"""Which traits identify a person, as what kind of identifier, and in which namespace."""

from collections.abc import Mapping
from typing import Final

from ingestion.normalise.countries import country_code

# Canonical trait → kind of identifier, as it is stored, compared and suppressed.
KIND_OF_TRAIT: Final[Mapping[str, str]] = {
    "email": "email",
    "phone": "phone",
    "line_id": "line",
    "member_id": "member",
    "national_id": "citizen",
}

# Kinds whose numbers a country gives out.
OF_COUNTRIES: Final = frozenset({"passport"})


def namespace_of(kind: str, stated: str) -> str:
    """The namespace that is meant: a country is one, however its code is written; others are as they are stated."""
    country = country_code(stated) if kind in OF_COUNTRIES else None
    return stated if country is None else country.lower()
