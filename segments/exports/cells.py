"""Cells that no spreadsheet runs. Pure."""

import re
from typing import Final

_PHONE: Final = re.compile(r"\+[0-9]{6,15}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
# A sign, also at full width, behind what a spreadsheet trims away or does not show: spaces, marks of direction.
_FORMULA: Final = re.compile(
    r"[\s\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b]"
)


def harmless(cell: str) -> str:
    """The cell so that no spreadsheet runs it as a formula: an apostrophe before the signs that begin one, and before
    control characters, with which a cell may be split (OWASP, CSV Injection). A phone number with its country code
    begins with one of these signs and stays as it is.

    >>> harmless("=1+1"), harmless("+66812345678")
    ("'=1+1", '+66812345678')
    """
    begins_one = _CONTROL.match(cell) or (_FORMULA.match(cell) and not _PHONE.fullmatch(cell))
    return f"'{cell}" if begins_one else cell
