"""The result that every normaliser gives, and the codes for what can be wrong with a value."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Problem(StrEnum):
    """Why a value is not (fully) usable. The codes are stored and counted; their wording lives with the screens.

    * ``MASKED``: the source hid a part of it (``ส***ย``, ``******23``).
    * ``JUNK``: a placeholder that many people share (``0999999999``, ``noemail@…``, ``null``, ``ไม่มี``).
    * ``MALFORMED``: it does not have the form of its kind.
    * ``COMPANY_ID``: a 13-digit number that begins with 0, which names a company and not a person.
    * ``CHECKSUM``: 13 digits whose last one does not fit the others.
    * ``UNSEALED``: a national id that arrived in clear where only a sealed one is kept; the number was dropped.
    * ``SWITCHBOARD``: a phone number with an extension: an office's number, kept for contact, shared by its people.
    * ``AMBIGUOUS_YEAR``: a two-digit year, and nobody has said which era and century are meant.
    * ``DATE_ORDER``: day and month only fit the other order than the one chosen for the source.
    * ``WRONG_TYPE``: an object or a number where a text is needed, or the other way round.
    * ``TOO_LONG``: longer than any real value of its kind; kept as it came, not interpreted.
    * ``TOO_MANY``: more values in a list than one person has; those past the limit are not read.
    * ``NUL_BYTE``, ``LONE_SURROGATE``, ``NOT_A_NUMBER``, ``TOO_DEEP``: the message cannot be stored as it is.
    """

    MASKED = "masked"
    JUNK = "junk"
    MALFORMED = "malformed"
    COMPANY_ID = "company_id"
    CHECKSUM = "checksum"
    UNSEALED = "unsealed"
    SWITCHBOARD = "switchboard"
    AMBIGUOUS_YEAR = "ambiguous_year"
    DATE_ORDER = "date_order"
    WRONG_TYPE = "wrong_type"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    NUL_BYTE = "nul_byte"
    LONE_SURROGATE = "lone_surrogate"
    NOT_A_NUMBER = "not_a_number"
    TOO_DEEP = "too_deep"


@dataclass(frozen=True, slots=True)
class Normalised:
    """One value as it is compared, beside what the source sent.

    ``value`` is the canonical form, or the cleaned text when there is none. ``evidence`` says whether the value may
    speak for two records being one person; without a problem it always may.
    """

    value: str
    raw: str
    evidence: bool
    problem: Problem | None

    @classmethod
    def good(cls, value: str, raw: str) -> "Normalised":
        return cls(value, raw, evidence=True, problem=None)

    @classmethod
    def bad(cls, value: str, raw: str, problem: Problem) -> "Normalised":
        return cls(value, raw, evidence=False, problem=problem)


# A row of x counts as masking only beside digits or separators, so that a name such as "Maxxx" is not called masked.
_MAY_MASK: Final = re.compile("[*•●∙█]|[xX]{3}")
_MASKED: Final = re.compile(r"\*|[•●∙█]|(?i:(?<![a-z])x{3,}(?![a-z]))")

_PLACEHOLDERS: Final = frozenset(
    {
        "", "null", "none", "nil", "n/a", "n.a", "na", "n\\a", "#n/a", "nan", "undefined", "unknown", "unspecified",
        "not available", "not specified", "not given", "guest", "anonymous", "anon", "test", "tester", "testing",
        "asdf", "qwerty", "xx", "xxx", "customer", "walk-in", "walk in", "walkin", "no name", "noname", "no data",
        "no phone", "nophone", "no email", "noemail", "dummy", "default", "blank", "empty",
        "ไม่มี", "ไม่ระบุ", "ไม่ทราบ", "ไม่มีข้อมูล", "ไม่ประสงค์ระบุ", "ไม่ประสงค์ออกนาม", "ไม่ให้", "ไม่แจ้ง",
        "ไม่มีเบอร์", "ไม่มีเบอร์โทร", "ไม่มีชื่อ", "ไม่มีอีเมล", "ไม่มีอีเมล์", "ลูกค้า", "ลูกค้าทั่วไป", "ลูกค้าหน้าร้าน", "ลูกค้าเงินสด",
        "ทดสอบ", "ว่าง",
    }
)  # fmt: skip
_EDGE_PUNCTUATION: Final = " \t\r\n-_.,;:'\"()[]<>?!/\\–—"


def placeholder_problem(text: str) -> Problem | None:
    """``MASKED`` or ``JUNK`` when the whole text stands for "hidden" or "nothing"; None for everything else."""
    if len(text) <= 40 and text.casefold().strip(_EDGE_PUNCTUATION) in _PLACEHOLDERS:
        return Problem.JUNK
    if _MAY_MASK.search(text) and _MASKED.search(text):
        return Problem.MASKED
    return None
