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
from ingestion.normalise.name_words import given_name_root, without_nickname_opening
from profiles.matching.matcher import Comparable

Rule: TypeAlias = Callable[[Comparable], Iterable[str]]

MOST_IN_BLOCK: Final = 60
"""A key that more records share tells nothing: nobody is compared because of it alone."""

MOST_OF_RULE: Final = 12
"""Keys that one rule makes of one record; a record with more values is a list of people."""


# --- parts ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=131_072)
def _key_of_name(name: str) -> str:
    """The name's consonant classes; of a name that has but one its reading (Lee), of one in neither script its letters.

    Short forms count as their long ones.
    """
    root = given_name_root(name)
    classes = skeleton(root)
    return classes if len(classes) > 1 else folded(root) or name.replace(" ", "")


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


def _initials(record: Comparable) -> set[str]:
    """First classes of every word of every name: given and family name may stand in each other's place."""
    return {key[0] for name in record["names"] or () for word in name.split()[:4] if (key := _key_of_name(word))}


def _called(record: Comparable) -> list[str]:
    """What somebody is called, where that is all the record tells also the first word of it (น้องศยา is ศยา)."""
    if record["given"]:
        return list(record["given"])
    return [without_nickname_opening(name.split()[0]) for name in record["names"] or () if name]


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


def _given_and_end(record: Comparable) -> list[str]:
    """A slip in the family name leaves its beginning or its end."""
    return [f"{given}|{end}" for given, family in _people(record) for end in _ends(family)]


def _family_and_end(record: Comparable) -> list[str]:
    return [f"{end}|{family}" for given, family in _people(record) for end in _ends(given)]


def _ends(key: str) -> tuple[str, str]:
    return f"{key[:2]}-", f"-{key[-2:]}"


def _given_and_initial(record: Comparable) -> list[str]:
    return [f"{given}|{family[0]}" for given, family in _people(record) if len(given) > 2]


def _family_and_initial(record: Comparable) -> list[str]:
    return [f"{given[0]}|{family}" for given, family in _people(record) if len(family) > 2]


RULES: Final[Mapping[str, Rule]] = {
    "phone": _phones,
    "email": lambda record: record["emails"] or (),
    "id": _id,
    "mailbox": _locals,
    "name": _name,
    "given+end": _given_and_end,
    "family+end": _family_and_end,
    "given+initial": _given_and_initial,
    "family+initial": _family_and_initial,
    "given+born": lambda record: _joined(_given(record), _days(record)),
    "family+born": lambda record: _joined(_family(record), _days(record)),
    "born+initial": lambda record: _joined(_days(record), _initials(record)),
    "born": _dates,
    "born+postcode": lambda record: _joined(_days(record), record["postcodes"] or ()),
    "given+year": lambda record: _joined(_given(record), _years(record)),
    "family+year": lambda record: _joined(_family(record), _years(record)),
    "given+postcode": lambda record: _joined(_given(record), record["postcodes"] or ()),
    "family+postcode": lambda record: _joined(_family(record), record["postcodes"] or ()),
    "given+place": lambda record: _joined(_given(record), record["places"] or ()),
    "street": _streets,
    "phone7": lambda record: [phone[-7:] for phone in _phones(record)],
    "called": lambda record: _distinct(map(_key_of_name, _called(record))),
    "sounds": lambda record: _distinct(map(folded, _called(record))),
    "given": _given,
    "family": _family,
}
"""All rules by name."""

FIXED: Final = (
    "phone", "email", "id", "mailbox", "name", "given+end", "family+end", "given+initial", "family+initial",
    "given+born", "family+born", "born+initial", "born+postcode", "given+postcode", "family+postcode", "street",
)  # fmt: skip
"""The rules whose keys every record has. None is of a given name alone: what shares only that can be told by nobody."""

KEY_WEIGHTS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("given+initial", "family+initial", "given+postcode", "family+postcode"), 0.7),
    **dict.fromkeys(("given", "family", "called", "sounds"), 0.5),
}
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
