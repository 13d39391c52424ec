"""The people of the sample company: who they really are, before any system has misspelt them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import exp
from random import Random

from cdp_site.operations.company import lexicon
from cdp_site.operations.company.catalogue import PERSONAS
from cdp_site.operations.company.draws import (
    Weighted,
    generator,
    mobile_number,
    pick,
    pick_by_total,
    pick_skewed,
    scramble,
)
from cdp_site.operations.company.places import DISTRICT_TOTALS, DISTRICTS, ROADS, District

#: Nobody is younger: a fixed date, so that a person's birthday does not move with the company's year.
_YOUNGEST_BIRTH = date(2007, 10, 1)

#: Purposes of a person's generators (`draws.generator`).
IDENTITY, FAMILY, HOME, ACCOUNTS, BEHAVIOUR = range(5)

#: The company's year has the days 0 to 365; the last one is the day that is not over yet.
LAST_DAY = 365

#: The one mailbox that several buyers of a hotel group give as theirs.
SHARED_MAILBOX = "info@baan-resort.example.com"
_SHARED_MAILBOX_EVERY, _SHARED_MAILBOX_HOLDERS = 200, 25

#: Of 250 people one gives up a number that another of them is given by the operator later.
_RECYCLING_EVERY, _RECYCLING_GIVER, _RECYCLING_TAKER = 250, 43, 243

#: The mark of a silent letter.
THANTHAKHAT = "\u0e4c"

_ENGLISH_SHARE = 0.25
_DOMAINS = Weighted(*lexicon.MAIL_DOMAINS)
_PERSONAS = Weighted(*((key, share) for key, (share, _) in PERSONAS.items()))
_HOMES = Weighted(("condo", 40), ("townhouse", 30), ("house", 30))
_PETS = Weighted(("none", 55), ("dog", 25), ("cat", 20))


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the scripts that its bearer uses; ``thai`` is empty for people who write in Latin only.

    ``latin`` is the bearer's own spelling, ``latin_other`` how somebody else may spell or shorten it.
    """

    thai: str
    latin: str
    latin_other: str


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person lives; the same house in either language."""

    house: str
    lane: int
    road: int
    district: District

    def street(self, language: str) -> str:
        """Return house, lane and road in ``th`` or ``en``."""
        thai, english = ROADS[self.road]
        return (
            f"{self.house} ซอย {self.lane} {thai}" if language == "th" else f"{self.house} Soi {self.lane}, {english}"
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What is different from ``day`` on: a surname after a wedding, a phone number or a home; the others are empty."""

    day: int
    surname: Name | None
    phone: str
    address: Address | None


@dataclass(frozen=True, slots=True)
class Person:
    """One true person. Days count from the start of the company's year; those who joined before it have negative ones.

    ``activity`` is 1 on average, so that touchpoints can be shared out by it.
    """

    number: int
    language: str
    gender: str
    given: Name
    surname: Name
    title: tuple[str, str]
    nickname: tuple[str, str]
    birth_date: date
    citizen_id: str
    phone: str
    email: str
    address: Address
    persona: str
    activity: float
    home: str
    pet: str
    family_size: int
    shoe_size: int
    joined_day: int
    left_day: int
    change: Change | None


class Population:
    """The people of a company of one seed and size, made on demand.

    Args:
        seed: everything follows from it; the same seed gives the same people.

    Examples:
        >>> Population(seed=1).person(5) == Population(seed=1).person(5)
        True
    """

    def __init__(self, *, seed: int) -> None:
        self._seed = seed

    def person(self, number: int) -> Person:
        """Return person ``number`` (from 0), the same whichever others are made."""
        rng = generator(self._seed, number, IDENTITY)
        family = generator(self._seed, family_of(number), FAMILY)
        house = household_of(number)
        home = generator(self._seed, house, HOME)
        english = family.random() < _ENGLISH_SHARE
        surname = _english_surname(family) if english else _thai_surname(family)
        gender = "female" if rng.random() < 0.54 else "male"
        given = _english_given(rng, gender) if english else _thai_given(rng, gender)
        age = min(78, int(18 + 60 * rng.random() ** 1.6))
        joined_day = -1 - int(rng.random() * 900) if rng.random() < 0.45 else int(rng.random() * 360)
        person = Person(
            number=number,
            language="en" if english else "th",
            gender=gender,
            given=given,
            surname=surname,
            title=_title(rng, gender),
            nickname=pick(rng, lexicon.NICKNAMES),
            birth_date=_YOUNGEST_BIRTH - timedelta(days=int((age - 18) * 365.25 + rng.random() * 365)),
            citizen_id=citizen_id(scramble(number, 13)),
            phone=mobile_number(house if _uses_family_phone(number) else number),
            email=_email(rng, number, given, surname),
            address=_address(home),
            home=_HOMES.draw(home),
            pet=_PETS.draw(home),
            family_size=1 + int(home.random() * 5),
            persona=_PERSONAS.draw(rng),
            activity=min(25.0, exp(rng.gauss(-0.5, 1.0))),
            shoe_size=int(rng.gauss(38 if gender == "female" else 42, 1.3)),
            joined_day=joined_day,
            left_day=_left_day(rng, joined_day),
            change=_change(rng, number, english, gender, joined_day),
        )
        return _with_peculiarities(person)


def family_of(number: int) -> int:
    """Return the number of the person whose surname and language this person shares (itself for most)."""
    return number - {1: 1, 2: 2}.get(number % 16, 0)


def household_of(number: int) -> int:
    """Return the number of the person whose home this person shares: relatives, or two who live together."""
    return number - {1: 1, 2: 2, 6: 1}.get(number % 16, 0)


def _uses_family_phone(number: int) -> bool:
    return number % 16 == 2 or number % 32 == 1


def _with_peculiarities(person: Person) -> Person:
    """Return the person, with the number that another gave up, or with a mailbox that is not theirs alone."""
    place = person.number % _RECYCLING_EVERY
    if place == _RECYCLING_GIVER:
        change = Change(day=120, surname=None, phone=mobile_number(_second_phone(person.number)), address=None)
        return replace(person, joined_day=-30, left_day=LAST_DAY, change=change)
    if place == _RECYCLING_TAKER:
        given_up = mobile_number(person.number - _RECYCLING_TAKER + _RECYCLING_GIVER)
        return replace(person, phone=given_up, joined_day=300, left_day=LAST_DAY, change=None)
    block, place = divmod(person.number, _SHARED_MAILBOX_EVERY)
    if place == 7 and block < _SHARED_MAILBOX_HOLDERS:
        return replace(person, email=SHARED_MAILBOX)
    return person


def _left_day(rng: Random, joined_day: int) -> int:
    """Return the day after which the person is not seen any more: more than a quarter lapse during the year."""
    if joined_day < 200 and rng.random() < 0.28:
        return max(joined_day, 0) + 20 + int(rng.random() * 140)
    return LAST_DAY


def _change(rng: Random, number: int, english: bool, gender: str, joined_day: int) -> Change | None:
    """Return what changes in the person's life during the year: for one in seven a surname, a number or the home."""
    draw = rng.random()
    if draw >= 0.14:
        return None
    earliest = max(joined_day, 0)
    day = earliest + 5 + int(rng.random() * max(1, 350 - earliest))
    if draw < 0.03:
        if gender == "male":
            return None
        return Change(day, _english_surname(rng) if english else _thai_surname(rng), "", None)
    if draw < 0.06:
        return Change(day, None, mobile_number(_second_phone(number)), None)
    return Change(day, None, "", _address(rng))


def _second_phone(number: int) -> int:
    """Return the number (for `mobile_number`) of a person's second phone, beyond everybody's first."""
    return 100_000_000 + number


def citizen_id(number: int) -> str:
    """Return a 13-digit id with a right checksum that was never given out: those begin with 1 to 8, this with 9.

    The checksum is (11 − Σ digitᵢ·(14 − i) mod 11) mod 10 over the first twelve digits.
    """
    body = f"9{number * 97 % 10**11:011d}"
    check = (11 - sum(int(digit) * (13 - place) for place, digit in enumerate(body)) % 11) % 10
    return f"{body}{check}"


def _thai_given(rng: Random, gender: str) -> Name:
    whole, first, last = (
        (lexicon.FEMALE_WHOLE, lexicon.FEMALE_FIRST, lexicon.FEMALE_LAST)
        if gender == "female"
        else (lexicon.MALE_WHOLE, lexicon.MALE_FIRST, lexicon.MALE_LAST)
    )
    if rng.random() < 0.35:
        return _compound(rng, (pick(rng, whole),))
    return _compound(rng, (pick(rng, first), pick(rng, last)))


def _thai_surname(rng: Random) -> Name:
    elements = [pick(rng, lexicon.SURNAME_FIRST), pick(rng, lexicon.SURNAME_MIDDLE)]
    if rng.random() < 0.45:
        elements.append(pick(rng, lexicon.SURNAME_LAST))
    return _compound(rng, tuple(elements))


def _compound(rng: Random, elements: tuple[lexicon.Element, ...]) -> Name:
    """Return the name made of the elements, without one that repeats the element before it."""
    kept = [element for place, element in enumerate(elements) if place == 0 or element[0] != elements[place - 1][0]]
    *before, last = (thai for thai, _ in kept)
    return Name(
        thai="".join(thai.rstrip(THANTHAKHAT) for thai in before) + last,  # a silent letter is silent at the end alone
        latin="".join(pick_skewed(rng, latin) for _, latin in kept),
        latin_other="".join(pick(rng, latin) for _, latin in kept),
    )


def _english_given(rng: Random, gender: str) -> Name:
    full, short = pick(rng, lexicon.ENGLISH_FEMALE if gender == "female" else lexicon.ENGLISH_MALE)
    return Name(thai="", latin=full, latin_other=pick(rng, short))


def _english_surname(rng: Random) -> Name:
    surname = pick(rng, lexicon.ENGLISH_SURNAMES)
    return Name(thai="", latin=surname, latin_other=surname.replace("ü", "u").replace("'", ""))


def _title(rng: Random, gender: str) -> tuple[str, str]:
    """Return the person's title in Thai and in Latin script."""
    if rng.random() < 0.02:
        return "ดร.", "Dr."
    if gender == "male":
        return "นาย", "Mr."
    return ("นาง", "Mrs.") if rng.random() < 0.4 else (pick(rng, ("นางสาว", "น.ส.")), "Ms.")


def _address(rng: Random) -> Address:
    return Address(
        house=f"{1 + int(rng.random() * 399)}/{1 + int(rng.random() * 120)}",
        lane=1 + int(rng.random() * 80),
        road=int(rng.random() * len(ROADS)),
        district=pick_by_total(rng, DISTRICTS, DISTRICT_TOTALS),
    )


def _email(rng: Random, number: int, given: Name, surname: Name) -> str:
    """Return an address that nobody else has: its digits are one to one up to 10,007 people, then with the name."""
    first, last = mailbox_letters(given.latin), mailbox_letters(surname.latin)
    digits = scramble(number, 3, 10_007)
    style = int(rng.random() * 4)
    local = (
        f"{first}.{last[:3]}{digits}",
        f"{first}{digits}",
        f"{last}.{first[:1]}{digits}",
        f"{first}_{last}{digits}",
    )
    return f"{local[style]}@{_DOMAINS.draw(rng)}"


def mailbox_letters(text: str) -> str:
    """Return the letters a–z of a Latin name, for use before the @."""
    return "".join(letter for letter in text.lower().replace("ü", "ue") if letter.isascii() and letter.isalpha())
