"""How alike two values are, from 0 to 1. Pure: no Django.

Each field of a record is a set, and two sets are as alike as their best two values. A comparison is symmetric, and None
where the values cannot be compared (an initial says nothing about a name in another script, a passport nothing about
a driving licence): that is missing evidence, not evidence of a difference.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from rapidfuzz.distance import OSA

from ingestion.normalise.crossing import folded, readings_agree, skeleton
from ingestion.normalise.email import is_role_address
from ingestion.normalise.name_words import given_name_root, initials, same_given_name
from ingestion.normalise.names import writing
from ingestion.normalise.provinces import PROVINCES
from profiles.matching.comparable import ADDRESS_PARTS

Values: TypeAlias = tuple[Any, ...]
Compare: TypeAlias = Callable[[Values, Values], float | None]


class Comparison(NamedTuple):
    """What is compared: ``name`` is how the evidence is called, ``field`` what of the record ``compare`` is given."""

    name: str
    field: str
    compare: Callable[[Any, Any], float | None]


def _best(pair: Callable[[Any, Any], float | None], a: Values, b: Values) -> float | None:
    """The likeness of the two values that are most alike; None when no two can be compared."""
    if len(a) == 1 and len(b) == 1:
        return pair(a[0], b[0]) if a[0] != b[0] else 1.0
    found: float | None = None
    for x in a:
        for y in b:
            likeness = 1.0 if x == y else pair(x, y)
            if likeness is not None and (found is None or likeness > found):
                if likeness >= 1.0:
                    return likeness
                found = likeness
    return found


# --- names -------------------------------------------------------------------------------------------------------

_SAME_NAME: Final = 0.95  # Bob, Robert
_BEGINS: Final = 0.85  # Som, Somchai; Mary, Mary Ann
_INITIAL: Final = 0.7
_SWAPPED: Final = 0.95  # what an agreement in each other's place is worth
_UNLIKE_BELOW: Final = 0.48  # two strangers' names share as many letters
_ALIKE_FROM: Final = 0.85  # nobody but the bearer writes as like
_ALIKE: Final = 0.9  # what that is worth; from there to the same spelling it grows with every letter


@lru_cache(maxsize=32_768)  # those of a portion of a run, which are asked for again word by word
def given_names(a: str, b: str) -> float | None:
    """Two given names: spellings, scripts, initials and short forms."""
    if a == b:
        return 1.0
    if not a or not b or writing(a) != writing(b):
        return None
    if len(a) == 1 or len(b) == 1:
        return _INITIAL if _may_be_initial(a, b) else 0.0
    if same_given_name(a, b):
        return _SAME_NAME
    likeness = _stretched(readings_agree(a, b))
    if likeness < _BEGINS and (_begins(a, b) or _shares_word(a, b)):
        return _BEGINS
    return likeness


@lru_cache(maxsize=16_384)
def family_names(a: str, b: str) -> float | None:
    """Two family names: spellings, scripts, double names."""
    if a == b:
        return 1.0
    if not a or not b or writing(a) != writing(b):
        return None
    if len(a) == 1 or len(b) == 1:
        return _INITIAL if folded(a)[:1] == folded(b)[:1] else 0.0
    likeness = _stretched(readings_agree(a, b))
    return _BEGINS if likeness < _BEGINS and _shares_word(a, b) else likeness


def _may_be_initial(a: str, b: str) -> bool:
    """Whether the shorter is the other's first letter, in either script, or that of a form of it (B., Robert)."""
    return folded(a)[:1] == folded(b)[:1] or not initials(a).isdisjoint(initials(b))


def _stretched(agreement: float) -> float:
    """Agreement of letters as a likeness of names: what strangers' names share is nothing."""
    if agreement >= _ALIKE_FROM:
        return _ALIKE + (1 - _ALIKE) * (agreement - _ALIKE_FROM) / (1 - _ALIKE_FROM)
    share = max(0.0, (agreement - _UNLIKE_BELOW) / (_ALIKE_FROM - _UNLIKE_BELOW))
    return _ALIKE * share * share * (3 - 2 * share)


def _begins(a: str, b: str) -> bool:
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    return len(short) >= 3 and long.startswith(short)


def _shares_word(a: str, b: str) -> bool:
    """Whether one name has several words and shares one of at least three letters."""
    if " " not in a and " " not in b and "-" not in a and "-" not in b:
        return False
    return any(len(word) >= 3 for word in set(_words(a)).intersection(_words(b)))


def _words(name: str) -> list[str]:
    return name.replace("-", " ").split()


class _Persons(NamedTuple):
    given: float | None
    family: float | None


def given(a: Values, b: Values) -> float | None:
    """The given names of the two people that agree best as wholes, each (given, family)."""
    return (_persons(a, b) if a <= b else _persons(b, a)).given


def family(a: Values, b: Values) -> float | None:
    """The family names of the same two people."""
    return (_persons(a, b) if a <= b else _persons(b, a)).family


@lru_cache(maxsize=32_768)  # given names of all pairs of a portion are asked for before their family names are
def _persons(a: Values, b: Values) -> _Persons:
    found = [likeness for x in a for y in b for likeness in _two_persons(x, y)]
    if len(found) == 1:  # one name each, as most have
        return found[0]
    return max(found, key=lambda one: ((one.given or 0.0) + (one.family or 0.0), one.given or 0.0))


def _two_persons(a: tuple[str, str], b: tuple[str, str]) -> list[_Persons]:
    (given_a, family_a), (given_b, family_b) = a, b
    straight = _Persons(given_names(given_a, given_b), family_names(family_a, family_b))
    if not (given_a and family_a and given_b and family_b):
        return [straight]
    # Unless one of the names reads like the other's other one: slips in both are too rare to look for.
    if skeleton(given_a) != skeleton(family_b) and skeleton(family_a) != skeleton(given_b):
        return [straight]
    there, back = given_names(given_a, family_b), given_names(family_a, given_b)
    if there is None or back is None:
        return [straight]
    return [straight, _Persons(_SWAPPED * max(there, back), _SWAPPED * min(there, back))]


def whole_names(a: Values, b: Values) -> float | None:
    """Whole names word by word in any order: display names, companies, names in one field."""
    return _best(_two_whole_names, a, b) if a <= b else _best(_two_whole_names, b, a)


def _two_whole_names(a: str, b: str) -> float | None:
    few, many = _in_words(a), _in_words(b)
    if few.number > many.number:
        few, many = many, few
    left = list(many.words)
    total = weight = 0.0
    for word in few.words:
        can_be_compared = False
        likeness, nearest = 0.0, None
        for other in left:
            can_be_compared = can_be_compared or word.writing == other.writing
            # Words that begin with another sound are not compared: most are strangers', and their letters tell nothing.
            if word.opening == other.opening:
                agreement = given_names(word.text, other.text) or 0.0
                if nearest is None or (agreement, other.text) > (likeness, nearest.text):
                    likeness, nearest = agreement, other
        if can_be_compared:
            if nearest is not None:
                left.remove(nearest)
            total, weight = total + likeness * word.size, weight + word.size
    if not weight:
        return None
    # One word of two or three says less than all of them.
    return total / weight * (1.0 if not left else 0.9)


class _Word(NamedTuple):
    text: str
    opening: str  # the class of its first sound; of a short form, its long one's
    writing: str
    size: int  # how much it counts


class _Name(NamedTuple):
    number: int  # of all its words
    words: tuple[_Word, ...]  # the first of them


@lru_cache(maxsize=65_536)
def _in_words(name: str) -> _Name:
    words = name.split()
    return _Name(
        len(words),
        tuple(
            _Word(word, (skeleton(given_name_root(word)) or word)[:1], writing(word), min(len(word), 6))
            for word in words[:8]
        ),
    )


# --- contacts, dates, ids ------------------------------------------------------------------------------------------

_ONE_DIGIT_OFF: Final = 0.6
_OF_A_FUNCTION: Final = 0.5  # info@ and sales@ are read by a whole office


def _one_slip(a: str, b: str) -> bool:
    """Whether one sign was mistyped or two neighbours changed places."""
    return len(a) == len(b) and OSA.distance(a, b, score_cutoff=1) <= 1


def phones(a: Values, b: Values) -> float | None:
    """Numbers in E.164; one digit off is near, a number without its country is the same."""
    return _best(_two_phones, a, b)


def _two_phones(a: str, b: str) -> float:
    if _one_slip(a, b):
        return _ONE_DIGIT_OFF
    return 0.8 if a[-9:] == b[-9:] else 0.0


def emails(a: Values, b: Values) -> float | None:
    """Addresses; the same name at another provider and one slip are near, one of a function says little."""
    if len(a) == 1 and len(b) == 1:
        return _two_emails(a[0], b[0])
    return max(_two_emails(x, y) for x in a for y in b)


def _two_emails(a: str, b: str) -> float:
    if a == b:
        return _OF_A_FUNCTION if is_role_address(a) else 1.0
    x, y = _mailbox(a), _mailbox(b)
    if x.is_of_a_function or y.is_of_a_function:
        return 0.0
    if x.domain == y.domain and x.delivered == y.delivered:
        return 0.95
    if x.local == y.local:
        return 0.8 if len(x.local) >= 8 or _one_slip(x.domain, y.domain) else 0.6
    if len(x.local) >= 6 and OSA.distance(x.local, y.local, score_cutoff=1) <= 1:
        return 0.7 if x.domain == y.domain else 0.5
    return 0.0


class _Mailbox(NamedTuple):
    local: str
    domain: str
    delivered: str  # what most providers look at: dots and +tags do not part two mailboxes of one name often
    is_of_a_function: bool


@lru_cache(maxsize=32_768)
def _mailbox(address: str) -> _Mailbox:
    local, _, domain = address.partition("@")
    return _Mailbox(local, domain, local.partition("+")[0].replace(".", ""), is_role_address(address))


def birth_dates(a: Values, b: Values) -> float | None:
    """ISO dates; day and month swapped, one slip, another era and one part wrong are near."""
    return _best(_two_dates, a, b)


def _two_dates(a: str, b: str) -> float:
    year_a, month_a, day_a = a[:4], a[5:7], a[8:]
    year_b, month_b, day_b = b[:4], b[5:7], b[8:]
    agreeing = (year_a == year_b) + (month_a == month_b) + (day_a == day_b)
    is_swapped = month_a == day_b and day_a == month_b
    if is_swapped and year_a == year_b:
        return 0.85
    if agreeing == 2 and _one_slip(a, b):
        return 0.7
    # The year a slip away, or the era read wrongly.
    if month_a == month_b and day_a == day_b and abs(int(year_a) - int(year_b)) in (1, 10, 43, 57, 100, 543):
        return 0.6
    if agreeing == 2 or (is_swapped and abs(int(year_a) - int(year_b)) == 1):
        return 0.4
    return 0.15 if year_a == year_b else 0.0


# Numbers given out one after the other: the next person's is one slip away.
_IN_SEQUENCE: Final = frozenset({"member", "user", "line", "account", "customer"})
_LONGEST_TYPED: Final = 20  # characters; longer ones are hashes, of which one sign cannot be mistyped


def ids(a: Values, b: Values) -> float | None:
    """Ids of one kind and namespace; None when the records share no kind."""
    found: float | None = None
    for kind, namespace, value in a:
        for other_kind, other_namespace, other in b:
            if kind == other_kind and namespace == other_namespace:
                found = max(found or 0.0, _two_ids(kind, value, other))
    return found


def _two_ids(kind: str, a: str, b: str) -> float:
    if a == b:
        return 1.0
    if kind in _IN_SEQUENCE or not 5 <= len(a) <= _LONGEST_TYPED:
        return 0.0
    return 0.7 if _one_slip(a, b) else 0.0


# --- where somebody lives --------------------------------------------------------------------------------------------

_HOUSE, _MOO, _SOI, _STREET, _SUBDISTRICT, _DISTRICT, _CITY, _PROVINCE, _POSTCODE, _REST = range(len(ADDRESS_PARTS))


def addresses(a: Values, b: Values) -> float | None:
    """Addresses part by part, as far as both tell it; a place in two scripts is compared by its reading."""
    return _best(_ordered_addresses, a, b)


def _ordered_addresses(a: Values, b: Values) -> float | None:
    return _two_addresses(a, b) if a <= b else _two_addresses(b, a)


def _two_addresses(a: Values, b: Values) -> float | None:
    parts: list[tuple[float, float]] = []  # weight, likeness
    if a[_HOUSE] and b[_HOUSE]:
        parts.append((3.0, 1.0 if a[_HOUSE] == b[_HOUSE] else 0.3 if _near_house(a[_HOUSE], b[_HOUSE]) else 0.0))
    if a[_MOO] and b[_MOO]:
        parts.append((1.0, float(a[_MOO] == b[_MOO])))
    if a[_PROVINCE] and b[_PROVINCE]:
        parts.append((0.5, float(a[_PROVINCE] == b[_PROVINCE])))
    if a[_POSTCODE] and b[_POSTCODE]:
        parts.append((1.0, _two_codes(a[_POSTCODE], b[_POSTCODE])))
    if a[_REST] and b[_REST]:
        parts.append((1.5, _overlap(a[_REST], b[_REST])))
    may_agree = not parts or any(likeness for _, likeness in parts)
    ways_a, towns_a = _ways_and_towns(a)
    ways_b, towns_b = _ways_and_towns(b)
    if ways_a.names and ways_b.names:
        parts.append((3.0, _names_of_places(ways_a, ways_b, closely=may_agree)))
    if towns_a.names and towns_b.names:
        parts.append((1.0, _names_of_places(towns_a, towns_b, closely=may_agree)))
    weight = total = 0.0
    for counting, likeness in parts:
        weight, total = weight + counting, total + counting * likeness
    return total / weight if weight >= 3.0 else None  # with neither house nor street on both sides


class _Places(NamedTuple):
    names: tuple[str, ...]
    sounds: frozenset[str]


@lru_cache(maxsize=32_768)
def _ways_and_towns(address: Values) -> tuple[_Places, _Places]:
    """Street and soi, and what they lie in."""
    ways = tuple(filter(None, (address[_STREET], address[_SOI])))
    towns = tuple(filter(None, (address[_SUBDISTRICT], address[_DISTRICT], address[_CITY])))
    return _Places(ways, frozenset(map(_sounds, ways))), _Places(towns, frozenset(map(_sounds, towns)))


def _names_of_places(a: _Places, b: _Places, *, closely: bool) -> float:
    """How alike the two nearest are; unless `closely`, only whether two have the same sounds, which costs little."""
    if not a.sounds.isdisjoint(b.sounds):
        return 1.0
    return (_best(_two_places, a.names, b.names) or 0.0) if closely else 0.0


def _sounds(place: str) -> str:
    return skeleton(place) or place


def _near_house(a: str, b: str) -> bool:
    return a.partition("/")[0] == b.partition("/")[0] or (len(a) > 1 and _one_slip(a, b))


@lru_cache(maxsize=32_768)
def _two_places(a: str, b: str) -> float | None:
    if a in PROVINCES and b in PROVINCES:
        return float(a == b)
    if writing(a) != writing(b):
        return None
    return _stretched(readings_agree(a.replace(" ", ""), b.replace(" ", "")))


def _overlap(a: Sequence[str], b: Sequence[str]) -> float:
    shared = len(set(a).intersection(b))
    return shared / min(len(a), len(b))


def postcodes(a: Values, b: Values) -> float | None:
    """Postcodes; one slip is near."""
    return _best(_two_codes, a, b)


def _two_codes(a: str, b: str) -> float:
    if a == b:
        return 1.0
    return 0.5 if len(a) >= 4 and _one_slip(a, b) else 0.0


def places(a: Values, b: Values) -> float | None:
    """Provinces and towns, in either script."""
    if not set(a).isdisjoint(b):
        return 1.0
    return _best(_two_places, a, b) if a <= b else _best(_two_places, b, a)


def gender(a: str, b: str) -> float | None:
    """1 or 0."""
    return float(a == b)


COMPARISONS: Final[tuple[Comparison, ...]] = (
    Comparison("given", "people", given),
    Comparison("family", "people", family),
    Comparison("names", "names", whole_names),
    Comparison("birth_dates", "birth_dates", birth_dates),
    Comparison("phones", "phones", phones),
    Comparison("emails", "emails", emails),
    Comparison("ids", "ids", ids),
    Comparison("addresses", "addresses", addresses),
    Comparison("postcodes", "postcodes", postcodes),
    Comparison("places", "places", places),
    Comparison("gender", "gender", gender),
)
"""All comparisons in the order in which a model weighs and a steward reads them."""
