"""How systems and people write the same thing: formats, slips, masks."""

from __future__ import annotations

from datetime import date
from random import Random

from cdp_site.operations.company import lexicon
from cdp_site.operations.company.draws import pick, pick_skewed
from cdp_site.operations.company.people import Name, Person

_THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")
_THAI_MONTHS = ("ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค.")
_BUDDHIST_ERA = 543

#: Thai vowels above and below, tone marks and the mark of silence hang on the consonant before them.
_HANGING = frozenset("ัิีึืฺุู็่้๊๋์ํ๎")


def phone_as_typed(rng: Random, phone: str) -> str:
    """Return a ten-digit number as a customer types it into a form."""
    head, middle, tail = phone[:3], phone[3:6], phone[6:]
    style = rng.random()
    if style < 0.5:
        return phone
    if style < 0.7:
        return f"{head}-{middle}-{tail}"
    if style < 0.8:
        return f"{head} {middle} {tail}"
    if style < 0.92:
        return f"+66{phone[1:]}"
    return f"+66 (0){phone[1:3]} {middle} {tail}"


def phone_as_keyed(rng: Random, phone: str) -> str:
    """Return a number as staff key it in: also Thai digits, 0066, and junk where the customer gave none."""
    style = rng.random()
    if style < 0.12:
        return phone.translate(_THAI_DIGITS)
    if style < 0.18:
        return f"0066{phone[1:]}"
    if style < 0.22:
        return f"66{phone[1:]}"
    if style < 0.25:
        return pick(rng, lexicon.JUNK_PHONES)
    if style < 0.27:
        return f"xxx-xxx-{phone[6:]}"
    return phone_as_typed(rng, phone)


def email_as_typed(rng: Random, email: str) -> str:
    """Return an address as typed: now and then in capitals, with a blank, or none at all."""
    style = rng.random()
    if style < 0.84:
        return email
    if style < 0.9:
        return email.upper()
    if style < 0.95:
        return f" {email}"
    if style < 0.97:
        return pick(rng, lexicon.JUNK_EMAILS)
    return email.replace("@", ".@@", 1)


def slip(rng: Random, text: str, rate: float) -> str:
    """Return the text, at that rate with one slip: two neighbours swapped, one letter left out or doubled.

    A Thai letter is moved with nothing hanging on it, so that what comes out can still be typed and read.
    """
    if rng.random() >= rate or len(text) < 4:
        return text
    place = 1 + int(rng.random() * (len(text) - 2))
    pair = text[place : place + 2]
    after = text[place + 2 : place + 3]
    if _HANGING.intersection(pair + after) or " " in pair:
        return text[:place] + pair[0] + text[place:] if pair[0] not in _HANGING and pair[0] != " " else text
    kind = rng.random()
    if kind < 0.4:
        return text[:place] + pair[::-1] + text[place + 2 :]
    if kind < 0.7:
        return text[:place] + text[place + 1 :]
    return text[:place] + pair[0] + text[place:]


def masked(text: str) -> str:
    """Return a name as a partner's system hands it over: the first letter, stars, the last one."""
    return f"{text[0]}***{text[-1]}"


def own_name(rng: Random, person: Person, surname: Name, *, thai_share: float) -> tuple[str, str]:
    """Return (given, family name) as the person writes it: Thai people also in Latin script, sometimes by nickname.

    Args:
        thai_share: how many Thai people use Thai script here, 0–1.
    """
    if person.language == "th" and rng.random() < thai_share:
        return slip(rng, person.given.thai, 0.03), slip(rng, surname.thai, 0.04)
    if rng.random() < 0.12:
        return person.given.latin_other, surname.latin
    given, family = slip(rng, person.given.latin, 0.03), slip(rng, surname.latin, 0.03)
    return (given.upper(), family.upper()) if rng.random() < 0.08 else (given, family)


def keyed_name(rng: Random, person: Person, surname: Name) -> tuple[str, str, str]:
    """Return (title, given, family name) as staff key it in from hearing it: more slips, titles stuck on the name."""
    if person.language == "th":
        title = pick_skewed(rng, (person.title[0], "คุณ", ""))
        return title, slip(rng, person.given.thai, 0.07), slip(rng, surname.thai, 0.1)
    title = pick_skewed(rng, (person.title[1], "", "Khun "))
    given = person.given.latin if rng.random() < 0.75 else person.given.latin_other
    return title, slip(rng, given, 0.05), slip(rng, surname.latin_other, 0.08)


def thai_date(rng: Random, day: date) -> str:
    """Return a date in the Buddhist era: 27/09/2521, 27-09-2521 or ๒๗ ก.ย. ๒๕๒๑."""
    year = day.year + _BUDDHIST_ERA
    style = rng.random()
    if style < 0.75:
        return f"{day.day:02d}/{day.month:02d}/{year}"
    if style < 0.85:
        return f"{day.day:02d}-{day.month:02d}-{year}"
    written = f"{day.day} {_THAI_MONTHS[day.month - 1]} {year}"
    return written.translate(_THAI_DIGITS) if style > 0.96 else written


def buddhist_day(day: date) -> str:
    """Return a date as a Thai till prints it: 27/09/2569."""
    return f"{day.day:02d}/{day.month:02d}/{day.year + _BUDDHIST_ERA}"


def display_name(rng: Random, person: Person) -> str:
    """Return how the person shows up in LINE: nickname or given name, with ornaments."""
    thai, latin = person.nickname
    style = rng.random()
    if person.language == "en":
        name = person.given.latin_other if style < 0.4 else person.given.latin
    elif style < 0.35:
        name = f"น้อง{thai}" if style < 0.12 else thai
    elif style < 0.5:
        name = latin
    else:
        name = person.given.thai if style < 0.8 else person.given.latin.lower()
    return name + pick(rng, lexicon.LINE_ORNAMENTS)
