"""Blocking keys that need no learning. Pure: no Django.

A rule makes keys of a record out of what two records of one person are likely to share and two strangers are not: one
strong value, or parts of two weak ones. Names enter as rows of consonant classes, in which Thai and Latin spellings of
one name meet. `RULES` holds all, by name: dedupe's learner chooses among them (`profiles.matching.variables`), and
those of `FIXED` make keys always.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from ingestion.normalise.crossing import folded, skeleton
from ingestion.normalise.email import is_role_address
from ingestion.normalise.name_words import given_name_root, without_nickname_opening
from profiles.matching.matcher import Comparable

MOST_IN_BLOCK: Final = 60
"""A key that more records share tells nothing: nobody is compared because of it alone."""

MOST_OF_RULE: Final = 12
"""Keys that one rule makes of one record; a record with more values is a list of people."""


# --- clues -----------------------------------------------------------------------------------------------------------


class Clues:
    """What rules make keys of, worked out once for all rules that look at a record.

    Attributes:
        given, family: keys of names, of a given name also that of its first word; ``people``: as they belong together.
        initials: first classes of every word of every name: given and family name may stand in each other's place.
        days: birth dates in which day and month may stand in each other's place.
    """

    __slots__ = ("days", "family", "given", "initials", "people", "postcodes", "record")

    def __init__(self, record: Comparable) -> None:
        self.record = record
        self.postcodes: tuple[str, ...] = record["postcodes"] or ()
        self.days: list[str] = _distinct(
            f"{date[:4]}{date[5:7]}{date[8:]}" if date[5:7] <= date[8:] else f"{date[:4]}{date[8:]}{date[5:7]}"
            for date in record["birth_dates"] or ()
        )
        self.given: list[str] = _distinct(key for name in record["given"] or () for key in _keys_of_given(name))
        self.family: list[str] = _distinct(map(_key_of_name, record["family"] or ()))
        words = [word for name in record["names"] or () for word in name.split()[:4]]
        self.initials: list[str] = list(dict.fromkeys(key[0] for word in words if (key := _key_of_name(word))))
        self.people = [
            (_key_of_name(given), _key_of_name(family)) for given, family in record["people"] or () if given and family
        ]


Rule: TypeAlias = Callable[[Clues], Sequence[str]]


@lru_cache(maxsize=131_072)
def _key_of_name(name: str) -> str:
    """The name's consonant classes; of a name that has but one its reading (Lee), of one in neither script its letters.

    Short forms count as their long ones.
    """
    root = given_name_root(name)
    classes = skeleton(root)
    return classes if len(classes) > 1 else folded(root) or name.replace(" ", "")


@lru_cache(maxsize=32_768)
def _keys_of_given(name: str) -> tuple[str, ...]:
    if " " in name or "-" in name:
        return _key_of_name(name), _key_of_name(name.replace("-", " ").split()[0])
    return (_key_of_name(name),)


def _distinct(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(value for value in values if len(value) > 1))


def _joined(some: Iterable[str], others: Sequence[str]) -> list[str]:
    return [f"{one}|{other}" for one in some for other in others]


# --- rules -----------------------------------------------------------------------------------------------------------


def _phones(clues: Clues) -> list[str]:
    return [phone[-9:] for phone in clues.record["phones"] or ()]


def _locals(clues: Clues) -> list[str]:
    """What stands before the @, as most providers read it, where it is somebody's own."""
    found = []
    for address in clues.record["emails"] or ():
        local = address.partition("@")[0].partition("+")[0].replace(".", "")
        if len(local) >= 5 and not is_role_address(address):
            found.append(local)
    return found


def _id(clues: Clues) -> list[str]:
    return ["|".join(identifier) for identifier in clues.record["ids"] or ()]


def _name(clues: Clues) -> list[str]:
    return ["|".join(sorted(pair)) for pair in clues.people]


def _given_and_end(clues: Clues) -> list[str]:
    """A slip in the family name leaves its beginning or its end."""
    return [f"{given}|{end}" for given, family in clues.people for end in _ends(family)]


def _family_and_end(clues: Clues) -> list[str]:
    return [f"{end}|{family}" for given, family in clues.people for end in _ends(given)]


def _ends(key: str) -> tuple[str, str]:
    return f"{key[:2]}-", f"-{key[-2:]}"


def _given_and_initial(clues: Clues) -> list[str]:
    return [f"{given}|{family[0]}" for given, family in clues.people if len(given) > 2]


def _family_and_initial(clues: Clues) -> list[str]:
    return [f"{given[0]}|{family}" for given, family in clues.people if len(family) > 2]


def _years(clues: Clues) -> list[str]:
    return _distinct(day[:4] for day in clues.days)


def _streets(clues: Clues) -> list[str]:
    """House number and street, soi or whatever words the address has."""
    found = []
    for house, moo, soi, street, *places, rest in clues.record["addresses"] or ():
        way = street or soi or places[0] or "".join(rest[:2])
        if house and way:
            found.append(f"{house}/{moo}/{folded(way.replace(' ', ''))}")
    return found


def _called(clues: Clues) -> list[str]:
    """What somebody is called, where that is all the record tells also the first word of it (น้องศยา is ศยา)."""
    record = clues.record
    if record["given"]:
        return list(record["given"])
    return [without_nickname_opening(name.split()[0]) for name in record["names"] or () if name]


RULES: Final[Mapping[str, Rule]] = {
    "phone": _phones,
    "email": lambda clues: clues.record["emails"] or (),
    "id": _id,
    "mailbox": _locals,
    "name": _name,
    "given+end": _given_and_end,
    "family+end": _family_and_end,
    "given+initial": _given_and_initial,
    "family+initial": _family_and_initial,
    "given+born": lambda clues: _joined(clues.given, clues.days),
    "family+born": lambda clues: _joined(clues.family, clues.days),
    "born+initial": lambda clues: _joined(clues.days, clues.initials),
    "born": lambda clues: clues.record["birth_dates"] or (),
    "born+postcode": lambda clues: _joined(clues.days, clues.postcodes),
    "given+year": lambda clues: _joined(clues.given, _years(clues)),
    "family+year": lambda clues: _joined(clues.family, _years(clues)),
    "given+postcode": lambda clues: _joined(clues.given, clues.postcodes),
    "family+postcode": lambda clues: _joined(clues.family, clues.postcodes),
    "given+place": lambda clues: _joined(clues.given, clues.record["places"] or ()),
    "street": _streets,
    "phone7": lambda clues: [phone[-7:] for phone in _phones(clues)],
    "called": lambda clues: _distinct(map(_key_of_name, _called(clues))),
    "sounds": lambda clues: _distinct(map(folded, _called(clues))),
    "given": lambda clues: clues.given,
    "family": lambda clues: clues.family,
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
    clues = Clues(record)
    return frozenset([key for rule in FIXED for key in _keys(rule, clues)])


def keys_of(rule: str, record: Comparable) -> frozenset[str]:
    """The record's keys by one rule."""
    return frozenset(_keys(rule, Clues(record)))


def keys_by_rule(rules: Iterable[str], record: Comparable) -> dict[str, frozenset[str]]:
    """The record's keys by several rules."""
    clues = Clues(record)
    return {rule: frozenset(_keys(rule, clues)) for rule in rules}


def _keys(rule: str, clues: Clues) -> list[str]:
    values = RULES[rule](clues)
    if len(values) > MOST_OF_RULE:
        values = list(dict.fromkeys(values))[:MOST_OF_RULE]
    return [f"{rule}:{value}" for value in values]


def weight(key: str) -> float:
    """How much the key counts among a record's candidates."""
    return KEY_WEIGHTS.get(key.partition(":")[0], 1.0)
