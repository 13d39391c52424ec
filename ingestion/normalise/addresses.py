"""Addresses in Thai and English, taken apart: house, street, the places it lies in, postcode.

Both languages name the same parts with other words (แขวงคลองตันเหนือ, Khwaeng Khlong Tan Nuea) and often without any.
What the words mark is taken as marked; of the rest the postcode, the province and a Western street line are known by
their form, and what is left over stays as single words.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Any, Final, Literal

from ingestion.normalise.provinces import province
from ingestion.normalise.text import without_accents
from ingestion.normalise.thai import ascii_digits, normalise_thai
from ingestion.normalise.values import placeholder_problem

MAX_ADDRESS_LENGTH: Final = 300  # characters; a longer text is no address

ADDRESS_TRAITS: Final = (
    "address", "address_line2", "subdistrict", "district", "city", "province", "postcode", "country",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """One address. A part is None when it is not known; texts are in lower case and in the script they came in.

    ``province`` is one name for each of Thailand's (``chiang-mai``) in both languages, else the region as written.
    ``rest`` holds the words that no part was made of, in alphabetical order. ``raw`` is what the source sent.
    """

    house: str | None = None
    moo: str | None = None
    soi: str | None = None
    street: str | None = None
    subdistrict: str | None = None
    district: str | None = None
    city: str | None = None
    province: str | None = None
    postcode: str | None = None
    country: str | None = None
    rest: tuple[str, ...] = ()
    raw: str = ""

    @property
    def tells_where(self) -> bool:
        """Whether more is known than the town."""
        return bool(self.house or self.street or self.soi or self.rest)


_Part = Literal["house", "village", "moo", "soi", "street", "subdistrict", "district", "province", "rest"]

# The words in front of a part. Abbreviations with a dot stand for themselves, words need an end unless they are Thai.
_THAI_MARKS: Final[tuple[tuple[_Part, str], ...]] = (
    ("house", r"บ้านเลขที่|เลขที่"),
    ("rest", r"หมู่บ้าน|ม\.บ\.|อาคาร|ตึก|ชั้น(?:ที่)?|ห้อง|คอนโด(?:มิเนียม)?"),
    ("moo", r"หมู่ที่|หมู่|(?<![ก-๎])ม\. ?(?=\d)"),
    ("soi", r"ตรอก|ซอย|(?<![ก-๎])ซ\."),
    ("street", r"ถนน|(?<![ก-๎])ถ\."),
    ("subdistrict", r"แขวง|ตำบล|(?<![ก-๎])ต\."),
    ("district", r"เขต|กิ่งอำเภอ|อำเภอ|(?<![ก-๎])อ\."),
    ("province", r"จังหวัด|(?<![ก-๎])จ\."),
)
_LATIN_MARKS: Final[tuple[tuple[_Part, str], ...]] = (
    ("house", r"house no\b\.?|no\b[.:]? ?(?=\d)"),
    ("rest", r"moo ?ba+n\b|floor\b|building\b|bldg\b\.?"),
    ("moo", r"moo\b\.?|mu\b\.?|village no\b\.?|m\. ?(?=\d)"),
    ("soi", r"soi\b\.?"),
    ("street", r"thanon\b"),
    ("subdistrict", r"t[au]mbo[nl]\b|kh?w(?:ae|a)ng\b|t\. ?(?=[a-z])"),
    ("district", r"amph?(?:oer?|ur)\b|khet\b|a\. ?(?=[a-z])"),
    ("province", r"changwat\b|j\. ?(?=[a-z])"),
)


def _one_of(marks: tuple[tuple[_Part, str], ...], writing: str) -> str:
    return "|".join(f"(?P<{part}_{writing}>{words})" for part, words in marks)


# Looked for at every letter: whether a mark may begin there is asked before which.
_THAI_OPENINGS: Final = {word.removeprefix("(?<![ก-๎])")[0] for _, words in _THAI_MARKS for word in words.split("|")}
_MARK: Final = re.compile(
    f"(?=[{''.join(sorted(_THAI_OPENINGS))}])(?:{_one_of(_THAI_MARKS, 'thai')})"
    rf"|\b(?=[a-z])(?:{_one_of(_LATIN_MARKS, 'latin')})|(?P<house_sign>\#(?=\d))"
)
_SUFFIXED: Final = (
    ("subdistrict", re.compile(r"^(.+?) (?:sub-?district|sub district)$")),
    ("district", re.compile(r"^(.+?) district$")),
    ("province", re.compile(r"^(.+?) province$")),
)
_COMMAS: Final = re.compile(r"[,;\n|]+")
_HOUSE: Final = re.compile(r"^(\d+(?:[/-]\d+)*[a-z]?)(?= |$)")
_HOUSE_AMID: Final = re.compile(r"^(\D{3,}) (\d+[a-z]?) (\D.+)$")  # Skyline Apartments 705 Sheppard Ave
_HOUSE_BEHIND: Final = re.compile(r"^(\D{3,}) (\d+[a-z]?)$")
_POSTCODE: Final = re.compile(r"(?=\d)(?<![\d/-])(?<!\bbox )(\d{5})(?:-\d{4})?(?![\d/-])")
_NUMBER: Final = re.compile(r"\d+(?:/\d+)*")
_NOT_WORDS: Final = re.compile(r"[^\w\u0e30-\u0e4e/]+")
_STREET_TYPES: Final = frozenset(
    {"st", "street", "str", "strasse", "rd", "road", "ave", "av", "avenue", "ln", "lane", "dr", "drive", "blvd",
     "boulevard", "ct", "crt", "court", "pl", "place", "way", "hwy", "highway", "pkwy", "parkway", "sq", "square",
     "ter", "terrace", "cres", "crescent", "cl", "close", "cct", "circuit", "cir", "circle", "gr", "grove", "pde",
     "parade", "rise", "row", "trl", "trail", "aly", "alley", "plaza", "loop", "walk", "esp", "esplanade"}
)  # fmt: skip
_DIRECTIONS: Final = frozenset(
    {"n", "s", "e", "w", "ne", "nw", "se", "sw", "north", "south", "east", "west"}
)  # fmt: skip
_COUNTRY: Final = frozenset({"thailand", "ไทย", "ประเทศไทย", "th"})


_MOST_KINDS: Final = 20  # words for what a place is that are taken off one name; people write one
_ADDRESS_TRAITS: Final = frozenset(ADDRESS_TRAITS)
_NO_PARTS: Final = ("",) * (len(ADDRESS_TRAITS) - 1)


def read_addresses(traits: Mapping[str, Any]) -> tuple[Address, ...]:
    """The addresses that canonical traits hold: the parts belong to the first line, further lines stand alone."""
    if _ADDRESS_TRAITS.isdisjoint(traits):
        return ()
    lines = _texts(traits.get("address"))
    parts = tuple((_texts(traits.get(trait)) or ("",))[0] for trait in ADDRESS_TRAITS[1:])
    found = []
    if lines or any(parts):
        found.append(_read(lines[0] if lines else "", parts))
    found.extend(_read(line, _NO_PARTS) for line in lines[1:])
    return tuple(dict.fromkeys(address for address in found if address is not None))


def _texts(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str) and item) if isinstance(value, list | tuple) else ()


@lru_cache(maxsize=32_768)
def _read(line: str, given: tuple[str, ...]) -> Address | None:
    """The address of a line and of the other traits in their order."""
    line2, subdistrict, district, city, region, postal_code, country = given
    raw = ", ".join(part for part in (line, *given) if part)
    if len(raw) > MAX_ADDRESS_LENGTH:
        return None
    parts: dict[str, str] = {}
    if region_found := (province(region) or place(region)):
        parts["province"] = region_found
    for part, text in (("subdistrict", subdistrict), ("district", district), ("city", city)):
        named = province(text) if part == "city" else None
        if named and parts.get("province", named) == named:
            parts["province"] = named
        elif found := place(text):
            parts[part] = found
    if found := postcode(postal_code):
        parts["postcode"] = found
    if found := place(country):
        parts["country"] = "thailand" if found in _COUNTRY else found
    rest = _take_apart(", ".join(text for text in (line, line2) if text), parts)
    if not parts and not rest:
        return None
    return Address(**parts, rest=tuple(sorted(rest)), raw=raw)


@lru_cache(maxsize=32_768)
def place(text: str) -> str | None:
    """The name of a place without the word for what it is (``เขตวัฒนา``, ``Watthana District`` → watthana)."""
    for _ in range(_MOST_KINDS):
        name = _without_kind(text)
        if name == text:
            break
        text = name
    return text or None


def _without_kind(text: str) -> str:
    text = _simple(text)
    if placeholder_problem(text):
        return ""
    match = _MARK.match(text)
    if match and _part_of(match) in {"subdistrict", "district", "province"}:
        text = text[match.end() :]
    for _, suffixed in _SUFFIXED:
        text = suffixed.sub(r"\1", text.strip())
    return " ".join(_words(text))


@lru_cache(maxsize=8_192)
def postcode(text: str) -> str | None:
    """The code in capitals without spaces; of nine digits, an American's first five."""
    squashed = re.sub(r"[\s-]", "", ascii_digits(text)).upper()
    if not 3 <= len(squashed) <= 10 or not any(map(str.isdigit, squashed)) or len(set(squashed)) == 1:
        return None
    return squashed[:5] if len(squashed) == 9 and squashed.isdigit() else squashed


def _simple(text: str) -> str:
    return without_accents(ascii_digits(normalise_thai(text))).casefold().strip(" ,.;")


def _words(text: str) -> list[str]:
    return [word for word in _NOT_WORDS.split(text) if any(map(str.isalnum, word))]


def _part_of(match: re.Match[str]) -> str:
    return (match.lastgroup or "rest").partition("_")[0]


# --- one text ----------------------------------------------------------------------------------------------------


def _take_apart(text: str, parts: dict[str, str]) -> set[str]:
    """What the text adds to the parts that are not known yet; returns the words that are left over."""
    text = _simple(text)
    if not text or placeholder_problem(text):
        return set()
    codes = [match for match in _POSTCODE.finditer(text) if match.start() > 0]
    if codes and _is_code(codes[-1][1], parts):
        parts.setdefault("postcode", codes[-1][1])
        text = f"{text[: codes[-1].start()]} , {text[codes[-1].end() :]}"
    rest: set[str] = set()
    for segment in _COMMAS.split(text):
        _read_segment(segment.strip(" .-"), parts, rest)
    return rest


def _is_code(code: str, parts: Mapping[str, str]) -> bool:
    return parts.get("postcode", code) == code


def _read_segment(segment: str, parts: dict[str, str], rest: set[str]) -> None:
    """One run of text between commas: what stands before the first mark, then each mark with what follows."""
    marks = list(_MARK.finditer(segment))
    _read_unmarked(segment[: marks[0].start()] if marks else segment, parts, rest)
    for match, following in zip_longest(marks, marks[1:]):
        value = segment[match.end() : following.start() if following else len(segment)].strip(" .:-")
        _read_marked(_part_of(match), value, parts, rest)


def _read_marked(part: str, value: str, parts: dict[str, str], rest: set[str]) -> None:
    if part in {"house", "moo"}:
        number = _NUMBER.match(value)
        if number:
            parts.setdefault(part, number[0])
            value = value[number.end() :]
        _read_unmarked(value, parts, rest)
        return
    if not value:
        return
    # Thai names of places are one word; an English one ends with the comma, the province or the end.
    head, _, tail = value.partition(" ") if _is_thai_word(value) else (value, "", "")
    if part == "soi" and (number := re.match(r"^(\d+(?:/\d+)?)", tail)):  # ซอยสุขุมวิท 39
        head, tail = f"{head} {number[1]}", tail[number.end() :]
    if not tail:
        head, tail = _before_province(head, parts)
    if part == "rest":
        rest.update(_words(head))
    elif part == "province":
        if named := (province(head) or place(head)):
            parts.setdefault("province", named)
    elif head.strip():
        name = _without_street_type(_words(head)) if part == "street" else _words(head)
        if name:
            parts.setdefault(part, " ".join(name))
    if tail:
        _read_unmarked(tail, parts, rest)


def _is_thai_word(text: str) -> bool:
    return "\u0e01" <= text[:1] <= "\u0e4e"


def _before_province(text: str, parts: dict[str, str]) -> tuple[str, str]:
    """The text without the province that it ends with, which goes into the parts: ``Mueang Chiang Mai``."""
    words = text.split()
    for length in range(min(4, len(words) - 1), 0, -1):
        if named := province(" ".join(words[-length:])):
            parts.setdefault("province", named)
            return " ".join(words[:-length]), ""
    return text, ""


def _read_unmarked(text: str, parts: dict[str, str], rest: set[str]) -> None:
    text = text.strip(" .:-")
    if not text:
        return
    if named := province(text):
        parts.setdefault("province", named)
        return
    for part, suffixed in _SUFFIXED:
        if match := suffixed.match(text):
            named = province(match[1]) if part == "province" else None
            parts.setdefault(part, named or " ".join(_words(match[1])))
            return
    if text in _COUNTRY:
        parts.setdefault("country", "thailand")
        return
    text = _before_province(text, parts)[0]
    house = _HOUSE.match(text)
    if house and "house" not in parts:
        parts["house"] = house[1]
        text = text[house.end() :].strip(" .:-")
    elif "house" not in parts and (amid := _HOUSE_AMID.match(text)) and _has_street_type(amid[3]):
        rest.update(_words(amid[1]))
        parts["house"], text = amid[2], amid[3]
    elif "house" not in parts and (behind := _HOUSE_BEHIND.match(text)) and _has_street_type(behind[1]):
        parts["house"], text = behind[2], behind[1]
    _read_street(_words(text), parts, rest, has_house=house is not None)


def _has_street_type(text: str) -> bool:
    return any(word in _STREET_TYPES or word.endswith("strasse") for word in _words(text))


def _read_street(words: list[str], parts: dict[str, str], rest: set[str], *, has_house: bool) -> None:
    """A Western street line: words up to the last word for a street are its name; behind a house number all are."""
    at = next((position for position in range(len(words) - 1, 0, -1) if words[position] in _STREET_TYPES), None)
    if "street" in parts or (at is None and not has_house):
        rest.update(words)
        return
    name = _without_street_type(words if at is None else words[: at + 1])
    if name:
        parts["street"] = " ".join(name)
    rest.update(words[at + 1 :] if at is not None else ())


def _without_street_type(words: list[str]) -> list[str]:
    """The name alone: sources write Main St, Main Street, E Main Street and ถนน Main."""
    kept = [word for word in words if word not in _DIRECTIONS] or words
    while len(kept) > 1 and kept[-1] in _STREET_TYPES:
        kept = kept[:-1]
    return kept
