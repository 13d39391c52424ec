"""Names of people: taken apart, and compared for the rules of evidence."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from ingestion.normalise import name_words
from ingestion.normalise.crossing import folded, readings_agree
from ingestion.normalise.text import without_accents
from ingestion.normalise.thai import is_thai, normalise_thai
from ingestion.normalise.values import placeholder_problem

Script = Literal["thai", "latin", "mixed", "other"]

MAX_NAME_LENGTH: Final = 200  # characters; a longer text is not read as a name


@dataclass(frozen=True, slots=True)
class PersonName:
    """One name of a person. ``first`` or ``last`` is None when not known; titles are in neither.

    ``full`` is the name as it is shown, without its title; ``raw`` is what the source sent. ``display_only`` marks what
    somebody is called in a chat or a shop (``น้องศยา``, a company, a name with digits): it may support a match and
    never speaks against one.
    """

    first: str | None
    last: str | None
    title: str | None
    full: str
    raw: str
    script: Script
    display_only: bool = False

    @property
    def known(self) -> bool:
        """Whether the name can be compared as a person's own."""
        return not self.display_only and (self.first is not None or self.last is not None)


_LETTER: Final = re.compile(r"[^\W\d_]")
_NOT_IN_NAMES: Final = re.compile(r"[\d@/\\_#+=|~^<>{}\[\]\u2190-\u2bff\U0001f000-\U0001faff]")
_THAI_LETTER: Final = re.compile("[ก-ฮ]")
_LATIN_LETTER: Final = re.compile("[A-Za-z\u00c0-\u024f]")
_DEPENDENT: Final = re.compile("^[\u0e30-\u0e3a\u0e45-\u0e4e]")
# น.ส. ด.ช. พล.ต.อ. ว่าที่ ร.ต. ม.ร.ว. ผศ.ดร.: two or more abbreviated words; a single one may be an initial.
_THAI_ABBREVIATIONS: Final = re.compile(r"^(?:ว่าที่ ?)?(?:[ก-ฮ]{1,4}\. ?){2,5}(?:หญิง ?)?(?=[ก-\u0e4e]{2}|$)")
_THAI_ABBREVIATION: Final = re.compile(r"^[ก-ฮ]{1,4}\. ?")
_LATIN_TITLE: Final = re.compile(r"^([A-Za-z]+)(?:\. ?| )(?=\S)")
_BRACKETED: Final = re.compile(r"\s*[(\[“\"](.*?)[)\]”\"]\s*")


@lru_cache(maxsize=1)
def _known_given_names() -> frozenset[str]:
    """Thai given names (11,800, PyThaiNLP's corpus). Loaded when a name first begins like a title."""
    from pythainlp.corpus import thai_female_names, thai_male_names  # 0.2 s to import

    return frozenset(thai_female_names() | thai_male_names()) - frozenset(name_words.THAI_WORD_TITLES)


def _is_known_given_name(token: str) -> bool:
    return token in _known_given_names()


def _thai_title(text: str) -> tuple[str | None, str]:
    """The title that a Thai name begins with and the rest, or None and the text."""
    head, _, tail = text.partition(" ")
    for written in name_words.THAI_WORD_TITLES:
        if head.startswith(written):
            rest = head[len(written) :]
            if not rest or _is_a_name_after(written, rest, head):
                return written, f"{rest} {tail}".strip()
    if head in name_words.THAI_SPACED_TITLES:
        return name_words.THAI_SPACED_TITLES[head], tail
    if match := _THAI_ABBREVIATIONS.match(text):
        written = match[0].replace(" ", "")
        return name_words.THAI_DOTTED_TITLES.get(written, written), text[match.end() :]
    if (match := _THAI_ABBREVIATION.match(text)) and match[0].strip() in name_words.THAI_DOTTED_TITLES:
        return name_words.THAI_DOTTED_TITLES[match[0].strip()], text[match.end() :]
    return None, text


def _is_a_name_after(title: str, rest: str, whole: str) -> bool:
    """Whether what is written behind a title in one word is a name, and the word no name that begins like a title."""
    if _DEPENDENT.match(rest) or len(rest) < 2:
        return False
    if not _is_known_given_name(whole):
        return True
    return title in name_words.THAI_CIVIL_TITLES and _is_known_given_name(rest)


def split_title(text: str) -> tuple[str | None, str]:
    """The titles that a cleaned name begins with, in one string, and the name without them.

    A Thai title is taken off only when what is left begins like a word, and the whole is not itself a given name
    (``คุณากร`` and ``นายิกา`` stay whole).
    """
    titles: list[str] = []
    while True:  # รศ.ดร. นาย …
        title: str | None = None
        rest = text
        if text and not text.isascii() and is_thai(text[:1]):
            title, rest = _thai_title(text)
        elif (match := _LATIN_TITLE.match(text)) and match[1].lower() in name_words.LATIN_TITLES:
            title, rest = name_words.LATIN_TITLES[match[1].lower()], text[match.end() :]
        elif text.rstrip(".").lower() in name_words.LATIN_TITLES:
            title, rest = name_words.LATIN_TITLES[text.rstrip(".").lower()], ""
        if title is None:
            return (" ".join(titles) or None), text
        titles.append(title)
        text = rest.strip()


def _script(text: str) -> Script:
    if text.isascii():
        return "latin" if _LATIN_LETTER.search(text) else "other"
    thai, latin = bool(_THAI_LETTER.search(text)), bool(_LATIN_LETTER.search(text))
    if thai:
        return "mixed" if latin else "thai"
    return "latin" if latin else "other"


def _split_latin(text: str) -> tuple[str | None, str | None]:
    """First and last name of a Latin full name; middle names belong to neither."""
    if "," in text:
        last, _, first = text.partition(",")
        given = _drop_suffixes(first.split())
        if given:
            return given[0], last.strip() or None
        text = last
    tokens = _drop_suffixes(text.split())
    if not tokens:
        return None, None
    if len(tokens) == 1:
        return tokens[0], None
    start = len(tokens) - 1
    while start > 1 and tokens[start - 1].lower().strip(".'") in name_words.LATIN_PARTICLES:
        start -= 1
    return tokens[0], " ".join(tokens[start:])


def _drop_suffixes(tokens: list[str]) -> list[str]:
    while len(tokens) > 1 and tokens[-1].strip(".,").lower() in name_words.LATIN_SUFFIXES:
        tokens = tokens[:-1]
    return tokens


def _split_full(text: str) -> tuple[str | None, str | None]:
    if _script(text) == "latin":
        return _split_latin(text)
    first, _, last = text.partition(" ")
    return first or None, last.strip() or None


def _is_display_only(text: str) -> bool:
    if _NOT_IN_NAMES.search(text) or not _LETTER.search(text):
        return True
    if text.startswith(name_words.THAI_NICKNAME_OPENINGS):
        return not _is_known_given_name(text.partition(" ")[0])
    if not text.isascii():
        return text.startswith(name_words.ORGANISATION_WORDS)
    tokens = text.lower().replace(".", " ").replace(",", " ").split()
    return len(tokens) > 1 and tokens[-1] in name_words.LATIN_ORGANISATION_WORDS


def person_name(
    full: str | None = None,
    *,
    first: str | None = None,
    last: str | None = None,
    title: str | None = None,
    display_only: bool = False,
) -> PersonName | None:
    """The name given in one text or in parts, or None when there is none (blank, masked or a placeholder).

    Parts win over ``full``. ``display_only`` says that the source's field holds what people call themselves there.
    """
    return _person_name(full or "", first or "", last or "", title or "", display_only)


@lru_cache(maxsize=32_768)
def _person_name(full: str, first: str, last: str, title: str, display_only: bool) -> PersonName | None:
    raw = full if not (first or last) else " ".join(part for part in (title, first, last) if part)
    if len(raw) > MAX_NAME_LENGTH:
        return None
    parts_given = bool(first or last)
    found_title, given = split_title(_bare(first if parts_given else full))
    family: str | None = _bare(last) or None if parts_given else None
    if not parts_given or (given and " " in given and not family and _script(given) != "latin"):
        display_only = display_only or _is_display_only(given)
        given_name, family_name = (given, None) if display_only else _split_full(given)
    else:
        given_name, family_name = given or None, family
        display_only = display_only or _is_display_only(" ".join(part for part in (given, family) if part))
    if not given_name and not family_name:
        return None
    shown = " ".join(part for part in (given_name, family_name) if part) if parts_given else given
    known_title = (split_title(normalise_thai(title))[0] or normalise_thai(title)) if title else found_title
    return PersonName(given_name, family_name, known_title, shown, raw, _script(shown), display_only)


def _bare(text: str) -> str:
    """The name text in one spelling; empty for what stands for no name."""
    if not text:
        return ""
    text = _BRACKETED.sub(" ", normalise_thai(text)).strip(" ,;:-*")
    return "" if placeholder_problem(text) else text


# Below the first, two given names are different ones; from the second on they are one. Chosen on spellings of one
# person's name in two scripts against names of others that begin alike (as siblings' do): .65 keeps 98 of 100 of the
# former together and separates half of the latter, .80 keeps 88 together and separates three of four.
DIFFERENT_BELOW: Final = 0.65
AGREE_FROM: Final = 0.80
# Surnames below this are no spellings of one.
OTHER_SURNAME_BELOW: Final = 0.50


def names_clearly_differ(a: PersonName | None, b: PersonName | None) -> bool | None:
    """True only when both names are known and cannot well be one person's; None when one is not known.

    Another surname with the same given name is no difference (people marry), nor is the other script, an initial, a
    short form or a misspelling: what is unsure gives False. Two doubts together are a difference: another surname and
    a given name or initial that does not agree. Symmetric.
    """
    if a is None or b is None or not a.known or not b.known:
        return None
    if a.first is None or b.first is None:
        return False
    other_surname = _surnames_part(a, b)
    return not (_given_may_be_same(a.first, b.first, other_surname) or _parts_swapped(a, b) or _is_surname_of(a, b))


def names_agree(a: PersonName | None, b: PersonName | None) -> bool | None:
    """True when both names are known and compatible: like given names, and no clearly different surnames.

    None when one is not known, also for display names: that they agree proves no name. Not the opposite of
    ``names_clearly_differ``: an unsure pair gives False in both. Symmetric.
    """
    if a is None or b is None or not a.known or not b.known:
        return None
    if _parts_swapped(a, b):
        return True
    if a.first is None or b.first is None or not _given_are_same(a.first, b.first):
        return False
    return a.last is None or b.last is None or readings_agree(a.last, b.last) >= DIFFERENT_BELOW


@lru_cache(maxsize=32_768)
def _given_may_be_same(a: str, b: str, other_surname: bool) -> bool:
    a, b = _comparable(a), _comparable(b)
    if not scripts_compare(a, b):
        return True
    if _is_initial(a) or _is_initial(b):
        return not other_surname or folded(a)[:1] == folded(b)[:1]
    if any(_short_form_of(x, y) for x in _tokens(a) for y in _tokens(b)):
        return True
    return readings_agree(a, b) >= (AGREE_FROM if other_surname else DIFFERENT_BELOW)


@lru_cache(maxsize=32_768)
def _given_are_same(a: str, b: str) -> bool:
    a, b = _comparable(a), _comparable(b)
    if _is_initial(a) or _is_initial(b) or not scripts_compare(a, b):
        return False
    return name_words.same_given_name(a, b) or readings_agree(a, b) >= AGREE_FROM


def _surnames_part(a: PersonName, b: PersonName) -> bool:
    if a.last is None or b.last is None:
        return False
    last_a, last_b = _comparable(a.last), _comparable(b.last)
    return scripts_compare(last_a, last_b) and readings_agree(last_a, last_b) < OTHER_SURNAME_BELOW


def _comparable(name: str) -> str:
    return without_accents(normalise_thai(name)).casefold().strip(" .")


def _tokens(name: str) -> list[str]:
    return name.replace("-", " ").split() or [name]


def scripts_compare(a: str, b: str) -> bool:
    """Whether the spellings can be compared: one writing system, or Thai with Latin. 王伟 and Wang Wei cannot."""
    return writing(a) == writing(b)


@lru_cache(maxsize=65_536)
def writing(name: str) -> str:
    """The name's writing system; one for Thai and Latin, between which names can be read."""
    letter = _LETTER.search(name)
    system = unicodedata.name(letter[0], "?").partition(" ")[0] if letter else "?"
    return "LATIN" if system == "THAI" else system


def _is_initial(name: str) -> bool:
    return sum(1 for _ in _LETTER.finditer(name)) < 2


def _short_form_of(a: str, b: str) -> bool:
    """Whether one is a usual short form of the other, or begins it (Som, Somchai)."""
    if name_words.same_given_name(a, b):
        return True
    short, long = sorted((a, b), key=len)
    return len(short) >= 3 and long.startswith(short)


def _parts_swapped(a: PersonName, b: PersonName) -> bool:
    """Whether first and last name stand in each other's place (a form filled in the other order)."""
    if not (a.first and a.last and b.first and b.last):
        return False
    return readings_agree(a.first, b.last) >= AGREE_FROM and readings_agree(a.last, b.first) >= AGREE_FROM


def _is_surname_of(a: PersonName, b: PersonName) -> bool:
    """Whether the only name of one is the surname of the other (a field for one name, filled with the family's)."""
    alone, other = (a, b) if a.last is None else (b, a)
    if alone.last is not None or alone.first is None or other.last is None:
        return False
    return readings_agree(alone.first, other.last) >= AGREE_FROM
