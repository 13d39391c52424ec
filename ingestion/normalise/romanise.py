"""A Latin reading of a Thai name by rule: fast, without a dictionary or a model.

Letter values are those of the Royal Thai General System (RTGS, Royal Society 1999). Thai does not write every vowel
and does not divide syllables, so a rule can only guess the unwritten ones; what needs certainty compares
``thai.skeleton`` instead, which leaves vowels out.
"""

import re
from functools import lru_cache
from typing import Final

from ingestion.normalise.text import clean
from ingestion.normalise.thai import normalise_thai, without_tones

_INITIAL: Final = {
    "ก": "k", "ข": "kh", "ฃ": "kh", "ค": "kh", "ฅ": "kh", "ฆ": "kh", "ง": "ng", "จ": "ch", "ฉ": "ch", "ช": "ch",
    "ซ": "s", "ฌ": "ch", "ญ": "y", "ฎ": "d", "ฏ": "t", "ฐ": "th", "ฑ": "th", "ฒ": "th", "ณ": "n", "ด": "d", "ต": "t",
    "ถ": "th", "ท": "th", "ธ": "th", "น": "n", "บ": "b", "ป": "p", "ผ": "ph", "ฝ": "f", "พ": "ph", "ฟ": "f", "ภ": "ph",
    "ม": "m", "ย": "y", "ร": "r", "ล": "l", "ว": "w", "ศ": "s", "ษ": "s", "ส": "s", "ห": "h", "ฬ": "l",
    "อ": "", "ฮ": "h",
}  # fmt: skip
_FINAL: Final = {
    **dict.fromkeys("กขฃคฅฆ", "k"), "ง": "ng", **dict.fromkeys("จฉชซฌฎฏฐฑฒดตถทธศษส", "t"),
    **dict.fromkeys("ญณนรลฬ", "n"), **dict.fromkeys("บปผฝพฟภ", "p"), "ม": "m", "ย": "i", "ว": "o",
    "ห": "", "อ": "", "ฮ": "",
}  # fmt: skip

_C: Final = "[ก-รลว-ฮ]"
_SIGN: Final = "[ะ-ู็]"  # a vowel written after, above or below its consonant
# A first consonant alone, a true cluster, or a silent ห or อ before its sonorant.
_ONSET: Final = f"(?:(?:ห[งญนมยรลว]|[กขคตปผพ][รลว]|อย)(?=[ะ-ู็อ])|{_C})"
_LEAD_ONSET: Final = f"(?:ห[งญนมยรลว]|[กขคตปผพ][รล](?![ะาุู])|{_C})"
_BARE: Final = "(?![ะ-ู็]|อ(?![ะ-ู็]))"  # the letter just read carries no vowel of its own

_WITH_LEAD: Final = [
    (re.compile(f"เ({_LEAD_ONSET}){rest}"), vowel)
    for rest, vowel in (
        ("ียว" + _BARE, "iao"), ("ียะ?", "ia"), ("ือย" + _BARE, "ueai"), ("ือะ?", "uea"), ("ิ", "oe"), ("อะ?", "oe"),
        ("าะ", "o"), ("า", "ao"), ("ย" + _BARE, "oei"), ("็ว", "eo"), ("ว$", "eo"), ("[็ะ]?", "e"),
    )
] + [
    (re.compile(f"แ({_LEAD_ONSET}){rest}"), vowel) for rest, vowel in (("็?ว" + _BARE, "aeo"), ("[็ะ]?", "ae"))
] + [
    (re.compile(f"โ({_LEAD_ONSET}){rest}"), vowel) for rest, vowel in (("ย" + _BARE, "oi"), ("ะ?", "o"))
] + [(re.compile(f"[ไใ]({_LEAD_ONSET})(?:ย{_BARE})?"), "ai")]  # fmt: skip
_WITHOUT_LEAD: Final = [
    (re.compile(f"({_ONSET}){rest}"), vowel)
    for rest, vowel in (
        ("ัวะ?", "ua"), ("ัย" + _BARE, "ai"), ("ั", "a"), ("ิว$", "io"), ("าย" + _BARE, "ai"),
        ("าว" + _BARE, "ao"), ("ุย" + _BARE, "ui"), ("วย" + _BARE, "uai"), ("อย" + _BARE, "oi"), ("ือ?", "ue"),
        ("ำ", "am"), ("[ะา]", "a"), ("[ิี]", "i"), ("ึ", "ue"), ("[ุู]", "u"), ("็อ", "o"), ("อ" + _BARE, "o"),
        (f"รร(?={_C}{_BARE})", "a"), (f"รร{_BARE}", "an"), (f"ว(?!รร)(?={_C}{_BARE})", "ua"),
    )
]  # fmt: skip
_CLOSED: Final = ("ai", "ao", "am", "an", "oi", "ui", "io", "eo", "oei", "uai", "aeo", "iao", "ueai")
# A letter closes the syllable unless it opens a cluster (ไม-ตรี), is ร inside a word (สุ-ร-ชัย), or, after an open vowel,
# begins a last syllable of two letters (ศศิ-ธร; but บุตร and มิตร end in a silent ร).
_CODA: Final = re.compile(f"(?:(?![กขคตปผพ][รลว]{_SIGN}|{_C}ว(?!รร){_C}{_BARE}|ร.)({_C}){_BARE}(?!รร{_BARE}))")
_LAST_PAIR: Final = re.compile(f"(?!(?<=[ิุเ])[ตท]ร)(?<!ั){_C}{_C}$")
_SILENT: Final = re.compile("(?:จน|มณ|ณฑ|ทร|ตร|ดร|ษณ|[ก-ฮ])[ิุ]?์|[ฺๆฯ๎ํ]")
# Common parts of names that are not read as they are written, respelled by their sound.
_RESPELLED: Final = {
    "เกียรติ": "เกียด", "ชาติ": "ชาด", "บัติ": "บัด", "เจริญ": "จะเริน", "เสริม": "เซิม", "เพชร": "เพด", "พรหม": "โพรม",
    "ศรี": "สี", "ทรัพย": "ซับ", "ทรง": "โซง", "ทราย": "ซาย", "นคร": "นะคอน", "กมล": "กะมน",
}  # fmt: skip
# The same, where the part opens a longer word.
_RESPELLED_OPENING: Final = {
    "ธน": "ทะนะ", "วร": "วอระ", "พร": "พอน", "ยศ": "โยด", "จักร": "จัก", "สม": "โสม", "วุฒิ": "วุดทิ",
}  # fmt: skip
_RUN: Final = re.compile(f"{_C}{_BARE}")
_RESPELL: Final = re.compile("|".join(_RESPELLED))
_RESPELL_OPENING: Final = re.compile(f"^(?:{'|'.join(_RESPELLED_OPENING)})(?!ร)(?={_C})")
_RU_AFTER_LETTER: Final = re.compile("(?<=[กตทปศสห])ฤ")  # กฤษณะ; elsewhere ฤ is rue: พฤกษ์, ฤทธิ์
_RESPELL_ENDING: Final = re.compile("(?<=วุฒ|ภูม)ิ$")


def _onset(letters: str) -> str:
    if len(letters) == 2 and letters[0] in "หอ":
        letters = letters[1]
    return "".join(_INITIAL[letter] for letter in letters)


def _bare_run(run: str, after_syllable: bool, at_end: bool) -> str:
    """Consonants with no written vowel: pairs from the right read CoC, what is left over reads Ca."""
    if len(run) == 1:
        return "" if after_syllable and at_end else _INITIAL[run] + "a"
    opening = "".join(_INITIAL[letter] + "a" for letter in run[:-2])
    return opening + _INITIAL[run[-2]] + "o" + _FINAL[run[-1]]


def _word(word: str) -> str:
    word = _RU_AFTER_LETTER.sub("ริ", word).replace("ฤ", "รึ").replace("ฦ", "ลึ")
    word = _RESPELL.sub(lambda part: _RESPELLED[part[0]], word)
    word = _RESPELL_ENDING.sub("", _RESPELL_OPENING.sub(lambda part: _RESPELLED_OPENING[part[0]], word))
    parts: list[str] = []
    at = 0
    while at < len(word):
        patterns = _WITH_LEAD if "เ" <= word[at] <= "ไ" else _WITHOUT_LEAD
        match, vowel = next(((found, vowel) for rule, vowel in patterns if (found := rule.match(word, at))), (None, ""))
        if match:
            parts.append(_onset(match[1]) + vowel)
            at = match.end()
            if vowel not in _CLOSED and not _LAST_PAIR.match(word, at) and (coda := _CODA.match(word, at)):
                parts.append(_FINAL[coda[1]])
                at = coda.end()
            continue
        end = at
        while (bare := _RUN.match(word, end)) and not any(rule.match(word, end) for rule, _ in _WITHOUT_LEAD):
            end = bare.end()
        if end > at:
            parts.append(_bare_run(word[at:end], bool(parts), end == len(word)))
            at = end
        else:  # a sign that has lost its letter
            at += 1
    return "".join(parts)


@lru_cache(maxsize=65_536)
def romanise(text: str) -> str:
    """The text with every Thai word read in lower-case Latin letters (``ธนกร`` → ``thanakon``); the rest unchanged."""
    text = normalise_thai(text)
    if text.isascii():
        return text
    bare = _SILENT.sub("", without_tones(text))
    return clean(re.sub("[ก-ู เ-็]+", lambda thai: " ".join(_word(word) for word in thai[0].split(" ")), bare))
