"""Which systems know a person, under which ids, and what each of them holds."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from cdp_site.operations.company.catalogue import STORES
from cdp_site.operations.company.draws import Weighted, generator, hexadecimal, pick, scramble, uuid_text
from cdp_site.operations.company.people import ACCOUNTS, Address, Name, Person
from cdp_site.operations.company.spelling import email_as_typed, own_name, phone_as_typed

#: How many people know each system, in percent of all. With two tickets in five people's hands and doubles this makes
#: 1.4 identified records a person, and .2 devices that were seen before any login.
WEB_SHARE, APP_SHARE, POS_SHARE, LINE_SHARE = 0.41, 0.18, 0.32, 0.12

#: Of those without an account some look around the shop without ever saying who they are.
_VISITOR_SHARE = 0.05
_SECOND_DEVICE_SHARE = 0.25
_BEFORE_LOGIN_SHARE = 0.3
_SECOND_CARD_SHARE = 0.05
_TICKETS = Weighted((0, 884), (1, 82), (2, 24), (4, 8), (7, 2))

#: One person in sixty looks at red shoes again and again in the last days.
RED_SHOES_EVERY, RED_SHOES_PLACE = 60, 11


@dataclass(frozen=True, slots=True)
class Device:
    """A browser; ``browses_first``: it is seen before its user logs in on it for the first time."""

    anonymous_id: str
    browses_first: bool


@dataclass(frozen=True, slots=True)
class Card:
    """A customer of the stores: the till's customer code and the member number on the card."""

    code: str
    member_id: str
    store: tuple[str, str, str, str]
    keyed_badly: bool


@dataclass(frozen=True, slots=True)
class Accounts:
    """Where a person is known. Empty texts and tuples: not there."""

    web_user: str
    devices: tuple[Device, ...]
    app_user: str
    app_install: str
    cards: tuple[Card, ...]
    line_user: str
    tickets: int


def accounts_of(seed: int, person: Person, modulus: int) -> Accounts:
    """Return where the person is known; everybody is known somewhere.

    Args:
        modulus: `draws.modulus_for` the size of the company.
    """
    rng = generator(seed, person.number, ACCOUNTS)
    number = person.number
    web = rng.random() < WEB_SHARE or number % RED_SHOES_EVERY == RED_SHOES_PLACE
    app = rng.random() < APP_SHARE
    pos = rng.random() < POS_SHARE
    line = rng.random() < LINE_SHARE
    tickets = _TICKETS.draw(rng)
    if not (web or app or pos or line or tickets):
        web = rng.random() < 0.3
        pos = not web
    devices: tuple[Device, ...] = ()
    if web:
        count = 2 if rng.random() < _SECOND_DEVICE_SHARE else 1
        devices = tuple(Device(uuid_text(rng), rng.random() < _BEFORE_LOGIN_SHARE) for _ in range(count))
    elif rng.random() < _VISITOR_SHARE:
        devices = (Device(uuid_text(rng), browses_first=True),)
    cards: tuple[Card, ...] = ()
    if pos:
        cards = (_card(rng, number, person, modulus, keyed_badly=False),)
        if rng.random() < _SECOND_CARD_SHARE:  # lost the card and filled in the form again
            cards += (_card(rng, number + modulus // 2, person, modulus, keyed_badly=True),)
    return Accounts(
        web_user=f"u{scramble(number, 1, modulus):06d}" if web else "",
        devices=devices,
        app_user=f"{scramble(number, 2, modulus):06d}" if app else "",
        app_install=uuid_text(rng) if app else "",
        cards=cards,
        line_user=f"U{hexadecimal(rng, 32)}" if line else "",
        tickets=tickets,
    )


def _card(rng: Random, number: int, person: Person, modulus: int, *, keyed_badly: bool) -> Card:
    near = [store for store in STORES if store[3] == person.address.district.province_english]
    return Card(
        code=f"P{scramble(number, 4, modulus):06d}",
        member_id=f"M{scramble(number, 5, modulus):07d}",
        store=pick(rng, near or STORES),
        keyed_badly=keyed_badly,
    )


def address_traits(address: Address, language: str) -> dict[str, str]:
    """Return an address as Segment's reserved trait of that name, in the language of the form."""
    district = address.district
    thai = language == "th"
    return {
        "street": address.street(language),
        "city": district.thai if thai else district.english,
        "state": district.province_thai if thai else district.province_english,
        "postalCode": district.postcode,
        "country": "TH",
    }


def web_traits(rng: Random, person: Person, surname: Name, phone: str, address: Address) -> dict[str, Any]:
    """Return what the person filled in when registering in the web shop (Segment's reserved traits)."""
    given, family = own_name(rng, person, surname, thai_share=0.6)
    traits: dict[str, Any] = {
        "firstName": given,
        "lastName": family,
        "email": email_as_typed(rng, person.email),
        "language": person.language,
    }
    if rng.random() < 0.62:
        traits["phone"] = phone_as_typed(rng, phone)
    if rng.random() < 0.4:
        traits["birthday"] = person.birth_date.isoformat()
    if rng.random() < 0.5:
        traits["address"] = address_traits(address, person.language)
    return traits


def app_traits(rng: Random, person: Person, surname: Name, phone: str) -> dict[str, Any]:
    """Return what the person filled in when registering in the app; the phone is its login, lifestyle is asked."""
    given, family = own_name(rng, person, surname, thai_share=0.45)
    traits: dict[str, Any] = {
        "firstName": given,
        "lastName": family,
        "phone": f"+66{phone[1:]}",
        "gender": person.gender,
        "language": person.language,
    }
    if rng.random() < 0.7:
        traits["email"] = email_as_typed(rng, person.email)
    if rng.random() < 0.55:
        traits |= {"home_type": person.home, "pet": person.pet, "family_size": person.family_size}
    if rng.random() < 0.4:
        traits["shoe_size"] = person.shoe_size
    return traits
