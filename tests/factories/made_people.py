"""People made up for tests of learning: families, offices and namesakes, each person written down by several systems.

Nobody is real; a seed makes the same people everywhere.
"""

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from profiles.matching.comparable import comparable
from profiles.matching.matcher import Comparable

_GIVEN = (
    ("robert", "bob"), ("william", "bill"), ("elizabeth", "liz"), ("katherine", "kate"), ("james", "jim"),
    ("margaret", "peggy"), ("somchai", "somchai"), ("anan", "anan"), ("malee", "malee"), ("patricia", "pat"),
    ("daniel", "dan"), ("michael", "mike"), ("susan", "sue"), ("thomas", "tom"), ("niran", "niran"), ("ploy", "ploy"),
    ("richard", "rick"), ("jennifer", "jen"), ("kanya", "kanya"), ("wichai", "wichai"), ("deborah", "debbie"),
    ("steven", "steve"), ("edward", "ed"), ("suda", "suda"), ("victoria", "vicky"), ("andrew", "andy"),
)  # fmt: skip
_FAMILY = (
    "smith", "jones", "wattana", "srisuk", "boonmee", "taylor", "walker", "chaiyasit", "kowalski", "novak", "jaidee",
    "harris", "martin", "thongchai", "garcia", "lewis", "suwan", "hall", "phromma", "young", "saetang", "adams",
    "rattana", "baker", "nelson", "kaewta", "carter", "intha", "mitchell", "perez", "charoen", "roberts", "turner",
)  # fmt: skip
_STREETS = ("main", "oak", "sukhumvit", "silom", "river", "hill", "station", "temple", "market", "school", "garden")
_TOWNS = (
    ("bangkok", "10110"),
    ("phuket", "83000"),
    ("chiang mai", "50000"),
    ("khon kaen", "40000"),
    ("rayong", "21000"),
)


@dataclass(frozen=True)
class Person:
    given: tuple[str, str]
    family: str
    born: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    homes: tuple[tuple[str, tuple[str, str]], ...]


@dataclass(frozen=True)
class Made:
    """Records by number, and who each is."""

    records: Mapping[int, Comparable]
    persons: Mapping[int, int]

    def same(self, a: int, b: int) -> bool:
        return self.persons[a] == self.persons[b]

    def true_pairs(self) -> set[tuple[int, int]]:
        by_person = defaultdict(list)
        for number, person in sorted(self.persons.items()):
            by_person[person].append(number)
        return {(a, b) for numbers in by_person.values() for a in numbers for b in numbers if a < b}


def make_people(number: int = 150, *, seed: int = 1) -> Made:
    """About 1.9 records a person; a third of the people share home, phone and surname with somebody, and one office
    of eight its mailbox and street."""
    randomly = random.Random(seed)
    people = [_office_worker(randomly) for _worker in range(min(8, number))]
    while len(people) < number:
        first = _person(randomly)
        people.append(first)
        if randomly.random() < 0.35:
            people += [_relative(randomly, first) for _relative_ in range(randomly.choice((1, 1, 2)))]
    records, persons = {}, {}
    for person_number, person in enumerate(people[:number]):
        for _record in range(randomly.choice((1, 1, 2, 2, 2, 3, 3))):
            records[len(records)] = _written(randomly, person)
            persons[len(persons)] = person_number
    return Made(records, persons)


def _person(randomly: random.Random) -> Person:
    given, family = randomly.choice(_GIVEN), randomly.choice(_FAMILY)
    return Person(
        given=given,
        family=family,
        born=_day(randomly),
        phones=tuple(_phone(randomly) for _phone_ in range(randomly.choice((1, 1, 2)))),
        emails=(f"{given[0]}.{family}{randomly.randrange(10, 99)}@mail.example",),
        homes=tuple(_home(randomly) for _home_ in range(randomly.choice((1, 1, 2)))),
    )


def _relative(randomly: random.Random, first: Person) -> Person:
    """Another of the household: other name and birthday, the same home, mostly the same phone."""
    other = _person(randomly)
    while other.given == first.given:
        other = _person(randomly)
    phones = first.phones[:1] if randomly.random() < 0.7 else other.phones
    return Person(other.given, first.family, other.born, phones, other.emails, first.homes[:1])


def _office_worker(randomly: random.Random) -> Person:
    person = _person(randomly)
    return Person(
        person.given, person.family, person.born, person.phones, ("info@office.example",), (("1 office", _TOWNS[0]),)
    )


def _written(randomly: random.Random, person: Person) -> Comparable:
    """The person as one system has them: not everything, and not all of it right."""
    given = person.given[1] if randomly.random() < 0.2 else person.given[0]
    attributes: dict[str, Any] = {
        "first_name": _slip(randomly, given, 0.12),
        "last_name": _slip(randomly, person.family, 0.12),
    }
    street, (town, postcode) = randomly.choice(person.homes)
    known = {
        "birth_date": (0.7, _slipped_day(randomly, person.born)),
        "phone": (0.6, randomly.choice(person.phones)),
        "email": (0.5, randomly.choice(person.emails)),
        "address": (0.6, street),
        "city": (0.8, town),
        "postcode": (0.5, postcode),
    }
    attributes |= {field: value for field, (share, value) in known.items() if randomly.random() < share}
    return comparable(attributes)


def _slip(randomly: random.Random, text: str, share: float) -> str:
    if randomly.random() >= share:
        return text
    place = randomly.randrange(1, len(text))
    return text[:place] + randomly.choice("aeiornst") + text[place + randomly.choice((0, 1)) :]


def _slipped_day(randomly: random.Random, day: str) -> str:
    if randomly.random() >= 0.08:
        return day
    year, month, date = day.split("-")
    return f"{year}-{date}-{month}" if int(date) <= 12 else f"{year}-{month}-{int(date) - 1:02}"


def _day(randomly: random.Random) -> str:
    return f"{randomly.randrange(1945, 2005)}-{randomly.randrange(1, 13):02}-{randomly.randrange(1, 29):02}"


def _phone(randomly: random.Random) -> str:
    return f"+668{randomly.randrange(10_000_000, 99_999_999)}"


def _home(randomly: random.Random) -> tuple[str, tuple[str, str]]:
    return f"{randomly.randrange(1, 300)} {randomly.choice(_STREETS)} road", randomly.choice(_TOWNS)
