"""What was meant by a text that was typed with the other keyboard layout switched on. Pure.

On a Thai computer one key switches between the Kedmanee layout (TIS 820-2538) and the American one, and who looks at
the caller's card and not at the screen types ``l,=kp`` for สมชาย.
"""

import re
from typing import Final

# Key by key: unshifted, then shifted, in the order of the rows.
_AMERICAN: Final = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:\"ZXCVBNM<>?"
_KEDMANEE: Final = '_ๅ/-ภถุึคตจขชๆไำพะัีรนยบลฃฟหกดเ้่าสวงผปแอิืทมใฝ%+๑๒๓๔ู฿๕๖๗๘๙๐"ฎฑธํ๊ณฯญฐ,ฅฤฆฏโฌ็๋ษศซ.()ฉฮฺ์?ฒฬฦ'
_TO_THAI: Final = str.maketrans(_AMERICAN, _KEDMANEE)
_TO_LATIN: Final = str.maketrans(_KEDMANEE, _AMERICAN)

_LEADING: Final = "เ-ไ"  # vowels written before their consonant
_UPPER: Final = "\u0e31\u0e34-\u0e3a\u0e47\u0e4d"  # vowels above and below
_TONES: Final = "\u0e48-\u0e4b"
_THAI_ONLY: Final = re.compile(r"[ก-ฮะ-ูเ-์๐-๙ ().-]+")
_CONSONANT: Final = re.compile("[ก-ฮ]")
# What cannot stand in Thai: a sign with nothing to sit on, a leading vowel that leads nothing, two vowels in one place.
_IMPOSSIBLE: Final = re.compile(
    rf"(?:^|[ (.-])[ะ-ูๅ็-์]|[{_LEADING}](?![ก-ฮ])|[{_UPPER}][{_UPPER}]|[{_TONES}์][{_TONES}์{_UPPER}]"
    rf"|[ะาำ][{_UPPER}{_TONES}์ะาำ]"
)
_LETTER: Final = re.compile("[A-Za-z]")
_LATIN: Final = re.compile(r"[A-Za-z0-9@._+#/ -]+")
_LATIN_SOUND: Final = re.compile("[aeiouyAEIOUY]|[0-9]{4}")


def retyped(text: str) -> str | None:
    """The text as the same keys write it with the other layout, or None when that makes no sense.

    >>> retyped("l,=kp")
    'สมชาย'
    >>> retyped("หนทแ้ฟร")
    'somchai'
    >>> retyped("Somchai") is None
    True
    """
    if text.isascii():
        if not _LETTER.search(text):
            return None  # digits are what they are: Thai on the other layout would not show as digits alone
        thai = text.translate(_TO_THAI)
        possible = _THAI_ONLY.fullmatch(thai) and not _IMPOSSIBLE.search(thai)
        return thai if possible and len(_CONSONANT.findall(thai)) > 1 else None
    latin = text.translate(_TO_LATIN)
    return latin if _LATIN.fullmatch(latin) and _LATIN_SOUND.search(latin) else None
