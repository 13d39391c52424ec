"""People of whom the benchmarks of matching know the truth, as two doors write them. Knows no Django: spawned processes
import it alone."""

from collections.abc import Iterable
from random import Random
from typing import Any, TypeAlias

from cdp_site.operations.company.draws import generator
from cdp_site.operations.company.people import Person, Population
from cdp_site.operations.company.spelling import keyed_name, own_name
from profiles.matching import candidates, comparable, learning
from profiles.matching.learned import LearnedMatcher
from profiles.matching.learning import Label
from profiles.matching.matcher import Comparable

SEED = 1
_WEB, _TILL = 101, 102  # purposes of generators (`draws.generator`): how a person is written at either door
_LEARNERS, _LABELS = 600, 100

Stated: TypeAlias = tuple[dict[str, Any], list[tuple[str, str]]]
"""A record: its attributes, and (kind, value) of its identifiers."""

Described: TypeAlias = tuple[int, Stated, frozenset[str]]
"""A person's number, what the record says, its blocking keys."""


class World:
    """The people, by their numbers from 0."""

    def __init__(self) -> None:
        self._people = Population(seed=SEED)

    def at_the_web_shop(self, number: int) -> Stated:
        """As the person registered."""
        person = self._people.person(number)
        rng = generator(SEED, number, _WEB)
        given, family = own_name(rng, person, person.surname, thai_share=0.6)
        attributes: dict[str, Any] = {"first_name": given, "last_name": family, "email": person.email}
        identifiers = [("email", person.email)]
        if rng.random() < 0.7:
            attributes["phone"] = _dialled(person)
            identifiers.append(("phone", attributes["phone"]))
        if rng.random() < 0.6:
            attributes["birth_date"] = person.birth_date.isoformat()
        if rng.random() < 0.5:
            attributes |= _home(person, thai=person.language == "th")
        return attributes, identifiers

    def at_the_till(self, number: int) -> Stated:
        """As staff keyed it in from hearing it; without anything by which an identifier could tell who it is."""
        person = self._people.person(number)
        rng = generator(SEED, number, _TILL)
        _title, given, family = keyed_name(rng, person, person.surname)
        attributes: dict[str, Any] = {"first_name": given, "last_name": family}
        if rng.random() < 0.8:
            attributes["birth_date"] = person.birth_date.isoformat()
        if rng.random() < 0.5:
            attributes |= _home(person, thai=True)
        return attributes, []


def comparable_of(stated: Stated) -> Comparable:
    attributes, identifiers = stated
    return comparable.comparable(attributes, [(kind, "global", value) for kind, value in identifiers])


def learn() -> LearnedMatcher:
    """A model as stewards would have trained it: a hundred verdicts on a thousand records."""
    world = World()
    doors = (world.at_the_web_shop, world.at_the_till)
    pool = {2 * number + place: comparable_of(doors[place](number)) for number in range(_LEARNERS) for place in (0, 1)}
    rng = Random(SEED)
    same = [(2 * number, 2 * number + 1) for number in rng.sample(range(_LEARNERS), _LABELS // 2)]
    near = sorted(pair for pair in candidates.meeting(pool) if pair[0] // 2 != pair[1] // 2)
    different = rng.sample(near, min(len(near), _LABELS // 2))
    labels = [*(Label(a, b, same=True) for a, b in same), *(Label(a, b, same=False) for a, b in different)]
    return learning.train(pool, labels, seed=SEED).matcher


# --- in a process of its own ------------------------------------------------------------------------------------------

_describing: dict[str, Any] = {}


def begin(document: Any) -> None:
    """Be ready for `describe`, with this model."""
    _describing["matcher"] = LearnedMatcher.from_json(document)
    _describing["world"] = World()


def describe(numbers: Iterable[int]) -> list[Described]:
    """The people's records from the web shop."""
    described = []
    for number in numbers:
        stated = _describing["world"].at_the_web_shop(number)
        described.append((number, stated, _describing["matcher"].keys(comparable_of(stated))))
    return described


# --- what a record says -----------------------------------------------------------------------------------------------


def _dialled(person: Person) -> str:
    return f"+66{person.phone.lstrip('0')}"


def _home(person: Person, *, thai: bool) -> dict[str, str]:
    district = person.address.district
    return {
        "address": person.address.street("th" if thai else "en"),
        "city": district.thai if thai else district.english,
        "province": district.province_thai if thai else district.province_english,
        "postcode": district.postcode,
    }
