"""The Thai 13-digit citizen number: checked, shown, and recognised by the names of fields that hold it.

The number itself is stored nowhere: landing replaces it by a keyed hash and its last four digits.
"""

import re
from typing import Final

from ingestion.normalise.text import clean
from ingestion.normalise.thai import ascii_digits
from ingestion.normalise.values import Normalised, Problem, placeholder_problem

_SEPARATORS: Final = re.compile(r"[\s.\-–—/_]")
_THIRTEEN: Final = re.compile(r"\d{13}")


def checksum_ok(digits: str) -> bool:
    """Whether the last of 13 ASCII digits fits: weights 13…2, (11 − sum mod 11) mod 10."""
    if len(digits) != 13 or not digits.isascii() or not digits.isdigit():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits[:12], range(13, 1, -1), strict=True))
    return (11 - total % 11) % 10 == int(digits[12])


def normalise_national_id(raw: str) -> Normalised:
    """The 13 digits. A number beginning with 0 is a company's (``COMPANY_ID``) although its last digit fits."""
    text = ascii_digits(clean(raw))
    if problem := placeholder_problem(text):
        return Normalised.bad(text, raw, problem)
    digits = _SEPARATORS.sub("", text)
    if not digits.isascii() or not _THIRTEEN.fullmatch(digits):
        return Normalised.bad(text, raw, Problem.MALFORMED)
    if len(set(digits[:12])) == 1 or digits.startswith("123456789012"):
        return Normalised.bad(digits, raw, Problem.JUNK)
    if not checksum_ok(digits):
        return Normalised.bad(digits, raw, Problem.CHECKSUM)
    if digits.startswith("0"):
        return Normalised.bad(digits, raw, Problem.COMPANY_ID)
    return Normalised.good(digits, raw)


def format_national_id(digits: str) -> str:
    """``1-2345-67890-12-1``, as it is printed on the card."""
    return "-".join((digits[0], digits[1:5], digits[5:10], digits[10:12], digits[12:]))


def last_four(digits: str) -> str:
    """The digits that may be shown to tell two cards apart."""
    return digits[-4:]


_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[ก-๛]+")
_THAI_NAMES: Final = re.compile(
    "บัตรประชาชน|บัตรปชช|ประจำตัวประชาชน|เลขประชาชน|ผู้เสียภาษี|เลข13หลัก|เลขที่บัตร|เลขบัตรปจต|^ปชช|บัตรประจำตัวปชช"
)
_OTHER_THAI_CARDS: Final = re.compile("สมาชิก|พนักงาน|เครดิต|นิติบุคคล|นักเรียน|นักศึกษา")
_ENGLISH_NAMES: Final = re.compile(
    r"(?:^|_)(?:"
    r"(?:national|citizen|thai|personal|identity)_(?:id|identification|number|no|card)"
    r"|(?:national|citizen|thai|personal)id(?:no|number|card)?|id_?card|identity_?card|citizen_?(?:no|number)"
    r"|nric|ssn|social_security|tax_?(?:payer_?)?(?:id|no|number)"
    r")(?:_|$)"
)  # fmt: skip
_OTHER_CARDS: Final = re.compile(r"(?:^|_)(?:member|membership|loyalty|gift|company|employee|student|sim)(?:_|$)")


def is_national_id_name(name: str) -> bool:
    """Whether a column or trait of this name holds a person's national (or tax) number, in Thai or English.

    Errs on the side of yes: a column wrongly sealed can be mapped anew, a number stored in clear cannot be taken back.
    Not for ``pid`` and ``cid``, which in events are a product's and a campaign's.
    """
    text = clean(name)
    thai = _SEPARATORS.sub("", ascii_digits(text))
    if _THAI_NAMES.search(thai):
        return _OTHER_THAI_CARDS.search(thai) is None
    words = "_".join(_WORDS.findall(text)).lower()
    return bool(_ENGLISH_NAMES.search(words)) and not _OTHER_CARDS.search(words)
