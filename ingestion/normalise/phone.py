"""Phone numbers in E.164 (ITU-T), read the way people of a region write them."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import phonenumbers

from ingestion.normalise.text import clean
from ingestion.normalise.thai import ascii_digits
from ingestion.normalise.values import Normalised, Problem, placeholder_problem

MAX_PHONE_LENGTH: Final = 60  # characters, with extension and remarks

# The usual ways to write a Thai mobile (0 or 66, then 6, 8 or 9 and eight digits) or a Bangkok number.
_THAI_USUAL: Final = re.compile(
    r"(?:\+66|0066|66|0)[ .-]?(?:\(0\)[ .-]?)?"
    r"([689][0-9][ .-]?[0-9]{3}[ .-]?[0-9]{4}|[689] ?[0-9]{4} ?[0-9]{4}|2[ .-]?[0-9]{3}[ .-]?[0-9]{4})"
)
# Mobile numbers of the Thai plan (NBTC: 06, 08, 09 and eight digits). The library lists ranges after they are allotted
# and knows only a part of 06, so a number of this form is taken although the library does not know it yet.
_THAI_MOBILE: Final = re.compile(r"\+66[689][0-9]{8}")
_EXTENSION: Final = re.compile(r"(?i)[ ,;]*(?:ext(?:ension)?\.?|x|#|ต่อ|กด)[ .:]*\d{1,6}(?:\s*,\s*\d{1,6})*$")
_SEPARATORS: Final = re.compile(r"[ .\-]")
_NOT_DIGITS: Final = re.compile(r"\D")
_ASCENDING: Final = "01234567890123456789"
_DESCENDING: Final = "98765432109876543210"


def normalise_phone(raw: str, *, region: str = "TH", fallback_regions: Sequence[str] = ()) -> Normalised:
    """The number in E.164, read as dialled in ``region``.

    ``region`` is the source's own (ISO 3166-1): 702-919-1300 is a number for US and none for TH. When it is no number
    there, each of ``fallback_regions`` is tried; by default none is, for a guessed country would join strangers.
    An extension is dropped from the value, which is then an office's and no evidence.
    """
    return _normalise(raw, region, tuple(fallback_regions))


@lru_cache(maxsize=32_768)
def _normalise(raw: str, region: str, fallback_regions: tuple[str, ...]) -> Normalised:
    text = tidy(raw)
    if region == "TH" and (usual := _THAI_USUAL.fullmatch(text)):
        return _judged("+66" + _SEPARATORS.sub("", usual[1]), raw)
    return read(text, raw, (region, *fallback_regions))


def tidy(raw: str) -> str:
    """The number on one line with ASCII digits; full-width signs and long dashes as the usual ones."""
    if raw.isascii():
        return clean(raw)
    text = unicodedata.normalize("NFKC", ascii_digits(clean(raw)))
    return clean(re.sub("[\u2010-\u2015\u2212]", "-", text))


def read(text: str, raw: str, regions: Sequence[str]) -> Normalised:
    """The tidied text read by libphonenumber's rules: what the fast path must equal."""
    if len(text) > MAX_PHONE_LENGTH:
        return Normalised.bad(text, raw, Problem.TOO_LONG)
    if problem := placeholder_problem(text):
        return Normalised.bad(text, raw, problem)
    number = _EXTENSION.sub("", text)
    has_extension = number != text
    if number.startswith(
        "00"
    ):  # the way to dial out in Thailand and most of the world; the library reads 0066 as digits
        number = "+" + number[2:].lstrip(" -.")
    for region in regions:
        if found := _parse(number, region):
            judged = _judged(found, raw)
            if has_extension and judged.evidence:
                return Normalised.bad(found, raw, Problem.SWITCHBOARD)
            return judged
    digits = _NOT_DIGITS.sub("", number)
    return Normalised.bad(text, raw, Problem.JUNK if _is_junk(digits) else Problem.MALFORMED)


def _parse(number: str, region: str) -> str | None:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    found = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if phonenumbers.is_valid_number(parsed) or _THAI_MOBILE.fullmatch(found):
        return found
    return None


def _judged(e164: str, raw: str) -> Normalised:
    national = e164[3:] if e164.startswith("+66") else e164[2:]
    if _is_junk(national):
        return Normalised.bad(e164, raw, Problem.JUNK)
    return Normalised.good(e164, raw)


def _is_junk(digits: str) -> bool:
    """Whether the digits are one key held down, or a run of the keypad: typed to pass a form."""
    subscriber = digits.lstrip("0")
    if len(subscriber) < 4:
        return len(digits) > 0
    if len(set(subscriber)) == 1 or len(set(subscriber[1:])) == 1:
        return True
    tail = subscriber[1:]
    return len(tail) >= 6 and (tail in _ASCENDING or tail in _DESCENDING)
