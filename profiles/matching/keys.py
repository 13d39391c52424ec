"""Blocking keys that need no learning. Pure: no Django.

A rule makes keys of a record out of what two records of one person are likely to share and two strangers are not: one
strong value, or parts of two weak ones. Names enter as rows of consonant classes, in which Thai and Latin spellings of
one name meet. `RULES` holds all, by name: dedupe's learner chooses among them (`profiles.matching.variables`), and
those of `FIXED` make keys always.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import product
from typing import Final, TypeAlias

from ingestion.normalise.crossing import folded, skeleton
from ingestion.normalise.email import is_role_address
from ingestion.normalise.name_words import given_name_root
from profiles.matching.matcher import Comparable

Rule: TypeAlias = Callable[[Comparable], Iterable[str]]

MOST_IN_BLOCK: Final = 60
"""A key that more records share tells nothing: nobody is compared because of it alone."""

MOST_OF_RULE: Final = 12
"""Keys that one rule makes of one record; a record with more values is a list of people."""


# --- parts ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=131_072)
def _key_of_name(name: str) -> str:
    """The name's consonant classes; of a name in neither script its letters. Short forms count as their long ones."""
    return skeleton(given_name_root(name)) or name.replace(" ", "")


def _given(record: Comparable) -> list[str]:
    """Keys of given names, each also of its first word."""
    found = []
    for name in record["given"] or ():
        found.append(_key_of_name(name))
        if " " in name or "-" in name:
            found.append(_key_of_name(name.replace("-", " ").split()[0]))
    return _distinct(found)


def _family(record: Comparable) -> list[str]:
    return _distinct(_key_of_name(name) for name in record["family"] or ())


def _any_name(record: Comparable) -> list[str]:
    """Keys of every word of every name, so that names in each other's place and display names meet."""
    return _distinct(_key_of_name(word) for name in record["names"] or () for word in name.split()[:4])


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(value for value in values if len(value) > 1))


def _people(record: Comparable) -> list[tuple[str, str]]:
    """Keys of given and family names, as they belong together."""
    return [(_key_of_name(given), _key_of_name(family)) for given, family in record["people"] or () if given and family]


def _dates(record: Comparable) -> tuple[str, ...]:
    return record["birth_dates"] or ()


def _years(record: Comparable) -> list[str]:
    return _distinct(date[:4] for date in _dates(record))


def _days(record: Comparable) -> list[str]:
    """Birth dates in which day and month may stand in each other's place."""
    return _distinct(f"{date[:4]}{''.join(sorted((date[5:7], date[8:10])))}" for date in _dates(record))


def _phones(record: Comparable) -> list[str]:
    return [phone[-9:] for phone in record["phones"] or ()]


def _locals(record: Comparable) -> list[str]:
    """What stands before the @, as most providers read it, where it is somebody's own."""
    found = []
    for address in record["emails"] or ():
        local = address.partition("@")[0].partition("+")[0].replace(".", "")
        if len(local) >= 5 and not is_role_address(address):
            found.append(local)
    return found


def _streets(record: Comparable) -> list[str]:
    """House number and street, soi or whatever words the address has."""
    found = []
    for house, moo, soi, street, *places, rest in record["addresses"] or ():
        way = street or soi or places[0] or "".join(rest[:2])
        if house and way:
            found.append(f"{house}/{moo}/{folded(way.replace(' ', ''))}")
    return found


def _joined(*parts: Iterable[str]) -> list[str]:
    return ["|".join(combination) for combination in product(*parts)]


# --- rules -----------------------------------------------------------------------------------------------------------


def _id(record: Comparable) -> list[str]:
    return ["|".join(identifier) for identifier in record["ids"] or ()]


def _name(record: Comparable) -> list[str]:
    return ["|".join(sorted(pair)) for pair in _people(record)]


def _name_opening(record: Comparable) -> list[str]:
    return [f"{given}|{family[:2]}" for given, family in _people(record)]


def _family_opening(record: Comparable) -> list[str]:
    return [f"{given[:2]}|{family}" for given, family in _people(record)]


RULES: Final[Mapping[str, Rule]] = {
    "phone": _phones,
    "email": lambda record: record["emails"] or (),
    "id": _id,
    "mailbox": _locals,
    "name": _name,
    "given+family2": _name_opening,
    "given2+family": _family_opening,
    "given+born": lambda record: _joined(_given(record), _days(record)),
    "family+born": lambda record: _joined(_family(record), _days(record)),
    "born+initial": lambda record: _joined(_days(record), {name[0] for name in _any_name(record)}),
    "born": _dates,
    "given+year": lambda record: _joined(_given(record), _years(record)),
    "family+year": lambda record: _joined(_family(record), _years(record)),
    "given+postcode": lambda record: _joined(_given(record), record["postcodes"] or ()),
    "family+postcode": lambda record: _joined(_family(record), record["postcodes"] or ()),
    "given+place": lambda record: _joined(_given(record), record["places"] or ()),
    "street": _streets,
    "phone7": lambda record: [phone[-7:] for phone in _phones(record)],
    "word": _any_name,
    "given": _given,
    "family": _family,
}
"""All rules by name."""

FIXED: Final = (
    "phone", "email", "id", "mailbox", "name", "given+family2", "given2+family", "given+born", "family+born",
    "born+initial", "family+postcode", "street", "word",
)  # fmt: skip
"""The rules whose keys every record has."""

KEY_WEIGHTS: Final[Mapping[str, float]] = {"word": 0.5}
"""How much a key of the rule counts among a record's candidates; 1 where nothing is said."""


def fixed_keys(record: Comparable) -> frozenset[str]:
    """The record's keys by the fixed rules, each "rule:value"."""
    return frozenset(key for rule in FIXED for key in keys_of(rule, record))


def keys_of(rule: str, record: Comparable) -> frozenset[str]:
    """The record's keys by one rule."""
    values = RULES[rule](record)
    return frozenset(f"{rule}:{value}" for value in list(dict.fromkeys(values))[:MOST_OF_RULE])


def weight(key: str) -> float:
    """How much the key counts among a record's candidates."""
    return KEY_WEIGHTS.get(key.partition(":")[0], 1.0)
