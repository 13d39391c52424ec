"""What a caller can be asked to show who they are: how an answer is read, and what the customer's records say. Pure.

Every fact is something that a customer knows and a stranger with the phone in hand does not. Facts of one group come
from one piece of paper (a receipt shows order and amount): two of one group are no two.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ingestion.normalise.dates import normalise_date
from ingestion.normalise.email import normalise_email
from ingestion.normalise.thai import ascii_digits
from ingestion.normalise.values import Problem
from profiles.models import Order

LONGEST = 200  # characters of an answer
_SHORTEST_NUMBER = 4  # signs of an order or member number below which it is guessed too easily


class Kind(StrEnum):
    """In the order in which they are asked for: what people know by heart first."""

    BIRTH_DATE = "birth_date"
    CITIZEN = "citizen"
    EMAIL = "email"
    POSTCODE = "postcode"
    MEMBER = "member_id"
    ORDER = "order"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask, how to write the answer down, and on which paper it stands."""

    text: Promise
    hint: Promise
    group: str


QUESTIONS: Mapping[Kind, Question] = {
    Kind.BIRTH_DATE: Question(_("Date of birth"), _("Day, month and year in full: 12 มี.ค. 2530 or 12/3/1987"), "birth"),
    Kind.CITIZEN: Question(_("Last four digits of the national ID"), _("Four digits"), "citizen"),
    Kind.EMAIL: Question(_("E-mail address that we have"), _("As it is spelled"), "email"),
    Kind.POSTCODE: Question(_("Postcode of the address that we have"), _("Five digits"), "address"),
    Kind.MEMBER: Question(_("Member number"), _("As it stands on the card"), "member"),
    Kind.ORDER: Question(_("Number of an order of the last two years"), _("As it stands on the receipt"), "receipt"),
    Kind.AMOUNT: Question(_("Amount of the last order"), _("Without satang: 1290"), "receipt"),
}
# Of a national id that a source sends, landing keeps the hash and the last four digits.
_TRAITS: Mapping[Kind, tuple[str, ...]] = {
    Kind.BIRTH_DATE: ("birth_date",),
    Kind.CITIZEN: ("citizen_id_last4", "national_id"),
    Kind.EMAIL: ("email",),
    Kind.POSTCODE: ("postcode",),
    Kind.MEMBER: ("member_id",),
}


def read(kind: Kind, said: str) -> str | None:
    """An answer in the form in which facts are compared; None when it cannot be read as one.

    >>> read(Kind.BIRTH_DATE, "14 ก.พ. 2534"), read(Kind.AMOUNT, "฿4,740.50")
    ('1991-02-14', '4740')
    """
    text = ascii_digits(said).strip()
    if kind is Kind.BIRTH_DATE:
        day = normalise_date(text)
        return None if day.problem else day.value
    if kind is Kind.EMAIL:
        address = normalise_email(text)
        return None if address.problem in (Problem.MALFORMED, Problem.MASKED) else address.value
    if kind in (Kind.CITIZEN, Kind.POSTCODE):
        digits = "".join(filter(str.isdecimal, text))
        return digits if len(digits) == (4 if kind is Kind.CITIZEN else 5) else None
    if kind is Kind.AMOUNT:
        return _whole(text)
    number = _plain(text)
    return number if len(number) >= _SHORTEST_NUMBER else None


def known(attributes: Iterable[Mapping[str, Any]], orders: Iterable[Order]) -> dict[Kind, frozenset[str]]:
    """What the records and orders of a customer say, by kind; only what can be asked. A value of any record counts:
    whoever gave two systems two addresses may name either.

    Args:
        orders: the newest first; the amount is the first one's.
    """
    found: dict[Kind, set[str]] = {}
    for stated in attributes:
        for kind, traits in _TRAITS.items():
            for text in (text for trait in traits for text in _texts(stated.get(trait))):
                if (value := _kept(kind, text)) is not None:
                    found.setdefault(kind, set()).add(value)
    for place, order in enumerate(orders):
        if (number := read(Kind.ORDER, order.external_id)) is not None:
            found.setdefault(Kind.ORDER, set()).add(number)
        if place == 0 and order.total:
            found[Kind.AMOUNT] = {str(int(order.total))}
    return {kind: frozenset(found[kind]) for kind in Kind if kind in found}


def are_enough(kinds: Iterable[Kind]) -> bool:
    """Whether these facts show who somebody is: two of them, from two papers."""
    return len({QUESTIONS[kind].group for kind in kinds}) >= 2


def _kept(kind: Kind, text: str) -> str | None:
    """A record's value as an answer is read; of a date only a whole one, of an address none that many have."""
    if kind is Kind.EMAIL and not normalise_email(text).evidence:
        return None
    if kind is not Kind.BIRTH_DATE:
        return read(kind, text)
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return None


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(one) for one in values if isinstance(one, str | int) and not isinstance(one, bool)]


def _plain(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _whole(text: str) -> str | None:
    """The baht of an amount, however its satang are said."""
    plain = "".join(sign for sign in text if sign.isdecimal() or sign == ".").strip(".")
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        return None
    return str(int(amount)) if 0 < amount < 10**12 else None
