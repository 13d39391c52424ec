"""What of a record is compared. Pure: no Django."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from ingestion.normalise.addresses import Address, read_addresses
from ingestion.normalise.names import PersonName
from ingestion.normalise.text import without_accents
from ingestion.normalise.thai import normalise_thai
from ingestion.normalise.traits import names_of

FIELDS: Final = (
    "people", "given", "family", "names", "birth_dates", "phones", "emails", "ids", "addresses", "postcodes", "places",
    "gender",
)  # fmt: skip
"""What a comparable record holds. Each is None when it is not known, else a tuple without repetitions, in order:

* ``people``: (given, family) as they belong together, "" for the part that is not known;
* ``given``, ``family``: the same names one by one; ``names``: whole names, with display names and companies;
* ``birth_dates``: ISO; ``phones``: E.164; ``emails``: lower case;
* ``ids``: (kind, namespace, value) of what only one person has;
* ``addresses``: as `ADDRESS_PARTS` says; ``postcodes``; ``places``: provinces by our name for them, and towns;
* ``gender``: one text.

Names have no titles and accents, are in lower case and in the script that they came in.
"""

NAME_FIELDS: Final = frozenset({"people", "given", "family", "names"})
"""Fields that say what somebody is called. Alone they make nobody one person."""

COMMON_FIELDS: Final = frozenset({"gender", "postcodes", "places"})
"""Fields that thousands share: beside a name they make nobody one person either."""

FAMILY_FIELDS: Final = frozenset({"addresses", "phones", "emails"})
"""Fields that a family may share: beside another given name they make nobody one person."""

ADDRESS_PARTS: Final = (
    "house", "moo", "soi", "street", "subdistrict", "district", "city", "province", "postcode", "rest",
)  # fmt: skip
"""The parts of an address in their order, "" for what is not known; ``rest`` is a tuple of words."""

# What is no id of a person: contacts have their own fields; a user's number only tells the records of one source apart,
# and a device is anybody's who holds it.
_NO_IDS: Final = frozenset({"email", "phone", "device", "user", "cookie", "anonymous"})
_MANY: Final = 12  # values of one field; more make a list of people, and comparing costs the product of both

_E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_ISO_DATE: Final = re.compile(r"(?:18|19|20)\d\d-\d\d-\d\d")
# Days that forms are born with, and that nobody has typed.
_BLANK_DATES: Final = frozenset({"1900-01-01", "1970-01-01", "2000-01-01", "1901-01-01", "1800-01-01"})
_GENDERS: Final = frozenset({"male", "female"})


def comparable(
    attributes: Mapping[str, Any], identifiers: Iterable[tuple[str, str, str]] | None = None
) -> dict[str, Any]:
    """What of a record is compared, by field.

    Args:
        attributes: canonical traits as a source record keeps them.
        identifiers: (kind, namespace, value) of those that may be evidence. None: not known apart from the attributes,
            which then say which phones and addresses of mail there are; given, only they do, for not everything that a
            record shows is evidence.
    """
    names = names_of(attributes)
    people = _people(names)
    identifiers = None if identifiers is None else tuple(identifiers)
    addresses = read_addresses(attributes)
    return {
        "people": people,
        "given": _some(given for given, _ in people or ()),
        "family": _some(family for _, family in people or ()),
        "names": _some(plain(name.full) for name in names),
        "birth_dates": _some(_matching(_BIRTH_DATES, attributes.get("birth_date"))),
        "phones": _some(_contacts("phone", _E164, attributes, identifiers)),
        "emails": _some(_contacts("email", _EMAIL, attributes, identifiers)),
        "ids": _ids(identifiers or ()),
        "addresses": _some(_address(address) for address in addresses if address.tells_where),
        "postcodes": _some(address.postcode or "" for address in addresses),
        "places": _some(place for address in addresses for place in _places(address)),
        "gender": gender if (gender := attributes.get("gender")) in _GENDERS else None,
    }


@lru_cache(maxsize=65_536)
def plain(name: str) -> str:
    """A name in the form in which it is compared; two spellings of one Thai word are one."""
    return " ".join(without_accents(normalise_thai(name)).casefold().replace(".", " ").split()).strip("-' ")


def _some(values: Iterable[Any]) -> tuple[Any, ...] | None:
    """The values without repetitions and blanks, in an order that does not depend on how they came."""
    kept = set(filter(None, values))
    if len(kept) < 2:  # most fields of most records
        return tuple(kept) or None
    return tuple(sorted(kept)[:_MANY])


def _people(names: Sequence[PersonName]) -> tuple[tuple[str, str], ...] | None:
    known = {(plain(name.first or ""), plain(name.last or "")) for name in names if name.known}
    if len(known) > 1:  # a given name alone says no more than the same one with its surname
        known = {pair for pair in known if pair[1] or not any(pair[0] == o[0] and o[1] for o in known)}
    return _some(pair for pair in known if any(pair))


_BIRTH_DATES: Final = _ISO_DATE


def _matching(pattern: re.Pattern[str], value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str) and pattern.fullmatch(item) and item not in _BLANK_DATES]


def _contacts(
    kind: str,
    pattern: re.Pattern[str],
    attributes: Mapping[str, Any],
    identifiers: Sequence[tuple[str, str, str]] | None,
) -> list[str]:
    if identifiers is None:
        return _matching(pattern, attributes.get(kind))
    return _matching(pattern, [value for stated, _, value in identifiers if stated == kind])


def _ids(identifiers: Sequence[tuple[str, str, str]]) -> tuple[tuple[str, str, str], ...] | None:
    return _some(tuple(identifier) for identifier in identifiers if identifier[0] not in _NO_IDS and identifier[2])


def _address(address: Address) -> tuple[Any, ...]:
    return tuple(getattr(address, part) or ("" if part != "rest" else ()) for part in ADDRESS_PARTS)


def _places(address: Address) -> tuple[str, ...]:
    return tuple(place for place in (address.province, address.city, address.district) if place)
